"""What the scheduler did with a job and its tasks, as the lines of ``…/log/server``.

The lines have the form of a ProActive server's log: time, level, logger, text. Most of them are derived from the
records of the job and its tasks. What selection and clean scripts said is kept in memory only: after a restart the
former are asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.attempt import Outcome, SelectionAnswer
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord

__all__ = ["Selections", "job_lines", "task_lines"]

#: Tasks whose answers are kept, the latest.
_MOST_TASKS = 10_000
#: Loggers as a ProActive server abbreviates them.
_JOB, _TASK, _SELECTION = "o.o.p.s.u.JobLogger", "o.o.p.s.u.TaskLogger", "o.o.p.r.s.SelectionManager"
_CLEANING = "o.o.p.s.t.TaskLauncher"
_PLACEMENT = "o.o.p.s.c.SchedulingMethodImpl"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    at: int
    logger: str
    text: str
    level: str = "INFO"

    def __str__(self) -> str:
        return f"{_clock(self.at)} {self.level:<5} [{self.logger}] {self.text}\n"


class Selections:
    """The latest answer of each task's selection scripts about each slot, and what its clean scripts said.

    Read in other threads.
    """

    def __init__(self) -> None:
        #: (job id, task id) -> slot -> when, answer.
        self._answers: dict[tuple[int, int], dict[str, tuple[int, SelectionAnswer]]] = {}
        #: (job id, task id) -> when, slot, outcome with the output of each execution's clean script.
        self._cleanings: dict[tuple[int, int], list[tuple[int, str, Outcome]]] = {}

    def add(self, job_id: int, task_id: int, slot: str, at: int, answer: SelectionAnswer) -> None:
        """The scripts of a task were asked about a slot."""
        answers = dict(self._answers.pop((job_id, task_id), {}))
        answers[slot] = (at, answer)
        self._answers[job_id, task_id] = answers
        while len(self._answers) > _MOST_TASKS:
            del self._answers[next(iter(self._answers))]

    def of(self, job_id: int, task_id: int) -> Mapping[str, tuple[int, SelectionAnswer]]:
        """Slot -> when it was asked about, and the answer."""
        return self._answers.get((job_id, task_id), {})

    def add_cleaning(self, job_id: int, task_id: int, slot: str, at: int, outcome: Outcome) -> None:
        """The clean script of an execution has ended; kept where there is something to say."""
        if not (outcome.clean_output or outcome.clean_failure):
            return
        self._cleanings.setdefault((job_id, task_id), []).append((at, slot, outcome))
        while len(self._cleanings) > _MOST_TASKS:
            del self._cleanings[next(iter(self._cleanings))]

    def cleanings(self, job_id: int, task_id: int) -> Sequence[tuple[int, str, Outcome]]:
        """When, on which slot and with which output the task's clean scripts ran."""
        return tuple(self._cleanings.get((job_id, task_id), ()))

    def forget(self, job_id: int) -> None:
        """The job was removed."""
        for kept in (self._answers, self._cleanings):
            for key in [key for key in kept if key[0] == job_id]:
                del kept[key]


def job_lines(
    job: JobRecord, tasks: Iterable[TaskRecord], selections: Selections, unmet: Callable[[int, int], str]
) -> list[str]:
    """The log of a job, then of each of its tasks, under headings."""
    name = f"job {job.job_id}"
    happened = [
        (job.submitted_at, f"{name} submitted: name '{job.name}', tasks '{job.total}', owner '{job.owner}'"),
        (job.started_at, f"{name} started"),
        (job.in_error_at, f"{name} has a task in error"),
        (job.finished_at, f"{name} ended: {job.status.label}"),
    ]
    lines = [f"================= Job {job.job_id} logs =================\n"]
    lines += _told(_Line(at=at, logger=_JOB, text=text) for at, text in happened)
    for task in tasks:
        lines.append(f"\n================ Task {job.job_id}t{task.task_id} logs =================\n")
        lines += task_lines(task, selections, unmet)
    return lines


def task_lines(task: TaskRecord, selections: Selections, unmet: Callable[[int, int], str]) -> list[str]:
    """The log of one task. `unmet` says of a task that is ready which condition no node fulfils."""
    name = f"task {task.job_id}t{task.task_id} ({task.name})"
    failure = f": {task.failure.message}" if task.failure else ""
    happened = [
        (task.started_at, f"{name} started on {task.host} (node: {task.slot}), execution {task.attempts}"),
        (task.in_error_at, f"{name} is in error{failure}"),
        (task.finished_at, f"{name} ended: {task.status.label}{failure}"),
    ]
    lines = [_Line(at=at, logger=_TASK, text=text) for at, text in happened]
    for slot, (at, answer) in selections.of(task.job_id, task.task_id).items():
        lines += _selection(name, slot, at, answer)
    for at, slot, outcome in selections.cleanings(task.job_id, task.task_id):
        lines += _cleaning(name, slot, at, outcome)
    if reason := unmet(task.job_id, task.task_id):
        lines.append(_Line(at=task.scheduled_at, logger=_PLACEMENT, text=f"{name} waits: {reason}"))
    return _told(lines)


def _selection(name: str, slot: str, at: int, answer: SelectionAnswer) -> list[_Line]:
    texts = [f"{name} selection script wrote on node {slot}: {line}" for line in answer.output]
    lines = [_Line(at=at, logger=_SELECTION, text=text) for text in texts]
    if answer.failure:
        text = f"{name} selection script failed on node {slot}: {answer.failure}"
        return [*lines, _Line(at=at, logger=_SELECTION, text=text, level="WARN")]
    verdict = "accepted" if answer.selected else "refused"
    return [*lines, _Line(at=at, logger=_SELECTION, text=f"{name} selection script {verdict} node {slot}")]


def _cleaning(name: str, slot: str, at: int, outcome: Outcome) -> list[_Line]:
    texts = [f"{name} clean script wrote on node {slot}: {line}" for line in outcome.clean_output]
    lines = [_Line(at=at, logger=_CLEANING, text=text) for text in texts]
    if outcome.clean_failure:
        text = f"{name} clean script failed on node {slot}: {outcome.clean_failure}"
        lines.append(_Line(at=at, logger=_CLEANING, text=text, level="WARN"))
    return lines


def _told(lines: Iterable[_Line]) -> list[str]:
    """The lines of what has happened, in order of time."""
    return [str(line) for line in sorted((line for line in lines if line.at >= 0), key=lambda line: line.at)]


def _clock(at: int) -> str:
    """Local time, as in task logs."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000)) + f",{at % 1000:03}"
