"""Warm Python processes on the scheduler's side: one for each interpreter that tasks use, started at first need.

A warm process forks for each stage (``runtimes/harness/python/warm.py``), and executes the programs of the other
languages, too, because it can look after them better than a process with threads: see there. POSIX only.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import socket
import subprocess
from collections.abc import Mapping
from concurrent.futures import Executor as Threads
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler import runtimes
from proactive_jupyter_kernel.scheduler.executors.processes import Child, Command, StartFailed

__all__ = ["ProcessesLost", "WarmProcess", "can_fork"]

_RUN = Path(runtimes.__path__[0]) / "harness" / "python" / "run.py"
#: An interpreter that has not come up after so many seconds is left cold.
_START_LIMIT = 10.0
#: Variables that mean something to an interpreter, or to the loader before it, at its start only.
_AT_START = ("PYTHON", "LD_", "DYLD_", "GLIBC_", "MALLOC_", "LC_", "LANG")
_LOGGER = logging.getLogger(__name__)


class ProcessesLost(Exception):
    """The warm process has died, and with it those that it started."""


def can_fork(base: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether a process with `environment` may come from an interpreter that was started with `base`."""
    names = {name for name in (*base, *environment) if name.startswith(_AT_START)}
    return all(base.get(name) == environment.get(name) for name in names)


class WarmProcess:
    """One warm process; a `Starter`."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, threads: Threads) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._channel = channel
        self._threads = threads
        self._numbers = itertools.count(1)
        self._unread = b""
        self._children: dict[int, _Forked] = {}
        self._sweeps: dict[str, asyncio.Future[None]] = {}
        self._ready: asyncio.Future[Mapping[str, Any]] = self._loop.create_future()
        self._sending = asyncio.Lock()
        self._watch: dict[str, int] = {}
        self._sees_orphans = False
        self.dead = False
        self._loop.add_reader(channel.fileno(), self._on_readable)

    @classmethod
    async def open(cls, interpreter: str, environment: Mapping[str, str], threads: Threads) -> WarmProcess:
        """Start one and wait until it is ready. Raises `StartFailed`."""
        ours, theirs = socket.socketpair()
        try:
            process = subprocess.Popen(
                [interpreter, str(_RUN), "--warm", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=dict(environment),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise StartFailed(f"{interpreter}: {error.strerror}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        warm = cls(process, ours, threads)
        try:
            async with asyncio.timeout(_START_LIMIT):
                ready = await warm._ready
        except (TimeoutError, ProcessesLost) as error:
            await warm.close()
            raise StartFailed(f"{interpreter} cannot be kept warm") from error
        except asyncio.CancelledError:
            await warm.close()
            raise
        warm._sees_orphans = bool(ready.get("subreaper"))
        warm._watch = {str(path): _changed_at(str(path)) for path in ready.get("watch", ())}
        return warm

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Whether stages run in forks of it."""
        return bool(self._children or self._sweeps)

    @property
    def sees_all(self) -> bool:
        """Whether it finds all that an attempt leaves behind (on Linux, while it lives); else somebody must look."""
        return self._sees_orphans and not self.dead

    def is_stale(self) -> bool:
        """Whether packages were installed or the environment rebuilt since it started."""
        return any(_changed_at(path) != changed for path, changed in self._watch.items())

    async def start(self, command: Command, streams: tuple[int, int]) -> Child:
        launch = command.folder / "launch.json"
        problem = command.folder / "launch-problem"
        content = {
            "argv": None if command.forkable else list(command.argv),
            "environment": dict(command.environment),
            "directory": str(command.directory),
            "folder": str(command.folder),
            "error": str(problem),
        }
        launch.write_text(json.dumps(content), encoding="ascii")
        child = _Forked(self, next(self._numbers), problem)
        self._children[child.number] = child
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            message = {"do": "start", "id": child.number, "launch": str(launch)}
            await self._send(message, (nothing, *streams))
            await asyncio.shield(child.started)
        except (ProcessesLost, asyncio.CancelledError):
            if self.dead:
                self._children.pop(child.number, None)
            raise
        finally:
            os.close(nothing)
        return child

    async def sweep(self, cookie: str, *, alone: bool) -> None:
        if self.dead:
            return
        swept = self._sweeps[cookie] = self._loop.create_future()
        with contextlib.suppress(ProcessesLost):
            await self._send({"do": "sweep", "cookie": cookie, "alone": alone})
            await swept
        self._sweeps.pop(cookie, None)

    def spare(self, cookie: str) -> None:
        with contextlib.suppress(OSError):
            self._channel.send(json.dumps({"do": "spare", "cookie": cookie}).encode("ascii") + b"\n")

    async def signal(self, number: int, which: int) -> None:
        with contextlib.suppress(ProcessesLost):
            await self._send({"do": "signal", "id": number, "number": which})

    async def close(self) -> None:
        """End it, and whatever it started."""
        self._lose()
        self._channel.close()
        ended = self._loop.run_in_executor(self._threads, self._end)
        await asyncio.shield(ended)

    def _end(self) -> None:
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    async def _send(self, message: Mapping[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        data = json.dumps(message).encode("ascii") + b"\n"
        channel = self._channel
        async with self._sending:
            while data:
                if self.dead:
                    raise ProcessesLost
                try:
                    sent = socket.send_fds(channel, [data], descriptors) if descriptors else channel.send(data)
                    data, descriptors = data[sent:], ()
                except BlockingIOError:
                    await asyncio.sleep(0.005)
                except OSError:
                    self._lose()

    def _on_readable(self) -> None:
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, message: Mapping[str, Any]) -> None:
        if "ready" in message:
            if not self._ready.done():
                self._ready.set_result(message["ready"])
        elif "swept" in message:
            swept = self._sweeps.get(message["swept"])
            if swept is not None and not swept.done():
                swept.set_result(None)
        elif "exit" in message:
            child = self._children.pop(message["id"], None)
            if child is not None:
                child.end(message["exit"], orphans=message["orphans"], peak=message["peak"])
        elif message["id"] in self._children:
            self._children[message["id"]].start(message["pid"])

    def _lose(self) -> None:
        """The channel has ended: so have all the processes, or they will before long."""
        if self.dead:
            return
        self.dead = True
        self._loop.remove_reader(self._channel.fileno())
        children, self._children = self._children, {}
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._sweeps.values()]
        for child in children.values():
            waiting += [child.started, child.ended]
        for future in waiting:
            if not future.done():
                future.set_exception(ProcessesLost())
                future.exception()  # nobody may be waiting


class _Forked:
    """A child of a warm process."""

    def __init__(self, warm: WarmProcess, number: int, problem: Path) -> None:
        loop = asyncio.get_running_loop()
        self._warm = warm
        self.number = number
        self._problem = problem
        self._pid = 0
        self.started: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self._orphans = True
        self.peak = 0

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def orphans(self) -> bool:
        return self._orphans or not self._warm.sees_all

    def start(self, pid: int) -> None:
        self._pid = pid
        if not self.started.done():
            self.started.set_result(None)

    def end(self, code: int, *, orphans: bool, peak: int) -> None:
        self._orphans = orphans
        self.peak = peak
        if not self.ended.done():
            self.ended.set_result(code)

    async def wait(self) -> int:
        code = await asyncio.shield(self.ended)
        if code == 127 and self._problem.exists():
            raise StartFailed(self._problem.read_text(encoding="utf-8"))
        return code

    async def signal(self, number: int) -> None:
        if not self.ended.done():
            await self._warm.signal(self.number, number)


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
