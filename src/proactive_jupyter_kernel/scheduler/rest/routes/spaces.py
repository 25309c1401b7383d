"""``/data`` and ``/scheduler/dataspace``: files to and from the user's and the global space.

Follows ``RestDataspaceImpl.java``. A path may be relative to the space or, as the official clients send it, the whole
URI of the space in front. Bodies go through a temporary file, never whole into memory; disk work is done in threads.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote, unquote

from starlette.responses import FileResponse, Response, StreamingResponse

from proactive_jupyter_kernel.scheduler import archives
from proactive_jupyter_kernel.scheduler.folders import Folder, LeavesSpace
from proactive_jupyter_kernel.scheduler.rest.http.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.http.routing import ANYTHING, Handler, Route
from proactive_jupyter_kernel.workflow.globs import FilePattern, compile_pattern

__all__ = ["ROUTES", "space_folder"]

#: Under ``/data`` a server knows the short names alone, and under ``/scheduler/dataspace`` these, too, in any case.
_SPACES = {"user": "user", "global": "global"}
_LEGACY_SPACES = {**_SPACES, "userspace": "user", "globalspace": "global"}
_FOLDER, _FILE = "application/folder", "application/file"
#: Characters of a path that stand in a header as they are; others are percent-encoded, as in a URL.
_HEADER = "/ !#$&'()*+,:;=?@[]~"
#: Bytes of a body that are gathered before they are written, and that are read at once from a file.
_BLOCK = 1024 * 1024
#: Line feeds and the like: nobody means them in a name, and they would break headers and listings.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
#: What the system says about a path that cannot be written; the client's mistake, not ours.
_REFUSALS = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)


def space_folder(call: Call, name: str) -> Folder:
    """The space of that name for the caller."""
    kind = _SPACES.get(name) if "space" in call.params else _LEGACY_SPACES.get(name.lower())
    if kind is None:
        raise _forbidden(f"There is no data space {name!r}; the spaces are user and global.")
    root = Path(call.service.site.spaces[kind])
    return Folder(root if kind == "global" else root / call.user, f"{kind} space")


def _guarded(handler: Callable[[Call, Folder, str], Awaitable[Response]]) -> Handler:
    """A handler that gets space and path, and whose refusals have ProActive's statuses."""

    async def guarded(call: Call) -> Response:
        space, path = call.params.get("space", ""), call.params.get("path", "")
        if not space:
            # Legacy paths may come with their slashes encoded: USERSPACE%2Fa%2Fb.
            space, _, path = path.partition("/")
            path = path or "."
        folder = space_folder(call, space)
        try:
            return await handler(call, folder, _relative(folder, path))
        except LeavesSpace as error:
            raise _forbidden(str(error)) from error
        except _REFUSALS as error:
            raise _forbidden(_said(error, folder)) from error
        except OSError as error:
            raise RestError(500, "java.io.IOException", _said(error, folder)) from error

    return guarded


def _forbidden(message: str) -> RestError:
    return RestError(403, "org.ow2.proactive_grid_cloud_portal.scheduler.exception.PermissionRestException", message)


def _said(error: OSError, folder: Folder) -> str:
    return f"The {folder.name} refuses this: {error.strerror or error}."


def _relative(folder: Folder, path: str) -> str:
    """The path in the space, from the forms that clients send: slashes collapsed, the space's URI in front."""
    if _UNSAFE.search(path):
        raise ValueError(f"The path {path!r} holds a control character; no file of a data space is named so.")
    bare = path.removeprefix("file:").lstrip("/")
    for candidate in (bare, unquote(bare)):
        for root in (folder.root, folder.root.resolve()):
            start = root.as_posix().lstrip("/")
            if candidate == start or candidate.startswith(f"{start}/"):
                return candidate[len(start) :].strip("/") or "."
    if path.startswith("file:"):
        raise LeavesSpace(f"{path!r} is not in the {folder.name}.")
    return path


def _patterns(call: Call, name: str) -> list[FilePattern]:
    return [compile_pattern(value) for key, value in call.pairs if key == name and value]


# --- writing -------------------------------------------------------------------------------------------------------


async def create(call: Call, folder: Folder, path: str) -> Response:
    """Make a folder or an empty file."""
    kind = (await call.form()).get("mimetype", "")
    if kind == _FOLDER:
        await call.service.in_thread(folder.make_folder, path)
    elif kind == _FILE:
        # A file that is there already stays as it is.
        if not folder.at(path).is_file():
            with tempfile.TemporaryFile() as nothing:
                await call.service.in_thread(folder.write, path, nothing)
    else:
        raise ValueError(f"The mimetype must be {_FOLDER} or {_FILE}, not {kind!r}.")
    return Response()


async def upload(call: Call, folder: Folder, path: str) -> Response:
    """Store the body: as the file, or unpacked as its Content-Encoding says."""
    folder.at(path)
    encoding = call.header("content-encoding").strip().lower()
    store: Callable[[IO[bytes]], None] = _STORES.get(encoding, _store)(folder, path)
    with _spool(call) as body:
        await _receive(call, body)
        await call.service.in_thread(store, body)
    return Response(status_code=201)


def _store(folder: Folder, path: str) -> Callable[[IO[bytes]], None]:
    return lambda body: folder.write(path, body)


def _store_gzip(folder: Folder, path: str) -> Callable[[IO[bytes]], None]:
    return lambda body: archives.store_gzip(body, folder, path)


def _store_zip(folder: Folder, path: str) -> Callable[[IO[bytes]], None]:
    return lambda body: archives.store_zip(body, folder, path)


_STORES = {"gzip": _store_gzip, "zip": _store_zip}


def _spool(call: Call) -> IO[bytes]:
    """A temporary file without a name, on the disk of the spaces: the system's own may be small."""
    folder = Path(call.service.site.spaces["user"])
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


async def _receive(call: Call, target: IO[bytes]) -> None:
    block = bytearray()
    async for chunk in call.stream():
        block += chunk
        if len(block) >= _BLOCK:
            await asyncio.to_thread(target.write, bytes(block))
            block.clear()
    target.write(block)
    target.seek(0)


async def delete(call: Call, folder: Folder, path: str) -> Response:
    """Remove a file, a folder, or what matches in it; no error where there is nothing."""
    includes, excludes = _patterns(call, "includes"), _patterns(call, "excludes")
    filtered = bool(includes or excludes)
    _check_named(call, folder, path, filtered)

    def remove() -> None:
        start = folder.root / path
        if not filtered:
            folder.delete(path)
        elif start.is_dir():
            for found in list(folder.find(includes, excludes, within=path)):
                # A file behind a link belongs to another folder, which the request did not name.
                if not any((start / parent).is_symlink() for parent in PurePosixPath(found).parents):
                    folder.delete(f"{path}/{found}")

    await call.service.in_thread(remove)
    return no_content()


def _check_named(call: Call, folder: Folder, path: str, filtered: bool) -> None:
    """Refuse what may mean less than it would remove: the whole space, an empty pattern, a name cut at a semicolon."""
    if call.matrix:
        raise ValueError("The path holds a semicolon, which starts a parameter; one in a file's name is written %3B.")
    if not filtered and any(key in ("includes", "excludes") for key, _ in call.pairs):
        raise ValueError("The patterns in 'includes' and 'excludes' are empty: nothing is named to be removed.")
    if not filtered and not PurePosixPath(path).parts:
        raise ValueError(f"The {folder.name} itself cannot be removed; name the files and folders in it.")


# --- reading -------------------------------------------------------------------------------------------------------


async def read(call: Call, folder: Folder, path: str) -> Response:
    """A file, a folder as zip, a listing, or only the headers."""
    place = folder.at(path)
    if not place.exists():
        return Response(status_code=404)
    if call.request.method == "HEAD":
        return _head(place)
    if "comp" in call.query:
        return await _listing(call, folder, path)
    if place.is_dir():
        return await _folder_answer(call, folder, path)
    return await _file_answer(call, place, path)


def _accepted(call: Call) -> list[str]:
    """The encodings that the client takes, in its order; the query wins over the header."""
    text = call.text("encoding") or call.header("accept-encoding")
    return [part.partition(";")[0].strip().lower() for part in text.split(",") if part.strip()]


async def _file_answer(call: Call, place: Path, path: str) -> Response:
    """The file as it is unless something else is asked for by name.

    Clients that accept gzip get it plain all the same: Java's unpack twice what says gzip, others once, and all of
    them take ``identity``.
    """
    asked, accepted = call.text("encoding").lower(), _accepted(call)
    if asked == "gzip":
        spool = _spool(call)
        await call.service.in_thread(archives.gzipped, place, spool)
        return _stream(spool, {"Content-Encoding": "gzip", "x-pds-pathname": quote(path, safe=_HEADER)}, _type(place))
    if accepted == ["zip"] and not await call.service.in_thread(archives.is_zip, place):
        spool = _spool(call)
        await call.service.in_thread(archives.zipped, [(place.name, place)], spool)
        return _stream(spool, {"Content-Encoding": "zip"}, _type(place))
    return FileResponse(place, media_type=_type(place), headers={"Content-Encoding": "identity"})


async def _folder_answer(call: Call, folder: Folder, path: str) -> Response:
    accepted = _accepted(call)
    if accepted and not {"*", "zip", "gzip"} & set(accepted):
        return _plain_refusal("Folder retrieval only supported with zip encoding.")
    spool = _spool(call)
    includes, excludes = _patterns(call, "includes"), _patterns(call, "excludes")

    def pack() -> None:
        start = folder.at(path)
        found = list(folder.find(includes, excludes, within=path))
        # One file alone in a whole folder loses its folders: so does ProActive, and its clients expect it.
        alone = len(found) == 1 and not (includes or excludes)
        names = [PurePosixPath(found[0]).name] if alone else found
        archives.zipped(((name, start / one) for name, one in zip(names, found, strict=True)), spool)

    await call.service.in_thread(pack)
    return _stream(spool, {"Content-Encoding": "zip"})


def _plain_refusal(message: str) -> Response:
    """400 with a sentence instead of JSON, as a server answers what it does not understand here."""
    return Response(message, 400, media_type="application/octet-stream")


def _stream(file: IO[bytes], headers: dict[str, str], media_type: str = "application/octet-stream") -> Response:
    size = os.fstat(file.fileno()).st_size

    def blocks() -> Iterator[bytes]:
        with file:
            while block := file.read(_BLOCK):
                yield block

    return StreamingResponse(blocks(), media_type=media_type, headers={**headers, "Content-Length": str(size)})


def _head(place: Path) -> Response:
    status = place.stat()
    headers = {
        "x-proactive-ds-type": "DIRECTORY" if place.is_dir() else "FILE",
        "x-proactive-ds-permissions": _permissions(place),
        "Last-Modified": formatdate(status.st_mtime, usegmt=True),
    }
    if place.is_dir():
        return Response(headers=headers)
    # Without the character set that Starlette adds to a text.
    return Response(headers={**headers, "Content-Length": str(status.st_size), "Content-Type": _type(place)})


async def _listing(call: Call, folder: Folder, path: str) -> Response:
    metadata = {"list": False, "list-metadata": True}.get(call.text("comp"))
    if metadata is None:
        return _plain_refusal(f"Unknown query parameter: comp={call.text('comp')}")
    if not folder.at(path).is_dir():
        raise ValueError(f"{path!r} is a file of the {folder.name}; only a folder can be listed.")
    includes, excludes = _patterns(call, "includes"), _patterns(call, "excludes")
    return json_answer(await call.service.in_thread(_listed, folder, path, includes, excludes, metadata))


def _listed(
    folder: Folder, path: str, includes: Sequence[FilePattern], excludes: Sequence[FilePattern], metadata: bool
) -> dict[str, Any]:
    start = folder.at(path)
    if includes or excludes:
        files = list(folder.find(includes, excludes, within=path))
        folders = [name for name in _folders(start) if _is_listed(name, includes, excludes)]
    else:
        children = sorted(start.iterdir())
        folders = [child.name for child in children if child.is_dir()]
        files = [child.name for child in children if child.is_file()]
    everything = sorted([*files, *folders])
    answer: dict[str, Any] = {"directoryListing": folders, "fileListing": files, "fullListing": everything}
    if metadata:
        places = {name: start / name for name in everything}
        answer |= {
            "types": {name: "DIRECTORY" if place.is_dir() else _type(place) for name, place in places.items()},
            "permissions": {name: _permissions(place) for name, place in places.items()},
            "lastModifiedDates": {name: int(place.stat().st_mtime * 1000) for name, place in places.items()},
            "sizes": {name: place.stat().st_size for name, place in places.items() if not place.is_dir()},
        }
    return answer


def _folders(start: Path) -> Iterator[str]:
    for parent, names, _ in os.walk(start):
        names.sort()
        for name in names:
            yield Path(parent, name).relative_to(start).as_posix()


def _is_listed(path: str, includes: Sequence[FilePattern], excludes: Sequence[FilePattern]) -> bool:
    included = not includes or any(pattern.matches(path) for pattern in includes)
    return included and not any(pattern.matches(path) for pattern in excludes)


def _type(place: Path) -> str:
    return mimetypes.guess_type(place.name)[0] or "application/octet-stream"


def _permissions(place: Path) -> str:
    modes = (("r", os.R_OK), ("w", os.W_OK), ("x", os.X_OK))
    return "".join(letter if os.access(place, mode) else "-" for letter, mode in modes)


# --- the older form ------------------------------------------------------------------------------------------------


async def legacy_upload(call: Call, folder: Folder, path: str) -> Response:
    """Store one part of a form as a file in the folder of the path."""
    parts = {part.name: part.content for part in await call.parts()}
    if "fileName" not in parts or "fileContent" not in parts:
        raise ValueError("The form must have the parts fileName and fileContent.")
    target = _relative(folder, f"{path}/{parts['fileName'].decode('utf-8', 'replace')}")
    with _spool(call) as body:
        body.write(parts["fileContent"])
        body.seek(0)
        await call.service.in_thread(folder.write, target, body)
    return json_answer(True)


async def legacy_read(call: Call, folder: Folder, path: str) -> Response:
    """A file's bytes, or the names in a folder, one a line."""
    place = folder.at(path)
    if not place.exists():
        raise ValueError(f"{path!r} does not exist in the {folder.name}.")
    if place.is_dir():
        names = "".join(f"{name}\n" for name in sorted(os.listdir(place)))
        return Response(names.encode("utf-8", "surrogateescape"), media_type="application/octet-stream")
    return FileResponse(place, media_type="application/octet-stream")


async def legacy_delete(call: Call, folder: Folder, path: str) -> Response:
    """Remove a file or folder; refused where there is none."""
    _check_named(call, folder, path, filtered=False)
    if not folder.at(path).exists():
        raise ValueError(f"{path!r} does not exist in the {folder.name}.")
    await call.service.in_thread(folder.delete, path)
    return json_answer(True)


async def empty_path(call: Call) -> Response:
    """The space alone is not a path."""
    raise RestError(404, "javax.ws.rs.NotFoundException", "A path in the data space is needed: /data/user/PATH.")


_DATA, _LEGACY = "/data/{space}/{path*}", "/scheduler/dataspace/{path*}"

ROUTES = (
    Route("POST", _DATA, _guarded(create), "Make a folder or an empty file.", gives=ANYTHING),
    Route("PUT", _DATA, _guarded(upload), "Store a file, or unpack an archive.", gives=ANYTHING),
    Route("GET", _DATA, _guarded(read), "A file, a folder as zip, or a listing.", gives=ANYTHING, session_in="token"),
    Route("DELETE", _DATA, _guarded(delete), "Remove a file, a folder, or what matches in it.", gives=ANYTHING),
    *(
        Route(method, "/data/{space}", empty_path, "A path is needed.", gives=ANYTHING)
        for method in ("POST", "PUT", "GET", "DELETE")
    ),
    Route("POST", _LEGACY, _guarded(legacy_upload), "Store a file, older form.", gives=ANYTHING),
    Route("GET", _LEGACY, _guarded(legacy_read), "A file or the names in a folder, older form.", gives=ANYTHING),
    Route("DELETE", _LEGACY, _guarded(legacy_delete), "Remove a file or folder, older form.", gives=ANYTHING),
)
