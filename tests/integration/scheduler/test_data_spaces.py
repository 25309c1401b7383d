"""Files and jobs on a real daemon: spaces in the workflow, bindings, precious logs, and a client that carries files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client.login import Credentials, Session
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import FileSelector, Script, Task, Variable, Workflow

JOB = Workflow(name="Files")


@pytest.fixture
def site(lasting: Any) -> Any:
    """A running daemon, whose spaces are empty."""
    for space in ("global", f"user/{lasting.address['user']}"):
        for left in (spaces_of(lasting) / space).glob("*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return lasting


@pytest.fixture
def scheduler(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """A client of it, which remembers transfers of files in the same data folder."""
    monkeypatch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(site.data_dir))
    credentials = Credentials(login=site.address["user"], password=Secret(site.address["token"]))
    made = Scheduler(Session(HttpTransport(site.address["url"]), lambda: credentials))
    yield made
    made.close()


def bash(name: str, code: str, **fields: Any) -> Task:
    return Task(name=name, executable=Script(language="bash", code=code), **fields)


def files(mode: str, *patterns: str) -> tuple[FileSelector, ...]:
    return tuple(FileSelector(includes=pattern, access_mode=mode) for pattern in patterns)


def run(scheduler: Scheduler, *tasks: Task, workflow: Workflow = JOB, **fields: Any) -> Any:
    """Submit and wait; the ended job."""
    job = scheduler.submit(xml.dumps(replace(workflow, tasks=tasks, **fields)))
    return job.wait(timeout=60)


def log(scheduler: Scheduler, job: Any, task: str) -> str:
    return "\n".join(line.text for line in scheduler.task_log(job.id, task))


def spaces_of(site: Any) -> Path:
    return Path(site.data_dir) / "spaces"


def test_files_travel_through_the_user_space(site: Any, scheduler: Scheduler) -> None:
    """What one task leaves in the user space is in the folder of the next, and the bindings name the folders."""
    first = bash("First", "mkdir out; echo hello > out/a.txt", output_files=files("transferToUserSpace", "out/*"))
    second = bash(
        "Second",
        "cat out/a.txt; cd $variables_userspace && cat out/a.txt; [ $PWD != $variables_localspace ]",
        depends=("First",),
        input_files=files("transferFromUserSpace", "out/*.txt"),
    )
    job = run(scheduler, first, second)
    assert log(scheduler, job, "Second") == "hello\nhello"
    assert (spaces_of(site) / "user" / site.address["user"] / "out/a.txt").read_text() == "hello\n"


def test_every_binding_names_a_folder(site: Any, scheduler: Scheduler) -> None:
    """All space bindings of a Python task are folders that exist; as on a server, the map of variables has four."""
    code = (
        "import os\n"
        "names = ['localspace', 'userspace', 'globalspace', 'inputspace', 'outputspace', 'cachespace']\n"
        "result = [os.path.isdir(globals()[n]) and variables[n] for n in names] == [variables[n] for n in names]\n"
        "result = result and [n for n in names if variables[n] == globals()[n]]"
    )
    job = run(scheduler, Task(name="T", executable=Script(language="cpython", code=code)))
    assert scheduler.task_result(job.id, "T").value == ["localspace", "userspace", "globalspace", "cachespace"]


def test_failed_task_delivers_and_warns(site: Any, scheduler: Scheduler) -> None:
    """A task that fails still delivers its files; a pattern without a match is a warning in its log."""
    outputs = files("transferToGlobalSpace", "a.txt", "no*")
    job = run(scheduler, bash("T", "echo 1 > a.txt; exit 3", output_files=outputs))
    assert job.info.faulty == 1
    assert (spaces_of(site) / "global/a.txt").read_text() == "1\n"
    assert "[DATASPACES-WARNING] No file of the task's folder matches 'no*'." in log(scheduler, job, "T")


def test_walltime_delivers_nothing(site: Any, scheduler: Scheduler) -> None:
    """A task that ran into its walltime delivers no files."""
    outputs = files("transferToGlobalSpace", "a.txt")
    job = run(scheduler, bash("T", "echo 1 > a.txt; sleep 60", walltime=1, output_files=outputs))
    assert (job.info.faulty, list((spaces_of(site) / "global").iterdir())) == (1, [])


@pytest.mark.parametrize(
    ("fields", "selector", "words"),
    [
        ({}, ("transferFromUserSpace", "../../scheduler.db"), "leaves its space"),
        ({"input_space": "/nowhere/at/all"}, ("transferFromInputSpace", "*"), "input space cannot be reached"),
        ({"input_space": "sftp://host/data"}, ("transferFromInputSpace", "*"), "input space cannot be reached"),
    ],
)
def test_transfer_that_cannot_be_fails_the_task(
    scheduler: Scheduler, fields: dict[str, str], selector: tuple[str, str], words: str
) -> None:
    """A pattern that leaves its space, or a space out of reach, fails the task with the reason."""
    job = run(scheduler, bash("T", "true", input_files=files(*selector)), **fields)
    assert job.info.faulty == 1
    assert "Failed to copy input files: " in log(scheduler, job, "T")
    assert words in log(scheduler, job, "T")


def test_job_names_its_own_spaces(scheduler: Scheduler, tmp_path: Path) -> None:
    """A job's space is a folder or ``file:`` URL of its own; TASKID stands for a folder per task."""
    (tmp_path / "in put").mkdir()
    (tmp_path / "in put/a.txt").write_text("mine")
    job = run(
        scheduler,
        bash(
            "T",
            "cp a.txt b.txt",
            input_files=files("transferFromInputSpace", "a.txt"),
            output_files=files("transferToOutputSpace", "b.txt"),
        ),
        input_space=(tmp_path / "in put").as_uri(),
        output_space=f"{tmp_path}/out/TASKID",
    )
    assert job.went_well, log(scheduler, job, "T")
    assert (tmp_path / "out/0/b.txt").read_text() == "mine"


def test_precious_logs_are_complete_and_grow(site: Any, scheduler: Scheduler) -> None:
    """Each execution of a task with precious logs appends its whole output to a file in the user space."""
    task = bash("T", "for i in $(seq 5); do echo line $i; done; exit 1", precious_logs=True, max_executions=2)
    job = run(scheduler, task, retry_delay=1)
    path = spaces_of(site) / "user" / site.address["user"] / str(job.id) / f"TaskLogs-{job.id}-0.log"
    lines = [line for line in path.read_text().splitlines() if "] line" in line]
    assert len(lines) == 10
    assert lines[0].startswith(f"[{job.id}t0@")


class Notebook:
    """A folder with files, as somebody who submits has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("data/a.csv", "data/b.csv", "other.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)


def test_client_sends_a_folder_and_fetches_the_output(site: Any, scheduler: Scheduler, tmp_path: Path) -> None:
    """Only matching files go, output lands in the folder here once, and nothing stays in the user space."""
    notebook = Notebook(tmp_path / "notebook")
    task = bash(
        "T",
        "ls *; cat data/a.csv > result.txt",
        input_files=files("transferFromInputSpace", "data/${WHICH}.csv"),
        output_files=files("transferToOutputSpace", "result.txt"),
    )
    workflow = Workflow(name="Carried", tasks=(task,), variables=(Variable(name="WHICH", value="b"),))
    sent = scheduler.file_transfer.send(
        workflow, variables={"WHICH": "a"}, input_path=notebook.folder, output_path=tmp_path / "results"
    )
    assert sent.files == ("data/a.csv",)
    job = scheduler.submit_sent(sent, variables={"WHICH": "a"}, notice=pytest.fail)
    ended = job.wait(timeout=60)
    assert ended.went_well, log(scheduler, ended, "T")
    fetched = job.fetch_files()
    assert fetched is not None
    assert fetched.files == (tmp_path / "results/result.txt",)
    assert fetched.files[0].read_text() == "data/a.csv"
    assert job.fetch_files() is None
    assert list((spaces_of(site) / "user" / site.address["user"]).iterdir()) == []


def test_missing_input_folder_is_an_error(scheduler: Scheduler, tmp_path: Path) -> None:
    """A folder that does not exist is refused before anything is sent."""
    with pytest.raises(SetupError, match="does not exist"):
        scheduler.file_transfer.send(JOB, variables={}, input_path=tmp_path / "no")


def test_space_is_a_folder_for_clients(scheduler: Scheduler, tmp_path: Path) -> None:
    """What is uploaded is listed, comes back equal, one file or several, and goes away again."""
    space = scheduler.space()
    contents = {"a é.bin": bytes(range(256)), "deep/er/b%20.txt": b"b", "c;d#e.txt": b"c"}
    for name, content in contents.items():
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_bytes(content)
    assert space.upload("F g", ((name, tmp_path / "up" / name) for name in contents)) == 3
    listing = space.list("F g", ["**"])
    assert listing is not None
    assert (sorted(listing.files), listing.folders) == (sorted(contents), ("deep", "deep/er"))
    space.download("F g", tmp_path / "all")
    assert {name: (tmp_path / "all" / name).read_bytes() for name in contents} == contents
    one = space.download("F g", tmp_path / "one", ["deep/**"])
    assert one == (tmp_path / "one/deep/er/b%20.txt",)
    space.delete("F g")
    assert (space.list("F g"), space.exists("F g"), space.download("F g", tmp_path)) == (None, False, ())
