"""The graph of a workflow: links, order, circles."""

from __future__ import annotations

import itertools

from hypothesis import given
from strategies import graphs

from proactive_jupyter_kernel.workflow.graph import FlowPosition, Graph, cycles, order
from proactive_jupyter_kernel.workflow.model import Branch, Script, Task, Workflow

CODE = Script(language="bash", code="true")


def task(name: str, *depends: str, branch: tuple[str, str, str] | None = None) -> Task:
    flow = None
    if branch is not None:
        flow = Branch(script=CODE, target=branch[0], otherwise=branch[1], continuation=branch[2])
    return Task(name=name, executable=CODE, depends=depends, flow=flow)


def graph(*tasks: Task) -> Graph:
    return Graph(Workflow(name="graph", tasks=tasks))


def test_links_are_those_of_the_dependencies() -> None:
    """Parents keep the order of the results, unknown and double names are left out."""
    found = graph(task("A"), task("B", "A"), task("C", "B", "A", "B", "nobody"))

    assert (found.parents, found.children, found.roots) == (
        {"A": (), "B": ("A",), "C": ("B", "A")},
        {"A": ("B", "C"), "B": ("C",), "C": ()},
        ("A",),
    )


def test_ways_down_lead_through_branches_to_their_continuation() -> None:
    """Nested branches come to the inner continuation first, then to the outer one."""
    found = graph(
        task("if1", branch=("yes", "no", "join")),
        task("yes"),
        task("if2", "yes", branch=("a", "b", "inner")),
        task("a"),
        task("b"),
        task("inner"),
        task("no"),
        task("join"),
    )

    assert found.below(FlowPosition("if1")) == [FlowPosition("yes", ("join",)), FlowPosition("no", ("join",))]
    assert found.below(FlowPosition("if2", ("join",))) == [
        FlowPosition("a", ("join", "inner")),
        FlowPosition("b", ("join", "inner")),
    ]
    assert found.below(FlowPosition("a", ("join", "inner"))) == [FlowPosition("inner", ("join",))]
    assert found.below(FlowPosition("inner", ("join",))) == [FlowPosition("join")]
    assert found.links() == {
        "if1": ("yes", "no"),
        "yes": ("if2",),
        "if2": ("a", "b"),
        "a": ("inner",),
        "b": ("inner",),
        "inner": ("join",),
        "no": ("join",),
        "join": (),
    }


def test_a_branch_without_continuation_lets_the_outer_one_follow() -> None:
    """The inner ways just end, so the outer branch's continuation follows them."""
    found = graph(
        task("if1", branch=("if2", "no", "join")),
        task("if2", branch=("a", "b", "")),
        task("a"),
        task("b"),
        task("no"),
        task("join"),
    )

    assert found.ends("if2", "no") == ("a", "b", "no")


@given(graphs())
def test_the_order_puts_parents_first(workflow: Workflow) -> None:
    """Every task comes once, after all that it depends on."""
    names = order(workflow)

    position = {name: index for index, name in enumerate(names)}
    assert sorted(names) == sorted(one.name for one in workflow.tasks)
    assert all(position[parent] < position[one.name] for one in workflow.tasks for parent in one.depends)


def test_the_order_keeps_what_is_written_and_puts_circles_last() -> None:
    """Among equals the written order stays."""
    workflow = Workflow(name="order", tasks=(task("X", "Y"), task("Y", "X"), task("C", "B"), task("B"), task("A")))

    assert order(workflow) == ("B", "A", "C", "X", "Y")


def test_circles_are_found_with_their_tasks() -> None:
    """Each link that closes a circle gives the tasks along it."""
    found = graph(task("A"), task("B", "A", "D"), task("C", "B"), task("D", "C"), task("E", "E"))

    assert cycles(found.children, found.tasks) == [("B", "C", "D"), ("E",)]


def test_a_long_chain_needs_no_deep_stack() -> None:
    """Ten thousand tasks in a row are no problem."""
    names = [f"T{index}" for index in range(10_000)]
    chain = [task(names[0]), *(task(name, before) for before, name in itertools.pairwise(names))]
    workflow = Workflow(name="chain", tasks=tuple(chain))

    assert (order(workflow), cycles(Graph(workflow).links(), ["T0"])) == (tuple(names), [])


def test_ways_end_before_a_task() -> None:
    """What only the given task follows is an end; the task itself and what comes after it are not looked at."""
    found = graph(task("s"), task("a", "s"), task("b", "a"), task("c", "s"), task("end", "b", "c"), task("more", "end"))
    assert (found.ends("s"), found.ends("s", before="end")) == (("more",), ("b", "c"))


def test_a_branch_on_a_way_continues_at_its_continuation() -> None:
    """A way through a nested branch ends where the inner continuation leads, not at the inner sides."""
    found = graph(
        task("start"),
        task("outer", "start", branch=("if1", "no", "join")),
        task("if1", branch=("a", "b", "inner")),
        task("a"),
        task("b"),
        task("inner"),
        task("after", "inner"),
        task("no"),
        task("join"),
        task("end"),
    )
    assert (found.ends("if1", before="join"), found.ends("start", before="end")) == (("after",), ("join",))
