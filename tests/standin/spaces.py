"""The data spaces of the stand-in server: folders, answered with the faults of a server."""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.workflow.globs import compile_pattern
from standin import shapes

__all__ = ["Spaces"]

#: Content encodings for which a file comes compressed twice and a folder as a zip archive.
_COMPRESSED = ("gzip", "*", "")


class Spaces:
    """The user space and the global space below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("user", "global"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def answer(
        self,
        method: str,
        space: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        """The answer to ``/data/{space}/{path}``."""
        place = (self.root / space / path).resolve()
        if not place.is_relative_to(self.root / space):
            return Response(status=404)
        return getattr(self, f"_{method.lower()}")(place, query, headers, body)

    def _put(self, place: Path, query: Any, headers: Mapping[str, str], body: bytes) -> Response:
        encoding = headers.get("content-encoding", "identity")
        if encoding == "zip":
            place.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                archive.extractall(place)
            return Response(status=201)
        if encoding == "gzip":
            body = gzip.decompress(gzip.decompress(body))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        return Response(status=201)

    def _post(self, place: Path, query: Any, headers: Mapping[str, str], body: bytes) -> Response:
        if b"application%2Ffolder" in body:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        return Response(status=200)

    def _head(self, place: Path, query: Any, headers: Mapping[str, str], body: bytes) -> Response:
        if not place.exists():
            return Response(status=404)
        return Response(status=200, headers={"x-proactive-ds-type": "DIRECTORY" if place.is_dir() else "FILE"})

    def _delete(self, place: Path, query: Any, headers: Mapping[str, str], body: bytes) -> Response:
        if place.is_dir():
            shutil.rmtree(place)
        elif place.exists():
            place.unlink()
        return Response(status=204)

    def _get(self, place: Path, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes) -> Response:
        if not place.exists():
            return Response(status=404)
        options = dict(query)
        includes = [value for name, value in query if name == "includes"]
        excludes = [value for name, value in query if name == "excludes"]
        if "comp" in options:
            return self._listing(place, includes, excludes, metadata=options["comp"] == "list-metadata")
        encoding = headers.get("accept-encoding", "").split(",")[0].strip()
        if place.is_file():
            content = place.read_bytes()
            if encoding in _COMPRESSED:
                headers = {"content-encoding": "gzip", "content-type": "application/octet-stream"}
                return Response(status=200, body=gzip.compress(gzip.compress(content)), headers=headers)
            return Response(status=200, body=content, headers={"content-type": "application/octet-stream"})
        if encoding not in (*_COMPRESSED, "zip"):
            text = b"Folder retrieval only supported with zip encoding."
            return Response(status=400, body=text, headers={"content-type": "application/octet-stream"})
        return self._archive(place, includes, excludes)

    def _archive(self, place: Path, includes: Sequence[str], excludes: Sequence[str]) -> Response:
        """With patterns, the archive ends at the first folder that matches them."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for found in self._matches(place, includes, excludes):
                if (place / found).is_file():
                    archive.write(place / found, found)
                elif includes:
                    break
        headers = {"content-encoding": "zip", "content-type": "application/octet-stream"}
        return Response(status=200, body=buffer.getvalue(), headers=headers)

    def _matches(self, place: Path, includes: Sequence[str], excludes: Sequence[str]) -> list[str]:
        names = [inner.relative_to(place).as_posix() for inner in place.rglob("*")]
        if includes or excludes:
            wanted = [compile_pattern(one) for one in includes or ("**",)]
            without = [compile_pattern(one) for one in excludes]
            names = [
                name
                for name in names
                if any(one.matches(name) for one in wanted) and not any(one.matches(name) for one in without)
            ]
        return shapes.hash_order(names)

    def _listing(self, place: Path, includes: Sequence[str], excludes: Sequence[str], *, metadata: bool) -> Response:
        import json

        names = [inner.name for inner in place.iterdir()] if place.is_dir() else []
        if includes or excludes:
            names = self._matches(place, includes, excludes)
        files = [name for name in names if (place / name).is_file()]
        folders = [name for name in names if (place / name).is_dir()]
        data: dict[str, Any] = {"directoryListing": folders, "fileListing": files, "fullListing": sorted(names)}
        if metadata:
            data["sizes"] = {name: (place / name).stat().st_size for name in files}
        return Response(status=200, body=json.dumps(data).encode(), headers={"content-type": "application/json"})
