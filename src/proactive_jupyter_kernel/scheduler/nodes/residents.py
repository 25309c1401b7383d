"""Resident processes: Java machines that run one script after the other, one for each language in use on the node.

A Java machine takes half a second to three seconds to start, and some milliseconds for a script once it has started. A
resident process serves the node whose folder it was started in, which moves from attempt to attempt with all that is in
it, so that the process stays in the working folder of the script. A script that leaves anything behind ends the process
with it (``runtimes/harness/jvm/proactive/Warm.java``); then another one is started, which is ready for the next script.
POSIX only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.processes import Command, Spawner, StartFailed
from proactive_jupyter_kernel.scheduler.nodes.removal import remove
from proactive_jupyter_kernel.scheduler.nodes.streams import Output, new_pipes

__all__ = ["ResidentProcess", "Residents"]

#: A process that has not come up after so many seconds is not waited for any longer; its scripts are then started the
#: plain way for some seconds.
_START_LIMIT = 60.0
_COLD_FOR = 60.0
#: Seconds that one lives without use, and how many there are on a node.
_IDLE, _MOST = 120.0, 3
#: Bytes; one that has become larger is not kept.
_MOST_MEMORY = 400 * 1024 * 1024
#: Bytes that must be free for another one.
_LEAST_FREE = 1024 * 1024 * 1024
_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)


class ResidentProcess:
    """One resident process; a `Starter`, once `attach` said where the output of its next script goes."""

    def __init__(self, loop: Loop, spawner: Spawner, folder: Path, command: Command) -> None:
        """Begin to start it; `folder` has the files of its first script. Raises `StartFailed` and OSError."""
        self._loop = loop
        self._folder = folder
        self._spawner = spawner
        self._place = _place(command.directory)
        self._begun = self.used = time.monotonic()
        self._is_ready = False
        self._output: Output | None = None
        self._keep = False
        self._script: _Script | None = None
        self._last: _Script | None = None
        self._unread = b""
        self._pipes = new_pipes(loop, self._take)
        self._ends: list[int] = []
        try:
            for name in ("requests", "answers"):
                os.mkfifo(folder / name, 0o600)
                # For reading and writing, so that opening it does not wait for the other side.
                self._ends.append(os.open(folder / name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
            out, err = self._pipes.ends
            self._process = spawner.start(command, (out, err))
        except BaseException:
            self._close_pipes()
            raise
        self._pipes.close_ends()
        self._requests, self._answers = self._ends
        loop.add_reader(self._answers, self._on_answer)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        return self._process.code is not None

    @property
    def is_ready(self) -> bool:
        return self._is_ready and not self.dead

    @property
    def is_refused(self) -> bool:
        """Whether the last script was not run, because Java cannot be told where its folder is."""
        return self._last is not None and self._last.is_refused

    @property
    def is_starting(self) -> bool:
        """Whether it may still become ready."""
        return not self._is_ready and not self.dead and time.monotonic() < self._begun + _START_LIMIT

    def serves(self, directory: Path) -> bool:
        """Whether it can run a script there."""
        return not self.dead and self._place == _place(directory)

    @property
    def is_busy(self) -> bool:
        """Whether a script runs in it."""
        return self._script is not None

    def is_worn(self, limit: int) -> bool:
        """Whether it is better replaced: for the memory that it has taken, or a flood of output."""
        if not self._pipes.exact:
            return True
        return self.memory > limit

    @property
    def memory(self) -> int:
        """The bytes that it takes; 0 where that is not known."""
        try:
            with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0

    def attach(self, output: Output, *, keep: bool) -> None:
        """What the next script writes goes there; `keep`: another one may follow it."""
        self._output = output
        self._keep = keep

    def start(self, command: Command, streams: tuple[int, int]) -> _Script:
        """Have it run a script."""
        request = {"folder": str(command.folder), "directory": str(command.directory), "keep": self._keep}
        self._script = self._last = script = _Script(self)
        with contextlib.suppress(OSError):  # it has ended, as `code` says
            os.write(self._requests, json.dumps(request).encode("ascii") + b"\n")
        return script

    def sweep(self) -> bool:
        """What its scripts leave running becomes the node's."""
        return self._spawner.sees_orphans

    def signal(self, number: int) -> None:
        self._process.signal(number)

    def outcome(self) -> tuple[int, int] | None:
        """Exit code and greatest memory of the process, once it has ended."""
        code = self._process.code
        if code is None:
            return None
        self._pipes.read()
        return code, self._process.peak

    def has_orphans(self) -> bool:
        return bool(self._spawner.orphans())

    def close(self) -> None:
        """End it."""
        self._loop.remove_reader(self._answers)
        if not self.dead:
            self._process.signal(_KILL)
        self._output = None
        self._close_pipes()
        remove(self._folder)

    def _close_pipes(self) -> None:
        while self._ends:
            os.close(self._ends.pop())
        self._pipes.close_ends()
        self._pipes.close()

    def _take(self, number: int, data: bytes) -> None:
        if data and self._output is not None:
            self._output.feed(number, data, self._pipes)

    def _on_answer(self) -> None:
        try:
            data = os.read(self._answers, 4096)
        except OSError:
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if line == b"ready":
                self._is_ready = True
            elif self._script is not None:
                self._pipes.read()
                self._script.end(line.decode("ascii"))
                self._script = self._output = None


class _Script:
    """A script in a resident process."""

    def __init__(self, resident: ResidentProcess) -> None:
        self._resident = resident
        self._code: int | None = None
        #: Java cannot be told where the folder is: somebody else has to run the script.
        self.is_refused = False
        self.peak = 0

    @property
    def code(self) -> int | None:
        if self._code is None and (found := self._resident.outcome()) is not None:
            self._code, self.peak = found
        return self._code

    @property
    def orphans(self) -> bool:
        return self._resident.has_orphans()

    def end(self, answer: str) -> None:
        self.is_refused = answer == "elsewhere"
        self._code = 1 if self.is_refused else int(answer)

    def signal(self, number: int) -> None:
        if self.code is None:
            self._resident.signal(number)

    def give_up(self) -> None:
        """Nobody stands between the process and its node."""


class Residents:
    """The resident processes of a node."""

    def __init__(
        self, loop: Loop, spawner: Spawner, root: Path, name: str, *, memory_limit: int = 0, share: int = 0
    ) -> None:
        """`root`: where folders are made whose names begin with `name`. `memory_limit`: that of a task; 0: none.

        `share`: bytes that all of them may take together; 0: no limit.
        """
        self._loop = loop
        self._spawner = spawner
        self._root = root
        self._most_memory = min(_MOST_MEMORY, memory_limit // 2 or _MOST_MEMORY)
        self._share = share
        self._prefix = f"{name}.resident-"
        self._found: dict[Hashable, ResidentProcess] = {}
        self._cold: dict[Hashable, float] = {}

    @property
    def idle_pids(self) -> list[int]:
        """Of those that run no script."""
        return [found.pid for found in self._found.values() if not found.is_busy]

    def get(self, key: Hashable, directory: Path, prepare: Callable[[Path], Command]) -> ResidentProcess | None:
        """The process for `key`, which may be starting; None where there is none to be had.

        `prepare` writes the files of a first script into a folder, and says how the process is started.
        """
        found = self._found.get(key)
        if found is not None and not found.serves(directory):
            self._close(key)
            found = None
        if found is None and self._cold.get(key, 0.0) <= time.monotonic():
            found = self._open(key, prepare)
        if found is not None:
            found.used = time.monotonic()
        return found

    def give_up(self, key: Hashable) -> None:
        """It is of no use: start its scripts the plain way for a while."""
        self._close(key)
        self._cold[key] = time.monotonic() + _COLD_FOR

    def used(self, key: Hashable, prepare: Callable[[Path], Command]) -> None:
        """A script has ended: replace the process where it ended with it."""
        found = self._found.get(key)
        if found is None:
            return
        ended = found.dead
        if ended or found.is_worn(self._most_memory):
            self._close(key)
        if ended:
            self._open(key, prepare)
        self._give_back()

    def _open(self, key: Hashable, prepare: Callable[[Path], Command]) -> ResidentProcess | None:
        """Begin to start one."""
        if _free_memory() < _LEAST_FREE:
            return None
        while len(self._found) >= _MOST:
            self._close(min(self._found, key=lambda each: self._found[each].used))
        try:
            folder = Path(tempfile.mkdtemp(prefix=self._prefix, dir=self._root))
            self._found[key] = ResidentProcess(self._loop, self._spawner, folder, prepare(folder))
        except (OSError, StartFailed):
            # The plain way says why, where it fails as well.
            self._cold[key] = time.monotonic() + _COLD_FOR
            return None
        return self._found[key]

    def _give_back(self) -> None:
        """End those idle longest while they are more than one and over their share, and all while memory is scarce."""
        idle = (key for key, each in self._found.items() if not each.is_busy)
        order = sorted(idle, key=lambda key: self._found[key].used)
        if _free_memory() < _LEAST_FREE:
            for key in order:
                self._close(key)
            return
        while self._share and len(self._found) > 1 and order and self.memory > self._share:
            self._close(order.pop(0))

    @property
    def memory(self) -> int:
        """The bytes that they take."""
        return sum(each.memory for each in self._found.values())

    def _close(self, key: Hashable) -> None:
        found = self._found.pop(key, None)
        if found is not None:
            found.close()

    def retire_idle(self) -> float | None:
        """End those that were not used for a while; in how many seconds to do it again."""
        now = time.monotonic()
        for key, found in list(self._found.items()):
            if now - found.used >= _IDLE:
                self._close(key)
        return min((found.used + _IDLE - now for found in self._found.values()), default=None)

    def close(self) -> None:
        """End all."""
        for key in list(self._found):
            self._close(key)


def _free_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return _LEAST_FREE


def _place(folder: Path) -> tuple[int, int] | None:
    """What stays the same of a folder that is moved."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
