"""A task that uses too much memory is killed, and says so; memory that is reserved or shared does not count."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import FailureKind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MEGABYTE = 1024 * 1024
#: Ends by itself if it is not killed.
WAIT = "import time; time.sleep(60)"
GREEDY = {
    "itself": f"x = bytearray(200 * {MEGABYTE}); {WAIT}",
    "ignores SIGTERM": f"import signal; signal.signal(15, signal.SIG_IGN); x = bytearray(200 * {MEGABYTE}); {WAIT}",
    "its programs together": (
        "import subprocess, sys\n"
        f"code = 'x = bytearray(70 * {MEGABYTE}); {WAIT}'\n"
        "for program in [subprocess.Popen([sys.executable, '-c', code]) for _ in range(3)]: program.wait()"
    ),
    "a daemon": (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        f"    x = bytearray(200 * {MEGABYTE}); {WAIT}\n"
        "time.sleep(60)"
    ),
}


@pytest.fixture
def limited(labs: Any) -> Any:
    return labs(memory_limit=150 * MEGABYTE)


@pytest.mark.parametrize("code", GREEDY.values(), ids=GREEDY.keys())
def test_too_much_memory_ends_the_task(limited: Any, code: str) -> None:
    """With all that it started; the message has what it used and the limit. The next task runs."""
    run = limited.run(code)
    assert run.outcome.failure.kind is FailureKind.DIED
    assert run.message.startswith("Task T was killed: with the programs that it started it used ")
    assert "more than the 150 MiB that a task may use (PROACTIVE_KERNEL_TASK_MEMORY)" in run.message
    assert run.message in run.err
    assert limited.run("result = 1").value == 1


def test_reserved_and_shared_memory_do_not_count(limited: Any) -> None:
    """Nor do pages that forks share with their parent."""
    code = (
        "import mmap, os, time\n"
        f"reserved = mmap.mmap(-1, 2000 * {MEGABYTE})\n"
        f"shared = bytearray(80 * {MEGABYTE})\n"
        "children = [os.fork() for _ in range(1)]\n"
        "time.sleep(0.4)\n"
        "if not children[0]: os._exit(0)\n"
        "os.waitpid(children[0], 0)\n"
        "result = 1"
    )
    assert limited.run(code).value == 1
