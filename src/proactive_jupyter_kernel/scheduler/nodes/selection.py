"""Asks the selection scripts of a task about a slot.

Their output goes to the scheduler's log, and its last lines into the answer: it says why a slot was refused.
"""

from __future__ import annotations

import logging
from collections import deque

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, Selection, SelectionAnswer, Wire
from proactive_jupyter_kernel.scheduler.nodes.attempt_state import LOGGED_LENGTH, LOGGED_LINES
from proactive_jupyter_kernel.scheduler.nodes.attempts import run_limited
from proactive_jupyter_kernel.scheduler.nodes.parts import NodeParts
from proactive_jupyter_kernel.scheduler.nodes.processes import ProcessesLost
from proactive_jupyter_kernel.scheduler.nodes.scratch import NodeFolder, Scratch
from proactive_jupyter_kernel.scheduler.nodes.space import NoSpace
from proactive_jupyter_kernel.scheduler.nodes.stages import StageRunner
from proactive_jupyter_kernel.scheduler.nodes.stop import Stop
from proactive_jupyter_kernel.scheduler.nodes.streams import Output
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings, node_properties
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Stage, StageKind, StageReport, failure
from proactive_jupyter_kernel.workflow.model import SelectionScript

__all__ = ["SelectionRun", "accepts", "answered"]

_LOGGER = logging.getLogger(__name__)


def accepts(selected: Wire) -> bool:
    """What the value of ``selected`` means (``SelectionScript.java``): true, a number but 0, a text but ``false``."""
    if isinstance(selected, bool | int | float):
        return selected != 0
    return isinstance(selected, str) and selected not in ("false", "False")


class SelectionRun:
    """The scripts of one question whose answers are not known yet."""

    def __init__(self, selection: Selection, key: str, parts: NodeParts, folder: NodeFolder) -> None:
        self._selection = selection
        self._parts = parts
        self._scratch = Scratch(folder, key)
        self._stop = Stop(parts.loop)
        self._output: deque[str] = deque(maxlen=LOGGED_LINES)
        self.key = key

    def run(self) -> SelectionAnswer:
        """Whether every script accepts."""
        for entry in self._selection.scripts:
            answer = answered(self._selection, entry) or self._ask(entry)
            if not answer.selected:
                return answer
        return SelectionAnswer(selected=True, output=tuple(self._output))

    def stop(self, kind: FailureKind) -> None:
        """End the script that runs; the answer is no."""
        self._stop.set(kind)

    def _ask(self, entry: SelectionScript) -> SelectionAnswer:
        report = self._run(_stage(self._selection, entry))
        answer = _answer(report, tuple(self._output))
        if answer.failure:
            _LOGGER.warning("task %s: %s", self._selection.task_name, answer.failure)
        return answer

    def _run(self, stage: Stage) -> StageReport:
        output = Output(self._parts.loop, self._log, self._parts.settings.output, threads=self._parts.settings.threads)
        runner = StageRunner(self._parts, self._scratch, output, self._stop)
        try:
            self._scratch.create()
            return run_limited(runner, stage, self._parts.settings.side_limit, self._stop)
        except (NoSpace, OSError) as error:
            return StageReport(failure=failure(FailureKind.ERROR, f"{stage.kind.prefix}: {error}"))
        except ProcessesLost:
            return StageReport(failure=failure(FailureKind.LOST, f"{stage.kind.prefix}: its process was lost"))
        except Exception as error:
            _LOGGER.exception("task %s: the node failed", self._selection.task_name)
            message = f"{stage.kind.prefix}: {type(error).__name__}: {error}"
            return StageReport(failure=failure(FailureKind.ERROR, message))
        finally:
            runner.sweep(spare=False)
            output.close(0.5)
            self._scratch.remove(keep=True)

    def _log(self, stream: str, text: str, at: int) -> None:
        _LOGGER.info("selection script of %s: %s", self._selection.task_name, text.rstrip())
        self._output.append(text.rstrip()[:LOGGED_LENGTH])


def answered(selection: Selection, entry: SelectionScript) -> SelectionAnswer | None:
    """The answer of a script that is only a constant, and needs no process; None: a node has to ask it."""
    try:
        report = runtime_for(entry.script.language).answer(_stage(selection, entry))
    except CannotStart:
        return None  # the node will say so
    return None if report is None else _answer(report)


def _answer(report: StageReport, output: tuple[str, ...] = ()) -> SelectionAnswer:
    fault = ""
    if report.failure is not None:
        fault = report.failure.message
    elif "selected" not in report.values:
        fault = "The selection script does not set the variable 'selected'"
    return SelectionAnswer(selected=not fault and accepts(report.values["selected"]), failure=fault, output=output)


def _stage(asked: Selection, entry: SelectionScript) -> Stage:
    bindings = Bindings(
        variables=asked.variables,
        generic_information=asked.generic_information,
        arguments=entry.script.arguments,
        node_properties=node_properties(asked.slot, asked.variables),
        services=asked.services,
        node={
            "nodeurl": asked.node_url,
            "nodename": asked.slot.name,
            "nodehost": asked.slot.host,
            "nodeTokens": list(asked.slot.tokens),
        },
    )
    return Stage(kind=StageKind.SELECTION, task_name=asked.task_name, script=entry.script, bindings=bindings)
