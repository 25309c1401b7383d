"""The address file and the lock of a data folder."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.address import DataFolderInUse, address_file, locked, published


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runtime"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    return folder


def test_an_address_is_there_while_the_scheduler_is(tmp_path: Path) -> None:
    """Whole, for this user alone, and nothing else in the folder afterwards."""
    with published(tmp_path, {"url": "http://x"}) as path:
        assert path == address_file(tmp_path)
        assert json.loads(path.read_text()) == {"url": "http://x"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == []


def test_an_address_that_is_not_ours_stays(tmp_path: Path) -> None:
    """As of a successor that was faster."""
    with published(tmp_path, {"pid": 1}) as path:
        path.write_text("{}")
    assert path.exists()


def test_folders_have_addresses_of_their_own(tmp_path: Path) -> None:
    """By where they really are."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert address_file(tmp_path / "link") == address_file(tmp_path / "a")
    assert address_file(tmp_path / "a") != address_file(tmp_path)


def test_a_folder_has_one_scheduler(tmp_path: Path) -> None:
    """The second is told whose it is; afterwards it is free."""
    with (
        locked(tmp_path),
        pytest.raises(DataFolderInUse, match=rf"\(process {os.getpid()}\) runs on the data folder"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass
