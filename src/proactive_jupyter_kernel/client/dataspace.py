"""A data space on a scheduler, over REST: files sent, fetched, listed, removed (``/data/{space}/{path}``).

What is sent goes as zip archives of bounded size, what is fetched as one archive or, where that would be large, file by
file: a ProActive server compresses single files twice for its Java client, so those are asked for as they are. An
archive is asked for without patterns, with which a server cuts it short, and what it lacks of the listing is fetched
file by file.
"""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError

__all__ = ["DataSpace", "Listing"]

#: Bytes of files that go into one archive; a request is held in memory.
_BATCH = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What lies in a folder of a space."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    #: Bytes by path; a server may not tell all.
    sizes: dict[str, int] = field(default_factory=dict)


class DataSpace:
    """The user's (``user``) or everybody's (``global``) space. Raises `SchedulerError` and its kinds."""

    def __init__(self, session: Session, name: str = "user") -> None:
        self._session = session
        self.name = name

    def url(self) -> str:
        """The space's address as workflows may name it, without slash at the end (``GET /scheduler/userspace``)."""
        answer = self._session.call("GET", f"/scheduler/{self.name}space", doing=f"show the {self.name} space").json()
        if not isinstance(answer, list) or not answer:
            raise SchedulerError(f"The scheduler has no {self.name} space.")
        return str(answer[0]).rstrip("/")

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        self._call("POST", path, doing=f"make the folder {path}", form={"mimetype": "application/folder"})

    def upload(self, path: str, files: Iterable[tuple[str, Path]]) -> int:
        """Put files, each as (path below `path`, file here), into a folder; gives their number. Raises OSError, too."""
        count = 0
        for batch in _batches(files):
            packed = _packed(batch)
            headers = {"content-type": "application/octet-stream", "content-encoding": "zip"}
            self._call("PUT", path, doing=f"store files in {path}", headers=headers, content=packed)
            count += len(batch)
        return count

    def list(self, path: str, includes: Sequence[str] = (), excludes: Sequence[str] = ()) -> Listing | None:
        """What lies in a folder; with patterns, all that matches at any depth. None where there is no folder."""
        query = (("comp", "list-metadata"), *_filters(includes, excludes))
        if not self.exists(path):
            return None
        answer = self._call("GET", path, doing=f"list {path}", query=query).json() or {}
        sizes = {str(name): int(size) for name, size in (answer.get("sizes") or {}).items()}
        return Listing(
            files=tuple(answer.get("fileListing") or ()),
            folders=tuple(answer.get("directoryListing") or ()),
            sizes=sizes,
        )

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        try:
            self._call("HEAD", path, doing=f"show {path}")
        except _Missing:
            return False
        return True

    def download(self, path: str, target: Path, includes: Sequence[str] = ("**",)) -> tuple[Path, ...]:
        """Fetch the matching files of a folder to a folder here, replacing those there; their places, in order.

        All that are listed, or an error. Nothing where there is no such folder or no match. Raises OSError, too.
        """
        listing = self.list(path, includes)
        if listing is None or not listing.files:
            return ()
        names = sorted(listing.files)
        small = sum(listing.sizes.get(name, _BATCH) for name in names) <= _BATCH and len(names) > 1
        places: dict[str, Path] = {}
        if small and tuple(includes) == ("**",):
            for name, content in self._fetched_zip(path):
                if listing.sizes.get(name) == len(content):
                    places[name] = _written(target, name, content)
        for name, content in self._fetched_files(path, [name for name in names if name not in places]):
            places[name] = _written(target, name, content)
        return tuple(places[name] for name in names)

    def delete(self, path: str) -> None:
        """Remove a file or a folder with all in it; nothing where there is none."""
        self._call("DELETE", path, doing=f"remove {path}")

    def _fetched_zip(self, path: str) -> Iterator[tuple[str, bytes]]:
        response = self._call(
            "GET",
            path,
            doing=f"send the files in {path}",
            headers={"accept-encoding": "zip"},
        )
        try:
            with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir():
                        yield entry.filename, archive.read(entry)
        except zipfile.BadZipFile as error:
            raise SchedulerError(
                f"What the scheduler sent for the folder {path} is not a zip archive: {error}"
            ) from error

    def _fetched_files(self, path: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            place = f"{path}/{name}"
            yield name, self._call("GET", place, doing=f"send {place}", headers={"accept-encoding": "identity"}).body

    def _call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Response:
        try:
            return self._session.call(
                method,
                f"/data/{self.name}/{quote(path)}",
                doing=f"{doing} in the {self.name} space",
                query=query,
                headers=headers,
                form=form,
                content=content,
            )
        except SchedulerError as error:
            if type(error) is SchedulerError and method == "HEAD":
                raise _Missing(error.message, hint=error.hint) from error
            raise


class _Missing(SchedulerError):
    """There is no such file or folder; the server says no more than that."""


def _filters(includes: Sequence[str], excludes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return (*(("includes", text) for text in includes), *(("excludes", text) for text in excludes))


def _batches(files: Iterable[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    batch: list[tuple[str, Path]] = []
    size = 0
    for name, place in files:
        length = place.stat().st_size
        if batch and size + length > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append((name, place))
        size += length
    if batch:
        yield batch


def _packed(files: Iterable[tuple[str, Path]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name, place in files:
            archive.write(place, name)
    return buffer.getvalue()


def _written(target: Path, name: str, content: bytes) -> Path:
    """Store one file below `target`; a name that leaves it is refused. The file is replaced atomically."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or (os.name == "nt" and ":" in name):
        raise SchedulerError(f"The scheduler sent a file named {name!r}, which would leave the folder {target}.")
    place = target.joinpath(*pure.parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.parent / f".{secrets.token_hex(8)}.part"
    try:
        part.write_bytes(content)
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return place
