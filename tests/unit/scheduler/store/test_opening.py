"""Files that are no store, or no longer one: set aside with a message, never overwritten."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.store.base import Batch
from proactive_jupyter_kernel.scheduler.store.opening import Opened, open_store
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore


def opened(path: Path) -> Opened:
    return open_store(path, log_lines=10, log_bytes=10_000)


def test_a_new_or_whole_store_is_opened_as_it_is(tmp_path: Path) -> None:
    """Nothing is said, nothing is set aside."""
    for _ in range(2):
        found = opened(tmp_path / "s.db")
        found.store.write(Batch(channels={"a": {"x": 1}}))
        assert found.notices == ()
        found.store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def text(path: Path) -> None:
    path.write_text("no database " * 100)


def other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE cookies (name); INSERT INTO cookies VALUES (1);")


def short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def cut(path: Path) -> None:
    store(path)
    path.write_bytes(path.read_bytes()[:-4096])


def overwritten_schema(path: Path) -> None:
    store(path)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"x" * 3996
    path.write_bytes(content)


def overwritten_rows(path: Path) -> None:
    store(path)
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"x" * (len(content) - 4096 * 2)
    path.write_bytes(content)


def overwritten_channels(path: Path) -> None:
    store(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'channels'").fetchone()
    content = bytearray(path.read_bytes())
    content[4096 * (page - 1) : 4096 * page] = b"x" * 4096
    path.write_bytes(content)


def no_version(path: Path) -> None:
    store(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")


def store(path: Path) -> None:
    made = SqliteStore(path)
    made.skip_job_ids(41)
    made.write(Batch(channels={"a": {"x": 1}}))
    made.close()


BROKEN = {
    text: ("is not a database of the embedded scheduler", 0),
    other_program: ("is a database of another program", 0),
    short: ("is not a database of the embedded scheduler", 0),
    cut: ("is damaged: it was cut to", 0),
    overwritten_schema: ("is damaged", 0),
    overwritten_rows: ("is damaged", 0),
    overwritten_channels: ("is damaged", 41),
    no_version: ("does not say which version of the scheduler wrote it", 41),
}


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda made: made.__name__)
def test_a_broken_file_is_set_aside(
    tmp_path: Path, break_it: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Byte for byte, under a name that the message tells; the empty store goes on with the ids if they can be read."""
    path = tmp_path / "s.db"
    break_it(path)
    before = path.read_bytes()
    reason, last_job_id = BROKEN[break_it]
    found = opened(path)
    found.store.write(Batch(channels={"a": {"x": 1}}))
    (aside,) = (each for each in tmp_path.glob("s.db.damaged-*") if not each.name.endswith(("-wal", "-shm")))
    assert aside.read_bytes() == before
    (notice,) = found.notices
    assert reason in notice
    assert f"set aside as {aside}" in notice
    assert notice in caplog.text
    assert (found.store.last_job_id, found.store.channels()) == (last_job_id, {"a": {"x": 1}})
    found.store.close()


def test_a_write_ahead_log_alone_is_set_aside(tmp_path: Path) -> None:
    """SQLite would remove it with the new file; it may hold what was written last."""
    (tmp_path / "s.db-wal").write_bytes(b"frames")
    found = opened(tmp_path / "s.db")
    assert "only its write-ahead log is left" in found.notices[0]
    found.store.close()
    (aside,) = tmp_path.glob("s.db.damaged-*-wal")
    assert aside.read_bytes() == b"frames"


def test_two_broken_files_in_one_second_are_both_kept(tmp_path: Path) -> None:
    """The second gets another name."""
    for _ in range(2):
        text(tmp_path / "s.db")
        opened(tmp_path / "s.db").store.close()
    assert len(list(tmp_path.glob("s.db.damaged-*"))) == 2


def test_a_newer_store_is_not_set_aside(tmp_path: Path) -> None:
    """It is whole: the scheduler refuses to start, and changes nothing."""
    path = tmp_path / "s.db"
    store(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(EmbeddedSchedulerError, match="newer version"):
        opened(path)
    assert (list(tmp_path.glob("*.damaged*")), path.read_bytes()) == ([], before)


def test_a_folder_in_place_of_the_store_is_set_aside(tmp_path: Path) -> None:
    """With what is in it; the scheduler has not crashed."""
    (tmp_path / "s.db").mkdir()
    (tmp_path / "s.db" / "x").touch()
    found = opened(tmp_path / "s.db")
    found.store.close()
    assert "is a folder" in found.notices[0]
    assert len(list(tmp_path.glob("s.db.damaged-*/x"))) == 1
