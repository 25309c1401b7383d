"""One submitted job: its state, output, results and files, and what can be done with it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.jobs.decisions import blocked_tasks, is_over
from proactive_jupyter_kernel.client.jobs.job_poller import JobPoller, Snapshot
from proactive_jupyter_kernel.client.jobs.output import OutputReader, TaskLine
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job, JobResult, TaskResult
from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.python_tasks.tagged import holds_tagged
from proactive_jupyter_kernel.workflow.status import TaskStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.jobs.file_transfer import FetchedFiles
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["SubmittedJob"]

#: Seconds between two looks at the output of a job whose state does not change.
OUTPUT_EVERY = 0.25
#: Seconds for which a server that cannot be reached is asked again during a wait.
PATIENCE = 60.0


class SubmittedJob:
    """A job on a scheduler. Every method asks the scheduler; safe to use from several threads."""

    def __init__(self, scheduler: Scheduler, job_id: int, name: str) -> None:
        self.scheduler = scheduler
        self.id = job_id
        self.name = name
        self._workflow: Workflow | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.name!r} on {self.scheduler.address}>"

    # -- state

    def state(self) -> Job:
        """The job with all its tasks, as it is now."""
        return self.scheduler.job(self.id)

    def workflow(self) -> Workflow:
        """The definition as it was submitted (``GET /scheduler/jobs/{j}/xml``); parents are its dependencies."""
        if self._workflow is None:
            from proactive_jupyter_kernel.workflow.formats import xml

            self._workflow = xml.loads(self.scheduler.xml(self.id)).workflow
        return self._workflow

    def follow(
        self,
        *,
        timeout: float | None = None,
        beat: float | None = None,
        stop: threading.Event | None = None,
        patience: float | None = None,
        polling: Polling | None = None,
        known: Job | None = None,
        at_once: bool = True,
    ) -> Iterator[Snapshot]:
        """A snapshot at once and then at each change, until the job has ended; the parameters are those of `JobPoller`.

        Without `patience` a server that cannot be reached is asked again for a minute: it may restart.

        A job with an In-Error task has not ended: it waits for `restart_task`, `finish_task` or `kill`.
        """
        return iter(
            JobPoller(
                scheduler=self.scheduler,
                job_id=self.id,
                stop=stop,
                patience=self._patience if patience is None else patience,
                polling=polling or Polling(),
                timeout=timeout,
                beat=beat,
                known=known,
                at_once=at_once,
                clock=self.scheduler.clock,
                sleep=self.scheduler.sleep,
            )
        )

    def wait(self, *, tasks: Collection[str] = (), timeout: float | None = None, patience: float | None = None) -> Job:
        """Wait until the job, or each of the tasks, has ended or cannot continue without a decision.

        The state says which: a job that waits for a decision has In-Error tasks. `WaitTimeout` after `timeout` seconds.
        """
        for snapshot in self.follow(timeout=timeout, patience=patience, at_once=False):
            if self.is_over(snapshot.job, tasks):
                break
        return snapshot.job

    @property
    def _patience(self) -> float:
        return 0.0 if self.scheduler.is_embedded else PATIENCE

    def is_over(self, job: Job, tasks: Collection[str] = ()) -> bool:
        """Whether waiting for the job, or for the tasks, is over: they ended or cannot continue without a decision."""
        return is_over(job, tasks, self.blocked_tasks(job))

    def blocked_tasks(self, job: Job) -> frozenset[str]:
        """Names of the tasks that wait until somebody decides about an In-Error task; `job` is the present state."""
        return blocked_tasks(job, self.workflow)

    def waiting_reasons(self, job: Job) -> Mapping[str, str]:
        """By task name why it does not run yet, where that is known; `job` is the present state."""
        from proactive_jupyter_kernel.client.jobs.waiting import reasons

        if all(task.ended or task.status is TaskStatus.RUNNING for task in job.tasks):
            return {}
        try:
            workflow: Workflow | None = self.workflow()
        except ProActiveError:
            workflow = None
        return reasons(self.scheduler, job, workflow)

    # -- output and results

    def output(self, *, task: str = "", timeout: float | None = None) -> Iterator[TaskLine]:
        """Every line that the tasks, or one task, write: those written so far, then each as it comes.

        Ends as `wait` does. `WaitTimeout` after `timeout` seconds.
        """
        tasks = (task,) if task else ()
        reader = self.output_reader(tasks=tasks)
        for snapshot in self.follow(timeout=timeout, beat=OUTPUT_EVERY):
            yield from reader.fresh(snapshot.job)
            if self.is_over(snapshot.job, tasks):
                return

    def output_reader(self, *, tasks: Collection[str] = ()) -> OutputReader:
        """Reads the output piece by piece, for a consumer that follows the job itself."""
        return OutputReader(self.scheduler, self.scheduler.live_log_of(self.id), self.id, tasks=tasks)

    def results(self, *, trust: bool | None = None) -> JobResult | None:
        """The results of all tasks; None while the job has not ended.

        `trust` is whether values are opened that can run code of their author; None: if this user submitted the
        job.
        """
        found = self.scheduler.job_result(self.id)
        if found is None:
            return None
        trusted = self._is_trusted(trust, *found.tasks.values(), carried=found.carried_map)
        tasks = {name: replace(one, trusted=trusted) for name, one in found.tasks.items()}
        return replace(found, tasks=tasks, trusted=trusted)

    def result(self, task: str, *, trust: bool | None = None) -> TaskResult:
        """The result of one task, with the stack trace if it failed; `trust` as for `results`."""
        found = self.scheduler.task_result(self.id, task)
        return replace(found, trusted=self._is_trusted(trust, found))

    def _is_trusted(self, trust: bool | None, *results: TaskResult, carried: object = None) -> bool:
        """`trust`, or whether this user submitted the job, which is asked only where it makes a difference."""
        if trust is not None:
            return trust
        asked = holds_tagged(carried) or any(
            one.outputs or one.metadata or holds_tagged(one.carried) for one in results
        )
        return asked and self.scheduler.is_mine(self.id)

    # -- files

    def fetch_files(self, folder: Path | str | None = None) -> FetchedFiles | None:
        """Fetch the output files of the job, which has ended, to the folder that was given at its submission.

        An explicit `folder` replaces that. None where there is nothing to fetch.
        """
        target = Path(folder).expanduser().absolute() if folder is not None else None
        return self.scheduler.file_transfer.fetch(self.scheduler.info(self.id), target)

    # -- actions; False where there was nothing to do

    def kill(self) -> bool:
        """End the running tasks and start no others."""
        return self.scheduler.kill(self.id)

    def pause(self) -> bool:
        """Start no more tasks; running ones continue."""
        return self.scheduler.pause(self.id)

    def resume(self) -> bool:
        """Continue after `pause`."""
        return self.scheduler.resume(self.id)

    def set_priority(self, priority: str) -> None:
        """``idle``, ``lowest``, ``low``, ``normal``, ``high`` or ``highest``."""
        self.scheduler.set_priority(self.id, priority.upper())

    def send_signal(self, name: str, values: Mapping[str, str] | None = None) -> None:
        """Send a signal that a task of the job waits for (`signalapi`), with values for its variables.

        `SchedulerError` if the job is not ready for it, or a value does not fit the model of its variable.
        """
        self.scheduler.send_signal(self.id, name, values or {})

    def restart_task(self, task: str) -> bool:
        """Run an In-Error task again, or stop a running one and run it again."""
        # A server answers true to a restart of an In-Error task in any status, and fails at that of a waiting one.
        state = self.state().task(task)
        if state is None or state.status is TaskStatus.IN_ERROR:
            return self.scheduler.restart_in_error_task(self.id, task)
        return state.status is TaskStatus.RUNNING and self.scheduler.restart_task(self.id, task)

    def restart_in_error_tasks(self) -> bool:
        """Run every In-Error task again."""
        return self.scheduler.restart_in_error_tasks(self.id)

    def finish_task(self, task: str) -> bool:
        """Treat an In-Error task as finished, so that its children run."""
        return self.scheduler.finish_in_error_task(self.id, task)

    def kill_task(self, task: str) -> bool:
        """End a running task; the job continues."""
        return self.scheduler.kill_task(self.id, task)
