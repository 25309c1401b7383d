"""A warm process: waits for stages and starts each in a fork of itself; POSIX only.

A Python stage goes on in the fork, which saves the start of an interpreter; any other command is executed there. Being
single-threaded it may fork safely, which the scheduler may not, and it looks after what it starts: each child is the
head of a session of its own; on Linux what such a child leaves behind comes back to this process, and is ended.

The scheduler talks to it in lines of JSON over a socket:

    {"do": "start", "id", "launch"}    with three file descriptors; `launch` is the path of a file with ``argv`` (null:
                                       a Python stage), ``environment``, ``directory``, ``folder``, ``error``
    {"do": "signal", "id", "number"}   to the child's session; SIGKILL goes to all its descendants
    {"do": "sweep", "cookie", "alone"} kill what is left of an attempt; `alone`: no other one runs, so that whatever is
                                       left belongs to it, whether or not it says so
    {"do": "spare", "cookie"}          let live what is left of an attempt, now and later

and hears ``{"ready"}`` once, ``{"id", "pid"}``, ``{"id", "exit", "orphans", "peak"}`` and ``{"swept"}``. When the
socket ends, because the scheduler stopped or died, it kills everything and ends.
"""

from __future__ import annotations

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
from typing import Any, NoReturn

from . import leaving, processes  # noqa: F401  # `leaving` is for the forks, loaded once

__all__ = ["serve"]

#: What nearly every script needs in the end, if only for an error's traceback. All of the standard library, without
#: threads or other effects; nothing that a script would find changed.
_PRELOADED = ("linecache", "traceback", "tokenize", "datetime", "math", "random", "threading", "tempfile", "shutil")

#: How long the end of killed processes is awaited; SIGKILL leaves only those that hang in the kernel.
_PATIENCE = 0.5
#: Three descriptors come with a start; room for those of several starts read at once.
_MOST_DESCRIPTORS = 48


def serve(descriptor: int) -> str | None:
    """Serve until the socket ends. Returns None then; in a forked child, the folder of the stage to run."""
    server = _Server(socket.socket(fileno=descriptor))
    for name in (*_PRELOADED, "_proactive_tasks.writing", "_proactive_tasks.reading"):
        importlib.import_module(name)
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
        #: Process id -> the scheduler's number for it.
        self.children: dict[int, int] = {}
        self.spared: set[str | None] = set()
        self.wakeup, end = os.pipe()
        for pipe in (self.wakeup, end):
            os.set_blocking(pipe, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        self.ends = (self.wakeup, end)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the scheduler decides, by closing the socket

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
                for message in messages:
                    folder = self.obey(message)
                    if folder is not None:
                        return folder

    def tell(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # the scheduler is gone; the next read says so
            self.channel.sendall(json.dumps(message).encode("ascii") + b"\n")

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that have come; None at the end of the socket."""
        space = socket.CMSG_LEN(_MOST_DESCRIPTORS * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self.channel.recvmsg(65536, space)
        except OSError:
            return None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(content[: len(content) - len(content) % found.itemsize])
                self.descriptors.extend(found)
        if not data:
            return None
        *lines, self.unread = (self.unread + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def obey(self, message: dict[str, Any]) -> str | None:
        """Do it; in a forked child, the folder of the stage to run."""
        if message["do"] == "start":
            return self.start(message["id"], message["launch"])
        if message["do"] == "signal":
            self.signal(message["id"], message["number"])
        elif message["do"] == "sweep":
            self.sweep(message["cookie"], message["alone"])
        elif message["do"] == "spare":
            self.spared.add(message["cookie"])
        return None

    # --- starting ------------------------------------------------------------------------------------------------

    def start(self, number: int, launch: str) -> str | None:
        streams, self.descriptors = self.descriptors[:3], self.descriptors[3:]
        with open(launch, encoding="ascii") as file:
            request = json.load(file)
        try:
            pid = os.fork()
        except OSError as error:
            _write(request["error"], f"the system cannot start another process ({error.strerror})")
            self.tell(id=number, pid=0)
            self.tell(id=number, exit=127, orphans=False, peak=0)
            pid = -1
        if pid == 0:
            return self.become(request, streams)
        for stream in streams:
            os.close(stream)
        if pid > 0:
            self.children[pid] = number
            self.tell(id=number, pid=pid)
        return None

    def become(self, request: dict[str, Any], streams: list[int]) -> str:
        """Turn this fork into the stage's process, or execute its command."""
        try:
            os.setsid()
            processes.die_with(self.pid)
            channel = self.let_go()
            for target, stream in enumerate(streams):
                os.dup2(stream, target)
            os.closerange(3, max(*streams, *self.descriptors, *self.ends, channel) + 1)
            os.chdir(request["directory"])
        except OSError as error:
            _give_up(request, error.strerror or str(error), error.filename)
        if request["argv"] is not None:
            _execute(request)
        os.environ.clear()
        os.environ.update(request["environment"])
        _refresh()
        return str(request["folder"])

    def let_go(self) -> int:
        """Signals as Python has them at its start, and no hold on the socket, whose number is returned."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return self.channel.detach()

    # --- ending --------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Report the children that have ended; orphans among them are reaped without being reported."""
        try:
            while os.read(self.wakeup, 4096):
                pass
        except BlockingIOError:
            pass
        for pid, status, peak in processes.ended():
            number = self.children.pop(pid, None)
            if number is not None:
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                self.tell(id=number, exit=code, orphans=self.has_orphans(), peak=peak)

    def has_orphans(self) -> bool:
        """Whether somebody left a process behind; cheap where nothing else runs."""
        if not self.children and not processes.has_children():
            return False
        return bool(self.orphans())

    def orphans(self) -> list[int]:
        """The children that were not started here: their parents ended before them."""
        return [pid for pid in processes.tree().get(self.pid, ()) if pid not in self.children]

    def signal(self, number: int, which: int) -> None:
        for pid, child in self.children.items():
            if child == number:
                tree = processes.descendants(pid) if which == signal.SIGKILL else []
                processes.signal_group(pid, which)
                for descendant in tree:
                    processes.signal_one(descendant, which)

    def sweep(self, cookie: str, alone: bool) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            self.reap()
            left = [pid for pid in self.orphans() if self.belongs(pid, cookie, alone)]
            for pid in left:
                for descendant in (*processes.descendants(pid), pid):
                    processes.signal_one(descendant, signal.SIGKILL)
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.002)
        self.tell(swept=cookie)

    def belongs(self, pid: int, cookie: str, alone: bool) -> bool:
        found = processes.cookie_of(pid)
        return found == cookie or (alone and found not in self.spared)

    def end(self) -> None:
        """Kill everything: the scheduler is gone."""
        for pid in list(self.children):
            for descendant in processes.descendants(pid):
                processes.signal_one(descendant, signal.SIGKILL)
            processes.signal_group(pid, signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            left = [pid for pid in self.orphans() if processes.cookie_of(pid) not in self.spared]
            for pid in left:
                for descendant in (*processes.descendants(pid), pid):
                    processes.signal_one(descendant, signal.SIGKILL)
            self.reap()
            if not left and not self.children:
                return
            time.sleep(0.002)


def _execute(request: dict[str, Any]) -> NoReturn:
    """Replace this fork by the command."""
    for number in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and what is ignored stays so
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvpe(request["argv"][0], request["argv"], request["environment"])
    except (OSError, ValueError) as error:
        _give_up(request, getattr(error, "strerror", None) or str(error), request["argv"][0])


def _give_up(request: dict[str, Any], reason: str, what: str | None) -> NoReturn:
    _write(request["error"], f"{what}: {reason}" if what else reason)
    os._exit(127)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def _refresh() -> None:
    """What an interpreter finds out at its start, and may be other now."""
    importlib.invalidate_caches()
    # The old ones have looked at what their descriptors were before.
    for number, name in ((1, "stdout"), (2, "stderr")):
        raw = io.FileIO(number, "wb", closefd=False)
        raw.name = f"<{name}>"
        stream = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if hasattr(time, "tzset"):
        time.tzset()


def _watched() -> list[str]:
    """Files and folders whose change makes this process stale: a new interpreter would start another way."""
    import site

    folders = list(getattr(site, "getsitepackages", list)())
    if getattr(site, "ENABLE_USER_SITE", False):
        folders.append(site.getusersitepackages())
    return [sys.executable, os.path.join(sys.prefix, "pyvenv.cfg"), *folders]
