"""The promises of a store, kept by the one on disk and by its twin in memory."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.omitted_lines import notice
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.scheduler.store.base import (
    Batch,
    Endpoint,
    JobExtras,
    JobFacts,
    JobRow,
    NodeUse,
    ResultRow,
    Store,
    Submission,
    TaskOutline,
)
from proactive_jupyter_kernel.scheduler.store.checkpoints import LOG_BYTES
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore, StoreGone, StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogPart, LogTail, LogText
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.scheduler.store.queries import job_conditions, job_order, named, parse, task_conditions
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, Page, TaskQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.model import Priority, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, JobStatus, TaskStatus

WORKFLOW = Workflow(name="w", tasks=(Task(name="A", executable=Script(language="bash", code="ls")),))


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each test runs against both."""
    made: Store
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "scheduler.db", log_lines=10, log_bytes=1000)
    else:
        made = MemoryStore(log_lines=10, log_bytes=1000)
    yield made
    made.close()


def job_record(job_id: int, **changes: Any) -> JobRecord:
    values: dict[str, Any] = {
        "name": f"job {job_id}",
        "owner": "ana",
        "status": JobStatus.PENDING,
        "priority": Priority.NORMAL,
        "submitted_at": 1000 + job_id,
        "total": 1,
    }
    return JobRecord(job_id=job_id, **values | changes)


def task_record(job_id: int, task_id: int = 0, **changes: Any) -> TaskRecord:
    values: dict[str, Any] = {"name": f"T{task_id}", "base_name": f"T{task_id}", "status": TaskStatus.SUBMITTED}
    return TaskRecord(job_id=job_id, task_id=task_id, **values | changes)


def new_job(job_id: int, facts: JobFacts | None = None, **changes: Any) -> Batch:
    facts = facts or JobFacts()
    return Batch(
        submissions=[Submission(job_id=job_id, xml="<job/>", workflow=WORKFLOW, facts=facts)],
        jobs={job_id: job_record(job_id, **changes)},
        tasks={(job_id, 0): task_record(job_id)},
    )


def lines(*texts: str, error: bool = False, attempt: int = 1) -> tuple[LogLine, ...]:
    return tuple(LogLine(error=error, at=7, text=text, attempt=attempt) for text in texts)


def test_a_new_job_is_there_with_all_it_came_with(store: Store) -> None:
    """The row, the text, the workflow and the tasks of a submission are stored together."""
    store.write(new_job(1))
    assert store.job(1) == JobRow(record=job_record(1), facts=JobFacts())
    assert (store.xml(1), store.workflow(1), store.tasks(1)) == ("<job/>", WORKFLOW, (task_record(1),))
    assert store.last_job_id == 1


def test_what_is_not_there_is_none(store: Store) -> None:
    """Asking for an unknown job is not an error."""
    assert (store.job(1), store.xml(1), store.workflow(1), store.task(1, 0), store.task_named(1, "A")) == (None,) * 5
    assert (store.tasks(1), store.results(1), store.log(1, 0), store.last_job_id) == ((), {}, LogText(), 0)


def test_later_rows_replace_earlier_ones(store: Store) -> None:
    """A saved job or task is as it was last saved."""
    store.write(new_job(1))
    ended = job_record(1, status=JobStatus.FINISHED, finished_at=9)
    done = task_record(1, status=TaskStatus.FINISHED, name="T0#1")
    store.write(Batch(jobs={1: ended}, tasks={(1, 0): done}))
    assert store.job(1) == JobRow(record=ended, facts=JobFacts())
    assert store.task_named(1, "T0#1") == store.task(1, 0) == done
    assert store.task_named(1, "T0") is None


def test_a_large_value_is_read_when_it_is_wanted(store: Store) -> None:
    """Its size is known before, and whoever reads the row does not hold it; null has no text in the store."""
    store.write(new_job(1))
    large = RawValue.of("x" * 100_000)
    rows = [ResultRow(job_id=1, task_id=number, attempt=1, finished_at=number) for number in range(2)]
    store.write(Batch(results=[replace(rows[0], value=large), rows[1]]))
    found = store.results(1)
    assert [found[number].value.size for number in range(2)] == [100_002, 4]
    assert [found[number].value for number in range(2)] == [large, RawValue(b"null")]


def test_listings_of_few_jobs_do_not_read_them_all(tmp_path: Path) -> None:
    """The statements of pages, of restarts and of single jobs find their rows by an index that has them in order."""
    store = SqliteStore(tmp_path / "s.db")
    pages = {
        "page": JobQuery(sort=(("status", True), ("job_id", True))),
        "own": JobQuery(owner="ana", children=False, sort=(("status", True), ("job_id", True))),
        "latest": JobQuery(sort=(("submitted_at", True),)),
        "by name": JobQuery(sort=(("name", False),)),
    }
    statements = {}
    for name, query in pages.items():
        conditions, _ = job_conditions(query)
        statements[name] = named("jobs").format(conditions=conditions, order=job_order(query))
        statements[f"{name}, counted"] = named("count_jobs").format(conditions=conditions)
    running, _ = task_conditions(TaskQuery(statuses=frozenset({TaskStatus.RUNNING})))
    tagged, _ = task_conditions(TaskQuery(tag="t"))
    statements |= {
        "running tasks": named("count_tasks").format(conditions=running),
        "tasks of a tag": named("find_tasks").format(conditions=tagged),
        "restart": named("jobs_to_restore"),
        "results": named("results_of"),
    }
    values = dict.fromkeys(re.findall(r":(\w+)", " ".join(statements.values())), "1")
    read_all = [
        (name, step)
        for name, statement in statements.items()
        for *_, step in store._writer.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        if re.fullmatch(r"SCAN (jobs|tasks|results)", step) or (name in pages and "TEMP B-TREE" in step)
    ]
    assert read_all == []
    store.close()


def test_a_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    """What is written meanwhile does not show, and the revision is that of the rows."""
    store = SqliteStore(tmp_path / "s.db")
    store.write(replace(new_job(1), revision=5))
    with store.snapshot() as rows:
        before = rows.revision
        store.write(replace(new_job(2), revision=6))
        assert (before, rows.revision, rows.jobs(JobQuery()).total) == (5, 5, 1)
    with store.snapshot() as rows:
        assert (rows.revision, rows.jobs(JobQuery()).total) == (6, 2)
    store.close()


def test_ids_are_not_used_again(store: Store) -> None:
    """The highest id stays known when its job is removed."""
    store.write(new_job(1))
    store.write(new_job(2))
    store.write(Batch(forgotten=[2]))
    assert store.last_job_id == 2


def test_a_removed_job_leaves_nothing(store: Store) -> None:
    """Its tasks, results and logs go with it, and stale reports about it do no harm."""
    store.write(new_job(1))
    late = Batch(
        jobs={1: job_record(1)},
        tasks={(1, 0): task_record(1)},
        results=[ResultRow(job_id=1, task_id=0, attempt=1, finished_at=1)],
        logs=[LogPart(job_id=1, task_id=0, lines=lines("x"))],
        node_uses=[NodeUse(job_id=1, nodes=1)],
    )
    store.write(late)
    store.write(Batch(forgotten=[1]))
    store.write(late)
    assert (store.job(1), store.tasks(1), store.results(1), store.log(1, 0)) == (None, (), {}, LogText())


def test_the_latest_execution_gives_the_result(store: Store) -> None:
    """Results are listed in the order in which the latest ones came."""
    failed = ResultRow(
        job_id=1,
        task_id=0,
        attempt=1,
        finished_at=5,
        duration=10,
        failure=Failure(kind=FailureKind.ERROR, exception="TaskException", message="no"),
    )
    other = ResultRow(job_id=1, task_id=1, attempt=1, finished_at=6, duration=20, value=RawValue(b"[1,null]"))
    good = ResultRow(
        job_id=1,
        task_id=0,
        attempt=2,
        finished_at=7,
        duration=30,
        value=RawValue.of("é"),
        result_map={"k": 1},
        variables={"V": 2},
    )
    store.write(new_job(1))
    store.write(Batch(results=[failed, other]))
    store.write(Batch(results=[good]))
    assert list(store.results(1).items()) == [(1, other), (0, good)]
    assert store.results(1, [0, 5]) == {0: good}
    row = store.job(1)
    assert row is not None
    assert (row.core_time, row.has_result_map) == (60, True)


def test_nodes_are_counted(store: Store) -> None:
    """Over all starts, and as many as ran at one time."""
    store.write(new_job(1))
    store.write(Batch(jobs={1: job_record(1, running=2)}, node_uses=[NodeUse(job_id=1, nodes=1)] * 2))
    store.write(Batch(jobs={1: job_record(1, running=1)}, node_uses=[NodeUse(job_id=1, nodes=1)]))
    row = store.job(1)
    assert row is not None
    assert (row.nodes, row.nodes_in_parallel) == (3, 2)


def test_attachments_stay_with_the_job(store: Store) -> None:
    """Signals and endpoints are kept until they are replaced."""
    extras = JobExtras(signals=("go",), endpoints=(Endpoint(name="board", url="http://x", icon="i"),))
    store.write(new_job(1))
    store.write(Batch(extras={1: extras, 2: extras}))
    assert store.job(1) == JobRow(record=job_record(1), facts=JobFacts(), extras=extras)


def test_children_are_counted(store: Store) -> None:
    """Jobs that say which job's task submitted them."""
    store.write(new_job(1))
    store.write(new_job(2, JobFacts(parent_id=1)))
    counts = [row.children for row in store.jobs(JobQuery()).rows]
    assert counts == [0, 1]


def test_a_log_keeps_order_streams_and_attempts(store: Store) -> None:
    """Lines come back as they were written, over all executions."""
    first, second = lines("a", "b"), lines("c \ud800", error=True, attempt=2)
    store.write(new_job(1))
    store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=first), LogPart(job_id=1, task_id=0, lines=second)]))
    assert store.log(1, 0) == LogText(lines=first + second)


def test_a_log_keeps_its_last_lines_and_says_how_many_are_gone(store: Store) -> None:
    """No more than the limit is kept, exactly, however the lines came in."""
    store.write(new_job(1))
    texts = [str(number) for number in range(25)]
    for start in range(0, 25, 4):
        part = LogPart(job_id=1, task_id=0, lines=lines(*texts[start : start + 4]))
        store.write(Batch(logs=[part]))
    assert store.log(1, 0) == LogText(lines=lines(*texts[-10:]), dropped=15)


def test_lines_thrown_away_before_they_were_stored_count(store: Store) -> None:
    """A flood that was cut on the way is told as one that was cut here."""
    store.write(new_job(1))
    store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines("a"))]))
    store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines("y", "z"), skipped=100)]))
    assert store.log(1, 0) == LogText(lines=lines("y", "z"), dropped=101)


def test_lines_that_came_too_fast_count(store: Store) -> None:
    """The line that stands for them counts as all of them, wherever the log is cut."""
    store.write(new_job(1))
    for part in (lines("a", "b", notice(500, 9_000), "c"), lines(*"defghijklm"), lines(notice(3, 50), "n")):
        store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=part)]))
    assert store.log(1, 0) == LogText(lines=lines(*"hijklm", notice(3, 50), "n"), dropped=507)


def test_a_large_part_of_a_log_is_cut_as_well(store: Store) -> None:
    """What comes at once is no exception to the bound."""
    store.write(new_job(1))
    texts = [letter * 300 for letter in "abcde"]
    store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines(*texts))]))
    assert store.log(1, 0) == LogText(lines=lines(*texts[-3:]), dropped=2)


def test_a_log_is_bounded_in_bytes_too(store: Store) -> None:
    """Long lines push out earlier ones before the number of lines does."""
    store.write(new_job(1))
    for letter in "abcd":
        store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines(letter * 450))]))
    kept = store.log(1, 0)
    assert kept.lines[-1].text == "d" * 450
    assert kept.dropped + len(kept.lines) == 4
    assert kept.dropped >= 1


@pytest.mark.parametrize("bounds", [{"log_lines": 10, "log_bytes": 10**9}, {"log_lines": 10**9, "log_bytes": 1_000}])
def test_either_bound_of_a_log_keeps_the_file_small(tmp_path: Path, bounds: dict[str, int]) -> None:
    """What is not shown any more is not stored any longer either, whichever bound was met."""
    store = SqliteStore(tmp_path / "s.db", **bounds)
    store.write(new_job(1))
    for letter in "abcdefghijklmnopqrstuvwxyz":
        store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines(letter * 90))]))
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db")) as database:
        (stored,) = database.execute("SELECT count(*) FROM log_parts").fetchone()
    shown = [line.text[0] for line in store.log(1, 0).lines]
    store.close()
    assert shown == list("abcdefghijklmnopqrstuvwxyz"[-len(shown) :])
    assert 5 <= len(shown) <= stored <= 12


FILTERS: list[tuple[JobQuery, list[int]]] = [
    (JobQuery(), [3, 2, 1]),
    (JobQuery(sort=(("job_id", False),), offset=1, limit=1), [2]),
    (JobQuery(statuses=JOB_ENDED), [3]),
    (JobQuery(statuses=frozenset()), []),
    (JobQuery(owner="bo"), [2]),
    (JobQuery(name="job 1"), [1]),
    (JobQuery(name="JOB"), []),
    (JobQuery(job_id=3), [3]),
    (JobQuery(project="P"), [2]),
    (JobQuery(children=False), [2, 1]),
    (JobQuery(parent_id=1), [3]),
    (JobQuery(with_issues=True), [3]),
    (JobQuery(submitted_after=1001), [3, 2]),
    (JobQuery(submitted_before=1002), [1]),
    (JobQuery(start_at_after=0), [1]),
    (JobQuery(finished_before=100), [3]),
    (JobQuery(sort=(("priority", True), ("job_id", False))), [2, 1, 3]),
    (JobQuery(sort=(("start_at", False), ("job_id", False))), [2, 3, 1]),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_jobs_are_found_by_every_condition(store: Store, query: JobQuery, expected: list[int]) -> None:
    """Conditions, order and window of a listing mean the same in both stores."""
    store.write(new_job(1, start_at=50))
    store.write(new_job(2, JobFacts(project="Proj"), owner="bo", priority=Priority.HIGH))
    store.write(new_job(3, JobFacts(parent_id=1), status=JobStatus.FINISHED, finished_at=99, faulty=1))
    page = store.jobs(query)
    assert [row.record.job_id for row in page.rows] == expected
    assert page.total == (3 if query.limit else len(expected))


def test_an_unknown_order_is_refused(store: Store) -> None:
    """No text from outside gets into a statement."""
    with pytest.raises(ValueError, match="sorted by 'name; DROP'"):
        store.jobs(JobQuery(sort=(("name; DROP", False),)))


def test_tasks_are_found_across_jobs(store: Store) -> None:
    """By status, tag, owner and time of start, newest job first."""
    running = task_record(1, status=TaskStatus.RUNNING, started_at=500, tag="LOOP-T-1")
    store.write(new_job(1))
    store.write(new_job(2, owner="bo"))
    store.write(Batch(tasks={(1, 0): running}))
    assert store.find_tasks(TaskQuery()) == Page(2, (task_record(2), running))
    assert store.find_tasks(TaskQuery(limit=1)) == Page(2, (task_record(2),))
    for query in (
        TaskQuery(statuses=frozenset({TaskStatus.RUNNING})),
        TaskQuery(tag="LOOP-T-1"),
        TaskQuery(owner="ana"),
        TaskQuery(started_from=400),
        TaskQuery(started_to=500),
    ):
        assert store.find_tasks(query) == Page(1, (running,))


def test_a_restart_gets_what_it_needs(store: Store) -> None:
    """Jobs that have not ended, and those that are to be forgotten some time."""
    leaving = job_record(3, status=JobStatus.FINISHED, remove_at=99)
    store.write(new_job(1))
    store.write(new_job(2, status=JobStatus.KILLED))
    store.write(new_job(3))
    store.write(Batch(jobs={3: leaving}))
    assert list(store.jobs_to_restore()) == [
        (job_record(1), WORKFLOW, (task_record(1),)),
        (leaving, "", ()),
    ]


def test_reading_works_from_other_threads(store: Store) -> None:
    """Long reads run beside the scheduler's loop."""
    store.write(new_job(1))
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(store.job, [1, 1, 1, 1]))
    assert {row.record.job_id for row in rows if row} == {1}


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    """A store that was not closed properly, as after kill -9, has every batch."""
    first = SqliteStore(tmp_path / "s.db")
    first.write(new_job(1))
    second = SqliteStore(tmp_path / "s.db")
    assert second.job(1) is not None
    assert second.last_job_id == 1
    second.close()
    first.close()


def test_a_full_disk_stores_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    """A batch that does not fit leaves no half of itself, says why, and can be written later."""
    store = SqliteStore(tmp_path / "s.db")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = new_job(1)
    big.submissions[0] = replace(big.submissions[0], xml="x" * 100_000)
    with pytest.raises(StoreUnavailable, match=r"(?s)s\.db cannot be written: .* is full.*free some space"):
        store.write(big)
    assert (store.job(1), store.last_job_id) == (None, 0)
    store._writer.execute("PRAGMA max_page_count = 100000")
    store.write(big)
    assert store.xml(1) == "x" * 100_000
    store.close()


def test_a_store_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    """A missing folder, a file that is something else, a newer version: each has its message."""
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqliteStore(tmp_path / "missing" / "s.db")
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(EmbeddedSchedulerError, match="is not a readable database"):
        SqliteStore(tmp_path / "text.db")
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(EmbeddedSchedulerError, match="newer version of the embedded scheduler"):
        SqliteStore(tmp_path / "newer.db")


def test_a_damaged_file_gives_no_wrong_answer(tmp_path: Path) -> None:
    """Bytes that the disk lost: what needs them is refused, one byte in the middle of a text included."""
    path = tmp_path / "scheduler.db"
    store = SqliteStore(path)
    batch = new_job(1)
    batch.submissions[0] = replace(batch.submissions[0], xml="<job name='precious one'/>")
    line = LogLine(error=False, at=0, text="precious line", attempt=1)
    batch.logs.append(LogPart(job_id=1, task_id=0, lines=(line,)))
    batch.channels["a"] = {"x": "precious entry"}
    store.write(batch)
    store.close()
    content = path.read_bytes().replace(b"precious", b"previous").replace(b'"owner":"ana"', b'"owner":"eve"')
    path.write_bytes(content)
    store = SqliteStore(path)
    for read in (
        lambda: store.xml(1),
        lambda: store.log(1, 0),
        store.channels,
    ):
        with pytest.raises(DamagedStore, match="is damaged"):
            read()
    store.close()
    page = 4096
    with contextlib.closing(sqlite3.connect(path)) as connection:
        roots = [root for (root,) in connection.execute("SELECT rootpage FROM sqlite_master")]
    damaged = bytearray(content)
    for root in roots:
        damaged[(root - 1) * page : root * page] = b"\xa5" * page
    path.write_bytes(damaged)
    store = SqliteStore(path)
    with pytest.raises(DamagedStore, match=r"is damaged.* cannot be read"):
        store.jobs(JobQuery())
    for _ in range(2):
        with pytest.raises(DamagedStore, match=r"is damaged.* cannot be read"), store.snapshot() as rows:
            rows.jobs(JobQuery())
    with pytest.raises(StoreUnavailable, match=r"is damaged.* cannot be written"):
        store.write(new_job(2))


def test_a_damaged_row_keeps_no_other_from_a_listing(tmp_path: Path) -> None:
    """Job and task are shown as far as they can be, and said to be damaged; the other jobs are restored."""
    path = tmp_path / "scheduler.db"
    store = SqliteStore(path)
    for job_id in (1, 2, 3):
        store.write(new_job(job_id))
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE jobs SET record = replace(record, 'owner', 'omner') WHERE job_id = 1")
        connection.execute("UPDATE tasks SET record = 'x' WHERE job_id = 2 AND task_id = 0")
    connection.close()
    store = SqliteStore(path)
    rows = {row.record.job_id: row for row in store.jobs(JobQuery()).rows}
    whole = {row.record.job_id: row for row in memory_store_of(1, 2, 3).jobs(JobQuery()).rows}
    message = "Job 1 is damaged: a part of it is not what was stored (its checksum differs). The disk lost it"
    assert rows[1].damaged.startswith(message)
    assert (rows[1].record, rows[1].facts.description) == (whole[1].record, rows[1].damaged)
    assert (rows[2], rows[3]) == (whole[2], whole[3])
    (task,) = store.tasks(2)
    assert task.failure is not None
    assert (task.name, task.status, task.failure.message[:21]) == ("T0", TaskStatus.SUBMITTED, "Task 2t0 is damaged: ")
    assert (store.task(2, 0), store.task_named(2, "T0"), store.find_tasks(TaskQuery()).total) == (task, task, 3)
    restored = {job.job_id: (workflow, tasks) for job, workflow, tasks in store.jobs_to_restore()}
    assert [isinstance(workflow, str) for workflow, _ in restored.values()] == [True, True, False]
    assert restored[2][1] == (task,)
    store.close()


def memory_store_of(*job_ids: int) -> MemoryStore:
    """A store with the same jobs, undamaged."""
    store = MemoryStore()
    for job_id in job_ids:
        store.write(new_job(job_id))
    return store


def test_what_can_never_be_stored_is_not_a_fault_of_the_disk(tmp_path: Path) -> None:
    """Times far away and text that is no Unicode are stored; a row that is too large raises as what it is."""
    store = SqliteStore(tmp_path / "s.db")
    batch = new_job(1)
    far = replace(batch.jobs[1], remove_at=10**20, start_at=-(10**20), name="\ud800")
    batch.jobs[1] = far
    store.write(batch)
    row = store.job(1)
    assert row is not None
    assert row.record == far
    store._writer.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
    large = new_job(2)
    large.submissions[0] = replace(large.submissions[0], xml="x" * 20_000)
    with pytest.raises(sqlite3.DataError, match="too big"):
        store.write(large)
    store.write(Batch())
    store.close()


def large(job_id: int, size: int) -> Batch:
    """A job with a long text."""
    batch = new_job(job_id)
    batch.submissions[0] = replace(batch.submissions[0], xml="x" * size)
    return batch


def test_a_store_that_was_removed_writes_nothing(tmp_path: Path) -> None:
    """A file that was moved or replaced is not there, whatever lies in its place; moved back, it goes on."""
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    store = SqliteStore(folder / "s.db")
    store.write(new_job(1))
    folder.rename(elsewhere)
    with pytest.raises(StoreGone, match=r"s\.db was removed, moved or replaced while the scheduler ran"):
        store.write(new_job(2))
    folder.mkdir()
    (folder / "s.db").touch()
    with pytest.raises(StoreGone):
        store.check()
    shutil.rmtree(folder)
    elsewhere.rename(folder)
    store.write(new_job(2))
    assert store.last_job_id == 2
    store.close()


def test_the_log_is_copied_into_the_file(tmp_path: Path) -> None:
    """The write-ahead log does not grow without bound; closing leaves one file."""
    store = SqliteStore(tmp_path / "s.db")
    for job_id in range(1, 8):
        store.write(large(job_id, 1_000_000))
    assert store._checkpoints.started > 0
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def test_connections_are_used_again(tmp_path: Path) -> None:
    """As many as read at the same time are kept, and they cannot write."""
    store = SqliteStore(tmp_path / "s.db")
    store.write(new_job(1))
    for _ in range(20):
        with store.snapshot() as rows, store.snapshot() as other:
            assert rows.revision == other.revision == 0
    with pytest.raises(sqlite3.OperationalError, match="readonly database"):
        store._readers[-1].execute("DELETE FROM jobs")
    kept = len(store._readers)
    store.close()
    assert kept <= 4


def test_a_log_that_was_copied_restarts(tmp_path: Path) -> None:
    """A long one is copied once, not with every write after it: by a thread, and the rest with the next batch."""
    store = SqliteStore(tmp_path / "s.db")
    store.write(large(1, 5_000_000))
    store._checkpoints.close()
    sizes = []
    for job_id in range(2, 9):
        assert store.try_write(new_job(job_id)) or store.write(new_job(job_id)) is None
        store._checkpoints.close()
        sizes.append((tmp_path / "s.db-wal").stat().st_size)
    assert store._checkpoints.started == 1
    assert sizes == [LOG_BYTES] * 7
    store.close()


def test_a_log_that_a_reader_holds_is_not_copied_with_every_batch(tmp_path: Path) -> None:
    """It cannot begin anew while a transaction reads of it: only when it has grown much it is copied again."""
    store = SqliteStore(tmp_path / "s.db")
    store.write(new_job(1))
    with store.snapshot() as rows:
        assert rows.revision == 0
        store.write(large(2, 5_000_000))
        for job_id in range(3, 53):
            store._checkpoints.close()
            store.write(new_job(job_id))
        assert store._checkpoints.started == 1
    store.write(large(53, 5_000_000))
    for job_id in range(54, 57):
        store._checkpoints.close()
        store.write(new_job(job_id))
    assert store._checkpoints.started == 2
    assert (tmp_path / "s.db-wal").stat().st_size == LOG_BYTES
    store.close()


def test_a_batch_is_not_tried_while_another_process_writes(tmp_path: Path) -> None:
    """Whoever must not wait is told so at once, and nothing is stored; when the other is done, it is."""
    store = SqliteStore(tmp_path / "s.db")
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert (store.try_write(new_job(1)), store.job(1)) == (False, None)
    other.execute("COMMIT")
    assert store.try_write(new_job(1))
    assert store.job(1) is not None
    other.close()
    store.close()


def test_statements_are_read_by_name() -> None:
    """Comments under the name are not part of the statement."""
    text = "-- head\n\n-- name: one\n-- says why\nSELECT 1;\n\n-- name: two\nSELECT\n  2;\n"
    assert parse(text) == {"one": "SELECT 1;", "two": "SELECT\n  2;"}


def test_the_memory_store_can_be_made_unavailable() -> None:
    """The stand-in for a full disk."""
    store = MemoryStore()
    store.unavailable = "full"
    with pytest.raises(StoreUnavailable, match="full"):
        store.write(Batch())


def test_channels_are_replaced_and_forgotten(store: Store) -> None:
    """The last entries of each channel count."""
    store.write(Batch(channels={"a": {"x": 1}, "b": {"y": [None]}}))
    store.write(Batch(channels={"a": {"x": 2}}))
    store.write(Batch(channels={"b": None, "never": None}))
    assert store.channels() == {"a": {"x": 2}}


def test_a_store_of_the_first_version_is_brought_to_the_newest(tmp_path: Path) -> None:
    """What it holds stays, values inside of their rows too, and channels have a place."""
    path = tmp_path / "scheduler.db"
    first = SqliteStore(path)
    result = ResultRow(job_id=1, task_id=0, attempt=1, finished_at=1)
    first.write(replace(new_job(1), results=[result]))
    first.close()
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE results DROP COLUMN value; ALTER TABLE results DROP COLUMN checksum;")
    old = {**codec.to_json(result), "value": ["é"]}
    connection.execute("UPDATE results SET record = ?", [codec.sealed(json.dumps(old))])
    for index in ("owner", "submission", "state", "words"):
        connection.execute(f"DROP INDEX jobs_by_{index}")
    for index in ("tasks_by_tag", "tasks_failed"):
        connection.execute(f"DROP INDEX {index}")
    connection.execute("ALTER TABLE jobs DROP COLUMN words")
    connection.executescript("DROP TABLE channels; UPDATE counters SET value = 7; PRAGMA user_version = 1;")
    connection.close()
    store = SqliteStore(path)
    store.write(Batch(channels={"a": {"x": 1}}))
    assert (store.last_job_id, store.channels()) == (7, {"a": {"x": 1}})
    assert store.results(1) == {0: replace(result, value=RawValue.of(["é"]))}
    store.close()


def test_tasks_are_read_in_outline_and_some_by_their_ids(store: Store) -> None:
    """A page of a job with many tasks reads little of each, and the records of those it shows."""
    store.write(new_job(1))
    running = task_record(1, 1, status=TaskStatus.RUNNING, started_at=5)
    store.write(Batch(tasks={(1, 1): running, (1, 2): task_record(1, 2)}))
    assert store.task_outlines(1) == (
        TaskOutline(0, "T0", TaskStatus.SUBMITTED, -1),
        TaskOutline(1, "T1", TaskStatus.RUNNING, 5),
        TaskOutline(2, "T2", TaskStatus.SUBMITTED, -1),
    )
    assert store.tasks_of(1, [9, 2, 1]) == (running, task_record(1, 2))


def test_the_end_of_a_log_is_followed_from_a_position(store: Store) -> None:
    """First the last parts of all tasks or of one, then what came since; nothing is shown twice."""
    store.write(new_job(1))
    for number in range(4):
        store.write(Batch(logs=[LogPart(job_id=1, task_id=number % 2, lines=lines(f"line {number}"))]))
    shown = store.log_tail(1, lines=3)
    one = store.log_tail(1, task_id=1, lines=3)
    store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines("new", error=True, attempt=2))]))
    fresh = store.log_tail(1, after=shown.position, lines=3)
    assert [(task_id, line.text) for task_id, line in shown.lines] == [(1, "line 1"), (0, "line 2"), (1, "line 3")]
    assert [line.text for _, line in one.lines] == ["line 1", "line 3"]
    assert (shown.cut, one.cut, fresh.cut) == (True, False, False)
    assert fresh.lines == ((0, LogLine(error=True, at=7, text="new", attempt=2)),)
    assert store.log_tail(1, after=fresh.position, lines=3) == LogTail(position=fresh.position)


def test_the_end_of_a_log_is_bounded_in_lines_and_bytes(store: Store) -> None:
    """The last part is read whatever its size; those before it only as far as they fit."""
    store.write(new_job(1))
    for text in ("one", "x" * 400, "two"):
        store.write(Batch(logs=[LogPart(job_id=1, task_id=0, lines=lines(text, text))]))
    assert [line.text for _, line in store.log_tail(1, lines=1).lines] == ["two", "two"]
    assert [line.text for _, line in store.log_tail(1, lines=5, size=500).lines] == ["two", "two"]
    assert len(store.log_tail(1, lines=5).lines) == 4
    assert [store.log_tail(1, lines=most).cut for most in (1, 5, 6)] == [True, True, False]
