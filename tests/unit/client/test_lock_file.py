"""The lock of a data folder as clients read it: who runs the scheduler there, however broken the files are."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client import lock_file
from proactive_jupyter_kernel.client.lock_file import LOCK_FILE, Holder
from proactive_jupyter_kernel.scheduler.daemon import address
from proactive_jupyter_kernel.scheduler.daemon.address import locked

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a lock")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setattr(address, "_LOCK_PATIENCE", 0.0)


def test_the_lock_names_its_holder_and_what_it_does(tmp_path: Path) -> None:
    """From the start over the published address to the end; nobody afterwards."""
    place = {"url": "http://x"}
    found = [lock_file.holder(tmp_path)]
    with locked(tmp_path) as holder:
        found.append(lock_file.holder(tmp_path))
        with holder.published(place):
            found.append(lock_file.holder(tmp_path))
        found.append(lock_file.holder(tmp_path))
    found.append(lock_file.holder(tmp_path))
    pid = os.getpid()
    assert found == [
        None,
        Holder(pid=pid, state="starting"),
        Holder(pid=pid, state="running", address=place),
        Holder(pid=pid, state="stopping"),
        None,
    ]


@ON_LINUX
@pytest.mark.parametrize("text", ["", "garbage", "4711", "[]", '{"pid": 1', None])
def test_a_broken_lock_file_hides_no_scheduler(tmp_path: Path, text: str | None) -> None:
    """Truncated, overwritten, as of an earlier version, removed: the system knows the process, and it stays alone."""
    path = tmp_path / LOCK_FILE
    with locked(tmp_path) as holder:
        path.unlink() if text is None else path.write_text(text)
        found = lock_file.holder(tmp_path)
        with pytest.raises(address.DataFolderInUse), locked(tmp_path):
            pass
        if text is None:
            path.unlink()
        holder.restore()
        restored = lock_file.holder(tmp_path)
    assert (found, restored) == (Holder(pid=os.getpid()), Holder(pid=os.getpid(), state="starting"))


def test_a_reused_process_id_is_not_the_scheduler(tmp_path: Path) -> None:
    """A crash leaves the lock file; a process that got the id later is not the scheduler."""
    record = {"pid": os.getpid(), "started": "1", "host": "h", "state": "running", "address": None}
    (tmp_path / LOCK_FILE).write_text(json.dumps(record))
    before = lock_file.holder(tmp_path)
    record["started"] = address.start_time(os.getpid())
    (tmp_path / LOCK_FILE).write_text(json.dumps(record))
    assert (before, lock_file.holder(tmp_path)) == (None, Holder(pid=os.getpid(), state="running"))


def test_a_holder_elsewhere_is_reported_with_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a shared disk the process is not visible here."""
    monkeypatch.setattr(lock_file, "_pid_by_system", lambda path: None)
    with locked(tmp_path):
        record = json.loads((tmp_path / LOCK_FILE).read_text())
        (tmp_path / LOCK_FILE).write_text(json.dumps({**record, "started": "1", "host": "node-7"}))
        found = lock_file.holder(tmp_path)
    assert found == Holder(pid=None, host="node-7")
    assert "on the machine node-7" in lock_file.unresponsive(tmp_path, found)[0]


def test_a_process_that_ends_is_not_taken_for_one_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock for a moment after it can be seen no more."""
    record = {"pid": os.getpid(), "started": "1", "host": socket.gethostname(), "state": "stopping", "address": None}
    (tmp_path / LOCK_FILE).write_text(json.dumps(record))
    held = iter([True, True, False])
    monkeypatch.setattr(lock_file, "is_held", lambda path: next(held))
    monkeypatch.setattr(lock_file, "_pid_by_system", lambda path: None)
    assert (lock_file.holder(tmp_path), list(held)) == (None, [])
