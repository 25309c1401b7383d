"""Paths as people write them: relative to the notebook's folder, with ``~`` for a home folder."""

from __future__ import annotations

from pathlib import Path

from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall

__all__ = ["file_of", "path_of"]


def path_of(context: Context, call: BoundCall, parameter: str, text: str = "") -> Path:
    """The path that a parameter names, or `text` in its place; `PragmaError` where there is no such home folder."""
    written = text or str(call[parameter])
    try:
        return context.frontend.folder / Path(written).expanduser()
    except RuntimeError:
        user = written.split("/")[0]
        raise call.fault(
            f"{user} is not the home folder of a user of this machine.",
            parameter=parameter,
            hint=f"For a folder that is called so, write ./{written}.",
        ) from None


def file_of(context: Context, call: BoundCall, parameter: str, text: str = "") -> Path:
    """The same for a file that is written; `PragmaError` where the path can only be a folder's."""
    written = text or str(call[parameter])
    path = path_of(context, call, parameter, text)
    if path.name in ("", "..") or Path(written).name in ("", "..") or written.endswith("/"):
        raise call.fault(f"{written!r} names a folder, not a file.", parameter=parameter, hint="Add the file's name.")
    return path
