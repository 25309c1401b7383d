"""The start of a node that is a separate program: it connects to the scheduler that started it."""

from __future__ import annotations

import os
import socket
import sys

from proactive_jupyter_kernel.scheduler.nodes import node
from proactive_jupyter_kernel.scheduler.nodes.frames import SocketChannel

__all__ = ["connect"]


def connect(port: int) -> None:
    """Connect to that port of this machine, show the token that standard input gives, and be a node."""
    token = sys.stdin.buffer.read()
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(token)
    os._exit(node.main(SocketChannel(connection)))
