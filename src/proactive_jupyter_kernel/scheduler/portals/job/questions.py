"""What can be done to a job and its tasks, and the question before what cannot be undone. Pure.

Every question has a safe answer, which gets the focus. What loses nothing is done without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, TaskSnapshot
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.display.wording import run_time
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["ACTIONS", "Action", "Question", "question_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asked before an action; its answers are buttons."""

    #: A key of `ACTIONS`.
    action: str
    #: The task that it is about; empty: the job.
    task: str
    head: str
    text: str
    #: The button that does it, and the one that does not.
    yes: str
    no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a button does."""

    #: On the button; three dots where a question follows.
    label: str
    #: What was done, as a sentence with ``{job}`` and ``{task}``; and what to say where that changed nothing.
    done: str
    unchanged: str
    #: None: it is done at once.
    ask: Callable[[JobSnapshot, TaskSnapshot | None], Question] | None = None
    #: Whether it is about one task.
    on_task: bool = False


def question_of(action: str, snapshot: JobSnapshot, task: str = "") -> Question | None:
    """The question before an action; None where there is none to ask, or the task is not there."""
    known = ACTIONS.get(action)
    if known is None or known.ask is None:
        return None
    found = snapshot.by_name.get(task)
    if known.on_task and found is None:
        return None
    return known.ask(snapshot, found)


def _kill(snapshot: JobSnapshot, task: TaskSnapshot | None) -> Question:
    running = sum(one.status is TaskStatus.RUNNING for one in snapshot.tasks)
    ended = sum(one.ended for one in snapshot.tasks)
    left = len(snapshot.tasks) - running - ended
    parts = [f"{_tasks(running, 'running')} {'stops' if running == 1 else 'stop'} at once."] if running else []
    parts += [f"{_tasks(left, '')} will not run."] if left else []
    parts += [f"Results and output of the {_tasks(ended, 'ended')} stay."] if ended else []
    return Question(
        action="kill",
        task="",
        head=f"Kill job {snapshot.id}?",
        text=" ".join(parts),
        yes=f"Kill job {snapshot.id}",
        no="Keep it running" if running or ended else "Keep it",
    )


def _tasks(number: int, kind: str) -> str:
    return f"{number:,} {kind} task{'s' * (number != 1)}".replace("  ", " ")


def _remove(snapshot: JobSnapshot, task: TaskSnapshot | None) -> Question:
    return Question(
        action="remove",
        task="",
        head=f"Remove job {snapshot.id}?",
        text="Its results, output and history are deleted. This cannot be undone.",
        yes=f"Remove job {snapshot.id}",
        no="Keep it",
    )


def _kill_task(snapshot: JobSnapshot, task: TaskSnapshot | None) -> Question:
    assert task is not None
    stops = "It stops at once" if task.status is TaskStatus.RUNNING else "It will not run"
    follows = "The tasks that depend on it run without its result."
    if snapshot.relations.policy(task.base_name) == "cancel":
        follows = "The whole job is canceled with it (on_error=cancel)."
    return Question(
        action="kill-task",
        task=task.name,
        head=f"Kill task {task.name}?",
        text=f"{stops}. {follows}",
        yes="Kill the task",
        no="Keep it running" if task.status is TaskStatus.RUNNING else "Keep it",
    )


def _restart_task(snapshot: JobSnapshot, task: TaskSnapshot | None) -> Question:
    assert task is not None
    ran = f"{duration(run_time(task, snapshot.seen_at))} of work are" if task.started_at > 0 else "The work so far is"
    attempts = f" It uses one of the {task.max_executions} attempts." if task.max_executions > 1 else ""
    return Question(
        action="restart-task",
        task=task.name,
        head=f"Restart task {task.name}?",
        text=f"{ran} lost; the task begins again.{attempts}",
        yes="Restart the task",
        no="Keep it running",
    )


def _finish(snapshot: JobSnapshot, task: TaskSnapshot | None) -> Question:
    assert task is not None
    return Question(
        action="finish-in-error",
        task=task.name,
        head=f"Mark task {task.name} as finished?",
        text="Its error is dropped. The tasks that depend on it start with an empty result. This cannot be undone.",
        yes="Mark as finished",
        no="Leave it in error",
    )


ACTIONS: Mapping[str, Action] = {
    "pause": Action(
        label="Pause",
        done="Paused job {job}. Running tasks run to their end; no more tasks start.",
        unchanged="Job {job} was not paused: it is paused already, or has ended.",
    ),
    "resume": Action(
        label="Resume", done="Resumed job {job}.", unchanged="Job {job} was not resumed: it is not paused."
    ),
    "kill": Action(
        label="Kill…", done="Killed job {job}.", unchanged="Job {job} had ended before it was killed.", ask=_kill
    ),
    "remove": Action(
        label="Remove…", done="Removed job {job}.", unchanged="Job {job} was removed already.", ask=_remove
    ),
    "restart-all-in-error": Action(
        label="Restart the tasks in error",
        done="Restarted the tasks in error of job {job}.",
        unchanged="No task of job {job} is in error.",
    ),
    "priority": Action(
        label="Set priority",
        done="Changed the priority of job {job}.",
        unchanged="The priority of job {job} was not changed.",
    ),
    "restart-in-error": Action(
        label="Restart",
        done="Restarted task {task}.",
        unchanged="Task {task} was not restarted: it is not in error.",
        on_task=True,
    ),
    "finish-in-error": Action(
        label="Mark as finished…",
        done="Marked task {task} as finished.",
        unchanged="Task {task} was not changed: it is not in error.",
        ask=_finish,
        on_task=True,
    ),
    "restart-task": Action(
        label="Restart…",
        done="Restarted task {task}.",
        unchanged="Task {task} was not restarted: it does not run.",
        ask=_restart_task,
        on_task=True,
    ),
    "kill-task": Action(
        label="Kill…",
        done="Killed task {task}.",
        unchanged="Task {task} had ended before it was killed.",
        ask=_kill_task,
        on_task=True,
    ),
}
