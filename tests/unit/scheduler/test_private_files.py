"""Files with secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler import private_files


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new text is there, and nothing else is left in the folder."""
    path = tmp_path / "secrets.json"
    path.write_text("old and longer", encoding="utf-8")
    private_files.write(path, "żółw")
    assert {each.name: each.read_text(encoding="utf-8") for each in tmp_path.iterdir()} == {"secrets.json": "żółw"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_only_its_owner_can_read_a_file(tmp_path: Path) -> None:
    """Also where others could read the file before."""
    path = tmp_path / "secrets.json"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    private_files.write(path, "new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old text stays, and the half-written file is gone."""
    path = tmp_path / "secrets.json"
    path.write_text("old", encoding="utf-8")

    def full(*arguments: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        private_files.write(path, "new")
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("secrets.json", "old")]
