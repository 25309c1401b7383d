"""The scheduler as REST and the daemon see it: one method for each verb.

A verb is an event to the machine; it returns when what came of it is stored. Those on jobs and tasks are in `Verbs`,
which the service extends; questions are in `Service.ask`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.errors import SubmissionRefused, UnknownJob, WorkflowError
from proactive_jupyter_kernel.scheduler import collector, java_libraries, tracing
from proactive_jupyter_kernel.scheduler.catalog import Catalog
from proactive_jupyter_kernel.scheduler.credentials import Credentials
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    ForgetJob,
    KillAttempt,
    RunSelection,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.hidden import HiddenValues
from proactive_jupyter_kernel.scheduler.links import Links
from proactive_jupyter_kernel.scheduler.local_zone import LocalZone
from proactive_jupyter_kernel.scheduler.measures import Measures
from proactive_jupyter_kernel.scheduler.own_log import about
from proactive_jupyter_kernel.scheduler.service import submission
from proactive_jupyter_kernel.scheduler.service.attachments import Attachments
from proactive_jupyter_kernel.scheduler.service.channels import Channels
from proactive_jupyter_kernel.scheduler.service.check_question import Question
from proactive_jupyter_kernel.scheduler.service.checking import Checker, InThread
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.errors import SubmissionClosed, Unstorable
from proactive_jupyter_kernel.scheduler.service.limits import check_store
from proactive_jupyter_kernel.scheduler.service.listeners import Listeners
from proactive_jupyter_kernel.scheduler.service.live_output import LiveOutput
from proactive_jupyter_kernel.scheduler.service.logs import Logs
from proactive_jupyter_kernel.scheduler.service.overview import Overview, overview_of
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.resource_manager import ResourceManager
from proactive_jupyter_kernel.scheduler.service.retention import Retention
from proactive_jupyter_kernel.scheduler.service.runner import Runner
from proactive_jupyter_kernel.scheduler.service.scripts import Scripts
from proactive_jupyter_kernel.scheduler.service.serverlog import Selections
from proactive_jupyter_kernel.scheduler.service.started import StartedTasks
from proactive_jupyter_kernel.scheduler.service.verbs import Verbs
from proactive_jupyter_kernel.scheduler.service.writer import Action
from proactive_jupyter_kernel.scheduler.settings import Settings
from proactive_jupyter_kernel.scheduler.site import Site
from proactive_jupyter_kernel.scheduler.store.base import (
    JobQuery,
    Rows,
    Store,
    StoreUnavailable,
    Submission,
)
from proactive_jupyter_kernel.scheduler.store.reader import Reader, Workflows
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE, JobStatus

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model_types import Lookups

__all__ = ["Service", "now_ms"]

_log = logging.getLogger(__name__)

#: Seconds that lines of output may wait before they are stored.
_LOG_DELAY = 0.25


def now_ms() -> int:
    """The time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Service(Verbs):
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
    ) -> None:
        """`hidden` has the key of the values that are not shown; None: one for this run.

        `checker` reads and checks workflows; None: in threads of this process.
        """
        self.site = site
        self.settings = settings
        #: What has happened since the start.
        self.measures = Measures(started_at=clock())
        self.hidden = hidden or HiddenValues.for_one_run()
        #: The workflows that were used last, decoded.
        self.workflows = Workflows()
        ask = Questions(store, self.hidden, site, started=StartedTasks(), workflows=self.workflows)
        self.credentials = credentials or Credentials()
        self.catalog = catalog or Catalog(Path(site.home, "catalog"), site.url)
        self._checker = checker or InThread()
        self._store = store
        self._executor = executor
        self._machine = Machine(zone=LocalZone())
        self.listeners = Listeners(self._machine.announce_tasks)
        self.listeners.add(ask.started.hear)
        self.listeners.add(self._job_ended)
        self._last_job_id = store.last_job_id
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
            machine=self._machine, store=store, logs=self.logs, clock=clock, act=self._act, measures=self.measures
        )
        super().__init__(ask=ask, driver=driver, clock=clock)
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
        #: Reads the workflows and scripts that users name by their addresses.
        self.links = Links(seconds=settings.link_seconds)
        self._scripts = Scripts(self.links, self.catalog)
        #: What reads the links of new jobs; kept so that it is not collected before it is done.
        self._reading: set[asyncio.Task[None]] = set()
        self._runner = Runner(
            executor=executor,
            ask=ask,
            reader=self.reader,
            logs=self.logs,
            selections=self.selections,
            site=site,
            clock=clock,
            credentials=self.credentials,
            measures=self.measures,
            scripts=self._scripts,
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
        self.attachments = Attachments(ask=ask, driver=driver, hidden=self.hidden, lookups=self._lookups)
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
            self._machine, self.measures, status=self.status.value, home=self.site.home, clock=self.clock
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
        self._driver.post(events.SlotsChanged(at=self.clock(), slots=self._executor.slots))

    # --- submission ----------------------------------------------------------------------------------------------

    async def submit(
        self,
        xml: str | bytes,
        *,
        owner: str,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
        mode: str = submission.DEFAULT_MODE,
    ) -> JobRecord:
        """Take a workflow as a new job; `mode` says how it came, unless it says so itself.

        Raises `WorkflowError` with every problem, `SubmissionClosed` while the scheduler is stopped and
        `SubmissionRefused` where the job cannot be stored. A refused workflow gets no id.
        """
        if self.settings.store_bytes:
            check_store(self._store.used, self.settings.store_bytes)
        received = tracing.now()
        question = self._question(xml, variables, generic_information, owner, mode=mode)
        try:
            workflow = await self._checker.prepare(question)
        except WorkflowError:
            self.measures.jobs_refused += 1
            raise
        checked = tracing.now()
        if self._machine.status not in _OPEN:
            raise SubmissionClosed(f"The scheduler is {self._machine.status.value} and takes no jobs.")
        self._last_job_id += 1
        job_id = self._last_job_id
        new = Submission(
            job_id=job_id,
            xml=xml if isinstance(xml, str) else xml.decode("utf-8", "replace"),
            workflow=workflow,
            facts=submission.facts_of(workflow, self.hidden),
        )
        linked = self._scripts.tasks_with_links(workflow)
        at = self.clock()
        event = events.JobSubmitted(
            at=at,
            job_id=job_id,
            workflow=workflow,
            owner=owner,
            reading=frozenset(linked),
            # A link may wait for a thread as long as for its answer.
            reading_until=at + round(2_000 * self.settings.link_seconds) if linked else 0,
        )
        self.workflows.remember(job_id, workflow)
        try:
            with collector.paused(len(workflow.tasks) >= _MANY):
                self._driver.submit(event, new)
                await self._driver.writer.settled(job_id)
        except (StoreUnavailable, Unstorable) as error:
            self.workflows.forget(job_id)
            self.measures.jobs_refused += 1
            raise SubmissionRefused(f"The workflow was not accepted: {error.message}", hint=error.hint) from error
        for step, at in ("received", received), ("checked", checked), ("stored", 0):
            tracing.mark(step, job_id, at=at)
        if linked:
            reading = asyncio.create_task(self._read_ahead(job_id, linked))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)
        self.measures.jobs_submitted += 1
        self.measures.job_rate.add()
        _log.info("job submitted, %d tasks", len(workflow.tasks), extra=about(job_id))
        return self.ask.job(job_id).record

    async def _read_ahead(self, job_id: int, linked: Mapping[str, Sequence[str]]) -> None:
        await self._scripts.read_ahead(job_id, linked)
        self._driver.post(events.ScriptsRead(at=self.clock(), job_id=job_id))

    async def resubmit(
        self,
        job_id: int,
        *,
        owner: str,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
    ) -> JobRecord:
        """Submit the text of a job again, with the variables it had unless others are given."""
        facts = self.ask.job(job_id).facts
        kept = {variable.name: variable.value for variable in facts.variables}
        return await self.submit(
            self.ask.xml(job_id),
            owner=owner,
            variables={**kept, **(variables or {})},
            generic_information={**facts.generic_information, **(generic_information or {})},
        )

    async def validate(
        self,
        xml: str | bytes,
        *,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
    ) -> submission.Validation:
        """What the checks say; nothing is submitted."""
        return await self._checker.validate(self._question(xml, variables, generic_information, self.site.user))

    def _question(
        self,
        xml: str | bytes,
        variables: Mapping[str, str] | None,
        generic_information: Mapping[str, str] | None,
        owner: str,
        *,
        mode: str = "",
    ) -> Question:
        return Question(
            xml=xml,
            variables=dict(variables or {}),
            generic_information=dict(generic_information or {}),
            site=self.site,
            owner=owner,
            slots=tuple(self._executor.slots),
            mode=mode,
            credentials=frozenset(self.credentials.of(owner)),
            catalog=self.catalog,
            hidden=self.hidden,
            libraries=java_libraries.folder_of(Path(self.site.home)),
        )

    def _lookups(self, owner: str) -> Lookups:
        # Loaded with the first submission, not with the daemon.
        from proactive_jupyter_kernel.scheduler.service.lookups import lookups_for

        return lookups_for(self.site, self._executor.slots, owner, self.credentials.of(owner), self.catalog)

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


#: A job of so many tasks makes many objects at once.
_MANY = 1_000
#: Jobs that have started and continue without a decision.
_GOING = frozenset({JobStatus.RUNNING, JobStatus.STALLED})
#: The end of a job.
_ENDS = frozenset({"JOB_RUNNING_TO_FINISHED", "JOB_PENDING_TO_FINISHED"})
#: It has ended, or is gone.
_OVER = _ENDS | {"JOB_REMOVE_FINISHED"}
#: Where submissions are taken.
_OPEN = frozenset({SchedulerStatus.STARTED, SchedulerStatus.PAUSED, SchedulerStatus.FROZEN})
