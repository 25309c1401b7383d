"""What went wrong in a job: groups of tasks with the same error, what each did to other tasks, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.notebook.card.facts import Facts, Failure
from proactive_jupyter_kernel.notebook.card.marks import Mark, task_mark, task_word
from proactive_jupyter_kernel.notebook.card.model import ErrorGroup
from proactive_jupyter_kernel.notebook.card.relations import Relations, names_text
from proactive_jupyter_kernel.notebook.card.times import duration
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["MAX_GROUPS", "attempts", "error_groups", "failed_tasks"]

#: Maximum number of kinds of errors to list; the others are counted.
MAX_GROUPS = 5
#: Characters of an error line, and of a traceback, that are shown.
MAX_LINE = 400
MAX_TRACE = 6_000

_NUMBER = re.compile(r"\d+")
_CELL = re.compile(r"cell \[(\d+)\]")


def failed_tasks(facts: Facts) -> list[TaskState]:
    """The tasks that failed by themselves: not those that the end of the job stopped, unless nothing else failed."""
    return [task for task in facts.job.tasks if task_mark(task) in (Mark.BAD, Mark.IN_ERROR)]


def attempts(task: TaskState) -> int:
    """How often the task was started, the present attempt included."""
    used = task.max_executions - max(task.executions_left, 0)
    running = task.status is TaskStatus.RUNNING
    return max(1, min(used + running, task.max_executions))


def error_groups(facts: Facts, relations: Relations) -> tuple[tuple[ErrorGroup, ...], str]:
    """The groups, and a phrase on those that are left out."""
    failed = failed_tasks(facts)
    known = [task for task in failed if task.name in facts.failures]
    groups: dict[tuple[str, str], list[TaskState]] = {}
    for task in known:
        groups.setdefault(_kind(facts.failures[task.name], task), []).append(task)
    unread: dict[str, list[TaskState]] = {}
    for task in failed:
        if task.name not in facts.failures:
            unread.setdefault(task.base_name, []).append(task)
    # A task whose error was not read most likely failed as its kin did.
    listed = sorted(groups.values(), key=lambda tasks: (_rank(facts, relations, tasks), -len(tasks)))
    told: set[str] = set()
    shown = []
    for tasks in listed[:MAX_GROUPS]:
        base = tasks[0].base_name
        shown.append(_group(facts, relations, tasks, first=base not in told, only=len(listed) == 1))
        told.add(base)
    for base, tasks in list(unread.items())[: MAX_GROUPS - len(shown)]:
        shown.append(_unread_group(base, tasks))
        del unread[base]
    return tuple(shown), _left_out(listed[MAX_GROUPS:], unread)


def _rank(facts: Facts, relations: Relations, tasks: Sequence[TaskState]) -> int:
    """Errors that need a decision, or canceled the job, come first."""
    if any(task.status is TaskStatus.IN_ERROR for task in tasks):
        return 0
    canceled = facts.job.status is JobStatus.CANCELED and relations.policy(tasks[0].base_name) == "cancel"
    return 0 if canceled else 1


def _kind(failure: Failure, task: TaskState) -> tuple[str, str]:
    """Errors that differ in numbers alone are of one kind."""
    return task.base_name, _NUMBER.sub("0", failure.line)


def _left_out(groups: Sequence[Sequence[TaskState]], unread: dict[str, list[TaskState]]) -> str:
    kinds, tasks = len(groups) + len(unread), sum(map(len, [*groups, *unread.values()]))
    if not kinds:
        return ""
    return f"and {kinds:,} more kind{'s' * (kinds > 1)} of errors in {tasks:,} task{'s' * (tasks > 1)}"


def _group(facts: Facts, relations: Relations, tasks: Sequence[TaskState], *, first: bool, only: bool) -> ErrorGroup:
    """The effect of a failure on other tasks is shown in its first group, advice only if there is a single group."""
    failures = [facts.failures[task.name] for task in tasks]
    one = failures[0]
    mark = task_mark(tasks[0])
    effects, advice = _consequences(facts, relations, tasks)
    return ErrorGroup(
        tasks=names_text(task.name for task in tasks),
        how=_how(tasks, failures),
        line=_cut(one.line) or "The task left no message.",
        mark=mark,
        place=one.place,
        code=one.code,
        effects=effects if first else (),
        advice=(*([one.hint] if one.hint else []), *(advice if only else ())),
        trace=_shortened(one.trace) if one.trace.strip() != one.line.strip() else "",
    )


def _unread_group(base: str, tasks: Sequence[TaskState]) -> ErrorGroup:
    wrote = "the first of them" if len(tasks) > 1 else "it"
    return ErrorGroup(
        tasks=names_text(task.name for task in tasks),
        how=f"{len(tasks):,} tasks of {base}: {task_word(tasks[0])}" if len(tasks) > 1 else task_word(tasks[0]),
        line="",
        mark=task_mark(tasks[0]),
        advice=(f"`#%print_task_output(task_name={tasks[0].name})` shows what {wrote} wrote.",),
    )


def _how(tasks: Sequence[TaskState], failures: Sequence[Failure]) -> str:
    if len(tasks) > 1:
        same = len({failure.line for failure in failures}) == 1
        return f"{len(tasks):,} tasks, {'the same error' if same else 'errors of one kind'}"
    task = tasks[0]
    tried, allowed = attempts(task), task.max_executions
    words = task_word(task)
    if task.status is TaskStatus.IN_ERROR or tried < allowed:
        return f"{words} after {tried} of {allowed} attempt{'s' * (allowed > 1)}"
    ran = f" after {duration(task.duration)}" if task.duration >= 0 else ""
    return f"{words}{ran}, {tried} attempt{'s' * (tried > 1)}"


def _consequences(
    facts: Facts, relations: Relations, tasks: Sequence[TaskState]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the failure did to other tasks, and what can be done."""
    job = facts.job
    base = tasks[0].base_name
    policy = relations.policy(base)
    why = f" (on_error={policy})" if policy else ""
    if any(task.status is TaskStatus.IN_ERROR for task in tasks):
        return _in_error(facts, relations, tasks[0], why)
    if not job.ended:
        failed = sum(task.base_name == base for task in failed_tasks(facts))
        return _still_running(relations, base, failed, why), ()
    effects: list[str] = []
    stopped = [task.name for task in job.tasks if task.status is TaskStatus.ABORTED]
    missing = [task.name for task in job.tasks if task.status is TaskStatus.NOT_STARTED]
    if missing and job.status is JobStatus.CANCELED and policy in ("cancel", ""):
        effects.append(f"Because of it{why} {names_text(missing)} did not start.")
    if stopped and job.status is JobStatus.CANCELED and policy in ("cancel", ""):
        effects.append(f"{names_text(stopped)} {'was' if len(stopped) == 1 else 'were'} stopped.")
    effects += _ran_on(relations, base, why, failed=sum(task.base_name == base for task in failed_tasks(facts)))
    return tuple(effects), _try_again(facts, relations, tasks[0], policy)


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


def _in_error(facts: Facts, relations: Relations, task: TaskState, why: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    job_id = facts.job.id
    ways = [
        f"`#%{name}({arguments})` {effect}"
        for name, arguments, effect in (
            ("restart_task", f"task_name={task.name}, job_id={job_id}", "runs it again"),
            ("finish_task", f"task_name={task.name}, job_id={job_id}", "marks it as finished"),
            ("kill_job", f"job_id={job_id}", "ends the job"),
        )
        if name in facts.pragmas
    ]
    below = [name for name in relations.below([task.base_name]) if name in relations.by_base]
    effects = [f"The job waits for a decision{why}."]
    if below:
        effects.append(f"{names_text(below)} {'waits' if len(below) == 1 else 'wait'} for {task.name}.")
    return tuple(effects), (f"{', '.join(ways)}.",) if ways else ()


def _try_again(facts: Facts, relations: Relations, task: TaskState, policy: str) -> tuple[str, ...]:
    if facts.job.status is JobStatus.KILLED:
        return ()
    failure = facts.failures[task.name]
    cell = _CELL.search(failure.place)
    first = f"correct {cell.group()}, run it" if cell else "correct the task, run its cell"
    parts = [f"To try again: {first}, and submit again."]
    if task.max_executions == 1:
        parts.append("`retries=2` in `#%task` retries a failed task automatically.")
    if policy == "cancel" and relations.children(task.base_name):
        parts.append("`on_error=continue` lets the tasks after it run.")
    return (" ".join(parts),)


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"


def _shortened(trace: str) -> str:
    """The beginning and the end of a traceback that is too long for a card."""
    trace = trace.strip("\n")
    if len(trace) <= MAX_TRACE:
        return trace
    return f"{trace[: MAX_TRACE // 3]}\n…\n{trace[-MAX_TRACE * 2 // 3 :]}"
