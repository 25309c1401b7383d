"""Which tasks of a job wait for a decision, and when a wait is over."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client.jobs.decisions import blocked_tasks, is_over
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.errors import UnreadableWorkflow
from proactive_jupyter_kernel.workflow.model import Branch, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SCRIPT = Script(language="bash", code=":")
LETTERS = {
    "f": TaskStatus.FINISHED,
    "e": TaskStatus.IN_ERROR,
    "r": TaskStatus.RUNNING,
    "s": TaskStatus.SUBMITTED,
    "p": TaskStatus.PENDING,
    "h": TaskStatus.PAUSED,
    "w": TaskStatus.WAITING_ON_ERROR,
}


def job_of(states: str, status: JobStatus = JobStatus.IN_ERROR) -> Job:
    """A job of tasks such as ``A=e B=s C#1=r``."""
    tasks = []
    for number, text in enumerate(states.split()):
        name, letter = text.split("=")
        iteration = int(name.split("#")[1]) if "#" in name else 0
        tasks.append(TaskState(id=number, name=name, status=LETTERS[letter], iteration=iteration))
    return Job(info=JobInfo(id=1, name="j", status=status), tasks=tuple(tasks))


def workflow_of(depends: str) -> Workflow:
    """A workflow of tasks such as ``A B:A C:A,B``; ``X?Y,Z,J`` is a branch."""
    tasks = []
    for text in depends.split():
        name, _, parents = text.partition(":")
        name, _, targets = name.partition("?")
        flow = None
        if targets:
            target, otherwise, continuation = targets.split(",")
            flow = Branch(script=SCRIPT, target=target, otherwise=otherwise, continuation=continuation)
        tasks.append(
            Task(name=name, executable=SCRIPT, depends=tuple(parents.split(",")) if parents else (), flow=flow)
        )
    return Workflow(name="j", tasks=tuple(tasks))


@pytest.mark.parametrize(
    ("depends", "states", "blocked", "over"),
    [
        ("A B:A", "A=f B=r", "", False),
        ("A B:A", "A=e B=s", "A B", True),
        ("A B:A C:B", "A=e B=s C=s", "A B C", True),
        ("A B:A C", "A=e B=s C=r", "A B", False),
        ("A B:A C", "A=e B=s C=p", "A B", False),
        ("A B:A C", "A=e B=s C=f", "A B", True),
        ("A B:A C", "A=e B=s C=h", "A B C", True),
        ("A B:A C", "A=e B=s C=w", "A B", False),
        ("X?Y,Z,J Y Z J", "X=e Y=s Z=s J=s", "X Y Z J", True),
        ("A B:A", "A=f A#1=e B=s", "A#1 B", True),
    ],
)
def test_what_can_run_without_a_decision_is_waited_for(depends: str, states: str, blocked: str, over: bool) -> None:
    """An In-Error task blocks what comes after it, by dependencies and branches, and nothing else."""
    job = job_of(states)
    found = blocked_tasks(job, lambda: workflow_of(depends))
    assert (found, is_over(job, (), found)) == (frozenset(blocked.split()), over)


def test_the_definition_is_requested_only_for_a_job_in_error() -> None:
    """Each look at a healthy job costs no request."""
    assert blocked_tasks(job_of("A=r B=s"), lambda: pytest.fail("requested")) == frozenset()


@pytest.mark.parametrize(("states", "blocked"), [("A=e B=s C=r", "A"), ("A=e B=s C=f", "A B")])
def test_without_the_definition_running_tasks_are_waited_for(states: str, blocked: str) -> None:
    """A server may keep the definition from this user."""

    def refuse() -> Workflow:
        raise UnreadableWorkflow("no")

    assert blocked_tasks(job_of(states), refuse) == frozenset(blocked.split())


@pytest.mark.parametrize(
    ("tasks", "over"), [(("A",), True), (("B",), True), (("C",), False), (("A", "B"), True), (("Z",), False)]
)
def test_single_tasks_are_waited_for(tasks: tuple[str, ...], over: bool) -> None:
    """Until each has ended or is blocked."""
    job = job_of("A=e B=s C=r")
    assert is_over(job, tasks, blocked_tasks(job, lambda: workflow_of("A B:A C"))) is over


def test_an_ended_job_is_over() -> None:
    """Whatever its tasks."""
    assert is_over(job_of("A=e", JobStatus.KILLED), ("B",), ())
