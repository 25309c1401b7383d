"""Which block mark closes which: nested blocks, blocks on the sides of branches, marks without a partner."""

from __future__ import annotations

from hypothesis import given
from strategies import controlled

from proactive_jupyter_kernel.workflow.blocks import match_blocks
from proactive_jupyter_kernel.workflow.checks import errors
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Block, Branch, Script, Task, Workflow

CODE = Script(language="groovy", code="true")
START, END = Block.START, Block.END


def task(name: str, *depends: str, block: Block = Block.NONE, branch: tuple[str, str, str] | None = None) -> Task:
    flow = (
        None if branch is None else Branch(script=CODE, target=branch[0], otherwise=branch[1], continuation=branch[2])
    )
    return Task(name=name, executable=CODE, depends=depends, block=block, flow=flow)


def pairs(*tasks: Task) -> dict[str, str]:
    return match_blocks(Graph(Workflow(name="blocks", tasks=tasks))).end_of


def test_an_end_closes_the_innermost_start() -> None:
    """Blocks nest; the order of the definitions does not count."""
    found = pairs(
        task("outer end", "inner end", block=END),
        task("inner end", "inner", block=END),
        task("inner", "outer", block=START),
        task("outer", block=START),
    )
    assert found == {"outer": "outer end", "inner": "inner end"}


def test_a_block_continues_after_the_sides_of_a_branch() -> None:
    """The continuation is entered from the end of a side, with the blocks closed that the side opened."""
    found = pairs(
        task("start", block=START),
        task("if", "start", branch=("yes", "no", "join")),
        task("yes", block=START),
        task("yes end", "yes", block=END),
        task("no"),
        task("join", block=END),
    )
    assert found == {"start": "join", "yes": "yes end"}


def test_marks_without_a_partner_are_named() -> None:
    """An end without a start and a start without an end."""
    blocks = match_blocks(Graph(Workflow(name="x", tasks=(task("e", block=END), task("s", "e", block=START)))))
    assert (blocks.end_of, blocks.unmatched) == ({}, [("e", END), ("s", START)])


@given(controlled())
def test_in_a_valid_workflow_every_mark_has_its_partner(workflow: Workflow) -> None:
    """A start and an end belong together, both ways."""
    assert errors(workflow) == []
    blocks = match_blocks(Graph(workflow))
    marked = {one.name: one.block for one in workflow.tasks if one.block is not Block.NONE}
    partners = {name: blocks.partner(name) for name in marked}
    assert all(partners[str(other)] == name for name, other in partners.items())
    assert blocks.end_of.keys() == {name for name, block in marked.items() if block is START}
