"""Layouts: the same promises for both engines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import shapes

from proactive_jupyter_kernel.workflow.model import Block, Loop, Workflow
from proactive_jupyter_kernel.workflow.picture.layers import (
    MOST_DUMMIES,
    Engine,
    Layers,
    better,
    crossings,
    own,
    sugiyama,
    tidy,
)
from proactive_jupyter_kernel.workflow.picture.layout import Layout, Rect, lay_out
from proactive_jupyter_kernel.workflow.picture.scene import Scene, scene_of

#: The package is optional for users; the extra ``test`` has it.
every_engine = pytest.mark.parametrize("engine", [own, sugiyama, better], ids=lambda engine: engine.__name__)


@st.composite
def connected(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """A connected graph without cycles."""
    count = draw(st.integers(2, 24))
    edges = {(draw(st.integers(0, vertex - 1)), vertex) for vertex in range(1, count)}
    for _ in range(draw(st.integers(0, 12))):
        target = draw(st.integers(1, count - 1))
        edges.add((draw(st.integers(0, target - 1)), target))
    return count, sorted(edges)


def overlap(one: Rect, other: Rect) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def faults(scene: Scene, layout: Layout) -> list[str]:
    """What no layout may do."""
    found = []
    boxes = list(layout.boxes.items())
    for index, (name, rect) in enumerate(boxes):
        if rect.x < 0 or rect.y < 0 or rect.x + rect.width > layout.width or rect.y + rect.height > layout.height:
            found.append(f"{name} is outside")
        found += [f"{name} and {other} overlap" for other, second in boxes[:index] if overlap(rect, second)]
    for edge in scene.edges:
        one, other = layout.boxes[edge.source], layout.boxes[edge.target]
        ahead = one.y + one.height <= other.y if layout.vertical else one.x + one.width <= other.x
        if not ahead:
            found.append(f"{edge.target} does not come after {edge.source}")
    return found


@every_engine
@given(graph=connected())
def test_every_edge_leads_to_a_later_layer_through_one_dummy_a_layer(
    engine: Engine, graph: tuple[int, list[tuple[int, int]]]
) -> None:
    """Each vertex has one layer, and an edge passes every layer between its ends once."""
    count, edges = graph
    found = tidy(count, engine(count, edges))
    level = {vertex: index for index, layer in enumerate(found.layers) for vertex in layer}
    assert sorted(level) == list(range(len(level)))
    assert sorted(found.chains) == edges
    for (source, target), chain in found.chains.items():
        way = [level[vertex] for vertex in (source, *chain, target)]
        assert way == list(range(level[source], level[target] + 1))
        assert all(vertex >= count for vertex in chain)


@every_engine
@given(graph=connected())
def test_tidying_costs_no_crossing(engine: Engine, graph: tuple[int, list[tuple[int, int]]]) -> None:
    """The order in which tasks are written is followed where that is free."""
    count, edges = graph
    before = crossings(engine(count, edges))
    assert crossings(tidy(count, engine(count, edges))) <= before


@every_engine
@pytest.mark.parametrize(
    "workflow",
    [shapes.SIMPLE, shapes.BRANCH, shapes.LOOP, shapes.REPLICATE, shapes.NESTED, shapes.NAMES, shapes.family(60)],
    ids=lambda workflow: workflow.name,
)
def test_usual_shapes_are_laid_out_without_fault(engine: Engine, workflow: Workflow) -> None:
    """No overlap, nothing outside, every task after its parents; and the same again the next time."""
    scene = scene_of(workflow)
    layout = lay_out(scene, engine)
    assert (faults(scene, layout), lay_out(scene, engine)) == ([], layout)


@every_engine
@settings(max_examples=40)
@given(workflow=shapes.any_workflow())
def test_any_workflow_is_laid_out_without_overlap(engine: Engine, workflow: Workflow) -> None:
    """Also one that no server would take: every task has its place."""
    scene = scene_of(workflow)
    layout = lay_out(scene, engine)
    assert [fault for fault in faults(scene, layout) if "come after" not in fault] == []
    assert set(layout.boxes) == set(scene.boxes)


@every_engine
def test_tasks_without_dependencies_are_placed_in_rows(engine: Engine) -> None:
    """A hundred single tasks make a block of rows, not a column."""
    workflow = shapes.workflow("single", *(shapes.task("a" * (index + 1)) for index in range(30)))
    layout = lay_out(scene_of(workflow), engine)
    assert layout.width < 2.5 * layout.height
    assert layout.height < 2.5 * layout.width


@every_engine
def test_what_closes_a_cycle_is_a_way_back(engine: Engine) -> None:
    """Dependencies in a circle are drawn, the closing one as a way back."""
    workflow = shapes.workflow("circle", shapes.task("A", "C"), shapes.task("B", "A"), shapes.task("C", "B"))
    scene = scene_of(workflow)
    layout = lay_out(scene, engine)
    returns = [(one.back.source, one.back.target, one.back.label) for one in layout.back_routes]
    assert (faults(scene, layout), returns) == ([], [("C", "A", "cycle")])


@every_engine
def test_nothing_else_stands_in_a_block(engine: Engine) -> None:
    """The ground of a block holds its tasks alone."""
    scene = scene_of(shapes.NESTED)
    layout = lay_out(scene, engine)
    inside = {
        ground.caption: [key for key, rect in layout.boxes.items() if overlap(rect, ground.rect)]
        for ground in layout.backgrounds
    }
    assert inside == {
        "loop while error > 0.1": ["split", "simulate", "merge", "judge", "refine", "accept", "next"],
        "replicate, runs = nb": ["split", "simulate", "merge"],
    }


def test_a_chain_goes_down_and_a_fan_goes_right() -> None:
    """The direction is the one that has to shrink less on a page."""
    chain = [shapes.task("t0"), *(shapes.task(f"t{index}", f"t{index - 1}") for index in range(1, 12))]
    fan = [shapes.task("t"), *(shapes.task(f"x{index}", "t") for index in range(12))]
    layouts = [lay_out(scene_of(shapes.workflow("any", *tasks))) for tasks in (chain, fan)]
    assert [layout.vertical for layout in layouts] == [True, False]


def test_a_loop_on_one_task_is_a_way_back_to_itself() -> None:
    """The dotted line leaves and enters the same box."""
    alone = shapes.task("alone", block=Block.NONE, flow=Loop(script=shapes.js("loop = false"), target="alone"))
    layout = lay_out(scene_of(shapes.workflow("self", alone)))
    (one,) = layout.back_routes
    box = layout.boxes["alone"]
    assert all(box.x < point.x < box.x + box.width for point in one.points)
    assert one.points[0].x > one.points[-1].x


def test_crossings_are_counted() -> None:
    """Two edges that swap sides cross once."""
    straight = Layers(layers=[[0, 1], [2, 3]], chains={(0, 2): [], (1, 3): []})
    crossed = Layers(layers=[[0, 1], [3, 2]], chains={(0, 2): [], (1, 3): []})
    assert (crossings(straight), crossings(crossed)) == (0, 1)


def test_only_the_longest_edges_of_a_dense_graph_are_straight() -> None:
    """The number of dummies is bounded, and shorter edges keep theirs."""
    count = 60
    edges = [(source, target) for target in range(count) for source in range(target)]
    found = own(count, edges)
    chains = {edge: len(chain) for edge, chain in found.chains.items()}
    straight = [edge for edge, passed in chains.items() if passed < edge[1] - edge[0] - 1]
    routed = [edge for edge in edges if edge not in set(straight)]
    assert sum(chains.values()) <= MOST_DUMMIES < sum(target - source - 1 for source, target in edges)
    assert {chains[edge] for edge in straight} == {0}
    assert max(b - a for a, b in routed) <= min(b - a for a, b in straight)
