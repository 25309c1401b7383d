"""Workflows as Mermaid flowcharts."""

from __future__ import annotations

from hypothesis import given, settings
from strategies import workflows

from proactive_jupyter_kernel.workflow.formats.mermaid import dumps
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Replicate, Script, Task, Workflow

CODE = Script(language="javascript", code="x")


def test_dependencies_and_controls_are_arrows() -> None:
    """Names are quoted, the shapes tell the controls."""
    workflow = Workflow(
        name='it\'s "one"',
        tasks=(
            Task(name="end", executable=CODE, flow=Branch(script=CODE, target="yes", otherwise="no")),
            Task(name="yes", executable=CODE, flow=Loop(script=CODE, target="yes")),
            Task(name="no", executable=CODE, flow=Replicate(script=CODE)),
            Task(name="é#1", executable=CODE, depends=("no",)),
        ),
    )
    assert dumps(workflow) == (
        "---\ntitle: 'it''s \"one\"'\n---\nflowchart TD\n"
        '  t0{{"end"}}\n  t1(["yes"])\n  t2[["no"]]\n  t3["é#35;1"]\n'
        "  t0 -.->|if| t1\n  t0 -.->|else| t2\n  t1 -.->|loop| t1\n  t2 -->|replicate| t3\n"
    )


@settings(max_examples=40)
@given(workflows())
def test_every_workflow_can_be_written(workflow: Workflow) -> None:
    """One line for each task, whatever its name."""
    lines = dumps(workflow).splitlines()
    assert sum(line.startswith("  t") and "->" not in line for line in lines) == len(workflow.tasks)
