"""A data space of a ProActive server, which cuts archives short: what is downloaded is what is listed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from proactive_jupyter_kernel.client.dataspace import DataSpace
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError

FOLDER = "/data/user/F"


class Server:
    """One folder of a space. Archives hold only the first `complete` files; files in `lost` cannot be fetched."""

    def __init__(self, files: Mapping[str, bytes], *, complete: int = 99, lost: Sequence[str] = ()) -> None:
        self.files = files
        self.complete = complete
        self.lost = lost
        self.calls: list[str] = []

    def call(self, method: str, path: str, **more: Any) -> Response:
        query = dict(more.get("query") or ())
        inner = unquote(path.removeprefix(FOLDER).removeprefix("/"))
        if method == "HEAD":
            return self._answer(b"")
        if "comp" in query:
            sizes = {name: len(content) for name, content in self.files.items()}
            # In hash order.
            return self._json({"fileListing": sorted(sizes, key=lambda name: name[::-1]), "sizes": sizes})
        self.calls.append(inner or f"archive {sorted(query)}")
        if inner:
            if inner in self.lost:
                raise SchedulerError(f"The scheduler refused to {more['doing']}: 404")
            return self._answer(self.files[inner])
        kept = dict(sorted(self.files.items())[: 0 if "includes" in query else self.complete])
        return self._answer(archive(kept))

    def _answer(self, body: bytes) -> Response:
        return Response(status=200, headers={}, body=body)

    def _json(self, value: Any) -> Response:
        import json

        return self._answer(json.dumps(value).encode())


def archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def download(server: Server, target: Path, *includes: str) -> dict[str, bytes]:
    """What lies in the folder afterwards; the places that were told are those files, in order."""
    space = DataSpace(server)  # type: ignore[arg-type]
    told = space.download("F", target, includes) if includes else space.download("F", target)
    assert [place.relative_to(target).as_posix() for place in told] == sorted(server.files)
    return {place.relative_to(target).as_posix(): place.read_bytes() for place in target.rglob("*") if place.is_file()}


FILES = {"a.txt": b"a", "deep/er/b.csv": b"x,y\n", "é x.txt": b"u", "none.bin": b""}


@pytest.mark.parametrize(
    ("complete", "calls"),
    [
        (99, ["archive []"]),
        (1, ["archive []", "deep/er/b.csv", "none.bin", "é x.txt"]),
        (0, ["archive []", *sorted(FILES)]),
    ],
)
def test_download_is_complete(tmp_path: Path, complete: int, calls: list[str]) -> None:
    """No archive is asked for by patterns, and files that one lacks are fetched by name."""
    server = Server(FILES, complete=complete)
    assert (download(server, tmp_path), server.calls) == (FILES, calls)


def test_download_by_patterns_fetches_by_name(tmp_path: Path) -> None:
    """A server cuts archives of patterns at the first folder that matches."""
    server = Server(FILES)
    assert (download(server, tmp_path, "*.txt", "deep/**"), server.calls) == (FILES, sorted(FILES))


def test_file_that_changed_in_the_archive_is_fetched_again(tmp_path: Path) -> None:
    """Its length is not the one of the listing."""
    server = Server(FILES)
    server.files = {**FILES, "a.txt": b"longer"}
    whole, server._answer = server._answer, lambda body: whole(archive(FILES) if body[:2] == b"PK" else body)
    assert download(server, tmp_path)["a.txt"] == b"longer"


def test_listed_file_that_cannot_be_fetched_is_an_error(tmp_path: Path) -> None:
    """It names the file: nothing is taken for complete that is not."""
    server = Server(FILES, complete=1, lost=["none.bin"])
    with pytest.raises(SchedulerError, match=r"send F/none\.bin in the user space"):
        download(server, tmp_path)


def test_recorded_archive_of_patterns_is_short(recorded: Callable[[str, str], Any], tmp_path: Path) -> None:
    """What a server sends for patterns lacks files that it lists; the download has them all."""
    listing = recorded("18-dataspace", "list metadata")
    cut = recorded("18-dataspace", "get with excludes")["zip"]
    server = Server({name: b"x" * size for name, size in listing["sizes"].items()}, complete=len(cut))
    assert {each["name"] for each in cut} < set(listing["fileListing"])
    assert set(download(server, tmp_path)) == set(listing["fileListing"])
