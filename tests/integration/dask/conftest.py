"""A Dask scheduler and workers in processes of their own, each worker with a folder of its own, and a daemon that uses
them; on demand each worker in a network namespace."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.required import skip_or_fail

from proactive_jupyter_kernel import Scheduler
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.jobs import SubmittedJob
from proactive_jupyter_kernel.workflow import Task, Workflow
from proactive_jupyter_kernel.workflow.model import Script

#: Seconds; a machine with other things to do may be slow.
DEADLINE = 60.0
#: Seconds that a task may run without its scheduler, in tests that wait for that.
LEASE = 5.0
_NUMBERS = itertools.count()
#: The authority and the certificate of a cluster with TLS, and its key.
CERTIFICATE, KEY = (Path(__file__).parents[2] / "data/tls" / name for name in ("cluster.pem", "server.key"))


class Network:
    """Network namespaces with a cable from each to this one."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}

    def add(self, name: str) -> tuple[list[str], str, str]:
        """The command that runs something in a new namespace, its address, and ours as it is seen there."""
        number = (os.getpid() * 16 + next(_NUMBERS)) % 16384
        self._names[name] = number
        ours, theirs = (f"10.{200 + number // 4096}.{number // 16 % 256}.{number % 16 * 4 + end}" for end in (1, 2))
        space, cable = f"pajk{number}", f"pajk{number}"
        for command in (
            f"netns add {space}",
            f"link add {cable} type veth peer name inner netns {space}",
            f"addr add {ours}/30 dev {cable}",
            f"link set {cable} up",
            f"-n {space} addr add {theirs}/30 dev inner",
            f"-n {space} link set inner up",
            f"-n {space} link set lo up",
        ):
            self._ip(command)
        return ["ip", "netns", "exec", space], theirs, ours

    def cut(self, name: str) -> None:
        self._ip(f"link set pajk{self._names[name]} down")

    def mend(self, name: str) -> None:
        self._ip(f"link set pajk{self._names[name]} up")

    def close(self) -> None:
        for number in self._names.values():
            subprocess.run(["ip", "netns", "del", f"pajk{number}"], check=False, capture_output=True)
            subprocess.run(["ip", "link", "del", f"pajk{number}"], check=False, capture_output=True)

    @staticmethod
    def _ip(arguments: str) -> None:
        done = subprocess.run(["ip", *arguments.split()], check=False, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"ip {arguments}: {done.stderr.strip()}")


class Cluster:
    """A Dask scheduler, its workers, and the embedded scheduler that uses them."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.folder = folder
        self.tls = tls
        self.data_dir = folder / "data"
        self.network = Network()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.scheduler: Any = None
        self.start_dask()

    # --- Dask ----------------------------------------------------------------------------------------------------

    def start_dask(self) -> None:
        self._spawn("dask", [], "distributed.cli.dask_scheduler", *self._listens("0.0.0.0", self.port))
        until(self._is_listening)

    def _is_listening(self) -> bool:
        assert self.processes["dask"].poll() is None, (self.folder / "dask.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def start_worker(
        self, name: str, *options: str, threads: int = 1, network: bool = False, **environment: str
    ) -> None:
        """Start a worker; its files are in a folder of its own."""
        prefix, theirs, ours = self.network.add(name) if network else ([], "127.0.0.1", "127.0.0.1")
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        scheme = "tls" if self.tls else "tcp"
        arguments = [
            f"{scheme}://{ours}:{self.port}",
            *self._listens(theirs),
            "--name",
            name,
            "--nthreads",
            str(threads),
        ]
        arguments += ["--no-nanny", "--local-directory", str(folder), "--memory-limit", "0", *options]
        self._spawn(name, prefix, "distributed.cli.dask_worker", *arguments, **environment)

    def _listens(self, host: str, port: int = 0) -> list[str]:
        """Options for where a process of Dask listens, and with which certificate."""
        certificates = ["--tls-ca-file", str(CERTIFICATE), "--tls-cert", str(CERTIFICATE), "--tls-key", str(KEY)]
        protocol = ["--protocol", "tls", *certificates] if self.tls else []
        return [*protocol, "--host", host, *(["--port", str(port)] if port else [])]

    def _spawn(self, name: str, prefix: list[str], module: str, *arguments: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*prefix, sys.executable, "-m", module, *arguments, "--no-dashboard"],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )

    def end(self, name: str, number: int = signal.SIGKILL) -> None:
        """End the process of that name."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(DEADLINE)

    # --- the embedded scheduler ----------------------------------------------------------------------------------

    def start(self, options: str = "", nodes: int | None = None, lease: float = LEASE) -> Scheduler:
        """Start the embedded scheduler; wait for so many nodes, by default one for each worker."""
        scheme = "dask+tls" if self.tls else "dask"
        address = f"{scheme}://127.0.0.1:{self.port}?lease={lease:g}{options}"
        os.environ["PROACTIVE_KERNEL_EXECUTOR"] = address
        self.scheduler = Scheduler.embedded(self.data_dir)
        wanted = len(self.processes) - 1 if nodes is None else nodes
        until(lambda: len(self.nodes()) == wanted)
        return self.scheduler

    @property
    def daemon_pid(self) -> int:
        """The process of the embedded scheduler."""
        pid = embedded.status(self.data_dir).pid
        assert pid is not None
        return pid

    def nodes(self) -> dict[str, str]:
        """Names of nodes -> their node sources."""
        return {node.name: node.source for node in self.scheduler.nodes() if node.is_usable}

    def submit(self, code: str, language: str = "cpython", **task: Any) -> SubmittedJob:
        executable = Script(language=language, code=code)
        return self.scheduler.submit(Workflow(name="Job", tasks=(Task(name="T", executable=executable, **task),)))

    def status(self, job: SubmittedJob) -> str:
        return str(job.state().tasks[0].status.value)

    def log(self, job: SubmittedJob, task: str = "T") -> str:
        return "\n".join(line.text for line in self.scheduler.task_log(job.id, task))

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.network.close()


def until(true: Callable[[], Any], seconds: float = DEADLINE) -> None:
    """Wait until something is true, or fail."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextlib.contextmanager
def made_cluster(folder: Path, *, tls: bool = False) -> Iterator[Cluster]:
    """A Dask scheduler without workers; with `tls`, whoever connects needs the certificate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(folder / "data"))
        patch.setenv("PROACTIVE_KERNEL_EXECUTOR", "local")
        patch.setenv("PROACTIVE_KERNEL_TRANSFER_LIMIT", "20000000")
        cluster = Cluster(folder, tls=tls)
        try:
            yield cluster
            if cluster.scheduler is not None:
                cluster.scheduler.close()
            embedded.stop(cluster.data_dir)
        finally:
            cluster.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A Dask scheduler without workers, for one test."""
    with made_cluster(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers for the tests of a module: two with a thread, one with two and a GPU."""
    with made_cluster(tmp_path_factory.mktemp("dask")) as made:
        made.start_worker("a")
        made.start_worker("b")
        made.start_worker("c", "--resources", "GPU=1", threads=2)
        made.start("&sources=worker", nodes=4, lease=60)
        yield made


@pytest.fixture
def network() -> None:
    """Skips where network namespaces are not allowed; in CI that is a failure where they could be."""
    probe = Network()
    try:
        if shutil.which("ip") is None:
            raise OSError("there is no program ip (Debian: iproute2)")
        probe.add("probe")
    except OSError as error:
        if os.geteuid() == 0:
            skip_or_fail(f"network namespaces cannot be made: {error}")
        pytest.skip(f"only root makes network namespaces here: {error}")
    finally:
        probe.close()


def beats(path: Path) -> list[list[Any]]:
    """What tasks wrote into a file line by line: when, and who."""
    try:
        return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("]")]
    except FileNotFoundError:
        return []
