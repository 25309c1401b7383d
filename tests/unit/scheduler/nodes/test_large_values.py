"""Large results of parents on their way to a node: in parts, and never all at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import ParentResult
from proactive_jupyter_kernel.scheduler.executors.working_node import NodeLost, WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.frames import Splitter, packed
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import Stage, StageKind
from proactive_jupyter_kernel.workflow.model import Script


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.parts.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True


def stored(size: int, texts: list[int], *, real: int | None = None) -> RawValue:
    """A value that notes when it is read."""

    def load() -> bytes:
        texts.append(size)
        return b"1" * (size if real is None else real)

    return RawValue.stored(size, load)


def test_frames_come_whole_however_they_are_cut() -> None:
    """With values, with none, and with empty ones."""
    frames: list[dict[str, Any]] = [{"do": "a", "raw": [b"xy", b"", b"z"]}, {"do": "b"}, {"do": "c", "raw": []}]
    content = b"".join(map(packed, frames))
    for step in (1, 3, len(content)):
        splitter = Splitter()
        found = [frame for at in range(0, len(content), step) for frame in splitter.feed(content[at : at + step])]
        assert found == frames


def test_large_values_are_read_while_they_are_sent() -> None:
    """Part by part, as the channel takes them; what else is sent to the node comes behind them."""
    read: list[int] = []

    async def scenario() -> list[dict[str, Any]]:
        node, transport = WorkingNode("n"), Transport()
        node.connection_made(transport)
        values = [stored(size, read) for size in (900_000, 200_000, 10)]
        node.pause_writing()
        work = asyncio.create_task(node.work({"do": "attempt", "key": "k"}, lambda frame: None, values))
        while len(read) < 2:
            await asyncio.sleep(0.001)
        node.send({"do": "stop", "key": "k", "kind": "killed"})
        await asyncio.sleep(0.01)
        assert (read, len(transport.parts)) == ([900_000, 200_000], 1)
        node.resume_writing()
        while len(transport.parts) < 4:
            await asyncio.sleep(0.001)
        work.cancel()
        return Splitter().feed(b"".join(transport.parts))

    attempt, stop = asyncio.run(scenario())
    assert [len(text) for text in attempt["raw"]] == [900_000, 200_000, 10]
    assert stop["do"] == "stop"


def test_a_node_that_got_half_of_a_frame_is_closed() -> None:
    """A value cannot be read, or has another length: the node could read no frame after this one."""

    async def scenario() -> None:
        node, transport = WorkingNode("n"), Transport()
        node.connection_made(transport)
        with pytest.raises(ValueError, match="another length"):
            await node.work({"do": "attempt", "key": "k"}, lambda frame: None, [stored(100_000, [], real=5)])
        assert (transport.is_closed, node.is_retired) == (True, True)

    asyncio.run(scenario())


def test_a_node_that_dies_while_it_is_sent_values_is_lost() -> None:
    """Whoever waits for the channel to take more does not wait on."""

    async def scenario() -> None:
        node = WorkingNode("n")
        node.connection_made(Transport())
        node.pause_writing()
        work = asyncio.create_task(node.work({"do": "attempt", "key": "k"}, lambda frame: None, [stored(100_000, [])]))
        await asyncio.sleep(0.01)
        node.connection_lost(None)
        with pytest.raises(NodeLost):
            await work

    asyncio.run(scenario())


def test_results_of_parents_are_put_into_a_request_as_they_are() -> None:
    """The text that a Python harness reads is that of the request with decoded results."""
    parents = tuple(
        ParentResult(task_name=name, task_id=number, value=RawValue.of(value))
        for number, (name, value) in enumerate([("A", [1, "é"]), ("B", None), ("C", {"k": 2.5})])
    )
    script = Script(language="cpython", code="pass")
    stage = Stage(kind=StageKind.MAIN, task_name="T", script=script, bindings=Bindings(results=parents))
    runtime = runtime_for("cpython")
    assert json.loads(b"".join(runtime._request_text(stage, None))) == runtime.request(stage)
