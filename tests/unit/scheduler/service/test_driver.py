"""Storing before telling: what the driver does with the commands of a machine, with and without a store that works."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    Command,
    KillAttempt,
    LogLine,
    SaveJob,
    SaveTask,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.events import (
    ClockSet,
    Event,
    JobBroken,
    JobSubmitted,
    PauseJob,
    TimePassed,
)
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.errors import Unstorable
from proactive_jupyter_kernel.scheduler.service.logs import Logs, LogSource
from proactive_jupyter_kernel.scheduler.store.base import Batch, Endpoint, JobExtras, JobFacts, Submission
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.logs import LogLine as StoredLine
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.model import Priority, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

JOB = JobRecord(
    job_id=1, name="j", owner="o", status=JobStatus.PENDING, priority=Priority.NORMAL, submitted_at=0, total=1
)
TASK = TaskRecord(job_id=1, task_id=0, name="T", base_name="T", status=TaskStatus.SUBMITTED)
START = StartAttempt(
    job_id=1, task_id=0, number=1, slots=(Slot(name="local-0"),), parents=(), inherited={}, job=JOB, task=TASK
)
KILL = KillAttempt(job_id=1, task_id=0, number=1)
TOLD = Announce(event="JOB_SUBMITTED", job_id=1)
SUBMITTED = JobSubmitted(at=0, job_id=1, workflow=Workflow(name="j"), owner="o")
EXTRAS = JobExtras(endpoints=(Endpoint(name="e", url="u"),))
SUBMISSION = Submission(job_id=1, xml="<job/>", workflow=Workflow(name="j"), facts=JobFacts())


class ScriptedMachine:
    """Answers events from a script; remembers them."""

    def __init__(self, answers: Iterable[list[Command]]) -> None:
        self.answers = list(answers)
        self.events: list[Event] = []
        self.next_wakeup: int | None = None
        self.changed = True

    def handle(self, event: Event) -> list[Command]:
        self.events.append(event)
        return self.answers.pop(0) if self.answers else []


class Scene:
    """A driver with its surroundings."""

    def __init__(self, *answers: list[Command], store: SqliteStore | MemoryStore | None = None) -> None:
        self.machine = ScriptedMachine(answers)
        self.store: Any = store or MemoryStore()
        self.measures = Measures(started_at=0)
        self.now = 1000
        self.acted: list[Any] = []
        self.logs = Logs(max_lines=10, max_bytes=1000, on_first=lambda: self.driver.writer.soon(0))
        machine: Any = self.machine
        self.driver = Driver(
            machine=machine,
            store=self.store,
            logs=self.logs,
            clock=lambda: self.now,
            act=self.acted.append,
            measures=self.measures,
        )

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)


def test_rows_are_stored_before_anything_is_carried_out() -> None:
    """When an action is carried out, a crash would find its rows."""

    async def scenario() -> None:
        scene = Scene([TOLD, SaveJob(job=JOB), START, SaveTask(task=TASK)])
        stored: list[Any] = []
        scene.driver._act = lambda action: stored.append((action, scene.store.job(1) is not None))
        scene.driver.submit(SUBMITTED, SUBMISSION)
        assert stored == []
        await scene.driver.writer.settled()
        assert stored == [(TOLD, True), (START, True)]
        assert scene.store.tasks(1) == (TASK,)

    asyncio.run(scenario())


def test_events_of_one_moment_are_one_transaction() -> None:
    """However many events come, the store is written once."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK)], [TOLD])
        writes: list[Batch] = []
        write = scene.store.write
        scene.store.write = lambda batch: (writes.append(batch), write(batch))[1]  # type: ignore[method-assign]
        scene.driver.submit(SUBMITTED, SUBMISSION)
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.driver.post(PauseJob(at=2, job_id=1))
        before = scene.driver.writer.revision
        await scene.driver.writer.settled()
        assert len(writes) == 1
        assert scene.driver.writer.revision == before + 1

    asyncio.run(scenario())


def test_a_job_that_cannot_be_stored_never_was() -> None:
    """Whoever waits gets the reason, the machine forgets the job, nothing of it is carried out."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB), SaveTask(task=TASK), START, TOLD], [KILL])
        scene.store.unavailable = "the disk is full"
        scene.driver.submit(SUBMITTED, SUBMISSION)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await scene.driver.writer.settled()
        assert [type(event).__name__ for event in scene.machine.events] == ["JobSubmitted", "RemoveJob"]
        scene.store.unavailable = ""
        await scene.driver.writer.settled()
        assert (scene.acted, scene.store.job(1), scene.driver.writer.down) == ([], None, "")

    asyncio.run(scenario())


def test_the_loop_does_not_wait_for_another_process(tmp_path: Path) -> None:
    """While it has locked the file, the loop runs and what happens gathers; then all of it is one more batch."""

    async def scenario() -> None:
        store = SqliteStore(tmp_path / "s.db")
        scene = Scene([SaveJob(job=JOB), TOLD], [SaveTask(task=TASK)], [START], store=store)
        other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        scene.driver.submit(SUBMITTED, SUBMISSION)
        first = asyncio.create_task(scene.driver.writer.settled())
        await scene.until(lambda: scene.driver.writer._writing is not None)
        scene.driver.attach(1, EXTRAS)
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.driver.post(PauseJob(at=2, job_id=1))
        second = asyncio.create_task(scene.driver.writer.settled())
        await asyncio.sleep(0.05)
        assert (first.done(), scene.acted, scene.driver.attached(1)) == (False, [], EXTRAS)
        other.execute("COMMIT")
        await first
        await second
        assert scene.acted == [TOLD, START]
        assert (scene.measures.batches, store.tasks(1), store.job(1).extras) == (2, (TASK,), EXTRAS)
        other.close()
        scene.driver.close()
        store.close()

    asyncio.run(scenario())


def test_what_is_being_written_at_the_end_is_stored(tmp_path: Path) -> None:
    """Closing waits for the thread, then writes what came after it."""

    async def scenario() -> None:
        store = SqliteStore(tmp_path / "s.db")
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK)], store=store)
        other = sqlite3.connect(tmp_path / "s.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.until(lambda: scene.driver.writer._writing is not None)
        scene.driver.post(PauseJob(at=1, job_id=1))
        release = threading.Timer(0.05, other.execute, ["COMMIT"])
        release.start()
        scene.driver.close()
        release.join()
        assert store.tasks(1) == (TASK,)
        other.close()
        store.close()

    asyncio.run(scenario())


def test_what_cannot_be_stored_waits_until_it_can() -> None:
    """The scheduler says why, goes on when there is room, and has lost nothing."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK), START])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.store.unavailable = "the disk is full"
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.writer.settled()
        assert "disk is full" in scene.driver.writer.down
        assert scene.acted == [Announce(event="DB_DOWN")]
        scene.store.unavailable = ""
        await scene.until(lambda: not scene.driver.writer.down)
        assert scene.acted[1:] == [Announce(event="STARTED"), START]
        assert scene.store.tasks(1) == (TASK,)

    asyncio.run(scenario())


def test_a_fault_of_the_store_freezes_instead_of_losing(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that nobody thought of is logged, and the batch waits."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB)], [START])
        write = scene.store.write

        def broken(batch: Batch) -> None:
            raise TypeError("nobody thought of this")

        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.store.write = broken  # type: ignore[method-assign]
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable, match="nobody thought of this"):
            await scene.driver.writer.settled()
        scene.store.write = write  # type: ignore[method-assign]
        await scene.until(lambda: START in scene.acted)

    asyncio.run(scenario())
    assert "a batch could not be stored" in caplog.text


class PickyStore(MemoryStore):
    """Refuses rows, as SQLite refuses integers of more than 64 bits; counts what it was asked to write."""

    def __init__(self, refuses: Callable[[Batch], bool]) -> None:
        super().__init__()
        self.refuses = refuses

    def write(self, batch: Batch) -> None:
        if self.refuses(batch):
            raise OverflowError("too large")
        super().write(batch)


def other(record: Any) -> Any:
    """The same row of job 2."""
    return replace(record, job_id=2)


def test_a_row_that_can_never_be_stored_ends_its_job_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The job ends with a message that the task has; the other job goes on with the same batch; nothing is down."""

    async def scenario() -> None:
        culprit = replace(TASK, status=TaskStatus.RUNNING, propagated={"X": 1})
        ended = replace(TASK, status=TaskStatus.FAULTY)
        started = replace(START, job_id=2)
        scene = Scene(
            [SaveJob(job=JOB), SaveTask(task=TASK)],
            [SaveJob(job=other(JOB)), SaveTask(task=other(TASK))],
            [SaveTask(task=culprit), START],
            [SaveTask(task=other(TASK)), started],
            [SaveJob(job=replace(JOB, status=JobStatus.FAILED)), SaveTask(task=ended)],
            store=PickyStore(lambda batch: bool(batch.tasks.get((1, 0), TASK).propagated)),
        )
        scene.driver.submit(SUBMITTED, SUBMISSION)
        scene.driver.submit(replace(SUBMITTED, job_id=2), other(SUBMISSION))
        await scene.driver.writer.settled()
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.driver.post(PauseJob(at=1, job_id=2))
        await scene.driver.writer.settled()
        message = "The scheduler ended this job, because what came of it cannot be stored: OverflowError: too large"
        assert scene.machine.events[4:] == [JobBroken(at=1000, job_id=1, message=message, task_id=0)]
        assert (scene.acted, scene.driver.writer.down) == ([started], "")
        assert (scene.store.tasks(1), scene.store.tasks(2)) == ((ended,), (other(TASK),))
        assert scene.store.job(1).record.status is JobStatus.FAILED  # type: ignore[union-attr]
        assert not scene.driver.writer.batch

    asyncio.run(scenario())
    assert "what came of job 1 can never be stored" in caplog.text


def test_what_is_salvaged_has_a_revision_of_its_own() -> None:
    """Whoever read between two parts learns of the second one, too."""

    async def scenario() -> None:
        store = PickyStore(lambda batch: (1, 0) in batch.tasks and len(batch.tasks) > 1)
        scene = Scene(
            [SaveTask(task=TASK), SaveTask(task=replace(TASK, task_id=1)), SaveTask(task=other(TASK))], store=store
        )
        numbers: list[tuple[int | None, int]] = []
        write = store.write

        def counted(batch: Batch) -> None:
            write(batch)
            if batch:
                numbers.append((batch.revision, len(batch.tasks)))

        store.write = counted  # type: ignore[method-assign]
        before = scene.driver.writer.revision
        scene.driver.post(PauseJob(at=1, job_id=1))
        await scene.driver.writer.settled()
        assert numbers == [(before + 1, 1), (before + 2, 1), (before + 3, 1)]
        assert scene.driver.writer.revision == before + 3

    asyncio.run(scenario())


def test_nothing_more_is_kept_waiting_when_the_driver_is_closed() -> None:
    """Who waits for the store then gets an answer."""

    async def scenario() -> None:
        scene = Scene([], [SaveJob(job=JOB)])
        scene.driver.close()
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable, match="is stopping"):
            await scene.driver.writer.settled()

    asyncio.run(scenario())


def test_lines_that_came_while_the_store_was_down_are_stored_when_it_is_back() -> None:
    """Though no event follows."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB), SaveTask(task=TASK)], [SaveTask(task=TASK)])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.store.unavailable = "the disk is full"
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.writer.settled()
        source = LogSource(job_id=1, task_id=0, task_name="T", host="h")
        scene.logs.append(source, StoredLine(error=False, at=1, text="meanwhile"))
        scene.store.unavailable = ""
        await scene.until(lambda: bool(scene.store.log(1, 0).lines))
        assert not scene.driver.writer.output_waits

    asyncio.run(scenario())


def test_a_kill_that_raises_does_not_keep_the_store_from_being_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """What is to be announced or killed may fail; the batch is stored all the same when the store is back."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK), KILL])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.store.unavailable = "full"

        def act(action: Any) -> None:
            raise RuntimeError("out of order")

        scene.driver._act = act
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.writer.settled()
        scene.store.unavailable = ""
        await scene.until(lambda: scene.store.tasks(1) == (TASK,))

    asyncio.run(scenario())
    assert caplog.text.count("could not be carried out") == 3


def test_what_raises_when_nothing_is_written_does_not_stop_the_next_batch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What came meanwhile is stored."""

    async def scenario() -> None:
        store = SqliteStore(tmp_path / "s.db")
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK)], store=store)
        other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.until(lambda: scene.driver.writer._writing is not None)
        scene.driver.writer.when_idle(lambda: print(1 / 0))
        scene.driver.post(PauseJob(at=1, job_id=1))
        other.execute("COMMIT")
        await scene.until(lambda: store.tasks(1) == (TASK,))
        other.close()
        scene.driver.close()
        store.close()

    asyncio.run(scenario())
    assert "ZeroDivisionError" in caplog.text


def test_an_ended_job_that_cannot_be_stored_is_stored_without_what_is_in_the_way() -> None:
    """The machine has let go of it: its rows say what happened."""

    async def scenario() -> None:
        culprit = replace(TASK, status=TaskStatus.FINISHED, propagated={"X": 1})
        finished = replace(JOB, status=JobStatus.FINISHED, remove_at=10**30)
        store = PickyStore(
            lambda batch: (
                any((row.remove_at or 0) > 2**63 for row in batch.jobs.values())
                or any(row.propagated for row in batch.tasks.values())
            )
        )
        scene = Scene(
            [SaveJob(job=JOB), SaveTask(task=TASK)], [SaveJob(job=finished), SaveTask(task=culprit)], store=store
        )
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.driver.post(PauseJob(at=1, job_id=1))
        await scene.driver.writer.settled()
        (task,) = scene.store.tasks(1)
        assert (task.status, task.propagated) == (TaskStatus.FAULTY, None)
        assert task.failure is not None
        assert task.failure.message.endswith("cannot be stored: OverflowError: too large")
        record = scene.store.job(1).record  # type: ignore[union-attr]
        assert (record.status, record.remove_at, scene.driver.writer.down) == (JobStatus.FAILED, None, "")

    asyncio.run(scenario())


def test_a_submission_that_can_never_be_stored_is_refused_alone() -> None:
    """Whoever submitted it gets the reason; the other one of the same moment is there."""

    async def scenario() -> None:
        store = PickyStore(lambda batch: 1 in batch.jobs)
        scene = Scene([SaveJob(job=JOB), TOLD], [SaveJob(job=other(JOB))], store=store)
        scene.driver.submit(SUBMITTED, SUBMISSION)
        refused = asyncio.ensure_future(scene.driver.writer.settled(1))
        scene.driver.submit(replace(SUBMITTED, job_id=2), other(SUBMISSION))
        await scene.driver.writer.settled(2)
        with pytest.raises(Unstorable, match=r"The job cannot be stored: OverflowError: too large\."):
            await refused
        assert (scene.store.job(1), scene.store.job(2) is None, scene.acted) == (None, False, [])

    asyncio.run(scenario())


def test_an_action_that_raises_keeps_none_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """A start that fails ends its job; whatever else was to be done is done."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB), START, TOLD])
        carry_out = scene.driver._act

        def act(action: Any) -> None:
            if action is START:
                raise RuntimeError("out of order")
            carry_out(action)

        scene.driver._act = act
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        message = "The scheduler failed to start this task, and ended its job: RuntimeError: out of order"
        assert scene.acted == [TOLD]
        assert scene.machine.events[1:] == [JobBroken(at=1000, job_id=1, message=message, task_id=0)]

    asyncio.run(scenario())
    assert "could not be carried out" in caplog.text


def test_a_machine_that_fails_still_has_its_timers() -> None:
    """What raises at one event keeps no other job waiting."""

    async def scenario() -> None:
        scene = Scene()
        scene.machine.next_wakeup = 1001
        handle = scene.machine.handle

        def broken(event: Event) -> list[Command]:
            scene.machine.handle = handle  # type: ignore[method-assign]
            raise RuntimeError("out of order")

        scene.machine.handle = broken  # type: ignore[method-assign]
        with pytest.raises(RuntimeError, match="out of order"):
            scene.driver.post(PauseJob(at=1, job_id=1))
        scene.now = 1001
        await scene.until(lambda: bool(scene.machine.events))
        scene.machine.next_wakeup = None
        assert scene.machine.events[0] == TimePassed(at=1001)
        scene.driver.close()

    asyncio.run(scenario())


def test_a_kill_is_carried_out_though_nothing_can_be_stored() -> None:
    """A full disk does not keep a task running; one that was to start and to die does neither."""

    async def scenario() -> None:
        other = KillAttempt(job_id=1, task_id=5, number=1)
        scene = Scene([SaveJob(job=JOB), START, KILL, other])
        scene.store.unavailable = "full"
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.writer.settled()
        assert scene.acted == [other, Announce(event="DB_DOWN")]
        scene.driver.close()

    asyncio.run(scenario())


def test_the_machines_own_lines_go_to_the_tasks_log() -> None:
    """Also where the machine has let go of the job by then."""

    async def scenario() -> None:
        line = LogLine(job_id=1, task_id=0, text="Walltime of 5 ms reached on task T")
        scene = Scene([SaveJob(job=JOB), SaveTask(task=TASK), line], [line])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.writer.settled()
        scene.driver.post(PauseJob(at=1, job_id=1))
        await scene.driver.writer.settled()
        texts = [(each.text, each.error, each.at) for each in scene.store.log(1, 0).lines]
        assert texts == [("Walltime of 5 ms reached on task T", True, 1000)] * 2

    asyncio.run(scenario())


def test_time_passes_when_the_machine_waits_for_it() -> None:
    """One timer for the next moment; none when there is nothing to wait for."""

    async def scenario() -> None:
        scene = Scene()
        scene.machine.next_wakeup = 1001
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.now = 1001
        scene.machine.answers = [[TOLD]]
        await scene.until(lambda: len(scene.machine.events) > 1)
        scene.machine.next_wakeup = None
        scene.driver.close()
        assert scene.machine.events[1] == TimePassed(at=1001)

    asyncio.run(scenario())


@pytest.mark.parametrize("by", [-86_400_000, 86_400_000])
def test_a_clock_that_is_set_is_noticed(by: int, caplog: pytest.LogCaptureFixture) -> None:
    """The machine learns by how much, before the event that comes next."""

    async def scenario() -> None:
        scene = Scene()
        passed = 5.0
        scene.driver._steady = lambda: passed
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.machine.events.clear()
        scene.now += by + 2_000
        passed += 2.0
        scene.driver.post(PauseJob(at=1, job_id=1))
        scene.driver.post(PauseJob(at=1, job_id=1))
        pause = PauseJob(at=1, job_id=1)
        assert scene.machine.events == [ClockSet(at=scene.now, by=by), pause, pause]
        scene.driver.close()

    asyncio.run(scenario())
    assert "the clock was set by" in caplog.text
