"""One attempt from its first file to its last process: the order of things on a node (``TaskLauncher.java``)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.executors.base import FileTransfers, OutputSink, ProgressSink, TransferFailed
from proactive_jupyter_kernel.scheduler.executors.enclosure import Enclosure
from proactive_jupyter_kernel.scheduler.executors.output import UNLIMITED
from proactive_jupyter_kernel.scheduler.executors.scratch import Scratch
from proactive_jupyter_kernel.scheduler.executors.stages import Host, StageRunner, Stopped
from proactive_jupyter_kernel.scheduler.executors.state import LOGGED_LENGTH, AttemptState
from proactive_jupyter_kernel.scheduler.executors.streams import Output
from proactive_jupyter_kernel.scheduler.executors.warm import ProcessesLost
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    Stage,
    StageKind,
    StageReport,
    failure,
    killed,
    lost,
    walltime_reached,
)
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["AttemptRun"]

_LOGGER = logging.getLogger(__name__)
#: Kinds after which the task's process is gone, so that none of its further scripts can run.
_GONE = {FailureKind.DIED, FailureKind.LOST, FailureKind.KILLED, FailureKind.WALLTIME}


class AttemptRun:
    """Runs one attempt, once."""

    def __init__(
        self,
        attempt: Attempt,
        host: Host,
        root: Path,
        transfers: FileTransfers | None,
        output: OutputSink,
        progress: ProgressSink | None,
    ) -> None:
        self._attempt = attempt
        self._host = host
        self._transfers = transfers
        self._scratch = Scratch(root, attempt.key)
        limits = UNLIMITED if attempt.precious_logs else host.settings.output
        self._output = Output(output, limits, threads=host.settings.threads)
        self._runner = StageRunner(host, self._scratch, self._output)
        self._state = AttemptState(attempt, self._scratch)
        self._progress = progress
        self._stop: asyncio.Future[FailureKind] = asyncio.get_running_loop().create_future()
        self._abandon: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self, kind: FailureKind) -> None:
        """Have it end soon, for that reason; its clean script, too, if the scheduler itself ends."""
        if not self._stop.done():
            self._stop.set_result(kind)
        if kind is FailureKind.LOST and not self._abandon.done():
            self._abandon.set_result(None)

    async def run(self) -> Outcome:
        """Run it; every process and the scratch folder are gone when this returns."""
        begin = time.monotonic()
        watcher = asyncio.create_task(self._watch_progress()) if self._progress else None
        try:
            await self._race()
            await self._clean()
            duration = round((time.monotonic() - begin) * 1000)
            return self._state.outcome(duration=duration)
        finally:
            if watcher is not None:
                watcher.cancel()
            try:
                await asyncio.shield(self._finish())
            finally:
                self.ended.set_result(None)

    async def _race(self) -> None:
        """The work, against being stopped and against the walltime."""
        work = asyncio.create_task(self._work())
        either: set[asyncio.Future[Any]] = {work, self._stop}
        try:
            await asyncio.wait(either, timeout=self._attempt.walltime, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._runner.end()
            await work
        except Stopped:
            self._fail(self._why_stopped())
        except ProcessesLost:
            self._fail(failure(FailureKind.LOST, "The process that runs the tasks of this interpreter has died"))
        except asyncio.CancelledError:
            await self._runner.end()
            with contextlib.suppress(Stopped, ProcessesLost):
                await work
            raise

    def _why_stopped(self) -> Failure:
        if not self._stop.done():
            return walltime_reached(self._attempt.task_name, self._attempt.walltime or 0.0)
        return killed() if self._stop.result() is FailureKind.KILLED else lost()

    # --- the order of things -------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            await self._host.block(self._create)
            await self._fetch()
        except OSError as error:
            self._fail(failure(FailureKind.ERROR, f"Failed to prepare the task's folder: {error}"))
            return
        except TransferFailed as error:
            self._fail(failure(FailureKind.ERROR, f"Failed to copy input files: {error}"))
            return
        if await self._enclose():
            await self._scripts()
        await self._deliver()

    def _create(self) -> None:
        self._scratch.create()
        self._state.prepare()

    async def _enclose(self) -> bool:
        """Have the fork environment prepared; False where its script failed."""
        script = self._state.fork_script
        if script is not None:
            report = await self._stage(StageKind.FORK, script)
            if report.failure is not None:
                self._fail(report.failure)
                return False
            self._state.enclosure = self._state.enclosure.changed_by(report)
        if self._state.enclosure.prefix:
            await self._host.block(self._move_inside)
        return True

    def _move_inside(self) -> None:
        self._scratch.enclose()
        self._state.locate()

    async def _scripts(self) -> None:
        attempt = self._attempt
        ended_well = attempt.pre is None or await self._pre(attempt.pre)
        if ended_well:
            ended_well = await self._main()
        if ended_well and attempt.post is not None:
            await self._one(StageKind.POST, attempt.post)
        if attempt.flow is not None and not (self._state.failure and self._state.failure.kind in _GONE):
            await self._flow()

    async def _pre(self, script: Script) -> bool:
        name = self._attempt.generic_information.get("PRE_SCRIPT_AS_FILE", "").strip()
        if not name:
            return await self._one(StageKind.PRE, script)
        try:
            await self._host.block(self._save, script, name)
        except OSError as error:
            self._fail(failure(FailureKind.ERROR, f"{StageKind.PRE.prefix}: it cannot be saved as {name}: {error}"))
            return False
        return True

    def _save(self, script: Script, name: str) -> None:
        """Keep the pre script as a file for the task to use."""
        path = self._scratch.local / name
        language = by_engine(script.language)
        if not path.suffix and language is not None and language.extensions:
            path = path.with_name(f"{path.name}.{language.extensions[0]}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script.code, encoding="utf-8", newline="")

    async def _main(self) -> bool:
        script, command = self._state.main
        return await self._one(StageKind.MAIN, script, command=command)

    async def _one(self, kind: StageKind, script: Script, *, command: tuple[str, ...] = ()) -> bool:
        """Run a stage and note what came of it."""
        report = await self._stage(kind, script, command=command)
        self._state.take(kind, report)
        if report.failure is not None:
            self._fail(report.failure)
        return report.failure is None

    async def _flow(self) -> None:
        flow = self._attempt.flow
        assert flow is not None
        report = await self._stage(StageKind.FLOW, flow.script, variable=flow.variable)
        self._state.take(StageKind.FLOW, report)
        if report.failure is None and flow.variable not in report.values:
            message = f"{StageKind.FLOW.prefix}: it must set the variable {flow.variable!r}, and it ended without"
            report = replace(report, failure=failure(FailureKind.ERROR, message))
        if report.failure is None:
            self._state.decide(report.values[flow.variable])
        elif self._state.failure is None:
            self._fail(report.failure)
        else:
            self._output.say(report.failure.message)

    async def _stage(
        self, kind: StageKind, script: Script, *, variable: str = "", command: tuple[str, ...] = ()
    ) -> StageReport:
        stage = Stage(
            kind=kind,
            task_name=self._attempt.task_name,
            script=script,
            bindings=self._state.bindings(kind, script, variable),
            variable=variable,
            command=command,
        )
        return await self._runner.run(stage, self._state.enclosure)

    def _fail(self, fault: Failure) -> None:
        """Note why the attempt failed, and say so in its log, as a server does after a script's own traceback."""
        self._state.failure = fault
        if fault.kind not in (FailureKind.KILLED, FailureKind.LOST):
            self._output.say(fault.message)

    # --- files ---------------------------------------------------------------------------------------------------

    async def _fetch(self) -> None:
        transfers = self._transfers_for(self._attempt.input_files)
        if transfers is not None:
            await self._host.block(
                transfers.fetch, self._attempt, self._scratch.local, self._say_soon(), lambda: self._runner.stopped
            )
        self._check_stopped()

    async def _deliver(self) -> None:
        """Carry files out, also those of a task that failed."""
        self._check_stopped()
        await self._host.block(self._scratch.disclose)
        try:
            transfers = self._transfers_for(self._attempt.output_files)
            if transfers is not None:
                await self._host.block(
                    transfers.deliver,
                    self._attempt,
                    self._scratch.local,
                    self._state.visible,
                    self._say_soon(),
                    lambda: self._runner.stopped,
                )
        except TransferFailed as error:
            if self._state.failure is None:
                self._fail(failure(FailureKind.ERROR, f"Failed to copy output files: {error}"))
            else:
                self._output.say(f"Failed to copy output files: {error}")
        self._check_stopped()

    def _transfers_for(self, files: Iterable[object]) -> FileTransfers | None:
        if self._transfers is None and any(files):
            raise TransferFailed("this executor has no data spaces")
        return self._transfers if any(files) else None

    def _say_soon(self) -> _SaySoon:
        return _SaySoon(self._output, asyncio.get_running_loop())

    def _check_stopped(self) -> None:
        if self._runner.stopped:
            raise Stopped

    # --- the end -------------------------------------------------------------------------------------------------

    async def _clean(self) -> None:
        """Run the clean script; its output and its faults are the scheduler's log's business alone."""
        script = self._attempt.clean
        fault = self._state.failure
        if script is None or (fault is not None and fault.kind is FailureKind.LOST) or not self._scratch.local.exists():
            return
        key = self._attempt.key
        output = Output(self._cleaned, self._host.settings.output, threads=self._host.settings.threads)
        runner = StageRunner(self._host, self._scratch, output)
        stage = Stage(
            kind=StageKind.CLEAN,
            task_name=self._attempt.task_name,
            script=script,
            bindings=self._state.clean_bindings(script),
        )
        try:
            report = await run_limited(runner, stage, self._host.settings.side_limit, self._abandon)
            if report.failure is not None:
                _LOGGER.warning("%s: %s", key, report.failure.message)
                self._state.clean_failure = report.failure.message
        finally:
            await runner.sweep(spare=self._spares)
            await output.close(0.5)

    def _cleaned(self, stream: str, text: str, at: int) -> None:
        line = text.rstrip()
        _LOGGER.info("clean script of %s: %s", self._attempt.key, line)
        self._state.clean_output.append(line[:LOGGED_LENGTH])

    @property
    def _spares(self) -> bool:
        return self._attempt.generic_information.get("DISABLE_PTK", "").strip().lower() == "true"

    async def _finish(self) -> None:
        """Leave nothing behind."""
        stopped = self._state.failure is not None and self._state.failure.kind in _GONE
        spares = self._spares and not stopped
        await self._runner.sweep(spare=spares)
        await self._output.close(0.1 if spares else 2.0)
        await self._host.block(self._scratch.remove)

    async def _watch_progress(self) -> None:
        """Tell about progress as the task's file says it."""
        assert self._progress is not None
        last = 0
        while True:
            await asyncio.sleep(self._host.settings.progress_every)
            percent = await self._host.block(_read_progress, self._scratch.progress_file)
            if percent is not None and percent != last:
                last = percent
                self._progress(percent)


class _SaySoon:
    """Says lines from a thread."""

    def __init__(self, output: Output, loop: asyncio.AbstractEventLoop) -> None:
        self._output = output
        self._loop = loop

    def __call__(self, text: str) -> None:
        self._loop.call_soon_threadsafe(self._output.say, text, "out")


async def run_limited(
    runner: StageRunner, stage: Stage, limit: float, abandon: asyncio.Future[None] | None = None
) -> StageReport:
    """Run a script of the scheduler's side, not longer than `limit` seconds, and not when `abandon` is done."""
    work = asyncio.create_task(runner.run(stage, Enclosure()))
    either: set[asyncio.Future[Any]] = {work} if abandon is None else {work, abandon}
    await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    if not work.done():
        await runner.end()
    try:
        return await work
    except Stopped:
        message = (
            f"{stage.kind.prefix}: it was ended; it may take {limit:g} seconds, and the scheduler's own end ends it"
        )
        return StageReport(failure=failure(FailureKind.ERROR, message))
    except ProcessesLost:
        return StageReport(failure=failure(FailureKind.LOST, f"{stage.kind.prefix}: its process was lost"))


def _read_progress(path: Path) -> int | None:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            percent = int(file.readline(20).strip() or 0)
    except (OSError, ValueError):
        return None
    return percent if 0 <= percent <= 100 else None
