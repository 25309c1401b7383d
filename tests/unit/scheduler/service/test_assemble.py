"""From "start this task" to an attempt: layers of variables, references, spaces, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Attempt, FlowScript, Outcome, ParentResult, Slot
from proactive_jupyter_kernel.scheduler.engine.commands import RunSelection, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.assemble import assemble, handed_on, parse_walltime, selection
from proactive_jupyter_kernel.scheduler.service.site import Site, rest_urls, space_folders
from proactive_jupyter_kernel.workflow.model import (
    FileSelector,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Priority,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.references import InfiniteReference
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SITE = Site(
    user="ana",
    home="/home/x",
    url="http://127.0.0.1:8080",
    spaces={"global": "/s/global", "user": "/s/user", "input": "/s/in", "output": "/s/out", "cache": "/s/cache"},
    walltime=99.0,
)
JOB = JobRecord(job_id=7, name="j", owner="ana", status=JobStatus.RUNNING, priority=Priority.NORMAL, submitted_at=0)
RECORD = TaskRecord(job_id=7, task_id=2, name="T#1", base_name="T", status=TaskStatus.RUNNING, iteration=1)
SLOT = Slot(name="local-0", host="h")
CODE = Script(language="bash", code="echo $V")


def attempt(
    inherited: Mapping[str, Any] | None = None, workflow: Mapping[str, Any] | None = None, **task: Any
) -> Attempt:
    definition = Task(**{"name": "T", "executable": CODE, **task})
    start = StartAttempt(
        job_id=7,
        task_id=2,
        number=3,
        slots=(SLOT,),
        parents=(),
        inherited={"PA_TASK_ID": "2", **(inherited or {})},
        job=JOB,
        task=RECORD,
    )
    made = Workflow(**{"name": "j", "tasks": (definition,), **(workflow or {})})
    return assemble(start, workflow=made, definition=definition, parents=(), site=SITE)


def test_an_attempt_knows_whose_it_is() -> None:
    """Names, numbers, slot and node come together."""
    made = attempt()
    assert (made.key, made.task_name, made.owner, made.slot, made.main) == ("7t2-3", "T#1", "ana", SLOT, CODE)
    assert made.node_urls == ("http://127.0.0.1:8080/rm/nodes/local-0",)


def test_system_variables_are_inherited() -> None:
    """Over whatever the parents had under their names."""
    made = attempt({"PA_USER": "somebody", "V": "1"})
    assert made.inherited == {
        "PA_TASK_ID": "2",
        "V": "1",
        "PA_USER": "ana",
        "PA_SCHEDULER_HOME": "/home/x",
        "PA_NODESNUMBER": 1,
        "PA_NODE_URL": "http://127.0.0.1:8080/rm/nodes/local-0",
        "PA_NODE_NAME": "local-0",
        "PA_NODE_HOST": "h",
        "PA_NODE_SOURCE": "Default",
        **rest_urls(SITE.url),
        # Of the spaces the three that a server puts there.
        **{name: made.spaces[name] for name in ("cachespace", "globalspace", "userspace")},
    }


def test_a_tasks_own_variables_are_a_layer_above() -> None:
    """One that may be inherited stands back where the job or a parent has it."""
    own = (
        TaskVariable(name="V", value="own"),
        TaskVariable(name="W", value="own", inherited=True),
        TaskVariable(name="X", value="own", inherited=True),
    )
    made = attempt({"V": "job", "W": "w"}, variables=own)
    assert made.scope == {"V": "own", "X": "own"}
    assert (made.inherited["V"], made.inherited["W"]) == ("job", "w")


def test_references_are_resolved_against_both_layers() -> None:
    """A job variable may refer to a task's, and to what only the start knows; values that are no texts stay."""
    own = (TaskVariable(name="T", value="1"), TaskVariable(name="D", value="${N}-${PA_TASK_ID}"))
    made = attempt({"A": "x_${T}", "N": 5, "L": [1]}, variables=own)
    assert (made.inherited["A"], made.inherited["L"], made.scope["D"]) == ("x_1", [1], "5-2")


def test_a_circle_of_references_is_reported() -> None:
    """A value that a parent put may close a circle that submission could not see."""
    with pytest.raises(InfiniteReference):
        attempt({"A": "${B}", "B": "${A}"})


def test_everything_around_a_script_is_resolved_but_its_text() -> None:
    """Arguments, generic information, files and the fork environment see the variables."""
    flow = Loop(script=Script(language="groovy", code="loop = ${V}", arguments=("${V}",)), target="T")
    made = attempt(
        {"V": "1"},
        workflow={"generic_information": {"J": "${V}", "K": "job"}},
        executable=Script(language="bash", code="echo ${V}", arguments=("a${V}",)),
        pre=Script(language="bash", code="", arguments=("p${V}",)),
        generic_information={"K": "task${V}"},
        input_files=(FileSelector(includes="${V}/*", excludes="no${V}", access_mode="transferFromUserSpace"),),
        output_files=(FileSelector(includes="${V}.out", access_mode="transferToUserSpace"),),
        fork_environment=ForkEnvironment(working_dir="/w${V}", environment={"E": "${V}"}, jvm_arguments=("-D${V}",)),
        flow=flow,
    )
    assert made.main == Script(language="bash", code="echo ${V}", arguments=("a1",))
    assert made.pre == Script(language="bash", code="", arguments=("p1",))
    assert made.flow == FlowScript(
        script=Script(language="groovy", code="loop = ${V}", arguments=("1",)), variable="loop"
    )
    assert made.generic_information == {"J": "1", "K": "task1"}
    assert made.input_files[0].includes == "1/*"
    assert made.output_files[0].includes == "${V}.out"
    assert made.fork_environment == ForkEnvironment(working_dir="/w1", environment={"E": "1"}, jvm_arguments=("-D1",))


def test_a_native_command_is_resolved() -> None:
    """The command and its arguments."""
    made = attempt({"V": "x"}, executable=NativeCommand(command="$V", arguments=("${V}y",)))
    assert made.main == NativeCommand(command="x", arguments=("xy",))


def test_a_java_class_has_no_runtime() -> None:
    """Submission refuses it; here it is an error that names it."""
    with pytest.raises(ValueError, match=r"org\.example\.X"):
        attempt(executable=JavaClass(name="org.example.X"))


def test_parents_results_come_in_order() -> None:
    """As the machine gave them."""
    parents = (
        ParentResult(task_name="B", task_id=1, value=RawValue.of(1)),
        ParentResult(task_name="A", task_id=0, value=RawValue.of(2)),
    )
    start = StartAttempt(
        job_id=7, task_id=2, number=1, slots=(SLOT,), parents=(1, 0), inherited={}, job=JOB, task=RECORD
    )
    workflow = Workflow(name="j", tasks=(Task(name="T", executable=CODE),))
    made = assemble(
        start,
        workflow=workflow,
        definition=workflow.tasks[0],
        parents=parents,
        site=SITE,
    )
    assert made.results == parents


WALLTIMES = [("10", 10.0), ("02:03", 123.0), ("1:00:00", 3600.0), ("", None), ("soon", None), ("1:2:3:4", None)]
WALLTIMES.append(("9" * 5_000, None))


@pytest.mark.parametrize(("text", "seconds"), WALLTIMES)
def test_a_walltime_is_read_as_a_clock(text: str, seconds: float | None) -> None:
    """[hh:]mm:ss or ss; everything else is none."""
    assert parse_walltime(text) == seconds


def test_the_nearest_walltime_counts() -> None:
    """The task's own, else generic information, else the scheduler's."""
    made = [
        attempt(walltime=5, generic_information={"WALLTIME": "7"}),
        attempt(generic_information={"WALLTIME": "0:07"}),
        attempt(generic_information={"WALLTIME": "nonsense"}),
    ]
    assert [each.walltime for each in made] == [5.0, 7.0, 99.0]


def test_spaces_are_the_defaults_or_the_jobs_own() -> None:
    """URLs of files, paths and relative paths; TASKID makes a folder for each task."""
    named = Workflow(
        name="j", input_space="file:/data/a%20b/TASKID", output_space="out", user_space="/u", global_space=""
    )
    assert space_folders(named, SITE, "ana", 3) == {
        "globalspace": "/s/global",
        "userspace": "/u",
        "inputspace": "/data/a b/3",
        "outputspace": "/s/out/ana/out",
        "cachespace": "/s/cache",
    }


def test_children_inherit_layer_one_and_what_scripts_put() -> None:
    """Not the task's own variables, not what was removed, and each task has its own system variables."""
    made = attempt({"A": "a", "B": "b", "C": "${A}"}, variables=(TaskVariable(name="T", value="1"),))
    outcome = Outcome(variables_set={"B": 2, "PA_USER": "me"}, variables_removed=("A",))
    assert handed_on(made, outcome) == {"B": 2, "C": "a", "PA_USER": "me"}


def test_a_selection_script_is_resolved_with_its_text() -> None:
    """Unlike the others; the candidate's slot is the node."""
    script = SelectionScript(script=Script(language="bash", code="test ${V}", arguments=("${V}",)), static=True)
    workflow = Workflow(name="j", tasks=(Task(name="T", executable=CODE, selection=(script,)),))
    question = RunSelection(job_id=7, task_id=2, slot=Slot(name="other", host="g"), inherited={"V": "1"})
    asked = selection(question, job=JOB, task=RECORD, workflow=workflow, definition=workflow.tasks[0], site=SITE)
    assert asked.scripts == (
        SelectionScript(script=Script(language="bash", code="test 1", arguments=("1",)), static=True),
    )
    assert (asked.slot.name, asked.variables["PA_NODE_HOST"]) == ("other", "g")
