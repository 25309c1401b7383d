"""Hints for a module or a file beside the notebook that a task does not see."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

__all__ = ["hint_of"]

_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
#: How languages and programs say that a file is not there.
_NOT_THERE = re.compile(
    r"No such file or directory|ENOENT|cannot find the file|FileNotFoundException|file not found|does not exist", re.I
)
_QUOTED = re.compile(r"""['"]([^'"\n]+)['"]""")
_WORD = re.compile(r"[^\s:'\"(),\[\]]+")


def hint_of(folder: Path, text: str) -> str:
    """The hint for an error's text; `folder` is the notebook's. Empty if the folder has no such file."""
    found = _MODULE.search(text)
    beside = _module(folder, found[1].split(".")[0]) if found else _file(folder, text)
    if not beside:
        return ""
    files = f"{beside}/**" if (folder / beside).is_dir() else beside
    return (
        f"{beside} is beside the notebook; a task runs in its own folder and does not see it. "
        f"Send it along with the task: input_files=[{files}]."
    )


def _module(folder: Path, name: str) -> str:
    return next((each for each in (f"{name}.py", name) if (folder / each).exists()), "")


def _file(folder: Path, text: str) -> str:
    """The path relative to the notebook that a complaint about a missing file names, if it is there."""
    for line in reversed(text.split("\n")):
        if _NOT_THERE.search(line):
            for path in (*_QUOTED.findall(line), *_WORD.findall(line)):
                if _stands(folder, path):
                    return PurePosixPath(path.replace("\\", "/")).as_posix()
    return ""


def _stands(folder: Path, path: str) -> bool:
    try:
        return not Path(path).is_absolute() and path.strip("./\\") != "" and (folder / path).exists()
    except (OSError, ValueError):
        return False
