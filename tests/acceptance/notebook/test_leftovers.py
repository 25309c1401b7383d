"""What stays behind is counted: after a kill, an interrupt, the death of a kernel, and the stop of the scheduler."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.client import embedded

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are told by their environment")

DEADLINE = 60.0

#: Tasks with children and grandchildren, some of them in sessions of their own, and files in their working folders.
FAMILIES = """#%task(name=Shell, language=bash)
echo data > here.txt
sleep 600 &
setsid sleep 600 &
( sleep 600 & sleep 600 )

#%task(name=Snake)
import subprocess, tempfile
from pathlib import Path
Path("here.txt").write_text("data")
children = [subprocess.Popen(["sleep", "600"], start_new_session=new) for new in (False, True)]
children[0].wait()"""
#: Two tasks that wait for each other, so that each runs on a node of its own.
MEETING = [
    f"""#%task(name={name})
import time
from pathlib import Path
Path(userspace, "{name}").touch()
while not Path(userspace, "{other}").exists():
    time.sleep(0.01)"""
    for name, other in (("First", "Second"), ("Second", "First"))
]
#: How many processes the tasks above run besides the two scripts themselves.
SLEEPERS = 6


class Remains:
    """Counts what belongs to one test's home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._before = self.count()

    def count(self) -> tuple[Counter[str], set[str]]:
        """Processes by their command line, and files where passing ones are."""
        return Counter(process_name(process) for process in self.processes()), self.files()

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                ours = any(str(self._home) in value for value in process.environ().values())
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def sleepers(self) -> int:
        return sum(process_name(process).startswith("sleep ") for process in self.processes())

    def files(self) -> set[str]:
        places = [self._home / "tmp", self._home / "data" / "scratch", self._home / "data" / "spaces"]
        # Unlike a glob, the walk tolerates folders that are removed meanwhile.
        walked = (step for place in places for step in os.walk(place))
        found = {os.path.join(folder, name) for folder, folders, files in walked for name in (*folders, *files)}
        return {os.path.relpath(path, self._home) for path in found}

    def are_gone(self) -> None:
        """Wait until all is as it was, or fail with the difference."""
        end = time.monotonic() + DEADLINE
        while self.count() != self._before and time.monotonic() < end:
            time.sleep(0.05)
        assert self.count() == self._before


def process_name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module", autouse=True)
def folder_for_passing_files(home: Path) -> Iterator[None]:
    """The system's folder for temporary files, for kernels and scheduler of this module."""
    (home / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(home / "tmp"))
        patch.setenv("PROACTIVE_KERNEL_SLOTS", "2")
        yield


@pytest.fixture
def ready(start_kernel: Callable[..., Any]) -> Any:
    """A kernel whose scheduler has worked on both nodes, so that what is kept for later is there."""
    kernel = start_kernel()
    for cell in (*MEETING, "#%submit_job(name=Warm, wait=on)", "#%delete_task(First)", "#%delete_task(Second)"):
        assert kernel.run(cell).status == "ok"
    return kernel


def begin(kernel: Any, remains: Remains) -> int:
    """Submit the families, and see all of their members run; the id of the job."""
    kernel.run(FAMILIES)
    reply = kernel.run("#%submit_job(name=Families)")
    assert reply.status == "ok", reply.content
    until(lambda: remains.sleepers() == SLEEPERS)
    return int(reply.data()[0].split("job ")[1].split()[0])


def test_nothing_is_left_of_a_killed_job(home: Path, ready: Any) -> None:
    """#%kill_job ends children, grandchildren and those in sessions of their own, and removes their folders."""
    remains = Remains(home)
    begin(ready, remains)
    assert ready.run("#%kill_job()").status == "ok"
    remains.are_gone()


def test_nothing_is_left_of_an_interrupted_waiting(home: Path, ready: Any) -> None:
    """The interrupt leaves nothing of its own beside the job, which is left alone, and nothing when that has ended."""
    remains = Remains(home)
    begin(ready, remains)
    running = Remains(home)
    waiting = ready.send("#%wait_job()")
    ready.wait_for(lambda kind, content: kind.endswith("display_data"))
    ready.manager.interrupt_kernel()
    assert ready.reply(waiting).content["ename"] == "KeyboardInterrupt"
    running.are_gone()
    assert ready.run("#%kill_job()").status == "ok"
    remains.are_gone()


def test_nothing_is_left_of_a_dead_kernel(home: Path, ready: Any, start_kernel: Callable[..., Any]) -> None:
    """kill -9 of a kernel takes the kernel's own away, and not the job, which another kernel then kills."""
    remains = Remains(home)
    other = start_kernel()
    process = psutil.Process(other.manager.provisioner.process.pid)
    number = begin(other, remains)
    process.send_signal(signal.SIGKILL)
    other.manager.provisioner.process.wait()
    assert remains.sleepers() == SLEEPERS
    # Whose notebook did not submit it must say which job is meant.
    refused = ready.run("#%kill_job(job_name=Families)")
    assert refused.content["evalue"].endswith(f"Give its id if you mean it: job_id={number}.")
    assert ready.run(f"#%kill_job(job_id={number})").status == "ok"
    remains.are_gone()


def test_nothing_is_left_of_a_stopped_scheduler(home: Path, ready: Any) -> None:
    """Neither the processes of running tasks, nor warm ones, nor the address file; the kernel stays."""
    remains = Remains(home)
    begin(ready, remains)
    kernels = {each.pid for each in remains.processes() if "proactive_jupyter_kernel.notebook" in process_name(each)}
    embedded.stop()
    until(lambda: {each.pid for each in remains.processes()} == kernels)
    assert [path for path in remains.files() if not path.startswith(os.path.join("data", "spaces"))] == []
    assert list((home / "runtime").glob("proactive-scheduler-*")) == []
    # The kernel starts another one, which continues the job; it may say first that this one was stopped just now.
    until(lambda: ready.run("#%kill_job()").status == "ok")
