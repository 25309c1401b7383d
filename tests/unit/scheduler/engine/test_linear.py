"""Jobs without control flow: order, counters, statuses, results and variables of parents."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.commands import SaveJob, SaveTask
from proactive_jupyter_kernel.workflow.model import Priority, Variable


def test_job_goes_through_its_statuses_and_counters(stage, task):
    """A job counts its tasks as they start and end, is stalled while nothing runs, and finishes with the last."""
    play = stage(slots=0)
    play.submit(task("A"), task("B", "A"))
    assert (play.status(), play.counters(), play.statuses()) == (
        "PENDING",
        {"total": 2},
        {"A": "PENDING", "B": "SUBMITTED"},
    )
    play.send_slots(Slot(name="one"))
    assert (play.status(), play.counters()) == ("RUNNING", {"total": 2, "pending": 1, "running": 1})
    play.send_slots()
    play.end("A")
    assert (play.status(), play.counters()) == ("STALLED", {"total": 2, "pending": 1, "finished": 1})
    play.send_slots(Slot(name="one"))
    assert play.status() == "RUNNING"
    play.end("B", duration=7)
    assert (play.status(), play.counters()) == ("FINISHED", {"total": 2, "finished": 2})
    assert (play.row("B").duration, play.row("B").progress, play.row("B").slot) == (7, 100, "one")


def test_events_of_a_whole_life(stage, task):
    """Listeners hear of a job and its task in the words of the REST API."""
    play = stage()
    play.submit(task("A"))
    play.run()
    assert play.events() == [
        "JOB_SUBMITTED",
        "TASK_VARIABLES_UPDATED",
        "JOB_PENDING_TO_RUNNING",
        "TASK_PENDING_TO_RUNNING",
        "TASK_RUNNING_TO_FINISHED",
        "JOB_RUNNING_TO_FINISHED",
    ]


def test_events_have_the_state_of_their_moment(stage, task):
    """Of the job, its tasks and the task, also where the same event of the machine changes them again."""
    play = stage()
    play.submit(task("A"))
    play.end("A")
    told = [
        (
            announcement.event,
            announcement.job.status.name if announcement.task_id is None else "",
            announcement.task.status.name if announcement.task else "",
            *(each.status.name for each in announcement.tasks),
        )
        for announcement in play.announced
    ]
    assert told == [
        ("JOB_SUBMITTED", "PENDING", "", "SUBMITTED"),
        ("TASK_VARIABLES_UPDATED", "", "PENDING"),
        ("JOB_PENDING_TO_RUNNING", "RUNNING", "", "RUNNING"),
        ("TASK_PENDING_TO_RUNNING", "", "RUNNING"),
        ("TASK_RUNNING_TO_FINISHED", "", "FINISHED"),
        ("JOB_RUNNING_TO_FINISHED", "FINISHED", "", "FINISHED"),
    ]


def test_ended_job_is_forgotten_by_the_machine(stage, task):
    """The machine holds jobs that are alive and no others."""
    play = stage()
    play.submit(task("A"))
    assert play.machine.job(1).name == "job"
    assert [row.name for row in play.machine.tasks(1)] == ["A"]
    assert play.machine.task(1, "A").status.name == "RUNNING"
    play.run()
    assert play.machine.jobs() == ()
    for question in (play.machine.job, play.machine.tasks):
        try:
            question(1)
        except KeyError:
            continue
        raise AssertionError("an ended job is still there")


def test_only_changed_rows_are_saved(stage, task):
    """The end of one task touches its own row, its children's and the job's."""
    play = stage()
    play.submit(task("A"), task("B", "A"), task("C", "B"), task("D"))
    commands = play.end("A")
    saved = [command.task.name for command in commands if isinstance(command, SaveTask)]
    assert (sorted(saved), sum(isinstance(command, SaveJob) for command in commands)) == (["A", "B"], 1)


def test_an_event_without_effect_gives_no_command(stage, task):
    """Stale reports and requests that do not fit change nothing."""
    play = stage()
    play.submit(task("A"), task("B", "A"))
    late = {"job_id": 1, "task_id": 0, "number": 9}
    assert play.send(events.AttemptEnded, **late) == []
    assert play.send(events.AttemptEnded, **{**late, "task_id": 1}) == []
    assert play.send(events.AttemptEnded, **{**late, "task_id": 77}) == []
    assert play.send(events.AttemptEnded, **{**late, "job_id": 77}) == []
    assert play.send(events.ProgressMade, **late, progress=5) == []
    for request in (events.ResumeJob, events.RestartAllInErrorTasks):
        assert play.tell(request) == []
    for request in (events.FinishInErrorTask, events.RestartInErrorTask):
        assert play.tell(request, "A") == []
    for request in (events.KillTask, events.RestartTask, events.PreemptTask):
        assert play.tell(request, "B") == []
    assert play.send(events.TimePassed) == []


def test_order_is_priority_then_job_then_task(stage, task):
    """One slot serves the higher priority first, then the older job, then the lower task id."""
    play = stage(slots=0)
    for job_id, priority in ((1, Priority.LOW), (2, Priority.NORMAL), (3, Priority.NORMAL)):
        play.submit(task("A"), task("B"), job_id=job_id, priority=priority)
    play.tell(events.SetPriority, job_id=1, priority=Priority.NORMAL)
    play.tell(events.SetPriority, job_id=3, priority=Priority.HIGHEST)
    play.send_slots(Slot(name="one"))
    order = []
    while play.running:
        ((job_id, task_id),) = play.running
        order.append((job_id, task_id))
        play.end("AB"[task_id], job_id=job_id)
    assert order == [(3, 0), (3, 1), (1, 0), (1, 1), (2, 0), (2, 1)]


def test_results_follow_the_order_of_dependencies(stage, task):
    """`results` has the parents in the order of the XML; one that is listed twice counts once."""
    play = stage()
    play.submit(task("A"), task("B"), task("C", "B", "A", "B"))
    play.run()
    assert play.results("C") == "B A"


def test_variables_the_last_parent_wins(stage, task):
    """Children see the job's variables under their parents', and of several parents the last one's, even if it merely
    passes on what it inherited."""
    play = stage()
    job_variables = (Variable(name="V", value="old"), Variable(name="W", value="w"), Variable(name="V", value="job"))
    play.submit(task("A"), task("B"), task("C", "A", "B"), task("D", "B", "A"), variables=job_variables)
    # A task hands on all of its variables, its own name too.
    play.end("A", variables={"V": "a", "X": 1, "PA_TASK_ID": "0", "PA_TASK_NAME": "A"})
    play.end("B", variables={"V": "job", "W": "w"})
    system = {"PA_JOB_ID": "1", "PA_JOB_NAME": "job", "PA_TASK_ITERATION": 0, "PA_TASK_REPLICATION": 0}
    assert play.start_of("A").inherited == {**system, "PA_TASK_ID": "0", "PA_TASK_NAME": "A", "V": "job", "W": "w"}
    seen = {"V": "job", "W": "w", "X": 1}
    assert play.start_of("C").inherited == {**system, "PA_TASK_ID": "2", "PA_TASK_NAME": "C", **seen}
    assert play.start_of("D").inherited == {**system, "PA_TASK_ID": "3", "PA_TASK_NAME": "D", **seen, "V": "a"}


def test_progress_is_kept_within_its_bounds(stage, task):
    """A task's progress goes from 0 to 100, and the same report twice changes nothing."""
    play = stage()
    play.submit(task("A"))
    play.tell(events.ProgressMade, "A", number=1, progress=40)
    assert (play.row("A").progress, play.events()[-1]) == (40, "TASK_PROGRESS")
    assert play.tell(events.ProgressMade, "A", number=1, progress=40) == []
    play.tell(events.ProgressMade, "A", number=1, progress=400)
    assert play.row("A").progress == 100
