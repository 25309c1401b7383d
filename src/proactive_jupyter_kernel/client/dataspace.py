"""A data space of a scheduler, over REST: send, fetch, list and remove files (``/data/{space}/{path}``).

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
    """The content of a folder of a space."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    #: Path -> bytes; a server may omit some.
    sizes: dict[str, int] = field(default_factory=dict)


class DataSpace:
    """The user space (``user``) or the global space (``global``). Raises `SchedulerError` and its subclasses."""

    def __init__(self, session: Session, name: str = "user") -> None:
        self._session = session
        self.name = name

    def url(self) -> str:
        """The URL of the space for use in workflows, without a trailing slash (``GET /scheduler/userspace``)."""
        answer = self._session.call("GET", f"/scheduler/{self.name}space", doing=f"show the {self.name} space").json()
        if not isinstance(answer, list) or not answer:
            raise SchedulerError(f"The scheduler has no {self.name} space.")
        return str(answer[0]).rstrip("/")

    def make_folder(self, path: str) -> None:
        """Create a folder and its parents."""
        self._call("POST", path, doing=f"create the folder {path}", form={"mimetype": "application/folder"})

    def upload(self, path: str, files: Iterable[tuple[str, Path]]) -> int:
        """Send files, each as (path below `path`, local file), to a folder; returns their number. May raise OSError."""
        count = 0
        for batch in _batches(files):
            packed = _packed(batch)
            headers = {"content-type": "application/octet-stream", "content-encoding": "zip"}
            self._call("PUT", path, doing=f"store files in {path}", headers=headers, content=packed)
            count += len(batch)
        return count

    def list(self, path: str, includes: Sequence[str] = (), excludes: Sequence[str] = ()) -> Listing | None:
        """The content of a folder; with patterns, all matches at any depth. None if the folder does not exist."""
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
        """Whether a file or folder exists."""
        try:
            self._call("HEAD", path, doing=f"show {path}")
        except _Missing:
            return False
        return True

    def download(self, path: str, target: Path, includes: Sequence[str] = ("**",)) -> tuple[Path, ...]:
        """Fetch the matching files of a folder to a local folder, replacing existing ones; returns their sorted paths.

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
        """Remove a file, or a folder with its content, if it exists."""
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
                f"The answer of the scheduler for the folder {path} is not a zip archive: {error}"
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
    """The file or folder does not exist; the server gives no other details."""


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
