"""Runs attempts in nodes, wherever these are: what the executors of one machine and of a cluster have in common."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Attempt, FailureKind, Outcome, Selection, SelectionAnswer, Slot
from proactive_jupyter_kernel.scheduler.executors.base import OutputSink, ProgressSink
from proactive_jupyter_kernel.scheduler.executors.work import Nodes, Work
from proactive_jupyter_kernel.scheduler.executors.working_node import NodeLost
from proactive_jupyter_kernel.scheduler.nodes.codec import answer_from, attempt_to, outcome_from, selection_to
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.nodes.selection import answered
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.runtimes.stage import killed, lost
from proactive_jupyter_kernel.workflow.model import SelectionScript

__all__ = ["NodeExecutor"]

#: More answers of selection scripts are not remembered.
_MOST_ANSWERS = 10_000


class NodeExecutor(ABC):
    """What executors with nodes have in common; see `Executor`."""

    def __init__(self) -> None:
        self._running: dict[str, Work] = {}
        self._asking: set[Work] = set()
        #: (slot, language, code, arguments) -> answer, of static selection scripts.
        self._answers: dict[tuple[object, ...], SelectionAnswer] = {}
        self._questions = itertools.count(1)
        self._is_closed = False

    @abstractmethod
    def _nodes_of(self, slot: Slot) -> Nodes:
        """The nodes that do the work of a slot. Raises `NodeLost` if there are none left."""

    def _sent(self, attempt: Attempt) -> Attempt:
        """The attempt as its node gets it."""
        return attempt

    def _asked(self, selection: Selection) -> Selection:
        """The question as its node gets it."""
        return selection

    def _answer(self, work: Work, attempt: Attempt, frame: Frame) -> None:
        """The node that runs an attempt asks for something."""
        raise ValueError(f"a node of this executor asks for nothing, but {work.key} asked for {frame['do']!r}")

    async def _stop_all(self) -> None:
        """End every attempt and question, each as lost."""
        self._is_closed = True
        works = [*self._running.values(), *self._asking]
        for work in works:
            work.stop(FailureKind.LOST)
        await asyncio.gather(*(work.ended for work in works))

    async def run(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None = None) -> Outcome:
        work = self._running[attempt.key] = Work(attempt.key)
        if self._is_closed:
            work.stop(FailureKind.LOST)
        try:
            return await self._run(work, attempt, output, progress)
        finally:
            del self._running[attempt.key]
            work.ended.set_result(None)

    async def _run(self, work: Work, attempt: Attempt, output: OutputSink, progress: ProgressSink | None) -> Outcome:
        def hear(frame: Frame) -> None:
            if frame["do"] == "output":
                for stream, text, at in frame["lines"]:
                    output(stream, text, at)
            elif frame["do"] != "progress":
                self._answer(work, attempt, frame)
            elif progress is not None:
                progress(frame["percent"])

        try:
            content, results = attempt_to(self._sent(attempt))
            frame: Frame = {"do": "attempt", "key": attempt.key, "attempt": content}
            answer = await self._work(work, attempt.slot, frame, hear, results, limit=attempt.walltime)
        except NodeLost:
            return Outcome(failure=work.lost(attempt))
        if answer is None:
            return Outcome(failure=killed() if work.stopped is FailureKind.KILLED else lost())
        # The attempt will be repeated at once, and its slot is occupied until this one has ended.
        await work.wait(answer.get("pause", 0.0))
        return outcome_from(answer["outcome"], answer.get("raw", ()))

    async def _work(
        self,
        work: Work,
        slot: Slot,
        frame: Mapping[str, Any],
        hear: Callable[[Frame], None],
        raw: Sequence[RawValue] = (),
        limit: float | None = None,
    ) -> Frame | None:
        """Have a node do it; None where it was stopped before one could. Raises `NodeLost`.

        The node itself ends what takes longer than `limit` seconds.
        """
        nodes = self._nodes_of(slot)
        node = await nodes.take(lambda: work.stopped is not None)
        if node is None:
            return None
        if work.stopped is not None:
            nodes.put(node)
            return None
        work.given_to(node, nodes, limit)
        try:
            return await node.work(frame, hear, raw)
        except asyncio.CancelledError:
            work.stop(FailureKind.KILLED)
            await node.finished()
            raise
        except NodeLost:
            await nodes.clean_up_after(node, (work.key,))
            raise
        finally:
            work.taken_back()
            nodes.put(node)

    async def kill(self, key: str) -> None:
        work = self._running.get(key)
        if work is not None:
            work.stop(FailureKind.KILLED)
            await work.ended

    # --- selection -----------------------------------------------------------------------------------------------

    async def select(self, selection: Selection) -> SelectionAnswer:
        output: tuple[str, ...] = ()
        for entry in selection.scripts:
            key = (selection.slot.name, entry.script)
            answer = self._answers.get(key) if entry.static else None
            if answer is None:
                answer = answered(selection, entry) or await self._ask(selection, entry)
                if entry.static and len(self._answers) < _MOST_ANSWERS:
                    self._answers[key] = answer
            output += answer.output
            if not answer.selected:
                return dataclasses.replace(answer, output=output)
        return SelectionAnswer(selected=True, output=output)

    async def _ask(self, selection: Selection, entry: SelectionScript) -> SelectionAnswer:
        work = Work(f"selection-{next(self._questions)}")
        if self._is_closed:
            work.stop(FailureKind.LOST)
        self._asking.add(work)
        try:
            one = dataclasses.replace(selection, scripts=(entry,))
            frame = {"do": "selection", "key": work.key, "selection": selection_to(self._asked(one))}
            answer = await self._work(work, selection.slot, frame, lambda frame: None)
        except NodeLost:
            return SelectionAnswer(selected=False, failure="The node that ran the selection script has died")
        finally:
            self._asking.discard(work)
            work.ended.set_result(None)
        if answer is None:
            return SelectionAnswer(selected=False, failure="The scheduler stopped while it asked the selection script")
        return answer_from(answer["answer"])
