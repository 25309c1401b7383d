"""A template: a Python process that forks another one for each Python stage; the node's end of it.

See ``runtimes/harness/python/warm.py`` for its own end, and for what is said between them. POSIX only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler import runtimes
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.processes import Command, ProcessesLost, StartFailed

__all__ = ["Template", "can_fork"]

_RUN = Path(runtimes.__path__[0]) / "harness" / "python" / "run.py"
#: An interpreter has to come up within so many seconds.
_START_LIMIT = 10.0
#: One that has not killed what an attempt left after so many seconds does not run; a task may have stopped it.
_SWEEP_LIMIT = 10.0
#: Variables that mean something to an interpreter, or to the loader before it, at its start only.
_AT_START = ("PYTHON", "LD_", "DYLD_", "GLIBC_", "MALLOC_", "LC_", "LANG")
_HEAD = struct.Struct("!I")
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_LOGGER = logging.getLogger(__name__)


def can_fork(base: Mapping[str, str], changes: Mapping[str, str]) -> bool:
    """Whether a process may come from an interpreter that was started with `base`, and get these variables later."""
    return all(not name.startswith(_AT_START) or base.get(name) == text for name, text in changes.items())


class Template:
    """One template; a `Starter`."""

    def __init__(self, loop: Loop, interpreter: str, base: Mapping[str, str], packages: tuple[str, ...] = ()) -> None:
        """Begin to start one, which imports these packages; `ready` waits for it. Raises `StartFailed`."""
        self._loop = loop
        self._interpreter = interpreter
        self._unread = b""
        self._child: _Forked | None = None
        self._is_ready = self._is_swept = False
        self._sees_orphans = False
        self._watch: dict[str, int] = {}
        self._begun = time.monotonic()
        self.dead = False
        self.used = self._begun
        #: How many stages it was given.
        self._started = 0
        #: The process that waits for the next one; 0: unknown.
        self._waits = 0
        (ours, theirs), (self._stages, forks) = socket.socketpair(), socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [interpreter, str(_RUN), "--warm", str(theirs.fileno()), str(forks.fileno()), *packages],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), forks.fileno()],
                env=dict(base),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._stages.close()
            raise StartFailed(f"{interpreter}: {error.strerror}") from error
        finally:
            theirs.close()
            forks.close()
        self._channel = ours
        loop.add_reader(ours.fileno(), self._on_readable)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it takes stages, or has taken some and died."""
        return self._is_ready

    def ready(self) -> None:
        """Wait until it takes stages. Raises `StartFailed`."""
        while not self._is_ready and not self.dead:
            left = self._begun + _START_LIMIT - time.monotonic()
            if left <= 0:
                break
            self._loop.turn(left)
        if not self._is_ready or self.dead:
            raise StartFailed(f"{self._interpreter} cannot be kept warm")

    def is_stale(self) -> bool:
        """Whether packages were installed or the environment rebuilt since it started."""
        return any(_changed_at(path) != changed for path, changed in self._watch.items())

    def start(self, command: Command, streams: tuple[int, int]) -> _Forked:
        """Give a stage to the process that it has forked ahead."""
        if self.dead:
            raise ProcessesLost
        head = {"environment": dict(command.environment), "directory": str(command.directory)}
        first, second = _ENCODE(head).encode("ascii"), command.request.encode("ascii")
        data = b"".join((_HEAD.pack(len(first)), _HEAD.pack(len(second)), first, second))
        self._started += 1
        self._child = child = _Forked(self)
        try:
            # Blocks while the other side is slow, which it is not.
            sent = socket.send_fds(self._stages, [data], streams)
            if sent < len(data):
                self._stages.sendall(data[sent:])
        except OSError as error:
            self._lose()
            raise ProcessesLost from error
        return child

    def sweep(self) -> bool:
        """Have it kill what the attempt has left."""
        self._is_swept = False
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "sweep"})
            end = time.monotonic() + _SWEEP_LIMIT
            while not self._is_swept and not self.dead:
                if (left := end - time.monotonic()) <= 0:
                    self.kill()
                    break
                self._loop.turn(left)
        if self.dead:
            # What it started becomes the node's only when the process is gone, which is after the end of its channel.
            self.close()
        return self.sees_orphans

    def tell_waiting(self) -> None:
        """Have it tell from now on which process waits for a stage."""
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "tell"})

    @property
    def waiting(self) -> int:
        """The process that waits for a stage; 0: none, or unknown."""
        return self._waits if self._child is None else 0

    def release(self) -> None:
        """Have it end and let live what the attempt has left."""
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "release"})
        self.close()

    def signal(self, number: int) -> None:
        """Signal the stage that runs."""
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "signal", "stage": self._started, "number": number})

    def kill(self) -> None:
        """End it at once, for it does not answer; what it started becomes the node's."""
        _LOGGER.warning("the process %d, which starts tasks, does not answer and is killed", self.pid)
        if not self.dead:
            self._lose()
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and whatever it started."""
        if not self.dead:
            self._lose()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        if self.dead:
            raise ProcessesLost
        try:
            self._channel.sendall(_ENCODE(message).encode("ascii") + b"\n")
        except OSError as error:
            self._lose()
            raise ProcessesLost from error

    def _on_readable(self) -> None:
        try:
            data = self._channel.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, message: Mapping[str, Any]) -> None:
        if "exit" in message:
            child, self._child = self._child, None
            if child is not None:
                child.end(message)
        elif "swept" in message:
            self._is_swept = True
        elif "waits" in message:
            self._waits = message["waits"]
        elif "ready" in message:
            self._is_ready = True
            self._sees_orphans = bool(message["ready"].get("subreaper"))
            self._watch = {str(path): _changed_at(str(path)) for path in message["ready"].get("watch", ())}

    @property
    def sees_orphans(self) -> bool:
        return self._sees_orphans and not self.dead

    def _lose(self) -> None:
        """The channel has ended: so have all the processes, or they will before long."""
        self.dead = True
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        self._stages.close()
        child, self._child = self._child, None
        if child is not None:
            child.lost = True


class _Forked:
    """A fork of a template."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._code: int | None = None
        self._problem = ""
        self.lost = False
        self.orphans = True
        self.peak = 0

    @property
    def code(self) -> int | None:
        if self.lost:
            raise ProcessesLost
        if self._problem:
            raise StartFailed(self._problem)
        return self._code

    def end(self, message: Mapping[str, Any]) -> None:
        self.orphans = message["orphans"] or not self._template.sees_orphans
        self.peak = message["peak"]
        self._problem = message.get("problem", "")
        self._code = message["exit"]

    def signal(self, number: int) -> None:
        if self._code is None:
            self._template.signal(number)

    def give_up(self) -> None:
        self._template.kill()


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
