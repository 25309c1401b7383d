"""Asks the selection scripts of a task about a slot.

Their output goes to the scheduler's log, and its last lines into the answer: it says why a slot was refused.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import MutableMapping
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Selection, SelectionAnswer, Wire
from proactive_jupyter_kernel.scheduler.executors.attempts import run_limited
from proactive_jupyter_kernel.scheduler.executors.scratch import Scratch
from proactive_jupyter_kernel.scheduler.executors.stages import Host, StageRunner
from proactive_jupyter_kernel.scheduler.executors.state import LOGGED_LENGTH, LOGGED_LINES
from proactive_jupyter_kernel.scheduler.executors.streams import Output
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings, node_properties
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Stage, StageKind, StageReport
from proactive_jupyter_kernel.workflow.model import SelectionScript

__all__ = ["SelectionRun", "accepts"]

_LOGGER = logging.getLogger(__name__)
#: More answers are not remembered.
_MOST_ANSWERS = 10_000


def accepts(selected: Wire) -> bool:
    """What the value of ``selected`` means (``SelectionScript.java``): true, a number but 0, a text but ``false``."""
    if isinstance(selected, bool | int | float):
        return selected != 0
    return isinstance(selected, str) and selected not in ("false", "False")


class SelectionRun:
    """All scripts of one question."""

    def __init__(
        self,
        selection: Selection,
        host: Host,
        folder: Path,
        answers: MutableMapping[tuple[object, ...], SelectionAnswer],
    ) -> None:
        self._selection = selection
        self._host = host
        self._answers = answers
        self._scratch = Scratch(folder.parent, folder.name)
        self._runner: StageRunner | None = None
        self._is_ended = False
        self._output: deque[str] = deque(maxlen=LOGGED_LINES)

    async def run(self) -> SelectionAnswer:
        """Whether every script accepts."""
        for entry in self._selection.scripts:
            key = (self._selection.slot.name, entry.script)
            known = self._answers.get(key) if entry.static else None
            if known is None:
                known = await self._ask(entry)
                if entry.static and len(self._answers) < _MOST_ANSWERS:
                    self._answers[key] = known
            if not known.selected:
                return known
        return SelectionAnswer(selected=True, output=tuple(self._output))

    async def end(self) -> None:
        """End the script that runs; the answer is no."""
        self._is_ended = True
        if self._runner is not None:
            await self._runner.end()

    async def _ask(self, entry: SelectionScript) -> SelectionAnswer:
        stage = self._stage(entry)
        report = self._answer(stage) or await self._run(stage)
        failure = ""
        if report.failure is not None:
            failure = report.failure.message
        elif "selected" not in report.values:
            failure = "The selection script does not set the variable 'selected'"
        if failure:
            _LOGGER.warning("task %s: %s", self._selection.task_name, failure)
        selected = not failure and accepts(report.values["selected"])
        return SelectionAnswer(selected=selected, failure=failure, output=tuple(self._output))

    def _answer(self, stage: Stage) -> StageReport | None:
        """The answer of a script that needs no process, and so no folder."""
        try:
            return runtime_for(stage.script.language).answer(stage)
        except CannotStart:
            return None  # its run will say so

    def _stage(self, entry: SelectionScript) -> Stage:
        asked = self._selection
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

    async def _run(self, stage: Stage) -> StageReport:
        output = Output(self._log, self._host.settings.output, threads=self._host.settings.threads)
        self._runner = StageRunner(self._host, self._scratch, output)
        self._runner.stopped = self._is_ended
        try:
            await self._host.block(self._scratch.create)
            return await run_limited(self._runner, stage, self._host.settings.side_limit)
        finally:
            await self._runner.sweep(spare=False)
            await output.close(0.5)
            await self._host.block(self._scratch.remove)

    def _log(self, stream: str, text: str, at: int) -> None:
        _LOGGER.info("selection script of %s: %s", self._selection.task_name, text.rstrip())
        self._output.append(text.rstrip()[:LOGGED_LENGTH])
