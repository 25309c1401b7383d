"""Starts processes the plain way, on every platform, and ends them with all that they have started.

The seam is `Starter`; the warm processes of `warm.py` are its other form.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor as Threads
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

__all__ = ["COOKIE", "Child", "Command", "Spawner", "StartFailed", "Starter", "kill_marked", "kill_tree"]

#: Names the attempt in the environment of all its processes.
COOKIE = "PROACTIVE_TASK_COOKIE"
#: The end of killed processes is awaited this many seconds.
_PATIENCE = 1.0
#: Seconds; younger processes may have no environment yet.
_YOUNG = 5.0


class StartFailed(Exception):
    """The system did not start the process. The text is a finished message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start."""

    argv: tuple[str, ...]
    #: All of it, the cookie included.
    environment: Mapping[str, str]
    directory: Path
    #: A stage's folder.
    folder: Path
    #: True: `argv` is a Python interpreter with our harness, which a warm one may do by forking.
    forkable: bool = False


class Child(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int: ...

    @property
    def orphans(self) -> bool:
        """When it has ended: whether it may have left processes behind."""

    @property
    def peak(self) -> int:
        """When it has ended: the most memory it had, in bytes; 0 where the system does not tell."""

    async def wait(self) -> int:
        """The exit code, negative for a signal. Raises `warm.ProcessesLost` where nobody can know any more."""

    async def signal(self, number: int) -> None:
        """Signal the process and its group; SIGKILL goes to all its descendants. One that has ended: nothing."""


class Starter(Protocol):
    """Starts processes, and finds what they leave behind."""

    async def start(self, command: Command, streams: tuple[int, int]) -> Child:
        """Start it with these descriptors as its output. Raises `StartFailed`."""

    async def sweep(self, cookie: str, *, alone: bool) -> None:
        """Kill every process of the attempt that still runs. `alone`: no other attempt is running."""

    def spare(self, cookie: str) -> None:
        """Let the attempt's processes live when it has ended."""


class Spawner:
    """Starts each process anew. One thread waits for each."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def start(self, command: Command, streams: tuple[int, int]) -> Child:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._start, loop, command, streams)

    def _start(self, loop: asyncio.AbstractEventLoop, command: Command, streams: tuple[int, int]) -> Child:
        try:
            process = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=streams[0],
                stderr=streams[1],
                cwd=command.directory,
                env=dict(command.environment),
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except (OSError, ValueError) as error:
            what = getattr(error, "filename", None) or command.argv[0]
            raise StartFailed(f"{what}: {getattr(error, 'strerror', None) or error}") from error
        return _Spawned(process, loop, self._threads)

    async def sweep(self, cookie: str, *, alone: bool) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, kill_marked, (cookie,))

    def spare(self, cookie: str) -> None:
        """Nothing is killed but by `sweep`."""


class _Spawned:
    def __init__(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, threads: Threads) -> None:
        self._process = process
        self._threads = threads
        self._ended: asyncio.Future[int] = loop.create_future()
        self.peak = 0
        threading.Thread(target=self._wait, args=(loop,), name=f"wait for {process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def orphans(self) -> bool:
        return True  # only a look at all processes would tell

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._ended_with()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._tell, code)

    def _ended_with(self) -> int:
        if not hasattr(os, "wait4"):
            return self._process.wait()
        try:
            _, status, usage = os.wait4(self._process.pid, 0)
        except ChildProcessError:  # somebody else has waited for it
            return self._process.wait()
        self.peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode

    def _tell(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def signal(self, number: int) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._signal, number)

    def _signal(self, number: int) -> None:
        if self._process.returncode is not None:
            return
        if number == _KILL or os.name != "posix":
            kill_tree(self._process.pid)
            return
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, number)


_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)


def kill_tree(pid: int, created: float | None = None) -> None:
    """Kill a process and all its descendants; `created` guards against another process that got its number."""
    try:
        process = psutil.Process(pid)
        if created is not None and abs(process.create_time() - created) > 1:
            return
        everyone = [*process.children(recursive=True), process]
    except psutil.Error:
        return
    _kill(everyone)


def kill_marked(cookies: Iterable[str]) -> int:
    """Kill every process of this user whose environment has one of the cookies, until there is none; their number."""
    wanted = set(cookies)
    killed: set[int] = set()
    deadline = time.monotonic() + _PATIENCE
    while wanted and time.monotonic() < deadline:
        found, is_sure = _marked(wanted)
        _kill(found)
        killed.update(process.pid for process in found)
        if not found and is_sure:
            break
        time.sleep(0.01)
    return len(killed)


def _marked(cookies: set[str]) -> tuple[list[psutil.Process], bool]:
    """The processes that live and have one of the cookies; whether no other may turn out to have one."""
    found, is_sure = [], True
    for pid in psutil.pids():
        try:
            environment = _environment(pid)
            if environment is None:
                continue
            if any(f"{COOKIE}={cookie}".encode() in environment for cookie in cookies):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            elif not environment:
                is_sure = is_sure and not _is_young(psutil.Process(pid))
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or another user's
    return found, is_sure


def _environment(pid: int) -> bytes | None:
    """The environment that a process was started with; None where nobody may know it."""
    if not os.path.isdir("/proc/self"):
        return "\0".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items()).encode()
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # psutil takes ten times as long
            return file.read()
    except PermissionError:
        return None


def _is_young(process: psutil.Process) -> bool:
    """Whether it may have no environment for the moment only, because it executes a program just now."""
    return process.status() != psutil.STATUS_ZOMBIE and time.time() - process.create_time() < _YOUNG


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
