"""Parents of copies, derived from the workflow and what a scheduler tells of the tasks."""

from __future__ import annotations

from collections.abc import Iterable

from proactive_jupyter_kernel.client.lineage import parents_of
from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.workflow.model import Block, Branch, FlowAction, Loop, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

CODE = Script(language="bash", code="true")


def task(name: str, *depends: str, flow: FlowAction | None = None, block: Block = Block.NONE) -> Task:
    return Task(name=name, executable=CODE, depends=depends, flow=flow, block=block)


def state(name: str, *, tag: str = "", status: TaskStatus = TaskStatus.FINISHED) -> TaskState:
    rest, _, replication = name.partition("*")
    _, _, iteration = rest.partition("#")
    return TaskState(
        id=0, name=name, status=status, iteration=int(iteration or 0), replication=int(replication or 0), tag=tag
    )


def workflow(*tasks: Task) -> Workflow:
    return Workflow(name="w", tasks=tasks)


def derived(tasks: Iterable[Task], states: Iterable[TaskState]) -> dict[str, str]:
    """Parents of each task, joined by blanks."""
    found = parents_of(workflow(*tasks), list(states))
    return {name: " ".join(parents) for name, parents in found.items()}


REPLICATE = Replicate(script=CODE)


def test_a_plain_graph_is_the_workflows_own() -> None:
    """Without controls the parents are those of the XML, in its order."""
    tasks = [task("A"), task("B"), task("C", "B", "A")]
    assert derived(tasks, map(state, ["A", "B", "C"])) == {"A": "", "B": "", "C": "B A"}


def test_replicas_stand_side_by_side() -> None:
    """Every replica depends on the split, the merge on all replicas in the order of their making."""
    tasks = [task("S", flow=REPLICATE), task("W", "S"), task("M", "W")]
    states = [state("S"), state("W"), state("M"), *(state(f"W*{n}", tag=f"REPLICATE-S-{n}") for n in (1, 2))]
    expected = {"S": "", "W": "S", "W*1": "S", "W*2": "S", "M": "W W*1 W*2"}
    assert derived(tasks, states) == expected


def test_replicas_without_tags_are_believed() -> None:
    """A server that tells no tags gets the same parents where only one control can have made the copies."""
    tasks = [task("S", flow=REPLICATE), task("W", "S"), task("M", "W")]
    assert derived(tasks, map(state, ["S", "W", "W*1", "M"]))["M"] == "W W*1"


def test_nested_replications_number_on() -> None:
    """Copies of an inner replication belong to the outer copy that their tag names."""
    tasks = [
        task("T", flow=REPLICATE),
        task("T1", "T", flow=REPLICATE, block=Block.START),
        task("T2", "T1"),
        task("T3", "T2", block=Block.END),
        task("T4", "T3"),
    ]
    states = [
        *map(state, ["T", "T1", "T2", "T3", "T4"]),
        *(state(f"{name}*1", tag="REPLICATE-T-1") for name in ("T1", "T2", "T3")),
        state("T2*2", tag="REPLICATE-T1-2"),
        state("T2*3", tag="REPLICATE-T1*1-3"),
    ]
    assert derived(tasks, states) == {
        "T": "",
        "T1": "T",
        "T1*1": "T",
        "T2": "T1",
        "T2*2": "T1",
        "T2*1": "T1*1",
        "T2*3": "T1*1",
        "T3": "T2 T2*2",
        "T3*1": "T2*1 T2*3",
        "T4": "T3 T3*1",
    }


def test_a_replication_inside_a_loop_replicates_anew() -> None:
    """Each round has its own replicas; what follows the loop follows its last round."""
    tasks = [
        task("A", flow=REPLICATE, block=Block.START),
        task("B", "A"),
        task("C", "B", flow=Loop(script=CODE, target="A"), block=Block.END),
        task("D", "C"),
    ]
    states = [
        *map(state, ["A", "B", "C", "D"]),
        state("B*1", tag="REPLICATE-A-1"),
        *(state(f"{name}#1", tag="LOOP-C-1") for name in "ABC"),
        state("B#1*1", tag="REPLICATE-A#1-1"),
    ]
    assert derived(tasks, states) == {
        "A": "",
        "B": "A",
        "B*1": "A",
        "C": "B B*1",
        "A#1": "C",
        "B#1": "A#1",
        "B#1*1": "A#1",
        "C#1": "B#1 B#1*1",
        "D": "C#1",
    }


def test_a_loop_on_one_task_is_a_chain() -> None:
    """A task that loops on itself depends on its round before."""
    tasks = [task("A", flow=Loop(script=CODE, target="A")), task("B", "A")]
    states = [state("A"), state("B"), state("A#1", tag="LOOP-A-1"), state("A#2", tag="LOOP-A-2")]
    assert derived(tasks, states) == {"A": "", "A#1": "A", "A#2": "A#1", "B": "A#2"}


def branching() -> list[Task]:
    flow = Branch(script=CODE, target="Yes", otherwise="No", continuation="End")
    return [task("If", flow=flow), task("Yes"), task("No"), task("End")]


def test_a_branch_joins_the_way_that_was_taken() -> None:
    """Both ways depend on the branch, the continuation on the one that was not skipped."""
    skipped = {"Yes": "If", "No": "If", "If": ""}
    for taken, other in (("Yes", "No"), ("No", "Yes")):
        states = [state("If"), state(taken), state(other, status=TaskStatus.SKIPPED), state("End")]
        assert derived(branching(), states) == {**skipped, "End": taken}


def test_an_undecided_branch_may_go_both_ways() -> None:
    """Before a branch is taken its continuation waits for either way."""
    waiting = [state(name, status=TaskStatus.SUBMITTED) for name in ("Yes", "No", "End")]
    states = [state("If", status=TaskStatus.RUNNING), *waiting]
    assert derived(branching(), states)["End"] == "Yes No"


def test_a_branch_inside_a_loop_decides_anew() -> None:
    """Each round of a loop around a branch has both ways, and goes on from the one it took."""
    flow = Branch(script=CODE, target="yes", otherwise="no", continuation="Loop")
    tasks = [
        task("Start", block=Block.START),
        task("If", "Start", flow=flow),
        task("yes"),
        task("no"),
        task("Loop", flow=Loop(script=CODE, target="Start"), block=Block.END),
    ]
    names = ["Start", "If", "yes", "no", "Loop"]
    skipped = {"no", "yes#1"}

    def told(name: str, tag: str) -> TaskState:
        return state(name, tag=tag, status=TaskStatus.SKIPPED if name in skipped else TaskStatus.FINISHED)

    states = [told(name, "") for name in names] + [told(f"{name}#1", "LOOP-Loop-1") for name in names]
    assert derived(tasks, states) == {
        "Start": "",
        "If": "Start",
        "yes": "If",
        "no": "If",
        "Loop": "yes",
        "Start#1": "Loop",
        "If#1": "Start#1",
        "yes#1": "If#1",
        "no#1": "If#1",
        "Loop#1": "no#1",
    }


def test_an_inner_loop_is_told_from_the_outer_by_its_tag() -> None:
    """Rounds of an outer loop number on after those of the inner, and are not taken for them."""
    tasks = [
        task("S", block=Block.START),
        task("A", "S", flow=Loop(script=CODE, target="A")),
        task("E", "A", flow=Loop(script=CODE, target="S"), block=Block.END),
    ]
    states = [
        *map(state, ["S", "A", "E"]),
        state("A#1", tag="LOOP-A-1"),
        *(state(name, tag="LOOP-E-1") for name in ("S#1", "A#2", "E#1")),
    ]
    assert derived(tasks, states) == {"S": "", "A": "S", "A#1": "A", "E": "A#1", "S#1": "E", "A#2": "S#1", "E#1": "A#2"}


def test_tasks_that_cannot_be_placed_have_no_parents() -> None:
    """A task that the workflow does not explain is listed, without parents."""
    assert derived([task("A")], [state("A"), state("Z*4")]) == {"A": "", "Z*4": ""}


def test_skipped_replication_keeps_the_graph() -> None:
    """Replicated no times, the child is skipped and stays where it was."""
    tasks = [task("S", flow=REPLICATE), task("W", "S"), task("M", "W")]
    states = [state("S"), state("W", status=TaskStatus.SKIPPED), state("M")]
    assert derived(tasks, states) == {"S": "", "W": "S", "M": "W"}
