"""Jobs for certain nodes: what is added to the workflow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proactive_jupyter_kernel.client.jobs.node_choice import NodeChoice
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript, Task, Workflow

CODE = Script(language="cpython", code="1")
OWN = SelectionScript(script=Script(language="bash", code="selected=true"))
PLAIN = Task(name="A", executable=CODE)
CHOOSY = Task(name="B", executable=CODE, selection=(OWN,), generic_information={"NODE_SOURCE": "big"})
WORKFLOW = Workflow(name="j", tasks=(PLAIN, CHOOSY), generic_information={"K": "v"})


def test_source_and_token_are_generic_information() -> None:
    """Of the job, by the keys of all versions."""
    chosen = NodeChoice(node_source="gpu", token="cuda").applied(WORKFLOW, embedded=False)
    information = {"K": "v", "NODESOURCENAME": "gpu", "NODE_ACCESS_TOKEN": "cuda"}
    assert chosen == replace(WORKFLOW, generic_information=information)


def test_a_node_source_of_the_job_is_replaced() -> None:
    """Its newer key would win otherwise."""
    job = replace(WORKFLOW, generic_information={"NODE_SOURCE": "old"})
    chosen = NodeChoice(node_source="gpu").applied(job, embedded=True)
    assert chosen.generic_information == {"NODE_SOURCE": "gpu", "NODESOURCENAME": "gpu"}


@pytest.mark.parametrize(("embedded", "language"), [(True, "javascript"), (False, "groovy")])
def test_a_host_is_chosen_by_a_script(embedded: bool, language: str) -> None:
    """Beside the scripts that a task has, in a language that every node runs."""
    chosen = NodeChoice(host="Mars-'1").applied(WORKFLOW, embedded=embedded)
    script = SelectionScript(
        script=Script(language=language, code="selected = (nodehost.toLowerCase() == 'mars-\\'1')"), static=True
    )
    assert [task.selection for task in chosen.tasks] == [(script,), (OWN, script)]


def test_tasks_that_ask_for_other_nodes_are_reported() -> None:
    """Their own generic information wins on every scheduler."""
    choice = NodeChoice(node_source="gpu", token="cuda")
    assert choice.exceptions(WORKFLOW) == ["Task B keeps its own node source 'big' (NODE_SOURCE)."]
    assert NodeChoice(node_source="big").exceptions(WORKFLOW) == []
    assert not NodeChoice()
