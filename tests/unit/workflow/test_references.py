"""References to variables: ProActive's table of examples, circles, and what a submission resolves."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import workflows

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.model import (
    Block,
    ErrorPolicy,
    FileSelector,
    ForkEnvironment,
    JavaClass,
    NativeCommand,
    Priority,
    Reference,
    RestartMode,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Variable,
    Workflow,
)
from proactive_jupyter_kernel.workflow.references import InfiniteReference, Substitutor, resolve, substitute

KNOWN = {"A": "1", "B": "2", "N": "A", "V_1": "vone", "foo.bar": "dotted", "Lower": "low", "DEEP": "${A}-$B"}
CODE = Script(language="bash", code="echo $A", arguments=("$A",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A/$B", "1/2"),
        ("$A.txt", "$A.txt"),
        ("${A}.txt", "1.txt"),
        ("$A$B", "$A$B"),
        ("${A}_$B", "1_2"),
        ("$A_$B", "$A_$B"),
        ("${${N}}", "1"),
        ("$V_$A", "vone"),
        ("${V_${A}}", "vone"),
        ("${unknown}-$A", "${unknown}-1"),
        ("$$A", "$1"),
        ("\\$A", "\\1"),
        ("cost $5", "cost $5"),
        ("$A}", "1"),
        ("{$A}", "{1"),
        ("${A", "1"),
        ("${A:-x}", "1:-x}"),
        ("${ A }", "${ A }"),
        ("${foo.bar} $FOO_BAR ${LOWER}", "dotted dotted low"),
        ("<$DEEP>", "<1-2>"),
        ("$", "$"),
        ("${}", "${}"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_references_are_resolved_as_the_server_does(text: str, expected: str) -> None:
    """Each row of ProActive's table, oddities included."""
    assert substitute(text, KNOWN) == expected


@pytest.mark.parametrize(
    ("variables", "text", "message"),
    [
        ({"a": "${b}", "b": "${a}"}, "${a}", "Infinite loop in property interpolation of ${a}: a->b->a"),
        ({"a": "${a}"}, "x $a", "Infinite loop in property interpolation of x $a: a->a"),
        (
            {f"v{n}": f"${{v{n + 1}}}" for n in range(500)},
            "$v0",
            "Infinite loop in property interpolation of $v0: v93->v94->v95->v96->v97->v98->v99->v100",
        ),
    ],
)
def test_circles_are_refused(variables: dict[str, str], text: str, message: str) -> None:
    """The error for variables that refer to each other shows the cycle."""
    with pytest.raises(InfiniteReference) as caught:
        substitute(text, variables)

    assert str(caught.value) == message


def test_values_that_grow_without_end_are_refused() -> None:
    """A few variables that repeat each other cannot fill the memory."""
    variables = {f"v{n}": f"$v{n + 1}/" * 10 for n in range(12)} | {"v12": "x" * 100}

    with pytest.raises(InfiniteReference, match="grows beyond"):
        substitute("$v0", variables)


@given(st.text("$${}}AB_.-x ", max_size=40))
def test_any_text_is_resolved(text: str) -> None:
    """No text of signs and braces raises, and what holds no sign stays."""
    result = substitute(text, KNOWN)

    assert result == text or "$" in text


def test_many_nested_references_end_quickly() -> None:
    """Thousands of references that touch each other, or of open braces, are just text."""
    for text in ("$A" * 50_000, "${" * 50_000):
        assert substitute(text, KNOWN)


def submit(workflow: Workflow, **given: dict[str, str]) -> Workflow:
    return resolve(workflow, **given)


def test_a_submitted_value_wins_and_unknown_variables_are_added() -> None:
    """At submission, in the XML, on the server: the first that has a value gives it; the written order stays."""
    workflow = Workflow(
        name="run ${B}",
        variables=(Variable(name="A", value="xml"), Variable(name="B", value="${A}/$G/$A_SITE")),
        generic_information={"K": "xml", "L": "$A"},
    )

    resolved = submit(
        workflow,
        variables={"A": "given", "NEW": "n"},
        generic_information={"K": "${NEW}", "M": "m"},
        site={"A": "site", "G": "global", "A_SITE": "s"},
    )

    assert resolved == Workflow(
        name="run given/global/s",
        variables=(
            Variable(name="A", value="given"),
            Variable(name="B", value="given/global/s"),
            Variable(name="NEW", value="n"),
        ),
        generic_information={"K": "n", "L": "given", "M": "m"},
    )


def test_what_is_resolved_and_what_is_left() -> None:
    """Attributes are resolved at submission; script texts, arguments, commands and includes wait for the start."""
    task = Task(
        name="T",
        description="$A",
        executable=CODE,
        variables=(TaskVariable(name="OWN", value="$A/$OTHER", model="$M"),),
        generic_information={"K": "$A $PA_JOB_ID"},
        input_files=(FileSelector(includes="$A", excludes="$A", access_mode="${MODE}"),),
        fork_environment=ForkEnvironment(
            working_dir="$A",
            java_home="$A",
            environment={"E": "$A"},
            jvm_arguments=("$A",),
            classpath=("$A",),
            script=Script(language="groovy", code="$A"),
        ),
        selection=(SelectionScript(script=Script(language="groovy", code="$A")),),
        pre=Script(language="", url="/${A}.groovy"),
        clean=Script(language="bash", code="echo $A $OWN"),
    )
    workflow = Workflow(
        name="resolve",
        tasks=(
            task,
            Task(name="N", executable=NativeCommand(command="$A", arguments=("$A",))),
            Task(name="J", executable=JavaClass(name="a.B", parameters={"p": "$A"})),
        ),
        variables=(
            Variable(name="A", value="1"),
            Variable(name="MODE", value="transferFromUserSpace"),
            Variable(name="M", value="PA:BOOLEAN"),
        ),
        input_space="/in/${A}",
    )

    resolved = resolve(workflow)

    assert (resolved.input_space, resolved.tasks[1:]) == ("/in/1", workflow.tasks[1:])
    assert resolved.tasks[0] == replace(
        task,
        description="1",
        variables=(TaskVariable(name="OWN", value="1/$OTHER", model="PA:BOOLEAN"),),
        generic_information={"K": "1 $PA_JOB_ID"},
        input_files=(FileSelector(includes="$A", excludes="1", access_mode="transferFromUserSpace"),),
        fork_environment=ForkEnvironment(
            working_dir="1",
            java_home="1",
            environment={"E": "1"},
            jvm_arguments=("1",),
            classpath=("1",),
            script=Script(language="groovy", code="$A"),
        ),
        pre=Script(language="", url="/1.groovy"),
        clean=Script(language="bash", code="echo 1 $OWN"),
    )


def test_task_variables_hide_those_of_the_job() -> None:
    """An inherited variable takes the job's value where there is one, any other hides it in its task."""
    workflow = Workflow(
        name="scopes",
        variables=(Variable(name="V", value="job"),),
        tasks=(
            Task(
                name="own",
                executable=CODE,
                description="$V $W",
                variables=(TaskVariable(name="V", value="task"), TaskVariable(name="W", value="w")),
            ),
            Task(
                name="inherits",
                executable=CODE,
                description="$V $W",
                variables=(
                    TaskVariable(name="V", value="task", inherited=True),
                    TaskVariable(name="W", value="w", inherited=True),
                ),
            ),
        ),
    )

    assert [task.description for task in resolve(workflow).tasks] == ["task w", "job w"]


def test_typed_references_become_typed_values() -> None:
    """A reference in the place of a number, a time or a word is read as the attribute itself would be."""
    task = Task(
        name="T",
        executable=CODE,
        nodes=Reference("N"),
        block=Reference("BLOCK"),
        walltime=Reference("TIME"),
        fork=Reference("YES"),
        run_as_me=Reference("NO"),
        max_executions=Reference("N"),
        on_error=Reference("POLICY"),
    )
    values = {"N": "3", "BLOCK": "start", "TIME": "1:30", "YES": "true", "NO": "false", "POLICY": "cancelJob"}
    workflow = Workflow(
        name="typed",
        tasks=(task,),
        variables=tuple(Variable(name=name, value=value) for name, value in values.items()),
        priority=Reference("P"),
        restart=Reference("R"),
        retry_delay=Reference("TIME"),
    )

    resolved = submit(workflow, variables={"P": "lowest", "R": "elsewhere"})

    assert (resolved.priority, resolved.restart, resolved.retry_delay) == (
        Priority.LOWEST,
        RestartMode.ELSEWHERE,
        90,
    )
    assert resolved.tasks == (
        Task(
            name="T",
            executable=CODE,
            nodes=3,
            block=Block.START,
            walltime=90,
            fork=True,
            run_as_me=False,
            max_executions=3,
            on_error=ErrorPolicy.CANCEL_JOB,
        ),
    )


def test_all_bad_references_are_named_at_once() -> None:
    """Unknown names, values of the wrong type and circles: one error tells them all."""
    workflow = Workflow(
        name="bad",
        variables=(Variable(name="WORD", value="soon"), Variable(name="LOOP", value="$LOOP")),
        priority=Reference("NOBODY"),
        tasks=(
            Task(
                name="T",
                executable=CODE,
                walltime=Reference("WORD"),
                nodes=Reference("WORT"),
                input_files=(FileSelector(includes="a", access_mode="${WORD}"),),
            ),
        ),
    )

    with pytest.raises(InvalidWorkflow) as caught:
        resolve(workflow)

    assert [str(problem) for problem in caught.value.problems] == [
        "Variable 'LOOP': Infinite loop in property interpolation of $LOOP: LOOP->LOOP. "
        "Remove one of these references.",
        "Task 'T', files 'a': accessMode ${WORD} is 'soon', but it must be one of transferFromInputSpace, "
        "transferFromOutputSpace, transferFromGlobalSpace, transferFromUserSpace, cacheFromInputSpace, "
        "cacheFromOutputSpace, cacheFromGlobalSpace, cacheFromUserSpace, none",
        "Task 'T', numberOfNodes: ${WORT} is not a known variable. Did you mean 'WORD'?",
        "Task 'T', walltime: ${WORD} is 'soon', but it must be a time such as 90, 1:30 or 1:00:00, "
        "and its first part must not be zero",
        "Priority: ${NOBODY} is not a known variable. Known: WORD, LOOP.",
    ]


@given(workflow=workflows(most=1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_reference_is_left(workflow: Workflow) -> None:
    """After resolving everything has its value, or nothing was resolved."""
    resolved = None
    with contextlib.suppress(InvalidWorkflow):
        resolved = resolve(workflow)

    assert "Reference(" not in repr(resolved)


def test_the_values_of_a_whole_workflow_have_a_limit() -> None:
    """Many uses of one long value, each below the limit for a value, are stopped as well."""
    long = Variable(name="LONG", value="x" * 3_000_000)
    tasks = tuple(
        Task(name=f"T{number}", executable=CODE, description="${LONG}", variables=(TaskVariable(name="A", value="1"),))
        for number in range(40)
    )

    with pytest.raises(InvalidWorkflow, match="The values that are inserted into the workflow grow beyond 67,108,864"):
        resolve(Workflow(name="big", variables=(long,), tasks=tasks))


def test_a_task_with_variables_does_not_copy_those_of_the_job() -> None:
    """The cost of a task does not grow with the number of the job's variables; its own variables hide theirs."""
    outer = Substitutor({f"V{number}": str(number) for number in range(10)})

    inner = Substitutor({"V1": "own", "V3": "${V2}!"}, outer)

    assert (inner("$V1 $V2 $V3"), outer("$V1 $V3"), len(inner.values.maps[0])) == ("own 2 2!", "1 3", 2)  # type: ignore[attr-defined]


def test_no_more_than_a_hundred_problems_are_looked_for() -> None:
    """A long chain of references, each of which is too deep, is refused within a moment."""
    chain = tuple(Variable(name=f"V{number}", value=f"${{V{number + 1}}}") for number in range(20_000))

    with pytest.raises(InvalidWorkflow) as caught:
        resolve(Workflow(name="chain", variables=chain))

    assert len(caught.value.problems) == 100
