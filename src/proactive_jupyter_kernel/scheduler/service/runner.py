"""Carries attempts to the executor and their outcomes back to the machine."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from proactive_jupyter_kernel.scheduler.access.credentials import Credentials
from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    Failure,
    FailureKind,
    Outcome,
    ParentResult,
    SelectionAnswer,
)
from proactive_jupyter_kernel.scheduler.engine.commands import KillAttempt, RunSelection, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.events import AttemptEnded, ProgressMade, SelectionEnded
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.monitoring.measures import Measures
from proactive_jupyter_kernel.scheduler.monitoring.own_log import about
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.assemble import assemble, handed_on, selection
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.latest import LatestResults
from proactive_jupyter_kernel.scheduler.service.limits import within
from proactive_jupyter_kernel.scheduler.service.logs import Logs, LogSource
from proactive_jupyter_kernel.scheduler.service.precious import PreciousLog
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.scripts import Scripts, ScriptUnavailable
from proactive_jupyter_kernel.scheduler.service.serverlog import Selections
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.base import ResultRow
from proactive_jupyter_kernel.scheduler.store.logs import LogLine
from proactive_jupyter_kernel.scheduler.store.reader import Reader

__all__ = ["Runner"]

_log = logging.getLogger(__name__)

#: The results of so many parents are read at once, without a thread.
_FEW = 4


class Runner:
    """Every running attempt is one asyncio task, known by its key."""

    def __init__(
        self,
        *,
        executor: Executor,
        ask: Questions,
        reader: Reader[Questions],
        logs: Logs,
        selections: Selections,
        site: Site,
        clock: Callable[[], int],
        credentials: Credentials,
        measures: Measures,
        scripts: Scripts,
        result_bytes: int = 0,
    ) -> None:
        self._measures = measures
        self._reader = reader
        self._scripts = scripts
        self._selections = selections
        self._executor = executor
        self._ask = ask
        self._logs = logs
        self._site = site
        self._credentials = credentials
        self._clock = clock
        #: The largest result that is kept; 0: no limit.
        self._result_bytes = result_bytes
        self._running: dict[str, asyncio.Task[None]] = {}
        self._killed: set[str] = set()
        #: Attempts whose scripts are being read.
        self._reading: dict[str, asyncio.Future[tuple[Attempt, str]]] = {}
        #: Slot -> the attempt that was started on it last; a killed one may still be ending there.
        self._on_slot: dict[str, asyncio.Task[None]] = {}
        self._latest = LatestResults()
        #: Kept so that they are not collected before they are done.
        self._errands: set[asyncio.Task[None]] = set()
        self._closing = False
        #: Set once by the service, which has made the driver by then.
        self.driver: Driver

    # --- commands ------------------------------------------------------------------------------------------------

    def start(self, command: StartAttempt) -> None:
        """Run an attempt in the background."""
        if self._closing:
            return
        tracing.mark("started", command.job_id, command.task_id)
        self._measures.attempts_started += 1
        key = _key(command.job_id, command.task_id, command.number)
        before = {self._on_slot[slot.name] for slot in command.slots if slot.name in self._on_slot}
        running = asyncio.create_task(self._run(key, command, before), name=f"attempt {key}")
        self._running[key] = running
        for slot in command.slots:
            self._on_slot[slot.name] = running
        self._measures.slot_use.note(len(self._on_slot))

    def kill(self, command: KillAttempt) -> None:
        """End an attempt; the machine has forgotten it already."""
        key = _key(command.job_id, command.task_id, command.number)
        if key in self._running:
            self._killed.add(key)
            self._measures.attempts_killed += 1
            if key in self._reading:
                self._reading[key].cancel()
            else:
                self._errand(self._executor.kill(key))

    def select(self, command: RunSelection) -> None:
        """Ask the selection scripts of a task about a slot."""
        if not self._closing:
            self._errand(self._select(command))

    async def close(self) -> None:
        """End every attempt, without telling the machine: they run again when the scheduler starts again."""
        self._closing = True
        for reading in self._reading.values():
            reading.cancel()
        self._scripts.close()
        await self._executor.close()
        await asyncio.gather(*self._running.values(), *self._errands, return_exceptions=True)

    # --- running -------------------------------------------------------------------------------------------------

    async def _run(self, key: str, command: StartAttempt, before: set[asyncio.Task[None]]) -> None:
        try:
            if before:
                await asyncio.wait(before)
            if key not in self._killed and not self._closing:
                await self._run_attempt(key, command)
        except Exception:
            _log.exception("an attempt was lost", extra=_about(command))
            if key not in self._killed and not self._closing:
                self._end(command, None, _lost("The scheduler could not run it; see its log."))
        finally:
            self._killed.discard(key)
            self._running.pop(key, None)
            self._leave_slots(command)

    def _leave_slots(self, command: StartAttempt) -> None:
        for slot in command.slots:
            if self._on_slot.get(slot.name) is asyncio.current_task():
                del self._on_slot[slot.name]
        self._measures.slot_use.note(len(self._on_slot))

    async def _run_attempt(self, key: str, command: StartAttempt) -> None:
        parents = await self._results_of(command.parent_tasks)
        if key in self._killed or self._closing:
            return
        try:
            attempt = self._assemble(command, parents)
        except ValueError as error:
            self._refuse(command, None, f"Failed to prepare the task: {error}")
            return
        without_clean = ""
        if self._scripts.needed(attempt):
            reading = self._reading[key] = asyncio.ensure_future(self._scripts.completed(attempt))
            try:
                await asyncio.wait([reading])
            finally:
                del self._reading[key]
            if reading.cancelled():
                return
            try:
                attempt, without_clean = reading.result()
            except ScriptUnavailable as error:
                if key not in self._killed and not self._closing:
                    self._refuse(command, attempt, str(error))
                return
            if key in self._killed or self._closing:
                return
        source = LogSource(
            job_id=attempt.job_id, task_id=attempt.task_id, task_name=attempt.task_name, host=attempt.slot.host
        )
        precious = PreciousLog(attempt)
        if attempt.precious_logs:
            await asyncio.to_thread(precious.open)
            if key in self._killed or self._closing:
                precious.close()
                return

        def output(stream: str, text: str, at_ms: int) -> None:
            # Blank lines are left out, as on a server.
            for line in text.split("\n"):
                if not (kept := line.rstrip()):
                    continue
                entry = LogLine(error=stream == "err", at=at_ms, text=kept, attempt=command.number)
                self._logs.append(source, entry)
                precious.write(entry)

        def progress(percent: int) -> None:
            if key not in self._killed:
                event = ProgressMade(
                    at=self._clock(),
                    job_id=command.job_id,
                    task_id=command.task_id,
                    number=command.number,
                    progress=percent,
                )
                self.driver.post(event)

        try:
            tracing.mark("assembled", command.job_id, command.task_id)
            outcome = await self._executor.run(attempt, output, progress)
            tracing.mark("outcome", command.job_id, command.task_id)
            if key not in self._killed:
                # The next attempt on the slot need not wait for what remains to be done here.
                self._leave_slots(command)
        finally:
            if attempt.precious_logs:
                await asyncio.to_thread(precious.close)
                if precious.trouble:
                    self._say(command, precious.trouble)
        if without_clean:
            _log.warning("%s", without_clean, extra=_about(command))
            outcome = replace(outcome, clean_failure=without_clean)
        if key not in self._killed and not self._closing:
            outcome = within(outcome, self._result_bytes, functools.partial(self._say, command))
            self._end(command, attempt, outcome)

    def _refuse(self, command: StartAttempt, attempt: Attempt | None, message: str) -> None:
        """An attempt that cannot go to its node has failed."""
        self._say(command, message)
        failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)
        self._end(command, attempt, Outcome(failure=failure))

    async def _results_of(self, parents: Sequence[TaskRecord]) -> list[TaskResult]:
        """What the parents of a task came to; of many, read beside the loop."""
        latest = self._latest.of(parents)
        if latest is not None:
            return latest
        if len(parents) <= _FEW:
            return self._ask.results_of(parents)
        _, found = await self._reader.query(lambda ask: ask.results_of(parents))
        return found

    def _assemble(self, command: StartAttempt, parents: list[TaskResult]) -> Attempt:
        job_id = command.job_id
        definition = self._ask.definition(job_id, command.task.base_name)
        attempt = assemble(
            command,
            workflow=self._ask.workflow(job_id),
            definition=definition,
            parents=tuple(map(_parent, parents)),
            site=self._site,
            credentials=self._credentials.of(command.job.owner),
        )
        self._ask.started.note(command, attempt, definition)
        return attempt

    def _end(self, command: StartAttempt, attempt: Attempt | None, outcome: Outcome) -> None:
        if outcome.failure is not None and not self.driver.writer.check_store():
            # Its folder may have gone with the store: not the task's fault.
            outcome = _lost("The data folder of the scheduler was removed while the task ran.")
        self._count(command, outcome)
        at = self._clock()
        self._selections.add_cleaning(command.job_id, command.task_id, command.slots[0].name, at, outcome)
        # An attempt that could not be prepared passes on the variables that it would have had.
        variables = handed_on(attempt, outcome) if attempt else dict(command.inherited)
        result = ResultRow(
            job_id=command.job_id,
            task_id=command.task_id,
            attempt=command.number,
            finished_at=at,
            duration=outcome.duration,
            host=command.slots[0].host,
            source=command.slots[0].source,
            nodes=len(command.slots),
            failure=outcome.failure,
            value=RawValue.of(outcome.value),
            metadata=outcome.metadata,
            variables=variables,
            result_map=outcome.result_map,
        )
        event = AttemptEnded(
            at=at,
            job_id=command.job_id,
            task_id=command.task_id,
            number=command.number,
            failure=outcome.failure,
            variables=variables,
            flow=outcome.flow,
            flow_decided=outcome.flow_decided,
            duration=outcome.duration,
        )
        self._latest.note(result)
        self.driver.end_attempt(result, event)

    def _count(self, command: StartAttempt, outcome: Outcome) -> None:
        measures = self._measures
        if outcome.failure is not None and outcome.failure.kind is FailureKind.LOST:
            # No script could say it.
            self._say(command, outcome.failure.message)
        if outcome.failure is not None:
            _log.info("attempt failed, %s", outcome.failure.kind.value, extra=_about(command))
        measures.attempts_ended[outcome.failure.kind.value if outcome.failure else "success"] += 1
        measures.attempt_seconds += max(0, outcome.duration) / 1000
        measures.attempt_rate.add()

    def _say(self, command: StartAttempt, text: str) -> None:
        source = LogSource(
            job_id=command.job_id, task_id=command.task_id, task_name=command.task.name, host=command.slots[0].host
        )
        self._logs.append(source, LogLine(error=True, at=self._clock(), text=text, attempt=command.number))

    async def _select(self, command: RunSelection) -> None:
        job_id, task_id = command.job_id, command.task_id
        try:
            task = self._ask.task_by_id(job_id, task_id)
            question = selection(
                command,
                job=self._ask.job(job_id).record,
                task=task,
                workflow=self._ask.workflow(job_id),
                definition=self._ask.definition(job_id, task.base_name),
                site=self._site,
            )
            if self._scripts.needed(question):
                question = await self._scripts.completed_selection(question)
            answer = await self._executor.select(question)
        except ScriptUnavailable as error:
            _log.warning("%s", error, extra=about(job_id, task_id))
            answer = SelectionAnswer(selected=False, failure=str(error))
        except Exception as error:
            # A selection that fails refuses the node, and the task keeps waiting.
            _log.exception("the selection scripts could not be asked", extra=about(job_id, task_id))
            answer = SelectionAnswer(
                selected=False, failure=f"The scheduler could not run the selection script: {error}"
            )
        if not self._closing:
            at, slot = self._clock(), command.slot.name
            self._selections.add(job_id, task_id, slot, at, answer)
            self.driver.post(SelectionEnded(at=at, job_id=job_id, task_id=task_id, slot=slot, selected=answer.selected))

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._logged(work))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _log.exception("a command to the executor failed")


def _parent(outcome: TaskResult) -> ParentResult:
    return ParentResult(
        task_name=outcome.task.name,
        task_id=outcome.task.task_id,
        value=outcome.value,
        metadata=outcome.metadata,
        failure=outcome.failure,
    )


def _about(command: StartAttempt) -> dict[str, Any]:
    return about(command.job_id, command.task_id, command.number, command.slots[0].name)


def _key(job_id: int, task_id: int, number: int) -> str:
    return f"{job_id}t{task_id}-{number}"


def _lost(message: str) -> Outcome:
    return Outcome(failure=Failure(kind=FailureKind.LOST, exception="TaskException", message=message))
