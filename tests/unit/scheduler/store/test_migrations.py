"""Stores of earlier versions, as they wrote them (`tools/earlier_store.py`): migrated whole, with a backup."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.store import migrations
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.migrations import VERSION
from proactive_jupyter_kernel.scheduler.store.opening import open_store
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore

STORES = Path(__file__).parents[3] / "data" / "stores"
EARLIER = range(1, VERSION)


def earlier(folder: Path, version: int) -> Path:
    """A store of that version."""
    path = folder / "scheduler.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORES / f"schema-{version}.sql").read_text("utf-8"))
    return path


def test_every_earlier_version_has_a_store() -> None:
    """Whoever adds a migration adds a store of the version before."""
    assert sorted(path.name for path in STORES.glob("*.sql")) == [f"schema-{version}.sql" for version in EARLIER]


def shape(path: Path) -> dict[str, object]:
    """The columns of each table, and the text of each index without its layout."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        parts = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        return {
            f"{kind} {name}": " ".join((sql or "").split())
            if kind != "table"
            else sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({name})"))
            for kind, name, sql in parts
        }


@pytest.mark.parametrize("version", EARLIER)
def test_a_migrated_store_is_as_a_new_one(tmp_path: Path, version: int) -> None:
    """With every column and every index: without one, all would be there, and lists would be slow."""
    migrated, new = earlier(tmp_path, version), tmp_path / "new.db"
    for path in (migrated, new):
        SqliteStore(path).close()
    assert shape(migrated) == shape(new)


@pytest.mark.parametrize("version", EARLIER)
def test_a_store_of_an_earlier_version_keeps_all_it_has(
    tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs, results, output, jobs to continue and ids; the backup is the store as it was, and the log says where."""
    path = earlier(tmp_path, version)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        before = list(connection.iterdump())
    store = SqliteStore(path)
    found = [row.record.job_id for row in store.jobs(JobQuery(text="WAIT")).rows]
    names = {job_id: store.job(job_id).record.name for job_id in range(1, 5)}  # type: ignore[union-attr]
    results = [store.results(job_id)[0] for job_id in (1, 2)]
    logs = [[line.text for line in store.log(job_id, 0).lines] for job_id in (1, 2, 4)]
    going = [(job.name, [task.name for task in tasks]) for job, _, tasks in store.jobs_to_restore()]
    last = store.last_job_id
    store.close()
    assert found == [3]
    assert names == {1: "finished", 2: "failed", 3: "waiting", 4: "running"}
    assert [(each.value, each.failure is None) for each in results] == [
        (RawValue.of({"a": [1, 2.5]}), True),
        (RawValue.of(None), False),
    ]
    assert (logs[0], logs[2]) == (["kept é"], ["begun"])
    assert "oops" in logs[1]
    assert sorted(going) == [("running", ["D"]), ("waiting", ["C"])]
    assert last == 4

    backup = migrations.backup_of(path, version)
    with contextlib.closing(sqlite3.connect(backup)) as connection:
        assert list(connection.iterdump()) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert f"migrated {path} from schema {version} to {VERSION}; the store as it was is in {backup}" in caplog.text
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, backup.name]


#: Migrates a store in children that kill themselves before the step with the number of their turn, then opens it.
KILLED = """
import itertools, os, shutil, signal, sqlite3, sys
from pathlib import Path
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.store import migrations
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore

original, folder = Path(sys.argv[1]), Path(sys.argv[2])

def migrate(path, turn):
    steps = itertools.count()
    def step(*_):
        if next(steps) == turn:
            os.kill(os.getpid(), signal.SIGKILL)
    for name in ("replace", "fsync", "open"):
        def stepping(*args, _real=getattr(os, name), **kwargs):
            step()
            return _real(*args, **kwargs)
        setattr(os, name, stepping)
    apply = migrations._apply
    def traced(connection, scripts):
        connection.set_trace_callback(step)
        apply(connection, scripts)
        step()
    migrations._apply = traced
    SqliteStore(path).close()

for turn in itertools.count():
    path = folder / f"{turn}.db"
    shutil.copy(original, path)
    child = os.fork()
    if not child:
        migrate(path, turn)
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    store = SqliteStore(path)
    assert store.last_job_id == 4 and len(list(store.jobs_to_restore())) == 2, turn
    assert store._writer.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)
    assert store._writer.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()
    assert migrations.backup_of(path, 1).exists() and not list(folder.glob("*.part")), turn
    if not killed:
        print(turn)
        break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_migration_survives_a_kill_at_every_step(tmp_path: Path) -> None:
    """The store is then the old one or the new one, and the next start completes the migration."""
    original = earlier(tmp_path, 1)
    folder = tmp_path / "killed"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(original), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    # Three steps of the backup, BEGIN, three statements, the version, COMMIT and the end.
    assert int(done.stdout) >= 9


def test_without_room_for_a_backup_nothing_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how much is needed; the store stays as it is, and no half of a backup."""
    path = earlier(tmp_path, 1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match=r"no backup of it could be written.*No space left") as caught:
        SqliteStore(path)
    needed = round(path.stat().st_size / 1024)
    assert (
        caught.value.hint == f"Free {needed} KiB there, and start again: the store is migrated once there is a backup."
    )
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert [each.name for each in tmp_path.iterdir() if "bak" in each.name] == []


def test_a_newer_store_is_refused_with_the_way_back(tmp_path: Path) -> None:
    """The file is not changed; the backup that the newer version made is named."""
    path = earlier(tmp_path, 2)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    backup = migrations.backup_of(path, VERSION)
    backup.touch()
    before = path.read_bytes()
    with pytest.raises(EmbeddedSchedulerError, match="newer version of the embedded scheduler") as caught:
        open_store(path, log_lines=10, log_bytes=10_000)
    assert "pip install --upgrade" in caught.value.hint
    assert str(backup) in caught.value.hint
    assert path.read_bytes() == before
