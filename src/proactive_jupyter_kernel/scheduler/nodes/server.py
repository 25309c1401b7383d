"""The fork server: a small process with one thread that forks the nodes of a machine; POSIX only.

The scheduler may not fork, for it has threads, and a new interpreter for each node would take long. It talks to the
server over a socket in lines of JSON:

    {"do": "node", "name"}    with a file descriptor, the node's channel

and hears ``{"gone": name}`` when a node has ended and nothing is left of it. A node that dies leaves its processes to
the server, where the system has subreapers; those are killed. What the tasks of a node leave running on purpose is let
live. When the socket ends the server ends, and the nodes see the end of their own channels.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import time

from proactive_jupyter_kernel.scheduler import garbage_collector
from proactive_jupyter_kernel.scheduler.nodes import node
from proactive_jupyter_kernel.scheduler.nodes.frames import SocketChannel
from proactive_jupyter_kernel.scheduler.nodes.marked import COOKIE
from proactive_jupyter_kernel.scheduler.runtimes import registry
from proactive_jupyter_kernel.scheduler.runtimes.harness.python import processes as system

__all__ = ["serve"]

_PATIENCE = 1.0


def serve(descriptor: int) -> None:
    """Serve until the socket ends."""
    registry.table()
    server = _Server(socket.socket(fileno=descriptor))
    gc.collect()
    garbage_collector.relax()
    channel = server.run()
    if channel is None:
        return
    code = node.main(SocketChannel(channel))
    os._exit(code)


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._unread = b""
        self._descriptors: list[int] = []
        #: Process id -> name.
        self._nodes: dict[int, str] = {}
        #: Processes that tasks have left running on purpose, and the marks in their environments.
        self._spared: set[int] = set()
        self._spared_marks: set[bytes] = set()
        self._wakeup, self._end = os.pipe()
        for pipe in (self._wakeup, self._end):
            os.set_blocking(pipe, False)
        signal.set_wakeup_fd(self._end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the scheduler decides, by closing the socket
        system.become_subreaper()

    def run(self) -> socket.socket | None:
        """None at the end; in a node, its channel."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._wakeup in ready:
                self._reap()
            if self._control.fileno() in ready:
                messages = self._receive()
                if messages is None:
                    return None
                for message in messages:
                    channel = self._fork(message["name"])
                    if channel is not None:
                        return channel

    def _receive(self) -> list[dict[str, str]] | None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 64)
        except OSError:
            return None
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        if not data:
            return None
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def _fork(self, name: str) -> socket.socket | None:
        descriptor = self._descriptors.pop(0)
        try:
            pid = os.fork()
        except OSError:
            os.close(descriptor)
            self._tell(gone=name)
            return None
        if pid == 0:
            self._become_node()
            return socket.socket(fileno=descriptor)
        os.close(descriptor)
        self._nodes[pid] = name
        return None

    def _become_node(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # The scheduler decides, not a script that signals its parent. Not ignored: programs would inherit that.
            signal.signal(number, lambda number, frame: None)
        for descriptor in (self._wakeup, self._end, *self._descriptors):
            os.close(descriptor)
        self._control.close()
        self._nodes.clear()

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wakeup, 4096):
                pass
        for pid, status, _ in system.ended():
            name = self._nodes.pop(pid, None)
            if name is not None:
                if status == 0:
                    self._spare_orphans()
                else:
                    self._kill_orphans()
                self._tell(gone=name)

    def _orphans(self) -> list[int]:
        return [pid for pid in system.children(os.getpid()) if pid not in self._nodes]

    def _spare_orphans(self) -> None:
        """Let live what a node has left that ended in order."""
        self._spared = set(self._orphans())
        self._spared_marks.update(filter(None, map(_mark_of, self._spared)))

    def _kill_orphans(self) -> None:
        """Kill what a node has left that died."""
        deadline = time.monotonic() + _PATIENCE
        while left := [pid for pid in self._orphans() if not self._is_spared(pid)]:
            for pid in left:
                for descendant in (*system.descendants(pid), pid):
                    system.signal_one(descendant, signal.SIGKILL)
                system.reap(pid)
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)

    def _is_spared(self, pid: int) -> bool:
        return pid in self._spared or _mark_of(pid) in self._spared_marks

    def _tell(self, **message: str) -> None:
        with contextlib.suppress(OSError):  # the scheduler is gone; the next read says so
            self._control.sendall(json.dumps(message).encode("ascii") + b"\n")


def _mark_of(pid: int) -> bytes | None:
    """The attempt that a process belongs to; None where its environment does not say."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            content = file.read()
    except OSError:
        return None
    start = f"{COOKIE}=".encode()
    return next((entry for entry in content.split(b"\0") if entry.startswith(start)), None)
