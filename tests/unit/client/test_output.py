"""A job's output, each line once and with its stream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proactive_jupyter_kernel.client.jobs import SubmittedJob, TaskLine
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, ScriptedOutcome
from proactive_jupyter_kernel.workflow.status import TaskStatus


def told(lines: list[TaskLine]) -> list[tuple[str, str, bool]]:
    return [(line.task, line.line.text, line.line.error) for line in lines]


@pytest.mark.memory_only("the live log of a server does not tell the streams apart")
def test_lines_come_while_the_task_runs_and_only_once(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """What was shown live is not shown again when the task has ended."""
    memory.outcomes |= {
        "A": ScriptedOutcome(lines=(("out", "x"), ("err", "e"), ("out", "x"))),
        "B": ScriptedOutcome(lines=(("out", "b"),)),
    }
    job_id = scheduler.submit(xml).id
    output = SubmittedJob(scheduler, job_id, "demo").output_reader()
    assert told(output.fresh(scheduler.job(job_id))) == []
    memory.advance(job_id)
    assert told(output.fresh(scheduler.job(job_id))) == [("A", "x", False), ("A", "e", True), ("A", "x", False)]
    memory.finish(job_id)
    assert told(output.fresh(scheduler.job(job_id))) == [("B", "b", False)]
    assert told(output.fresh(scheduler.job(job_id))) == []


def test_what_another_reader_took_comes_at_the_end(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Lines that the live log gave to somebody else are read from the stored log."""
    memory.outcomes["A"] = ScriptedOutcome(lines=(("out", "x"), ("err", "e")))
    job_id = scheduler.submit(xml).id
    memory.advance(job_id)
    scheduler.live_log(job_id)
    output = SubmittedJob(scheduler, job_id, "demo").output_reader()
    assert told(output.fresh(scheduler.job(job_id))) == []
    memory.advance(job_id)
    assert told(output.fresh(scheduler.job(job_id))) == [("A", "x", False), ("A", "e", True)]


def test_lines_of_an_ended_task_are_not_repeated_by_the_live_log(
    scheduler: Scheduler, memory: MemoryScheduler, xml: str
) -> None:
    """The live log may still bring lines of a task that ended since."""
    memory.outcomes |= {
        "A": ScriptedOutcome(lines=(("out", "a"),)),
        "B": ScriptedOutcome(hold=True, lines=(("out", "b"),)),
    }
    job_id = scheduler.submit(xml).id
    memory.advance(job_id, 2)
    output = SubmittedJob(scheduler, job_id, "demo").output_reader()
    job = scheduler.job(job_id)
    assert job.tasks[0].status is TaskStatus.FINISHED
    assert sorted(told(output.fresh(job))) == [("A", "a", False), ("B", "b", False)]
    assert told(output.fresh(job)) == []


def test_lines_of_a_task_that_is_not_known_yet_wait_for_its_name(
    scheduler: Scheduler, memory: MemoryScheduler, xml: str
) -> None:
    """The live log is newer than the state: a loop may have made the next iteration in between."""
    memory.outcomes["A"] = ScriptedOutcome(lines=(("out", "a"),))
    job_id = scheduler.submit(xml).id
    memory.advance(job_id)
    output = SubmittedJob(scheduler, job_id, "demo").output_reader()
    now = scheduler.job(job_id)
    before = replace(now, tasks=tuple(task for task in now.tasks if task.name != "A"))
    assert told(output.fresh(before)) == []
    assert told(output.fresh(now)) == [("A", "a", False)]
    memory.finish(job_id)
    assert told(output.fresh(scheduler.job(job_id))) == []


def test_a_server_without_live_logs_tells_them_at_the_end(
    scheduler: Scheduler, memory: MemoryScheduler, xml: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused live log is not an error; a scheduler that is away is one."""

    def refuse(job_id: int) -> str:
        raise SchedulerError("no log forwarding here")

    memory.outcomes["A"] = ScriptedOutcome(lines=(("out", "a"),))
    job_id = scheduler.submit(xml).id
    memory.advance(job_id)
    output = SubmittedJob(scheduler, job_id, "demo").output_reader()
    monkeypatch.setattr(scheduler, "live_log", refuse)
    assert told(output.fresh(scheduler.job(job_id))) == []
    memory.advance(job_id)
    assert told(output.fresh(scheduler.job(job_id))) == [("A", "a", False)]
    monkeypatch.undo()
    job = scheduler.job(job_id)
    memory.reachable = False
    with pytest.raises(SchedulerUnreachable):
        output.fresh(job)
