"""The service over a real machine: restarts, slots, selection, and attempts that go wrong in its own hands."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    Failure,
    FailureKind,
    Outcome,
    Selection,
    SelectionAnswer,
)
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor, ScriptedAttempt
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.service import Service
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.memory import MemoryStore
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

CODE = '<scriptExecutable><script><code language="bash">1</code></script></scriptExecutable>'
SELECT = '<selection><script><code language="bash">1</code></script></selection>'


def xml(*names: str, chained: bool = True, inner: str = "", head: str = "") -> str:
    text, before = "", ""
    for name in names:
        depends = f'<depends><task ref="{before}"/></depends>' if before and chained else ""
        text += f'<task name="{name}">{depends}{inner}{CODE}</task>'
        before = name
    start = '<job xmlns="urn:proactive:jobdescriptor:3.14" name="a job">'
    return f"{start}{head}<taskFlow>{text}</taskFlow></job>"


def service(store: Any, executor: Any) -> Service:
    return Service(
        store=store,
        executor=executor,
        settings=settings.load({}),
        site=Site(user="ana", home="/home/x", url="http://127.0.0.1:1", spaces={}),
    )


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


async def forever(attempt: ScriptedAttempt) -> Outcome:
    attempt.say("begun")
    await asyncio.Event().wait()
    return Outcome()


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_a_restart_runs_again_what_ran(tmp_path: Path) -> None:
    """What had ended keeps result and output; the running task gets a new number and costs no execution."""

    async def first() -> None:
        store = SqliteStore(tmp_path / "s.db")
        executor = MemoryExecutor({"A": lambda attempt: Outcome(value=5), "B": forever})
        made = service(store, executor)
        await made.start()
        await made.submit(xml("A", "B", "C"), owner="ana")
        await until(lambda: len(executor.attempts) == 2 and store.log(1, 1).lines)
        await made.close()
        store.close()

    async def second() -> None:
        store = SqliteStore(tmp_path / "s.db")
        executor = MemoryExecutor()
        made = service(store, executor)
        await made.start()
        await made.wait_ended(1)
        assert [(attempt.task_name, attempt.number) for attempt in executor.attempts] == [("B", 2), ("C", 1)]
        assert executor.attempts[0].results[0].value == RawValue(b"5")
        assert [line.text for line in store.log(1, 1).lines] == ["begun"]
        task = made.ask.task(1, "B")
        assert (task.status, task.attempts, task.executions_left) == (TaskStatus.FINISHED, 2, 1)
        await made.close()
        store.close()

    play(first)
    play(second)


def test_ended_jobs_are_not_held_in_memory() -> None:
    """The machine lets go of them; the store answers."""

    async def scenario() -> None:
        made = service(MemoryStore(), MemoryExecutor())
        await made.start()
        job = await made.submit(xml("A"), owner="ana")
        await made.wait_ended(job.job_id)
        assert made._machine.jobs() == ()
        assert made._runner._running == made._runner._on_slot == {}
        assert made.ask.job(job.job_id).record.status is JobStatus.FINISHED
        assert made.busy is False
        await made.close()

    play(scenario)


def test_a_slot_is_not_used_before_its_killed_task_is_gone() -> None:
    """However long its processes take to end."""

    class Slow(MemoryExecutor):
        """Kills slowly."""

        async def kill(self, key: str) -> None:
            await asyncio.sleep(0.05)
            assert [attempt.task_name for attempt in self.attempts] == ["A"]
            await super().kill(key)

    async def scenario() -> None:
        executor = Slow({"A": forever}, slots=1)
        made = service(MemoryStore(), executor)
        await made.start()
        job = await made.submit(xml("A", "B"), owner="ana")
        await until(lambda: executor.attempts)
        assert await made.kill_task(job.job_id, "A") is True
        await made.wait_ended(job.job_id)
        assert [attempt.task_name for attempt in executor.attempts] == ["A", "B"]
        await made.close()

    play(scenario)


def test_an_attempt_that_cannot_be_prepared_fails_with_the_reason() -> None:
    """A circle of references that a parent closed; the job goes on."""

    def close_the_circle(attempt: ScriptedAttempt) -> Outcome:
        return Outcome(value=1, variables_set={"X": "${Y}", "Y": "${X}"})

    async def scenario() -> None:
        store = MemoryStore()
        made = service(store, MemoryExecutor({"A": close_the_circle}))
        await made.start()
        job = await made.submit(xml("A", "B"), owner="ana")
        await made.wait_ended(job.job_id)
        outcome = made.ask.outcome(job.job_id, "B")
        assert outcome.failure is not None
        assert outcome.failure.message.startswith("Failed to prepare the task: Infinite loop")
        assert made.ask.task(job.job_id, "B").status is TaskStatus.FAULTY
        assert [line.text for line in store.log(job.job_id, 1).lines] == [outcome.failure.message]
        await made.close()

    play(scenario)


class Unreadable(MemoryStore):
    """Cannot read the row of a single task."""

    def task(self, job_id: int, task_id: int) -> Any:
        raise StoreUnavailable("the disk failed")


@pytest.mark.parametrize("kind", [MemoryStore, Unreadable])
def test_an_executor_that_breaks_loses_the_attempt(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """As a lost node: the task is tried again, its log says so, and the log of the scheduler has the story.

    Whatever the store can read at that moment.
    """

    class Broken(MemoryExecutor):
        """Breaks once."""

        async def run(self, attempt: Attempt, output: Any, progress: Any = None) -> Outcome:
            if not self.attempts:
                self.attempts.append(attempt)
                raise RuntimeError("out of order")
            return await super().run(attempt, output, progress)

    store = kind()

    async def scenario() -> None:
        made = service(store, Broken())
        await made.start()
        job = await made.submit(xml("A"), owner="ana")
        await made.wait_ended(job.job_id)
        task = made.ask.task(job.job_id, "A")
        assert (task.status, task.attempts, task.node_failures_left) == (TaskStatus.FINISHED, 2, 1)
        await made.close()
        assert [line.text for line in store.log(job.job_id, 0).lines] == [
            "The scheduler could not run it; see its log."
        ]

    play(scenario)
    (lost,) = [record for record in caplog.records if record.message == "an attempt was lost"]
    assert {name: vars(lost)[name] for name in ("job", "task", "attempt")} == {"job": 1, "task": 0, "attempt": 1}
    assert "out of order" in caplog.text


def test_selection_scripts_choose_the_slot() -> None:
    """They see the candidate; a slot that they refuse is not used."""
    asked: list[Selection] = []

    def only_the_second(selection: Selection) -> SelectionAnswer:
        asked.append(selection)
        return SelectionAnswer(selected=selection.slot.name == "local-1")

    async def scenario() -> None:
        executor = MemoryExecutor(slots=3, select=only_the_second)
        made = service(MemoryStore(), executor)
        await made.start()
        job = await made.submit(xml("A", inner=SELECT), owner="ana")
        await made.wait_ended(job.job_id)
        assert executor.attempts[0].slot.name == "local-1"
        assert asked[0].variables["PA_JOB_NAME"] == "a job"
        await made.close()

    play(scenario)


def test_a_job_may_be_removed_while_it_runs() -> None:
    """Stale reports about its task do no harm, and nothing of it is left."""

    async def scenario() -> None:
        store = MemoryStore()
        executor = MemoryExecutor({"A": forever})
        made = service(store, executor)
        await made.start()
        job = await made.submit(xml("A"), owner="ana")
        await until(lambda: executor.attempts)
        assert await made.remove_job(job.job_id) is True
        await until(lambda: not made._runner._running)
        assert (store.job(job.job_id), store.log(job.job_id, 0).lines) == (None, ())
        await made.close()

    play(scenario)


def test_a_shutdown_is_over_when_started_jobs_have_ended() -> None:
    """Jobs that only wait continue at the next start; a kill is over at once, and kills them."""

    async def scenario() -> None:
        gate = asyncio.Event()

        async def wait(attempt: ScriptedAttempt) -> Outcome:
            await gate.wait()
            return Outcome()

        executor = MemoryExecutor({"A": wait}, slots=1)
        made = service(MemoryStore(), executor)
        await made.start()
        job = await made.submit(xml("A", "B"), owner="ana")
        waiting = await made.submit(xml("C"), owner="ana")
        await until(lambda: executor.attempts)
        await made.control("shutdown")
        assert made.winding_down is False
        gate.set()
        await made.wait_ended(job.job_id)
        assert made.winding_down is True
        assert made.ask.job(waiting.job_id).record.status is JobStatus.PENDING
        assert (await made.control("kill"), await made.control("kill")) == (True, False)
        assert made.winding_down is True
        assert made.ask.job(waiting.job_id).record.status is JobStatus.KILLED
        await made.close()

    play(scenario)


def test_one_value_that_cannot_be_stored_ends_its_own_job(tmp_path: Path) -> None:
    """A result that is nested too deeply for JSON: that task says so, the other job's tasks run and are stored."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    async def scenario() -> None:
        store = SqliteStore(tmp_path / "s.db")
        plays = {"A": lambda performance: Outcome(value=1, variables_set={"X": deep})}
        made = service(store, MemoryExecutor(plays))
        await made.start()
        one, other = await asyncio.gather(
            made.submit(xml("A", "B"), owner="ana"), made.submit(xml("C", "D"), owner="ana")
        )
        await made.wait_ended(one.job_id)
        await made.wait_ended(other.job_id)
        tasks = made.ask.tasks(one.job_id)
        assert made.ask.job(one.job_id).record.status is JobStatus.FAILED
        assert {task.status for task in tasks} <= {
            TaskStatus.FINISHED,
            TaskStatus.FAULTY,
            TaskStatus.NOT_STARTED,
            TaskStatus.ABORTED,
        }
        failures = [task.failure.message for task in tasks if task.failure]
        assert any("cannot be stored: RecursionError" in message for message in failures)
        assert {task.status for task in made.ask.tasks(other.job_id)} == {TaskStatus.FINISHED}
        assert made.status is SchedulerStatus.STARTED
        await made.submit(xml("E"), owner="ana")
        await made.close()
        store.close()

    play(scenario)


def test_a_damaged_job_keeps_no_other_from_being_restored(tmp_path: Path) -> None:
    """It ends with a message that says what happened; the others run."""

    async def first() -> None:
        store = SqliteStore(tmp_path / "s.db")
        made = service(store, MemoryExecutor({"A": forever, "B": forever, "C": forever}))
        await made.start()
        for name in "ABC":
            await made.submit(xml(name, "Z"), owner="ana")
        await made.close()
        store.close()

    async def second() -> None:
        with sqlite3.connect(tmp_path / "s.db") as connection:
            connection.execute("UPDATE submissions SET workflow = 'x' WHERE job_id = 1")
            connection.execute("UPDATE tasks SET record = 'x' WHERE job_id = 2 AND task_id = 1")
        connection.close()
        store = SqliteStore(tmp_path / "s.db")
        made = service(store, MemoryExecutor())
        await made.start()
        await made.wait_ended(3)
        statuses = {row.record.job_id: row.record.status for row in made.ask.jobs(JobQuery()).rows}
        assert statuses == {1: JobStatus.FAILED, 2: JobStatus.FAILED, 3: JobStatus.FINISHED}
        assert [task.status for job_id in (1, 2) for task in made.ask.tasks(job_id)] == [
            TaskStatus.FAULTY,
            TaskStatus.NOT_STARTED,
        ] * 2
        failure = made.ask.tasks(1)[0].failure
        assert failure is not None
        assert failure.message.startswith("The scheduler could not continue this job after its restart: ")
        assert "is damaged" in failure.message
        await made.close()
        store.close()

    play(first)
    play(second)


def test_a_data_folder_that_is_removed_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is accepted or started any more; a task that fails meanwhile runs again once the folder is back."""

    async def scenario() -> None:
        store = MemoryStore()
        gate = asyncio.Event()

        async def fail(task: ScriptedAttempt) -> Outcome:
            await gate.wait()
            return Outcome(failure=Failure(kind=FailureKind.ERROR, exception="TaskException", message="no folder"))

        executor = MemoryExecutor({"A": fail}, slots=1)
        made = service(store, executor)
        await made.start()
        job = await made.submit(xml("A", "B"), owner="ana")
        await until(lambda: executor.attempts)
        store.gone = "s.db was removed"
        assert (made.check_store(), made.status) == (False, SchedulerStatus.FROZEN)
        with pytest.raises(SubmissionRefused, match=r"The workflow was not accepted: s\.db was removed"):
            await made.submit(xml("C"), owner="ana")
        gate.set()
        await until(lambda: not made._runner._running)
        assert len(executor.attempts) == 1
        store.gone = ""
        executor._scripted.clear()
        await until(lambda: made.status is SchedulerStatus.STARTED)
        await made.wait_ended(job.job_id)
        task = made.ask.task(job.job_id, "A")
        assert (task.status, task.executions_left, task.node_failures_left) == (TaskStatus.FINISHED, 1, 1)
        await made.close()

    play(scenario)
    assert "s.db was removed Nothing new is started until it can." in caplog.text
