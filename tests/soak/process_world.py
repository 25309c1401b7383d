"""Real schedulers, real tasks, real faults: kill -9, no space, no handles, locks, and tasks that leave processes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import struct
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
from tests.integration.scheduler.conftest import Daemon
from tests.soak.invariants import Evidence, Mark, Seen, TaskEnd
from tests.soak.memory_world import ends_in, rows_of

from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow

__all__ = ["FAULTS", "SOAK_ONLY", "play"]

#: Seconds for all jobs to end after the fault, and for what they started to be gone.
_PATIENCE = 90.0
#: How long a task runs: so many marks, with so many seconds between them.
_MARKS, _PAUSE = 8, 0.02

#: Leaves marks, writes two lines. Arguments: file, job, task.
_MARKER = f"""\
import os, sys, time
def main(path, job, task):
    execution = f"{{os.getpid()}}-{{time.monotonic_ns()}}"
    def mark(kind):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{{job}} {{task}} {{execution}} {{kind}} {{time.monotonic_ns()}}\\n".encode())
        os.close(file)
    mark("begin")
    print("1 begin", flush=True)
    for _ in range({_MARKS}):
        time.sleep({_PAUSE})
        mark("alive")
    print("1 end", flush=True)
    mark("end")
    return f"value of {{task}}"
if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@dataclass(slots=True, kw_only=True)
class ProcessRound:
    """One scheduler on a folder, a job that leaves marks, and what is known of both."""

    folder: Path
    chance: random.Random
    #: What a task of the job does besides: Python code.
    extra: str = ""
    daemon: Daemon = field(init=False)
    #: Is in the command line of what tasks leave running.
    tag: str = field(init=False)
    acknowledged: set[int] = field(default_factory=set)
    seen: dict[tuple[int, str], Seen] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    #: Whether a submission got no answer, so that its job may come later.
    unanswered: bool = False
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.daemon = Daemon(self.folder)
        self.tag = f"soak-{uuid.uuid4().hex}"
        (self.folder / "marker.py").write_text(_MARKER, encoding="utf-8")

    # --- the job -------------------------------------------------------------------------------------------------

    def text(self) -> str:
        marks, marker = str(self.folder / "marks"), str(self.folder / "marker.py")
        load = f"import runpy\nmain = runpy.run_path({marker!r})['main']\n"
        call = f'result = main({marks!r}, variables["PA_JOB_ID"], variables["PA_TASK_NAME"])'
        python = Script(language="cpython", code=load + self.extra + call)
        shell = f'"{sys.executable}" "{marker}" "{marks}" "$variables_PA_JOB_ID" "$variables_PA_TASK_NAME"'
        split = Replicate(script=Script(language="cpython", code="runs = 2"))
        tries: dict[str, Any] = {"max_executions": 6, "retry_delay": 1}
        tasks = (
            Task(name="begin", executable=python, flow=split, **tries),
            Task(name="work", executable=python, depends=("begin",), **tries),
            Task(name="merge", executable=python, depends=("work",), **tries),
            Task(name="shell", executable=Script(language="bash", code=shell), **tries),
        )
        return xml.dumps(Workflow(name="round", tasks=tasks))

    @property
    def expected(self) -> dict[str, Any]:
        return {**{name: f"value of {name}" for name in ("begin", "work", "work*1", "merge")}, "shell": 0}

    def submit(self) -> None:
        """One job; where the scheduler refuses it for now, once more."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.HTTPError):
                answer = self.daemon.post_xml(self.text())
                if answer.status_code == 200:
                    self.acknowledged.add(int(answer.json()["id"]))
                    return
            time.sleep(0.2)
        self.broken.append("no submission was accepted any more")

    # --- life ----------------------------------------------------------------------------------------------------

    def run(self, fault: Callable[[ProcessRound], None], jobs: int) -> Evidence:
        watcher = threading.Thread(target=self._watch, daemon=True)
        try:
            self.daemon.start()
            for _ in range(jobs):
                self.submit()
            watcher.start()
            time.sleep(self.chance.uniform(0.0, 0.8))
            fault(self)
            self._await_ends()
            self._over.set()
            watcher.join()
            self._stop()
            return self._evidence()
        finally:
            self._over.set()
            self.daemon.close()

    def restart(self) -> None:
        """After a kill: what the dead one ran must be gone before the next one runs the same."""
        self.daemon.process.wait()
        self.daemon.start()

    def daemon_children(self) -> list[psutil.Process]:
        """All processes below the daemon."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.daemon.pid).children(recursive=True)
        return []

    def open_handles(self) -> int:
        """How many the daemon has; one less than it needs for anything new."""
        return psutil.Process(self.daemon.pid).num_fds()

    def _watch(self) -> None:
        """A client that polls, and remembers what it was told as finished."""
        over = False
        while not over:
            # Once more when all is over: then there is something to be told.
            over = self._over.wait(0.05)
            for job_id in list(self.acknowledged):
                with contextlib.suppress(httpx2.HTTPError, json.JSONDecodeError, KeyError):
                    statuses = self.daemon.task_statuses(job_id)
                    at = time.monotonic_ns()
                    for task, status in statuses.items():
                        if status == "FINISHED" and (job_id, task) not in self.seen:
                            end = TaskEnd(status=status, value=self.expected.get(task))
                            self.seen[job_id, task] = Seen(job_id=job_id, task=task, end=end, at=at)

    def _await_ends(self) -> None:
        """Of jobs without an answer as well, whose submissions may have waited for a file handle."""
        self._await_listed()
        if self.unanswered:
            # asyncio takes no connection for a second after it had no file handle for one.
            time.sleep(2.0)
            self._await_listed()

    def _await_listed(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        over = {"FINISHED", "CANCELED", "FAILED", "KILLED"}
        while time.monotonic() < deadline:
            if self.daemon.process.poll() is not None:
                self.broken.append(f"the scheduler ended with {self.daemon.process.returncode}")
                return
            with contextlib.suppress(httpx2.HTTPError, json.JSONDecodeError):
                ids = self.daemon.get("/scheduler/jobs")["list"]
                if all(self.daemon.get(f"/scheduler/jobs/{job_id}/info")["status"] in over for job_id in ids):
                    return
            time.sleep(0.05)
        self.broken.append(f"jobs did not end within {_PATIENCE:g} s")

    def _stop(self) -> None:
        if self.daemon.process.poll() is None and (status := self.daemon.stop()):
            self.broken.append(f"the scheduler stopped with exit status {status}")

    # --- evidence ------------------------------------------------------------------------------------------------

    def _evidence(self) -> Evidence:
        file = self.daemon.data_dir / "scheduler.db"
        jobs, tasks, _ = ends_in(file)
        return Evidence(
            acknowledged=frozenset(self.acknowledged),
            marks=tuple(self._marks()),
            seen=tuple(self.seen.values()),
            jobs=jobs,
            tasks=tasks,
            expected=self.expected,
            integrity=str(rows_of(file, "PRAGMA integrity_check")[0][0]),
            left=(*self.broken, *self._left()),
        )

    def _marks(self) -> Iterator[Mark]:
        with contextlib.suppress(FileNotFoundError):
            for line in (self.folder / "marks").read_text(encoding="ascii").splitlines():
                job_id, task, execution, kind, at = line.split(" ")
                yield Mark(job_id=int(job_id), task=task, execution=execution, kind=kind, at=int(at))

    def _left(self) -> list[str]:
        """Processes and folders of tasks; what ends may take a moment."""
        deadline = time.monotonic() + 10
        while (found := [*self._processes(), *self._folders()]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _processes(self) -> list[str]:
        return [f"process {line}" for line in self.daemon.leftovers()] + [
            f"process {process.info['pid']} of a task"
            for process in psutil.process_iter(["pid", "cmdline"])
            if self.tag in " ".join(process.info["cmdline"] or ())
        ]

    def _folders(self) -> list[str]:
        scratch = self.daemon.data_dir / "scratch"
        names = [path.name for path in scratch.iterdir()] if scratch.exists() else []
        # Folders of nodes are kept for the next tasks; those of attempts are not.
        return [f"folder {name}" for name in names if "t" in name and name[0].isdigit()]


# --- faults ------------------------------------------------------------------------------------------------------


def _none(world: ProcessRound) -> None:
    """Nothing happens from outside."""


def _kill_daemon(world: ProcessRound) -> None:
    world.daemon.process.kill()
    world.restart()


def _kill_daemon_often(world: ProcessRound) -> None:
    for _ in range(world.chance.randint(2, 4)):
        _kill_daemon(world)
        time.sleep(world.chance.uniform(0.0, 0.6))


def _kill_all(world: ProcessRound) -> None:
    """The daemon and all below it at one moment, as at the end of a container."""
    processes = [*world.daemon_children(), psutil.Process(world.daemon.pid)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    world.restart()


def _kill_below(depth: Callable[[psutil.Process, int], bool]) -> Callable[[ProcessRound], None]:
    """Kill a random process below the daemon, some times; its children are what is left of it."""

    def strike(world: ProcessRound) -> None:
        killed = 0
        for _ in range(world.chance.randint(1, 3)):
            chosen = [process for process in world.daemon_children() if depth(process, world.daemon.pid)]
            if chosen:
                with contextlib.suppress(psutil.NoSuchProcess):
                    world.chance.choice(chosen).kill()
                    killed += 1
            time.sleep(world.chance.uniform(0.05, 0.3))
        if not killed:
            world.broken.append("the fault killed no process")

    return strike


def _is_helper(process: psutil.Process, daemon: int) -> bool:
    """A direct child of the daemon: the fork server of the nodes, or the checker of workflows."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.ppid() == daemon
    return False


def _is_node(process: psutil.Process, daemon: int) -> bool:
    """A child of the fork server."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = process.parent()
        return parent is not None and parent.ppid() == daemon
    return False


def _is_leaf(process: psutil.Process, daemon: int) -> bool:
    """A process without children that is no direct child of the daemon: a task, or a template."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.ppid() != daemon and not process.children()
    return False


def _suspend(world: ProcessRound) -> None:
    os.kill(world.daemon.pid, signal.SIGSTOP)
    time.sleep(world.chance.uniform(0.2, 1.0))
    os.kill(world.daemon.pid, signal.SIGCONT)


def _limited(limit: int, value: Callable[[ProcessRound], int]) -> Callable[[ProcessRound], None]:
    """A limit of the daemon's process for a moment."""

    def strike(world: ProcessRound) -> None:
        process = psutil.Process(world.daemon.pid)
        before = process.rlimit(limit)
        process.rlimit(limit, (value(world), before[1]))
        try:
            world.daemon.post_xml(world.text())
        except httpx2.HTTPError:
            world.unanswered = True
        time.sleep(world.chance.uniform(0.3, 1.2))
        process.rlimit(limit, before)

    return strike


def _lock(world: ProcessRound) -> None:
    connection = sqlite3.connect(world.daemon.data_dir / "scheduler.db", timeout=10, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(world.chance.uniform(0.5, 7.0))
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _kill_client(world: ProcessRound) -> None:
    """Clients die while they submit: such a job exists and runs like any other, or does not exist."""
    client = world.daemon.client
    files = [("file", (None, world.text().encode(), "application/xml"))]
    query = {"PYTHON_COMMAND": sys.executable}
    request = client.build_request("POST", "/scheduler/submit", params=query, files=files)
    body = request.read()
    head = f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items()) + "\r\n"
    content = head.encode() + body
    for number in range(6):
        with socket.create_connection((request.url.host, request.url.port)) as connection:
            # Half of them have sent all, and are gone before the answer; without a word, as after `kill -9`.
            connection.sendall(content if number % 2 else content[: world.chance.randrange(len(content))])
            time.sleep(world.chance.choice((0.0, 0.005, 0.05)))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


_THOUSAND = """\
import os, sys, time
for _ in range({count}):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
"""
#: Out of the session and the process group of the task, with an empty environment, and no child of it any more.
_GRANDCHILD = """\
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execve(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', {tag!r}], {{}})
    os._exit(0)
os.wait()
"""
_GIGABYTE = """\
import sys
block = {block} * 1024
for _ in range({size} // len(block)):
    sys.stdout.write(block)
print(flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What strikes from outside, and what the tasks themselves do."""

    strike: Callable[[ProcessRound], None] = _none
    #: Python code with ``{tag}`` and so on.
    extra: str = ""
    jobs: int = 2


FAULTS: Mapping[str, Fault] = {
    "daemon killed": Fault(strike=_kill_daemon),
    "daemon killed often": Fault(strike=_kill_daemon_often),
    "all killed": Fault(strike=_kill_all),
    "fork server killed": Fault(strike=_kill_below(_is_helper)),
    "node killed": Fault(strike=_kill_below(_is_node)),
    "task killed": Fault(strike=_kill_below(_is_leaf)),
    "daemon suspended": Fault(strike=_suspend),
    "disk full": Fault(strike=_limited(resource.RLIMIT_FSIZE, lambda world: 0)),
    "no handles": Fault(strike=_limited(resource.RLIMIT_NOFILE, lambda world: world.open_handles())),
    "store locked": Fault(strike=_lock),
    "client killed": Fault(strike=_kill_client),
    "processes left": Fault(extra=_THOUSAND, jobs=1),
    "daemonised grandchild": Fault(extra=_GRANDCHILD, jobs=1),
    "grandchild, daemon killed": Fault(strike=_kill_daemon, extra=_GRANDCHILD, jobs=1),
    "1 GB of lines": Fault(extra=_GIGABYTE, jobs=1),
    "1 GB without a line end": Fault(extra=_GIGABYTE, jobs=1),
}
#: Too slow for every run of the tests.
SOAK_ONLY = frozenset({"1 GB of lines", "1 GB without a line end"})


def play(folder: Path, name: str, seed: int, *, processes: int = 1_000, size: int = 2**30) -> Evidence:
    """A round with that fault. `processes` and `size` (bytes of output) make it smaller."""
    fault = FAULTS[name]
    place = folder / f"{seed}-{uuid.uuid4().hex[:6]}"
    place.mkdir()
    world = ProcessRound(folder=place, chance=random.Random(seed))
    block = repr("x" * 1023 + "\n") if "lines" in name else repr("x" * 1024)
    world.extra = fault.extra.format(tag=world.tag, count=processes // 4, block=block, size=size // 4)
    return world.run(fault.strike, fault.jobs)
