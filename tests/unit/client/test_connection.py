"""Connections: made by need, one scheduler each."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import NotConnected


def test_a_connection_makes_its_scheduler_once(scheduler: Scheduler) -> None:
    """Threads that need it at the same time get the same one."""
    made = []

    def make() -> Scheduler:
        made.append(1)
        return scheduler

    connection = Connection(make=make)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: connection.scheduler, range(8)))
    assert (set(found), len(made)) == ({scheduler}, 1)
    connection.close()
    assert connection.scheduler is scheduler
    assert len(made) == 2


def test_a_real_server_needs_a_login() -> None:
    """What is missing is named before anything is sent."""
    with pytest.raises(NotConnected, match="no login for http://h"):
        _ = Connection(Settings(url="http://h")).scheduler
    with pytest.raises(NotConnected, match="no password for http://h"):
        _ = Connection(Settings(url="http://h", login="me")).scheduler
    complete = Connection(Settings(url="http://h", login="me", password=Secret("p")))
    assert (complete.scheduler.address, complete.name, complete.embedded) == ("http://h", "http://h", False)


def test_the_embedded_scheduler_needs_nothing_and_is_not_started() -> None:
    """A connection alone starts no process."""
    connection = Connection()
    assert (connection.name, connection.scheduler.address) == ("the embedded scheduler", "the embedded scheduler")


def test_importing_the_client_is_cheap() -> None:
    """Neither the HTTP library nor lxml is loaded before it is used."""
    code = (
        "import sys, proactive_jupyter_kernel.client.connection, proactive_jupyter_kernel.testing.memory_scheduler,"
        " proactive_jupyter_kernel.client.embedded\n"
        "print([n for n in sys.modules if n.split('.')[0] in "
        "('httpx2', 'httpcore2', 'lxml', 'psutil', 'starlette', 'ssl', 'http')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
