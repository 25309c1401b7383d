"""What must hold after every fault: one function that judges the evidence of a round. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

__all__ = ["Evidence", "Mark", "Seen", "TaskEnd", "violations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What an execution left: a line that no crash of the scheduler takes away."""

    job_id: int
    task: str
    #: Of one process or one scripted run: no two executions share it.
    execution: str
    #: ``begin``, ``alive`` or ``end``.
    kind: str
    #: Of one clock for all marks.
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnd:
    """A task as the store, or a client, has it."""

    status: str
    value: Any = None
    #: The lines of its output.
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A finished task that a client was told of before the fault, or that was in the store by then."""

    job_id: int
    task: str
    end: TaskEnd
    #: When, by the clock of the marks.
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known after a round, when every job had its time to end."""

    #: Jobs whose submission was answered with their id.
    acknowledged: frozenset[int]
    marks: tuple[Mark, ...]
    seen: tuple[Seen, ...]
    #: Job -> its status, of all jobs that are there.
    jobs: Mapping[int, str]
    #: (job, task) -> its end.
    tasks: Mapping[tuple[int, str], TaskEnd]
    #: Name of a task -> its value; every job has exactly these tasks.
    expected: Mapping[str, Any]
    #: The answer of ``PRAGMA integrity_check``.
    integrity: str
    #: Processes, files and handles that are there and should not be, each said in words.
    left: tuple[str, ...] = ()
    #: Tasks that may have other statuses than FINISHED, as the fault was meant for them.
    victims: frozenset[str] = field(default=frozenset())


def violations(evidence: Evidence) -> list[str]:
    """Every sentence is a promise that was broken; empty: all hold."""
    return [
        *_store(evidence),
        *_jobs(evidence),
        *_tasks(evidence),
        *_witnesses(evidence),
        *_twice(evidence),
        *_overlaps(evidence),
        *(f"left behind: {what}" for what in evidence.left),
    ]


def _store(evidence: Evidence) -> Iterator[str]:
    if evidence.integrity != "ok":
        yield f"the store is damaged: {evidence.integrity}"


def _jobs(evidence: Evidence) -> Iterator[str]:
    for job_id in sorted(evidence.acknowledged - set(evidence.jobs)):
        yield f"job {job_id} was acknowledged and is lost"
    for job_id, status in sorted(evidence.jobs.items()):
        if status != "FINISHED":
            yield f"job {job_id} is {status}"


def _tasks(evidence: Evidence) -> Iterator[str]:
    for job_id, status in sorted(evidence.jobs.items()):
        names = {task for job, task in evidence.tasks if job == job_id}
        if status == "FINISHED" and names != set(evidence.expected):
            yield f"job {job_id} has the tasks {sorted(names)}, not {sorted(evidence.expected)}"
    for (job_id, task), end in sorted(evidence.tasks.items()):
        if end.status != "FINISHED":
            if task not in evidence.victims and evidence.jobs.get(job_id) == "FINISHED":
                yield f"task {task} of job {job_id} is {end.status}"
            continue
        if task in evidence.expected and end.value != evidence.expected[task]:
            yield f"task {task} of job {job_id} has the result {end.value!r}, not {evidence.expected[task]!r}"
        # An execution writes its begin and its end: those of the last one must be there, in order.
        last = [line.partition(" ")[2] for line in end.lines][-2:]
        if last != ["begin", "end"]:
            yield f"the log of task {task} of job {job_id} ends with {last}: output is lost"


def _witnesses(evidence: Evidence) -> Iterator[str]:
    """Without marks, nothing that ran twice would be seen; without a client's answers, nothing that ran again."""
    marks = {(mark.job_id, mark.task, mark.kind) for mark in evidence.marks}
    finished = [key for key, end in evidence.tasks.items() if end.status == "FINISHED"]
    for job_id, task in sorted(finished):
        if not {(job_id, task, "begin"), (job_id, task, "end")} <= marks:
            yield f"task {task} of job {job_id} is FINISHED and left no marks"
    if finished and not evidence.seen:
        yield "no client was told of a finished task"


def _twice(evidence: Evidence) -> Iterator[str]:
    for seen in evidence.seen:
        where = f"task {seen.task} of job {seen.job_id}, which was known as finished,"
        now = evidence.tasks.get((seen.job_id, seen.task))
        if now is None:
            if seen.job_id in evidence.jobs:
                yield f"{where} is gone"
            continue
        if now.status != seen.end.status or now.value != seen.end.value:
            yield f"{where} was {seen.end.status} with {seen.end.value!r} and is {now.status} with {now.value!r}"
        if now.lines[: len(seen.end.lines)] != seen.end.lines:
            yield f"{where} had the log {seen.end.lines} and has {now.lines}"
        again = [mark for mark in evidence.marks if _same(mark, seen) and mark.kind == "begin" and mark.at > seen.at]
        if again:
            yield f"{where} ran again"


def _same(mark: Mark, seen: Seen) -> bool:
    return (mark.job_id, mark.task) == (seen.job_id, seen.task)


def _overlaps(evidence: Evidence) -> Iterator[str]:
    """An execution lives from its first mark to its last one; no two of a task may live at the same time."""
    lives: dict[tuple[int, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for mark in evidence.marks:
        lives[mark.job_id, mark.task][mark.execution].append(mark.at)
    for (job_id, task), executions in sorted(lives.items()):
        spans = sorted((min(times), max(times)) for times in executions.values())
        for before, after in pairwise(spans):
            if after[0] <= before[1]:
                yield f"task {task} of job {job_id} ran twice at once"
