"""How the processes of nodes are started on this machine: forked by a fork server, or, without fork, as programs."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from proactive_jupyter_kernel.scheduler.executors.working_node import PATIENCE, WorkingNode

__all__ = ["ForkServer", "Processes", "Starter"]


class Starter(Protocol):
    """Starts the processes of nodes."""

    async def start(self, node: WorkingNode) -> None:
        """Start its process and connect it. Raises OSError where there is no room."""

    def kill(self) -> None:
        """End what starts them, which has started none for long."""

    async def close(self) -> None:
        """All nodes are gone."""


class ForkServer:
    """Has the fork server (``nodes/server.py``) make the nodes; starts it with the first, and anew when it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._unread = b""
        self._nodes: dict[str, WorkingNode] = {}

    async def start(self, node: WorkingNode) -> None:
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            if self._control is None:
                self._open()
            assert self._control is not None
            message = json.dumps({"do": "node", "name": node.name}).encode("ascii") + b"\n"
            socket.send_fds(self._control, [message], [theirs.fileno()])
            self._nodes[node.name] = node
            await asyncio.get_running_loop().create_connection(lambda: node, sock=ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _open(self) -> None:
        ours, theirs = socket.socketpair()
        code = f"from proactive_jupyter_kernel.scheduler.nodes.server import serve; serve({theirs.fileno()})"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._control = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._gone(json.loads(line)["gone"])

    def _gone(self, name: str) -> None:
        node = self._nodes.pop(name, None)
        if node is not None:
            node.go()

    def _lose(self) -> None:
        """The server has ended. Its nodes end after their work: no process would reap what they leave behind."""
        if self._control is None:
            return
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        self._control = None
        process, self._process = self._process, None
        for node in list(self._nodes.values()):
            node.ended.add_done_callback(lambda _, name=node.name: self._gone(name))  # type: ignore[misc]
            node.retire()
        if process is not None:
            process.kill()
            process.wait()

    async def close(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_wait, process)


class Processes:
    """Starts each node as a program, on systems without fork."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    async def start(self, node: WorkingNode) -> None:
        loop = asyncio.get_running_loop()
        process, connection = await loop.run_in_executor(None, _connected)
        self._processes.append(process)
        try:
            await loop.create_connection(lambda: node, sock=connection)
        except BaseException:
            connection.close()
            process.kill()
            raise
        watch = loop.run_in_executor(None, process.wait)
        watch.add_done_callback(lambda _: node.go())

    def kill(self) -> None:
        """Each node is started by itself."""

    async def close(self) -> None:
        for process in self._processes:
            await asyncio.to_thread(_wait, process)


def _connected() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A node's process, and the connection to it, which it opened and proved to be its own."""
    token = os.urandom(32)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        code = f"from proactive_jupyter_kernel.scheduler.nodes.connecting import connect; connect({port})"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=Path(sys.executable).anchor,
        )
        try:
            assert process.stdin is not None
            with process.stdin as pipe:
                pipe.write(token)
            while True:
                connection, _ = listener.accept()
                connection.settimeout(PATIENCE)
                if connection.recv(len(token), socket.MSG_WAITALL) == token:
                    connection.setblocking(False)
                    return process, connection
                connection.close()
        except BaseException:
            process.kill()
            process.wait()
            raise


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
