"""What people do to jobs, tasks and the scheduler while they run."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.commands import LogLine
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Variable

_RETRY = {"max_executions": 2, "retry_delay": 5}


def test_kill_job(stage, task, failed):
    """A killed job aborts what runs; what waited for a retry could not restart, the rest could not start."""
    play = stage()
    play.submit(task("Done"), task("Busy", "Done"), task("Again", **_RETRY), task("Later", "Busy"))
    play.end("Done")
    play.end("Again", failure=failed())
    play.tell(events.KillJob)
    assert (play.status(), play.statuses()) == (
        "KILLED",
        {"Done": "FINISHED", "Busy": "ABORTED", "Again": "NOT_RESTARTED", "Later": "NOT_STARTED"},
    )
    assert (play.counters(), play.running) == ({"total": 4, "finished": 1, "faulty": 1}, {})
    assert play.tell(events.KillJob) == []


def test_kill_of_a_job_that_never_started(stage, task):
    """A job that is killed while pending says so to listeners."""
    play = stage(slots=0)
    play.submit(task("A"))
    play.tell(events.KillJob)
    assert (play.status(), play.statuses()) == ("KILLED", {"A": "NOT_STARTED"})
    assert play.events() == ["JOB_SUBMITTED", "TASK_RUNNING_TO_FINISHED", "JOB_PENDING_TO_FINISHED"]


def test_killed_slots_are_free_at_once(stage, task):
    """The slots of a killed job take the next job's tasks."""
    play = stage(slots=1)
    play.submit(task("A"))
    play.submit(task("A"), job_id=2)
    play.tell(events.KillJob)
    assert play.status("A", 2) == "RUNNING"


def test_pause_and_resume(stage, task, failed):
    """A pause holds what does not run; what runs ends; after resuming the tasks go on, without waiting for a retry."""
    play = stage(slots=2)
    play.submit(task("A"), task("B", **_RETRY), task("C"), task("D", "A"))
    play.end("B", failure=failed())
    play.end("C")
    play.tell(events.PauseJob)
    assert (play.status(), play.statuses()) == (
        "PAUSED",
        {"A": "RUNNING", "B": "PAUSED", "C": "FINISHED", "D": "PAUSED"},
    )
    play.end("A")
    assert play.status("D") == "PAUSED"
    assert play.tell(events.PauseJob) == []
    play.tell(events.ResumeJob)
    assert (play.status(), play.status("B"), play.status("D")) == ("RUNNING", "RUNNING", "RUNNING")
    play.run()
    assert play.status() == "FINISHED"


def test_retry_of_a_task_that_fails_while_its_job_is_paused(stage, task, failed):
    """A task that fails in a paused job waits for its delay and then for its job."""
    play = stage()
    play.submit(task("A", **_RETRY), task("B"))
    play.tell(events.PauseJob)
    play.end("A", failure=failed())
    assert play.status("A") == "WAITING_ON_ERROR"
    play.pass_time(5_000)
    assert play.status("A") == "PAUSED"
    play.tell(events.ResumeJob)
    assert play.status("A") == "RUNNING"


def test_paused_before_its_start(stage, task):
    """A job that never started is PENDING again when it is resumed, IN_ERROR if a task waits for a person."""
    play = stage(slots=0)
    play.submit(task("A"))
    play.tell(events.PauseJob)
    assert (play.status(), play.status("A")) == ("PAUSED", "PAUSED")
    play.tell(events.ResumeJob)
    assert (play.status(), play.status("A")) == ("PENDING", "PENDING")


def test_last_running_task_finishes_a_paused_job(stage, task):
    """A paused job with nothing left to do is finished."""
    play = stage()
    play.submit(task("A"))
    play.tell(events.PauseJob)
    play.end("A")
    assert play.status() == "FINISHED"


def test_kill_task_lets_children_run(stage, task):
    """A killed task is ABORTED with its exception, hands on what it inherited, and its children run."""
    play = stage()
    play.submit(task("A"), task("B", "A"), variables=(Variable(name="V", value="v"),))
    play.tell(events.KillTask, "A")
    assert (play.statuses(), play.row("A").failure.exception) == (
        {"A": "ABORTED", "B": "RUNNING"},
        "TaskAbortedException",
    )
    assert (play.row("A").failure.message, play.row("A").propagated) == (
        "The task has been manually killed.",
        {"V": "v"},
    )
    play.run()
    assert (play.status(), play.counters()) == ("FINISHED", {"total": 2, "finished": 2})


def test_kill_task_that_waits(stage, task, failed):
    """Tasks that wait for a slot, a retry, a person or a start time can be killed; not those that wait for parents."""
    play = stage(slots=2)
    late = {"START_AT": "2100-01-01T00:00:00Z"}
    play.submit(
        task("Again", **_RETRY),
        task("Bad", on_error=ErrorPolicy.SUSPEND_TASK),
        task("Late", generic_information=late),
        task("Child", "Again", "Bad", "Late", "Queued"),
        task("Queued"),
    )
    play.end("Again", failure=failed())
    play.end("Bad", failure=failed())
    play.send_slots()
    play.tell(events.PreemptTask, "Queued", delay=0)
    assert play.statuses() == {
        "Again": "WAITING_ON_ERROR",
        "Bad": "IN_ERROR",
        "Late": "SUBMITTED",
        "Child": "SUBMITTED",
        "Queued": "WAITING_ON_ERROR",
    }
    play.pass_time(1)
    assert play.tell(events.KillTask, "Child") == []
    for name in ("Again", "Bad", "Late", "Queued"):
        play.tell(events.KillTask, name)
        assert play.status(name) == "ABORTED"
    assert play.status("Child") == "PENDING"
    play.tell(events.KillTask, "Child")
    assert play.status() == "FINISHED"


def test_kill_task_under_cancel_job(stage, task):
    """Killing one task of a job with cancelJob cancels the job."""
    play = stage()
    play.submit(task("A", on_error=ErrorPolicy.CANCEL_JOB), task("B"))
    play.pass_time(30)
    commands = play.tell(events.KillTask, "A")
    assert (play.status(), play.statuses()) == ("CANCELED", {"A": "FAULTY", "B": "ABORTED"})
    assert (play.counters(), play.jobs[1].killed_time) == ({"total": 2, "finished": 1, "faulty": 1}, 60)
    assert [command.text for command in commands if isinstance(command, LogLine)] == [
        "The task has been manually killed."
    ]


def test_precious_results_are_noted_as_they_come(stage, task, failed):
    """The job names its tasks with a precious result, copies by their full names, and no killed one."""
    play = stage()
    play.submit(*(task(name, precious_result=name != "C") for name in "ABCD"))
    play.end("B", failure=failed())
    play.end("C")
    assert play.jobs[1].precious == ("B",)
    play.end("A")
    play.tell(events.KillTask, "D")
    assert (play.status(), play.jobs[1].precious) == ("FINISHED", ("B", "A"))


def test_restart_task_costs_an_execution(stage, task):
    """A restarted task waits for the delay and runs again; without executions left it is ABORTED."""
    play = stage()
    play.submit(task("A", max_executions=2))
    play.tell(events.RestartTask, "A")
    assert (play.status("A"), play.machine.next_wakeup, play.row("A").failure.exception) == (
        "WAITING_ON_ERROR",
        play.now + 5_000,
        "TaskRestartedException",
    )
    play.pass_time(5_000)
    assert (play.start_of("A").number, play.row("A").executions_left) == (2, 1)
    play.tell(events.RestartTask, "A", delay=0)
    assert (play.status(), play.status("A")) == ("FINISHED", "ABORTED")


def test_restart_task_without_executions_left_under_cancel_job(stage, task):
    """With cancelJob the last restart cancels the job."""
    play = stage()
    play.submit(task("A"), on_error=ErrorPolicy.CANCEL_JOB)
    play.tell(events.RestartTask, "A")
    assert play.status() == "CANCELED"


def test_preempt_costs_nothing(stage, task):
    """A preempted task runs again with as many executions as before."""
    play = stage()
    play.submit(task("A"))
    play.tell(events.PreemptTask, "A", delay=100)
    assert (play.status("A"), play.row("A").failure.exception) == ("WAITING_ON_ERROR", "TaskPreemptedException")
    play.pass_time(100)
    assert (play.status("A"), play.row("A").executions_left, len(play.killed)) == ("RUNNING", 1, 1)


def test_restart_in_error_tasks(stage, task, failed):
    """Tasks in error run again at a person's word, one or all; they may fail again."""
    play = stage()
    play.submit(task("A"), task("B"), on_error=ErrorPolicy.SUSPEND_TASK)
    play.end("A", failure=failed())
    play.end("B", failure=failed())
    play.tell(events.RestartInErrorTask, "A")
    assert (play.status(), play.status("A")) == ("IN_ERROR", "RUNNING")
    play.end("A", failure=failed())
    assert play.status("A") == "IN_ERROR"
    play.tell(events.RestartAllInErrorTasks)
    assert (play.status(), "JOB_RESTARTED_FROM_ERROR" in play.events()[-6:]) == ("RUNNING", True)
    play.run()
    assert play.status() == "FINISHED"


def test_restart_in_error_in_a_paused_job_waits_for_the_job(stage, task, failed):
    """A job that pauseJob paused stays paused until it is resumed, and is then without errors."""
    play = stage()
    play.submit(task("A"), on_error=ErrorPolicy.PAUSE_JOB)
    play.end("A", failure=failed())
    play.tell(events.RestartInErrorTask, "A")
    assert (play.status(), play.status("A")) == ("PAUSED", "PAUSED")
    play.tell(events.ResumeJob)
    assert (play.status(), play.status("A")) == ("RUNNING", "RUNNING")


def test_resumed_with_a_task_in_error(stage, task, failed):
    """Resuming a job does not settle its errors."""
    play = stage()
    play.submit(task("A"), task("B"), on_error=ErrorPolicy.PAUSE_JOB)
    play.end("A", failure=failed())
    play.tell(events.ResumeJob)
    assert play.status() == "IN_ERROR"


@pytest.mark.parametrize("policy", [ErrorPolicy.SUSPEND_TASK, ErrorPolicy.PAUSE_JOB])
def test_finish_in_error_task(stage, task, failed, policy):
    """A task in error that a person finishes has no exception, hands on what it inherited, and its job goes on."""
    play = stage()
    play.submit(task("A"), task("B", "A"), on_error=policy, variables=(Variable(name="V", value="v"),))
    play.end("A", failure=failed())
    play.tell(events.FinishInErrorTask, "A")
    assert (play.status(), play.statuses()) == ("RUNNING", {"A": "FINISHED", "B": "RUNNING"})
    assert (play.row("A").failure, play.start_of("B").inherited["V"]) == (None, "v")
    assert (play.row("A").in_error_at, play.jobs[1].in_error_at) == (UNSET, UNSET)
    assert "TASK_IN_ERROR_TO_FINISHED" in play.events()


@pytest.mark.parametrize(
    ("job", "tasks", "due"),
    [
        ({"START_AT": "1970-01-01T01:00:10+01:00"}, ({}, {}), (10_000, 10_000)),
        ({"START_AT": "1970-01-01T00:00:10Z"}, ({"START_AT": "1970-01-01T00:00:20Z"}, {}), (20_000, 10_000)),
        ({}, ({"START_AT": "1970-01-01T00:00:10Z"}, {"START_AT": "tomorrow"}), (10_000, 0)),
        ({"START_AT": "1970-01-01T00:00:10"}, ({}, {"START_AT": "1970-01-01T00:00:00Z"}), (0, 0)),
    ],
)
def test_start_at(stage, task, job, tasks, due):
    """START_AT holds a task, or a job's tasks, until its time; without a zone, or unreadable, it is ignored."""
    play = stage()
    names = ("A", "B")
    pairs = zip(names, tasks, strict=True)
    play.submit(*(task(name, generic_information=own) for name, own in pairs), generic_information=job)
    for now in (1_000, 9_999, 10_000, 19_999, 20_000):
        play.pass_time(now - play.now)
        running = [name for name in names if play.status(name) == "RUNNING"]
        assert running == [name for name, start in zip(names, due, strict=True) if start <= now]


def test_start_at_can_be_changed(stage, task):
    """A person may move a job's start time, forth and back, also for tasks that already wait for a slot."""
    play = stage(slots=0)
    play.submit(task("A"))
    play.tell(events.SetStartAt, start_at=50_000)
    assert (play.status("A"), play.machine.next_wakeup) == ("SUBMITTED", 50_000)
    assert play.tell(events.SetStartAt, start_at=50_000) == []
    play.tell(events.SetStartAt, start_at=0)
    assert (play.status("A"), play.machine.next_wakeup, play.jobs[1].start_at) == ("PENDING", None, 0)


def test_remove_a_job_that_runs(stage, task):
    """Removing a living job kills it first; nothing about it is saved any more."""
    play = stage()
    play.submit(task("A"))
    play.tell(events.RemoveJob)
    assert (len(play.killed), play.forgotten, play.jobs, play.machine.jobs()) == (1, [1], {}, ())
    assert play.events()[-1] == "JOB_REMOVE_FINISHED"


def test_remove_a_job_that_ended_before(stage, task):
    """The machine asks to forget also a job that it does not hold any more, and its timer is gone."""
    play = stage()
    play.submit(task("A"), generic_information={"REMOVE_DELAY": "1h"})
    play.run()
    play.tell(events.RemoveJob)
    assert (play.forgotten, play.machine.next_wakeup) == ([1], None)


def test_paused_scheduler_holds_jobs_that_have_not_started(stage, task):
    """While the scheduler is paused, jobs that have started go on and others wait."""
    play = stage(slots=1)
    play.submit(task("A"), task("B", "A"))
    play.submit(task("A"), job_id=2)
    play.send(events.SchedulerCommand, verb="pause")
    play.send_slots(*stage(slots=4).slots)
    assert (play.status("A", 2), play.machine.status.name) == ("PENDING", "PAUSED")
    play.submit(task("A"), job_id=3)
    play.end("A")
    assert (play.status("B"), play.status("A", 2), play.status("A", 3)) == ("RUNNING", "PENDING", "PENDING")
    play.send(events.SchedulerCommand, verb="resume")
    assert (play.status("A", 2), play.status("A", 3)) == ("RUNNING", "RUNNING")
    assert play.send(events.SchedulerCommand, verb="resume") == []


def test_frozen_scheduler_starts_nothing(stage, task):
    """While the scheduler is frozen, running tasks end and none is started."""
    play = stage()
    play.submit(task("A"), task("B", "A"))
    play.send(events.SchedulerCommand, verb="freeze")
    play.end("A")
    assert (play.status("B"), play.status()) == ("PENDING", "STALLED")
    play.send(events.SchedulerCommand, verb="resume")
    assert play.status("B") == "RUNNING"


def test_stopped_and_started(stage, task):
    """A stopped scheduler runs the jobs that it has; a start takes jobs again."""
    play = stage()
    play.submit(task("A"), task("B", "A"))
    play.send(events.SchedulerCommand, verb="stop")
    play.end("A")
    assert (play.status("B"), play.machine.status.name) == ("RUNNING", "STOPPED")
    play.send(events.SchedulerCommand, verb="start")
    assert play.events()[-1] == "STARTED"


def test_killed_scheduler_kills_its_jobs(stage, task):
    """Nothing of them is left to run, now or after a restart."""
    play = stage(slots=1)
    play.submit(task("A"), task("B"))
    play.submit(task("C"), job_id=2)
    play.send(events.SchedulerCommand, verb="kill")
    assert (play.status(), play.status(job_id=2), len(play.killed)) == ("KILLED", "KILLED", 1)
    assert (play.statuses(), play.statuses(2)) == ({"A": "ABORTED", "B": "NOT_STARTED"}, {"C": "NOT_STARTED"})
    assert play.send(events.SchedulerCommand, verb="start") == []
    play.restart()
    assert (play.machine.jobs(), play.running) == ((), {})


def test_an_event_knows_whether_it_changed_anything(stage, task):
    """What timers and other tasks change at the same moment does not count."""
    play = stage(slots=1)
    play.submit(task("A"), task("B", generic_information={"START_AT": "1970-01-01T00:00:05Z"}))

    def changes(kind, **fields):
        play.send(kind, **fields)
        return play.machine.changed

    assert changes(events.ResumeJob, job_id=1) is False
    play.now = 6_000
    assert changes(events.RestartAllInErrorTasks, job_id=1) is False
    assert play.statuses() == {"A": "RUNNING", "B": "PENDING"}
    assert changes(events.RestartInErrorTask, job_id=1, task_id=0) is False
    assert [changes(events.PauseJob, job_id=1) for _ in range(2)] == [True, False]
    assert changes(events.PreemptTask, job_id=1, task_id=1) is False
    assert changes(events.PreemptTask, job_id=1, task_id=0) is True
    assert [changes(events.SetStartAt, job_id=1, start_at=9) for _ in range(2)] == [True, False]
    assert [changes(events.SetPriority, job_id=1, priority=Priority.LOW) for _ in range(2)] == [True, False]
    assert [changes(events.SchedulerCommand, verb="freeze") for _ in range(2)] == [True, False]
    assert [changes(events.KillJob, job_id=1) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("event", "fields", "told"),
    [
        (events.PauseJob, {}, ["JOB_PAUSED"]),
        (events.ResumeJob, {}, ["JOB_RESUMED"]),
        (events.SetPriority, {"priority": Priority.HIGH}, ["JOB_CHANGE_PRIORITY"]),
        (events.SetPriority, {"priority": Priority.NORMAL}, []),
        (events.KillTask, {"name": "A"}, ["TASK_RUNNING_TO_FINISHED"]),
        (events.RestartTask, {"name": "A"}, ["TASK_WAITING_FOR_RESTART"]),
        (events.KillJob, {}, ["TASK_RUNNING_TO_FINISHED"] * 2 + ["JOB_RUNNING_TO_FINISHED"]),
    ],
)
def test_an_action_is_announced(stage, task, event, fields, told):
    """Those who listen hear of it by its own event, and of nothing where it changes nothing."""
    play = stage()
    play.submit(task("A", max_executions=2), task("B"))
    if event is events.ResumeJob:
        play.tell(events.PauseJob)
    play.events()
    play.tell(event, **fields)
    assert play.events() == told
