"""What went wrong in a job: groups of tasks with the same error, and what each did to other tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from proactive_jupyter_kernel.workflow.display.marks import Mark, task_mark, task_word
from proactive_jupyter_kernel.workflow.display.records import ErrorGroup, Failure, Task
from proactive_jupyter_kernel.workflow.display.relations import Relations, names_text
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.display.wording import attempts
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["MAX_GROUPS", "Advice", "error_groups", "failed_tasks"]

#: Maximum number of kinds of errors to list; the others are counted.
MAX_GROUPS = 5
#: Characters of an error line, and of a traceback, that are shown.
MAX_LINE = 400
MAX_TRACE = 6_000

_NUMBER = re.compile(r"\d+")
_AnyTask = TypeVar("_AnyTask", bound=Task)


class Advice:
    """What to do about errors, as sentences: nothing, for those who show buttons instead."""

    def decision(self, task: Task) -> tuple[str, ...]:
        """A task in error waits for a decision."""
        return ()

    def again(self, task: Task, failure: Failure, policy: str) -> tuple[str, ...]:
        """The job has ended with the failure of a task."""
        return ()

    def unread(self, tasks: Sequence[Task]) -> tuple[str, ...]:
        """The errors of these tasks were not read."""
        return ()


def failed_tasks(tasks: Iterable[_AnyTask]) -> list[_AnyTask]:
    """The tasks that failed by themselves: not those that the end of the job stopped, unless nothing else failed."""
    return [task for task in tasks if task_mark(task.status) in (Mark.BAD, Mark.IN_ERROR)]


def error_groups(
    failures: Mapping[str, Failure], relations: Relations, *, advice: Advice | None = None, most: int = MAX_GROUPS
) -> tuple[tuple[ErrorGroup, ...], str]:
    """The groups, and a phrase on those that are left out. `failures` has the errors that were read, by full name."""
    found = _Groups(failures, relations, advice or Advice())
    groups: dict[tuple[str, str], list[Task]] = {}
    unread: dict[str, list[Task]] = {}
    for task in found.failed:
        if task.name in failures:
            groups.setdefault(_kind(failures[task.name], task), []).append(task)
        else:
            # A task whose error was not read most likely failed as its kin did.
            unread.setdefault(task.base_name, []).append(task)
    listed = sorted(groups.values(), key=lambda tasks: (found.rank(tasks), -len(tasks)))
    told: set[str] = set()
    shown = []
    for tasks in listed[:most]:
        base = tasks[0].base_name
        shown.append(found.group(tasks, first=base not in told, only=len(listed) == 1))
        told.add(base)
    for base, tasks in list(unread.items())[: most - len(shown)]:
        shown.append(found.unread_group(base, tasks))
        del unread[base]
    return tuple(shown), _left_out(listed[most:], unread)


def _kind(failure: Failure, task: Task) -> tuple[str, str]:
    """Errors that differ in numbers alone are of one kind."""
    return task.base_name, _NUMBER.sub("0", failure.line)


def _left_out(groups: Sequence[Sequence[Task]], unread: dict[str, list[Task]]) -> str:
    kinds, tasks = len(groups) + len(unread), sum(map(len, [*groups, *unread.values()]))
    if not kinds:
        return ""
    return f"and {kinds:,} more kind{'s' * (kinds > 1)} of errors in {tasks:,} task{'s' * (tasks > 1)}"


class _Groups:
    """Groups of failed tasks of one job."""

    def __init__(self, failures: Mapping[str, Failure], relations: Relations, advice: Advice) -> None:
        self._failures = failures
        self._relations = relations
        self._advice = advice
        self._job = relations.job
        self.failed = failed_tasks(self._job.tasks)

    def rank(self, tasks: Sequence[Task]) -> int:
        """Errors that need a decision, or canceled the job, come first."""
        if any(task.status is TaskStatus.IN_ERROR for task in tasks):
            return 0
        policy = self._relations.policy(tasks[0].base_name)
        return 0 if self._job.status is JobStatus.CANCELED and policy == "cancel" else 1

    def group(self, tasks: Sequence[Task], *, first: bool, only: bool) -> ErrorGroup:
        """Other tasks that a failure affected are shown in its first group, advice only if there is a single group."""
        failures = [self._failures[task.name] for task in tasks]
        one = failures[0]
        effects, advice = self._consequences(tasks)
        return ErrorGroup(
            tasks=names_text(task.name for task in tasks),
            how=_how(tasks, failures),
            line=_cut(one.line) or "The task left no message.",
            mark=task_mark(tasks[0].status),
            place=one.place,
            code=one.code,
            effects=effects if first else (),
            advice=(*([one.hint] if one.hint else []), *(advice if only else ())),
            trace=_shortened(one.trace) if one.trace.strip() != one.line.strip() else "",
            first=tasks[0].name,
        )

    def unread_group(self, base: str, tasks: Sequence[Task]) -> ErrorGroup:
        """Tasks of one name whose errors were not read."""
        word = task_word(tasks[0].status)
        return ErrorGroup(
            tasks=names_text(task.name for task in tasks),
            how=f"{len(tasks):,} tasks of {base}: {word}" if len(tasks) > 1 else word,
            line="",
            mark=task_mark(tasks[0].status),
            advice=self._advice.unread(tasks),
            first=tasks[0].name,
        )

    def _consequences(self, tasks: Sequence[Task]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the failure did to other tasks, and what can be done."""
        job, relations = self._job, self._relations
        base = tasks[0].base_name
        policy = relations.policy(base)
        why = f" (on_error={policy})" if policy else ""
        if any(task.status is TaskStatus.IN_ERROR for task in tasks):
            return _held_up(relations, tasks[0], why), self._advice.decision(tasks[0])
        failed = sum(task.base_name == base for task in self.failed)
        if not job.ended:
            return _still_running(relations, base, failed, why), ()
        effects: list[str] = []
        stopped = [task.name for task in job.tasks if task.status is TaskStatus.ABORTED]
        missing = [task.name for task in job.tasks if task.status is TaskStatus.NOT_STARTED]
        if missing and job.status is JobStatus.CANCELED and policy in ("cancel", ""):
            effects.append(f"Because of it{why} {names_text(missing)} did not start.")
        if stopped and job.status is JobStatus.CANCELED and policy in ("cancel", ""):
            effects.append(f"{names_text(stopped)} {'was' if len(stopped) == 1 else 'were'} stopped.")
        effects += _ran_on(relations, base, why, failed=failed)
        if job.status is JobStatus.KILLED:
            return tuple(effects), ()
        return tuple(effects), self._advice.again(tasks[0], self._failures[tasks[0].name], policy)


def _how(tasks: Sequence[Task], failures: Sequence[Failure]) -> str:
    if len(tasks) > 1:
        same = len({failure.line for failure in failures}) == 1
        return f"{len(tasks):,} tasks, {'the same error' if same else 'errors of one kind'}"
    task = tasks[0]
    tried, allowed = attempts(task), task.max_executions
    words = task_word(task.status)
    if task.status is TaskStatus.IN_ERROR or tried < allowed:
        return f"{words} after {tried} of {allowed} attempt{'s' * (allowed > 1)}"
    ran = f" after {duration(task.duration)}" if task.duration >= 0 else ""
    return f"{words}{ran}, {tried} attempt{'s' * (tried > 1)}"


def _ran_on(relations: Relations, base: str, why: str, *, failed: int) -> list[str]:
    """The tasks that ran though a parent had failed."""

    def ran(name: str) -> bool:
        return any(task.status is TaskStatus.FINISHED for task in relations.by_base.get(name, ()))

    direct = [name for name in relations.children(base) if ran(name)]
    if not direct:
        return []
    later = [name for name in relations.below([base]) if ran(name) and name not in direct]
    text = f"{names_text(direct)} ran nevertheless{why} and got {_received(relations, base, failed)}"
    text += f"; {names_text(later)} ran after that" if later else ""
    return [f"{text}. Check what they made." if later or len(direct) > 1 else f"{text}. Check what it made."]


def _still_running(relations: Relations, base: str, failed: int, why: str) -> tuple[str, ...]:
    children = [name for name in relations.children(base) if name in relations.by_base]
    if not children:
        return (f"The job continues{why}.",)
    verb = "gets" if len(children) == 1 else "get"
    return (f"The job continues{why}; {names_text(children)} {verb} {_received(relations, base, failed)}.",)


def _received(relations: Relations, base: str, failed: int) -> str:
    """What the children of a task get where it, or some of its copies, failed."""
    total = len(relations.by_base.get(base, ()))
    if total <= 1:
        return "the error in place of a result"
    return f"{total - failed:,} results and {failed:,} error{'s' * (failed > 1)}"


def _held_up(relations: Relations, task: Task, why: str) -> tuple[str, ...]:
    effects = [f"The job waits for a decision{why}."]
    below = [name for name in relations.below([task.base_name]) if name in relations.by_base]
    if below:
        effects.append(f"{names_text(below)} {'waits' if len(below) == 1 else 'wait'} for {task.name}.")
    return tuple(effects)


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"


def _shortened(trace: str) -> str:
    """The beginning and the end of a traceback that is too long for a card."""
    trace = trace.strip("\n")
    if len(trace) <= MAX_TRACE:
        return trace
    return f"{trace[: MAX_TRACE // 3]}\n…\n{trace[-MAX_TRACE * 2 // 3 :]}"
