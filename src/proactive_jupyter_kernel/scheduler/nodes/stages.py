"""Runs one stage at a time: prepares it, starts its process, waits, reads its report; ends it when told to."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.nodes.launch_environment import LaunchEnvironment, folder_of
from proactive_jupyter_kernel.scheduler.nodes.marked import COOKIE, kill_marked
from proactive_jupyter_kernel.scheduler.nodes.parts import NodeParts
from proactive_jupyter_kernel.scheduler.nodes.processes import (
    Child,
    Command,
    Starter,
    StartFailed,
    is_shortage,
    wait_for,
)
from proactive_jupyter_kernel.scheduler.nodes.scratch import Scratch
from proactive_jupyter_kernel.scheduler.nodes.space import NoSpace, is_full
from proactive_jupyter_kernel.scheduler.nodes.stop import Stop, Stopped
from proactive_jupyter_kernel.scheduler.nodes.streams import Capture, Output
from proactive_jupyter_kernel.scheduler.nodes.template import Template
from proactive_jupyter_kernel.scheduler.runtimes import imports
from proactive_jupyter_kernel.scheduler.runtimes.base import Runtime
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    CannotStart,
    Launch,
    Stage,
    StageKind,
    StageReport,
    failure,
)
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["StageRunner"]

#: Stages that the fork environment speaks of; the others run as processes of the node.
_FORKED = {StageKind.PRE, StageKind.MAIN, StageKind.POST, StageKind.FLOW}
#: Output of these types is shown in the log as well, when it is the result.
_READABLE = ("text/", "application/json", "application/xml")
_FIRM: int = getattr(signal, "SIGKILL", signal.SIGTERM)
#: Seconds between two tries to start a process for which the system has no room.
_BETWEEN_TRIES = 0.25


class StageRunner:
    """The stages of one attempt, or of one selection: they share folder, output and cookie."""

    def __init__(self, parts: NodeParts, scratch: Scratch, output: Output, stop: Stop) -> None:
        self._parts = parts
        self._scratch = scratch
        self._output = output
        self._stop = stop
        self._starters: list[Starter] = []
        self._left_something = False

    def run(self, stage: Stage, setup: LaunchEnvironment) -> StageReport:
        """Run it; `Stage.folder`, `working_dir`, `environment` and `in_container` are filled in here.

        Raises `Stopped`, `ProcessesLost` where its end cannot be known, and `NoSpace`.
        """
        try:
            prepared = self._prepare(stage, setup, can_fork=True)
            report = prepared if isinstance(prepared, StageReport) else self._execute(prepared, stage, setup)
        except (CannotStart, StartFailed) as error:
            report = self._failed(stage, str(error))
        except OSError as error:
            NoSpace.check(error, self._scratch.folder)
            report = self._failed(stage, f"{error.strerror}: {error.filename}" if error.filename else str(error))
        if report.failure is not None and is_full(self._scratch.folder):
            raise NoSpace(self._scratch.folder)
        return report

    def sweep(self, *, spare: bool) -> bool:
        """End all that the stages have left running; `spare`: let it live instead. Whether something lives on."""
        starters, self._starters = self._starters, []
        if not self._left_something:
            return False
        if spare:
            return True
        # Also the orphans of what a template has started: they may come to the node.
        is_sure = [starter.sweep() for starter in dict.fromkeys((*starters, self._parts.spawner))]
        if not all(is_sure):
            kill_marked((self._scratch.cookie,))
        return False

    # --- preparing -----------------------------------------------------------------------------------------------

    def _prepare(self, stage: Stage, setup: LaunchEnvironment, *, can_fork: bool) -> StageReport | _Prepared:
        runtime = runtime_for(stage.script.language)
        answer = runtime.answer(stage)
        if answer is not None:
            return answer
        forked = stage.kind in _FORKED
        in_container = forked and bool(setup.prefix)
        local = self._scratch.local
        directory = folder_of(setup, local) if forked else local
        if directory is not local and not directory.is_dir():
            if not in_container:
                raise CannotStart(f"its working directory {directory} is not a folder on this machine")
            directory = local  # it may well be one inside the container
        changes = {**(setup.environment if forked else {}), COOKIE: self._scratch.cookie}
        forks = can_fork and not in_container and self._parts.forks(changes)
        stage = dataclasses.replace(
            stage,
            folder=self._scratch.stage(stage.kind.value),
            working_dir=directory,
            environment={**self._parts.base, **changes},
            in_container=in_container,
            jvm_arguments=setup.jvm_arguments if forked else (),
            limit=self._parts.settings.result_limit,
            forks=forks,
            report=self._parts.report if forks else "",
        )
        if stage.report:
            os.truncate(stage.report, 0)
        launch = runtime.launch(stage)
        argv = setup.command(stage, launch) if in_container else (launch.programs[0], *launch.arguments)
        command = Command(
            argv=argv,
            environment={**changes, **launch.environment} if launch.environment else changes,
            directory=directory,
            folder=stage.folder,
            request=launch.request,
        )
        return _Prepared(runtime=runtime, stage=stage, launch=launch, command=command)

    # --- executing -----------------------------------------------------------------------------------------------

    def _execute(self, prepared: _Prepared, stage: Stage, setup: LaunchEnvironment) -> StageReport:
        starter: Starter = self._parts.spawner
        if prepared.command.request:
            assert self._parts.templates is not None
            template = self._template(prepared)
            if template is None or not self._parts.forks(prepared.command.environment):
                again = self._prepare(stage, setup, can_fork=False)
                assert not isinstance(again, StageReport)
                prepared = again
            else:
                starter = template
        if prepared.launch.resident is not None and (report := self._in_resident(prepared)) is not None:
            return report
        self._output.mask(prepared.launch.masks)
        if starter not in self._starters:
            self._starters.append(starter)
        capture = Capture(str(prepared.stage.folder / "output")) if prepared.launch.captures else None
        try:
            code, peak = self._wait(starter, prepared.command, capture)
            report = self._concluded(prepared, code, peak)
            if code == 0 and prepared.launch.packages and self._parts.templates is not None:
                self._parts.templates.prepare(prepared.command.argv[0], prepared.launch.packages)
            return report if capture is None else self._with_output(report, capture, prepared.stage)
        finally:
            if capture is not None:
                capture.close()

    def _template(self, prepared: _Prepared) -> Template | None:
        """The template that forks for a Python stage: one that has imported what the script imports, or the usual."""
        templates, command, packages = self._parts.templates, prepared.command, prepared.launch.packages
        assert templates is not None
        # Packages read the environment, and scripts find modules of their own, when they are imported.
        is_usual = command.environment.keys() == {COOKIE} and command.directory == self._scratch.local
        found = None
        if packages and is_usual and not imports.may_be_shadowed(command.directory):
            found = templates.importing(command.argv[0], packages)
        return found or templates.get(command.argv[0])

    def _concluded(self, prepared: _Prepared, code: int, peak: int) -> StageReport:
        report = prepared.runtime.conclude(prepared.stage, prepared.launch, code)
        if report.failure is not None and (reason := self._parts.memory.explain(code, peak)):
            message = f"{report.failure.message}. {reason}"
            report = dataclasses.replace(report, failure=dataclasses.replace(report.failure, message=message))
        return report

    def _in_resident(self, prepared: _Prepared) -> StageReport | None:
        """Run it in a resident process; None if there is none for it."""
        launch, command, pool = prepared.launch, prepared.command, self._parts.residents
        wanted = launch.resident
        # What a separate process would set for itself must equal what the resident process was started with.
        is_usual = command.directory == self._scratch.local and command.environment == {
            **launch.environment,
            COOKIE: self._scratch.cookie,
        }
        if pool is None or wanted is None or not is_usual or self._scratch.is_spared:
            return None
        key = (launch.programs[0], wanted.arguments, wanted.stamps, *launch.environment.items())
        resident = pool.get(key, command.directory, prepared.rehearse)
        while resident is not None and resident.is_starting and not self._stop:
            self._parts.loop.turn(_BETWEEN_TRIES)
        if self._stop:
            raise Stopped
        if resident is None or not resident.is_ready:
            pool.give_up(key)
            return None
        self._output.mask(launch.masks)
        resident.attach(self._output, keep=wanted.keep)
        self._starters.append(resident)
        code, peak = self._wait(resident, command, None)
        if resident.is_refused:
            pool.give_up(key)
            return None
        report = self._concluded(prepared, code, peak)
        pool.used(key, prepared.rehearse)
        return report

    def _wait(self, starter: Starter, command: Command, capture: Capture | None) -> tuple[int, int]:
        """The exit code and the most memory that the process had."""
        out, err = self._output.ends
        if self._stop.asked():
            raise Stopped
        before, self._left_something = self._left_something, True  # until it is known better
        child = self._started(lambda: starter.start(command, (out if capture is None else capture.end, err)))
        # Of several stages the last one counts, which is the main script where there is no post and no flow script.
        tracing.here("forked")
        turn = self._parts.loop.turn
        while child.code is None and self._stop.kind is None:
            turn()
        tracing.here("exited")
        if self._stop:
            self._end(child)
            raise Stopped
        self._left_something = before or child.orphans
        assert child.code is not None
        return child.code, child.peak

    def _started(self, start: Callable[[], Child]) -> Child:
        """Start it, and wait where the system has no room for another process or file at the moment."""
        while True:
            try:
                return start()
            except OSError as error:
                if not is_shortage(error):
                    raise
                self._parts.loop.turn(_BETWEEN_TRIES)
                if self._stop:
                    raise Stopped from error

    def _end(self, child: Child) -> None:
        """End it: SIGTERM, then SIGKILL after a grace period. One that uses too much memory gets no grace."""
        if self._stop.kind is not FailureKind.DIED:
            child.signal(signal.SIGTERM)
            wait_for(self._parts.loop, child, self._parts.settings.grace)
        # Also when it has ended after SIGTERM: others of its session may not have; those the sweep finds.
        child.signal(_FIRM)
        if not wait_for(self._parts.loop, child, self._parts.settings.grace):
            child.give_up()

    def _with_output(self, report: StageReport, capture: Capture, stage: Stage) -> StageReport:
        """The report with what the script wrote as its result."""
        try:
            data = capture.read(stage.limit)
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

    def rehearse(self, folder: Path) -> Command:
        """Write the first script of a resident process for stages like this one, and say how the process is started."""
        resident = self.launch.resident
        assert resident is not None
        script = Script(language=self.stage.script.language, code=resident.rehearsal)
        stage = Stage(
            kind=StageKind.MAIN,
            task_name="rehearsal",
            script=script,
            bindings=Bindings(),
            folder=folder,
            working_dir=self.stage.working_dir,
            environment=self.stage.environment,
        )
        self.runtime.launch(stage)
        argv = (self.launch.programs[0], *resident.arguments, str(folder))
        return dataclasses.replace(self.command, argv=argv, folder=folder, request="")
