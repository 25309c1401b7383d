"""What the tasks of living jobs saw when they started last: variables and generic information, references resolved.

Kept in memory alone: who looks at a running task sees it, and when the job has ended it is shown no more, as on a
server. After a restart of the scheduler, running tasks start again; for ended tasks the stored row is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Wire
from proactive_jupyter_kernel.scheduler.engine.commands import Announce, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.propagation import naming_variables
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.workflow.model import Task, Workflow

__all__ = ["StartedTask", "StartedTasks"]

_ENDS = frozenset({"JOB_RUNNING_TO_FINISHED", "JOB_PENDING_TO_FINISHED", "JOB_REMOVE_FINISHED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedTask:
    """What a task saw."""

    #: Those of the job, the parents and the task, and what names job, task and user; not those of the node.
    variables: Mapping[str, Wire]
    #: The task's own.
    generic_information: Mapping[str, str]


class StartedTasks:
    """By job and task. Written from the loop's thread; may be read from others."""

    def __init__(self) -> None:
        self._jobs: dict[int, dict[int, StartedTask]] = {}

    def note(self, command: StartAttempt, attempt: Attempt, definition: Task) -> None:
        """A task starts."""
        names = (*command.inherited, "PA_USER")
        self._jobs.setdefault(command.job_id, {})[command.task_id] = StartedTask(
            variables={**{name: attempt.inherited[name] for name in names}, **attempt.scope},
            generic_information={name: attempt.generic_information[name] for name in definition.generic_information},
        )

    def hear(self, announcement: Announce) -> None:
        """Forget jobs that have ended."""
        if announcement.event in _ENDS and announcement.job_id is not None:
            self._jobs.pop(announcement.job_id, None)

    def known(self, task: TaskRecord) -> StartedTask | None:
        """What a task saw, where that is known."""
        return self._jobs.get(task.job_id, {}).get(task.task_id)

    def of(self, job: JobRecord, task: TaskRecord, workflow: Workflow, definition: Task) -> StartedTask:
        """The variables that a started task saw; if they are no longer known, those that its rows contain."""
        return self.known(task) or StartedTask(
            variables={
                **{variable.name: variable.value for variable in workflow.variables},
                **(task.propagated or {}),
                **naming_variables(job, task),
                "PA_USER": job.owner,
                **{variable.name: variable.value for variable in definition.variables if not variable.inherited},
            },
            generic_information=definition.generic_information,
        )
