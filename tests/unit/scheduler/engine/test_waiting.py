"""Which tasks wait, and why, as people at the nodes page read it."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks, waiting_tasks

SLOTS = (Slot(name="a0"), Slot(name="a1", tokens=("gold",)))


def test_tasks_of_one_reason_are_reported_together(stage, task):
    """Tasks of a job that wait for the same thing are one entry; running and later tasks are none."""
    play = stage(slots=SLOTS)
    play.submit(task("R", runs=True), task("W", "R"), task("M", "W"))
    play.end("R", 4)

    assert play.machine.waiting() == (
        (
            WaitingTasks(
                job_id=1,
                job_name="job",
                task="W*1",
                count=3,
                reason="The only node is busy.",
                since=play.row("W*1").scheduled_at,
            ),
        ),
        True,
    )


def test_reason_names_what_no_slot_fulfils(stage, task):
    """A token that no slot has, and a time that has not come."""
    play = stage(slots=SLOTS)
    play.submit(task("A", generic_information={"NODE_ACCESS_TOKEN": "red"}))
    play.submit(task("B"), job_id=2, generic_information={"START_AT": "2100-01-01T00:00:00+00:00"})

    found, _ = play.machine.waiting()

    assert [(each.job_id, each.task, each.reason, each.until) for each in found] == [
        (
            1,
            "A",
            "No node of the scheduler has the token 'red' (NODE_ACCESS_TOKEN). The tokens of its nodes: gold.",
            -1,
        ),
        (2, "B", "", 4_102_444_800_000),
    ]


def test_scheduler_that_starts_nothing_holds_tasks(stage, task):
    """The state of the scheduler is the reason, though slots are free."""
    play = stage(slots=SLOTS)
    play.send(events.SchedulerCommand, verb="freeze")
    play.submit(task("A"))

    found, _ = play.machine.waiting()

    assert [(each.task, each.reason, each.held) for each in found] == [("A", "", True)]


def test_look_is_bounded(stage, task):
    """With more tasks than one look takes, it says that these are not all."""
    play = stage(slots=SLOTS)
    play.submit(*(task(f"T{number}") for number in range(10)))

    found, whole = waiting_tasks(play.machine._core, most=4)

    assert ([(each.task, each.count) for each in found], whole) == ([("T1", 4)], False)


def test_holder_is_known_while_its_job_lives(stage, task):
    """What a slot runs is told from memory."""
    play = stage(slots=SLOTS)
    play.submit(task("A"))
    (state, _) = play.machine.slots
    job, running = play.machine.holder(state.holder)
    play.end("A")

    assert (job.name, running.name, play.machine.holder(state.holder)) == ("job", "A", None)
