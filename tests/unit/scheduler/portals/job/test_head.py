"""The head of the page of a job, what it waits for, and what went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.portals.job.head import head_of, notices_of, went_wrong_of
from proactive_jupyter_kernel.scheduler.portals.job.questions import ACTIONS, question_of
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Notice
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

from .conftest import NOW, Sight, replicas, task


def failed(text: str) -> Failure:
    return Failure(kind=FailureKind.ERROR, exception="TaskException", message=text)


def test_a_running_job_says_since_when_and_how_far_it_is(snapshot: Sight) -> None:
    """State, clock times and counts, and the buttons that make sense."""
    head = head_of(snapshot(replicas(150, failed=(78, 119), running=8)), UTC)
    assert (head.state, head.aside, head.seen) == ("Running", "7.4 s, since 00:16:32", "refreshed 00:16:40")
    assert [(count.text, count.tone) for count in head.counts] == [
        ("143 of 152 done", ""),
        ("2 failed", "bad"),
        ("8 running", "run"),
        ("1 waiting", ""),
    ]
    assert head.actions == ("pause", "again", "xml", "kill")


def test_a_finished_job_with_a_failed_task_is_not_green(snapshot: Sight) -> None:
    """The state says how many failed, and the job can be removed."""
    head = head_of(snapshot(replicas(3, failed=(1,)), JobStatus.FINISHED), UTC)
    assert (head.state, head.tone, head.mark) == ("Finished, 1 task failed", "bad", Mark.BAD)
    assert (head.aside, head.actions) == ("6.4 s, ended 00:16:39", ("again", "xml", "remove"))


def test_a_paused_job_can_be_resumed(snapshot: Sight) -> None:
    """It says what still runs."""
    job = snapshot(replicas(3, running=1), JobStatus.PAUSED)
    assert head_of(job, UTC).actions[0] == "resume"
    assert [notice.text for notice in notices_of(job, {}, UTC)] == [
        "No more tasks start; work*2 runs to the end. Resume continues the job."
    ]


def test_a_job_that_waits_says_for_what(snapshot: Sight) -> None:
    """The reason of the resource manager, or the time from which it may start."""
    job = snapshot((task(0, "a", TaskStatus.PENDING),), JobStatus.PENDING, start_at=NOW + 60_000)
    assert notices_of(job, {"a": "The only node is busy."}, UTC) == (
        Notice(mark=Mark.HELD, head="Starts at 00:17:40.", text="START_AT says so."),
        Notice(mark=Mark.HELD, head="a waits: the only node is busy.", text=""),
    )


def test_errors_of_one_kind_stand_together(snapshot: Sight) -> None:
    """Two replicas with the same error are one group, another error is its own."""
    tasks = list(replicas(20, failed=(3, 4, 5)))
    for number, text in ((3, "ValueError: tile 3 is empty"), (4, "ValueError: tile 4 is empty"), (5, "KeyError: 'x'")):
        tasks[number + 1] = task(number + 1, f"work*{number}", TaskStatus.FAULTY, failure=failed(text))
    wrong = went_wrong_of(snapshot(tuple(tasks)))
    assert wrong is not None
    assert [(group.tasks, group.line) for group in wrong.groups] == [
        ("work*3 and work*4", "ValueError: tile 3 is empty"),
        ("work*5", "KeyError: 'x'"),
    ]
    assert (wrong.more, wrong.in_error) == ("", 0)
    assert went_wrong_of(snapshot(replicas(3))) is None


def test_an_error_has_its_place(snapshot: Sight) -> None:
    """The cell where the text names one, else the line of the script."""
    script = 'Traceback (most recent call last):\n  File "<task a>", line 4, in <module>\n    f()\nKeyError: 1'
    cell = "Traceback (most recent call last):\n  Cell In[2], line 3, in <module>\n    f()\nKeyError: 2"
    failures = [replace(failed("Failed"), stack_trace=text) for text in (script, cell)]
    tasks = tuple(task(n, f"t{n}", TaskStatus.FAULTY, failure=each) for n, each in enumerate(failures))
    wrong = went_wrong_of(snapshot(tasks))
    assert wrong is not None
    assert [group.place for group in wrong.groups] == ["line 4 of the script", "cell [2], line 3"]


def test_questions_say_what_is_lost_and_have_a_safe_answer(snapshot: Sight) -> None:
    """Each question of the table can be asked, names what it is about, and offers not to do it."""
    job = snapshot(replicas(150, failed=(78, 119), running=8))
    asked = {name: question_of(name, job, "work*149" if action.on_task else "") for name, action in ACTIONS.items()}
    found = {name: (one.head, one.text, one.no) for name, one in asked.items() if one is not None}
    assert found == {
        "kill": (
            "Kill job 31?",
            "8 running tasks stop at once. 1 task will not run. Results and output of the 143 ended tasks stay.",
            "Keep it running",
        ),
        "remove": (
            "Remove job 31?",
            "Its results, output and history are deleted. This cannot be undone.",
            "Keep it",
        ),
        "finish-in-error": (
            "Mark task work*149 as finished?",
            "Its error is dropped. The tasks that depend on it start with an empty result. This cannot be undone.",
            "Leave it in error",
        ),
        "restart-task": (
            "Restart task work*149?",
            "5.0 s of work are lost; the task begins again.",
            "Keep it running",
        ),
        "kill-task": (
            "Kill task work*149?",
            "It stops at once. The tasks that depend on it run without its result.",
            "Keep it running",
        ),
    }
    assert question_of("kill-task", job, "nobody") is None
    assert question_of("pause", job) is None
