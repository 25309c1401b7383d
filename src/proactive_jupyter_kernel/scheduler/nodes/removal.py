"""Removes what a task has left in its folder, whatever that is: no link is followed, and no tree is too deep.

`shutil.rmtree` needs a stack frame and a file handle for each level, so that a tree of a thousand levels stops it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_private_folder", "remove", "remove_content"]

_LOGGER = logging.getLogger(__name__)
#: Characters of a path below the folder that is removed. Systems take 4,096 bytes, some 1,024.
_LONG = 200
_PRIVATE_FOLDER = stat.S_IFDIR | stat.S_IRWXU


def is_private_folder(path: str | Path) -> bool:
    """Whether it is a folder for this user alone, and no link to one. Raises OSError where there is nothing."""
    return os.lstat(path).st_mode == _PRIVATE_FOLDER


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, also where a task took the right to write from it; what stays is logged."""
    with _logged(path), contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            remove_content(path)
            os.rmdir(path)
        else:
            os.unlink(path)


def remove_content(folder: str | Path) -> None:
    """Remove all that is in a folder, which is no link; what stays is logged.

    A folder that lies deep is moved to the top first: so no path becomes too long.
    """
    top = str(folder)
    moved = (os.path.join(top, f"{secrets.token_hex(8)}-{number}") for number in itertools.count())
    pending, emptied = [top], []
    while pending:
        found = pending.pop()
        emptied.append(found)
        with _logged(found):
            for inner in _emptied(found):
                pending.append(inner)
                if len(inner) - len(top) > _LONG:
                    with _logged(inner):
                        os.chmod(inner, stat.S_IRWXU)
                        pending[-1] = next(moved)
                        os.rename(inner, pending[-1])
    for found in reversed(emptied[1:]):
        with _logged(found):
            os.rmdir(found)


def _emptied(folder: str) -> Iterator[str]:
    """Remove all files and links of a folder; its folders are left to the caller."""
    with contextlib.suppress(PermissionError):  # another user's, who may let us write
        # To remove what is in it, to remove its folders later, and to move it, for its entry `..` changes.
        os.chmod(folder, stat.S_IRWXU)
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield entry.path
            continue
        with _logged(entry.path):
            os.unlink(entry.path)


@contextlib.contextmanager
def _logged(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _LOGGER.warning("%s cannot be removed: %s", path, error)
