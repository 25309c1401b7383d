"""Workflows as Mermaid flowcharts, which GitHub, JupyterLab and many editors draw. Written only."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Replicate, Task, Workflow

__all__ = ["dumps"]

#: Flow action -> the brackets of the node's shape.
_SHAPES: dict[type, tuple[str, str]] = {Branch: ("{{", "}}"), Replicate: ("[[", "]]"), Loop: ("([", "])")}


def dumps(workflow: Workflow) -> str:
    """The graph of `workflow` with its controls; scripts are not part of it."""
    graph = Graph(workflow)
    ids = {name: f"t{number}" for number, name in enumerate(graph.tasks)}
    lines = ["---", f"title: {_title(workflow.name)}", "---", "flowchart TD"]
    for task in graph.tasks.values():
        opening, closing = _SHAPES.get(type(task.flow), ("[", "]"))
        lines.append(f"  {ids[task.name]}{opening}{_text(task.name)}{closing}")
    for task in graph.tasks.values():
        for parent in graph.parents[task.name]:
            replicates = isinstance(graph.tasks[parent].flow, Replicate)
            arrow = "-->|replicate|" if replicates else "-->"
            lines.append(f"  {ids[parent]} {arrow} {ids[task.name]}")
        lines += [f"  {ids[task.name]} {arrow} {ids[target]}" for arrow, target in _controls(task) if target in ids]
    return "\n".join(lines) + "\n"


def _controls(task: Task) -> list[tuple[str, str]]:
    match task.flow:
        case Branch():
            return [
                ("-.->|if|", task.flow.target),
                ("-.->|else|", task.flow.otherwise),
                ("-.->|continuation|", task.flow.continuation),
            ]
        case Loop():
            return [("-.->|loop|", task.flow.target)]
    return []


def _text(text: str) -> str:
    """In quotes; what Mermaid would interpret as markup is written as an entity."""
    entities = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    return '"' + "".join(entities.get(character, character) for character in text) + '"'


def _title(text: str) -> str:
    """A YAML string in single quotes."""
    return "'" + " ".join(text.replace("'", "''").split()) + "'"
