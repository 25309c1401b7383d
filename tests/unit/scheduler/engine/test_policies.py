"""Failures: retries, delays, error policies, lost nodes, and how jobs end."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.machine import Limits
from proactive_jupyter_kernel.scheduler.engine.rules import growing_delay
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Reference, RestartMode, Variable


def test_continue_is_the_default_and_children_run(stage, task, failed):
    """A task that fails for good under the default policy is FAULTY; its children run and the job finishes."""
    play = stage()
    play.submit(task("A"), task("B", "A"))
    play.end("A", failure=failed(), variables={"V": "v"})
    assert (play.status(), play.statuses()) == ("RUNNING", {"A": "FAULTY", "B": "RUNNING"})
    assert play.counters() == {"total": 2, "running": 1, "finished": 1, "faulty": 1}
    assert (play.results("B"), play.start_of("B").inherited["V"]) == ("A", "v")
    play.run()
    assert (play.status(), play.row("A").failure) == ("FINISHED", failed())
    assert play.events()[-2:] == ["JOB_RUNNING_TO_FINISHED", "JOB_RUNNING_TO_FINISHED_WITH_ERRORS"]


@pytest.mark.parametrize("kind", [FailureKind.DIED, FailureKind.WALLTIME])
def test_a_silent_process_hands_on_what_it_inherited(stage, task, failed, kind):
    """After a crash or walltime children get the variables that the task itself had inherited."""
    play = stage()
    play.submit(task("A"), task("B", "A"), task("C", "B"), variables=(Variable(name="V", value="job"),))
    play.end("A", variables={"V": "a"})
    play.end("B", failure=failed(kind), variables={"V": "half done"})
    assert (play.status("B"), play.start_of("C").inherited["V"]) == ("FAULTY", "a")


def test_retries_wait_and_count(stage, task, failed):
    """A failing execution lowers what is left and waits; success takes the task out of the faulty counter."""
    play = stage()
    play.submit(task("A", max_executions=3, retry_delay=5))
    play.end("A", failure=failed())
    assert (play.status("A"), play.status(), play.row("A").executions_left) == ("WAITING_ON_ERROR", "STALLED", 2)
    assert play.counters() == {"total": 1, "pending": 1, "faulty": 1}
    assert play.machine.next_wakeup == play.now + 5_000
    assert "TASK_WAITING_FOR_RESTART" in play.events()
    play.pass_time(4_999)
    assert play.status("A") == "WAITING_ON_ERROR"
    play.pass_time(1)
    assert (play.status("A"), play.start_of("A").number) == ("RUNNING", 2)
    play.end("A", failure=failed())
    play.pass_time(5_000)
    play.end("A")
    assert (play.status(), play.status("A"), play.counters()) == ("FINISHED", "FINISHED", {"total": 1, "finished": 1})
    assert (play.row("A").attempts, play.row("A").executions_left, play.row("A").failure) == (3, 1, None)


def test_a_retry_says_so_after_the_error(stage, task, failed):
    """The log tells that the traceback before was not the last word; the last failure has no such line."""
    play = stage()
    play.submit(task("A", max_executions=3, retry_delay=1))
    for _ in range(3):
        play.end("A", failure=failed())
        play.pass_time(1_000)
    assert [line.text for line in play.logs] == ["Attempt 1 of 3 failed, retrying", "Attempt 2 of 3 failed, retrying"]


def test_delay_grows_without_a_setting(stage, task, failed):
    """Without `taskRetryDelay` the pauses grow as ProActive's do, up to a minute."""
    assert [growing_delay(n) // 1_000 for n in range(1, 13)] == [2, 4, 7, 11, 16, 22, 29, 37, 46, 56, 60, 60]
    play = stage()
    play.submit(task("A"), max_executions=4)
    for delay in (2_000, 4_000, 7_000):
        play.end("A", failure=failed())
        assert play.machine.next_wakeup == play.now + delay
        play.pass_time(delay)
    play.end("A", failure=failed())
    assert play.status("A") == "FAULTY"


def test_task_settings_win_over_the_jobs(stage, task, failed):
    """Executions, delay and policy of the task come first; `none` means the job's."""
    play = stage()
    play.submit(
        task("A", max_executions=2, retry_delay=1, on_error=ErrorPolicy.SUSPEND_TASK),
        task("B", on_error=ErrorPolicy.NONE),
        max_executions=1,
        retry_delay=9,
        on_error=ErrorPolicy.CANCEL_JOB,
    )
    play.end("A", failure=failed())
    assert play.machine.next_wakeup == play.now + 1_000
    play.pass_time(1_000)
    play.end("A", failure=failed())
    assert play.status("A") == "IN_ERROR"
    play.end("B", failure=failed())
    assert play.status() == "CANCELED"


def test_cancel_job_ends_everything_at_once(stage, task, failed):
    """Under cancelJob the job is CANCELED: running tasks ABORTED, waiting ones NOT_RESTARTED, others NOT_STARTED."""
    play = stage()
    play.submit(
        task("Bad", on_error=ErrorPolicy.CANCEL_JOB),
        task("Done"),
        task("Busy"),
        task("Again", max_executions=2),
        task("Later", "Bad"),
    )
    play.end("Done")
    play.end("Again", failure=failed())
    play.now += 30
    play.end("Bad", failure=failed())
    assert play.status() == "CANCELED"
    assert play.statuses() == {
        "Bad": "FAULTY",
        "Done": "FINISHED",
        "Busy": "ABORTED",
        "Again": "NOT_RESTARTED",
        "Later": "NOT_STARTED",
    }
    assert [kill.task_id for kill in play.killed] == [2]
    assert (play.row("Busy").duration, play.row("Busy").finished_at) == (30, play.now)
    assert play.counters() == {"total": 5, "finished": 2, "faulty": 2}
    assert play.events()[-4:] == [*["TASK_RUNNING_TO_FINISHED"] * 3, "JOB_RUNNING_TO_FINISHED"]
    assert (play.machine.jobs(), play.machine.next_wakeup) == ((), None)


def test_suspend_task_leaves_the_rest_running(stage, task, failed):
    """Under suspendTask the task and its job are IN_ERROR; tasks that do not depend on it go on."""
    play = stage()
    play.submit(
        task("Bad"), task("Child", "Bad"), task("Free"), task("More", "Free"), on_error=ErrorPolicy.SUSPEND_TASK
    )
    play.events()
    play.end("Bad", failure=failed())
    assert play.events() == ["TASK_IN_ERROR", "JOB_IN_ERROR"]
    play.end("Free")
    assert (play.status(), play.counters()) == (
        "IN_ERROR",
        {"total": 4, "pending": 1, "running": 1, "finished": 1, "in_error": 1},
    )
    assert play.statuses() == {"Bad": "IN_ERROR", "Child": "SUBMITTED", "Free": "FINISHED", "More": "RUNNING"}
    assert (play.row("Bad").in_error_at, play.jobs[1].in_error_at) == (play.now, play.now)


@pytest.mark.parametrize("verb", [events.KillJob, events.KillTask])
def test_a_job_that_was_killed_or_canceled_is_removed_as_one_with_errors(stage, task, verb):
    """Though none of its tasks is counted as faulty: REMOVE_DELAY_ON_ERROR counts."""
    play = stage()
    information = {"REMOVE_DELAY": "7s", "REMOVE_DELAY_ON_ERROR": "1h"}
    play.submit(task("A"), generic_information=information, on_error=ErrorPolicy.CANCEL_JOB)
    play.tell(verb, "A" if verb is events.KillTask else "")
    assert play.jobs[1].remove_at == play.now + 3_600_000


def test_pause_job_policy(stage, task, failed):
    """Under pauseJob the task is IN_ERROR and its job PAUSED; what runs goes on to its end."""
    play = stage()
    play.submit(task("Bad"), task("Free"), task("More", "Free"), on_error=ErrorPolicy.PAUSE_JOB)
    play.end("Bad", failure=failed())
    play.end("Free")
    assert (play.status(), play.statuses()) == ("PAUSED", {"Bad": "IN_ERROR", "Free": "FINISHED", "More": "PAUSED"})


def test_elsewhere_avoids_the_failing_slot(stage, task, failed):
    """`restartTaskOnError="elsewhere"` takes another slot, even if the failing one alone is free."""
    play = stage(slots=2)
    play.submit(task("A", max_executions=2, retry_delay=1), task("B"), restart=RestartMode.ELSEWHERE)
    assert (play.row("A").slot, play.row("B").slot) == ("local-0", "local-1")
    play.end("A", failure=failed())
    play.pass_time(1_000)
    assert play.status("A") == "PENDING"
    play.end("B")
    assert (play.status("A"), play.row("A").slot) == ("RUNNING", "local-1")


def test_elsewhere_stays_where_there_is_no_other_slot(stage, task, failed):
    """With a single slot, elsewhere means the same place."""
    play = stage(slots=1)
    play.submit(task("A", max_executions=2, retry_delay=1, restart=RestartMode.ELSEWHERE))
    play.end("A", failure=failed())
    play.pass_time(1_000)
    assert play.status("A") == "RUNNING"


def test_lost_nodes_have_a_counter_of_their_own(stage, task, failed):
    """The loss of a node costs no execution, but the last chance lost fails task and job."""
    play = stage(limits=Limits(node_failures=2, node_failure_delay=500))
    play.submit(task("A"), task("B"), task("C", "A"))
    play.end("A", failure=failed(FailureKind.LOST))
    assert (play.status("A"), play.row("A").executions_left, play.row("A").node_failures_left) == (
        "WAITING_ON_FAILURE",
        1,
        1,
    )
    play.pass_time(500)
    assert play.start_of("A").number == 2
    play.end("A", failure=failed(FailureKind.LOST))
    assert (play.status(), play.statuses()) == ("FAILED", {"A": "FAILED", "B": "ABORTED", "C": "NOT_STARTED"})
    assert play.counters() == {"total": 3, "finished": 1, "failed": 1}


def test_task_that_was_killed_from_outside_runs_again(stage, task, failed):
    """An attempt that was killed without the machine's word (a stopping executor) runs again and costs nothing."""
    play = stage()
    play.submit(task("A"))
    play.end("A", failure=failed(FailureKind.KILLED))
    assert (play.status("A"), play.start_of("A").number, play.row("A").executions_left) == ("RUNNING", 2, 1)


@pytest.mark.parametrize(
    ("information", "bad", "delay"),
    [
        ({"REMOVE_DELAY": "3d 12h"}, False, 302_400_000),
        ({"REMOVE_DELAY": "5m 1s", "REMOVE_DELAY_ON_ERROR": "1h"}, True, 3_600_000),
        ({"REMOVE_DELAY": "7s", "REMOVE_DELAY_ON_ERROR": "1h"}, False, 7_000),
        ({"REMOVE_DELAY": "7s"}, True, 7_000),
    ],
)
def test_ended_job_is_removed_after_its_delay(stage, task, failed, information, bad, delay):
    """REMOVE_DELAY counts from the job's end; REMOVE_DELAY_ON_ERROR goes before it for jobs with errors."""
    play = stage()
    play.submit(task("A"), generic_information=information)
    play.end("A", failure=failed() if bad else None)
    assert play.jobs[1].remove_at == play.now + delay == play.machine.next_wakeup
    play.pass_time(delay - 1)
    assert play.forgotten == []
    play.pass_time(1)
    assert (play.forgotten, play.events()[-1], play.machine.next_wakeup) == ([1], "JOB_REMOVE_FINISHED", None)


@pytest.mark.parametrize("text", ["", "soon", "3 d 12x", "12", "9" * 100_000, "9" * 5_000 + "s"])
def test_unreadable_removal_delay_keeps_the_job(stage, task, text):
    """A REMOVE_DELAY that is none removes nothing."""
    play = stage()
    play.submit(task("A"), generic_information={"REMOVE_DELAY": text})
    play.run()
    assert (play.jobs[1].remove_at, play.machine.next_wakeup) == (None, None)


def test_unresolved_reference_is_refused(stage, task):
    """A workflow whose references were not resolved does not become a job."""
    play = stage()
    with pytest.raises(ValueError, match=r"still holds the reference \$\{N\}"):
        play.submit(task("A", max_executions=Reference("N")))
    assert play.machine.jobs() == ()


def test_slots_that_vanish_keep_their_attempt_until_it_is_reported(stage, task):
    """A slot that is gone takes no new task; what runs there is waited for."""
    play = stage(slots=1)
    play.submit(task("A"), task("B"))
    play.send_slots(Slot(name="other"))
    assert play.statuses() == {"A": "RUNNING", "B": "RUNNING"}
    play.end("A")
    assert play.row("B").slot == "other"
