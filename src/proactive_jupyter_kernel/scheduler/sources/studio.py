"""The workflows that a user keeps in the studio.

As on a server they are files in the user space: ``workflows/ID/name``, ``xml`` and ``metadata``.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.sources.catalog import UnknownObject

__all__ = ["FIELDS", "Studio"]

#: Fields of a Workflow that are files.
FIELDS = ("name", "xml", "metadata")
_MOST = 10_000


class Studio:
    """The workflows of a user. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[dict[str, Any]]:
        """All of them, by number."""
        return [self.read(number) for number in self._numbers()]

    def read(self, number: str) -> dict[str, Any]:
        """One workflow (``Workflow.java``); `UnknownObject` where there is none."""
        folder = self._place(number)
        values = {field: (folder / field).read_text(encoding="utf-8") for field in FIELDS if (folder / field).exists()}
        changed = datetime.fromtimestamp((folder / "name").stat().st_mtime, UTC)
        return {
            "id": int(number),
            "name": values.get("name", ""),
            "xml": values.get("xml", ""),
            "metadata": values.get("metadata", ""),
            "modifyDate": changed.strftime("%a %b %d %H:%M:%S UTC %Y"),
        }

    def add(self, values: dict[str, str]) -> dict[str, Any]:
        """Keep one more, under the next number. Raises ValueError when there are too many."""
        known = self._numbers()
        if len(known) >= _MOST:
            raise ValueError(f"There are {_MOST} workflows in the studio already; delete some first.")
        number = str(max((int(each) for each in known), default=0) + 1)
        (self._folder / number).mkdir(parents=True)
        self._store(number, values)
        return self.read(number)

    def change(self, number: str, values: dict[str, str]) -> dict[str, Any]:
        """Replace these of its `FIELDS`; `UnknownObject` where there is none."""
        self._place(number)
        self._store(number, values)
        return self.read(number)

    def delete(self, number: str) -> None:
        """Remove one; `UnknownObject` where there is none."""
        shutil.rmtree(self._place(number))

    def delete_named(self, name: str) -> None:
        """Remove all of that name."""
        for number in self._numbers():
            if self.read(number)["name"] == name:
                self.delete(number)

    def _numbers(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        found = [each.name for each in self._folder.iterdir() if _is_number(each.name) and (each / "name").is_file()]
        return sorted(found, key=int)

    def _place(self, number: str) -> Path:
        if not (_is_number(number) and (self._folder / number / "name").is_file()):
            raise UnknownObject(f"The studio has no workflow {number}.")
        return self._folder / number

    def _store(self, number: str, values: dict[str, str]) -> None:
        for field, value in values.items():
            (self._folder / number / field).write_text(value, encoding="utf-8", errors="replace")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
