"""Starts processes that no template can fork, and looks after all that a node is the parent of.

A node is the parent of everything that its attempt leaves running, where the system has subreapers: then nothing is
searched for. Elsewhere processes are found by their environment (`marked`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.runtimes.harness.python import processes as system

__all__ = ["Child", "Command", "ProcessesLost", "Spawned", "Spawner", "StartFailed", "Starter"]

#: The end of killed processes is awaited this many seconds.
_PATIENCE = 1.0
_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)
#: What Python or a node ignores, and programs expect to be as the system has it.
_DEFAULTS = [number for name in ("SIGPIPE", "SIGXFSZ", "SIGINT") if (number := getattr(signal, name, None)) is not None]


class StartFailed(Exception):
    """The system did not start the process. The text is a finished message."""


class ProcessesLost(Exception):
    """The parent of the process has died, so its exit status is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start."""

    argv: tuple[str, ...]
    #: What it has besides the environment of the node, or otherwise; the cookie included.
    environment: Mapping[str, str]
    directory: Path
    #: A stage's folder.
    folder: Path
    #: The request of a Python stage that a template forks for; empty: `argv` is executed.
    request: str = ""


class Child(Protocol):
    """A process that was started."""

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs. Raises `ProcessesLost` and `StartFailed`."""

    @property
    def orphans(self) -> bool:
        """When it has ended: whether it may have left processes behind."""

    @property
    def peak(self) -> int:
        """When it has ended: the most memory it had, in bytes; 0 where the system does not tell."""

    def signal(self, number: int) -> None:
        """Signal the process and its group; SIGKILL goes to all its descendants. One that has ended: nothing."""

    def give_up(self) -> None:
        """It was killed and has not ended: end who started it, if that is a process that may hang."""


class Starter(Protocol):
    """Starts processes, and finds what they leave behind."""

    def start(self, command: Command, streams: tuple[int, int]) -> Child:
        """Start it with these descriptors as its output. Raises `StartFailed`, and OSError where there is no room."""

    def sweep(self) -> bool:
        """Kill every process of the attempt that still runs; whether that is all there can be."""


class Spawner:
    """Executes programs, as children of the node."""

    def __init__(self, loop: Loop, base: Mapping[str, str]) -> None:
        """`base`: the environment of the node."""
        self._loop = loop
        self._base = base
        #: Those that are waited for.
        self._own: set[int] = set()
        self.sees_orphans = os.name == "posix" and system.become_subreaper()
        if not hasattr(os, "pidfd_open"):
            loop.wakeable()

    def adopt(self, pid: int) -> None:
        """A child of the node that is none of an attempt's."""
        self._own.add(pid)

    def disown(self, pid: int) -> None:
        """It has ended and was waited for."""
        self._own.discard(pid)

    def start(self, command: Command, streams: tuple[int, int]) -> Spawned:
        environment = {**self._base, **command.environment}
        try:
            pid, process = _spawned(command, environment, streams)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and is_shortage(error):
                raise
            what = getattr(error, "filename", None) or command.argv[0]
            raise StartFailed(f"{what}: {getattr(error, 'strerror', None) or error}") from error
        self._own.add(pid)
        return Spawned(self, self._loop, pid, process)

    def orphans(self) -> list[int]:
        """Children that were not started here: their parents ended before them."""
        return [pid for pid in system.children(os.getpid()) if pid not in self._own]

    def reap(self) -> None:
        """Reap orphans that have ended, so that a long task may leave behind as many as it likes."""
        if self.sees_orphans:
            for pid in self.orphans():
                system.reap(pid)

    def sweep(self) -> bool:
        if not self.sees_orphans:
            return False
        deadline = time.monotonic() + _PATIENCE
        while left := self.orphans():
            for pid in left:
                if not system.reap(pid):
                    for descendant in (*system.descendants(pid), pid):
                        system.signal_one(descendant, _KILL)
            if time.monotonic() > deadline:
                break
            if any(not system.reap(pid) for pid in left):
                time.sleep(0.001)
        return True


class Spawned:
    """A child of the node."""

    def __init__(self, spawner: Spawner, loop: Loop, pid: int, process: subprocess.Popen[bytes] | None) -> None:
        self._spawner = spawner
        self._loop = loop
        self._pid = pid
        self._process = process
        self._code: int | None = None
        self.orphans = True
        self.peak = 0
        self._descriptor = -1
        if hasattr(os, "pidfd_open"):
            try:
                self._descriptor = os.pidfd_open(pid)
            except OSError:
                loop.wakeable()
        if self._descriptor >= 0:
            loop.add_reader(self._descriptor, self._on_end)
        else:
            threading.Thread(target=self._wait, name=f"wait for {pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def code(self) -> int | None:
        return self._code

    def _on_end(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._take(self._ended_with())

    def _wait(self) -> None:
        code = self._ended_with()
        self._loop.call_soon_threadsafe(lambda: self._take(code))

    def _take(self, code: int) -> None:
        self._code = code
        self._spawner.disown(self._pid)
        self.orphans = not self._spawner.sees_orphans or bool(self._spawner.orphans())

    def _ended_with(self) -> int:
        if not hasattr(os, "wait4"):
            assert self._process is not None
            return self._process.wait()
        try:
            _, status, usage = os.wait4(self._pid, 0)
        except ChildProcessError:  # somebody else has waited for it
            return 0 if self._process is None else self._process.wait()
        self.peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        code = os.waitstatus_to_exitcode(status)
        if self._process is not None:
            self._process.returncode = code
        return code

    def signal(self, number: int) -> None:
        if os.name != "posix":
            if self._code is None:
                from proactive_jupyter_kernel.scheduler.nodes.marked import kill_tree

                kill_tree(self._pid)
            return
        if self._code is None and number == _KILL:
            for pid in system.descendants(self._pid):
                system.signal_one(pid, number)
        if self._code is None:
            system.signal_group(self._pid, number)

    def give_up(self) -> None:
        """Only the system can keep a killed process from ending."""


def is_shortage(error: OSError) -> bool:
    """Whether the system has no room now, and may have some later."""
    return error.errno in system.SHORTAGES


def _spawned(
    command: Command, environment: dict[str, str], streams: tuple[int, int]
) -> tuple[int, subprocess.Popen[bytes] | None]:
    """The process id, and the object that must live as long where `posix_spawn` cannot do it."""
    if not hasattr(os, "posix_spawn"):
        process = _popen(command, environment, streams)
        return process.pid, process
    program = command.argv[0]
    if "/" not in program:
        program = shutil.which(program, path=environment.get("PATH", os.defpath)) or program
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, streams[0], 1),
        (os.POSIX_SPAWN_DUP2, streams[1], 2),
    ]
    try:
        # A node has one thread that works, and uses no relative paths itself.
        os.chdir(command.directory)
        return os.posix_spawn(
            program, command.argv, environment, file_actions=actions, setsid=True, setsigdef=_DEFAULTS
        ), None
    except NotImplementedError:
        process = _popen(command, environment, streams)
        return process.pid, process
    finally:
        os.chdir("/")


def _popen(command: Command, environment: dict[str, str], streams: tuple[int, int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=streams[0],
        stderr=streams[1],
        cwd=command.directory,
        env=environment,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def wait_for(loop: Loop, child: Child, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
    """Take turns until it has ended, so many seconds have passed, or `until` says so; whether it has ended."""
    end = time.monotonic() + seconds
    with contextlib.suppress(ProcessesLost, StartFailed):
        while child.code is None and not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            loop.turn(left)
    return True
