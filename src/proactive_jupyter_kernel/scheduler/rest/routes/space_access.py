"""From a request to the data space and the path in it that it names, and the refusals that all routes of them share."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import Handler
from proactive_jupyter_kernel.scheduler.spaces.folders import Folder, LeavesSpace
from proactive_jupyter_kernel.workflow.globs import FilePattern, compile_pattern

__all__ = ["guarded", "patterns", "relative", "spooled"]

#: Under ``/data`` a server knows the short names alone, and under ``/scheduler/dataspace`` these, too, in any case.
_SPACES = {"user": "user", "global": "global"}
_LEGACY_SPACES = {**_SPACES, "userspace": "user", "globalspace": "global"}
#: Line feeds and other control characters, which would break headers and listings.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
#: What the system says about a path that cannot be written; the client's mistake, not ours.
_REFUSALS = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)


def _folder_of(call: Call, name: str) -> Folder:
    """The space of that name for the caller."""
    kind = _SPACES.get(name) if "space" in call.params else _LEGACY_SPACES.get(name.lower())
    if kind is None:
        raise _forbidden(f"There is no data space {name!r}; the spaces are user and global.")
    root = Path(call.service.site.spaces[kind])
    return Folder(root if kind == "global" else root / call.user, f"{kind} space")


def guarded(handler: Callable[[Call, Folder, str], Awaitable[Response]]) -> Handler:
    """A handler that gets space and path, and whose refusals have ProActive's statuses."""

    async def answer(call: Call) -> Response:
        space, path = call.params.get("space", ""), call.params.get("path", "")
        if not space:
            # Legacy paths may come with their slashes encoded: USERSPACE%2Fa%2Fb.
            space, _, path = path.partition("/")
            path = path or "."
        folder = _folder_of(call, space)
        try:
            return await handler(call, folder, relative(folder, path))
        except LeavesSpace as error:
            raise _forbidden(str(error)) from error
        except _REFUSALS as error:
            raise _forbidden(_said(error, folder)) from error
        except OSError as error:
            raise RestError(500, "java.io.IOException", _said(error, folder)) from error

    return answer


def _forbidden(message: str) -> RestError:
    return RestError(403, "org.ow2.proactive_grid_cloud_portal.scheduler.exception.PermissionRestException", message)


def _said(error: OSError, folder: Folder) -> str:
    return f"The {folder.name} refuses this: {error.strerror or error}."


def relative(folder: Folder, path: str) -> str:
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


def patterns(call: Call, name: str) -> list[FilePattern]:
    return [compile_pattern(value) for key, value in call.pairs if key == name and value]


def spooled(call: Call) -> IO[bytes]:
    """A temporary file without a name, on the disk of the spaces: the system's own may be small."""
    folder = Path(call.service.site.spaces["user"])
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)
