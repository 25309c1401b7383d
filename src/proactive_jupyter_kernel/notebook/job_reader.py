"""Reads what a card shows besides the state of the job: definition, output, errors, reasons for waiting.

Each is requested only if it may have changed, within limits, so that a job of thousands of tasks costs little.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby

from proactive_jupyter_kernel.client.java_traces import is_failure
from proactive_jupyter_kernel.client.jobs import Snapshot, SubmittedJob, TaskLine
from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.errors import ProActiveError, SchedulerUnreachable
from proactive_jupyter_kernel.notebook.card import Facts, FollowState, OutputLine, Result
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.jobs import portal_pages
from proactive_jupyter_kernel.pragmas.jobs.job_errors import error_of
from proactive_jupyter_kernel.workflow.display.errors import failed_tasks
from proactive_jupyter_kernel.workflow.display.lines import shown_text
from proactive_jupyter_kernel.workflow.display.records import Failure
from proactive_jupyter_kernel.workflow.display.traces import failure_of
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["JobReader"]

#: Lines that a card shows while the job runs, and when it has ended, and the characters of each.
RUNNING_LINES, RUNNING_WIDTH = 8, 160
ENDED_LINES, ENDED_WIDTH = 1_000, 2_000
#: Lines that the shown ones of a running job are chosen from: a traceback is recognized as a whole.
LOOKED_AT = 60
#: Tasks of a job above which its output is read from the live log alone: a stored log costs requests for each task.
#: Of such a job fewer lines are shown, since each has the name of its task.
MANY_TASKS, MANY_LINES = 100, 200
#: Errors that are read for one update and in all; each costs a few requests.
ERRORS_AT_ONCE, ERRORS_AT_MOST = 5, 40
#: Seconds between two questions why tasks wait.
REASONS_EVERY = 5.0
#: Milliseconds after its submission in which the first look at a job asks for no reasons.
JUST_SUBMITTED = 1_000

#: The notice of the embedded scheduler about dropped lines of a log.
_DROPPED = re.compile(r"\[(\d+) earlier lines? of output w(?:ere|as) dropped\b")

_READY = frozenset({TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.WAITING_ON_ERROR})


class JobReader:
    """Collects the facts for the card of one job; used by one thread at a time."""

    def __init__(self, context: Context, job: SubmittedJob, tasks: frozenset[str] = frozenset()) -> None:
        self._context = context
        self._job = job
        self._tasks = tasks
        self._connection = context.connection
        self._scheduler = self._connection.name.removeprefix("the ")
        #: The address of the job's page in the portal; None until it was looked for.
        self._portal: str | None = None
        self._reader = job.output_reader(tasks=tasks)
        self._log_position = 0
        self._lines: deque[OutputLine] = deque(maxlen=ENDED_LINES)
        #: Of each task: lines that were read, and lines before them that its log dropped.
        self._counts: dict[str, tuple[int, int]] = {}
        #: Lines that the live log dropped before they were read.
        self._missed = 0
        self._count = 0
        self._workflow: Workflow | None = None
        self._workflow_asked = False
        self._failures: dict[str, tuple[object, Failure]] = {}
        self._reasons: Mapping[str, str] = {}
        self._reasons_at = 0.0
        #: Shown in the card when the job has ended.
        self.results: tuple[Result, ...] = ()
        self.returned: frozenset[str] | None = None

    def facts(self, snapshot: Snapshot, following: FollowState, *, output: bool, stopped_by: str = "") -> Facts:
        """The facts at a snapshot. While the scheduler does not answer nothing is asked."""
        job = snapshot.job
        if not snapshot.trouble:
            # What cannot be read now is not worth an error: the state itself is known.
            with contextlib.suppress(ProActiveError):
                self._update(job, snapshot.seen_at, output=output)
        return Facts(
            job=job,
            seen_at=snapshot.seen_at,
            workflow=self._workflow,
            tasks=self._tasks,
            scheduler=self._scheduler,
            failures={name: failure for name, (_, failure) in self._failures.items()},
            reasons=self._reasons,
            output=self._shown(job) if output else (),
            dropped=self._dropped(job) if output else 0,
            results=self.results,
            returned=self.returned,
            trouble=snapshot.trouble,
            following=following,
            stopped_by=stopped_by,
            pragmas=frozenset(PRAGMAS.names()),
            portal=self._portal or "",
        )

    def _update(self, job: Job, seen_at: int, *, output: bool) -> None:
        if self._portal is None:
            self._portal = portal_pages.job_page(self._connection, job.id)
        if not self._workflow_asked:
            self._workflow = self._definition()
            self._workflow_asked = True
        if output:
            self._read_output(job)
        self._read_errors(job)
        self._read_reasons(job, seen_at)

    def _definition(self) -> Workflow | None:
        try:
            return self._job.workflow()
        except SchedulerUnreachable:
            raise
        except ProActiveError:
            return None

    # -- output

    def _read_output(self, job: Job) -> None:
        if len(job.tasks) <= MANY_TASKS:
            found = self._reader.fresh(job)
        else:
            log = self._job.scheduler.live_log_of(job.id)
            names = {f"{job.id}t{task.id}": task.name for task in job.tasks}
            lines, position = log.since(self._log_position)
            self._missed += position - self._log_position - len(lines)
            self._log_position = position
            found = [TaskLine(task=names.get(line.task, ""), line=line) for line in lines]
        for line in found:
            self._lines.append(OutputLine(task=line.task, text=shown_text(line.line.text), error=line.line.error))
        # The notice is about lines before all others, but comes on standard error, which may be read last.
        for line in sorted(found, key=lambda line: _DROPPED.match(line.line.text) is None):
            read, dropped = self._counts.get(line.task, (0, 0))
            if notice := _DROPPED.match(line.line.text):
                self._counts[line.task] = 0, max(read, dropped, int(notice[1]))
            else:
                self._counts[line.task] = read + 1, dropped
        self._count = self._missed + sum(map(sum, self._counts.values()))

    def _shown(self, job: Job) -> tuple[OutputLine, ...]:
        lines = list(self._lines)
        if not job.ended:
            told = self._told(job, lines[-LOOKED_AT:])[-RUNNING_LINES:]
            return tuple(_cut(line, RUNNING_WIDTH) for line in told)
        lines = lines[-self._kept(job) :]
        # What tasks wrote at the same time is sorted by task when there is nothing more to come.
        order = {name: index for index, name in enumerate(dict.fromkeys(line.task for line in lines))}
        lines.sort(key=lambda line: order[line.task])
        return tuple(_cut(line, ENDED_WIDTH) for line in self._told(job, lines))

    def _kept(self, job: Job) -> int:
        """How many of the lines are shown."""
        if not job.ended:
            return RUNNING_LINES
        return MANY_LINES if len(job.tasks) > MANY_TASKS else ENDED_LINES

    def _told(self, job: Job, lines: Sequence[OutputLine]) -> list[OutputLine]:
        """The lines with places in cells for places in scripts, without the tracebacks that stand above already."""
        told = []
        for (task, error), group in groupby(lines, key=lambda line: (line.task, line.error)):
            text = "\n".join(line.text for line in group)
            if task:
                text = self._context.translate(job.id, task, text)
            _, failure = self._failures.get(task, (None, None))
            if failure is not None:
                text = _without(failure, text)
                if text in ("", failure.line):
                    continue
            told += [OutputLine(task=task, text=line, error=error) for line in text.split("\n")]
        return told

    def _dropped(self, job: Job) -> int:
        return self._count - min(len(self._lines), self._kept(job))

    # -- errors

    def _read_errors(self, job: Job) -> None:
        failed = _failed(job)
        for name in self._failures.keys() - {task.name for task in failed}:
            # It was restarted.
            del self._failures[name]
        budget = min(ERRORS_AT_ONCE if not job.ended else ERRORS_AT_MOST, ERRORS_AT_MOST - len(self._failures))
        for task in failed:
            attempt = (task.started_at, task.executions_left)
            if task.name in self._failures and self._failures[task.name][0] == attempt:
                continue
            if budget <= 0:
                return
            budget -= 1
            self._failures[task.name] = attempt, self._failure(job, task)

    def _failure(self, job: Job, task: TaskState) -> Failure:
        error = error_of(self._context, self._job.scheduler, job, task)
        source = self._context.submitted(job.id)
        found = source.sources.get(task.base_name) if source else None
        cells = found.cell_lines() if found else {}
        return failure_of(task.name, error.text, hint=error.hint, cells=cells)

    # -- reasons

    def _read_reasons(self, job: Job, seen_at: int) -> None:
        if job.ended or not any(task.status in _READY for task in job.tasks):
            self._reasons = {}
            return
        now = time.monotonic()
        if self._reasons_at and now - self._reasons_at < REASONS_EVERY:
            return
        ready = any(task.status is TaskStatus.PENDING for task in job.tasks)
        first = not self._reasons_at
        self._reasons_at = now
        if first and ready and seen_at - job.info.submitted_at < JUST_SUBMITTED:
            # A task that has just become ready usually starts within a second.
            self._reasons_at = now - REASONS_EVERY + 1.0
            return
        self._reasons = self._job.waiting_reasons(job)


def _failed(job: Job) -> list[TaskState]:
    return failed_tasks(job.tasks)


def _without(failure: Failure, text: str) -> str:
    """What a task wrote, without the failure that stands above: its traceback and the scheduler's sentence about it."""
    if not failure.trace:
        return text
    # A log has no blank lines; a traceback that came with the result has.
    trace = "\n".join(line for line in failure.trace.split("\n") if line.strip())
    for told in (failure.trace, trace):
        if told in text:
            rest = text.replace(told, "").strip("\n").split("\n")
            return "\n".join(line for line in rest if not is_failure(line))
    return text


def _cut(line: OutputLine, width: int) -> OutputLine:
    if len(line.text) <= width:
        return line
    return OutputLine(task=line.task, text=f"{line.text[:width]}…", error=line.error)
