"""Storing before telling: what the driver does with the commands of a machine, with and without a store that works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
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
from proactive_jupyter_kernel.scheduler.engine.events import Event, JobSubmitted, PauseJob, TimePassed
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.measures import Measures
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.logs import Logs
from proactive_jupyter_kernel.scheduler.store.base import Batch, JobFacts, StoreUnavailable, Submission
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
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
SUBMISSION = Submission(job_id=1, xml="<job/>", workflow=Workflow(name="j"), facts=JobFacts())


class ScriptedMachine:
    """Answers events from a script; remembers them."""

    def __init__(self, answers: Iterable[list[Command]]) -> None:
        self.answers = list(answers)
        self.events: list[Event] = []
        self.next_wakeup: int | None = None

    def handle(self, event: Event) -> list[Command]:
        self.events.append(event)
        return self.answers.pop(0) if self.answers else []


class Scene:
    """A driver with its surroundings."""

    def __init__(self, *answers: list[Command]) -> None:
        self.machine = ScriptedMachine(answers)
        self.store = MemoryStore()
        self.now = 1000
        self.acted: list[Any] = []
        self.logs = Logs(max_lines=10, max_bytes=1000, on_first=lambda: self.driver.soon(0))
        machine: Any = self.machine
        self.driver = Driver(
            machine=machine,
            store=self.store,
            logs=self.logs,
            clock=lambda: self.now,
            act=self.acted.append,
            measures=Measures(started_at=0),
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
        await scene.driver.settled()
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
        before = scene.driver.revision
        await scene.driver.settled()
        assert len(writes) == 1
        assert scene.driver.revision == before + 1

    asyncio.run(scenario())


def test_a_job_that_cannot_be_stored_never_was() -> None:
    """Whoever waits gets the reason, the machine forgets the job, nothing of it is carried out."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB), SaveTask(task=TASK), START, TOLD], [KILL])
        scene.store.unavailable = "the disk is full"
        scene.driver.submit(SUBMITTED, SUBMISSION)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await scene.driver.settled()
        assert [type(event).__name__ for event in scene.machine.events] == ["JobSubmitted", "RemoveJob"]
        scene.store.unavailable = ""
        await scene.driver.settled()
        assert (scene.acted, scene.store.job(1), scene.driver.down) == ([], None, "")

    asyncio.run(scenario())


def test_what_cannot_be_stored_waits_until_it_can() -> None:
    """The scheduler says why, goes on when there is room, and has lost nothing."""

    async def scenario() -> None:
        scene = Scene([SaveJob(job=JOB)], [SaveTask(task=TASK), START])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.settled()
        scene.store.unavailable = "the disk is full"
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.settled()
        assert "disk is full" in scene.driver.down
        assert scene.acted == [Announce(event="DB_DOWN")]
        scene.store.unavailable = ""
        await scene.until(lambda: not scene.driver.down)
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
        await scene.driver.settled()
        scene.store.write = broken  # type: ignore[method-assign]
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable, match="nobody thought of this"):
            await scene.driver.settled()
        scene.store.write = write  # type: ignore[method-assign]
        await scene.until(lambda: START in scene.acted)

    asyncio.run(scenario())
    assert "a batch could not be stored" in caplog.text


def test_a_kill_is_carried_out_though_nothing_can_be_stored() -> None:
    """A full disk does not keep a task running; one that was to start and to die does neither."""

    async def scenario() -> None:
        other = KillAttempt(job_id=1, task_id=5, number=1)
        scene = Scene([SaveJob(job=JOB), START, KILL, other])
        scene.store.unavailable = "full"
        scene.driver.post(PauseJob(at=1, job_id=1))
        with pytest.raises(StoreUnavailable):
            await scene.driver.settled()
        assert scene.acted == [other, Announce(event="DB_DOWN")]
        scene.driver.close()

    asyncio.run(scenario())


def test_the_machines_own_lines_go_to_the_tasks_log() -> None:
    """Also where the machine has let go of the job by then."""

    async def scenario() -> None:
        line = LogLine(job_id=1, task_id=0, text="Walltime of 5 ms reached on task T")
        scene = Scene([SaveJob(job=JOB), SaveTask(task=TASK), line], [line])
        scene.driver.submit(SUBMITTED, SUBMISSION)
        await scene.driver.settled()
        scene.driver.post(PauseJob(at=1, job_id=1))
        await scene.driver.settled()
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
