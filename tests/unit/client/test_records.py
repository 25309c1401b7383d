"""From the scheduler's JSON to records and values."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from proactive_jupyter_kernel.client import json_records, results
from proactive_jupyter_kernel.client.records import JobInfo, JobRef, TaskState
from proactive_jupyter_kernel.errors import SchedulerError
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus


def result(**fields: Any) -> dict[str, Any]:
    return {"id": {"id": 3, "readableName": "t"}, "serializedValue": None, "serializedException": None, **fields}


def serialized(value: object) -> str:
    return base64.b64encode(serialization.dumps(value)).decode()


def test_a_job_needs_no_more_than_its_status() -> None:
    """Fields that a server leaves out or sets to null have defaults, and unknown ones are ignored."""
    data = {"status": "STALLED", "variables": None, "startTime": None, "novelty": 1}
    assert json_records.info_of(data, job_id=7) == JobInfo(id=7, name="", status=JobStatus.STALLED)


def test_a_jobs_tasks_come_in_the_order_of_their_ids() -> None:
    """The map of tasks is ordered by number, not by text."""

    def task(number: int) -> dict[str, Any]:
        ref = {"id": number, "readableName": f"t{number}"}
        return {"name": "x", "taskInfo": {"taskId": ref, "taskStatus": "WAITING_ON_ERROR"}}

    info = {"jobId": {"id": 7, "readableName": "j"}, "status": "RUNNING", "priority": "NORMAL"}
    job = json_records.job_of({"id": 7, "jobInfo": info, "tasks": {"10": task(10), "9": task(9)}})
    assert [task.name for task in job.tasks] == ["t9", "t10"]
    assert (job.id, job.name, job.ended, job.went_well) == (7, "j", False, False)
    assert job.task("t9") == TaskState(id=9, name="t9", status=TaskStatus.WAITING_ON_ERROR)
    assert job.task("t8") is None


def test_a_job_without_tasks_is_a_job() -> None:
    """An empty or missing map of tasks is not an error."""
    info = {"status": "FINISHED"}
    assert json_records.job_of({"id": 1, "jobInfo": info, "tasks": None}).went_well


@pytest.mark.parametrize("data", [None, [], "text", {"jobInfo": None}])
def test_an_answer_of_another_form_is_refused(data: Any) -> None:
    """What is no job is an error of ours, not a stray KeyError."""
    with pytest.raises(SchedulerError):
        json_records.job_of(data)


@pytest.mark.parametrize(
    ("times", "job", "task"),
    [
        ({}, JobStatus.PENDING, TaskStatus.PENDING),
        ({"startTime": 5}, JobStatus.RUNNING, TaskStatus.RUNNING),
        ({"startTime": 5, "finishedTime": 9}, JobStatus.FINISHED, TaskStatus.FAULTY),
    ],
)
def test_a_status_of_a_newer_server_is_shown_in_its_words(
    times: dict[str, int], job: JobStatus, task: TaskStatus
) -> None:
    """It counts as the nearest known one, so that a listing and a wait continue; its end is no success."""
    info = {"status": "DAY_DREAMING", **times}
    state = {"taskInfo": {"taskId": {"id": 1}, "taskStatus": "DAY_DREAMING", **times}}
    found = json_records.job_of({"id": 1, "jobInfo": info, "tasks": {"T": state}})
    assert (found.status, found.status_label, found.ended, found.went_well) == (
        job,
        "Day dreaming",
        job is JobStatus.FINISHED,
        False,
    )
    assert (found.tasks[0].status, found.tasks[0].status_label) == (task, "Day dreaming")


def test_fields_of_another_type_do_not_fail_a_listing() -> None:
    """Numbers that are none, texts in place of maps and unknown fields count as absent."""
    info = json_records.info_of(
        {"status": "RUNNING", "startTime": "soon", "variables": "x", "jobId": [], "totalNumberOfTasks": {}, "new": 1},
        job_id=7,
    )
    assert (info.id, info.started_at, info.total, info.variables) == (7, -1, 0, {})


@pytest.mark.parametrize(
    ("name", "iteration", "replication", "base"),
    [("T", 0, 0, "T"), ("T#1", 1, 0, "T"), ("T*2", 0, 2, "T"), ("T#10*2", 10, 2, "T")],
)
def test_a_copy_knows_its_original(name: str, iteration: int, replication: int, base: str) -> None:
    """The base name is the name without the indices that the scheduler tells."""
    state = TaskState(id=0, name=name, status=TaskStatus.FINISHED, iteration=iteration, replication=replication)
    assert state.base_name == base


def test_a_reference_is_an_id_and_a_name() -> None:
    """The answer to a submission."""
    assert json_records.ref_of({"id": 7, "readableName": "é"}) == JobRef(id=7, name="é")


@pytest.mark.parametrize("value", ["é", 1, 2.5, True, None, [1, "a"], {"a": [1]}, Decimal("1.5"), {1, 2}])
def test_values_come_back_as_python_values(value: object) -> None:
    """Java's serialized form is decoded, whatever the text says."""
    found = results.task_result_of(result(serializedValue=serialized(value), value="text"))
    assert (found.value, found.has_value, found.text, found.failed) == (value, True, "text", False)


def test_raw_results_are_bytes() -> None:
    """Bytes come as they are, with their metadata."""
    data = result(
        serializedValue=base64.b64encode(b"\x89PNG").decode(), raw=True, metadata={"content.type": "image/png"}
    )
    found = results.task_result_of(data)
    assert (found.value, found.metadata) == (b"\x89PNG", {"content.type": "image/png"})


@pytest.mark.parametrize("stream", ["rO0=", "AAAA", "not base64!", "a"])
def test_what_cannot_be_decoded_is_given_as_text(stream: str) -> None:
    """A value of an unknown kind is shown in the scheduler's words."""
    found = results.task_result_of(result(serializedValue=stream, value="[thing]"))
    assert (found.value, found.has_value) == ("[thing]", True)


def test_no_result_is_not_a_value() -> None:
    """A task without result has none, not even None."""
    assert not results.task_result_of(result(value=None)).has_value


def test_a_failure_has_its_message_and_its_story() -> None:
    """The message is the short form, the trace the long one; there is always a short one."""
    told = results.task_result_of(result(serializedException="x", exceptionMessage="boom"), trace="Trace\n")
    assert (told.failed, told.failure, told.trace, told.has_value) == (True, "boom", "Trace\n", False)
    untold = results.task_result_of(result(serializedException="x"), trace="\n Trace\nmore")
    assert untold.failure == "Trace"
    assert results.task_result_of(result(serializedException="x")).failure == "it failed"


def test_a_jobs_results_are_those_of_its_tasks() -> None:
    """Results come in the order of the tasks, precious ones by name, and the map decoded."""
    data = {
        "id": {"id": 7, "readableName": "j"},
        "allResults": {
            "b": {**result(serializedValue=serialized(2)), "id": {"id": 1, "readableName": "b"}},
            "a": {**result(serializedValue=serialized(1)), "id": {"id": 0, "readableName": "a"}},
        },
        "preciousResults": {"b": {}},
        "resultMap": {"k": "5", "t": "text"},
        "serializedResultMap": {"k": serialized(5)},
        "exceptionResults": None,
    }
    found = results.job_result_of(data)
    assert (list(found.tasks), found.precious, found.result_map) == (["a", "b"], ("b",), {"k": 5, "t": "text"})
    with pytest.raises(SchedulerError):
        results.job_result_of([])
    with pytest.raises(SchedulerError):
        results.task_result_of(None)


def test_a_validation_names_the_task_at_fault() -> None:
    """The checks of a server, as it gives them."""
    found = json_records.validation_of(
        {"valid": False, "errorMessage": "no", "taskName": "t", "updatedVariables": None}
    )
    assert (found.valid, found.message, found.task, found.variables) == (False, "no", "t", {})
