"""Warnings: what they are about, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from strategies import controlled, workflows

from proactive_jupyter_kernel.workflow.checks import Problem, Severity, check, errors
from proactive_jupyter_kernel.workflow.model import (
    Branch,
    FileSelector,
    Loop,
    Reference,
    Replicate,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Variable,
    Workflow,
)


def script(code: str, language: str = "cpython") -> Script:
    return Script(language=language, code=code)


def workflow(*tasks: Task, **more: object) -> Workflow:
    return Workflow(name="doubtful", tasks=tasks, **more)  # type: ignore[arg-type]


A = Task(name="A", executable=script("print(1)"))
X = Variable(name="X", value="1")
TASK_X = TaskVariable(name="X", value="2")

DOUBTFUL = [
    (workflow(A, variables=(X,)), "PA501", "Variable 'X': no script and no reference names this variable"),
    (
        workflow(replace(A, variables=(TASK_X,))),
        "PA501",
        "Task 'A', variable 'X': no script and no reference names this variable",
    ),
    (
        workflow(replace(A, generic_information={"K": "a${Y}"}, executable=script("print(X)")), variables=(X,)),
        "PA502",
        "Task 'A', generic information 'K': value refers to ${Y}, but no variable has that name. Known: X.",
    ),
    (
        workflow(replace(A, walltime=Reference("LIMIT"))),
        "PA502",
        "Task 'A': walltime refers to ${LIMIT}, but no variable has that name. Define it as a variable of the job.",
    ),
    (
        workflow(replace(A, variables=(TASK_X,), executable=script("variables.get('X')")), variables=(X,)),
        "PA503",
        "Task 'A', variable 'X': it hides the job's variable, whose value is '1'. A value given at submission does not "
        "reach this task.",
    ),
    (
        workflow(replace(A, selection=(SelectionScript(script=script("select = True")),))),
        "PA504",
        "Task 'A', selection script: it never sets selected",
    ),
    (
        workflow(
            replace(A, flow=Replicate(script=script("run = 3"))),
            Task(name="B", executable=script("1"), depends=("A",)),
            Task(name="C", executable=script(""), depends=("B",)),
        ),
        "PA504",
        "Task 'A', flow script: it never sets runs",
    ),
    (
        workflow(replace(A, flow=Loop(script=script("loop = true;", "javascript"), target="A"))),
        "PA505",
        "Task 'A', flow script: the loop back to 'A' never ends",
    ),
    (
        workflow(replace(A, executable=script("print(results[0])"))),
        "PA506",
        "Task 'A', script: it reads results[0], but depends on no task",
    ),
    (
        workflow(replace(A, pre=script("x", "grovy"))),
        "PA507",
        "Task 'A', pre script: 'grovy' is not a known script language. Did you mean 'groovy'?",
    ),
    (
        workflow(A, Task(name="B", executable=script(" \n"), depends=("A",))),
        "PA508",
        "Task 'B': it has no code, and no task depends on it",
    ),
]


@pytest.mark.parametrize(("doubtful", "code", "sentence"), DOUBTFUL)
def test_what_is_doubtful_is_reported(doubtful: Workflow, code: str, sentence: str) -> None:
    """As a warning, which no scheduler refuses."""
    assert errors(doubtful) == []
    (found,) = check(doubtful)
    assert (found.code, found.severity, str(found)) == (code, Severity.WARNING, sentence)


@pytest.mark.parametrize(
    "harmless",
    [
        workflow(replace(A, executable=script("echo $variables_X", "bash")), variables=(X,)),
        workflow(replace(A, executable=script("variables.get('X')")), variables=(X,)),
        workflow(replace(A, generic_information={"K": "${X}"}), variables=(X,)),
        workflow(A, variables=(X, Variable(name="Y", value="${X}", model="PA:SPEL(variables['Y'] > 1)"))),
        workflow(replace(A, executable=Script(language="cpython", url="http://x/y.py")), variables=(X,)),
        workflow(replace(A, variables=(TaskVariable(name="X", value="2", inherited=True),)), variables=(X,)),
        workflow(
            replace(A, executable=script("variables.put('Y', 1)")),
            Task(
                name="B",
                executable=script("1"),
                depends=("A",),
                output_files=(FileSelector(includes="${Y}/${PA_JOB_ID}", access_mode="none"),),
            ),
        ),
        workflow(
            replace(A, flow=Replicate(script=script("runs = 3"))),
            Task(name="B", executable=script("1"), depends=("A",)),
            Task(name="Merge", executable=script(""), depends=("B",)),
        ),
        workflow(
            replace(A, flow=Branch(script=script("branch = 'if'"), target="Y", otherwise="N", continuation="J")),
            Task(name="Y", executable=script("")),
            Task(name="N", executable=script("results[0]")),
            Task(name="J", executable=script("")),
        ),
        workflow(replace(A, flow=Loop(script=script("loop = variables.get('X') < 3"), target="A")), variables=(X,)),
    ],
)
def test_what_is_harmless_passes(harmless: Workflow) -> None:
    """Names in shells, references, models, merges, branch targets, exported variables."""
    inherited = any(variable.inherited for task in harmless.tasks for variable in task.variables)
    assert [str(one) for one in check(harmless) if not (inherited and one.code == "PA501")] == []


@given(controlled())
def test_controls_alone_raise_no_doubt(valid: Workflow) -> None:
    """At most that a last task has no code."""
    assert {one.code for one in check(valid)} <= {"PA508"}


@settings(max_examples=40)
@given(workflows())
def test_errors_come_first(any_workflow: Workflow) -> None:
    """For any workflow, all problems are reported, errors before warnings."""
    found: list[Problem] = check(any_workflow)
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=list(Severity).index)
