"""Runs one stage at a time: prepares it, starts its process, waits, reads its report; ends it when told to."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.executors.enclosure import Enclosure, folder_of
from proactive_jupyter_kernel.scheduler.executors.memory_kill import MemoryWatch
from proactive_jupyter_kernel.scheduler.executors.output import OutputLimits
from proactive_jupyter_kernel.scheduler.executors.pool import StarterPool
from proactive_jupyter_kernel.scheduler.executors.processes import (
    COOKIE,
    Child,
    Command,
    Starter,
    StartFailed,
    kill_marked,
)
from proactive_jupyter_kernel.scheduler.executors.scratch import Scratch
from proactive_jupyter_kernel.scheduler.executors.streams import Capture, Output
from proactive_jupyter_kernel.scheduler.executors.warm import ProcessesLost, WarmProcess
from proactive_jupyter_kernel.scheduler.runtimes.base import Runtime
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    CannotStart,
    Launch,
    Stage,
    StageKind,
    StageReport,
    failure,
)
from proactive_jupyter_kernel.scheduler.settings import NodeSource
from proactive_jupyter_kernel.workflow import values

__all__ = ["Host", "LocalSettings", "StageRunner", "Stopped"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

#: Stages that the fork environment speaks of; the others run as processes of the node.
_FORKED = {StageKind.PRE, StageKind.MAIN, StageKind.POST, StageKind.FLOW}
#: Output of these types is shown in the log as well, when it is the result.
_READABLE = ("text/", "application/json", "application/xml")
_FIRM: int = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """How the local executor works. Times are seconds, sizes bytes."""

    slots: int = 4
    #: Node sources beside `DEFAULT_SOURCE`, which has `slots` nodes.
    sources: tuple[NodeSource, ...] = ()
    #: False: start every process anew, also where warm ones could be kept.
    warm: bool = True
    #: How long a warm process lives without use, and how many interpreters are kept warm.
    warm_idle: float = 300.0
    warm_most: int = 4
    #: How long a process that was asked to end may take before it is killed.
    grace: float = 2.0
    #: How long clean and selection scripts may take.
    side_limit: float = 300.0
    #: How large result and variables of a task may be, as JSON.
    result_limit: int = 64 * 1024 * 1024
    #: How often a task's progress file is looked at.
    progress_every: float = 0.5
    output: OutputLimits = dataclasses.field(default_factory=OutputLimits)
    #: Whether output is read in threads: where the loop cannot do it.
    threads: bool = os.name != "posix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What all runs of one executor share."""

    settings: LocalSettings
    threads: ThreadPoolExecutor
    pool: StarterPool
    #: Whether no other attempt is running.
    is_alone: Callable[[], bool]
    memory: MemoryWatch = dataclasses.field(default_factory=MemoryWatch)

    async def block(
        self, function: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs
    ) -> _Result:
        """Call something that may block, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: function(*arguments, **more))


class Stopped(Exception):
    """The run was told to end."""


class StageRunner:
    """The stages of one attempt, or of one selection: they share folder, output and cookie."""

    def __init__(self, host: Host, scratch: Scratch, output: Output) -> None:
        self._host = host
        self._scratch = scratch
        self._output = output
        self._child: Child | None = None
        self._starters: list[Starter] = []
        self._left_something = False
        self.stopped = False

    async def run(self, stage: Stage, enclosure: Enclosure) -> StageReport:
        """Run it; `Stage.folder`, `working_dir`, `environment` and `enclosed` are filled in here.

        Raises `Stopped`, and `ProcessesLost` where its end cannot be known.
        """
        try:
            prepared = await self._host.block(self._prepare, stage, enclosure)
            if isinstance(prepared, StageReport):
                return prepared
            return await self._execute(prepared)
        except (CannotStart, StartFailed) as error:
            return self._failed(stage, str(error))
        except OSError as error:
            return self._failed(stage, f"{error.strerror}: {error.filename}" if error.filename else str(error))

    async def end(self) -> None:
        """End what runs, kindly, then firmly; `run` raises `Stopped`."""
        self.stopped = True
        await self._end_child()

    async def sweep(self, *, spare: bool) -> None:
        """End all that the stages have left running; `spare`: let it live instead."""
        cookie = self._scratch.cookie
        if spare:
            for starter in self._starters:
                starter.spare(cookie)
            return
        if not self._left_something:
            return
        alone = self._host.is_alone()
        for starter in self._starters:
            await starter.sweep(cookie, alone=alone)
        if any(isinstance(starter, WarmProcess) and not starter.sees_all for starter in self._starters):
            await self._host.block(kill_marked, (cookie,))

    # --- preparing, in a thread ----------------------------------------------------------------------------------

    def _prepare(self, stage: Stage, enclosure: Enclosure) -> StageReport | _Prepared:
        runtime = runtime_for(stage.script.language)
        answer = runtime.answer(stage)
        if answer is not None:
            return answer
        forked = stage.kind in _FORKED
        enclosed = forked and bool(enclosure.prefix)
        local = self._scratch.local
        directory = folder_of(enclosure, local) if forked else local
        if not directory.is_dir():
            if not enclosed:
                raise CannotStart(f"its working directory {directory} is not a folder on this machine")
            directory = local  # it may well be one inside the container
        environment = {**os.environ, **(enclosure.environment if forked else {}), COOKIE: self._scratch.cookie}
        stage = dataclasses.replace(
            stage,
            folder=self._scratch.stage(stage.kind.value),
            working_dir=directory,
            environment=environment,
            enclosed=enclosed,
            jvm_arguments=enclosure.jvm_arguments if forked else (),
            limit=self._host.settings.result_limit,
        )
        launch = runtime.launch(stage)
        argv = enclosure.command(stage, launch) if enclosed else (launch.programs[0], *launch.arguments)
        command = Command(
            argv=argv,
            environment={**environment, **launch.environment},
            directory=directory,
            folder=stage.folder,
            forkable=launch.forkable and not enclosed,
        )
        return _Prepared(runtime=runtime, stage=stage, launch=launch, command=command)

    # --- executing -----------------------------------------------------------------------------------------------

    async def _execute(self, prepared: _Prepared) -> StageReport:
        self._output.mask(prepared.launch.masks)
        starter, command = await self._host.pool.starter(prepared.command)
        if starter not in self._starters:
            self._starters.append(starter)
        capture = Capture(str(prepared.stage.folder / "output")) if prepared.launch.captures else None
        try:
            code, peak = await self._wait(starter, command, capture)
            report = await self._host.block(prepared.runtime.conclude, prepared.stage, prepared.launch, code)
            if report.failure is not None and (reason := self._host.memory.explain(code, peak)):
                message = f"{report.failure.message}. {reason}"
                report = dataclasses.replace(report, failure=dataclasses.replace(report.failure, message=message))
            return report if capture is None else await self._with_output(report, capture, prepared.stage)
        finally:
            if capture is not None:
                capture.close()

    async def _wait(self, starter: Starter, command: Command, capture: Capture | None) -> tuple[int, int]:
        """The exit code and the most memory that the process had."""
        if self.stopped:
            raise Stopped
        out, err = self._output.ends
        before, self._left_something = self._left_something, True  # until it is known better
        self._child = await starter.start(command, (out if capture is None else capture.end, err))
        try:
            if self.stopped:  # while it was started
                await self._end_child()
            await self._host.block(self._scratch.started, self._child.pid)
            code = await self._child.wait()
            self._left_something = before or self._child.orphans
            peak = self._child.peak
        finally:
            self._child = None
        if self.stopped:
            raise Stopped
        return code, peak

    async def _end_child(self) -> None:
        child = self._child
        if child is None:
            return
        await child.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError, ProcessesLost, StartFailed):
            async with asyncio.timeout(self._host.settings.grace):
                await child.wait()
        # Also when it has ended kindly: others of its session may not have.
        await child.signal(_FIRM)

    async def _with_output(self, report: StageReport, capture: Capture, stage: Stage) -> StageReport:
        """The report with what the script wrote as its result."""
        try:
            data = await self._host.block(capture.read, stage.limit)
        except ValueError as error:
            return report if report.failure else self._failed(stage, f"{error}; write large data to a file")
        content_type = stage.bindings.generic_information.get("content.type", "").lower()
        if report.failure or content_type.startswith(_READABLE):
            self._output.show(data)
        if report.failure:
            return report
        return dataclasses.replace(report, values={**report.values, "result": values.to_wire(data)})

    def _failed(self, stage: Stage, message: str) -> StageReport:
        return StageReport(failure=failure(FailureKind.ERROR, f"{stage.kind.prefix}: {message}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    runtime: Runtime
    stage: Stage
    launch: Launch
    command: Command
