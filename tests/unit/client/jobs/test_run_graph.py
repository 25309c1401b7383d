"""Which tasks of a job came before which, against the catalog of workflows and what is expected of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

CATALOG = Path(__file__).parents[3] / "data" / "workflows"
#: Loops in loops need the times of a real run; replications in replications are ambiguous.
NESTED = re.compile(r"loop-in-loop|replicate.*-in-(.*-in-)?replicate")
NAMES = sorted(
    path.stem
    for path in CATALOG.glob("*.xml")
    if path.stem.startswith(("branch-", "loop-", "replicate-")) and "parents" in path.with_suffix(".json").read_text()
)


def graph_of(name: str) -> tuple[RunGraph, dict[str, list[str]]]:
    """The graph of a workflow of the catalog as it should run, and the parents of every task."""
    tasks = json.loads((CATALOG / f"{name}.json").read_text(encoding="utf-8"))["tasks"]
    states = []
    for number, (full, facts) in enumerate(tasks.items()):
        copy = re.fullmatch(r".*?(?:#(?P<iteration>\d+))?(?:\*(?P<replication>\d+))?", full)
        assert copy is not None
        states.append(
            TaskState(
                id=number,
                name=full,
                status=TaskStatus(facts["status"].split("|")[0]),
                iteration=int(copy["iteration"] or 0),
                replication=int(copy["replication"] or 0),
            )
        )
    workflow = xml.loads((CATALOG / f"{name}.xml").read_bytes(), read_file=lambda path: "").workflow
    job = Job(info=JobInfo(id=1, name=name, status=JobStatus.FINISHED), tasks=tuple(states))
    return RunGraph(workflow, job), {full: facts["parents"] for full, facts in tasks.items()}


def results_of(name: str) -> dict[str, list[str]]:
    """The tasks whose results each task got."""
    tasks = json.loads((CATALOG / f"{name}.json").read_text(encoding="utf-8"))["tasks"]
    results = {full: str(facts.get("result", "")) for full, facts in tasks.items()}
    return {full: text.split(" < ")[1].split() for full, text in results.items() if text.startswith(f"{full} < ")}


@pytest.mark.parametrize("name", [name for name in NAMES if not NESTED.search(name)])
def test_parents_are_those_of_the_run(name: str) -> None:
    """Those whose results a task got, in that order: its own result names them."""
    graph, _ = graph_of(name)
    results = results_of(name)
    ran = [state for state in graph.job.tasks if state.name in results]
    assert {state.name: [one.name for one in graph.parents(state)] for state in ran} == results


def test_replications_in_each_other_are_ambiguous() -> None:
    """It cannot be told from REST which copies belong together; everything else can."""
    graph, _ = graph_of("replicate-in-replicate")
    assert {name: graph.is_ambiguous(name) for name in graph.graph.tasks} == {
        "T": False,
        "T1": False,
        "T2": True,
        "T3": True,
        "T4": False,
    }


def test_nested_loops_are_distinguished_by_time() -> None:
    """The parent is the iteration that ended last before the task started."""
    graph, parents = graph_of("loop-in-loop")
    order: list[str] = []

    def visit(full: str) -> None:
        for parent in parents[full]:
            visit(parent)
        if full not in order:
            order.append(full)

    for full in sorted(parents, key=lambda name: len(name)):
        visit(full)
    times = {full: 1000 + 10 * index for index, full in enumerate(order)}
    states = tuple(
        TaskState(
            id=state.id,
            name=state.name,
            status=state.status,
            iteration=state.iteration,
            replication=state.replication,
            started_at=times[state.name],
            finished_at=times[state.name] + 5,
        )
        for state in graph.job.tasks
    )
    timed = RunGraph(graph.workflow, Job(info=graph.job.info, tasks=states))
    assert {state.name: [one.name for one in timed.parents(state)] for state in states} == parents
