"""One attempt from its first file to its last process: the order of things on a node (``TaskLauncher.java``)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.nodes.attempt_state import LOGGED_LENGTH, AttemptState
from proactive_jupyter_kernel.scheduler.nodes.launch_environment import LaunchEnvironment
from proactive_jupyter_kernel.scheduler.nodes.memory_limit import MemoryLimit
from proactive_jupyter_kernel.scheduler.nodes.output import UNLIMITED
from proactive_jupyter_kernel.scheduler.nodes.parts import NodeParts
from proactive_jupyter_kernel.scheduler.nodes.processes import ProcessesLost
from proactive_jupyter_kernel.scheduler.nodes.scratch import NodeFolder, Scratch
from proactive_jupyter_kernel.scheduler.nodes.space import NoSpace
from proactive_jupyter_kernel.scheduler.nodes.stages import StageRunner
from proactive_jupyter_kernel.scheduler.nodes.stop import Stop, Stopped
from proactive_jupyter_kernel.scheduler.nodes.streams import LineSink, Output
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    Stage,
    StageKind,
    StageReport,
    failure,
    killed,
    lost,
    walltime_reached,
)
from proactive_jupyter_kernel.scheduler.spaces.transfers import FileTransfers, TransferFailed
from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["AttemptRun", "run_limited"]

_LOGGER = logging.getLogger(__name__)
#: Kinds after which the task's process is gone, so that none of its further scripts can run.
_GONE = {FailureKind.DIED, FailureKind.LOST, FailureKind.KILLED, FailureKind.WALLTIME}


class AttemptRun:
    """Runs one attempt, once."""

    def __init__(
        self,
        attempt: Attempt,
        parts: NodeParts,
        folder: NodeFolder,
        transfers: FileTransfers | None,
        output: LineSink,
        progress: Callable[[int], None],
    ) -> None:
        self._attempt = attempt
        self._parts = parts
        self._transfers = transfers
        self._scratch = Scratch(folder, attempt.key, spared=self._spares)
        limits = UNLIMITED if attempt.precious_logs else parts.settings.output
        self._output = Output(parts.loop, output, limits, threads=parts.settings.threads)
        self._stop = Stop(parts.loop)
        #: Done when not even a clean script may run.
        self._abandon = Stop(parts.loop)
        #: That of the clean script while it runs.
        self._cleaning: Stop | None = None
        self._runner = StageRunner(parts, self._scratch, self._output, self._stop)
        self._state = AttemptState(attempt, self._scratch)
        self._progress = progress
        self._percent = 0
        self._memory = MemoryLimit(
            parts.loop,
            parts.settings.memory_limit,
            spared=parts.waiting_pids,
            over=lambda: self._stop.set(FailureKind.DIED),
        )
        #: When it has ended: whether processes of it live on, as it wanted.
        self.leaves_processes = False
        #: Whether it failed because the node's disk is full.
        self.found_no_space = False

    @property
    def key(self) -> str:
        """The attempt's."""
        return self._attempt.key

    def stop(self, kind: FailureKind) -> None:
        """Have it end soon, for that reason.

        Its clean script has some seconds more if the task was killed, and none if the scheduler itself ends.
        """
        self._stop.set(kind)
        if kind is FailureKind.LOST:
            self._abandon.set(kind)
        elif kind is FailureKind.KILLED and self._cleaning is not None:
            self._cleaning.forget()
            self._cleaning.after(self._parts.settings.killed_limit)

    def run(self) -> Outcome:
        """Run it; every process and the scratch folder are gone when this returns."""
        begin = time.monotonic()
        self._watch()
        self._memory.watch()
        try:
            self._race()
            self._clean()
            return self._state.outcome(duration=round((time.monotonic() - begin) * 1000))
        finally:
            self._watcher.cancel()
            self._memory.cancel()
            self._finish()

    def _race(self) -> None:
        """The work, against being stopped and against the walltime."""
        self._stop.after(self._attempt.walltime)
        try:
            self._work()
        except Stopped:
            self._fail(self._why_stopped())
        except ProcessesLost:
            self._fail(failure(FailureKind.LOST, "The process that runs the tasks of this interpreter has died"))
        except NoSpace as error:
            self.found_no_space = True
            self._fail(failure(FailureKind.LOST, str(error)))
        except Exception as error:
            # It ends this task, not the node: the next task may never meet the fault.
            _LOGGER.exception("%s: the node failed", self._attempt.key)
            said = f"{type(error).__name__}: {error}"
            self._fail(failure(FailureKind.ERROR, f"The node could not run the task ({said}); see the scheduler's log"))
        finally:
            self._stop.forget()

    def _why_stopped(self) -> Failure:
        if self._stop.kind is FailureKind.WALLTIME:
            return walltime_reached(self._attempt.task_name, self._attempt.walltime or 0.0)
        if self._stop.kind is FailureKind.DIED:
            return self._memory.exceeded(self._attempt.task_name)
        return killed() if self._stop.kind is FailureKind.KILLED else lost()

    # --- the order of things -------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._scratch.create()
            self._state.prepare()
            self._fetch()
        except OSError as error:
            NoSpace.check(error, self._scratch.folder)
            self._fail(failure(FailureKind.ERROR, f"Failed to prepare the task's folder: {error}"))
            return
        except TransferFailed as error:
            self._check_space(error)
            self._fail(failure(FailureKind.ERROR, f"Failed to copy input files: {error}"))
            return
        if self._prepare_launch():
            self._scripts()
        self._deliver()

    def _check_space(self, error: TransferFailed) -> None:
        """A transfer that failed because the node's disk is full."""
        if isinstance(error.__cause__, OSError):
            NoSpace.check(error.__cause__, self._scratch.folder)

    def _prepare_launch(self) -> bool:
        """Have the fork environment prepared; False where its script failed."""
        script = self._state.fork_script
        if script is not None:
            report = self._stage(StageKind.FORK, script)
            if report.failure is not None:
                self._fail(report.failure)
                return False
            self._state.launch_environment = self._state.launch_environment.changed_by(report)
        if self._state.launch_environment.prefix:
            self._scratch.show_control_files()
            self._state.locate()
        return True

    def _scripts(self) -> None:
        attempt = self._attempt
        ended_well = attempt.pre is None or self._pre(attempt.pre)
        if ended_well:
            ended_well = self._main()
        if ended_well and attempt.post is not None:
            self._one(StageKind.POST, attempt.post)
        if attempt.flow is not None and not (self._state.failure and self._state.failure.kind in _GONE):
            self._flow()

    def _pre(self, script: Script) -> bool:
        name = self._attempt.generic_information.get("PRE_SCRIPT_AS_FILE", "").strip()
        if not name:
            return self._one(StageKind.PRE, script)
        try:
            self._save(script, name)
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

    def _main(self) -> bool:
        script, command = self._state.main
        return self._one(StageKind.MAIN, script, command=command)

    def _one(self, kind: StageKind, script: Script, *, command: tuple[str, ...] = ()) -> bool:
        """Run a stage and note what came of it."""
        report = self._stage(kind, script, command=command)
        self._state.take(kind, report)
        if report.failure is not None:
            self._fail(report.failure)
        return report.failure is None

    def _flow(self) -> None:
        flow = self._attempt.flow
        assert flow is not None
        report = self._stage(StageKind.FLOW, flow.script, variable=flow.variable)
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

    def _stage(
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
        return self._runner.run(stage, self._state.launch_environment)

    def _fail(self, fault: Failure) -> None:
        """Note why the attempt failed, and say so in its log, as a server does after a script's own traceback."""
        self._state.failure = fault
        if fault.kind not in (FailureKind.KILLED, FailureKind.LOST):
            self._output.say(fault.message)

    # --- files ---------------------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        transfers = self._transfers_for(self._attempt.input_files)
        if transfers is not None:
            transfers.fetch(self._attempt, self._scratch.local, self._say_out, self._stop.asked)
            self._check_stopped()

    def _deliver(self) -> None:
        """Carry files out, also those of a task that failed."""
        self._check_stopped()
        self._scratch.hide_control_files()
        try:
            transfers = self._transfers_for(self._attempt.output_files)
            if transfers is not None:
                transfers.deliver(
                    self._attempt, self._scratch.local, self._state.visible, self._say_out, self._stop.asked
                )
        except TransferFailed as error:
            self._check_space(error)
            if self._state.failure is None:
                self._fail(failure(FailureKind.ERROR, f"Failed to copy output files: {error}"))
            else:
                self._output.say(f"Failed to copy output files: {error}")
        self._check_stopped()

    def _transfers_for(self, files: Iterable[object]) -> FileTransfers | None:
        if self._transfers is None and any(files):
            raise TransferFailed("this executor has no data spaces")
        return self._transfers if any(files) else None

    def _say_out(self, text: str) -> None:
        self._output.say(text, "out")

    def _check_stopped(self) -> None:
        if self._stop:
            raise Stopped

    # --- the end -------------------------------------------------------------------------------------------------

    def _clean(self) -> None:
        """Run the clean script; its output and its faults are the scheduler's log's business alone."""
        script = self._attempt.clean
        fault = self._state.failure
        if script is None or (fault is not None and fault.kind is FailureKind.LOST) or not self._scratch.local.exists():
            return
        key = self._attempt.key
        output = Output(
            self._parts.loop, self._cleaned, self._parts.settings.output, threads=self._parts.settings.threads
        )
        stop = Stop(self._parts.loop)
        runner = StageRunner(self._parts, self._scratch, output, stop)
        stage = Stage(
            kind=StageKind.CLEAN,
            task_name=self._attempt.task_name,
            script=script,
            bindings=self._state.clean_bindings(script),
        )
        try:
            self._abandon.also(stop)
            self._cleaning = stop
            report = run_limited(runner, stage, self._clean_limit, stop)
            if report.failure is not None:
                _LOGGER.warning("%s: %s", key, report.failure.message)
                self._state.clean_failure = report.failure.message
        except (ProcessesLost, NoSpace) as error:
            _LOGGER.warning("%s: its clean script could not be run: %s", key, error or "its process was lost")
        except Exception as error:
            _LOGGER.exception("%s: the node failed during its clean script", key)
            self._state.clean_failure = f"The node failed during the clean script: {type(error).__name__}: {error}"
        finally:
            self.leaves_processes |= runner.sweep(spare=self._spares)
            output.close(0.5)

    @property
    def _clean_limit(self) -> float:
        settings = self._parts.settings
        return settings.killed_limit if self._stop.kind is FailureKind.KILLED else settings.side_limit

    def _cleaned(self, stream: str, text: str, at: int) -> None:
        line = text.rstrip()
        _LOGGER.info("clean script of %s: %s", self._attempt.key, line)
        self._state.clean_output.append(line[:LOGGED_LENGTH])

    @property
    def _spares(self) -> bool:
        return self._attempt.generic_information.get("DISABLE_PTK", "").strip().lower() == "true"

    def _finish(self) -> None:
        """Leave nothing behind."""
        stopped = self._state.failure is not None and self._state.failure.kind in _GONE
        spares = self._spares and not stopped
        self.leaves_processes |= self._runner.sweep(spare=spares)
        self._output.close(0.1 if spares else 2.0)
        self._scratch.remove(keep=not self.leaves_processes)

    def _watch(self) -> None:
        """Tell about progress as the task's file says it, now and then; and reap what the task lets go of."""
        self._watcher = self._parts.loop.call_later(self._parts.settings.progress_every, self._look)

    def _look(self) -> None:
        self._watch()
        self._parts.spawner.reap()
        percent = _read_progress(self._scratch.progress_file)
        if percent is not None and percent != self._percent:
            self._percent = percent
            self._progress(percent)


def run_limited(runner: StageRunner, stage: Stage, limit: float, stop: Stop) -> StageReport:
    """Run a script of the scheduler's side, not longer than `limit` seconds, and not when `stop` says so."""
    stop.after(limit)
    try:
        return runner.run(stage, LaunchEnvironment())
    except Stopped:
        message = (
            f"{stage.kind.prefix}: it was ended; it may take {limit:g} seconds, fewer if its task was killed, and the "
            "scheduler's own end ends it"
        )
        return StageReport(failure=failure(FailureKind.ERROR, message))
    finally:
        stop.forget()


def _read_progress(path: str) -> int | None:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            percent = int(file.readline(20).strip() or 0)
    except (OSError, ValueError):
        return None
    return percent if 0 <= percent <= 100 else None
