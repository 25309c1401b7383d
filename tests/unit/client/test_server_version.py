"""Requests that depend on the version of the server."""

from __future__ import annotations

import re

import pytest

from proactive_jupyter_kernel.client import server_version
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler
from proactive_jupyter_kernel.workflow.model import Script, Task, Variable, Workflow

WORKFLOW = Workflow(
    name="demo",
    tags=("t",),
    variables=(Variable(name="V", value="1", group="g"),),
    tasks=(Task(name="A", executable=Script(language="bash", code=":")),),
)
#: As servers write it -> the schema for it.
SCHEMAS = {
    "8.0.0": "3.10",
    "8.4.11": "3.11",
    "10.0.20": "3.11",
    "11.0.4": "3.12",
    "12.0.10": "3.12",
    "13.0.3": "3.13",
    "13.1.0-SNAPSHOT": "3.13",
    "14.0.0": "3.14",
    "14.2.0-SNAPSHOT": "3.14",
    "15.0": "3.14",
    "": "3.14",
    "UNKNOWN": "3.14",
    "9" * 5000: "3.14",
}


@pytest.mark.parametrize(("version", "schema"), SCHEMAS.items())
def test_a_server_gets_a_schema_that_it_knows(
    scheduler: Scheduler, memory: MemoryScheduler, version: str, schema: str
) -> None:
    """The newest of its version, for a model and for the text of a newer schema."""
    memory.version = version
    left_out: list[str] = []
    job = scheduler.submit(WORKFLOW, notice=left_out.append)
    again = scheduler.submit(memory.jobs[job.id].xml.replace(f":{schema}", ":dev"), notice=left_out.append)
    found = [
        re.findall(r'xmlns="urn:proactive:jobdescriptor:([^"]+)"', memory.jobs[one.id].xml) for one in (job, again)
    ]
    names = {text.partition(" has no ")[0] for text in left_out}
    expected = f"ProActive {version}"
    assert (found, names) == (
        [[schema], [schema if schema != "3.14" else "dev"]],
        {expected} if schema != "3.14" else set(),
    )
    assert memory.requests.count("GET /scheduler/version") == 1


def test_an_embedded_scheduler_is_none(scheduler: Scheduler, memory: MemoryScheduler) -> None:
    """It names its own version beside that of the server whose API it has, and gets what is submitted as it is."""
    memory.embedded = "0.1.0"
    job = scheduler.submit(WORKFLOW, host="mars")
    assert (scheduler.is_server, str(scheduler.version), "javascript" in memory.jobs[job.id].xml) == (
        False,
        "0.1.0",
        True,
    )


def test_text_that_the_server_knows_stays_as_it_is(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Also text of an older schema than the server's."""
    older = xml.replace(":3.14", ":3.5")
    memory.version = "13.0.3"
    assert memory.jobs[scheduler.submit(older).id].xml == older


def test_programs_are_warned_of_what_is_left_out(scheduler: Scheduler, memory: MemoryScheduler) -> None:
    """In the line of the program that submits."""
    memory.version = "13.0.3"
    with pytest.warns(UserWarning, match=r"^ProActive 13\.0\.3 has no tags: left out for the job\.$") as caught:
        scheduler.submit(WORKFLOW)
    assert [one.filename for one in caught] == [__file__]


@pytest.mark.parametrize("version", ["8.0.0", "11.0.4", "12.0.0", "14.2.0"])
def test_variables_of_a_submission_arrive(scheduler: Scheduler, memory: MemoryScheduler, version: str) -> None:
    """Before 12.0 in the path, with all characters, later in a part of the body; the same for a validation."""
    memory.version = version
    variables = {"V": "a b;c=d/é&", "W": ""}
    job = scheduler.submit(WORKFLOW, variables=variables, notice=lambda text: None)
    checked = scheduler.validate(memory.jobs[job.id].xml, variables=variables)
    in_path = [";" in request for request in memory.requests if "submit" in request or "validate" in request]
    assert (memory.jobs[job.id].variables, checked.variables) == (variables, variables)
    assert in_path == [server_version.parsed(version).numbers < (12,)] * 2


@pytest.mark.parametrize("closed", [True, False])
def test_a_later_session_asks_again(scheduler: Scheduler, memory: MemoryScheduler, closed: bool) -> None:
    """The server may have been replaced, also under an open notebook, whose session is renewed then."""
    before = str(scheduler.version)
    memory.version = "15.1"
    assert str(scheduler.version) == before
    if closed:
        scheduler.close()
    else:
        memory.forget_sessions()
        scheduler.jobs()
    assert (before, scheduler.version.numbers, scheduler.version.schema) == ("14.0.0", (15, 1), "3.14")
