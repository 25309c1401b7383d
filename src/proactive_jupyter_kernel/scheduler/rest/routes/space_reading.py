"""What a data space answers about its files and folders: contents, archives, listings, headers."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.routes.space_access import patterns, spooled
from proactive_jupyter_kernel.scheduler.spaces import archives
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder
from proactive_jupyter_kernel.workflow.globs import FilePattern

__all__ = ["read"]

#: Characters of a path that stand in a header as they are; others are percent-encoded, as in a URL.
_HEADER = "/ !#$&'()*+,:;=?@[]~"
#: Bytes that are read from a file at once.
_BLOCK = 1024 * 1024


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
        spool = spooled(call)
        await asyncio.to_thread(archives.gzipped, place, spool)
        return _stream(spool, {"Content-Encoding": "gzip", "x-pds-pathname": _in_header(path)}, _type(place))
    if accepted == ["zip"] and not await asyncio.to_thread(archives.is_zip, place):
        spool = spooled(call)
        await asyncio.to_thread(archives.zipped, [(place.name, place)], spool)
        return _stream(spool, {"Content-Encoding": "zip"}, _type(place))
    return FileResponse(place, media_type=_type(place), headers={"Content-Encoding": "identity"})


def _in_header(path: str) -> str:
    """A path as a header can hold it: blanks within it, but none at its ends."""
    inner = path.strip(" ")
    begin = len(path) - len(path.lstrip(" "))
    return "%20" * begin + quote(inner, safe=_HEADER) + "%20" * (len(path) - begin - len(inner))


async def _folder_answer(call: Call, folder: Folder, path: str) -> Response:
    accepted = _accepted(call)
    if accepted and not {"*", "zip", "gzip"} & set(accepted):
        return _plain_refusal("Folder retrieval only supported with zip encoding.")
    spool = spooled(call)
    includes, excludes = patterns(call, "includes"), patterns(call, "excludes")

    def pack() -> None:
        start = folder.at(path)
        found = list(folder.find(includes, excludes, within=path))
        # One file alone in a whole folder loses its folders: so does ProActive, and its clients expect it.
        alone = len(found) == 1 and not (includes or excludes)
        names = [PurePosixPath(found[0]).name] if alone else found
        archives.zipped(((name, start / one) for name, one in zip(names, found, strict=True)), spool)

    await asyncio.to_thread(pack)
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
    includes, excludes = patterns(call, "includes"), patterns(call, "excludes")
    return json_answer(await asyncio.to_thread(_listed, folder, path, includes, excludes, metadata))


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
