"""The clock is set while jobs wait: delays last as long as they were meant to, dates are dates, durations positive."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript

_DAY = 86_400_000
_START = 10 * _DAY


def set_clock(play, by):
    """Somebody sets the clock, and the scheduler notices."""
    play.now += by
    play.send(events.ClockSet, by=by)


@pytest.mark.parametrize("by", [-_DAY, -2_000, 2_000, _DAY])
def test_a_retry_comes_after_its_delay(stage, task, failed, by):
    """Neither a day later nor at once, and the stored row has the new time."""
    play = stage()
    play.now = _START
    play.submit(task("A", max_executions=2, retry_delay=5), task("B"))
    play.end("A", failure=failed())
    play.end("B", failure=failed(FailureKind.LOST))
    set_clock(play, by)
    assert play.statuses() == {"A": "WAITING_ON_ERROR", "B": "WAITING_ON_FAILURE"}
    assert play.row("A").private["wake"] == _START + by + 5_000
    assert play.machine.next_wakeup == _START + by + 1_000
    play.pass_time(1_000)
    assert play.statuses() == {"A": "WAITING_ON_ERROR", "B": "RUNNING"}
    play.pass_time(4_000)
    assert play.statuses() == {"A": "RUNNING", "B": "RUNNING"}


@pytest.mark.parametrize(("by", "status"), [(-_DAY, "SUBMITTED"), (_DAY, "RUNNING")])
def test_a_date_is_a_date(stage, task, by, status):
    """A START_AT that the clock jumps over has come; one that it jumps back from has not."""
    play = stage()
    play.now = _START
    play.submit(task("A", generic_information={"START_AT": "1970-01-11T06:00:00Z"}))
    set_clock(play, by)
    assert play.status("A") == status
    assert play.machine.next_wakeup == (None if status == "RUNNING" else _START + _DAY // 4)


def test_slots_are_asked_again_after_the_pause(stage, task):
    """Refusals of selection scripts do not last a day longer."""
    play = stage(slots=1)
    play.now = _START
    script = SelectionScript(script=Script(language="bash", code="true"), static=False)
    play.submit(task("A", selection=(script,)))
    play.send(events.SelectionEnded, job_id=1, task_id=0, slot="local-0", selected=False)
    play.questions.clear()
    set_clock(play, -_DAY)
    assert play.machine.next_wakeup == _START - _DAY + 1_000
    play.pass_time(1_000)
    assert [question.slot.name for question in play.questions] == ["local-0"]


def test_an_ended_job_is_removed_after_its_delay(stage, task):
    """Not at once where the clock jumps ahead: its results would be lost."""
    play = stage()
    play.now = _START
    play.submit(task("A"), generic_information={"REMOVE_DELAY": "1h"})
    play.end("A")
    set_clock(play, _DAY)
    assert (play.forgotten, play.machine.next_wakeup) == ([], _START + _DAY + 3_600_000)


def test_a_restart_before_the_time_of_the_stop(stage, task, failed):
    """The clock was set back while the scheduler did not run: a retry waits no longer than its delay."""
    play = stage()
    play.now = _START
    play.submit(task("A", max_executions=2, retry_delay=60))
    play.end("A", failure=failed())
    play.now -= _DAY
    play.restart()
    assert play.machine.next_wakeup == _START - _DAY + 60_000


def test_no_duration_is_negative(stage, task):
    """Tasks and jobs that end before they began, as the clock says, took no time."""
    play = stage(slots=1)
    play.now = _START
    play.submit(task("A"), task("B", "A"), task("C"))
    set_clock(play, -_DAY)
    play.end("A", duration=-5)
    play.tell(events.KillTask, "C")
    play.tell(events.KillJob)
    rows = [(row.duration, row.finished_at - row.started_at) for row in play.rows_of() if row.started_at > 0]
    assert rows == [(0, 0), (0, 0)]
    job = play.jobs[1]
    assert (job.submitted_at <= job.started_at <= job.finished_at, job.killed_time) == (True, 0)
