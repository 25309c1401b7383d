"""The two forms in which a script's globals reach its process."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings, failure_text, result_text

FAILURE = Failure(kind=FailureKind.ERROR, exception="TaskException", message="Failed:\n  x", stack_trace="t")


def test_environment() -> None:
    """Entries become variables by name or number; null is empty; what no environment can hold is left out."""
    bindings = Bindings(
        variables={"A": "1", "N": None, "L": [1, 2.0, True], "a.b": "dotted", "x=y": "lost", "z": "a\0b"},
        generic_information={"G": "g"},
        credentials={"C": "secret"},
        results=(ParentResult(task_name="P", task_id=0, value=RawValue.of(None)),),
        result={"k": "v"},
        has_result=True,
        arguments=("one", "two"),
        spaces={"localspace": "/l"},
        node_urls=("n0", "n1"),
    )
    assert bindings.environment() == {
        "variables_A": "1",
        "variables_N": "",
        "variables_L": "[1, 2.0, true]",
        "variables_a.b": "dotted",
        "variables_z": "ab",
        "genericInformation_G": "g",
        "credentials_C": "secret",
        "results_0": "Result not available",
        "args_0": "one",
        "args_1": "two",
        "nodesurl_0": "n1",
        "allnodesurl_0": "n0",
        "allnodesurl_1": "n1",
        "localspace": "/l",
        "result": "{k=v}",
    }


def test_failure_as_result() -> None:
    """The failure of a task is its result, in one line."""
    assert Bindings(failure=FAILURE).environment() == {"result": "Failed: x"}
    assert failure_text(FAILURE) == "Failed: x"
    assert result_text(ParentResult(task_name="P", task_id=0, failure=FAILURE)) == "Failed: x"


def test_request_has_every_key() -> None:
    """The JSON form always has every key, null where the stage has no such binding."""
    assert Bindings().request() == {
        "variables": {},
        "genericInformation": {},
        "results": None,
        "result": None,
        "resultMetadata": None,
        "resultMap": None,
        "credentials": {},
        "args": [],
        "spaces": {},
        "nodesurl": None,
        "allnodesurl": None,
        "node": {},
        "nodeProperties": {},
        "progressFile": "",
        "services": {},
        "forkEnvironment": None,
    }


def test_request_of_results() -> None:
    """Parents come with value, metadata and failure; the task's own result is a value or a failure."""
    parent = ParentResult(task_name="P", task_id=3, value=RawValue(b"[1]"), metadata={"m": "n"})
    broken = ParentResult(task_name="Q", task_id=4, failure=FAILURE)
    request = Bindings(results=(parent, broken), result=5, has_result=True, node_urls=("n",)).request()
    told = {"text": "Failed:\n  x", "stackTrace": "t"}
    assert request["results"] == [
        {"taskName": "P", "taskId": 3, "value": [1], "metadata": {"m": "n"}, "failure": None},
        {"taskName": "Q", "taskId": 4, "value": None, "metadata": {}, "failure": told},
    ]
    assert (request["result"], request["nodesurl"], request["allnodesurl"]) == ({"value": 5}, [], ["n"])
    assert Bindings(failure=FAILURE).request()["result"] == {"failure": told}
