"""A template: a Python process that waits for stages and starts each in a fork of itself; POSIX only.

The fork saves the start of an interpreter. Being single-threaded the template may fork safely, and it looks after what
it starts: each child is the head of a session of its own; on Linux what such a child leaves behind comes back to the
template, and is ended. A template belongs to one node, which runs one attempt at a time: all of it is the attempt's.

The node talks to it over a socket in messages of a head, a JSON object, and a body, with four bytes of length each in
front:

    {"do": "start", "environment", "directory"}    and the stage's request, with two file descriptors for its output;
                                                   the environment is what the stage has besides the template's own
    {"do": "signal", "number"}                     to the stage's session; SIGKILL goes to all its descendants
    {"do": "sweep"}                                kill what is left of the attempt
    {"do": "release"}                              end, and let it live instead

and hears lines of JSON: ``{"ready"}`` once, ``{"exit", "orphans", "peak"}``, with ``problem`` where the stage could not
be started, and ``{"swept"}``. When the socket ends, because the node stopped or died, it kills everything and ends.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # its functions, without the enumerations
import array
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

from . import imported, leaving, originals, processes, stage

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

#: Python counts the calls of a function, and rewrites its code after eight of them: both change memory.
_REHEARSALS = 10
#: How long the end of killed processes is awaited; SIGKILL leaves only those that hang in the kernel.
_PATIENCE = 0.5
_MOST_DESCRIPTORS = 8
#: Bytes that are read at once. For more the C library would map memory, and unmap it, for each message.
_CHUNK = 64 * 1024
#: How often, and after how many seconds, a fork is tried for which the system has no room.
_TRIES, _BETWEEN = 40, 0.25
#: Signals that the template ignores, or answers in its own way.
_OURS = (_signal.SIGCHLD, _signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)


def serve(descriptor: int, packages: Sequence[str] = ()) -> str | None:
    """Serve until the socket ends. Returns None then; in a forked child, the request of the stage to run.

    `packages` are imported first; where that fails, or leaves threads that forbid a fork, there is nothing to serve.
    """
    server = _Server(socket.socket(fileno=descriptor))
    server.preload()
    if packages and not imported.load(packages):
        return None
    _renew_streams()
    _forget_folders()
    originals.take()
    for _ in range(_REHEARSALS):
        stage.rehearse()
    leaving.count()
    gc.collect()
    # What is here now the collector need not look at again in the forks, where looking means copying.
    gc.freeze()
    return server.run()


class _Server:
    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.pid = os.getpid()
        self.unread = b""
        self.descriptors: list[int] = []
        #: The stage that runs; 0: none.
        self.child = 0
        self.is_released = False
        #: What modules want to have called in each fork; the forks of a template need none of it, their own forks do.
        self.at_forks: list[dict[str, Any]] = []
        self.nothing = os.open(os.devnull, os.O_RDONLY)
        self.wakeup, end = os.pipe()
        for pipe in (self.wakeup, end):
            os.set_blocking(pipe, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        self.ends = (self.wakeup, end)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the node decides, by closing the socket

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
        self.main_thread: Any = sys.modules["threading"].main_thread()

    def run(self) -> str | None:
        subreaper = processes.become_subreaper()
        self.tell(ready={"version": list(sys.version_info[:3]), "subreaper": subreaper, "watch": _watched()})
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        poll.register(self.wakeup, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self.wakeup in ready:
                self.reap()
            if self.channel.fileno() in ready:
                messages = self.receive()
                if messages is None:
                    self.end()
                    return None
                for head, body in messages:
                    request = self.obey(head, body)
                    if request is not None:
                        return request
                    if self.is_released:
                        return None

    def tell(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # the node is gone; the next read says so
            self.channel.sendall(json.dumps(message).encode("ascii") + b"\n")

    def receive(self) -> list[tuple[dict[str, Any], str]] | None:
        """The messages that have come; None at the end of the socket."""
        space = socket.CMSG_LEN(_MOST_DESCRIPTORS * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self.channel.recvmsg(_CHUNK, space)
        except OSError:
            return None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(content[: len(content) - len(content) % found.itemsize])
                self.descriptors.extend(found)
        if not data:
            return None
        self.unread += data
        messages = []
        while len(self.unread) >= 8:
            first = 8 + int.from_bytes(self.unread[:4], "big")
            end = first + int.from_bytes(self.unread[4:8], "big")
            if len(self.unread) < end:
                break
            messages.append((json.loads(self.unread[8:first]), self.unread[first:end].decode("ascii")))
            self.unread = self.unread[end:]
        return messages

    def obey(self, head: dict[str, Any], body: str) -> str | None:
        """Do it; in a forked child, the request of the stage to run."""
        if head["do"] == "start":
            return self.start(head, body)
        if head["do"] == "signal":
            self.signal(head["number"])
        elif head["do"] == "sweep":
            self.sweep()
            self.tell(swept=True)
        elif head["do"] == "release":
            self.is_released = True
        return None

    # --- starting ------------------------------------------------------------------------------------------------

    def start(self, head: dict[str, Any], body: str) -> str | None:
        streams, self.descriptors = self.descriptors[:2], self.descriptors[2:]
        told, problem = os.pipe()
        # A signal that comes before the child takes signals as a script does must not be lost.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _OURS)
        pid = self.fork()
        if pid == 0:
            return self.become(head, body, streams, problem)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _OURS)
        os.close(problem)
        for stream in streams:
            os.close(stream)
        if pid < 0:
            os.close(told)
            self.tell(exit=127, orphans=False, peak=0, problem="the system cannot start another process")
            return None
        self.child = pid
        self.told = told
        return None

    def fork(self) -> int:
        """As ``os.fork``; waits where the system has no room for another process; -1: there was none for long."""
        for _ in range(_TRIES):
            try:
                return os.fork()
            except OSError:
                time.sleep(_BETWEEN)
        return -1

    def become(self, head: dict[str, Any], body: str, streams: list[int], problem: int) -> str:
        """Turn this fork into the stage's process."""
        try:
            os.setsid()
            channel = self.let_go()
            for target, stream in enumerate((self.nothing, *streams)):
                os.dup2(stream, target)
            os.chdir(head["directory"])
        except OSError as error:
            reason = error.strerror or str(error)
            os.write(problem, f"{error.filename}: {reason}".encode() if error.filename else reason.encode())
            os._exit(127)
        os.closerange(3, max(*streams, *self.descriptors, *self.ends, channel, problem, self.nothing) + 1)
        for name, text in head["environment"].items():
            os.environ[name] = text
        if "TZ" in head["environment"]:
            time.tzset()
        for calls in self.at_forks:
            os.register_at_fork(**calls)
        # The number of the thread, which the system has changed.
        self.main_thread._native_id = os.getpid()
        imported.renew()
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _OURS)
        return body

    def let_go(self) -> int:
        """Signals as Python has them at its start, and no hold on the socket, whose number is returned."""
        _signal.set_wakeup_fd(-1)
        for number in _OURS:
            _signal.signal(number, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        return self.channel.detach()

    # --- ending --------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Report the stage that has ended; orphans that have are reaped."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wakeup, 4096)
        found, is_alone = processes.reap_ended(self.child)
        if found is None:
            return
        status, peak = found
        self.child = 0
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        problem = os.read(self.told, 4096) if code == 127 else b""
        os.close(self.told)
        more = {"problem": problem.decode("utf-8", "backslashreplace")} if problem else {}
        self.tell(exit=code, orphans=not is_alone, peak=peak, **more)

    def orphans(self) -> list[int]:
        """The children that were not started here: their parents ended before them."""
        return [pid for pid in processes.children(self.pid) if pid != self.child]

    def signal(self, which: int) -> None:
        if not self.child:
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
        self.sweep()


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
