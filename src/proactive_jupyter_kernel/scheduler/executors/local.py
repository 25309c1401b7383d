"""Runs attempts on this machine, a number of them side by side, each in a node, a process of its own."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    Failure,
    FailureKind,
    Outcome,
    Selection,
    SelectionAnswer,
    Slot,
)
from proactive_jupyter_kernel.scheduler.executors.base import OutputSink, ProgressSink
from proactive_jupyter_kernel.scheduler.executors.nodes import LocalNodes
from proactive_jupyter_kernel.scheduler.executors.working_node import NodeLost, WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.codec import (
    answer_from,
    attempt_to,
    outcome_from,
    selection_to,
)
from proactive_jupyter_kernel.scheduler.nodes.frames import Frame
from proactive_jupyter_kernel.scheduler.nodes.scratch import clean_up
from proactive_jupyter_kernel.scheduler.nodes.selection import answered
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.runtimes import registry
from proactive_jupyter_kernel.scheduler.runtimes.stage import failure, killed, lost, walltime_reached
from proactive_jupyter_kernel.scheduler.settings import NodeSource
from proactive_jupyter_kernel.workflow.model import SelectionScript

__all__ = ["LocalExecutor", "LocalSettings"]

#: More answers of selection scripts are not remembered.
_MOST_ANSWERS = 10_000
#: A task that still runs so many seconds after its walltime makes the scheduler ask its node for an answer, and again
#: after as many.
_LATE = 15.0
#: Seconds between two looks whether a pause was broken off.
_LOOK = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings(NodeSettings):
    """How the local executor works, and each of its nodes. Times are seconds, sizes bytes."""

    slots: int = 4
    #: Node sources beside `DEFAULT_SOURCE`, which has `slots` nodes.
    sources: tuple[NodeSource, ...] = ()

    def of_nodes(self, scratch: Path) -> NodeSettings:
        """The settings of each node."""
        names = [field.name for field in dataclasses.fields(NodeSettings)]
        return NodeSettings(**{**{name: getattr(self, name) for name in names}, "scratch": str(scratch)})


class LocalExecutor:
    """The executor of one machine; see `Executor`. Make, `start` and use it in one event loop."""

    def __init__(self, scratch: Path, settings: LocalSettings | None = None) -> None:
        """`scratch`: a folder that belongs to this executor alone; what lies there is removed when it starts."""
        self._scratch = scratch.absolute()
        self._settings = settings or LocalSettings()
        self._slots = _slots(self._settings)
        self._nodes: LocalNodes | None = None
        self._running: dict[str, _Work] = {}
        self._asking: set[_Work] = set()
        #: (slot, language, code, arguments) -> answer, of static selection scripts.
        self._answers: dict[tuple[object, ...], SelectionAnswer] = {}
        self._questions = itertools.count(1)
        self._is_closed = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    def watch_slots(self, changed: Callable[[], None]) -> None:
        """The slots of a machine stay what the settings say."""

    async def start(self) -> None:
        await asyncio.to_thread(clean_up, self._scratch)
        await asyncio.to_thread(registry.table)
        self._node_room().prepare()

    async def close(self) -> None:
        self._is_closed = True
        works = [*self._running.values(), *self._asking]
        for work in works:
            work.stop(FailureKind.LOST)
        await asyncio.gather(*(work.ended for work in works))
        if self._nodes is not None:
            await self._nodes.close()

    async def run(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None = None) -> Outcome:
        work = self._running[attempt.key] = _Work(attempt.key)
        if self._is_closed:
            work.stop(FailureKind.LOST)
        try:
            return await self._run(work, attempt, output, progress)
        finally:
            del self._running[attempt.key]
            work.ended.set_result(None)

    async def _run(self, work: _Work, attempt: Attempt, output: OutputSink, progress: ProgressSink | None) -> Outcome:
        def hear(frame: Frame) -> None:
            if frame["do"] == "output":
                for stream, text, at in frame["lines"]:
                    output(stream, text, at)
            elif progress is not None:
                progress(frame["percent"])

        try:
            content, results = attempt_to(attempt)
            frame: Frame = {"do": "attempt", "key": attempt.key, "attempt": content}
            answer = await self._work(work, frame, hear, results, limit=attempt.walltime)
        except NodeLost:
            return Outcome(failure=work.lost(attempt))
        if answer is None:
            return Outcome(failure=killed() if work.stopped is FailureKind.KILLED else lost())
        # The attempt will be repeated at once, and its slot is occupied until this one has ended.
        await work.wait(answer.get("pause", 0.0))
        return outcome_from(answer["outcome"], answer.get("raw", ()))

    async def _work(
        self,
        work: _Work,
        frame: Mapping[str, Any],
        hear: Callable[[Frame], None],
        raw: Sequence[RawValue] = (),
        limit: float | None = None,
    ) -> Frame | None:
        """Have a node do it; None where it was stopped before one could. Raises `NodeLost`.

        The node itself ends what takes longer than `limit` seconds.
        """
        nodes = self._node_room()
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
        work = _Work(f"selection-{next(self._questions)}")
        if self._is_closed:
            work.stop(FailureKind.LOST)
        self._asking.add(work)
        try:
            one = dataclasses.replace(selection, scripts=(entry,))
            frame = {"do": "selection", "key": work.key, "selection": selection_to(one)}
            answer = await self._work(work, frame, lambda frame: None)
        except NodeLost:
            return SelectionAnswer(selected=False, failure="The node that ran the selection script has died")
        finally:
            self._asking.discard(work)
            work.ended.set_result(None)
        if answer is None:
            return SelectionAnswer(selected=False, failure="The scheduler stopped while it asked the selection script")
        return answer_from(answer["answer"])

    def _node_room(self) -> LocalNodes:
        if self._nodes is None:
            self._nodes = LocalNodes(self._scratch, self._settings.of_nodes(self._scratch))
        return self._nodes


class _Work:
    """Something that a node does, or will do."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.node: WorkingNode | None = None
        self.stopped: FailureKind | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._nodes: LocalNodes | None = None
        self._late: asyncio.TimerHandle | None = None
        #: Whether its node was asked for an answer because it should have ended.
        self._is_late = False
        self._checks: set[asyncio.Task[None]] = set()

    def given_to(self, node: WorkingNode, nodes: LocalNodes, limit: float | None) -> None:
        """A node does it, and ends it after `limit` seconds."""
        self.node, self._nodes = node, nodes
        if limit is not None:
            self._look_in(limit + _LATE)

    def taken_back(self) -> None:
        """No node does it any more."""
        self.node = None
        if self._late is not None:
            self._late.cancel()

    def lost(self, attempt: Attempt) -> Failure:
        """Why it ended with its node."""
        if self.stopped is FailureKind.KILLED:
            return killed()
        if self._is_late and attempt.walltime is not None:
            return walltime_reached(attempt.task_name, attempt.walltime)
        return _node_died()

    def _look_in(self, seconds: float) -> None:
        self._late = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._is_late = True
        self._check()
        self._look_in(_LATE)

    def _check(self) -> None:
        """A node that was stopped, or hangs, would never end what it does."""
        if self.node is not None and self._nodes is not None:
            check = asyncio.get_running_loop().create_task(self._nodes.check(self.node))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)

    async def wait(self, seconds: float) -> None:
        """Wait that long, or until it is stopped."""
        end = time.monotonic() + seconds
        while self.stopped is None and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _LOOK))

    def stop(self, kind: FailureKind) -> None:
        """Have it end soon, for that reason."""
        if self.stopped is None or kind is FailureKind.LOST:
            self.stopped = self.stopped or kind
            if self.node is not None:
                self.node.send({"do": "stop", "key": self.key, "kind": kind.value})
                self._check()


def _node_died() -> Failure:
    return failure(
        FailureKind.LOST, "The node that ran the task has died. The task runs again, unless that happened too often"
    )


def _slots(settings: LocalSettings) -> tuple[Slot, ...]:
    """Those without access tokens first, for any task may run there."""
    host = platform.node() or "localhost"
    slots = [Slot(name=f"local-{number}", host=host) for number in range(settings.slots)]
    for source in settings.sources:
        slots += [
            Slot(name=f"{source.name}-{number}", host=host, source=source.name, tokens=source.tokens)
            for number in range(source.nodes)
        ]
    return tuple(slots)
