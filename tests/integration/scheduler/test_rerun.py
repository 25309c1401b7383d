"""A part of a job runs again with stored results, for every shape of control in the catalog of workflows."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from proactive_jupyter_kernel import Scheduler
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.jobs.rerun import Rerun, RerunRefused, plan
from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
from proactive_jupyter_kernel.client.jobs.stored_tasks import with_stored_results
from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
from proactive_jupyter_kernel.workflow import Task, Variable, Workflow
from proactive_jupyter_kernel.workflow.checks import errors
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script
from proactive_jupyter_kernel.workflow.status import TaskStatus

CATALOG = Path(__file__).parents[2] / "data" / "workflows"
NAMES = (
    "branch-if", "branch-else", "branch-open", "branch-of-blocks", "branch-in-branch", "branch-in-skipped-branch",
    "branch-in-loop-alternating", "branch-in-replicate", "loop", "loop-chain", "loop-on-itself", "loop-in-branch",
    "loop-in-replicate", "loop-branch-replicate-chain", "replicate-beside-others", "replicate-two-children",
    "replicate-in-loop", "replicate-in-branch-in-loop", "replicate-fewer-in-loop", "branch-in-replicate-never",
)  # fmt: skip
_SUFFIX = re.compile(r"#\d+|\*\d+")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The embedded scheduler on a folder of its own, stopped in the end."""
    folder = tmp_path_factory.mktemp("rerun")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(folder / "data"))
        with Scheduler.embedded(folder / "data") as scheduler:
            yield scheduler
        embedded.stop(folder / "data")


def part(scheduler: Scheduler, job: SubmittedJob, rerun: Rerun) -> SubmittedJob:
    """The part of the workflow, submitted with the stored results of the job."""
    results = {state.name: job.result(state.name) for states in rerun.stored.values() for state in states}
    workflow, files = with_stored_results(rerun, results, job.state().info)
    assert (errors(workflow), files) == ([], ())
    return scheduler.submit(workflow)


def results_of(job: SubmittedJob, names: frozenset[str]) -> Mapping[str, str]:
    """By task what its result says it got; names without iteration and copy, which stored results do not have."""
    found = job.results()
    assert found is not None
    return {
        task.name: _SUFFIX.sub("", str(found.tasks[task.name].value))
        for task in job.state().tasks
        if task.base_name in names and task.status is not TaskStatus.SKIPPED
    }


def test_parts_give_the_results_of_the_whole(scheduler: Scheduler) -> None:
    """From every task that can be run from: the same tasks run with the same results, whatever the control."""
    workflows = [xml.loads((CATALOG / f"{name}.xml").read_bytes()).workflow for name in NAMES]
    jobs = [scheduler.submit(workflow) for workflow in workflows]
    parts = []
    refused = 0
    for workflow, job in zip(workflows, jobs, strict=True):
        graph = RunGraph(workflow, job.wait(timeout=120))
        starts = [[task.name] for task in workflow.tasks]
        if workflow.name == "replicate-two-children":
            # Either alone is refused.
            starts.append(["X", "Y"])
        for names in starts:
            try:
                rerun = plan(graph, names)
            except RerunRefused:
                refused += 1
                continue
            runs = frozenset(one.name for one in rerun.workflow.tasks) - rerun.stored.keys()
            parts.append((f"{workflow.name} from {' '.join(names)}", job, runs, part(scheduler, job, rerun)))
    found = {}
    for name, _, runs, again in parts:
        again.wait(timeout=120)
        found[name] = results_of(again, runs)
    assert found == {name: results_of(job, runs) for name, job, runs, _ in parts}
    assert (len(parts), refused) == (PARTS, REFUSED)


#: How many starts of the workflows above can be run from, and how many are inside a loop or a replication, or skipped.
PARTS, REFUSED = 66, 47


def python(name: str, code: str, **fields: object) -> Task:
    return Task(name=name, executable=Script(language="cpython", code=code), **fields)


def test_values_and_variables_are_handed_on_as_stored(scheduler: Scheduler) -> None:
    """Python's own values unopened, texts, numbers, bytes; a variable of the job that no task changed may be new."""
    source = Workflow(
        name="Values",
        variables=(Variable(name="n", value="1"), Variable(name="m", value="1")),
        tasks=(
            python(
                "Load",
                "import datetime, decimal\n"
                "variables.put('m', '2')\n"
                "variables.put('when', {'day': [datetime.date(2026, 1, 2)]})\n"
                "result = [datetime.date(2026, 1, 2), b'\\0x', decimal.Decimal('1.50'), {1, 2}, {'a': float('inf')}]",
            ),
            python(
                "Use",
                "result = [results[0].value(), variables.get('when'), variables.get('n'), variables.get('m')]",
                depends=("Load",),
            ),
        ),
    )
    job = scheduler.submit(source)
    rerun = plan(RunGraph(source, job.wait(timeout=60)), ["Use"])
    results = {"Load": job.result("Load")}
    workflow, _ = with_stored_results(rerun, results, job.state().info)
    again = scheduler.submit(workflow, variables={"n": "5", "m": "5"})
    again.wait(timeout=60)
    day = datetime.date(2026, 1, 2)
    loaded = job.result("Load").value
    assert again.result("Load").carried == job.result("Load").carried
    assert again.result("Use").value == [loaded, {"day": [day]}, "5", "2"]


def test_large_results_go_through_the_user_space(scheduler: Scheduler, tmp_path: Path) -> None:
    """The workflow stays small."""
    code = "import numpy\nresult = numpy.arange(100_000)"
    source = Workflow(
        name="Large",
        tasks=(python("Load", code), python("Sum", "result = int(results[0].value().sum())", depends=("Load",))),
    )
    job = scheduler.submit(source)
    rerun = plan(RunGraph(source, job.wait(timeout=60)), ["Sum"])
    workflow, files = with_stored_results(rerun, {"Load": job.result("Load")}, job.state().info)
    for file in files:
        folder, name = file.path.rsplit("/", 1)
        (tmp_path / name).write_text(file.content)
        scheduler.space().upload(folder, [(name, tmp_path / name)])
    again = scheduler.submit(workflow)
    again.wait(timeout=60)
    assert (len(xml.dumps(workflow)) < 5_000, again.result("Sum").value) == (True, sum(range(100_000)))
