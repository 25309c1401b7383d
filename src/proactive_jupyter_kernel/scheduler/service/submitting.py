"""How jobs come: workflows are checked, get an id, are stored, and only then accepted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import SubmissionRefused, WorkflowError
from proactive_jupyter_kernel.scheduler import garbage_collector, java_libraries
from proactive_jupyter_kernel.scheduler.access.credentials import Credentials
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.monitoring.own_log import about
from proactive_jupyter_kernel.scheduler.service import submission
from proactive_jupyter_kernel.scheduler.service.check_question import Question
from proactive_jupyter_kernel.scheduler.service.checking import Checker
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.errors import SubmissionClosed, Unstorable
from proactive_jupyter_kernel.scheduler.service.limits import check_store
from proactive_jupyter_kernel.scheduler.service.previews import Previews
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.scripts import Scripts
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.service.verbs import Verbs
from proactive_jupyter_kernel.scheduler.settings import Settings
from proactive_jupyter_kernel.scheduler.sources.catalog import Catalog
from proactive_jupyter_kernel.scheduler.store.base import Store, Submission
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.scheduler.store.reader import Workflows

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model_types import Lookups

__all__ = ["Submitting"]

_log = logging.getLogger(__name__)

#: A job of so many tasks makes many objects at once.
_MANY = 1_000
#: Where submissions are taken.
_OPEN = frozenset({SchedulerStatus.STARTED, SchedulerStatus.PAUSED, SchedulerStatus.FROZEN})


class Submitting(Verbs):
    """Takes jobs, and says whether it would."""

    def __init__(
        self,
        *,
        ask: Questions,
        driver: Driver,
        clock: Callable[[], int],
        store: Store,
        settings: Settings,
        site: Site,
        hidden: HiddenValues,
        checker: Checker,
        credentials: Credentials,
        catalog: Catalog,
        measures: Measures,
        workflows: Workflows,
        scripts: Scripts,
        slots: Callable[[], Sequence[Slot]],
        status: Callable[[], SchedulerStatus],
    ) -> None:
        """`slots` gives the slots of the executor, `status` what the machine does."""
        super().__init__(ask=ask, driver=driver, clock=clock)
        self.settings = settings
        self.site = site
        self.hidden = hidden
        self.credentials = credentials
        self.catalog = catalog
        #: What has happened since the start.
        self.measures = measures
        #: The workflows that were used last, decoded.
        self.workflows = workflows
        self._store = store
        self._checker = checker
        #: Looks at workflows before they are submitted.
        self.previews = Previews(checker=checker, settings=settings, question=self._question)
        self._scripts = scripts
        self._slots = slots
        self._status = status
        self._last_job_id = store.last_job_id
        #: What reads the links of new jobs; kept so that it is not collected before it is done.
        self._reading: set[asyncio.Task[None]] = set()

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
        `SubmissionRefused` where a limit forbids it or the job cannot be stored. A refused workflow gets no id.
        """
        try:
            return await self._accepted(self._question(xml, variables, generic_information, owner, mode=mode))
        except (WorkflowError, SubmissionRefused):
            self.measures.jobs_refused += 1
            raise

    async def _accepted(self, question: Question) -> JobRecord:
        if self.settings.store_bytes:
            check_store(self._store.used, self.settings.store_bytes)
        received = tracing.now()
        workflow = await self._checker.prepare(question)
        checked = tracing.now()
        if (status := self._status()) not in _OPEN:
            raise SubmissionClosed(f"The scheduler is {status.value} and accepts no jobs.")
        self._last_job_id += 1
        job_id = self._last_job_id
        new = Submission(
            job_id=job_id,
            xml=question.xml if isinstance(question.xml, str) else question.xml.decode("utf-8", "replace"),
            workflow=workflow,
            facts=submission.facts_of(workflow, self.hidden),
        )
        linked = self._scripts.tasks_with_links(workflow)
        at = self.clock()
        event = events.JobSubmitted(
            at=at,
            job_id=job_id,
            workflow=workflow,
            owner=question.owner,
            reading=frozenset(linked),
            # A link may wait for a thread as long as for its answer.
            reading_until=at + round(2_000 * self.settings.link_seconds) if linked else 0,
        )
        self.workflows.remember(job_id, workflow)
        try:
            with garbage_collector.paused(len(workflow.tasks) >= _MANY):
                self._driver.submit(event, new)
                await self._driver.writer.settled(job_id)
        except (StoreUnavailable, Unstorable) as error:
            self.workflows.forget(job_id)
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
            slots=tuple(self._slots()),
            mode=mode,
            credentials=frozenset(self.credentials.of(owner)),
            catalog=self.catalog,
            hidden=self.hidden,
            libraries=java_libraries.folder_of(Path(self.site.home)),
        )

    def _lookups(self, owner: str) -> Lookups:
        # Loaded with the first submission, not with the daemon.
        from proactive_jupyter_kernel.scheduler.service.lookups import lookups_for

        return lookups_for(self.site, self._slots(), owner, self.credentials.of(owner), self.catalog)
