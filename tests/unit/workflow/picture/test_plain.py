"""The drawing with characters."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

sys.path.insert(0, str(Path(__file__).parent))

import shapes

from proactive_jupyter_kernel.workflow import picture
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.picture import TaskSummary
from proactive_jupyter_kernel.workflow.picture.measure import cells
from proactive_jupyter_kernel.workflow.status import TaskStatus

SIMPLE = """\
Workflow simple: 5 tasks

             ┌───────┐
         ┌──▶│ check │─┐
┌──────┐ │   └───────┘ │   ┌────────┐    ┌──────┐
│ load │─┤             ├──▶│ report │───▶│ mail │
└──────┘ │   ┌───────┐ │   └────────┘    └──────┘
         └──▶│ train │─┘
             └───────┘"""

BRANCH = """\
Workflow branch: 4 tasks

                    ┌───────────┐
            ┌────if▶│ ▸ retrain │─┐
┌─────────┐ │       └───────────┘ │               ┌───────────┐
│ ✓ score │─┤                     ├──continuation▶│ ○ publish │
└─────────┘ │       ┌────────┐    │               └───────────┘
            └──else▶│ – keep │────┘
                    └────────┘

▸ retrain: 4.2 s"""

LOOP = """\
Workflow loop: 4 tasks

┌───────┐    ┌───────┐    ┌──────┐    ┌───────┐
│ fetch │───▶│ parse │───▶│ test │───▶│ store │
└───────┘    └───────┘    └──────┘    └───────┘

test ┄▶ fetch  (loop while error > 0.1)"""

FAMILY = """\
Workflow family: 152 tasks

┌──────┐    ┌────────────┐    ┌───────┐
│ load │───▶│ work × 150 │───▶│ merge │
└──────┘    └────────────┘    └───────┘"""

BRANCH_LOOKS = {
    "score": TaskSummary(status=TaskStatus.FINISHED),
    "retrain": TaskSummary(status=TaskStatus.RUNNING, note="4.2 s"),
    "keep": TaskSummary(status=TaskStatus.SKIPPED),
    "publish": TaskSummary(status=TaskStatus.SUBMITTED),
}


@pytest.mark.parametrize(
    ("workflow", "summaries", "expected"),
    [
        (shapes.SIMPLE, None, SIMPLE),
        (shapes.BRANCH, BRANCH_LOOKS, BRANCH),
        (shapes.LOOP, None, LOOP),
        (shapes.family(150), None, FAMILY),
        (Workflow(name="empty"), None, "Workflow empty: 0 tasks"),
    ],
    ids=["simple", "branch", "loop", "family", "empty"],
)
def test_usual_shapes_are_drawn(workflow: Workflow, summaries: dict[str, TaskSummary] | None, expected: str) -> None:
    """Boxes, edges, labels, states; below them what lines cannot tell."""
    assert picture.text(workflow, summaries) == expected


def test_wide_letters_take_two_cells() -> None:
    """The frame around a Japanese name closes where its line does."""
    lines = picture.text(shapes.NAMES).splitlines()
    middle = next(index for index, line in enumerate(lines) if "気象データの集計" in line)
    corner = cells(lines[middle - 1][: lines[middle - 1].index("┐")]) if "┐" in lines[middle - 1] else -1
    frames = [cells(lines[middle + shift].rstrip()) for shift in (-1, 1)]
    assert frames[0] == frames[1]
    assert corner > 0


def test_a_long_chain_goes_down() -> None:
    """No line is longer than a page."""
    chain = [shapes.task("t0"), *(shapes.task(f"t{n}", f"t{n - 1}") for n in range(1, 20))]
    assert max(map(len, picture.text(shapes.workflow("chain", *chain)).splitlines())) < 30


@settings(max_examples=40)
@given(workflow=shapes.any_workflow())
def test_every_task_stands_in_the_drawing_once(workflow: Workflow) -> None:
    """Whatever the graph is, no box covers another."""
    drawing = picture.text(workflow)
    frames = [(drawing.count(f"│ {task.name} │") + drawing.count(f"│ {task.name} ×")) for task in workflow.tasks]
    assert frames == [1] * len(workflow.tasks)


def test_a_dense_graph_is_a_list() -> None:
    """Where no line could be followed, each task stands with what it follows, once."""
    tasks = [shapes.task(f"t{n}", *(f"t{before}" for before in range(n))) for n in range(35)]
    lines = picture.text(shapes.workflow("dense", *tasks)).splitlines()
    assert lines[2:] == [
        "Too many dependencies to draw with characters. Each task, and what it follows:",
        "",
        "t0",
        *(f"t{n} ◀ {', '.join(f't{before}' for before in range(n))}" for n in range(1, 35)),
    ]
