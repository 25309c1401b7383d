"""The scheduler's end of one worker: whether it can be used, and its nodes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.scheduler.executors.dask import worker as worker_side
from proactive_jupyter_kernel.scheduler.executors.dask.comms import CommTransport, connect, reason_of, run_on_worker
from proactive_jupyter_kernel.scheduler.executors.dask.remote_node import RemoteNode
from proactive_jupyter_kernel.scheduler.executors.dask.tunnel import Tunnel
from proactive_jupyter_kernel.scheduler.executors.working_node import PATIENCE, NodeLost, WorkingNode
from proactive_jupyter_kernel.scheduler.nodes.lease import LONGEST
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.version import __version__

__all__ = ["WorkerFacts", "WorkerSite"]

_LOGGER = logging.getLogger(__name__)
#: Seconds between two looks whether the worker can be reached, and without an answer until it gets no more tasks. Those
#: that it has keep their lease.
_PING_EVERY, _SILENT = 2.0, 6.0
#: Seconds until a worker is tried again: at first, and at most.
_RETRY, _LONGEST_RETRY = 0.5, 15.0
#: Seconds between two looks whether all has ended on a worker that leaves.
_LOOK = 0.2
#: What the worker computes first: it is text, because nothing of ours may be there.
_PROBE = "__import__('importlib').import_module('proactive_jupyter_kernel.version').__version__"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """A worker as its Dask scheduler describes it."""

    address: str
    name: str
    host: str
    threads: int
    resources: Mapping[str, float]


class _Unusable(Exception):
    """The worker cannot have nodes; the text says why and what to do."""


class WorkerSite:
    """One worker, from the moment it has joined until it has left. `Nodes` for its slots."""

    def __init__(self, facts: WorkerFacts, settings: NodeSettings, port: int, changed: Callable[[], None]) -> None:
        """`port`: where the scheduler's REST API listens, for the tasks; 0: it has none."""
        self.facts = facts
        #: The name of its machine, once it is known.
        self.host = facts.host
        self.is_ready = False
        #: Why it is not used; empty while that is not known, and while it is used.
        self.reason = ""
        #: Set when either is known.
        self.decided = asyncio.Event()
        self._settings = settings
        self._changed = changed
        self._port = port
        #: Where tasks on the worker reach it.
        self.tunnel_port = 0
        self._tunnel = Tunnel(self._send)
        self._site = ""
        #: Its folder on the worker.
        self.folder = ""
        self._control: Any = None
        self._idle: list[RemoteNode] = []
        self._all: set[RemoteNode] = set()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._writing = asyncio.Lock()
        self._is_leaving = False
        self._heard_at = 0.0
        self._running = asyncio.get_running_loop().create_task(self._run())

    # --- life ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Be connected whenever that is possible."""
        pause = _RETRY
        while not self._is_leaving:
            try:
                await self._open()
                pause = _RETRY
                try:
                    await self._serve()
                except OSError as error:
                    # It has left in order, or died: where it comes again, the next attempt succeeds.
                    _LOGGER.info("the connection to worker %s has ended: %s", self.facts.name, error)
            except _Unusable as error:
                pause = _LONGEST_RETRY
                self._tell(str(error))
            except (OSError, TimeoutError) as error:
                reason = reason_of(error)
                self._tell(f"Worker {self.facts.name} cannot be reached from here at {self.facts.address}: {reason}")
            except Exception as error:
                _LOGGER.exception("worker %s cannot be used", self.facts.name)
                self._tell(f"Worker {self.facts.name} cannot be used: {type(error).__name__}: {error}")
            finally:
                self._close()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_RETRY)

    def _tell(self, reason: str) -> None:
        if reason != self.reason:
            self.reason = reason
            self.decided.set()
            _LOGGER.warning("%s", reason)

    async def _open(self) -> None:
        comm = await connect(self.facts.address)
        try:
            await self._check(comm)
            facts = await run_on_worker(comm, worker_side.attach)
            self.host = facts["host"] or self.facts.host
            settings = self._settings.to_json()
            await comm.write({"op": worker_side.OPERATION, "reply": False, "do": "site", "settings": settings})
            answer = await comm.read()
            self._site, self.folder, self.tunnel_port = answer["site"], answer["folder"], answer["tunnel"]
            self._tunnel = Tunnel(self._send)
            self._tunnel.lead_to(self._port)
        except BaseException:
            comm.abort()
            raise
        self._control = comm
        self.is_ready, self.reason = True, ""
        _LOGGER.info("worker %s at %s is used", self.facts.name, self.facts.address)
        self.decided.set()
        self._changed()

    async def _check(self, comm: Any) -> None:
        name = self.facts.name
        try:
            version = await run_on_worker(comm, eval, _PROBE)
        except ModuleNotFoundError as error:
            raise _Unusable(
                f"Worker {name} is not used: proactive-jupyter-kernel is not installed in its environment ({error}). "
                f'Install it there: pip install "proactive-jupyter-kernel[dask]=={__version__}"'
            ) from None
        if version != __version__:
            raise _Unusable(
                f"Worker {name} is not used: it has proactive-jupyter-kernel {version}, and the scheduler "
                f"{__version__}. Install the same version in both environments, then start the worker again"
            )

    async def _serve(self) -> None:
        """Until the connection ends, or nothing more is heard."""
        self._heard_at = asyncio.get_running_loop().time()
        pinging = asyncio.create_task(self._ping())
        try:
            while True:
                message = await self._control.read()
                self._heard_at = asyncio.get_running_loop().time()
                self._be_ready(True)
                if message["do"] in ("open", "data", "end"):
                    self._tunnel.take(message)
                elif message["do"] == "cleaned" and (answer := self._answers.pop(message["number"], None)) is not None:
                    answer.set_result(None)
        finally:
            pinging.cancel()

    async def _ping(self) -> None:
        """Look whether it answers; end the connection when it has not for longer than a lease lasts."""
        limit = max(_SILENT, self._settings.lease * LONGEST)
        sending: asyncio.Task[None] | None = None
        while True:
            # Where the other side no longer reads, a message waits; the next look is made all the same.
            if sending is None or sending.done():
                sending = asyncio.create_task(self._send_ping())
            await asyncio.sleep(_PING_EVERY)
            silent = asyncio.get_running_loop().time() - self._heard_at
            if silent > _SILENT:
                self._be_ready(False)
            if silent > limit and self._control is not None:
                sending.cancel()
                self._control.abort()
                return

    async def _send_ping(self) -> None:
        with contextlib.suppress(OSError):
            await self._send({"do": "ping", "number": next(self._numbers)})

    def _be_ready(self, ready: bool) -> None:
        ready = ready and not self._is_leaving
        if ready != self.is_ready:
            self.is_ready = ready
            if not ready:
                self._end_idle()
            self._changed()

    async def _send(self, message: Mapping[str, Any]) -> None:
        async with self._writing:
            if self._control is None:
                raise OSError("not connected")
            await self._control.write(message)

    def _close(self) -> None:
        """The connection has ended."""
        if self._control is not None:
            self._control.abort()
            self._control = None
        self._tunnel.close()
        self._end_idle()
        for answer in self._answers.values():
            answer.cancel()
        self._answers.clear()
        self._be_ready(False)

    def _end_idle(self) -> None:
        for node in self._idle:
            node.close()
            self._all.discard(node)
        self._idle.clear()

    async def leave(self) -> None:
        """The worker is no longer one of the cluster's: end when what runs there has ended."""
        _LOGGER.info("worker %s has left the cluster", self.facts.name)
        self._is_leaving, self.is_ready = True, False
        self._end_idle()
        while self._all:
            await asyncio.sleep(_LOOK)
        await self.close()

    async def close(self) -> None:
        """End all its nodes."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        for node in list(self._all):
            node.close()

    # --- nodes ---------------------------------------------------------------------------------------------------

    async def take(self, given_up: Callable[[], bool]) -> WorkingNode | None:
        """See `Nodes`."""
        while self._idle:
            node = self._idle.pop()
            if not node.is_retired:
                return node
        if not self.is_ready:
            raise NodeLost
        try:
            return await self._new()
        except (OSError, TimeoutError):
            raise NodeLost from None

    async def _new(self) -> RemoteNode:
        comm = await connect(self.facts.address)
        try:
            await comm.write({"op": worker_side.OPERATION, "reply": False, "do": "node", "site": self._site})
            async with asyncio.timeout(PATIENCE):
                answer = await comm.read()
            node = RemoteNode(answer["node"], lease=self._settings.lease, grace=self._settings.grace)
            CommTransport(comm, node)
        except BaseException:
            comm.abort()
            raise
        self._all.add(node)
        return node

    def put(self, node: WorkingNode) -> None:
        """See `Nodes`."""
        assert isinstance(node, RemoteNode)
        node.key = ""
        if node.is_retired or not self.is_ready:
            node.close()
            self._all.discard(node)
        else:
            self._idle.append(node)

    async def check(self, node: WorkingNode) -> None:
        """See `Nodes`."""
        if not await node.answers():
            _LOGGER.warning("%s of worker %s does not answer and is killed", node.name, self.facts.name)
            with contextlib.suppress(OSError):
                await self._send({"do": "kill", "node": node.name})
            node.close()

    async def clean_up_after(self, node: WorkingNode, keys: tuple[str, ...]) -> None:
        """Wait until the worker says that nothing is left, or, where it cannot, until nothing can be left."""
        assert isinstance(node, RemoteNode)
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        left = max(node.seconds_left, 0.0)
        try:
            await self._send({"do": "clean", "node": node.name, "keys": list(keys), "number": number})
            async with asyncio.timeout(left + PATIENCE):
                await asyncio.shield(answer)
            return
        except (OSError, TimeoutError):
            pass
        except asyncio.CancelledError:
            if not answer.cancelled():
                raise
        finally:
            self._answers.pop(number, None)
        await asyncio.sleep(max(node.seconds_left, 0.0))
