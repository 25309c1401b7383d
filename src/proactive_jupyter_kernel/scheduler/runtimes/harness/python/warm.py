"""A template: a Python process that forks one process ahead for each stage to come; POSIX only.

The fork saves the start of an interpreter. Being single-threaded the template may fork safely, and it looks after what
it starts: each child is the head of a session of its own; on Linux what such a child leaves behind comes back to the
template, and is ended. A template belongs to one node, which runs one attempt at a time: all of it is the attempt's.

The fork waits for its stage (`ahead`), so that a stage does not wait for a fork. Each fork runs one stage, and when it
has ended, the template forks the next one. The node sends the stages over a socket of their own, which the fork reads:
a head, a JSON object, and a body, with four bytes of length each in front:

    {"environment", "directory"}                   and the stage's request, with two file descriptors for its output;
                                                   the environment is what the stage has besides the template's own

To the template itself it sends lines of JSON:

    {"do": "signal", "stage", "number"}            to the session of the stage that was sent as number `stage`, counted
                                                   from 1; SIGKILL goes to all its descendants
    {"do": "sweep"}                                kill what is left of the attempt
    {"do": "release"}                              end, and let it live instead
    {"do": "tell"}                                 answer ``{"waits"}``, the process id of the fork, now and after each

and reads lines of JSON: ``{"ready"}`` once, ``{"exit", "orphans", "peak"}`` for each stage, with ``problem`` where it
could not be started, and ``{"swept"}``. When the socket ends, because the node stopped or died, the template kills
everything and ends.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # its functions, without the enumerations
import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import time

from . import ahead, imported, leaving, originals, processes, stage

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["serve"]

#: What nearly every script needs in the end, if only for an error's traceback. All of the standard library, without
#: threads or other effects; nothing that a script would find changed. `resource` is what ``os.wait4`` imports: a module
#: that came after the others were counted would have each fork look through all of them when it ends.
#: Not `random`, and not `tempfile`, which needs it: every fork would begin with a new seed, used or not.
_PRELOADED = (
    "linecache",
    "traceback",
    "tokenize",
    "datetime",
    "math",
    "threading",
    "shutil",
    "hashlib",
    "bisect",
    "resource",
)

#: How long the end of killed processes is awaited; SIGKILL leaves only those that hang in the kernel.
_PATIENCE = 0.5
#: Bytes that are read at once. For more the C library would map memory, and unmap it, for each message.
_CHUNK = 64 * 1024
#: How often, and after how many seconds, a fork is tried for which the system has no room.
_TRIES, _BETWEEN = 40, 0.25
#: The server, which its forks need not take apart.
_kept: list[_Server] = []
#: How the end of a stage is reported.
_EXIT = b'{"exit":%d,"orphans":%s,"peak":%d}\n'
#: A template whose forks end so often, one after the other, before they have read a stage is of no use.
_MOST_LOST = 20


def serve(descriptor: int, stages: int, packages: Sequence[str] = ()) -> str | None:
    """Serve until the socket `descriptor` ends. Returns None then; in a fork, the request of the stage to run.

    `stages` is the socket that stages come over. `packages` are imported first; where that fails, or leaves threads
    that forbid a fork, there is nothing to serve.
    """
    server = _Server(socket.socket(fileno=descriptor), socket.socket(fileno=stages))
    _kept.append(server)
    server.preload()
    if packages and not imported.load(packages):
        return None
    _renew_streams()
    _forget_folders()
    originals.take()
    server.next.rehearse()
    for _ in range(stage.REHEARSALS):
        stage.rehearse()
        leaving.rehearse()
    leaving.count()
    gc.collect()
    # What is here now the collector need not look at again in the forks, where looking means copying.
    gc.freeze()
    return server.run()


class _Server:
    def __init__(self, channel: socket.socket, stages: socket.socket) -> None:
        self.channel = channel
        self.stages = stages
        self.pid = os.getpid()
        self.unread = b""
        #: The fork that waits for a stage, or runs it; 0: there was no room for one.
        self.child = 0
        #: How many stages have ended; whether the node has killed the one that comes after them.
        self.ended = 0
        self.is_killed = False
        #: How often, since the last stage began, a fork ended that ran none, and one was not to be had.
        self.lost = self.failed = 0
        #: Whether the node wants to know which process waits.
        self.tells_pids = False
        #: What modules want to have called in each fork; the forks of a template need none of it, their own forks do.
        self.at_forks: list[dict[str, Any]] = []
        nothing = os.open(os.devnull, os.O_RDONLY)
        self.wakeup, end = os.pipe()
        # What the fork tells; one pipe for all, of which each has closed its end before its script begins.
        self.told, telling = os.pipe()
        for pipe in (self.wakeup, end, self.told):
            os.set_blocking(pipe, False)
        # Nobody writes into this one: it ends with the template.
        life, self.life = os.pipe()
        self.next = ahead.Fork(stages=stages, told=telling, life=life, nothing=nothing)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in ahead.BLOCKED:
            signal.signal(number, signal.SIG_IGN)  # the node decides, by closing the socket
        # One that comes to a fork before it takes signals as a script does must not be lost.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, ahead.BLOCKED)

    def preload(self) -> None:
        """Load what nearly every script needs. What `threading` does in a fork, because it might have had threads,
        costs more than the rest of the fork: there are none in a template."""
        register: Any = os.register_at_fork
        os.register_at_fork = lambda **calls: self.at_forks.append(calls)
        try:
            for name in (*_PRELOADED, "_proactive_tasks.writing", "_proactive_tasks.reading"):
                importlib.import_module(name)
        finally:
            os.register_at_fork = register

    def run(self) -> str | None:
        self.next.highest = _highest_descriptor()
        subreaper = processes.become_subreaper()
        self.tell(ready={"version": list(sys.version_info[:3]), "subreaper": subreaper, "watch": _watched()})
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        poll.register(self.wakeup, select.POLLIN)
        channel = self.channel.fileno()
        while self.lost < _MOST_LOST:
            if not self.child and self.fork():
                return self.next.run()
            for descriptor, _ in poll.poll(None if self.child else _BETWEEN * 1000):
                if descriptor == self.wakeup:
                    self.reap()
                elif descriptor == channel and not self.listen():
                    return None
        self.end()
        return None

    def tell(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # the node is gone; the next read says so
            self.channel.sendall(json.dumps(message).encode("ascii") + b"\n")

    def listen(self) -> bool:
        """Do what the node wants; whether to go on."""
        try:
            data = self.channel.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self.end()
            return False
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message["do"] == "release":
                return False
            if message["do"] == "sweep":
                self.sweep()
                self.tell(swept=True)
            elif message["do"] == "tell":
                self.tells_pids = True
                self.tell(waits=self.child)
            elif message["stage"] == self.ended + 1:
                self.signal(message["number"])
        return True

    # --- forking -------------------------------------------------------------------------------------------------

    def fork(self) -> bool:
        """Fork the process of the next stage; True in that process."""
        try:
            self.child = os.fork()
        except OSError:
            self.look_for_stage()
        else:
            if not self.child:
                os.close(self.channel.detach())
                os.close(self.life)
                self.next.prepare(self.at_forks)
                return True
        if self.tells_pids:
            self.tell(waits=self.child)
        return False

    def look_for_stage(self) -> None:
        """There is no room for a fork: end the stage that has waited for one long enough."""
        self.failed += self.has_stage()
        if self.failed >= _TRIES:
            self.discard()
            self.report(127, False, 0, "the system cannot start another process")

    def discard(self) -> None:
        """Forget the stage that no fork has read; where only a part of it is here, nothing after it can be read."""
        try:
            is_whole = ahead.discarded(self.stages)
        except OSError:
            is_whole = False
        if not is_whole:
            self.lost = _MOST_LOST

    # --- ending --------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Report the stage that has ended; orphans that have are reaped.

        Plain statements, here and in `report`: each function that is called changes memory that the forks share.
        """
        try:  # noqa: SIM105
            os.read(self.wakeup, 4096)
        except BlockingIOError:
            pass
        found, is_alone = processes.reap_ended(self.child)
        if found is None:
            return
        status, peak = found
        self.child = 0
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        try:
            told = os.read(self.told, 4096)
        except BlockingIOError:
            told = b""
        if told == ahead.BEGUN and code >= 0:
            self.report(code, not is_alone, peak)
        elif told == ahead.BEGUN + ahead.PART:
            self.lost = _MOST_LOST  # nobody knows where the next stage begins
        elif told and not (told == ahead.BEGUN and self.has_stage()):
            self.report(code, not is_alone, peak, told.partition(b":")[2].decode("utf-8", "backslashreplace"))
        elif self.is_killed:
            self.discard()
            self.report(code, not is_alone, peak)
        else:
            self.lost += 1  # somebody else has ended it while it waited; the next one takes the stage

    def has_stage(self) -> bool:
        """Whether there is a stage that no fork has read."""
        try:
            return bool(self.stages.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

    def report(self, code: int, has_orphans: bool, peak: int, problem: str = "") -> None:
        """Tell the node how a stage has ended."""
        self.ended += 1
        self.lost = self.failed = 0
        self.is_killed = False
        if problem:
            self.tell(exit=code, orphans=has_orphans, peak=peak, problem=problem)
            return
        try:  # noqa: SIM105
            self.channel.send(_EXIT % (code, b"true" if has_orphans else b"false", peak))
        except OSError:
            pass  # the node is gone; the next read says so

    def orphans(self) -> list[int]:
        """The children that were not started here: their parents ended before them."""
        return [pid for pid in processes.children(self.pid) if pid != self.child]

    def signal(self, which: int) -> None:
        """Signal the stage that runs, or that a fork will read."""
        self.is_killed = self.is_killed or which == signal.SIGKILL
        if not self.child:
            if self.is_killed:
                self.discard()
                self.report(-which, False, 0)
            return
        tree = processes.descendants(self.child) if which == signal.SIGKILL else []
        processes.signal_group(self.child, which)
        for descendant in tree:
            processes.signal_one(descendant, which)

    def sweep(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while processes.has_children():
            self.reap()
            left = self.orphans()
            for pid in left:
                for descendant in (*processes.descendants(pid), pid):
                    processes.signal_one(descendant, signal.SIGKILL)
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.001)

    def end(self) -> None:
        """Kill everything: the node is gone."""
        if self.child:
            for descendant in processes.descendants(self.child):
                processes.signal_one(descendant, signal.SIGKILL)
            processes.signal_group(self.child, signal.SIGKILL)
            self.child = 0
        self.sweep()


def _highest_descriptor() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return max(map(int, os.listdir(folder)))
    return os.sysconf("SC_OPEN_MAX")


def _renew_streams() -> None:
    """Make standard output and error what they are in a task: line by line into pipes, in UTF-8.

    Streams look at their descriptors when they are made, and never again; the forks put others in their place.
    """
    source, end = os.pipe()
    os.set_inheritable(source, False)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(end, number)
        raw = io.FileIO(number, "wb", closefd=False)
        raw.name = f"<{name}>"
        stream = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.close(end)


def _forget_folders() -> None:
    """Folders that the search for modules did not find, or found from where the template stands."""
    for name, finder in list(sys.path_importer_cache.items()):
        if finder is None or not os.path.isabs(name):
            del sys.path_importer_cache[name]


def _watched() -> list[str]:
    """Files and folders whose change makes this process stale: a new interpreter would start another way."""
    import site

    folders = list(getattr(site, "getsitepackages", list)())
    if getattr(site, "ENABLE_USER_SITE", False):
        folders.append(site.getusersitepackages())
    return [sys.executable, os.path.join(sys.prefix, "pyvenv.cfg"), *folders]
