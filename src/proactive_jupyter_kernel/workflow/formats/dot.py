r"""Workflows as Graphviz's dot: tasks are nodes, dependencies are edges, controls are edges of their own.

Attributes of nodes and edges hold the workflow: ``language`` and ``code`` of a node are the script of the task;
``control`` of an edge is ``if``, ``else``, ``continuation``, ``loop`` or ``replicate``; ``proactive`` holds, as JSON,
everything else, so that the conversion is lossless. Nodes of other dot files become tasks without code. In the
attributes of a workflow a backslash is written twice.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.checks.structure import structure_problems
from proactive_jupyter_kernel.workflow.formats.dot_read import Reader
from proactive_jupyter_kernel.workflow.formats.dot_text import parse
from proactive_jupyter_kernel.workflow.formats.loaded import Loaded, ReadFile, decoded
from proactive_jupyter_kernel.workflow.formats.record_codec import record_shape
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script, Task, Workflow

__all__ = ["dumps", "loads"]

_HEAD = """\
  graph [rankdir=TB];
  node [shape=box, style="rounded"];
"""
#: How Graphviz draws the edges of controls.
_DASHED = {"style": "dashed"}
_BACK = {"style": "dashed", "constraint": "false"}


def dumps(workflow: Workflow) -> str:
    """`workflow` as a digraph. Raises InvalidWorkflow, with all problems, if it is not valid."""
    problems = structure_problems(workflow)
    if problems:
        raise InvalidWorkflow(workflow.name, problems)
    graph = Graph(workflow)
    lines = [f"digraph {_quoted(workflow.name)} {{"]
    rest = record_shape(Workflow).encode(replace(workflow, name="", tasks=()))
    del rest["name"]
    if rest:
        lines.append(f"  graph [proactive={_json(rest)}];")
    lines.append(_HEAD.rstrip("\n"))
    lines += [_node(task, graph) for task in workflow.tasks]
    for task in workflow.tasks:
        lines += _edges(task, graph)
    return "\n".join([*lines, "}", ""])


def _node(task: Task, graph: Graph) -> str:
    attributes: dict[str, str] = {}
    rest = record_shape(Task).encode(replace(task, depends=(), block=Block.NONE, flow=None))
    del rest["name"]
    script = task.executable
    if _is_plain(script):
        assert isinstance(script, Script)
        del rest["executable"]
        attributes |= {"language": script.language, "code": script.code}
    if task.block is not Block.NONE:
        attributes["block"] = task.block.value if isinstance(task.block, Block) else str(task.block)
        attributes["peripheries"] = "2"
    if task.flow is not None:
        if _targets_exist(task, graph) and _is_plain(task.flow.script):
            attributes["control"] = _CONTROLS[type(task.flow)]
            attributes["control_language"] = task.flow.script.language
            attributes["control_code"] = task.flow.script.code
        else:
            rest["flow"] = record_shape(Task).encode(replace(task, block=Block.NONE))["flow"]
    shown = ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
    if rest:
        shown = ", ".join(part for part in (shown, f"proactive={_json(rest)}") if part)
    return f"  {_quoted(task.name)} [{shown}];"


_CONTROLS: dict[type, str] = {Branch: "branch", Loop: "loop", Replicate: "replicate"}


def _is_plain(script: Any) -> bool:
    """Whether a script has nothing but a language and code."""
    return isinstance(script, Script) and not script.url and not script.arguments


def _targets(task: Task) -> dict[str, tuple[str, dict[str, str]]]:
    """The edges of a control: name -> (task, its drawing attributes)."""
    match task.flow:
        case Branch():
            found = {"if": (task.flow.target, _DASHED), "else": (task.flow.otherwise, _DASHED)}
            if task.flow.continuation:
                found["continuation"] = (task.flow.continuation, {"style": "dotted"})
            return found
        case Loop():
            return {"loop": (task.flow.target, _BACK)}
    return {}


def _targets_exist(task: Task, graph: Graph) -> bool:
    return all(target in graph.tasks for target, _ in _targets(task).values())


def _edges(task: Task, graph: Graph) -> list[str]:
    lines = []
    for parent in dict.fromkeys(task.depends):
        replicates = isinstance(graph.tasks[parent].flow, Replicate)
        lines.append(_edge(parent, task.name, {"control": "replicate", "label": "replicate"} if replicates else {}))
    if task.flow is not None and _targets_exist(task, graph) and _is_plain(task.flow.script):
        for control, (target, drawn) in _targets(task).items():
            lines.append(_edge(task.name, target, {"control": control, "label": control, **drawn}))
    return lines


def _edge(tail: str, head: str, attributes: dict[str, str]) -> str:
    shown = ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
    return f"  {_quoted(tail)} -> {_quoted(head)}{f' [{shown}]' if shown else ''};"


def _quoted(text: str) -> str:
    r"""In quotes. A backslash is doubled, so that none precedes the closing quote or the end of a line."""
    return '"' + text.replace("\\", "\\\\").replace("\r", "\\r").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return _quoted(json.dumps(value, ensure_ascii=False))


def loads(text: str | bytes, *, read_file: ReadFile | None = None) -> Loaded:
    """The workflow in any dot file.

    Raises UnreadableWorkflow, with the line, if the text is not a digraph, and InvalidWorkflow if values of the
    workflow are wrong. `read_file` is not used.
    """
    reader = Reader(parse(decoded(text)))
    workflow = reader.workflow()
    problems = structure_problems(workflow)
    if problems:
        raise InvalidWorkflow(workflow.name, problems)
    return Loaded(workflow=workflow, notices=tuple(reader.notices))
