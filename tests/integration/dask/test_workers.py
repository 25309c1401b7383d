"""Tasks on Dask workers: nodes, sources, tokens, selection, languages, output, kill, walltime."""

from __future__ import annotations

import time

import pytest
from tests.integration.dask.conftest import DEADLINE, Cluster, until

from proactive_jupyter_kernel.workflow import Task, Workflow
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript

pytestmark = [
    pytest.mark.dask,
    # What is wrong with a worker or the cluster may be known before the client first looks, which is a warning then.
    pytest.mark.filterwarnings("ignore:Worker .* is not used", "ignore:The Dask scheduler at .* does not answer"),
]


def test_threads_of_workers_are_nodes(lasting: Cluster) -> None:
    """Each thread is a node; its worker is the node source, a resource of the worker the token of as many nodes."""
    assert lasting.nodes() == {"a-0": "a", "b-0": "b", "c-0": "c", "c-1": "c"}
    assert (lasting.scheduler.node_sources(), lasting.scheduler.tokens()) == (["Default", "a", "b", "c"], ["GPU"])


def test_tasks_run_where_they_ask_to(lasting: Cluster) -> None:
    """By node source, by token and by selection script; each in the folder of its worker."""
    where = Script(language="cpython", code="import os\nresult = [variables['PA_NODE_NAME'], os.getcwd()]")
    choose = SelectionScript(
        script=Script(language="cpython", code="selected = variables['PA_NODE_NAME'] == 'c-1'"), static=False
    )
    jobs = [
        lasting.scheduler.submit(Workflow(name="Job", tasks=(Task(name="T", executable=where),)), node_source="b"),
        lasting.scheduler.submit(Workflow(name="Job", tasks=(Task(name="T", executable=where),)), token="GPU"),
        lasting.scheduler.submit(Workflow(name="Job", tasks=(Task(name="T", executable=where, selection=(choose,)),))),
    ]
    for job in jobs:
        assert job.wait(timeout=DEADLINE).went_well, lasting.log(job)
    found = [job.result("T").value for job in jobs]
    assert [name for name, _ in found] == ["b-0", "c-0", "c-1"]
    assert [str(lasting.folder / name[0]) in folder for name, folder in found] == [True] * 3


@pytest.mark.parametrize(
    ("language", "code", "result"),
    [
        ("bash", "echo said; exit 0", "said"),
        ("perl", "print 'said';", "said"),
        ("javascript", "print('said'); result = 1", "said"),
    ],
)
def test_every_language_runs(lasting: Cluster, language: str, code: str, result: str) -> None:
    """As on this machine, in processes below the worker."""
    job = lasting.submit(code, language)
    assert job.wait(timeout=DEADLINE).went_well
    assert lasting.log(job) == result


def test_output_streams_and_kill_ends(lasting: Cluster) -> None:
    """What a task prints can be read while it runs, and killing it ends it at once."""
    job = lasting.submit("import time\nprint('begun', flush=True)\ntime.sleep(300)")
    until(lambda: "begun" in str(lasting.scheduler.live_log(job.id)))
    begin = time.monotonic()
    job.kill()
    assert (job.wait(timeout=DEADLINE).status.value, time.monotonic() - begin < 20) == ("KILLED", True)


def test_walltime(lasting: Cluster) -> None:
    """The node on the worker ends a task that takes too long."""
    job = lasting.submit("import time\ntime.sleep(300)", walltime=1)
    assert not job.wait(timeout=DEADLINE).went_well
    assert "Walltime of 1000 ms reached on task T" in lasting.log(job)


def test_large_values_travel(lasting: Cluster) -> None:
    """Results of some megabytes go to the scheduler and to the next task, whole."""
    first = Task(name="A", executable=Script(language="cpython", code="result = 'x' * 5_000_000"))
    second = Task(
        name="B", executable=Script(language="cpython", code="result = len(results[0].value())"), depends=("A",)
    )
    job = lasting.scheduler.submit(Workflow(name="Job", tasks=(first, second)))
    assert job.wait(timeout=DEADLINE).went_well
    assert job.result("B").value == 5_000_000


def test_many_tasks_use_all_workers(lasting: Cluster) -> None:
    """Tasks spread over the workers, one on each node at a time; `c-0` has a token and is for tasks that ask for it."""
    code = "import time\ntime.sleep(0.3)\nresult = variables['PA_NODE_NAME']"
    tasks = tuple(Task(name=f"T{number}", executable=Script(language="cpython", code=code)) for number in range(9))
    job = lasting.scheduler.submit(Workflow(name="Job", tasks=tasks))
    assert job.wait(timeout=DEADLINE).went_well
    assert {job.result(task.name).value for task in tasks} == {"a-0", "b-0", "c-1"}


def test_services_are_reached_from_workers(lasting: Cluster) -> None:
    """What tasks share through the scheduler works on a worker as well."""
    job = lasting.submit(
        "import urllib.request\nsignalapi.readyForSignal('go')\nsignalapi.sendSignal('go')\n"
        "signals = sorted(signalapi.getJobSignals())\n"
        "url = variables['PA_SCHEDULER_REST_URL'] + '/scheduler/version'\n"
        "result = [signals, b'rest' in urllib.request.urlopen(url).read()]"
    )
    assert job.wait(timeout=DEADLINE).went_well, lasting.log(job)
    assert job.result("T").value == [["go"], True]
