"""The JSON of jobs, tasks and results, whole, against the shapes that clients were written for."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import COMMON_EXCEPTIONS, Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.dto import records
from proactive_jupyter_kernel.scheduler.rest.dto.throwable import serialized_exception
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.started import StartedTask
from proactive_jupyter_kernel.scheduler.store.base import Endpoint, JobExtras, JobFacts, JobRow
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.model import Priority, Script, Task, TaskVariable, Variable
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

JOB = JobRecord(
    job_id=7,
    name="job one",
    owner="admin",
    status=JobStatus.RUNNING,
    priority=Priority.NORMAL,
    submitted_at=1700000000000,
    started_at=1700000001000,
    total=1,
    running=1,
)
FACTS = JobFacts(mode="workflow-api", variables=(Variable(name="A", value="1"),))
ROW = JobRow(record=JOB, facts=FACTS)
TASK = TaskRecord(
    job_id=7,
    task_id=0,
    name="t1",
    base_name="t1",
    status=TaskStatus.RUNNING,
    started_at=1700000001000,
    host="host1",
    slot="local-0",
)
DEFINITION = Task(name="t1", executable=Script(language="cpython", code="1"))

INFO: dict[str, Any] = {
    "startTime": 1700000001000,
    "inErrorTime": -1,
    "finishedTime": -1,
    "submittedTime": 1700000000000,
    "removedTime": -1,
    "status": "RUNNING",
    "jobId": {"id": 7, "readableName": "job one"},
    "totalNumberOfTasks": 1,
    "numberOfPendingTasks": 0,
    "numberOfRunningTasks": 1,
    "numberOfFinishedTasks": 0,
    "numberOfFailedTasks": 0,
    "numberOfFaultyTasks": 0,
    "numberOfInErrorTasks": 0,
    "priority": "NORMAL",
    "jobOwner": "admin",
    "tenant": None,
    "domain": None,
    "projectName": "",
    "description": "",
    "bucketName": "",
    "label": "",
    "toBeRemoved": False,
    "genericInformation": {},
    "variables": {"A": "1"},
    "detailedVariables": {
        "A": {
            "name": "A",
            "value": "1",
            "model": None,
            "description": None,
            "group": None,
            "advanced": False,
            "hidden": False,
        }
    },
    "signals": [],
    "detailedSignals": {},
    "visualizationConnectionStrings": {},
    "visualizationIcons": {},
    "attachedServices": {},
    "externalEndpointUrls": {},
    "resultMapPresent": False,
    "preciousTasks": [],
    "parentId": None,
    "childrenCount": 0,
    "cumulatedCoreTime": 0,
    "numberOfNodes": 0,
    "numberOfNodesInParallel": 0,
    "submissionMode": "workflow-api",
    "startAt": None,
}

STATE: dict[str, Any] = {
    "name": "t1",
    "description": None,
    "tag": None,
    "iterationIndex": 0,
    "replicationIndex": 0,
    "maxNumberOfExecution": 1,
    "maxNumberOfExecutionOnFailure": 2,
    "taskInfo": {
        "jobId": {"id": 7, "readableName": "job one"},
        "taskId": {"id": 0, "readableName": "t1"},
        "startTime": 1700000001000,
        "finishedTime": -1,
        "inErrorTime": -1,
        "scheduledTime": -1,
        "executionDuration": -1,
        "taskStatus": "RUNNING",
        "executionHostName": "host1 (local-0)",
        "numberOfExecutionLeft": 1,
        "numberOfExecutionOnFailureLeft": 2,
        "visualizationActivated": False,
        "visualizationConnectionString": None,
        "variables": {},
        "progress": 0,
    },
    "parallelEnvironment": None,
    "genericInformation": {},
    "numberOfNodesNeeded": 1,
}


def test_job_info_is_complete() -> None:
    """Every field of JobInfoData, nulls and unset times included."""
    assert records.job_info(ROW) == INFO


def test_job_info_shows_what_is_attached() -> None:
    """Signals, endpoints, parent and counters."""
    extras = JobExtras(signals=("go",), endpoints=(Endpoint(name="e", url="http://x", icon="i"),))
    facts = JobFacts(parent_id=3, bucket="b", precious_tasks=("t1", "t2"))
    job = replace(JOB, precious=("t1",), killed_time=2)
    row = JobRow(record=job, facts=facts, core_time=5, nodes=3, nodes_in_parallel=2, has_result_map=True, extras=extras)
    shown = records.job_info(row)
    names = "signals externalEndpointUrls parentId bucketName preciousTasks cumulatedCoreTime numberOfNodes"
    assert [shown[name] for name in names.split()] == [
        ["go"],
        {"e": {"name": "e", "url": "http://x", "iconUri": "i"}},
        3,
        "b",
        ["t1"],
        7,
        3,
    ]
    assert (shown["numberOfNodesInParallel"], shown["resultMapPresent"]) == (2, True)


def test_task_state_is_complete() -> None:
    """Every field of TaskStateData and TaskInfoData."""
    assert records.task_state(JOB, TASK, DEFINITION) == STATE | {"taskInfo": STATE["taskInfo"] | {"variables": None}}
    seen = StartedTask(variables={}, generic_information={})
    assert records.task_state(JOB, TASK, DEFINITION, seen=seen) == STATE


def test_task_state_shows_the_definition() -> None:
    """Nodes, executions, description, variables and generic information come from the workflow."""
    definition = Task(
        name="t1",
        executable=DEFINITION.executable,
        description="d",
        nodes=3,
        max_executions=4,
        generic_information={"K": "v"},
        variables=(TaskVariable(name="X", value="y"),),
    )
    seen = StartedTask(variables={"X": "y", "N": 1, "L": [True, None]}, generic_information={"K": "w"})
    shown = records.task_state(JOB, TASK, definition, seen=seen)
    assert shown["parallelEnvironment"] == {"nodesNumber": 3}
    assert (shown["numberOfNodesNeeded"], shown["maxNumberOfExecution"], shown["description"]) == (3, 4, "d")
    texts = {"X": "y", "N": "1", "L": "[true, null]"}
    assert (shown["genericInformation"], shown["taskInfo"]["variables"]) == ({"K": "w"}, texts)
    waiting = records.task_state(JOB, TASK, definition)
    assert (waiting["genericInformation"], waiting["taskInfo"]["variables"]) == ({"K": "v"}, None)
    ended = records.task_state(replace(JOB, status=JobStatus.KILLED), TASK, definition)
    assert (ended["genericInformation"], ended["taskInfo"]["variables"]) == ({}, None)


def test_job_state_is_complete() -> None:
    """Tasks are keyed by their number as text; the priority is the label here."""
    assert records.job_state(ROW, [STATE]) == {
        "name": "job one",
        "priority": "Normal",
        "owner": "admin",
        "tenant": None,
        "domain": None,
        "jobInfo": INFO,
        "projectName": "",
        "tasks": {"0": STATE},
        "genericInformation": {},
        "id": 7,
    }


def test_user_job_is_complete() -> None:
    """The entry of listings."""
    assert records.user_job(ROW) == {"jobid": "7", "jobOwner": "admin", "jobInfo": INFO}


def test_a_result_is_complete() -> None:
    """As the documentation of the REST API shows it for a text."""
    outcome = TaskResult(task=TASK, known=True, value=RawValue.of("hello"), variables={"V": "x"})
    assert records.task_result(outcome, stdout="hi\n") == {
        "id": {"id": 0, "readableName": "t1"},
        "serializedValue": "rO0ABXQABWhlbGxv",
        "value": "hello",
        "serializedException": None,
        "exceptionMessage": None,
        "metadata": {},
        "propagatedVariables": {"V": "x"},
        "serializedPropagatedVariables": {"V": "rO0ABXQAAXg="},
        "output": {"stdoutLogs": "hi\n", "stderrLogs": ""},
        "raw": False,
    }


def test_bytes_are_raw() -> None:
    """A byte array travels as its own bytes, without Java's stream."""
    wire = {"$type": "bytes", "value": base64.b64encode(b"\x89PNG").decode()}
    shown = records.task_result(TaskResult(task=TASK, known=True, value=RawValue.of(wire)))
    assert (shown["raw"], shown["serializedValue"]) == (True, base64.b64encode(b"\x89PNG").decode())


@pytest.mark.parametrize("value", [5, -7, [], [1, -2, 3], [[1, 2], [], [3]], [1.0], [True, None], "1,2", {"a": 1}])
def test_the_text_of_a_value_is_that_of_java(value: Any) -> None:
    """Also where it is made of the JSON without decoding it."""
    outcome = TaskResult(task=TASK, known=True, value=RawValue.of(value))
    assert records.value_text(outcome) == values.text(value)


def test_a_null_result_is_a_java_null() -> None:
    """A task that ended well with nothing differs from one without result."""
    ended = records.task_result(TaskResult(task=TASK, known=True))
    assert (ended["serializedValue"], ended["value"]) == ("rO0ABXA=", None)
    assert records.task_result(TaskResult(task=TASK))["serializedValue"] is None


def test_a_failure_has_an_exception_and_no_value() -> None:
    """The message apart, the stack trace in the text form."""
    failure = Failure(
        kind=FailureKind.ERROR, exception="TaskException", message="Failed to execute task: no", stack_trace="at line 1"
    )
    outcome = TaskResult(task=TASK, known=True, failure=failure)
    shown = records.task_result(outcome)
    assert (shown["serializedValue"], shown["value"]) == (None, None)
    assert shown["exceptionMessage"] == "Failed to execute task: no"
    assert shown["serializedException"].startswith("rO0AB")
    assert records.value_text(outcome) == "Failed to execute task: no\nat line 1"


def test_a_job_result_is_complete() -> None:
    """Exceptions and precious results are listed again."""
    good = records.task_result(TaskResult(task=TASK, known=True, value=RawValue.of(1)))
    bad = {**good, "serializedException": "x"}
    assert records.job_result(ROW, {"t1": good, "t2": bad}, {"k": [1, 2]}, {"t1"}) == {
        "id": {"id": 7, "readableName": "job one"},
        "jobInfo": INFO,
        "allResults": {"t1": good, "t2": bad},
        "preciousResults": {"t1": good},
        "resultMap": {"k": "[1, 2]"},
        "serializedResultMap": {"k": base64.b64encode(serialization.dumps([1, 2])).decode()},
        "exceptionResults": {"t2": bad},
    }


@pytest.mark.parametrize(
    ("exception", "classes"),
    [
        *(
            (name, [f"org.ow2.proactive.scheduler.common.exception.{each}" for each in (name, "SchedulerException")])
            for name in sorted(COMMON_EXCEPTIONS)
        ),
        ("TaskException", []),
        ("ForkedJvmProcessException", []),
    ],
)
def test_an_exception_is_a_java_stream(exception: str, classes: list[str]) -> None:
    """Of the class that a server throws, with its parents and its message; a general one where clients lack it."""
    content = serialized_exception(Failure(kind=FailureKind.ERROR, exception=exception, message="no é"))
    read = serialization.loads(content)
    assert isinstance(read, serialization.JavaObject)
    assert (read.class_name, read.fields["detailMessage"]) == ([*classes, "java.lang.Exception"][0], "no é")
    names = [name.decode() for name in re.findall(rb"r\0.([a-z][\w.]+)", content)]
    assert names == [*classes, "java.lang.Exception", "java.lang.Throwable"]


def test_records_are_json() -> None:
    """Nothing in them needs an encoder of its own."""
    json.dumps([records.job_state(ROW, [STATE]), records.page(1, [STATE])])
