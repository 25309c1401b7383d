"""A data space as a folder of this machine: files chosen, read and written, and nothing outside of it touched.

Every path is relative to the space, with ``/`` between its parts. One that leads out of the space, by ``..``, by an
absolute path or through a link, is refused. All of it may block.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from proactive_jupyter_kernel.workflow.globs import FilePattern, choose

__all__ = ["Folder", "Interrupted", "LeavesSpace"]

#: Bytes that are copied between two checks for cancellation.
_CHUNK = 1024 * 1024
#: Suffix of a file that is being written; it is never listed.
_PART = re.compile(r"\.[0-9a-f]{16}\.part")


class LeavesSpace(ValueError):
    """A path is not in its space; the message is a finished sentence."""


class Interrupted(Exception):
    """A copy was given up, because `stopped` said so."""


def _never() -> bool:
    return False


class Folder:
    """One space. Making one touches nothing; the folder need not exist."""

    def __init__(self, root: Path, name: str = "space") -> None:
        """`name` is how messages call it, such as ``user space``."""
        self.root = root
        self.name = name

    def at(self, path: str) -> Path:
        """Where a path lies; `LeavesSpace` if it is outside, also because of a link on the way. ``.`` is the root."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\0" in path or (os.name == "nt" and ":" in path):
            raise LeavesSpace(f"{path!r} leaves the {self.name}: a path there is relative, without '..'.")
        place = self.root.joinpath(*pure.parts)
        # The last part may be a link itself: what counts is what it leads to.
        if not _inside(place.resolve(), self.root.resolve()):
            raise LeavesSpace(f"{path!r} leaves the {self.name}: a link on the way leads out of it.")
        return place

    def find(
        self,
        includes: Sequence[FilePattern] = (),
        excludes: Sequence[FilePattern] = (),
        *,
        within: str = "",
        stopped: Callable[[], bool] = _never,
        outside: Callable[[str], None] = lambda path: None,
    ) -> Iterator[str]:
        """The paths of files that any include and no exclude matches, relative to the folder `within`.

        Links are followed as long as they stay in the space; `outside` is called with links that do not, where a chosen
        file might have been behind them. Raises OSError where a folder cannot be read, and `Interrupted`.
        """
        start = self.at(within)
        real_root = self.root.resolve()

        def children(folder: str) -> Iterator[tuple[str, bool]]:
            if stopped():
                raise Interrupted
            with os.scandir(start / folder) as entries:
                for entry in entries:
                    if _PART.fullmatch(entry.name):
                        continue
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if not entry.is_symlink():
                        is_folder = entry.is_dir()
                        if is_folder or entry.is_file():
                            yield entry.name, is_folder
                        continue
                    yield from self._link(Path(entry.path), path, real_root, includes, outside)

        yield from choose(children, includes, excludes)

    def _link(
        self,
        place: Path,
        path: str,
        real_root: Path,
        includes: Sequence[FilePattern],
        outside: Callable[[str], None],
    ) -> Iterator[tuple[str, bool]]:
        target = place.resolve()
        if not _inside(target, real_root):
            if any(pattern.matches(path) or pattern.may_hold(path) for pattern in includes):
                outside(path)
        elif target.is_file():
            yield place.name, False
        elif target.is_dir() and not _inside(place.parent.resolve(), target):
            # Following a link to a folder that contains it would never end.
            yield place.name, True

    def write(self, path: str, source: IO[bytes], *, stopped: Callable[[], bool] = _never) -> None:
        """Create or replace a file atomically, and create its parent folders.

        Raises `LeavesSpace`, OSError and `Interrupted`.
        """
        with self.replacing(path) as target:
            while chunk := source.read(_CHUNK):
                if stopped():
                    raise Interrupted
                target.write(chunk)

    @contextlib.contextmanager
    def replacing(self, path: str) -> Iterator[IO[bytes]]:
        """A file to write into, which becomes the file of that path when all went well.

        Raises `LeavesSpace` and OSError.
        """
        place = self.at(path)
        if place.is_dir():
            raise IsADirectoryError(f"{path!r} is a folder in the {self.name}, and cannot become a file")
        place.parent.mkdir(parents=True, exist_ok=True)
        # Short, since the file's own name may be as long as the file system allows.
        part = place.parent / f".{secrets.token_hex(8)}.part"
        try:
            with part.open("xb") as target:
                yield target
            os.replace(part, place)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it. Raises `LeavesSpace` and OSError."""
        self.at(path).mkdir(parents=True, exist_ok=True)

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing where there is none. Not the space itself."""
        place = self.at(path) if not self._is_link(path) else self.root / PurePosixPath(path)
        if place == self.root:
            for child in self.root.iterdir():
                _remove(child)
        else:
            _remove(place)

    def _is_link(self, path: str) -> bool:
        """A link that leads out may be removed, as long as it lies inside itself."""
        pure = PurePosixPath(path)
        return pure.name != "" and pure.name != ".." and self.at(str(pure.parent)).joinpath(pure.name).is_symlink()


def _inside(place: Path, folder: Path) -> bool:
    return place == folder or folder in place.parents


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
