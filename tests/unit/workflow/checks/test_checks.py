"""The rules of a valid workflow: each row of ProActive's table, what it refuses and what it lets pass."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from strategies import graphs

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.checks import accept, errors, require_valid
from proactive_jupyter_kernel.workflow.model import Block, Branch, FlowAction, Loop, Replicate, Script, Task, Workflow

CODE = Script(language="groovy", code="true")


def build(text: str) -> Workflow:
    """A workflow from lines like ``B[start](A) replicate``: name, block mark, parents, flow action.

    Actions: ``if X else Y``, ``if X else Y then Z``, ``loop X``, ``replicate``.
    """
    line_pattern = re.compile(r"(?P<name>[^\s\[(]+)(?:\[(?P<block>\w+)\])?(?:\((?P<parents>[^)]*)\))?\s*(?P<action>.*)")
    tasks = []
    for line in text.strip().splitlines():
        match = line_pattern.fullmatch(line.strip())
        assert match, line
        tasks.append(
            Task(
                name=match["name"],
                executable=CODE,
                depends=tuple((match["parents"] or "").split()),
                block=Block(match["block"] or "none"),
                flow=action(match["action"].split()),
            )
        )
    return Workflow(name="checked", tasks=tuple(tasks))


def action(words: list[str]) -> FlowAction | None:
    match words:
        case ["if", target, "else", otherwise]:
            return Branch(script=CODE, target=target.strip("-"), otherwise=otherwise.strip("-"))
        case ["if", target, "else", otherwise, "then", join]:
            return Branch(script=CODE, target=target, otherwise=otherwise, continuation=join)
        case ["loop", target]:
            return Loop(script=CODE, target=target)
        case ["replicate"]:
            return Replicate(script=CODE)
    assert not words
    return None


VALID = {
    "one task": "A",
    "diamond": "A\nB(A)\nC(A)\nD(B C)",
    "two independent tasks": "A\nB",
    "a parent named twice": "A\nB(A A)",
    "branch with continuation": "I if Y else N then J\nY\nN\nJ",
    "branch without continuation": "I if Y else N\nY\nN\nZ(Y)",
    "unknown continuation is ignored": "I if Y else N then nobody\nY\nN",
    "branches that are blocks": ("I if Y else N then J\nY[start]\nY2(Y)\nY3[end](Y2)\nN[start]\nN2[end](N)\nJ\nK(J)"),
    "continuation that starts a block": "I if Y else N then J\nY\nN\nJ[start]\nK[end](J)",
    "branch in a branch": ("I if Y else N then J\nY[start] if a else b then c\na\nb\nc[end]\nN\nJ"),
    "branch inside of a block": "S[start]\nI(S) if Y else N then E\nY\nN\nE[end]\nF(E)",
    "open branch in an open branch": "I if Y else N\nY if a else b then c\nN\na\nb\nc\nd(c)",
    "loop over a block": "S[start]\nM(S)\nE[end](M) loop S",
    "loop on itself": "A\nB(A) loop B",
    "loop whose target is a continuation": "I if Y else N then J\nY\nN\nJ[start]\nK[end](J) loop J",
    "loop in a loop": "S[start]\nS2[start](S)\nE2[end](S2) loop S2\nE[end](E2) loop S",
    "branch in a loop": "S[start]\nI(S) if Y else N then E\nY\nN\nE[end] loop S",
    "replicate": "R replicate\nW(R)\nM(W)",
    "replicate of two children": "R replicate\nW(R)\nX(R)\nM(W X)",
    "replicate without children": "R replicate",
    "replicate over a block": "R replicate\nW[start](R)\nW2[end](W)\nM(W2)",
    "replicate that starts a block": "R[start] replicate\nW(R)\nM[end](W)",
    "replicate in a replicate": "R replicate\nR2[start](R) replicate\nW(R2)\nM2[end](W)\nM(M2)",
    "replicated loop": "R replicate\nS[start](R)\nE[end](S) loop S\nM(E)",
    "replicated branch in a block": "R replicate\nS[start](R)\nI(S) if Y else N then E\nY\nN\nE[end]\nM(E)",
    "replicate inside of a loop": "A[start] replicate\nB(A)\nC[end](B) loop A\nD(C)",
}

INVALID = {
    # 1
    ("I if - else N\nN", "IF", "IF target is null", "I"),
    ("I if Y else -\nY", "IF", "ELSE target is null", "I"),
    ("I if X else N\nN", "IF", "IF target is null", "I"),
    ("I if Y else Y\nY", "IF", "Task is target of multiple IF actions", "I"),
    ("I if Y else N\nI2 if Y else M\nY\nN\nM", "IF", "Task is target of multiple IF actions", "I2"),
    # 2
    ("A#1", "NAME", "Task name cannot contain special character '#'", "A#1"),
    ("A*1", "NAME", "Task name cannot contain special character '*'", "A*1"),
    ("A\nA", "NAME", "Task names are not unique", "A"),
    # 3
    ("A\nB(A C)\nC(B)", "RECURSION", "Infinite recursion detected", "B"),
    ("A\nI(A) if A else N\nN", "RECURSION", "Infinite recursion detected", "A"),
    ("I if Y else N then I\nY\nN", "RECURSION", "Infinite recursion detected", "I"),
    ("I if Y else N then J\nY\nN\nJ\nK(J) if J2 else I\nJ2", "RECURSION", "Infinite recursion detected", "I"),
    # 4
    ("A(A)", "UNREACHABLE", "Unreachable task", "A"),
    ("A\nB(C)\nC(B)", "UNREACHABLE", "Unreachable task", "B"),
    ("A(B)\nB(A)", "UNREACHABLE", "Unreachable task", "A"),
    # 5
    ("A[start]", "BLOCK", "Unmatched start block", "A"),
    ("A[end]", "BLOCK", "Unmatched end block", "A"),
    ("A[start]\nB(A)\nC[start](B)\nD[end](C)", "BLOCK", "Unmatched start block", "A"),
    ("A[start]\nB[end](A)\nC[end](B)", "BLOCK", "Unmatched end block", "C"),
    ("X\nA[start]\nB(A X)\nE[end](B)", "BLOCK", "Unmatched end block", "E"),
    # 6
    ("A[start]\nB(A)\nC(A)\nE[end](B)", "BLOCK", "Task Block ending at E does not join all its flows", "A"),
    ("S[start]\nI(S) if Y else N\nY\nN\nE[end](I)", "BLOCK", "Task Block ending at E does not join all its flows", "S"),
    (
        "I if Y else N then J\nY[start]\nN\nJ[end]",
        "BLOCK",
        "Task Block ending at J does not join all its flows",
        "Y",
    ),
    # 7
    ("A[start]\nX\nB(A X)\nE[end](B)", "BLOCK", "Task Block starting at A has external dependencies", "A"),
    ("A[start]\nE[end](A X)\nX", "BLOCK", "Task Block starting at A has external dependencies", "A"),
    # 8
    ("X\nR replicate\nW(R X)\nM(W)", "REPLICATE", "The Target of a REPLICATE must have only one dependency", "R"),
    # 9
    (
        "R[start] replicate\nE[end](R)\nM(E)",
        "REPLICATE",
        "The target of a REPLICATE cannot be the end of a task block",
        "R",
    ),
    # 10
    ("R replicate\nW(R)", "REPLICATE", "No merge point for REPLICATE block", "R"),
    ("R replicate\nW[start](R)\nE[end](W)", "REPLICATE", "No merge point for REPLICATE block", "R"),
    ("R replicate\nI(R) if Y else N then J\nY\nN\nJ", "REPLICATE", "No merge point for REPLICATE block", "R"),
    # 11
    (
        "R replicate\nW(R) replicate\nX(W)\nM(X)",
        "REPLICATE",
        "Last action of a REPLICATE block cannot perform IF or REPLICATE action",
        "R",
    ),
    # 12
    ("A loop B", "LOOP", "LOOP action has no target", "A"),
    # 13
    ("A\nB(A) loop A", "LOOP", "The scope of a LOOP action should be a Task Block", "B"),
    ("S[start]\nM(S) loop S\nE[end](M)", "LOOP", "The scope of a LOOP action should be a Task Block", "M"),
    ("S[start]\nE[end](S) loop E", "LOOP", "The scope of a LOOP action should be a Task Block", "E"),
    # 14
    ("A\nB\nS[start](A B)\nE[end](S) loop S", "LOOP", "The Target of a LOOP must have only one dependency", "E"),
    # 15
    ("A\nI if Y else N\nY(A)\nN", "IF", "IF target task cannot have dependencies", "I"),
    ("A\nI if Y else N\nY\nN(A)", "IF", "IF target task ELSE cannot have dependencies", "I"),
    # 16
    ("A\nI if Y else N\nY\nN\nZ(Y A)", "IF", "IF block at Y has external dependencies", "I"),
    # 17
    ("I if Y else N then J\nY\nN\nJ\nZ(Y)", "IF", "IF action target is not a Task Block", "I"),
    ("I if Y else N then J\nY\nN\nJ\nZ(N)", "IF", "IF action ELSE target is not a Task Block", "I"),
    # 18
    (
        "I if Y else N then J\nI2 if Y2 else N2 then J\nY\nN\nY2\nN2\nJ",
        "IF",
        "JOIN task merges multiple IF actions",
        "I",
    ),
    ("I if Y else N then J\nY[start]\nY2[end](Y)\nZ(Y2)\nN\nJ", "IF", "IF task block cannot have children", "I"),
    ("I if Y else N then J\nN[start]\nN2[end](N)\nZ(N2)\nY\nJ", "IF", "ELSE task block cannot have children", "I"),
    # 19
    ("A\nI if Y else N then J\nY(A)\nN\nJ", "IF", "IF task block cannot have dependencies", "I"),
    ("A\nI if Y else N then J\nY\nN(A)\nJ", "IF", "ELSE task block cannot have dependencies", "I"),
    ("A\nI if Y else N then J\nY\nN\nJ(A)", "IF", "JOIN task cannot have dependencies", "I"),
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_what_the_rules_allow_passes(text: str) -> None:
    """Each construct of a valid workflow, and the ways in which they may nest."""
    assert [str(problem) for problem in errors(build(text))] == []


@pytest.mark.parametrize(("text", "kind", "message", "task"), sorted(INVALID), ids=lambda value: str(value)[:40])
def test_each_rule_refuses_in_the_servers_words(text: str, kind: str, message: str, task: str) -> None:
    """The first problem is the server's, with its kind, its message and the task; the explanation names the tasks."""
    first = errors(build(text))[0]

    assert (first.kind, first.message, first.task, bool(first.explanation)) == (kind, message, task, True)


def test_every_rule_has_its_test() -> None:
    """All messages of ProActive's table are among the refused workflows."""
    assert len({message.split(" at ")[0] for _, _, message, _ in INVALID}) >= 30


def test_all_problems_are_named_in_the_servers_order() -> None:
    """Names first, then circles or, without them, blocks, replication, loops and branches."""
    workflow = build("A loop X\nB[start]\nR replicate\nW(R)\nI if Y else N then J\nY(A)\nN\nJ")

    assert [str(problem) for problem in errors(workflow)] == [
        "Task 'B': Unmatched start block. 'B' starts a block that no task after it ends; mark one as end.",
        "Task 'R': No merge point for REPLICATE block. "
        "'R' replicates 'W', but no task depends on 'W'; add one that collects the results.",
        "Task 'A': LOOP action has no target. 'A' loops back to 'X', and no task has that name. "
        "Known: A, B, R, W, I, Y, N, J.",
        "Task 'I': IF task block cannot have dependencies. "
        "'Y' belongs to the branch of 'I', which starts it; remove its dependencies.",
    ]


def test_a_circle_is_reported_with_its_tasks() -> None:
    """The explanation shows the way round."""
    problems = errors(build("A\nB(A D)\nC(B)\nD(C)"))

    assert [str(problem) for problem in problems] == [
        "Task 'B': Infinite recursion detected. The tasks wait for each other in a cycle: B → C → D → B."
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("REMOVE_DELAY", "999999999999d", "PA117 generic information REMOVE_DELAY is more than 1,000 years"),
        ("REMOVE_DELAY", "1d " + "9" * 5_000 + "s", "PA117 generic information REMOVE_DELAY is more than 1,000 years"),
        (
            "REMOVE_DELAY_ON_ERROR",
            "365000d 1s",
            "PA117 generic information REMOVE_DELAY_ON_ERROR is more than 1,000 years",
        ),
        ("REMOVE_DELAY", "365000d", ""),
        ("REMOVE_DELAY", "soon", ""),
        ("PARENT_JOB_ID", "9" * 19, "PA117 generic information PARENT_JOB_ID has 19 digits"),
        ("PARENT_JOB_ID", "9" * 18, ""),
        ("START_AT", "9999-12-31T23:59:59-23:59", ""),
        ("ANY", "a\ud800", "PA106 generic information ANY contains the character U+D800"),
        ("ANY", "a\0", "PA106 generic information ANY contains the character U+0000"),
        ("ANY", "a\U0001f600", ""),
    ],
)
def test_what_can_never_be_stored_is_refused(name: str, value: str, problem: str) -> None:
    """Integers of more than 64 bits, and text that is no Unicode: values of a submission come beside the XML."""
    workflow = replace(build("A"), generic_information={name: value})
    try:
        accept(workflow)
        found = ""
    except InvalidWorkflow as error:
        found = "; ".join(f"{each.code} {each.message}" for each in error.problems)
    assert found == problem


def test_require_valid_raises_with_all_problems() -> None:
    """One exception carries every problem."""
    with pytest.raises(InvalidWorkflow) as caught:
        require_valid(build("A[start]\nB[start]"))

    assert len(caught.value.problems) == 2


@given(graphs())
def test_plain_graphs_are_valid(workflow: Workflow) -> None:
    """Without blocks and actions every graph without circles passes."""
    assert errors(workflow) == []


def test_ten_thousand_tasks_are_checked() -> None:
    """Neither a long chain nor wide layers make the checks recurse deep or try every path."""
    layers = [[f"T{layer}_{index}" for index in range(10)] for layer in range(1000)]
    tasks = [Task(name=name, executable=CODE) for name in layers[0]]
    for above, layer in itertools.pairwise(layers):
        tasks += [Task(name=name, executable=CODE, depends=tuple(above)) for name in layer]

    assert errors(Workflow(name="large", tasks=tuple(tasks))) == []
