"""``/data`` and ``/scheduler/dataspace``: files to and from the user's and the global space.

Follows ``RestDataspaceImpl.java``. A path may be relative to the space or, as the official clients send it, the whole
URI of the space in front. Bodies go through a temporary file, never whole into memory; disk work is done in threads.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO

from starlette.responses import FileResponse, Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content, upload_too_large
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Route
from proactive_jupyter_kernel.scheduler.rest.routes.space_access import guarded, patterns, relative, spooled
from proactive_jupyter_kernel.scheduler.rest.routes.space_reading import read
from proactive_jupyter_kernel.scheduler.spaces import archives
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder

__all__ = ["ROUTES"]

_FOLDER, _FILE = "application/folder", "application/file"
#: Bytes of a body that are gathered before they are written.
_BLOCK = 1024 * 1024

# --- writing -------------------------------------------------------------------------------------------------------


async def create(call: Call, folder: Folder, path: str) -> Response:
    """Make a folder or an empty file."""
    kind = (await call.form()).get("mimetype", "")
    if kind == _FOLDER:
        await asyncio.to_thread(folder.make_folder, path)
    elif kind == _FILE:
        # A file that is there already stays as it is.
        if not folder.at(path).is_file():
            with tempfile.TemporaryFile() as nothing:
                await asyncio.to_thread(folder.write, path, nothing)
    else:
        raise ValueError(f"The mimetype must be {_FOLDER} or {_FILE}, not {kind!r}.")
    return Response()


async def upload(call: Call, folder: Folder, path: str) -> Response:
    """Store the body: as the file, or unpacked as its Content-Encoding says."""
    folder.at(path)
    encoding = call.header("content-encoding").strip().lower()
    limit = call.service.settings.upload_limit
    store: Callable[[IO[bytes]], None] = _STORES.get(encoding, _store)(folder, path, limit)
    announced = call.header("content-length")
    if limit and announced.isdecimal() and int(announced) > limit:
        raise upload_too_large(limit)
    with spooled(call) as body:
        await _receive(call, body, limit)
        try:
            await asyncio.to_thread(store, body)
        except archives.TooLarge:
            raise upload_too_large(limit) from None
    return Response(status_code=201)


def _store(folder: Folder, path: str, limit: int) -> Callable[[IO[bytes]], None]:
    return lambda body: folder.write(path, body)


def _store_gzip(folder: Folder, path: str, limit: int) -> Callable[[IO[bytes]], None]:
    return lambda body: archives.store_gzip(body, folder, path, limit=limit)


def _store_zip(folder: Folder, path: str, limit: int) -> Callable[[IO[bytes]], None]:
    return lambda body: archives.store_zip(body, folder, path, limit=limit)


_STORES = {"gzip": _store_gzip, "zip": _store_zip}


async def _receive(call: Call, target: IO[bytes], limit: int) -> None:
    block, size = bytearray(), 0
    async for chunk in call.stream():
        size += len(chunk)
        if limit and size > limit:
            raise upload_too_large(limit)
        block += chunk
        if len(block) >= _BLOCK:
            await asyncio.to_thread(target.write, bytes(block))
            block.clear()
    target.write(block)
    target.seek(0)


async def delete(call: Call, folder: Folder, path: str) -> Response:
    """Remove a file, a folder, or what matches in it; no error where there is nothing."""
    includes, excludes = patterns(call, "includes"), patterns(call, "excludes")
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

    await asyncio.to_thread(remove)
    return no_content()


def _check_named(call: Call, folder: Folder, path: str, filtered: bool) -> None:
    """Refuse what may mean less than it would remove: the whole space, an empty pattern, a name cut at a semicolon."""
    if call.matrix:
        raise ValueError("The path holds a semicolon, which starts a parameter; one in a file's name is written %3B.")
    if not filtered and any(key in ("includes", "excludes") for key, _ in call.pairs):
        raise ValueError("The patterns in 'includes' and 'excludes' are empty: nothing is named to be removed.")
    if not filtered and not PurePosixPath(path).parts:
        raise ValueError(f"The {folder.name} itself cannot be removed; name the files and folders in it.")


# --- the older form ------------------------------------------------------------------------------------------------


async def legacy_upload(call: Call, folder: Folder, path: str) -> Response:
    """Store one part of a form as a file in the folder of the path."""
    parts = {part.name: part.content for part in await call.parts()}
    if "fileName" not in parts or "fileContent" not in parts:
        raise ValueError("The form must have the parts fileName and fileContent.")
    target = relative(folder, f"{path}/{parts['fileName'].decode('utf-8', 'replace')}")
    with spooled(call) as body:
        body.write(parts["fileContent"])
        body.seek(0)
        await asyncio.to_thread(folder.write, target, body)
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
    await asyncio.to_thread(folder.delete, path)
    return json_answer(True)


async def empty_path(call: Call) -> Response:
    """The space alone is not a path."""
    raise RestError(404, "javax.ws.rs.NotFoundException", "A path in the data space is needed: /data/user/PATH.")


_DATA, _LEGACY = "/data/{space}/{path*}", "/scheduler/dataspace/{path*}"

ROUTES = (
    Route("POST", _DATA, guarded(create), "Make a folder or an empty file.", gives=ANYTHING),
    Route("PUT", _DATA, guarded(upload), "Store a file, or unpack an archive.", gives=ANYTHING),
    Route("GET", _DATA, guarded(read), "A file, a folder as zip, or a listing.", gives=ANYTHING, session_in="token"),
    Route("DELETE", _DATA, guarded(delete), "Remove a file, a folder, or what matches in it.", gives=ANYTHING),
    *(
        Route(method, "/data/{space}", empty_path, "A path is needed.", gives=ANYTHING)
        for method in ("POST", "PUT", "GET", "DELETE")
    ),
    Route("POST", _LEGACY, guarded(legacy_upload), "Store a file, older form.", gives=ANYTHING),
    Route("GET", _LEGACY, guarded(legacy_read), "A file or the names in a folder, older form.", gives=ANYTHING),
    Route("DELETE", _LEGACY, guarded(legacy_delete), "Remove a file or folder, older form.", gives=ANYTHING),
)
