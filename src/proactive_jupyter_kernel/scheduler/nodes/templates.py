"""Templates: Python processes that are ready and forked for each Python stage, one for each interpreter in use.

They belong to one node (``runtimes/harness/python/warm.py``), so whatever is left below them is left by its attempt.
POSIX only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler import runtimes
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.processes import Command, ProcessesLost, Spawner, StartFailed

__all__ = ["Template", "Templates", "can_fork"]

_RUN = Path(runtimes.__path__[0]) / "harness" / "python" / "run.py"
#: An interpreter that has not come up after so many seconds is left cold, and tried again after some more.
_START_LIMIT = 10.0
_COLD_FOR = 60.0
#: One that has not killed what an attempt left after so many seconds does not run; a task may have stopped it.
_SWEEP_LIMIT = 10.0
#: Packages that cannot be imported by a template are tried again after so many seconds, and so many templates of a
#: node have imported some.
_REFUSED_FOR = 3600.0
_MOST_IMPORTING = 2
#: Stands between interpreter and packages in the name of a template.
_BETWEEN = "\0"
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
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [interpreter, str(_RUN), "--warm", str(theirs.fileno()), *packages],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=dict(base),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise StartFailed(f"{interpreter}: {error.strerror}") from error
        finally:
            theirs.close()
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
        """Have it fork for a stage."""
        head = {"do": "start", "environment": dict(command.environment), "directory": str(command.directory)}
        self._child = child = _Forked(self)
        self._send(head, command.request, streams)
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

    def release(self) -> None:
        """Have it end and let live what the attempt has left."""
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "release"})
        self.close()

    def signal(self, number: int) -> None:
        """Signal the stage that runs."""
        with contextlib.suppress(ProcessesLost):
            self._send({"do": "signal", "number": number})

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

    def _send(self, head: Mapping[str, Any], body: str = "", descriptors: tuple[int, ...] = ()) -> None:
        """A head and a body, each with its length in front. Blocks while the other side is slow, which it is not."""
        if self.dead:
            raise ProcessesLost
        first, second = _ENCODE(head).encode("ascii"), body.encode("ascii")
        data = b"".join((_HEAD.pack(len(first)), _HEAD.pack(len(second)), first, second))
        try:
            sent = socket.send_fds(self._channel, [data], descriptors) if descriptors else 0
            if sent < len(data):
                self._channel.sendall(data[sent:])
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


class Templates:
    """The templates of a node; keeps them as long as they are used now and then."""

    def __init__(self, loop: Loop, spawner: Spawner, base: Mapping[str, str], *, idle: float, most: int) -> None:
        """`idle`: seconds that one lives without use; `most`: how many interpreters are kept warm."""
        self._loop = loop
        self._spawner = spawner
        self._base = base
        self._idle = idle
        self._most = most
        self._found: dict[str, Template] = {}
        self._cold: dict[str, float] = {}

    def warm_up(self) -> None:
        """Begin to start the template of the node's own interpreter, which most tasks will use."""
        with contextlib.suppress(StartFailed):
            self._open(sys.executable)

    @property
    def pids(self) -> list[int]:
        """Of those that live."""
        return [template.pid for template in self._found.values()]

    def get(self, interpreter: str) -> Template | None:
        """The template of an interpreter, ready; None where it cannot be had."""
        found = self._found.get(interpreter)
        if found is not None and (found.dead or found.is_stale()):
            self.retire(interpreter)
            found = None
        try:
            if found is None and self._cold.get(interpreter, 0.0) <= time.monotonic():
                found = self._open(interpreter)
            if found is not None:
                found.ready()
                found.used = time.monotonic()
        except StartFailed as error:
            _LOGGER.info("%s; its tasks are started anew each time", error)
            self._cold[interpreter] = time.monotonic() + _COLD_FOR
            if interpreter in self._found:
                self.retire(interpreter)
            return None
        return found

    def importing(self, interpreter: str, packages: tuple[str, ...]) -> Template | None:
        """A template that has imported these packages; None where there is none that is ready."""
        key = _key(interpreter, packages)
        found = self._found.get(key)
        if found is None or not (found.is_ready or found.dead):
            return None
        if found.dead or found.is_stale():
            if not found.is_ready:
                # The packages leave threads behind, or are not there.
                self._cold[key] = time.monotonic() + _REFUSED_FOR
            self.retire(key)
            return None
        found.used = time.monotonic()
        return found

    def prepare(self, interpreter: str, packages: tuple[str, ...]) -> None:
        """A stage has imported them: begin to start a template for those that will."""
        key = _key(interpreter, packages)
        if key in self._found or self._cold.get(key, 0.0) > time.monotonic():
            return
        others = sorted((found.used, name) for name, found in self._found.items() if _BETWEEN in name)
        for _, name in others[: max(len(others) + 1 - _MOST_IMPORTING, 0)]:
            self.retire(name)
        with contextlib.suppress(StartFailed):
            self._open(interpreter, packages)

    def _open(self, interpreter: str, packages: tuple[str, ...] = ()) -> Template:
        self._make_room()
        found = self._found[_key(interpreter, packages)] = Template(self._loop, interpreter, self._base, packages)
        self._spawner.adopt(found.pid)
        return found

    def _make_room(self) -> None:
        """Let go of the interpreters that were not used for longest."""
        resting = sorted((found.used, name) for name, found in self._found.items() if name != sys.executable)
        for _, name in resting[: max(len(self._found) + 1 - self._most, 0)]:
            self.retire(name)

    def retire(self, interpreter: str) -> None:
        """End one. No stage runs in it."""
        found = self._found.pop(interpreter)
        found.close()
        self._spawner.disown(found.pid)

    def retire_idle(self) -> None:
        """End those that were not used for a while, but the node's own interpreter: that one ends with the node."""
        now = time.monotonic()
        for name, found in list(self._found.items()):
            if name != sys.executable and now - found.used >= self._idle:
                self.retire(name)

    def release(self) -> None:
        """End all, and let live what they look after."""
        for found in self._found.values():
            found.release()
            self._spawner.disown(found.pid)
        self._found.clear()

    def close(self) -> None:
        """End all."""
        for name in list(self._found):
            self.retire(name)


def _key(interpreter: str, packages: tuple[str, ...]) -> str:
    return _BETWEEN.join((interpreter, *packages))


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
