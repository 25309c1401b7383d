"""What is known of a job when its card is drawn."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.workflow.display.marks import Mark, job_mark
from proactive_jupyter_kernel.workflow.display.records import Failure, Span
from proactive_jupyter_kernel.workflow.display.tasklist import time_span
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Facts", "FollowState", "OutputLine", "Result"]


class FollowState(enum.Enum):
    """Whether the display is still updated."""

    #: Updates follow within seconds.
    LIVE = "live"
    #: No update follows, unless the job has ended and none is needed.
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLine:
    """One line that a task wrote."""

    task: str
    text: str
    error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result, or one figure, as it is shown below its task's name."""

    task: str
    text: str
    #: Escaped or trusted markup; empty: the text is shown.
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a job."""

    job: Job
    #: When the scheduler said so; milliseconds since the epoch.
    seen_at: int
    #: The definition, for the picture, the dependencies and the error policies.
    workflow: Workflow | None = None
    #: Base names of the tasks to show; empty: all.
    tasks: frozenset[str] = frozenset()
    #: How the scheduler is called, such as ``embedded scheduler``.
    scheduler: str = ""
    #: Address of the job's page in the portal; empty where there is none.
    portal: str = ""
    #: By full task name. Of a job with many failed tasks only some are known.
    failures: Mapping[str, Failure] = field(default_factory=dict)
    #: Why a task waits for a node, by full task name.
    reasons: Mapping[str, str] = field(default_factory=dict)
    output: tuple[OutputLine, ...] = ()
    #: Lines that were written before those in `output` and are not kept.
    dropped: int = 0
    results: tuple[Result, ...] = ()
    #: Names of the tasks that returned something, shown or not; None: unknown.
    returned: frozenset[str] | None = None
    #: Why nothing newer is known, such as a server that does not answer.
    trouble: str = ""
    following: FollowState = FollowState.LIVE
    #: Why the display is no longer updated, such as ``the kernel was shut down``.
    stopped_by: str = ""
    #: Pragmas that exist, for the commands that are proposed.
    pragmas: frozenset[str] = frozenset({"job_status", "kill_job", "resume_job", "print_task_output"})
    #: The time zone of clock times; None: that of the machine.
    zone: tzinfo | None = None

    @property
    def meant(self) -> list[TaskState]:
        """The tasks to show."""
        wanted = self.tasks
        return [task for task in self.job.tasks if not wanted or task.base_name in wanted or task.name in wanted]

    @property
    def mark(self) -> Mark:
        """The mark of the job."""
        ready = any(task.status is TaskStatus.PENDING for task in self.job.tasks)
        return job_mark(self.job.status, wrong=not self.job.went_well, ready=ready)

    @property
    def span(self) -> Span:
        """The time that bars show."""
        info = self.job.info
        return time_span(
            self.job,
            self.seen_at,
            submitted_at=info.submitted_at,
            started_at=info.started_at,
            finished_at=info.finished_at,
        )
