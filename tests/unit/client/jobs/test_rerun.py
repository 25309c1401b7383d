"""What runs again of a workflow, and what is taken from a job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.client.jobs.rerun import RerunRefused, plan
from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
from proactive_jupyter_kernel.client.jobs.stored_tasks import Unwritable, literal
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.workflow.checks import errors as check_errors
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SCRIPT = Script(language="cpython", code="pass")
DONE, SKIPPED, FAULTY, RUNNING = TaskStatus.FINISHED, TaskStatus.SKIPPED, TaskStatus.FAULTY, TaskStatus.RUNNING


def task(name: str, *parents: str, **fields: Any) -> Task:
    return Task(name=name, executable=SCRIPT, depends=parents, **fields)


def state(number: int, name: str, status: TaskStatus) -> TaskState:
    base, _, replication = name.partition("*")
    _, _, iteration = base.partition("#")
    return TaskState(
        id=number, name=name, status=status, iteration=int(iteration or 0), replication=int(replication or 0)
    )


def graph(*tasks: Task, **statuses: TaskStatus | str) -> RunGraph:
    """A workflow and a job of it; every task finished, but as told. `also` names copies that finished."""
    also = str(statuses.pop("also", "")).split()
    names = [*(one.name for one in tasks), *also]
    states = tuple(state(number, name, statuses.get(name, DONE)) for number, name in enumerate(names))  # type: ignore[arg-type]
    job = Job(info=JobInfo(id=7, name="j", status=JobStatus.FINISHED), tasks=states)
    return RunGraph(Workflow(name="job", tasks=tasks), job)


CHAIN = (task("A"), task("B", "A"), task("C", "B"), task("D", "A", "C"), task("E", "A"))
BRANCH = (
    task("I", flow=Branch(script=SCRIPT, target="T", otherwise="O", continuation="J")),
    task("T"),
    task("O"),
    task("J"),
    task("K", "J"),
)
LOOP = (
    task("A"),
    task("S", "A", block=Block.START),
    task("M", "S"),
    task("E", "M", block=Block.END, flow=Loop(script=SCRIPT, target="S")),
    task("Z", "E", "A"),
)
COPIES = (task("A"), task("S", "A", flow=Replicate(script=SCRIPT)), task("W", "S"), task("M", "W", "A"))


def outcome(runs: RunGraph, *names: str, only: bool = False) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The tasks that run with what they depend on; and what is taken from the job."""
    rerun = plan(runs, names, only=only)
    tasks = {one.name: one.depends for one in rerun.workflow.tasks if one.name not in rerun.stored}
    return tasks, {name: " ".join(one.name for one in states) for name, states in rerun.stored.items()}


@pytest.mark.parametrize(
    ("runs", "names", "only", "expected"),
    [
        (graph(*CHAIN), ["C"], False, ({"C": ("B",), "D": ("A", "C")}, {"B": "B", "A": "A"})),
        (graph(*CHAIN), ["C"], True, ({"C": ("B",)}, {"B": "B"})),
        (graph(*CHAIN), ["C", "E"], False, ({"C": ("B",), "D": ("A", "C"), "E": ("A",)}, {"B": "B", "A": "A"})),
        (graph(*CHAIN, C=FAULTY), ["C"], False, ({"C": ("B",), "D": ("A", "C")}, {"B": "B", "A": "A"})),
        (graph(*BRANCH, O=SKIPPED), ["J"], False, ({"J": ("T",), "K": ("J",)}, {"T": "T"})),
        (graph(*BRANCH, T=SKIPPED), ["J"], False, ({"J": ("O",), "K": ("J",)}, {"O": "O"})),
        (graph(*BRANCH, O=SKIPPED), ["T"], False, ({"T": ("I",), "J": ("T",), "K": ("J",)}, {"I": "I"})),
        (graph(*BRANCH, O=SKIPPED), ["I"], False, ({"I": (), "T": (), "O": (), "J": (), "K": ("J",)}, {})),
        (graph(*LOOP, also="S#1 M#1 E#1"), ["Z"], False, ({"Z": ("A", "E")}, {"E": "E#1", "A": "A"})),
        (graph(*LOOP), ["Z"], False, ({"Z": ("E", "A")}, {"E": "E", "A": "A"})),
        (
            graph(*LOOP, also="S#1 M#1 E#1"),
            ["S"],
            False,
            ({"S": ("A",), "M": ("S",), "E": ("M",), "Z": ("E", "A")}, {"A": "A"}),
        ),
        (graph(*COPIES, also="W*1 W*2"), ["M"], False, ({"M": ("W", "A")}, {"W": "W W*1 W*2", "A": "A"})),
        (graph(*COPIES, also="W*1"), ["W"], False, ({"W": ("S",), "M": ("W", "A")}, {"S": "S", "A": "A"})),
        (graph(*COPIES, W=SKIPPED), ["M"], False, ({"M": ("S", "A")}, {"S": "S", "A": "A"})),
    ],
)
def test_what_runs_and_what_is_taken(
    runs: RunGraph, names: list[str], only: bool, expected: tuple[dict[str, tuple[str, ...]], dict[str, str]]
) -> None:
    """What follows runs; of what went before only the results that are needed are taken, and decisions stay."""
    assert outcome(runs, *names, only=only) == expected


@pytest.mark.parametrize(
    ("runs", "names", "only", "expected"),
    [
        (
            graph(*CHAIN, B=FAULTY, A=RUNNING),
            ["C"],
            False,
            (
                "job 7 has no result of B (Faulty), A (Running), which must have finished without an error.",
                "Name it here to run it as well, or name another job with job_id.",
            ),
        ),
        (
            graph(*BRANCH, O=SKIPPED),
            ["O"],
            False,
            ("task O was skipped in job 7, and stays skipped.", "To decide again, run from I."),
        ),
        (
            graph(*LOOP),
            ["M"],
            False,
            (
                "task M is inside the loop from S to E, which only runs as a whole.",
                "Run from its first task: from=S.",
            ),
        ),
        (
            graph(*COPIES, also="W*1"),
            ["W"],
            True,
            (
                "task W is inside the replication that S starts; it only runs as a whole, with the task that takes its "
                "results.",
                "Name all of it: only=[W, M].",
            ),
        ),
    ],
)
def test_what_cannot_run_by_itself(runs: RunGraph, names: list[str], only: bool, expected: tuple[str, str]) -> None:
    """Refused by name, with what can be done instead."""
    with pytest.raises(RerunRefused) as refused:
        plan(runs, names, only=only)
    assert refused.value.args == expected


def test_a_control_goes_where_nothing_of_it_runs() -> None:
    """A task alone neither branches nor replicates, and marks of blocks without their partner go."""
    rerun = plan(graph(*BRANCH, O=SKIPPED), ["I"], only=True)
    assert [(one.name, one.flow) for one in rerun.workflow.tasks] == [("I", None)]
    assert rerun.left_out == ("T", "O", "J", "K")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -5,
        1.5,
        "it's",
        b"\x00x",
        b"x" * 200,
        [1, [2.0, "a"]],
        {"a": {1, 2}, 3: None},
        {(1, 2): "pair"},
        {frozenset([1])},
    ],
)
def test_a_literal_gives_the_value_back(value: object) -> None:
    """Of every type that Java carries."""
    assert eval(literal(value)) == value


def test_tagged_bytes_stay_as_they_are() -> None:
    """As a bytearray, which the harness of a task carries unchanged; what cannot be written says so."""
    carried = tagged.encode(3 + 4j)
    assert eval(literal([carried])) == [bytearray(carried)]
    with pytest.raises(Unwritable, match="a key or a member of a set in it is a value that only Python has"):
        literal({carried})


@st.composite
def workflows(draw: st.DrawFn) -> tuple[Task, ...]:
    """Tasks that depend on tasks before them, in any order."""
    count = draw(st.integers(1, 8))
    names = [f"T{number}" for number in range(count)]
    return tuple(
        task(name, *draw(st.lists(st.sampled_from(names[:number]), unique=True, max_size=4)) if number else ())
        for number, name in enumerate(names)
    )


def run(tasks: tuple[Task, ...], stored: dict[str, str]) -> dict[str, str]:
    """The result of every task: its name and the results that it got; of stored ones what is stored."""
    found: dict[str, str] = {}
    for one in tasks:
        found[one.name] = stored.get(one.name) or f"{one.name}({' '.join(found[parent] for parent in one.depends)})"
    return found


@given(workflows(), st.data())
def test_any_part_has_the_results_of_the_whole(tasks: tuple[Task, ...], data: st.DataObject) -> None:
    """Whatever tasks are named, with what follows them or alone; and nothing runs that was not asked for."""
    names = data.draw(st.lists(st.sampled_from([one.name for one in tasks]), unique=True, min_size=1))
    only = data.draw(st.booleans())
    whole = run(tasks, {})
    rerun = plan(graph(*tasks), names, only=only)
    found = run(rerun.workflow.tasks, {name: whole[name] for name in rerun.stored})
    assert found == {name: whole[name] for name in found}
    following = graph(*tasks).descendants(tuple(names))
    assert found.keys() - rerun.stored.keys() == (set(names) if only else following)
    assert not check_errors(rerun.workflow)
