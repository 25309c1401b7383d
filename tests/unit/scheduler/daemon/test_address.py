"""The address file and the lock of a data folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.daemon import address
from proactive_jupyter_kernel.scheduler.daemon.address import DataFolderInUse, Holder, address_file, locked


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runtime"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    with locked(tmp_path) as made:
        yield made


def test_an_address_is_there_while_the_scheduler_is(tmp_path: Path, holder: Holder) -> None:
    """Whole, for this user alone, and nothing else in the folder afterwards; the lock file has it, too."""
    with holder.published({"url": "http://x"}) as path:
        assert path == address_file(tmp_path)
        assert json.loads(path.read_text()) == {"url": "http://x"}
        assert json.loads((tmp_path / "scheduler.lock").read_text())["address"] == {"url": "http://x"}
        assert {stat.S_IMODE(each.stat().st_mode) for each in (path, tmp_path / "scheduler.lock")} == {0o600}
    assert list(path.parent.iterdir()) == []


def test_an_address_that_is_not_ours_stays(holder: Holder) -> None:
    """As of a successor that was faster."""
    with holder.published({"pid": 1}) as path:
        path.write_text("{}")
    assert path.exists()


@pytest.mark.parametrize("text", [None, "", '{"pid": 2}', "folder gone"])
def test_a_lost_address_is_written_again(holder: Holder, text: str | None) -> None:
    """Removed, also with its folder, truncated, or of another process; an intact one is left alone."""
    with holder.published({"pid": 1}) as path:
        if text == "folder gone":
            shutil.rmtree(path.parent)
        elif text is None:
            path.unlink()
        else:
            path.write_text(text)
        holder.restore()
        first = (json.loads(path.read_text()), path.stat().st_ino)
        holder.restore()
        assert (json.loads(path.read_text()), path.stat().st_ino) == first
        assert first[0] == {"pid": 1}


def test_trouble_with_the_address_is_reported_once(holder: Holder, caplog: pytest.LogCaptureFixture) -> None:
    """Something in its place that cannot be replaced does not end the scheduler."""
    with holder.published({"pid": 1}) as path:
        path.unlink()
        path.mkdir()
        holder.restore()
        holder.restore()
        path.rmdir()
    assert [record.levelname for record in caplog.records if "cannot be written again" in record.message] == ["ERROR"]


def test_the_successor_in_a_replaced_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that was moved away and made anew has another scheduler, whose lock file stays."""
    data = tmp_path / "data"
    data.mkdir()
    with locked(data) as old:
        data.rename(tmp_path / "moved")
        data.mkdir()
        old.restore()
        assert list(data.iterdir()) == []


def test_folders_have_addresses_of_their_own(tmp_path: Path) -> None:
    """By where they really are."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert address_file(tmp_path / "link") == address_file(tmp_path / "a")
    assert address_file(tmp_path / "a") != address_file(tmp_path)


def test_a_folder_has_one_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told whose it is; afterwards it is free."""
    monkeypatch.setattr(address, "_LOCK_PATIENCE", 0.0)
    with (
        locked(tmp_path),
        pytest.raises(DataFolderInUse, match=rf"\(process {os.getpid()}\) runs on the data folder"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass
