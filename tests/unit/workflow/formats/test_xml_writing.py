"""Workflows as XML, written: valid by ProActive's own schema, equal after a round trip, or refused with all reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import texts, workflows

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.formats.xml import dumps, loads
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
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

SchemaErrors = Callable[[str, str], list[str]]
CODE = Script(language="bash", code="echo hello")
SMALL = Workflow(name="small", tasks=(Task(name="hello", executable=CODE),))


def with_task(**fields: object) -> Workflow:
    return replace(SMALL, tasks=(replace(SMALL.tasks[0], **fields),))  # type: ignore[arg-type]


@given(workflow=workflows())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_workflow_comes_back_equal(workflow: Workflow) -> None:
    """Model -> XML -> model gives the same model, and reading has nothing to remark."""
    loaded = loads(dumps(workflow))

    assert (loaded.workflow, loaded.notices) == (workflow, ())


@given(workflow=workflows())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_is_written_is_valid(schema_errors: SchemaErrors, workflow: Workflow) -> None:
    """What is written is valid by ProActive's schema 3.14."""
    assert schema_errors(dumps(workflow), "3.14") == []


@given(code=texts)
def test_code_comes_back_to_the_last_character(code: str) -> None:
    """Carriage returns, end marks of CDATA and blanks in code survive."""
    workflow = with_task(executable=Script(language="bash", code=code))

    assert loads(dumps(workflow)).workflow == workflow


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "dev"])
def test_each_version_that_can_be_written_is_valid(schema_errors: SchemaErrors, version: str) -> None:
    """The older schema versions are written for servers that know no newer one."""
    text = dumps(with_task(walltime=90, variables=(TaskVariable(name="A", value="1"),)), version)

    assert (schema_errors(text, version), loads(text).notices) == ([], ())


def test_a_version_that_cannot_be_written_is_named() -> None:
    """Versions that cannot be written are refused with those that can."""
    with pytest.raises(ValueError, match=r"'3\.15'; known: 3\.0, .*, 3\.13, 3\.14, dev"):
        dumps(SMALL, "3.15")


def test_what_an_older_version_lacks_is_named_not_dropped() -> None:
    """Tags and descriptions of variables cannot go into schema 3.12; the message says which they are."""
    workflow = replace(SMALL, tags=("a",), variables=(Variable(name="A", value="1", group="g"),))

    with pytest.raises(InvalidWorkflow) as caught:
        dumps(workflow, "3.12")

    assert [str(problem) for problem in caught.value.problems] == [
        "Schema 3.12 has no tags. Write 3.14, or remove it.",
        "Variable 'A': schema 3.12 has no group of a variable. Write 3.13, or remove it.",
    ]


def test_the_text_is_one_that_people_read() -> None:
    """Two blanks of indent, code as CDATA, durations as clocks, files in the order that servers read best."""
    workflow = with_task(
        walltime=3661,
        executable=Script(language="cpython", code="if a < b:\n    print('&')\n", arguments=("x y",)),
        input_files=(FileSelector(includes="a/**", excludes="b", access_mode="transferFromUserSpace"),),
    )

    assert dumps(workflow) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<job xmlns="urn:proactive:jobdescriptor:3.14" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="urn:proactive:jobdescriptor:3.14 http://www.activeeon.com/public_content/schemas/'
        'proactive/jobdescriptor/3.14/schedulerjob.xsd" name="small" priority="normal">\n'
        "  <taskFlow>\n"
        '    <task name="hello" walltime="1:01:01">\n'
        "      <inputFiles>\n"
        '        <files includes="a/**" excludes="b" accessMode="transferFromUserSpace"/>\n'
        "      </inputFiles>\n"
        "      <scriptExecutable>\n"
        "        <script>\n"
        "          <code language=\"cpython\"><![CDATA[if a < b:\n    print('&')\n]]></code>\n"
        "          <arguments>\n"
        '            <argument value="x y"/>\n'
        "          </arguments>\n"
        "        </script>\n"
        "      </scriptExecutable>\n"
        "    </task>\n"
        "  </taskFlow>\n"
        "</job>\n"
    )


def test_all_problems_are_named_at_once() -> None:
    """A workflow with many faults is refused once, with every fault and its place."""
    workflow = Workflow(
        name="x",
        priority=Priority.IDLE,
        variables=(Variable(name="a b", value="\x01"),),
        tasks=(
            Task(name="A", executable=CODE, depends=("Hallo",), walltime=0, max_executions=0),
            Task(name="A", executable=Script(language="", code="echo \x00\n")),
            Task(name="hello", executable=Script(language="bash", code="a\n\ufffe"), run_as_me=True, fork=False),
        ),
    )

    with pytest.raises(InvalidWorkflow) as caught:
        dumps(workflow)

    assert str(caught.value).splitlines() == [
        "Workflow 'x' has 12 problems:",
        "  1. Name must have at least 2 characters",
        "  2. Priority 'idle' cannot be written: the schema has no such priority; use 'lowest'",
        "  3. Variable 'a b': name 'a b' contains ' '; a name holds letters, digits, '.', '-' and '_' only",
        "  4. Variable 'a b': value holds the character U+0001, which XML cannot carry; remove or escape it",
        "  5. Task 'A': maxNumberOfExecution must be an integer of at least 1, not 0",
        "  6. Task 'A': walltime must be a time of whole seconds, at least 1, not 0",
        "  7. Task 'A': Unknown dependence: Hallo. Did you mean 'hello'?",
        "  8. Task 'A': Task names are not unique. Two tasks have this name; rename one.",
        "  9. Task 'A', script: the language is missing. Name one, such as cpython or bash.",
        "  10. Task 'A', script: code holds the character U+0000 in line 1, which XML cannot carry; "
        "remove or escape it",
        "  11. Task 'hello': runAsMe and fork=false exclude each other. Another account needs its own process.",
        "  12. Task 'hello', script: code holds the character U+FFFE in line 2, which XML cannot carry; "
        "remove or escape it",
    ]


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (replace(SMALL, tasks=()), "There is no task. A workflow needs at least one."),
        (
            with_task(name="a b"),
            "Task 'a b': name 'a b' contains ' '; a name holds letters, digits, '.', '-' and '_' only",
        ),
        (with_task(name=""), "Name '' is empty"),
        (with_task(name="1a"), "Task '1a': name '1a' starts with '1'; a name starts with a letter or _"),
        (
            with_task(name="a#1"),
            "Task 'a#1': Task name cannot contain special character '#'. "
            "It marks the task instances that loops and replications create.",
        ),
        (with_task(name="n" * 256), f"Task '{'n' * 256}': the name has 256 characters; at most 255 fit"),
        (replace(SMALL, name="n" * 256), "The name has 256 characters; at most 255 fit"),
        (replace(SMALL, input_space="a b"), "InputSpace: url must be a URI; write %20 for a blank"),
        (replace(SMALL, user_space="100%"), "UserSpace: url must be a URI; write %25 for a percent sign"),
        (
            replace(SMALL, tags=("a,b",)),
            "Tags 'a,b' is not a tag: use letters, digits, '_', '-', and blanks between them only",
        ),
        (
            replace(SMALL, priority=Reference("a-b")),
            "Priority must be a reference like ${NAME} with letters, digits, '.' and '_' only, not ${a-b}",
        ),
        (
            with_task(block=Reference("B")),
            "Task 'hello': block must be one of none, start, end, not Reference(name='B')",
        ),
        (with_task(nodes=0), "Task 'hello': numberOfNodes must be an integer of at least 1, not 0"),
        (
            with_task(threshold=5),
            "Task 'hello', topology: a threshold applies only to thresholdProximity. Set one or the other.",
        ),
        (
            with_task(topology=Topology.THRESHOLD_PROXIMITY, threshold=-1),
            "Task 'hello', topology: threshold must be an integer of at least 0, not -1",
        ),
        (
            with_task(input_files=(FileSelector(includes="a", access_mode="transferToUserSpace"),)),
            "Task 'hello', inputFiles 'a': accessMode must be one of transferFromInputSpace, transferFromOutputSpace, "
            "transferFromGlobalSpace, transferFromUserSpace, cacheFromInputSpace, cacheFromOutputSpace, "
            "cacheFromGlobalSpace, cacheFromUserSpace, none",
        ),
        (
            with_task(output_files=(FileSelector(includes="", access_mode="none"),)),
            "Task 'hello', outputFiles '': includes must be a file pattern on one line and must not be empty",
        ),
        (
            with_task(executable=JavaClass(name="a b")),
            "Task 'hello', javaExecutable: class must be the full name of a Java class",
        ),
        (
            with_task(executable=NativeCommand(command="ls", arguments=("\x00",))),
            "Task 'hello', arguments: value holds the character U+0000, which XML cannot carry; remove or escape it",
        ),
        (
            with_task(pre=Script(language="bash", code="a", url="/b")),
            "Task 'hello', pre script: it has both code and a URL. Keep one of them.",
        ),
        (
            with_task(fork_environment=ForkEnvironment(java_home="a b")),
            "Task 'hello', forkEnvironment: javaHome must be a URI; write %20 for a blank",
        ),
        (
            with_task(selection=(SelectionScript(script=Script(language="")),)),
            "Task 'hello', selection script: the language is missing. Name one, such as cpython or bash.",
        ),
        (with_task(metadata=(("a b", ""),)), "Task 'hello', metadata: 'a b' cannot be the name of an element"),
        (with_task(walltime=1.5), "Task 'hello': walltime must be a time of whole seconds, at least 1, not 1.5"),
        (
            with_task(on_error="cancelJob"),
            "Task 'hello': onTaskError must be one of cancelJob, suspendTask, pauseJob, "
            "continueJobExecution, none, not 'cancelJob'",
        ),
    ],
)
def test_what_xml_cannot_carry_is_refused(workflow: Workflow, message: str) -> None:
    """Nothing invalid is written: each fault has a message with its place and what would be right."""
    with pytest.raises(InvalidWorkflow) as caught:
        dumps(workflow)

    assert [str(problem) for problem in caught.value.problems] == [message]


def test_blocks_and_actions_stand_together(schema_errors: SchemaErrors) -> None:
    """A task may end a block and loop, or start one and replicate; a single mark needs no action."""
    first = Task(name="first", executable=CODE, block=Block.START)
    last = Task(
        name="last",
        executable=CODE,
        depends=("first",),
        block=Block.END,
        flow=Loop(script=Script(language="javascript", code="loop = false"), target="first"),
    )
    choose = Task(
        name="choose",
        executable=CODE,
        flow=Branch(script=Script(language="groovy", code='branch = "if"'), target="first", otherwise="last"),
    )
    workflow = Workflow(name="blocks", tasks=(first, last, choose))

    text = dumps(workflow)

    assert (schema_errors(text, "3.14"), loads(text).workflow) == ([], workflow)
