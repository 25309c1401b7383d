"""Workflows for older servers: each schema version is written without what it does not have, and that is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree
from strategies import workflows

from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import (
    ErrorPolicy,
    FileSelector,
    ForkEnvironment,
    JavaClass,
    Script,
    Task,
    TaskVariable,
    Variable,
    Workflow,
)

CODE = Script(language="bash", code="echo")
#: Something of each version.
WHOLE = Workflow(
    name="whole",
    tags=("a", "b"),
    variables=(Variable(name="V", value="1", model="PA:INTEGER", group="g", description="d", hidden=True),),
    on_error=ErrorPolicy.CANCEL_JOB,
    retry_delay=5,
    visualization="<html/>",
    tasks=(
        Task(
            name="T",
            executable=replace(CODE, arguments=("x",)),
            on_error=ErrorPolicy.SUSPEND_TASK,
            fork=True,
            precious_logs=True,
            variables=(TaskVariable(name="W", value="2", model="PA:INTEGER", inherited=True, advanced=True),),
            fork_environment=ForkEnvironment(java_home="/usr"),
            metadata=(("positionTop", "1"),),
            input_files=(FileSelector(includes="*", access_mode="cacheFromUserSpace"),),
        ),
    ),
)
#: Version -> what is named when it is written, beside what the next newer version names.
LOST = {
    "3.14": [],
    "3.13": ["tags: left out for the job."],
    "3.12": [
        "group of a variable: left out for variable 'V' of the job.",
        "description of a variable: left out for variable 'V' of the job.",
        "hidden mark of a variable: left out for variable 'V' of the job; forms show the variable.",
        "advanced mark of a variable: left out for variable 'W' of task T.",
    ],
    "3.11": [
        "retry delay: left out for the job; the server's default applies.",
        "fork switch: left out for task T; the server's default applies.",
    ],
    "3.10": ["picture of the workflow: left out for the job.", "metadata: left out for task T."],
    "3.9": ["arguments of a script: left out for script of task T; the script gets none."],
    "3.8": [],
    "3.7": ["model of a variable: left out for variable 'V' of the job; its value is not checked."],
    "3.6": [
        "inherited mark of a variable: left out for variable 'W' of task T; the task's own value counts.",
        "model of a variable: left out for variable 'V' of the job, variable 'W' of task T; its value is not checked.",
    ],
    "3.5": [
        "variables of a task: left out for task T; its scripts do not see them.",
        "model of a variable: left out for variable 'V' of the job; its value is not checked.",
    ],
    "3.4": ["cache of input files: left out for inputFiles '*' of task T; each task gets copies of its own."],
    "3.3": ["error policy suspendTask: left out for task T; the job continues after an error."],
    "3.2": [
        "fork environment of a script: left out for task T; the task runs in the server's default environment.",
    ],
    "3.0": ["precious logs: left out for task T; the task's log is not stored as a file."],
}
SchemaErrors = Callable[[str, str], list[str]]


def written(workflow: Workflow, version: str) -> tuple[str, list[str]]:
    """The text, and what it lacks."""
    left_out: list[str] = []
    return xml.dumps(workflow, version, notice=left_out.append), left_out


@pytest.mark.parametrize(("version", "lost"), LOST.items())
def test_what_a_version_does_not_have_is_named(version: str, lost: list[str]) -> None:
    """Each kind of loss in one sentence, with its places and its effect."""
    newer = f"3.{int(version.removeprefix('3.')) + 1}"
    before = set() if version == "3.14" else {text.removeprefix(f"Schema {newer} has no ") for text in known(newer)}
    assert sorted(text for text in known(version) if text not in before) == sorted(lost)


def known(version: str) -> list[str]:
    return [text.removeprefix(f"Schema {version} has no ") for text in written(WHOLE, version)[1]]


@pytest.mark.parametrize("version", xml.VERSIONS)
def test_each_version_reads_back(version: str) -> None:
    """Without a remark, and with nothing beside what was named."""
    text, _ = written(WHOLE, version)
    loaded = xml.loads(text)
    again, lost = written(loaded.workflow, version)
    assert (loaded.notices, again, lost) == ((), text, [])


@given(workflow=workflows())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_every_workflow_is_valid_in_older_schemas(schema_errors: SchemaErrors, workflow: Workflow) -> None:
    """In those whose schemas are at hand."""
    assert {v: schema_errors(written(workflow, v)[0], v) for v in ("3.12", "3.13")} == {"3.12": [], "3.13": []}


def test_nothing_is_named_where_an_old_schema_says_the_same() -> None:
    """cancelJob is cancelJobOnError, continueJobExecution the default, a fork environment part of a Java task."""
    java = Task(
        name="J",
        executable=JavaClass(name="a.B", parameters={"p": "1"}),
        fork_environment=ForkEnvironment(java_home="/j"),
    )
    other = Task(name="C", executable=CODE, on_error=ErrorPolicy.CONTINUE)
    text, lost = written(Workflow(name="job", on_error=ErrorPolicy.CANCEL_JOB, tasks=(java, other)), "3.2")
    root = etree.fromstring(text.encode())
    inside = [etree.QName(child).localname for child in root.find(".//{*}javaExecutable")]
    assert (lost, root.get("cancelJobOnError"), inside, "onTaskError" in text) == (
        [],
        "true",
        ["forkEnvironment", "parameters"],
        False,
    )


def test_task_variables_of_3_7_have_all_attributes() -> None:
    """That version asks for them."""
    task = Task(name="T", executable=CODE, variables=(TaskVariable(name="A", value="1"),))
    text, _ = written(Workflow(name="job", tasks=(task,)), "3.7")
    assert '<variable name="A" value="1" inherited="false" model=""/>' in text
