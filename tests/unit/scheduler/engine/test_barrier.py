"""A fault of one job stays with that job: it ends with a message, the others continue, its slots are free."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import actions, controls, core, ending, events
from proactive_jupyter_kernel.scheduler.engine import machine as machine_module
from proactive_jupyter_kernel.scheduler.engine.commands import ReportFault
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState
from proactive_jupyter_kernel.workflow.model import Reference
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus

from .test_random import Chaos, workflows

_SLOTS = tuple(Slot(name=f"s{number}", host=f"h{number % 2}") for number in range(3))
_MESSAGE = "The scheduler failed while it processed this job, and ended it: RuntimeError: out of order"


def _raise(*arguments: object, **named: object) -> None:
    raise RuntimeError("out of order")


def test_a_fault_in_a_handler_ends_its_job_alone(stage, task, monkeypatch):
    """The task that the event was about has the message; the other job gets the slot with the same event."""
    play = stage(slots=1)
    play.submit(task("A"), task("B", "A"))
    play.submit(task("C"), job_id=2)
    play.events()
    monkeypatch.setattr(ending, "_succeeded", _raise)
    commands = play.end("A")
    assert (play.status(), play.statuses(), play.counters()) == (
        "FAILED",
        {"A": "FAULTY", "B": "NOT_STARTED"},
        {"total": 2, "finished": 1, "faulty": 1},
    )
    assert play.row("A").failure.message == _MESSAGE
    assert [(line.job_id, line.task_id, line.text) for line in play.logs] == [(1, 0, _MESSAGE)]
    assert [str(each.error) for each in commands if isinstance(each, ReportFault)] == ["out of order"]
    assert play.statuses(2) == {"C": "RUNNING"}
    assert play.events() == [
        "TASK_RUNNING_TO_FINISHED",
        "TASK_RUNNING_TO_FINISHED",
        "JOB_RUNNING_TO_FINISHED",
        "TASK_VARIABLES_UPDATED",
        "JOB_PENDING_TO_RUNNING",
        "TASK_PENDING_TO_RUNNING",
    ]


@pytest.mark.parametrize(
    ("place", "name"),
    [(machine_module, "_woken"), (machine_module, "unpark"), (machine_module, "_admit"), (actions, "end_job")],
)
def test_a_fault_where_all_jobs_are_visited_ends_one(stage, task, monkeypatch, place, name):
    """Timers, changes of slots, verbs on the whole scheduler and removals pass through the other jobs."""
    play = stage(slots=0)
    play.submit(task("A", generic_information={"START_AT": "1970-01-01T00:00:02Z"}))
    play.submit(task("B"), job_id=2)
    play.machine._core.parked.add((1, 0))
    monkeypatch.setattr(place, name, _raise)
    with pytest.MonkeyPatch.context() as only_here:
        only_here.setattr(play.machine, "check", lambda: None)
        play.pass_time(5_000)
        play.send_slots(*_SLOTS)
        play.send(events.SchedulerCommand, verb="pause")
        play.send(events.RemoveJob, job_id=1)
    monkeypatch.undo()
    play.send(events.SchedulerCommand, verb="resume")
    play.machine.check()
    assert 1 not in {job.job_id for job in play.machine.jobs()}


def test_a_fault_found_outside_ends_the_job(stage, task):
    """Attempts are killed; the message is that of the task, if one is named, else of the first that has not ended."""
    play = stage()
    play.submit(task("A"), task("B", "A"), generic_information={"REMOVE_DELAY": "1h"})
    play.send(events.JobBroken, job_id=1, message="its result cannot be stored", task_id=1)
    assert play.statuses() == {"A": "ABORTED", "B": "FAULTY"}
    assert play.row("B").failure.message == "its result cannot be stored"
    assert [(each.task_id, each.number) for each in play.killed] == [(0, 1)]
    assert play.machine.next_wakeup == play.jobs[1].remove_at == play.now + 3_600_000
    assert play.send(events.JobBroken, job_id=1, message="again") == []


def test_a_job_that_cannot_be_restored_keeps_no_other(stage, task, monkeypatch):
    """It ends with a message, and the others continue."""
    play = stage()
    play.submit(task("A"))
    play.submit(task("B"), job_id=2)
    rows_of = machine_module.restored_job

    def broken(record, *arguments, **named):
        return _raise() if record.job_id == 1 else rows_of(record, *arguments, **named)

    monkeypatch.setattr(machine_module, "restored_job", broken)
    play.restart()
    assert (play.status(), play.statuses(), play.statuses(2)) == ("FAILED", {"A": "FAULTY"}, {"B": "RUNNING"})
    assert play.row("A").failure.message == (
        "The scheduler could not continue this job after its restart: RuntimeError: out of order"
    )


def test_a_workflow_that_cannot_be_built_leaves_nothing(stage, task):
    """Whoever submits it gets the exception; the machine has no such job."""
    play = stage()
    with pytest.raises(ValueError, match="still holds the reference"):
        play.submit(task("A", max_executions=Reference("${N}")))
    play.submit(task("B"), job_id=2)
    play.machine.check()
    assert [job.job_id for job in play.machine.jobs()] == [2]


#: Where a fault may strike: whatever works for one job.
_FUNCTIONS = (
    (JobState, "move"),
    (JobState, "update"),
    (JobState, "settle"),
    (JobState, "connect"),
    (JobState, "add_dependencies"),
    (JobState, "drain"),
    (JobState, "refresh"),
    (core.Core, "consider"),
    (core.Core, "withdraw"),
    (core.Core, "start"),
    (core.Core, "demand"),
    (core.Core, "wake"),
    (core, "inherited"),
    (controls, "_skip"),
)


class FaultyChaos(Chaos):
    """Chaos in which some function raises once in a while, at its n-th call."""

    def step(self) -> None:
        if not self.draw(True, False, False):
            super().step()
            return
        place, name = self.draw(*_FUNCTIONS)
        left = self.data.draw(st.integers(1, 4))
        wrapped = getattr(place, name)

        def faulty(*arguments, **named):
            nonlocal left
            left -= 1
            if not left:
                raise RuntimeError("out of order")
            return wrapped(*arguments, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, name, faulty)
            super().step()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_random_faults_end_their_jobs_alone(stage, data):
    """Whatever raises, and when: the invariants hold after each event, a job that met no fault ends as without one, one
    that did is FAILED and says so, nothing runs or waits any more and every slot is free."""
    play = stage(slots=_SLOTS)
    play.faults = []
    play.restarted = False
    chaos = FaultyChaos(play, data)
    take = play.take

    def taken(commands):
        play.faults += [each for each in commands if isinstance(each, ReportFault)]
        return take(commands)

    play.take = taken
    for job_id in (1, 2):
        play.workflows[job_id] = data.draw(workflows(rich=True), label=f"job {job_id}")
        play.send(events.JobSubmitted, job_id=job_id, workflow=play.workflows[job_id], owner="ann")
    for _ in range(data.draw(st.integers(1, 30), label="steps")):
        chaos.step()
    chaos.settle()
    broken = {fault.job_id for fault in play.faults}
    assert len(broken) == len(play.faults)
    assert all((job.status is JobStatus.FAILED) for job_id, job in play.jobs.items() if job_id in broken)
    assert all(job.status in JOB_ENDED for job in play.jobs.values())
    assert all(row.status in TASK_ENDED for row in play.rows.values())
    assert broken & play.jobs.keys() <= {line.job_id for line in play.logs}
    assert (play.running, play.machine.next_wakeup) == ({}, None)
    assert [state.holder for state in play.machine.slots] == [None] * len(_SLOTS)
