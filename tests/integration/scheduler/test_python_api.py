"""The public Python API, as its guide shows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proactive_jupyter_kernel import Scheduler
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.errors import InvalidWorkflow, SubmissionRefused, UnknownTask, WaitTimeout
from proactive_jupyter_kernel.workflow import Task, Variable, Workflow
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, FileSelector, Script
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "python-api.md"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A data folder whose scheduler is stopped in the end."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(folder / "data"))
        yield folder / "data"
        embedded.stop(folder / "data")


@pytest.fixture
def scheduler(data: Path) -> object:
    with Scheduler.embedded(data) as scheduler:
        yield scheduler


def bash(name: str, code: str, **fields: object) -> Task:
    return Task(name=name, executable=Script(language="bash", code=code), **fields)


def test_the_example_of_the_guide_runs(data: Path) -> None:
    """As a script in a Python of its own, with the output that the guide shows."""
    code, output = re.findall(r"```(?:python|text)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), timeout=100
    )
    assert (done.stderr, done.stdout) == ("", output)


def test_a_workflow_is_a_model_a_text_or_a_path(scheduler: Scheduler, tmp_path: Path) -> None:
    """The same job of each; a script in a file beside the workflow is sent with it."""
    (tmp_path / "hello.sh").write_text("echo hello")
    code = '<script><file path="hello.sh" language="bash"/></script>'
    file = tmp_path / "w.xml"
    file.write_text(
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="Same"><taskFlow><task name="T">'
        f"<scriptExecutable>{code}</scriptExecutable></task></taskFlow></job>"
    )
    workflow = Workflow(name="Same", tasks=(bash("T", "echo hello"),))
    jobs = [scheduler.submit(source) for source in (workflow, file, str(file))]
    jobs.append(scheduler.submit(scheduler.xml(jobs[0].id)))
    assert [[line.line.text for line in job.output()] for job in jobs] == [["hello"]] * 4


def test_output_comes_while_the_task_runs(scheduler: Scheduler) -> None:
    """Both streams, told apart, each line once."""
    job = scheduler.submit(Workflow(name="Live", tasks=(bash("T", "echo out; echo err >&2; sleep 600"),)))
    seen = set()
    for line in job.output(timeout=60):
        seen.add((line.task, line.line.text, line.line.error))
        if len(seen) == 2:
            break
    assert (seen, job.state().ended) == ({("T", "out", False), ("T", "err", True)}, False)
    assert (job.kill(), job.kill(), job.wait(timeout=60).status) == (True, False, JobStatus.KILLED)


def test_a_task_in_error_is_decided(scheduler: Scheduler) -> None:
    """A wait ends at it; after the restart the tasks after it run, and those beside it ran before."""
    failing = bash("A", "exit 1", on_error=ErrorPolicy.SUSPEND_TASK)
    job = scheduler.submit(
        Workflow(name="Decide", tasks=(failing, bash("B", "true", depends=("A",)), bash("C", "sleep 1")))
    )
    state = job.wait(timeout=60)
    assert [(task.name, task.status) for task in state.tasks] == [
        ("A", TaskStatus.IN_ERROR),
        ("B", TaskStatus.SUBMITTED),
        ("C", TaskStatus.FINISHED),
    ]
    assert job.waiting_reasons(state) == {"B": "Waits for A (in error)."}
    with pytest.raises(UnknownTask, match="Did you mean"):
        job.restart_task("AA")
    assert (job.blocked_tasks(state), job.finish_task("A"), job.finish_task("A")) == ({"A", "B"}, True, False)
    assert job.wait(timeout=60).status is JobStatus.FINISHED


def test_files_go_and_come_back(scheduler: Scheduler, data: Path, tmp_path: Path) -> None:
    """Once, to the folder of the submission; a refused workflow leaves nothing behind."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    task = bash(
        "T",
        "cat a.txt > b.txt",
        input_files=(FileSelector(includes="a.txt", access_mode="transferFromInputSpace"),),
        output_files=(FileSelector(includes="b.txt", access_mode="transferToOutputSpace"),),
    )
    folders = {"input_path": tmp_path / "in", "output_path": tmp_path / "out"}
    job = scheduler.submit(Workflow(name="Files", tasks=(task,)), **folders)
    job.wait(timeout=60)
    # A session of its own, as after a restart of the program.
    with Scheduler.embedded(data) as other:
        fetched = other.get_job(job.id).fetch_files()
    assert fetched is not None
    assert (fetched.files, fetched.files[0].read_text()) == ((tmp_path / "out" / "b.txt",), "a")
    assert job.fetch_files() is None
    wrong = Workflow(name="Files", tasks=(task,), variables=(Variable(name="N", value="x", model="PA:INTEGER"),))
    for refused, error in ((wrong, SubmissionRefused), (replace(wrong, tasks=(task, task)), InvalidWorkflow)):
        with pytest.raises(error):
            scheduler.submit(refused, **folders)
    assert list((data / "file-transfers").iterdir()) == []


def test_the_folder_of_a_job_is_not_chosen_by_its_text(scheduler: Scheduler, data: Path, tmp_path: Path) -> None:
    """A job that names another submission's folder, or a folder here, makes nothing be written."""
    folder = "me_2026-01-01_00.00.00.000_0123abcd"
    information = {"client_data_folder": folder, "client_output_data_folder": str(tmp_path / "evil")}
    scheduler.space().make_folder(f"{folder}/output")
    job = scheduler.submit(Workflow(name="Evil", tasks=(bash("T", "true"),), generic_information=information))
    job.wait(timeout=60)
    assert (job.fetch_files(), list(tmp_path.iterdir()), scheduler.space().exists(folder)) == (None, [], True)


def test_a_wait_ends_in_time(scheduler: Scheduler) -> None:
    """The job is still there."""
    job = scheduler.submit(Workflow(name="Long", tasks=(bash("T", "sleep 600"),)))
    with pytest.raises(WaitTimeout):
        job.wait(timeout=0.1)
    job.kill()


def test_the_package_loads_without_the_client() -> None:
    """A kernel starts without it; the names are there all the same."""
    code = (
        "import sys, proactive_jupyter_kernel as p\n"
        "assert not any('client' in name for name in sys.modules if name.startswith('proactive'))\n"
        "assert p.Scheduler.__name__ == 'Scheduler' and p.SubmittedJob.__name__ == 'SubmittedJob'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
