"""Node sources, access tokens and locks of a real scheduler, as programs use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proactive_jupyter_kernel import Scheduler
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.jobs import SubmittedJob
from proactive_jupyter_kernel.errors import UnknownResource
from proactive_jupyter_kernel.workflow import Task, Workflow
from proactive_jupyter_kernel.workflow.model import Script

pytestmark = pytest.mark.local_only("it sets the node sources of this machine; tests/integration/dask has others")
#: Seconds; a machine with other things to do may be slow.
DEADLINE = 60.0
WHERE = Script(language="cpython", code="result = variables['PA_NODE_SOURCE'] + ' ' + variables['PA_NODE_NAME']")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    """One node without tokens, one in a node source of its own, two that ask for a token."""
    folder = tmp_path_factory.mktemp("nodes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(folder / "data"))
        patch.setenv("PROACTIVE_KERNEL_SLOTS", "1")
        patch.setenv("PROACTIVE_KERNEL_NODE_SOURCES", "big=1 gpu=2:cuda,team")
        with Scheduler.embedded(Path(folder / "data")) as running:
            yield running
        embedded.stop(folder / "data")


def workflow(name: str, **task: object) -> Workflow:
    return Workflow(name=name, tasks=(Task(name="T", executable=WHERE, **task),))


def until(found: Callable[[], str], deadline: float = DEADLINE) -> str:
    """The first text that is not empty."""
    end = time.monotonic() + deadline
    while not (text := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return text


def reason(job: SubmittedJob) -> str:
    """Why the task of a job waits, once the scheduler knows."""
    return until(lambda: job.waiting_reasons(job.state()).get("T", ""))


def test_a_job_runs_where_it_asks_to(scheduler: Scheduler) -> None:
    """By node source, by token, and by host, which a selection script checks."""
    assert (scheduler.node_sources(), scheduler.tokens()) == (["Default", "big", "gpu"], ["cuda", "team"])
    (host,) = scheduler.hosts()
    jobs = [
        scheduler.submit(workflow("any")),
        scheduler.submit(workflow("source"), node_source="big"),
        scheduler.submit(workflow("token"), token="team"),
        scheduler.submit(workflow("all"), node_source="gpu", token="cuda", host=host.upper()),
    ]
    for job in jobs:
        assert job.wait(timeout=DEADLINE).went_well
    places = [str(job.result("T").value).rpartition("-")[0] for job in jobs]
    assert places[0] in ("Default local", "big big")
    assert places[1:] == ["big big", "gpu gpu", "gpu gpu"]


def test_an_unknown_name_is_refused(scheduler: Scheduler) -> None:
    """Before anything is sent."""
    with pytest.raises(UnknownResource, match="Its node sources: Default, big, gpu"):
        scheduler.submit(workflow("nowhere"), node_source="moon")


@pytest.mark.parametrize(
    ("information", "nodes", "sentence"),
    [
        (
            {"NODE_SOURCE": "gpu"},
            1,
            "Every node of the node source 'gpu' asks for an access token; "
            "set NODE_ACCESS_TOKEN to one of: cuda, team.",
        ),
        (
            {"NODE_SOURCE": "big", "NODE_ACCESS_TOKEN": "cuda"},
            1,
            "No node of the node source 'big' has the token 'cuda' (NODE_ACCESS_TOKEN). None of its nodes has a token.",
        ),
        ({}, 3, "The task needs 3 nodes at once; the scheduler has 2."),
        ({"NODE_SOURCE": "moon"}, 1, "The scheduler has no node source 'moon'. Its node sources: Default, big, gpu."),
    ],
)
def test_a_task_that_no_node_accepts_says_why(
    scheduler: Scheduler, information: dict[str, str], nodes: int, sentence: str
) -> None:
    """The client and the scheduler's own log name the condition with the same sentence."""
    job = scheduler.submit(workflow("waits", nodes=nodes, generic_information=information))
    try:
        assert reason(job) == sentence
        log = scheduler.ask("scheduler", "jobs", job.id, "tasks", "T", "log", "server", doing="show its log").text
        assert log.rstrip().endswith(f"(T) waits: {sentence}")
    finally:
        job.kill()
