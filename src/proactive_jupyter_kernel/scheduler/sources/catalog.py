"""A catalog of workflows and scripts, read from a folder, under the addresses of ProActive's catalog service.

A bucket is a folder, an object a file in it, with or without its extension: ``BUCKET/NAME``, ``BUCKET/NAME.xml``.
Folders of ProActive's public examples work as they are: objects lie in ``FOLDER/resources/catalog``, and
``FOLDER/METADATA.json`` says under which names and in which buckets.
"""

from __future__ import annotations

import json
import mimetypes
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from proactive_jupyter_kernel.errors import ProActiveError, did_you_mean

__all__ = ["Catalog", "UnknownObject", "media_type"]

_INSIDE = ("resources", "catalog")


class UnknownObject(ProActiveError):
    """The catalog has no such bucket or object, or the studio no such workflow."""


class Catalog:
    """The objects of a folder. Nothing is kept: what is put there is found at once. Its methods read files."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """`url` is the server's root, under which the catalog is ``/catalog``."""
        self._folder = folder
        self._url = url

    def buckets(self) -> dict[str, int]:
        """How many objects each bucket has."""
        files = {(bucket, path) for bucket, _, path in self._objects()}
        return dict(sorted(Counter(bucket for bucket, _ in files).items()))

    def objects(self, bucket: str) -> dict[str, Path]:
        """Names and files of a bucket; raises `UnknownObject`."""
        found = {name: path for each, name, path in self._objects() if each == bucket}
        if not found:
            raise UnknownObject(f"The catalog has no bucket {bucket!r}.", hint=self._proposal(bucket))
        return found

    def listed(self, bucket: str) -> dict[str, Path]:
        """Each file of a bucket once: as METADATA.json names it, else without its extension; raises `UnknownObject`.

        Of files that differ in the extension alone, those that the name without it does not find keep theirs.
        """
        names: dict[Path, str] = {}
        for name, path in self.objects(bucket).items():
            if names.setdefault(path, name) == path.name and name == path.stem:
                names[path] = name
        return {name: path for path, name in names.items()}

    def find(self, bucket: str, name: str) -> Path:
        """The file of an object; raises `UnknownObject`."""
        known = self.objects(bucket)
        if name not in known:
            raise UnknownObject(f"The bucket {bucket!r} has no object {name!r}.", hint=did_you_mean(name, list(known)))
        return known[name]

    def has(self, bucket: str, name: str) -> bool:
        """Whether there is such an object; an empty catalog, as most are, rules nothing out."""
        found = [(each, known) for each, known, _ in self._objects()]
        return not found or (bucket, name) in found

    def has_address(self, url: str) -> bool:
        """Whether an address may be one of this catalog: it is on its server. Reads nothing."""
        return bool(self._url) and url.startswith(self._url + "/")

    def at(self, url: str) -> Path | None:
        """The file behind an address of this catalog; None for another address. Raises `UnknownObject`."""
        if not self.has_address(url):
            return None
        parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
        if len(parts) < 6 or parts[:2] != ["catalog", "buckets"] or parts[3] != "resources" or parts[-1] != "raw":
            return None
        return self.find(parts[2], parts[4])

    def _proposal(self, bucket: str) -> str:
        known = list(self.buckets())
        if not known:
            return f"It is empty: put folders with workflow files into {self._folder}."
        return did_you_mean(bucket, known)

    def _objects(self) -> Iterator[tuple[str, str, Path]]:
        """Bucket, name and file of all objects; the name is the file's, with and without extension."""
        if not self._folder.is_dir():
            return
        for folder in sorted(each for each in self._folder.iterdir() if each.is_dir()):
            yield from self._described(folder)
            for place in (folder, folder.joinpath(*_INSIDE)):
                for path in sorted(place.iterdir()) if place.is_dir() else ():
                    if path.is_file() and path.name != "METADATA.json" and self._is_inside(path):
                        yield folder.name, path.name, path
                        if path.stem != path.name:
                            yield folder.name, path.stem, path

    def _described(self, folder: Path) -> Iterator[tuple[str, str, Path]]:
        """What METADATA.json says; empty if it cannot be read."""
        try:
            described: Any = json.loads((folder / "METADATA.json").read_text(encoding="utf-8"))["catalog"]
            buckets = described.get("bucket", folder.name)
            entries = [(str(each["name"]), folder / str(each["file"])) for each in described["objects"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        for bucket in buckets if isinstance(buckets, list) else [buckets]:
            for name, path in entries:
                if path.is_file() and self._is_inside(path):
                    yield str(bucket), name, path

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._folder.resolve())


def media_type(path: Path) -> str:
    """By the extension."""
    if path.suffix == ".xml":
        return "application/xml"
    return mimetypes.guess_type(path.name)[0] or "text/plain"
