"""Workflows as JSON: lossless round trips, the schema, and errors of invalid files with their line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from strategies import controlled, workflows

import proactive_jupyter_kernel
from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow
from proactive_jupyter_kernel.workflow.formats.json import dumps, loads
from proactive_jupyter_kernel.workflow.formats.json_schema import page, schema
from proactive_jupyter_kernel.workflow.model import (
    Block,
    ErrorPolicy,
    Loop,
    Priority,
    Reference,
    Script,
    Task,
    TaskVariable,
    Workflow,
)

ROOT = Path(__file__).parents[4]
SHIPPED = Path(proactive_jupyter_kernel.__file__).parent / "workflow" / "formats" / "workflow.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())

EXAMPLE = Workflow(
    name="example",
    priority=Priority.HIGH,
    tasks=(
        Task(
            name="T1",
            executable=Script(language="cpython", code="print('é')\n"),
            variables=(TaskVariable(name="X", value="1", inherited=True),),
            walltime=90,
            fork=Reference("FORK"),
            on_error=ErrorPolicy.CONTINUE,
            block=Block.START,
            metadata=(("positionTop", "10"),),
        ),
        Task(
            name="T2",
            executable=Script(language="bash", code="ls"),
            depends=("T1",),
            block=Block.END,
            flow=Loop(script=Script(language="javascript", code="loop = false"), target="T1"),
        ),
    ),
)
WRITTEN = {
    "format": "proactive-workflow/1",
    "name": "example",
    "tasks": [
        {
            "name": "T1",
            "executable": {"type": "script", "language": "cpython", "code": "print('é')\n"},
            "variables": [{"name": "X", "value": "1", "inherited": True}],
            "block": "start",
            "on_error": "continueJobExecution",
            "fork": "${FORK}",
            "walltime": 90,
            "metadata": [["positionTop", "10"]],
        },
        {
            "name": "T2",
            "executable": {"type": "script", "language": "bash", "code": "ls"},
            "depends": ["T1"],
            "flow": {"type": "loop", "script": {"language": "javascript", "code": "loop = false"}, "target": "T1"},
            "block": "end",
        },
    ],
    "priority": "high",
}


def test_the_keys_are_the_fields_of_the_model() -> None:
    """Fields with their default are left out; records that share a place have a type."""
    assert json.loads(dumps(EXAMPLE)) == WRITTEN


@settings(max_examples=40)
@given(workflows())
def test_every_workflow_comes_back_equal(workflow: Workflow) -> None:
    """Whatever the model can say; and the schema accepts what is written."""
    text = dumps(workflow)
    assert loads(text.encode()).workflow == workflow
    VALIDATOR.validate(json.loads(text))


@given(controlled())
def test_controls_come_back_equal(workflow: Workflow) -> None:
    """Nested loops, replications and branches."""
    assert loads(dumps(workflow)).workflow == workflow


def test_the_schema_is_shipped_and_published() -> None:
    """In the package and in the docs, and it is a schema."""
    jsonschema.Draft202012Validator.check_schema(schema())
    published = ROOT / "docs" / "reference" / "workflow.schema.json"
    assert SHIPPED.read_text(encoding="utf-8") == published.read_text(encoding="utf-8") == page(), "run: make reference"


def test_the_schema_tells_what_fields_are() -> None:
    """The comments of the model are the descriptions."""
    task = schema()["properties"]["tasks"]["items"]["properties"]
    assert (
        task["max_executions"]["description"]
        == "The maximum number of executions, including the first one; None: that of the job."
    )
    assert task["executable"]["oneOf"][0]["properties"]["url"]["description"] == (
        "The URL of the code; empty for inline code."
    )


def changed(**changes: Any) -> str:
    return json.dumps({**WRITTEN, **changes}, indent=2)


def first_task(**changes: Any) -> str:
    return changed(tasks=[{**WRITTEN["tasks"][0], **changes}])  # type: ignore[dict-item, index]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n "format": ', 'Line 2, column 12: this is not JSON: Expecting value.\n    "format":'),
        ("[]", "Line 1: this JSON is not a ProActive workflow"),
        ('{"format": "proactive-workflow/1", "name": "ab", "name": "cd"}', "the key 'name' occurs twice"),
        ('{"format": "proactive-workflow/1"}', "Line 1: the workflow has no 'name', which is required."),
        (changed(nam="x"), "nam is not known here."),
        (changed(priority="hi"), "priority must be one of idle, lowest, low, normal, high, highest, not 'hi'."),
        (changed(priority="hgh"), "Did you mean 'high'?"),
        (first_task(walltime="1:30"), "Line 22: tasks[0].walltime must be an integer, not '1:30'."),
        (first_task(walltime=True), "Line 22: tasks[0].walltime must be an integer, not True."),
        (first_task(descripton="x"), "tasks[0].descripton is not known here. Did you mean 'description'?"),
        (first_task(executable={"type": "scrip"}), "tasks[0].executable.type is 'scrip'; it must be one of script"),
        (first_task(executable={"code": ""}), "tasks[0].executable.type is missing; it must be one of script"),
        (first_task(metadata=[["a"]]), "tasks[0].metadata[0] must be a list of 2, not a list."),
        (first_task(depends="T0"), "tasks[0].depends must be a list, not 'T0'."),
        ("[" * 100_000, "nested too deeply"),
        (changed(name=float("nan")), "NaN is not a value of JSON."),
        (b'{"name":\n "\xff"}', "Line 2: the file is not UTF-8 text."),
    ],
)
def test_a_bad_file_is_reported_with_its_line(text: str | bytes, message: str) -> None:
    """What is wrong, where, and what is expected."""
    with pytest.raises(UnreadableWorkflow) as caught:
        loads(text)
    assert message in caught.value.message


def test_the_line_is_that_of_the_value() -> None:
    """Also behind strings that hold brackets and quotes."""
    text = '{\n"format": "proactive-workflow/1",\n"name": "a\\"]}",\n"tags": [\n"x",\n3\n]}'
    with pytest.raises(UnreadableWorkflow, match=r"^Line 6: tags\[1\] must be a text, not 3\.$"):
        loads(text)


def test_values_are_judged_as_in_xml() -> None:
    """A name that no server accepts is not read."""
    with pytest.raises(InvalidWorkflow, match="Task 'a b': name 'a b' contains ' '"):
        loads(first_task(name="a b"))
