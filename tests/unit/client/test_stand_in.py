"""The stand-in server beside the recordings that it is made of, and the client on each version of a server."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import LoginRefused, SubmissionRefused, UnknownJob, UnknownTask
from proactive_jupyter_kernel.testing.memory_jobs import ScriptedOutcome
from proactive_jupyter_kernel.workflow.formats import xml as xml_format
from proactive_jupyter_kernel.workflow.model import Script, Task, Variable, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus
from standin import NoRecordings, StandIn

#: One of each line of releases, and those where something changed.
VERSIONS = ("8.0.0", "8.5.0", "10.0.20", "11.0.4", "12.0.10", "13.0.3", "13.1.0", "14.0.0", "14.2.0")
CODE = Script(language="bash", code="true")
WORKFLOW = Workflow(
    name="demo",
    tags=("t",),
    variables=(Variable(name="V", value="1", group="g"),),
    tasks=(
        Task(name="A", executable=CODE),
        Task(name="B", executable=CODE, depends=("A",)),
        Task(name="C", executable=CODE, depends=("A",)),
    ),
)
OUTCOMES = {
    "A": ScriptedOutcome(result=[1, "é"], lines=(("out", "one"), ("out", ""), ("err", "two ")), variables={"x": None}),
    "B": ScriptedOutcome(failure="Python process execution has failed with exit code 1"),
    "C": ScriptedOutcome(result=b"raw", metadata={"content.type": "image/png"}),
}


@pytest.fixture
def standin(recorded: object) -> Iterator[Callable[..., StandIn]]:
    """Starts stand-in servers; skips where there are no recordings, unless nothing may be left out."""
    started: list[StandIn] = []

    def start(version: str = "14.2.0", **more: Any) -> StandIn:
        started.append(StandIn(version, OUTCOMES, **more))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def client(server: StandIn) -> Scheduler:
    return Scheduler.from_settings(server.settings)


def shape(value: Any) -> Any:
    """Keys and kinds of values, deep; of lists and of maps with free keys the first item."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items() if key not in FREE}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


#: Maps whose keys are the job's, and values that depend on the job.
FREE = {
    "variables",
    "detailedVariables",
    "genericInformation",
    "propagatedVariables",
    "serializedPropagatedVariables",
    "metadata",
    "tasks",
    "allResults",
    "preciousResults",
    "exceptionResults",
    "resultMap",
    "serializedResultMap",
    "startAt",
    "preciousTasks",
    "description",
    "output",
}


@pytest.mark.parametrize(
    ("path", "scenario", "exchange"),
    [
        ("/scheduler/jobs/1/info", "04-job", "ended: /info"),
        ("/scheduler/jobs/1", "04-job", "ended: state"),
        ("/scheduler/jobs/1/result", "04-job", "ended: /result"),
        ("/scheduler/jobs/1/tasks/A/result", "04-job", "ended: first /result"),
        ("/scheduler/jobs/1/tasks/B/result", "09-faults", "GET /jobs/<JOB1>/tasks/py_raise/result"),
        ("/scheduler/jobs/99", "05-unknown", "unknown job: state"),
        ("/scheduler/jobs/1/tasks/nope/result", "05-unknown", "unknown task: /result"),
        ("/scheduler/revisionjobsinfo", "06-listings", "filter index=0&limit=1000&myjobs=true"),
        ("/scheduler/version", "02-server", "version as json"),
    ],
)
def test_answers_have_the_recorded_shape(standin, recorded, path: str, scenario: str, exchange: str) -> None:
    """The same keys with the same kinds of values."""
    server = standin()
    scheduler = client(server)
    job = scheduler.submit(WORKFLOW)
    server.finish(job.id)
    scheduler.log_in()
    request = urllib.request.Request(f"{server.url}/rest{path}", headers={"sessionid": scheduler._session.id})
    try:
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            found = json.load(error)
    scheduler.close()
    wanted = recorded(scenario, exchange)
    if "map" in wanted:
        found, wanted = (next(iter(one["map"].values()))[0] for one in (found, wanted))
    assert shape(found) == shape(wanted)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_job_from_submission_to_results(standin, version: str, tmp_path: Path) -> None:
    """On each version: variables arrive, the job is followed, results, logs, failures and lists are read."""
    server = standin(version, pending=2)
    with client(server) as scheduler:
        left_out: list[str] = []
        job = scheduler.submit(WORKFLOW, variables={"V": "a/b;c=é", "W": "2"}, notice=left_out.append)
        other = scheduler.submit(WORKFLOW, notice=left_out.append)
        early = [line.text for line in scheduler.task_log(job.id, "A")]
        state = job.wait()
        results = job.results()
        assert results is not None
        assert (scheduler.info(job.id).variables, early) == ({"V": "a/b;c=é", "W": "2"}, [])
        assert (state.status, [task.status for task in state.tasks]) == (
            JobStatus.FINISHED,
            [TaskStatus.FINISHED, TaskStatus.FAULTY, TaskStatus.FINISHED],
        )
        assert [(name, one.carried, one.failed) for name, one in results.tasks.items()] == [
            ("A", [1, "é"], False),
            ("B", None, True),
            ("C", b"raw", False),
        ]
        assert results.tasks["A"].carried_variables["x"] is None
        written = [(line.text.rstrip(), line.error) for line in scheduler.task_log(job.id, "A")]
        assert [one for one in written if one[0]] == [("one", False), ("two", True)]
        failed = [line.text for line in scheduler.task_log(job.id, "B")]
        assert failed == ["Failed to execute task: Python process execution has failed with exit code 1"]
        assert (scheduler.find("demo"), scheduler.user(), scheduler.is_mine(job.id)) == (other.id, "user", True)
        assert [info.id for info in scheduler.jobs(mine=True)] == [other.id, job.id]
        assert (other.kill(), other.kill(), job.finish_task("B"), job.restart_task("B")) == (True, False, False, False)
    named = {"schema": xml_format.version_of(server.jobs[1].xml), "tags named": any("tags" in one for one in left_out)}
    assert named == {"schema": scheduler_schema(version), "tags named": not version.startswith("14")}


def scheduler_schema(version: str) -> str:
    return (
        {"8": "3.11", "10": "3.11", "11": "3.12", "12": "3.12", "13": "3.13", "14": "3.14"}[version.split(".")[0]]
        if version != "8.0.0"
        else "3.10"
    )


@pytest.mark.parametrize("version", ["8.5.0", "14.2.0"])
def test_errors_have_their_kinds(standin, version: str) -> None:
    """A wrong password is 404, an unknown task 500; a newer schema is refused, whatever the answer's form."""
    server = standin(version)
    with client(server) as scheduler:
        job = scheduler.submit(WORKFLOW, notice=lambda text: None)
        with pytest.raises(UnknownJob):
            scheduler.info(99)
        with pytest.raises(UnknownTask):
            scheduler.task_result(job.id, "nope")
        with pytest.raises(SubmissionRefused):
            scheduler.submit_xml(server.jobs[1].xml.replace("jobdescriptor:3", "jobdescriptor:4"))
    server.password = "other"
    settings = standin(version).settings
    wrong = Scheduler.from_settings(type(settings)(url=server.url, login="user", password=settings.password))
    with pytest.raises(LoginRefused, match="Incorrect Username/Password"):
        wrong.log_in()
    wrong.close()


def test_an_error_waits_for_a_decision(standin) -> None:
    """An in-error task counts as running, a restart of another task does nothing, and the result is unreadable then."""
    server = standin()
    server.outcomes = {
        "A": ScriptedOutcome(failure="boom", status=TaskStatus.IN_ERROR),
        "B": ScriptedOutcome(hold=True),
    }
    with client(server) as scheduler:
        job = scheduler.submit(WORKFLOW)
        state = job.wait()
        counts = (state.info.running, state.info.in_error, state.status)
        decided = (job.restart_task("B"), job.finish_task("B"), job.finish_task("A"))
        server.release(job.id, "B")
        ended = job.wait()
        results = job.results()
    assert counts == (1, 1, JobStatus.IN_ERROR)
    assert decided == (False, False, True)
    assert (ended.status, sorted(results.tasks)) == (JobStatus.FINISHED, ["B", "C"])


def test_files_of_a_space_are_complete(standin, tmp_path: Path) -> None:
    """Although archives of patterns are cut short, files come twice compressed, and lists are in no order."""
    server = standin()
    names = {"a.txt": b"a", "deep/er/b.csv": b"x,y\n", "z.bin": bytes(99)}
    for name, content in names.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(content)
    with client(server) as scheduler:
        space = scheduler.space()
        space.upload("F", ((name, tmp_path / "from" / name) for name in names))
        got = space.download("F", tmp_path / "to")
        some = space.download("F", tmp_path / "some", ("**/*.csv", "a*"))
        cut = scheduler._session.call("GET", "/data/user/F", doing="", query=(("includes", "**"),)).body
        space.delete("F")
        gone = space.exists("F")
    assert [place.read_bytes() for place in got] == [names[name] for name in sorted(names)]
    assert [place.name for place in some] == ["a.txt", "b.csv"]
    with zipfile.ZipFile(io.BytesIO(cut)) as archive:
        assert set(archive.namelist()) < set(names)
    assert gone is False


@pytest.mark.parametrize("version", VERSIONS)
def test_names_for_submissions_on_each_version(standin, version: str) -> None:
    """Node sources and hosts of servers with and without models; an empty list of tokens in either form."""
    with client(standin(version)) as scheduler:
        assert (scheduler.node_sources(), scheduler.hosts(), scheduler.tokens()) == (["Default"], ["mars"], [])
        assert [(node.name, node.state) for node in scheduler.nodes()] == [("local-0", "FREE")]


def test_missing_recordings_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The stand-in does not start without them, and says where they are looked for."""
    from standin import shapes

    monkeypatch.setattr(shapes, "RECORDINGS", tmp_path)
    shapes._scenario.cache_clear()
    with pytest.raises(NoRecordings, match="which are not in"):
        StandIn()
