"""The scheduler as REST and the daemon see it: one method for each verb.

A verb is an event to the machine; it returns when what came of it is stored. Those on jobs and tasks are in `Verbs`,
submissions in `Submitting`, which the service extends; questions are in `Service.ask`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import UnknownJob
from proactive_jupyter_kernel.scheduler.access.credentials import Credentials
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    ForgetJob,
    KillAttempt,
    RunSelection,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.monitoring.own_log import about
from proactive_jupyter_kernel.scheduler.service.attachments import Attachments
from proactive_jupyter_kernel.scheduler.service.channels import Channels
from proactive_jupyter_kernel.scheduler.service.checking import Checker, InThread
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.listeners import Listeners
from proactive_jupyter_kernel.scheduler.service.live_output import LiveOutput
from proactive_jupyter_kernel.scheduler.service.local_zone import LocalZone
from proactive_jupyter_kernel.scheduler.service.logs import Logs
from proactive_jupyter_kernel.scheduler.service.overview import Overview, overview_of
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.resource_manager import ResourceManager
from proactive_jupyter_kernel.scheduler.service.retention import Retention
from proactive_jupyter_kernel.scheduler.service.runner import Runner
from proactive_jupyter_kernel.scheduler.service.scripts import Scripts
from proactive_jupyter_kernel.scheduler.service.serverlog import Selections
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.service.started import StartedTasks
from proactive_jupyter_kernel.scheduler.service.submitting import Submitting
from proactive_jupyter_kernel.scheduler.service.value_files import InThread as ValuesInThread
from proactive_jupyter_kernel.scheduler.service.value_files import ValueFiles
from proactive_jupyter_kernel.scheduler.service.writer import Action
from proactive_jupyter_kernel.scheduler.settings import Settings
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.scheduler.sources.links import Links
from proactive_jupyter_kernel.scheduler.store.base import Rows, Store
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.scheduler.store.reader import Reader, Workflows
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE, JobStatus

__all__ = ["Service", "now_ms"]

_log = logging.getLogger(__name__)

#: Seconds that lines of output may wait before they are stored.
_LOG_DELAY = 0.25


def now_ms() -> int:
    """The time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Service(Submitting):
    """One scheduler. Call everything from the loop's thread."""

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        settings: Settings,
        site: Site,
        hidden: HiddenValues | None = None,
        clock: Callable[[], int] = now_ms,
        credentials: Credentials | None = None,
        catalog: Catalog | None = None,
        checker: Checker | None = None,
        value_files: ValueFiles | None = None,
    ) -> None:
        """`hidden` has the key of the values that are not shown; None: one for this run.

        `checker` reads and checks workflows, `value_files` makes forms of large values; None: in threads of this
        process.
        """
        self.value_files = value_files or ValuesInThread()
        hidden = hidden or HiddenValues.for_one_run()
        credentials = credentials or Credentials()
        catalog = catalog or Catalog(Path(site.home, "catalog"), site.url)
        measures = Measures(started_at=clock())
        workflows = Workflows()
        ask = Questions(store, hidden, site, started=StartedTasks(), workflows=workflows)
        self._executor = executor
        self._machine = Machine(zone=LocalZone())
        self.listeners = Listeners(self._machine.announce_tasks)
        self.listeners.add(ask.started.hear)
        self.listeners.add(self._job_ended)
        self.logs = Logs(
            max_lines=settings.log_lines,
            max_bytes=settings.log_bytes,
            on_first=lambda: self._driver.writer.soon(_LOG_DELAY),
        )
        #: What running tasks share.
        self.channels = Channels(store.channels(), lambda name, entries: self._driver.keep_channel(name, entries))
        #: What selection scripts said, for the server's log.
        self.selections = Selections()
        driver = Driver(
            machine=self._machine, store=store, logs=self.logs, clock=clock, act=self._act, measures=measures
        )
        #: Reads the workflows and scripts that users name by their addresses.
        self.links = Links(seconds=settings.link_seconds)
        scripts = Scripts(self.links, catalog)
        super().__init__(
            ask=ask,
            driver=driver,
            clock=clock,
            store=store,
            settings=settings,
            site=site,
            hidden=hidden,
            checker=checker or InThread(),
            credentials=credentials,
            catalog=catalog,
            measures=measures,
            workflows=workflows,
            scripts=scripts,
            slots=lambda: executor.slots,
            status=lambda: self._machine.status,
        )
        self.reader = Reader(
            store,
            view=ask.at,
            output_waits=lambda: driver.writer.output_waits,
            store_output=driver.writer.store_output,
            first_revision=driver.writer.revision,
        )
        #: What tasks write, for those who follow it.
        self.live_output = LiveOutput(logs=self.logs, reader=self.reader, writer=driver.writer)
        self.resources = ResourceManager(
            machine=self._machine, driver=driver, ask=ask, listeners=self.listeners, clock=clock
        )
        self._runner = Runner(
            executor=executor,
            ask=ask,
            reader=self.reader,
            logs=self.logs,
            selections=self.selections,
            site=site,
            clock=clock,
            credentials=credentials,
            measures=measures,
            scripts=scripts,
            result_bytes=settings.result_bytes,
        )
        self._retention = Retention(
            store=store,
            read=self._read_rows,
            remove=self.remove_jobs,
            kept=settings.jobs_kept,
            days=settings.jobs_days,
            clock=clock,
        )
        self._runner.driver = driver
        self.attachments = Attachments(ask=ask, driver=driver, hidden=hidden, lookups=self._lookups)
        self._actions: Mapping[type, Callable[[Any], None]] = {
            StartAttempt: self._runner.start,
            KillAttempt: self._runner.kill,
            RunSelection: self._runner.select,
            Announce: self.listeners.tell,
            ForgetJob: self._forget,
        }

    # --- life ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up the jobs that have not ended, and begin to run tasks."""
        await self._executor.start()
        self._driver.begin(self._machine.restore(self._store.jobs_to_restore(), at=self.clock()))
        self._slots_changed()
        self._executor.watch_slots(self._slots_changed)
        with contextlib.suppress(StoreUnavailable):
            await self._driver.writer.settled()
        self._retention.soon()

    async def close(self) -> None:
        """End running tasks and store what there is. Jobs continue when the scheduler is started again."""
        for reading in self._reading:
            reading.cancel()
        await self._retention.close()
        await self._checker.close()
        await self.value_files.close()
        await self._runner.close()
        self._driver.close()
        await asyncio.to_thread(self.reader.close)

    @property
    def status(self) -> SchedulerStatus:
        """What the scheduler does; FROZEN while the store cannot write, for then nothing is started."""
        return SchedulerStatus.FROZEN if self._driver.writer.down else self._machine.status

    def check_store(self) -> bool:
        """Whether the store is in its place; where it is not, submissions are refused and nothing is started."""
        return self._driver.writer.check_store()

    @property
    def revision(self) -> int:
        """Rises whenever a job or task has changed."""
        return self._driver.writer.revision

    @property
    def busy(self) -> bool:
        """Whether a job is alive, even if it only waits."""
        return self.ask.jobs(JobQuery(statuses=JOB_ALIVE, limit=0)).total > 0

    @property
    def winding_down(self) -> bool:
        """Whether the process may end: it was killed, or shut down and no started job is still alive."""
        if self._machine.status is SchedulerStatus.SHUTTING_DOWN:
            return self.ask.jobs(JobQuery(statuses=_GOING, limit=0)).total == 0
        return self._machine.status is SchedulerStatus.KILLED

    def overview(self) -> Overview:
        """The scheduler at a glance."""
        return overview_of(
            self._machine,
            self.measures,
            status=self.status.value,
            home=self.site.home,
            clock=self.clock,
            troubles=self._executor.troubles,
        )

    def _act(self, action: Action) -> None:
        self._actions[type(action)](action)

    def _forget(self, command: ForgetJob) -> None:
        self.workflows.forget(command.job_id)
        self.selections.forget(command.job_id)
        self._scripts.forget(command.job_id)

    def _job_ended(self, announcement: Announce) -> None:
        if announcement.event in _ENDS and announcement.job is not None:
            self._scripts.forget(announcement.job.job_id)
            self.measures.jobs_ended[announcement.job.status.value] += 1
            _log.info("job ended, %s", announcement.job.status.value, extra=about(announcement.job.job_id))
            self._retention.soon()

    async def _read_rows(self, read: Callable[[Rows], list[int]]) -> list[int]:
        def beside() -> list[int]:
            with self._store.snapshot() as rows:
                return read(rows)

        return await asyncio.to_thread(beside)

    def _slots_changed(self) -> None:
        # So that a node that is lost has the time of its loss, and what it ran then.
        self.resources.look()
        self._driver.post(events.SlotsChanged(at=self.clock(), slots=self._executor.slots))
        self.resources.look()

    # --- waiting -------------------------------------------------------------------------------------------------

    async def wait_ended(self, job_id: int) -> None:
        """Wait until a job has ended or is gone."""
        over = asyncio.Event()

        def hear(announcement: Announce) -> None:
            if announcement.job_id == job_id and announcement.event in _OVER:
                over.set()

        end = self.listeners.add(hear)
        try:
            if not self.ask.ended(job_id):
                await over.wait()
        except UnknownJob:
            return
        finally:
            end()

    # --- the whole scheduler -------------------------------------------------------------------------------------

    async def control(self, verb: str) -> bool:
        """``start``, ``stop``, ``pause``, ``freeze``, ``resume``, ``shutdown``, ``kill``; False: nothing to change."""
        changed = self._driver.post(events.SchedulerCommand(at=self.clock(), verb=verb))
        await self._driver.writer.settled()
        return changed


#: Jobs that have started and continue without a decision.
_GOING = frozenset({JobStatus.RUNNING, JobStatus.STALLED})
#: The end of a job.
_ENDS = frozenset({"JOB_RUNNING_TO_FINISHED", "JOB_PENDING_TO_FINISHED"})
#: It has ended, or is gone.
_OVER = _ENDS | {"JOB_REMOVE_FINISHED"}
