"""Zip and gzip between a data space and those who send or fetch files. All of it may block."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, cast

from proactive_jupyter_kernel.scheduler.spaces.folders import Folder

__all__ = ["BadArchive", "TooLarge", "is_zip", "store_gzip", "store_zip", "zipped"]

_GZIP_MAGIC = b"\x1f\x8b"


class BadArchive(ValueError):
    """What came is not an archive of the kind that was announced; the message is a finished sentence."""


class TooLarge(Exception):
    """An archive unpacks to more bytes than it may."""


class _Counted:
    """What is read of a file, at most so many bytes."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._left = limit

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise TooLarge
        return content


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive."""
    return zipfile.is_zipfile(path)


def zipped(files: Iterable[tuple[str, Path]], target: IO[bytes]) -> None:
    """Write an archive of (name in it, file). Times before 1980, which the format has not, become 1980."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name, path in files:
            archive.write(path, name)
    target.seek(0)


def store_zip(source: IO[bytes], folder: Folder, path: str, *, limit: int = 0) -> None:
    """Unpack an archive below `path`, which becomes a folder. Nothing is written if any name leaves that folder.

    Raises `BadArchive`, `LeavesSpace`, OSError, and `TooLarge` for more than `limit` bytes (0: no limit).
    """
    try:
        with zipfile.ZipFile(source) as archive:
            # No more is read of an entry than its size says.
            if limit and sum(entry.file_size for entry in archive.infolist()) > limit:
                raise TooLarge
            entries = [(entry, f"{path}/{_name(entry.filename, folder)}") for entry in archive.infolist()]
            folder.make_folder(path)
            for entry, place in entries:
                if entry.is_dir():
                    folder.make_folder(place)
                else:
                    with archive.open(entry) as file:
                        folder.write(place, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadArchive(f"The body is not a zip archive that can be unpacked: {error}.") from error


def _name(name: str, folder: Folder) -> str:
    """The entry's path, which must stay below the folder that it is unpacked to."""
    plain = name.replace("\\", "/")
    folder.at(plain)
    return str(PurePosixPath(plain))


def store_gzip(source: IO[bytes], folder: Folder, path: str, *, limit: int = 0) -> None:
    """Store what was compressed once, or twice, as ProActive's Java client sends it.

    Raises `BadArchive`, `LeavesSpace`, OSError, and `TooLarge` for more than `limit` bytes (0: no limit).
    """

    def write(content: IO[bytes]) -> None:
        folder.write(path, cast(IO[bytes], _Counted(content, limit)) if limit else content)

    try:
        with gzip.open(source) as once:
            peeked = once.peek(2)[:2]
            if peeked != _GZIP_MAGIC:
                write(cast(IO[bytes], once))
                return
            with gzip.open(cast(IO[bytes], once)) as twice:
                write(cast(IO[bytes], twice))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadArchive(f"The body is not compressed with gzip as its header says: {error}.") from error


def gzipped(source: Path, target: IO[bytes]) -> None:
    """Write a file compressed."""
    with source.open("rb") as file, gzip.GzipFile(fileobj=target, mode="wb") as packed:
        shutil.copyfileobj(file, packed)
    target.seek(0)
