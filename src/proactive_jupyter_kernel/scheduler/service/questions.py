"""What the service answers: jobs, tasks, results and logs, as they are stored.

Every answer comes from the store, never from the machine, so that no answer contains what a crash could undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from proactive_jupyter_kernel.errors import UnknownJob, UnknownTask, did_you_mean
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.service.logs import LogSource, formatted, lines_of
from proactive_jupyter_kernel.scheduler.service.results import TaskResult, in_job_result, result_of
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.service.started import StartedTasks
from proactive_jupyter_kernel.scheduler.store.base import JobRow, Rows, TaskOutline
from proactive_jupyter_kernel.scheduler.store.listing import JobGroup
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogTail, LogText
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, Page, TaskQuery
from proactive_jupyter_kernel.scheduler.store.reader import DecodedWorkflow, OutputNotStored, Workflows
from proactive_jupyter_kernel.workflow.model import Task, Workflow
from proactive_jupyter_kernel.workflow.status import JOB_ENDED

__all__ = ["ALL", "ERRORS", "OUTPUT", "Questions"]

#: Which streams a log is asked for, by `LogLine.error`.
ALL = {False: True, True: True}
OUTPUT = {False: True, True: False}
ERRORS = {False: False, True: True}


class Questions:
    """Reads rows of the store.

    REST asks through `Call.read`, in threads; the service itself, in the loop, only what is small.
    """

    def __init__(
        self,
        rows: Rows,
        hidden: HiddenValues,
        site: Site,
        *,
        started: StartedTasks,
        workflows: Workflows,
        output_stored: bool = True,
    ) -> None:
        """`output_stored`: whether the rows have all lines that tasks have written."""
        self._rows = rows
        self.site = site
        #: Makes what is shown of hidden variables.
        self.hidden = hidden
        #: What the tasks of living jobs saw when they started.
        self.started = started
        self._workflows = workflows
        self._output_stored = output_stored

    def at(self, rows: Rows, output_stored: bool) -> Questions:
        """The same questions to other rows."""
        return Questions(
            rows,
            self.hidden,
            self.site,
            started=self.started,
            workflows=self._workflows,
            output_stored=output_stored,
        )

    # --- jobs ----------------------------------------------------------------------------------------------------

    def job(self, job_id: int) -> JobRow:
        """A job; `UnknownJob` if there is none."""
        row = self._rows.job(job_id)
        if row is None:
            raise UnknownJob(f"The job represented by this ID '{job_id}' is unknown !")
        return row

    def knows(self, job_id: int) -> bool:
        """Whether there is a job of that id."""
        return self._rows.job(job_id) is not None

    def jobs(self, query: JobQuery) -> Page[JobRow]:
        """Jobs of a listing."""
        return self._rows.jobs(query)

    def job_groups(self, query: JobQuery) -> Mapping[JobGroup, int]:
        """How many jobs of a listing there are by group."""
        return self._rows.job_groups(query)

    def projects(self, most: int) -> tuple[str, ...]:
        """The names of projects that have jobs."""
        return self._rows.projects(most)

    def owners(self, most: int) -> tuple[str, ...]:
        """The names of those who have jobs."""
        return self._rows.owners(most)

    def first_failures(self, job_ids: Iterable[int]) -> dict[int, TaskRecord]:
        """The first task of each job that failed, or is in error."""
        return self._rows.first_failures(job_ids)

    def xml(self, job_id: int) -> str:
        """The text that was submitted."""
        self.job(job_id)
        return self._rows.xml(job_id) or ""

    def workflow(self, job_id: int) -> Workflow:
        """The workflow of a job with its references resolved."""
        return self._decoded(job_id).workflow

    def definitions(self, job_id: int) -> Mapping[str, Task]:
        """The tasks of a job's workflow by name."""
        return self._decoded(job_id).tasks

    def definition(self, job_id: int, base_name: str) -> Task:
        """What a task is in the job's workflow, or is a copy of."""
        return self._decoded(job_id).tasks[base_name]

    def _decoded(self, job_id: int) -> DecodedWorkflow:
        decoded = self._workflows.get(job_id, self._rows.workflow)
        if decoded is None:
            raise UnknownJob(f"The job represented by this ID '{job_id}' is unknown !")
        return decoded

    # --- tasks ---------------------------------------------------------------------------------------------------

    def tasks(self, job_id: int) -> tuple[TaskRecord, ...]:
        """A job's tasks by id."""
        self.job(job_id)
        return self._rows.tasks(job_id)

    def task(self, job_id: int, name: str) -> TaskRecord:
        """The task of that full name; `UnknownTask` proposes the nearest one."""
        task = self._rows.task_named(job_id, name)
        if task is None:
            self.job(job_id)
            known = [other.name for other in self._rows.tasks(job_id)]
            raise UnknownTask(f"Unknown task {name}, job: {job_id}", hint=did_you_mean(name, known))
        return task

    def task_by_id(self, job_id: int, task_id: int) -> TaskRecord:
        """The task of that number; `UnknownTask` if there is none."""
        task = self._rows.task(job_id, task_id)
        if task is None:
            raise UnknownTask(f"Unknown task number {task_id}, job: {job_id}")
        return task

    def tasks_of(self, job_id: int, task_ids: Iterable[int]) -> tuple[TaskRecord, ...]:
        """Some of a job's tasks by id; unknown ids are left out."""
        return self._rows.tasks_of(job_id, task_ids)

    def outlines(self, job_id: int) -> tuple[TaskOutline, ...]:
        """All tasks of a job by id, in outline: for pages of jobs with many tasks."""
        return self._rows.task_outlines(job_id)

    def find_tasks(self, query: TaskQuery) -> Page[TaskRecord]:
        """Tasks across all jobs."""
        return self._rows.find_tasks(query)

    # --- results -------------------------------------------------------------------------------------------------

    def outcome(self, job_id: int, name: str) -> TaskResult:
        """What one task came to."""
        task = self.task(job_id, name)
        return result_of(task, self._rows.results(job_id, [task.task_id]).get(task.task_id))

    def results_of(self, tasks: Sequence[TaskRecord]) -> list[TaskResult]:
        """What these tasks of one job came to."""
        rows = self._rows.results(tasks[0].job_id, [task.task_id for task in tasks]) if tasks else {}
        return [result_of(task, rows.get(task.task_id)) for task in tasks]

    def outcomes(self, job_id: int) -> list[TaskResult]:
        """What the tasks of a job came to that its result lists, in the order in which they ended."""
        rows = self._rows.results(job_id)
        tasks = {task.task_id: task for task in self.tasks(job_id)}
        # Those that ended without a row were killed; of equal times these are the earlier, then the rows' order counts.
        without_row = [task_id for task_id in tasks if task_id not in rows]
        order = sorted([*without_row, *rows], key=lambda task_id: tasks[task_id].finished_at)
        judged = ((result_of(tasks[task_id], rows.get(task_id)), rows.get(task_id)) for task_id in order)
        return [outcome for outcome, row in judged if in_job_result(outcome, row)]

    def ended(self, job_id: int) -> bool:
        """Whether the job has ended, so that its result is complete."""
        return self.job(job_id).record.status in JOB_ENDED

    # --- logs ----------------------------------------------------------------------------------------------------

    def log(self, job_id: int, task: TaskRecord) -> LogText:
        """What is kept of a task's log."""
        if not self._output_stored:
            raise OutputNotStored
        return self._rows.log(job_id, task.task_id)

    def log_tail(
        self, job_id: int, *, task_id: int | None = None, after: int = 0, lines: int, size: int = 2**62
    ) -> LogTail:
        """The end of a job's output, or of one task's, that came after a position, of so many lines and bytes."""
        if not self._output_stored:
            raise OutputNotStored
        return self._rows.log_tail(job_id, task_id=task_id, after=after, lines=lines, size=size)

    def log_text(self, job_id: int, task: TaskRecord, streams: Mapping[bool, bool]) -> str:
        """A task's log with the prefix on every line."""
        lines = lines_of(self.log(job_id, task), streams)
        source = _source(task)
        return "".join(formatted(source, line) for line in lines)

    def output(self, job_id: int, task: TaskRecord) -> tuple[str, str]:
        """What a task wrote to standard output and to standard error, without prefixes."""
        log = self.log(job_id, task)
        out, err = ("".join(line.text + "\n" for line in lines_of(log, streams)) for streams in (OUTPUT, ERRORS))
        return out, err

    def job_log(self, job_id: int, tasks: Iterable[TaskRecord], streams: Mapping[bool, bool] = ALL) -> Iterator[str]:
        """The logs of several tasks, one text each; those that wrote nothing are left out."""
        for task in tasks:
            text = self.log_text(job_id, task, streams)
            if text:
                yield text

    def whole_log(self, job_id: int, unstored: Iterable[tuple[int, LogLine]]) -> list[str]:
        """The logs of all tasks, then the lines that are not stored yet, each with the id of its task."""
        tasks = {task.task_id: task for task in self.tasks(job_id)}
        texts = list(self.job_log(job_id, tasks.values()))
        return [*texts, *(formatted(_source(tasks[task_id]), line) for task_id, line in unstored if task_id in tasks)]


def _source(task: TaskRecord) -> LogSource:
    return LogSource(job_id=task.job_id, task_id=task.task_id, task_name=task.name, host=task.host or "scheduler")
