"""Workers that die, are stopped, or are cut off; a Dask scheduler that comes back; daemons that start again."""

from __future__ import annotations

import itertools
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.integration.dask.conftest import DEADLINE, LEASE, Cluster, beats, until

from proactive_jupyter_kernel import Scheduler

pytestmark = [
    pytest.mark.dask,
    # What is wrong with a worker or the cluster may be known before the client first looks, which is a warning then.
    pytest.mark.filterwarnings("ignore:Worker .* is not used", "ignore:The Dask scheduler at .* does not answer"),
]

#: A task that writes down every tenth of a second that it runs, and ends when there is a file that says so.
BEATING = """
import json, os, time
name = variables['PA_NODE_NAME']
print('runs', flush=True)
while not os.path.exists({end!r}):
    with open({path!r}, 'a') as file:
        file.write(json.dumps([time.time(), name, os.getpid()]) + '\\n')
    time.sleep(0.1)
result = name
"""


class Beating:
    """A job whose only task beats until it is told to end."""

    def __init__(self, cluster: Cluster, **task: Any) -> None:
        self.cluster = cluster
        self.path, self._end = cluster.folder / "beats", cluster.folder / "end"
        self.job = cluster.submit(BEATING.format(path=str(self.path), end=str(self._end)), **task)
        until(lambda: self.beats)

    @property
    def beats(self) -> list[list[Any]]:
        return beats(self.path)

    @property
    def nodes(self) -> list[str]:
        """The nodes on which it ran, in order."""
        return list(dict.fromkeys(name for _, name, _ in self.beats))

    @property
    def worker(self) -> str:
        return str(self.nodes[-1]).rpartition("-")[0]

    @property
    def pid(self) -> int:
        return int(self.beats[-1][2])

    def end(self) -> Any:
        """Let it end; the ended job."""
        self._end.touch()
        return self.job.wait(timeout=DEADLINE)

    def never_twice(self) -> bool:
        """Whether the last beat on each node was before the first one on the next."""
        spans = [[at for at, name, _ in self.beats if name == node] for node in self.nodes]
        return all(before[-1] < after[0] for before, after in itertools.pairwise(spans))


def test_a_worker_that_is_killed(cluster: Cluster) -> None:
    """Its task waits, runs again on another worker, and keeps its executions; nothing of the first one is left."""
    cluster.start_worker("a")
    cluster.start()
    task = Beating(cluster)
    pid = task.pid
    cluster.end("a")
    until(lambda: cluster.status(task.job) == "WAITING_ON_FAILURE")
    until(lambda: not psutil.pid_exists(pid))
    cluster.start_worker("b")
    until(lambda: len(task.nodes) == 2)
    ended = task.end()
    assert (ended.went_well, task.nodes, task.never_twice()) == (True, ["a-0", "b-0"], True)
    row = task.job.state().tasks[0]
    assert row.executions_left == row.max_executions


def test_a_worker_that_is_suspended(cluster: Cluster) -> None:
    """A worker that hangs carries nothing: its node ends the task in time, and the task runs elsewhere."""
    cluster.start_worker("a")
    cluster.start_worker("b")
    cluster.start()
    task = Beating(cluster)
    worker = task.worker
    cluster.processes[worker].send_signal(signal.SIGSTOP)
    until(lambda: len(task.nodes) == 2)
    until(lambda: f"{worker}-0" not in cluster.nodes())
    cluster.processes[worker].send_signal(signal.SIGCONT)
    until(lambda: f"{worker}-0" in cluster.nodes())
    assert (task.end().went_well, task.never_twice()) == (True, True)


def test_a_worker_that_is_cut_off(network: None, cluster: Cluster) -> None:
    """Its task ends there before it begins elsewhere; when the network is back the worker has nodes again."""
    cluster.start_worker("a", network=True)
    cluster.start_worker("b", network=True)
    cluster.start()
    task = Beating(cluster)
    worker = task.worker
    cut_at = time.time()
    cluster.network.cut(worker)
    until(lambda: len(task.nodes) == 2)
    last = max(at for at, name, _ in task.beats if name == f"{worker}-0")
    assert last - cut_at < 2 * LEASE + 10
    until(lambda: f"{worker}-0" not in cluster.nodes())
    cluster.network.mend(worker)
    until(lambda: f"{worker}-0" in cluster.nodes())
    assert (task.end().went_well, task.never_twice(), len(task.nodes)) == (True, True, 2)


def test_files_and_services_through_the_network(network: None, cluster: Cluster) -> None:
    """A worker in another network reaches files, channels and the REST API of the scheduler through its connection."""
    cluster.start_worker("a", network=True)
    cluster.start()
    job = cluster.submit(
        "import urllib.request\nsignalapi.readyForSignal('go')\n"
        "url = variables['PA_SCHEDULER_REST_URL'] + '/scheduler/version'\n"
        "result = [variables['PA_NODE_HOST'], b'rest' in urllib.request.urlopen(url).read()]"
    )
    assert job.wait(timeout=DEADLINE).went_well, cluster.log(job)
    assert job.result("T").value[1] is True


def test_workers_come_and_go(cluster: Cluster) -> None:
    """A worker that joins has nodes at once; one that leaves in order has none any more."""
    cluster.start_worker("a")
    cluster.start("&sources=worker")
    cluster.start_worker("b", threads=2)
    until(lambda: cluster.nodes() == {"a-0": "a", "b-0": "b", "b-1": "b"})
    cluster.end("a", signal.SIGTERM)
    until(lambda: cluster.nodes() == {"b-0": "b", "b-1": "b"})


def test_the_dask_scheduler_goes_and_comes_back(cluster: Cluster) -> None:
    """Tasks wait without it, and run when it and its workers are back."""
    cluster.start_worker("a")
    cluster.start()
    cluster.end("dask")
    until(lambda: cluster.nodes() == {})
    job = cluster.submit("result = 1")
    cluster.end("a")
    cluster.start_dask()
    cluster.start_worker("b")
    assert job.wait(timeout=DEADLINE).went_well


def test_a_daemon_that_is_killed_and_starts_again(cluster: Cluster) -> None:
    """The task of a scheduler that died ends on its worker, and runs again when the scheduler is back."""
    cluster.start_worker("a")
    cluster.start()
    task = Beating(cluster)
    pid = task.pid
    psutil.Process(cluster.daemon_pid).kill()
    until(lambda: not psutil.pid_exists(pid))
    cluster.scheduler.close()
    cluster.scheduler = Scheduler.embedded(cluster.data_dir)
    until(cluster.nodes)
    task.job = cluster.scheduler.get_job(task.job.id)
    until(lambda: task.pid != pid)
    assert task.end().went_well


def test_an_idle_daemon_stops_and_leaves_the_cluster_alone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers live on, without nodes and without folders of the scheduler."""
    monkeypatch.setenv("PROACTIVE_KERNEL_IDLE_STOP", "1")
    cluster.start_worker("a")
    cluster.start()
    daemon = cluster.daemon_pid
    assert cluster.submit("result = 1").wait(timeout=DEADLINE).went_well
    # Asking it whether it runs would be a request.
    until(lambda: not psutil.pid_exists(daemon))
    assert cluster.processes["a"].poll() is None
    until(lambda: not list((cluster.folder / "a").rglob("proactive-kernel-*")))


def test_a_worker_without_the_package_is_named(cluster: Cluster, tmp_path: Path) -> None:
    """The log says which worker cannot be used, why, and what to do; the others are used."""
    hidden = tmp_path / "hidden" / "proactive_jupyter_kernel"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'proactive_jupyter_kernel'\")")
    other = tmp_path / "other" / "proactive_jupyter_kernel"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    (other / "version.py").write_text("__version__ = '0.0.1'")
    cluster.start_worker("bare", PYTHONPATH=str(hidden.parent))
    cluster.start_worker("old", PYTHONPATH=str(other.parent))
    cluster.start_worker("good")
    cluster.start(nodes=1)
    assert list(cluster.nodes()) == ["good-0"]
    log = cluster.data_dir / "scheduler.log"
    until(lambda: "Worker old" in log.read_text())
    until(lambda: "Worker bare" in log.read_text())
    text = log.read_text()
    assert "Worker bare is not used: proactive-jupyter-kernel is not installed in its environment" in text
    assert "Worker old is not used: it has proactive-jupyter-kernel 0.0.1, and the scheduler 0.1.0" in text
