"""What is known of a job when its card is drawn."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["Facts", "Failure", "Following", "OutputLine", "Result"]


class Following(enum.Enum):
    """Whether the display is still updated."""

    #: Updates follow within seconds.
    LIVE = "live"
    #: No update follows, unless the job has ended and none is needed.
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error of one task."""

    task: str
    #: The error in one line, such as ``ValueError: column mean has a hole``.
    line: str = ""
    #: Where it was raised, such as ``cell [3], line 2``; empty where that is unknown.
    place: str = ""
    #: The number in the cell and the text of the lines around the place, the faulty one last.
    code: tuple[tuple[int, str], ...] = ()
    #: What to do about it; empty where nothing better than the usual advice is known.
    hint: str = ""
    #: The traceback, with places in cells.
    trace: str = ""


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
    #: Base names of the tasks that are meant; empty: all.
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
    following: Following = Following.LIVE
    #: Why the display is not updated any more, such as ``the kernel was shut down``.
    stopped_by: str = ""
    #: Pragmas that exist, for the commands that are proposed.
    pragmas: frozenset[str] = frozenset({"job_status", "kill_job", "resume_job", "print_task_output"})
    #: The time zone of clock times; None: that of the machine.
    zone: tzinfo | None = None
