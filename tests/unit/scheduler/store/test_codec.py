"""The JSON of rows: what goes in comes out."""

from __future__ import annotations

import json

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.store import codec
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ErrorPolicy,
    FileSelector,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Priority,
    Reference,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SCRIPT = Script(language="cpython", code="print('\ud800 é 中')", arguments=("a", "$B"))
FULL = Workflow(
    name="tout é",
    tasks=(
        Task(
            name="A",
            executable=SCRIPT,
            variables=(TaskVariable(name="V", value="1", model="PA:INTEGER", inherited=True),),
            generic_information={"PYTHON_COMMAND": "python3"},
            input_files=(FileSelector(includes="*.txt", access_mode="transferFromUserSpace"),),
            nodes=3,
            topology=Topology.SINGLE_HOST,
            selection=(SelectionScript(script=SCRIPT, static=True),),
            fork_environment=ForkEnvironment(environment={"K": "v"}, jvm_arguments=("-Da=b",), script=SCRIPT),
            flow=Branch(script=SCRIPT, target="B", otherwise="C", continuation="D"),
            block=Block.START,
            on_error=Reference("POLICY"),
            fork=False,
            walltime=60,
            precious_result=True,
            metadata=(("positionTop", "1"),),
        ),
        Task(name="B", executable=JavaClass(name="org.example.X", parameters={"p": "q"}), depends=("A",)),
        Task(name="C", executable=NativeCommand(command="ls", arguments=("-l",)), flow=Loop(script=SCRIPT, target="C")),
    ),
    variables=(Variable(name="X", value="", advanced=True),),
    priority=Priority.IDLE,
    on_error=ErrorPolicy.CANCEL_JOB,
    max_executions=Reference("N"),
    tags=("one",),
)


def test_a_workflow_comes_back_equal() -> None:
    """Every kind of field survives: unions, enumerations, nested records, lone surrogates."""
    assert codec.loads(Workflow, codec.dumps(FULL)) == FULL


def test_rows_come_back_equal() -> None:
    """Jobs and tasks keep every field, a failure and private state included."""
    job = JobRecord(
        job_id=1, name="j", owner="o", status=JobStatus.IN_ERROR, priority=Priority.HIGH, submitted_at=5, start_at=9
    )
    task = TaskRecord(
        job_id=1,
        task_id=2,
        name="T#1*2",
        base_name="T",
        status=TaskStatus.WAITING_ON_ERROR,
        depends=(0, 1),
        failure=Failure(kind=FailureKind.WALLTIME, exception="WalltimeExceededException", message="m"),
        propagated={"x": [1, {"$type": "bytes", "value": "AA=="}]},
        private={"delay": 3},
    )
    assert codec.loads(JobRecord, codec.dumps(job)) == job
    assert codec.loads(TaskRecord, codec.dumps(task)) == task


def test_a_row_of_another_version_reads() -> None:
    """A field that is missing has its default; one that is not known is left out."""
    script = codec.loads(Script, json.dumps({"language": "bash", "future": [1]}))
    assert script == Script(language="bash")


def test_defaults_take_no_room() -> None:
    """Only what differs from the default is written."""
    assert codec.dumps(Script(language="bash", code="ls")) == codec.sealed('{"language":"bash","code":"ls"}')


@pytest.mark.parametrize(
    "text",
    [
        codec.dumps(Script(language="bash", code="ls 1")).replace("1", "2", 1),
        codec.dumps(Script(language="bash", code="ls 1"))[:-1],
        '{"language":"ba',
        "[1]",
        "7",
        '{"language":["bash"],"code":1,"arguments":3}',
    ],
)
def test_a_text_that_has_changed_is_damaged(text: str) -> None:
    """Also where it is still JSON, and reads as another record."""
    with pytest.raises(codec.Damaged):
        codec.loads(Script, text)
