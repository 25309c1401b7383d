"""What the scheduler keeps, row by row, and the seam to whatever keeps it.

The service writes whole batches: everything that the events of one moment caused is stored in one transaction, before
it is announced. Reading is safe from any thread; writing is for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Protocol

from proactive_jupyter_kernel.scheduler.attempt import Failure, Wire
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import NULL, RawValue
from proactive_jupyter_kernel.scheduler.store.codec import OWN_COLUMN
from proactive_jupyter_kernel.scheduler.store.listing import JobGroup
from proactive_jupyter_kernel.scheduler.store.logs import LogPart, LogTail, LogText
from proactive_jupyter_kernel.scheduler.store.query import JobQuery, Page, TaskQuery
from proactive_jupyter_kernel.workflow.model import Variable, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = [
    "Batch",
    "Endpoint",
    "JobExtras",
    "JobFacts",
    "JobRow",
    "NodeUse",
    "ResultRow",
    "Rows",
    "Signal",
    "Store",
    "Submission",
    "TaskOutline",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What a job's records show of its workflow and what never changes, kept apart so that lists need no workflow."""

    description: str = ""
    project: str = ""
    #: Generic information ``bucketName`` and ``submission.mode``.
    bucket: str = ""
    mode: str = ""
    #: Generic information ``PARENT_JOB_ID``.
    parent_id: int | None = None
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: As resolved at submission.
    variables: tuple[Variable, ...] = ()
    #: Names of the tasks whose results are precious, as in the workflow.
    precious_tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A web address that was attached to a job, to be shown with it."""

    name: str
    url: str
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal that a task is ready for, with the variables that may be sent with it."""

    name: str
    #: As declared, or with the values that came with the signal.
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExtras:
    """What people and tasks attached to a job while it was there."""

    #: What is shown as the job's signals, in order: ``ready_NAME`` while a task waits for the signal, then ``NAME``.
    signals: tuple[str, ...] = ()
    #: The signals that tasks have declared, with their variables.
    declared: tuple[Signal, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What was submitted: the text as it came and the workflow that it became, references resolved."""

    job_id: int
    xml: str
    workflow: Workflow
    facts: JobFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job as lists and polls show it."""

    record: JobRecord
    facts: JobFacts
    #: Milliseconds that all executions took together.
    core_time: int = 0
    #: Nodes over all starts, and the highest number at one time.
    nodes: int = 0
    nodes_in_parallel: int = 0
    has_result_map: bool = False
    extras: JobExtras = JobExtras()
    #: How many jobs its tasks submitted.
    children: int = 0
    #: What of it cannot be read, as a sentence; empty: it is whole.
    damaged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """The outcome of one execution of a task."""

    job_id: int
    task_id: int
    attempt: int
    #: Milliseconds since the epoch.
    finished_at: int
    #: Milliseconds.
    duration: int = 0
    host: str = ""
    #: The node source of its first node, and how many nodes it had.
    source: str = ""
    nodes: int = 0
    failure: Failure | None = None
    #: In a separate column: a large one is read only if it is needed.
    value: RawValue = field(default=NULL, metadata={OWN_COLUMN: True})
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: What children would inherit; None: what the task's record passes on, `TaskRecord.propagated`.
    variables: Mapping[str, Wire] | None = None
    result_map: Mapping[str, Wire] = field(default_factory=dict)


class TaskOutline(NamedTuple):
    """What a page of a job with many tasks needs of each: a small part of its record, read without decoding it."""

    task_id: int
    name: str
    status: TaskStatus
    started_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUse:
    """The nodes that the start of a task took."""

    job_id: int
    nodes: int


@dataclass(slots=True, kw_only=True)
class Batch:
    """All that is to be stored together. Rows of the same job or task replace each other: the last one counts."""

    submissions: list[Submission] = field(default_factory=list)
    jobs: dict[int, JobRecord] = field(default_factory=dict)
    tasks: dict[tuple[int, int], TaskRecord] = field(default_factory=dict)
    results: list[ResultRow] = field(default_factory=list)
    logs: list[LogPart] = field(default_factory=list)
    node_uses: list[NodeUse] = field(default_factory=list)
    extras: dict[int, JobExtras] = field(default_factory=dict)
    forgotten: list[int] = field(default_factory=list)
    #: Channels of tasks by name; None: forget it.
    channels: dict[str, Mapping[str, Wire] | None] = field(default_factory=dict)
    #: The number of the state that this batch makes; None: it changes nothing that listings show.
    revision: int | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self) if each.name != "revision")

    @property
    def changes_jobs(self) -> bool:
        """Whether it changes what listings show."""
        return bool(self.jobs or self.tasks or self.extras or self.forgotten)

    def is_larger_than(self, rows: int, size: int) -> bool:
        """Whether there are more rows, or more than so many bytes in values, output and submitted texts."""
        if len(self.jobs) + len(self.tasks) + len(self.results) + len(self.logs) > rows:
            return True
        if self.channels or self.extras or self.forgotten:
            return True  # of any size
        held = sum(len(new.xml) for new in self.submissions) + sum(result.value.size for result in self.results)
        return held + sum(len(line.text) for part in self.logs for line in part.lines) > size

    def drop_job(self, job_id: int) -> None:
        """Remove everything about one job from the batch."""
        self.submissions = [row for row in self.submissions if row.job_id != job_id]
        self.jobs.pop(job_id, None)
        self.tasks = {key: row for key, row in self.tasks.items() if key[0] != job_id}
        self.results = [row for row in self.results if row.job_id != job_id]
        self.logs = [row for row in self.logs if row.job_id != job_id]
        self.node_uses = [row for row in self.node_uses if row.job_id != job_id]
        self.extras.pop(job_id, None)
        self.forgotten = [number for number in self.forgotten if number != job_id]


class Rows(Protocol):
    """What can be read. All methods may block, and may raise `DamagedStore`."""

    @property
    def revision(self) -> int:
        """`Batch.revision` of the last batch that had one; 0 before the first."""

    def job(self, job_id: int) -> JobRow | None: ...

    def jobs(self, query: JobQuery) -> Page[JobRow]: ...

    def job_groups(self, query: JobQuery) -> Mapping[JobGroup, int]:
        """How many jobs match, by group; those without any are left out."""

    def projects(self, most: int) -> tuple[str, ...]:
        """The names of projects that have jobs."""

    def owners(self, most: int) -> tuple[str, ...]:
        """The names of those who have jobs."""

    def first_failures(self, job_ids: Iterable[int]) -> dict[int, TaskRecord]:
        """The first task of each job that failed, or is in error, by the job's id; jobs without one are left out."""

    def xml(self, job_id: int) -> str | None:
        """The text that was submitted."""

    def workflow(self, job_id: int) -> Workflow | None:
        """The workflow with its references resolved."""

    def tasks(self, job_id: int) -> tuple[TaskRecord, ...]:
        """A job's tasks by id."""

    def tasks_of(self, job_id: int, task_ids: Iterable[int]) -> tuple[TaskRecord, ...]:
        """Some of a job's tasks by id; unknown ids are left out."""

    def task_outlines(self, job_id: int) -> tuple[TaskOutline, ...]:
        """All tasks of a job by id, in outline."""

    def task(self, job_id: int, task_id: int) -> TaskRecord | None: ...

    def task_named(self, job_id: int, name: str) -> TaskRecord | None: ...

    def find_tasks(self, query: TaskQuery) -> Page[TaskRecord]: ...

    def results(self, job_id: int, task_ids: Iterable[int] | None = None) -> dict[int, ResultRow]:
        """The latest result of each task that has one, by task id, in the order in which they came."""

    def log(self, job_id: int, task_id: int) -> LogText: ...

    def log_tail(
        self, job_id: int, *, task_id: int | None = None, after: int = 0, lines: int, size: int = 2**62
    ) -> LogTail:
        """The end of a job's output, or of one task's, that came after a position: the last parts with at most so many
        lines and bytes together; the last part in any case."""


class Store(Rows, Protocol):
    """Where jobs, results and logs are kept. `SqliteStore` on disk, `MemoryStore` for tests."""

    @property
    def last_job_id(self) -> int:
        """The highest job id ever stored; 0 before the first."""

    def write(self, batch: Batch) -> None:
        """Store all of the batch, or nothing and raise `StoreUnavailable`.

        Rows of a job that was removed are ignored, so stale events are harmless.
        """

    def try_write(self, batch: Batch) -> bool:
        """As `write`, but return False, and store nothing, where that would have to wait for a process or the disk."""

    def check(self) -> None:
        """Raise `StoreGone` if the file of the store was removed, moved or replaced. Cheap, and does not wait."""

    def snapshot(self) -> AbstractContextManager[Rows]:
        """The rows as they are at this moment, whatever is written meanwhile; one thread at a time may use it."""

    def jobs_to_restore(self) -> Iterator[tuple[JobRecord, Workflow | str, tuple[TaskRecord, ...]]]:
        """All jobs that have not ended, and without their tasks those that ended and are to be forgotten some time.

        As `Machine.restore` wants them: in place of the workflow a sentence of what is damaged, where that is so, and
        an empty text for a job that has ended.
        """

    def channels(self) -> dict[str, dict[str, Wire]]:
        """The channels of tasks that outlive the scheduler's process, by name."""

    @property
    def used(self) -> int:
        """How many bytes jobs, results and logs take."""

    def shrink(self) -> bool:
        """Give some of the space of removed jobs back to the disk, in any thread; whether there is more to give."""

    def close(self) -> None: ...
