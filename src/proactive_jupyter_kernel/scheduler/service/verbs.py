"""The verbs on jobs and tasks: each is an event to the machine, and returns when what came of it is stored."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.errors import JobEnded, TaskNotRunning
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ALIVE, TaskStatus

__all__ = ["Verbs"]


class Verbs:
    """What can be done to jobs and tasks. A verb says whether it changed anything."""

    def __init__(self, *, ask: Questions, driver: Driver, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self.ask = ask
        self.clock = clock
        self._driver = driver

    # --- verbs on jobs -------------------------------------------------------------------------------------------

    async def kill_job(self, job_id: int) -> bool:
        """End a job; False if it has ended already."""
        return await self._on_job(job_id, events.KillJob)

    async def pause_job(self, job_id: int) -> bool:
        """Start nothing more of a job; False if that changes nothing."""
        return await self._on_job(job_id, events.PauseJob)

    async def resume_job(self, job_id: int) -> bool:
        """Resume a paused job; False if it is not paused."""
        return await self._on_job(job_id, events.ResumeJob)

    async def restart_all_in_error_tasks(self, job_id: int) -> bool:
        """Try again all tasks that wait for a decision; False if there are none."""
        return await self._on_job(job_id, events.RestartAllInErrorTasks)

    async def set_start_at(self, job_id: int, start_at: int) -> bool:
        """Start a job not before this time (milliseconds since the epoch); False if it has ended."""
        return await self._on_job(job_id, functools.partial(events.SetStartAt, start_at=start_at))

    async def set_priority(self, job_id: int, priority: Priority) -> None:
        """Change a job's priority; `JobEnded` if it is too late."""
        if self.ask.job(job_id).record.status in JOB_ENDED:
            raise JobEnded(f"The priority of job {job_id} cannot be changed: the job has ended.")
        await self._on_job(job_id, functools.partial(events.SetPriority, priority=priority))

    async def remove_job(self, job_id: int) -> bool:
        """Forget a job with its results and logs; an alive one is killed first. False where there is none."""
        if not self.ask.knows(job_id):
            return False
        self._driver.post(events.RemoveJob(at=self.clock(), job_id=job_id))
        await self._driver.writer.settled()
        return True

    async def remove_jobs(self, job_ids: Iterable[int]) -> None:
        """Forget several jobs, with one transaction."""
        for job_id in job_ids:
            self._driver.post(events.RemoveJob(at=self.clock(), job_id=job_id))
        await self._driver.writer.settled()

    async def _on_job(self, job_id: int, event: Callable[..., events.Event]) -> bool:
        if self.ask.job(job_id).record.status in JOB_ENDED:
            return False
        changed = self._driver.post(event(at=self.clock(), job_id=job_id))
        await self._driver.writer.settled()
        return changed

    # --- verbs on tasks ------------------------------------------------------------------------------------------

    async def kill_task(self, job_id: int, name: str) -> bool:
        """End a task, running or not; False if it has ended already."""
        return await self._on_task(job_id, name, events.KillTask)

    async def restart_task(self, job_id: int, name: str) -> bool:
        """End a running task and run it again; it costs an execution. `TaskNotRunning` where it waits."""
        self._check_running(job_id, name)
        return await self._on_task(job_id, name, events.RestartTask)

    async def preempt_task(self, job_id: int, name: str) -> bool:
        """End a running task and run it again; it costs no execution. `TaskNotRunning` where it waits."""
        self._check_running(job_id, name)
        return await self._on_task(job_id, name, events.PreemptTask)

    async def restart_in_error_task(self, job_id: int, name: str) -> bool:
        """Try a task again that waits for a decision."""
        return await self._on_task(job_id, name, events.RestartInErrorTask)

    async def finish_in_error_task(self, job_id: int, name: str) -> bool:
        """Let a task that waits for a decision count as finished, with an empty result."""
        return await self._on_task(job_id, name, events.FinishInErrorTask)

    def _check_running(self, job_id: int, name: str) -> None:
        task = self._alive_task(job_id, name)
        if task.status in TASK_ALIVE and task.status is not TaskStatus.RUNNING:
            hint = "restartInErrorTask runs it again." if task.status is TaskStatus.IN_ERROR else ""
            raise TaskNotRunning(f"Task {job_id}t{task.task_id} is not running.", hint=hint)

    def _alive_task(self, job_id: int, name: str) -> TaskRecord:
        """The task; `UnknownJob` where its job has ended, for then a server knows it among the alive ones no more."""
        if self.ask.ended(job_id):
            raise UnknownJob(
                f"Job {job_id} has ended: its tasks can no longer be killed, restarted, preempted or finished."
            )
        return self.ask.task(job_id, name)

    async def _on_task(self, job_id: int, name: str, event: Callable[..., events.Event]) -> bool:
        task = self._alive_task(job_id, name)
        changed = self._driver.post(event(at=self.clock(), job_id=job_id, task_id=task.task_id))
        await self._driver.writer.settled()
        return changed
