"""From the nodes and edges of a dot file to a workflow."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from proactive_jupyter_kernel.errors import UnreadableWorkflow
from proactive_jupyter_kernel.workflow.formats.dot_text import Edge, Html, ParsedGraph
from proactive_jupyter_kernel.workflow.formats.loaded import MAX_TASKS
from proactive_jupyter_kernel.workflow.formats.record_codec import InvalidRecord, record_shape, shown_path
from proactive_jupyter_kernel.workflow.lexical import characters_problem
from proactive_jupyter_kernel.workflow.model import Branch, FlowAction, Loop, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.names import to_ncname

__all__ = ["Reader"]

_ESCAPE = re.compile(r"\\([\\r])")
_LABEL_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
#: Edges of controls that are not dependencies.
_TARGETS = ("if", "else", "continuation", "loop")


class Reader:
    """Converts a graph to a workflow; `notices` lists what was changed or omitted."""

    def __init__(self, graph: ParsedGraph) -> None:
        self.graph = graph
        self.notices: list[str] = []
        if not graph.directed:
            raise UnreadableWorkflow(
                "This graph is undirected: its edges do not say which task comes first.",
                hint="Write digraph instead of graph, and -> instead of --.",
            )
        if not graph.nodes:
            raise UnreadableWorkflow("This graph has no node; a workflow needs at least one task.")
        if len(graph.nodes) > MAX_TASKS:
            raise UnreadableWorkflow(f"The workflow has {len(graph.nodes):,} tasks; at most {MAX_TASKS:,} are read.")

    def workflow(self) -> Workflow:
        """The whole workflow."""
        graph = self.graph
        if graph.more:
            self.notices.append("The file holds several graphs; only the first one was read.")
        hidden = [name for name, attributes in graph.nodes.items() if _invisible(attributes)]
        self.names = self.task_names([name for name in graph.nodes if name not in hidden])
        shown = [edge for edge in graph.edges if edge.tail in self.names and edge.head in self.names]
        edges = [edge for edge in shown if not _invisible(edge.attributes)]
        if hidden:
            self.notices.append(f"Left out invisible nodes: {_listed(hidden)}.")
        if len(edges) < len(shown):
            count = len(shown) - len(edges)
            self.notices.append(f"Left out {count} invisible edge{'s' if count > 1 else ''}, which only place nodes.")
        parents: dict[str, dict[str, None]] = {name: {} for name in self.names}
        targets: dict[str, dict[str, str]] = {name: {} for name in self.names}
        for edge in edges:
            self.sort(edge, parents, targets)
        rest = self.rest(graph.attributes, "the graph")
        tasks = tuple(self.task(name, parents[name], targets[name]) for name in self.names)
        if not any("code" in graph.nodes[name] or "proactive" in graph.nodes[name] for name in self.names):
            word = "task has" if len(tasks) == 1 else "tasks have"
            self.notices.append(f"The file holds no scripts: its {len(tasks)} {word} no code yet.")
        name = _unescaped(graph.name)
        if len(name) < 2:
            name = f"{name}_workflow" if name else "Unnamed_job"
        workflow: Workflow = self.record(Workflow, {**rest, "name": name}, "the graph", tasks=tasks)
        return workflow

    def task_names(self, nodes: list[str]) -> dict[str, str]:
        """Node -> task; names that are not valid for tasks are changed."""
        names: dict[str, str] = {}
        taken = set(nodes)
        for node in nodes:
            name = to_ncname(node)
            if name != node:
                stem, number = name, 2
                while name in taken:
                    name, number = f"{stem}_{number}", number + 1
                taken.add(name)
                self.notices.append(f"Node {node!r} became task {name!r}: a task cannot have the other name.")
            names[node] = name
        return names

    def sort(self, edge: Edge, parents: dict[str, dict[str, None]], targets: dict[str, dict[str, str]]) -> None:
        control = edge.attributes.get("control", "")
        if control in _TARGETS:
            if control in targets[edge.tail]:
                raise UnreadableWorkflow(f"Line {edge.line}: {edge.tail!r} has two edges with control={control}.")
            targets[edge.tail][control] = self.names[edge.head]
            return
        if control == "replicate":
            targets[edge.tail]["replicate"] = ""
        parents[edge.head][self.names[edge.tail]] = None

    # --- a task ---

    def task(self, node: str, parents: dict[str, None], targets: dict[str, str]) -> Task:
        attributes = self.graph.nodes[node]
        where = f"node {node!r} (line {self.graph.lines[node]})"
        rest = self.rest(attributes, where)
        known: dict[str, Any] = {"depends": tuple(parents)}
        if "executable" not in rest:
            known["executable"] = Script(
                language=_unescaped(attributes.get("language", "cpython")), code=_unescaped(attributes.get("code", ""))
            )
        if "block" in attributes:
            rest["block"] = attributes["block"]
        if "flow" not in rest:
            known["flow"] = self.flow(node, attributes, targets)
        if "description" not in rest and not {"code", "proactive"} & attributes.keys():
            known["description"] = _label(node, attributes.get("label", ""))
        task: Task = self.record(Task, {**rest, "name": self.names[node]}, where, **known)
        return task

    def flow(self, node: str, attributes: dict[str, str], targets: dict[str, str]) -> FlowAction | None:
        kind = attributes.get("control") or next((_KIND_OF[one] for one in targets), "")
        if not kind:
            return None
        if "control_code" not in attributes:
            self.notices.append(f"The {kind} of {node!r} needs a script that decides it, and has none.")
        script = Script(
            language=_unescaped(attributes.get("control_language", "javascript")),
            code=_unescaped(attributes.get("control_code", "")),
        )
        if kind == "replicate":
            return Replicate(script=script)
        if kind == "loop" and "loop" in targets:
            return Loop(script=script, target=targets["loop"])
        if kind == "branch" and {"if", "else"} <= targets.keys():
            continuation = targets.get("continuation", "")
            return Branch(script=script, target=targets["if"], otherwise=targets["else"], continuation=continuation)
        place = f"Line {self.graph.lines[node]}: node {node!r}: "
        needed = "control=loop" if kind == "loop" else "control=if and one with control=else"
        if kind not in ("loop", "branch"):
            raise UnreadableWorkflow(f"{place}control={kind} is not known; use branch, loop or replicate.")
        raise UnreadableWorkflow(f"{place}a {kind} needs an edge with {needed}.")

    # --- records ---

    def rest(self, attributes: dict[str, str], where: str) -> dict[str, Any]:
        """The attribute ``proactive``: the fields that dot cannot represent."""
        if "proactive" not in attributes:
            return {}
        try:
            value = json.loads(_unescaped(attributes["proactive"]))
        except (ValueError, RecursionError) as error:
            raise UnreadableWorkflow(f"The attribute proactive of {where} is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise UnreadableWorkflow(f"The attribute proactive of {where} is not a JSON object.")
        return value

    def record(self, kind: Any, values: dict[str, Any], where: str, **known: Any) -> Any:
        """A record from JSON values and fields that are already decoded."""
        stand_ins = {"executable": {"type": "script", "language": "cpython"}} if "executable" in known else {}
        try:
            found = record_shape(kind).decode({**values, **stand_ins}, ())
        except InvalidRecord as error:
            raise UnreadableWorkflow(f"In {where}, {shown_path(error.path) or 'proactive'} {error}.") from None
        fields = {name: getattr(found, name) for name in found.__dataclass_fields__}
        return kind(**{**fields, **known})


_KIND_OF = {"if": "branch", "else": "branch", "continuation": "branch", "loop": "loop", "replicate": "replicate"}


def _invisible(attributes: dict[str, str]) -> bool:
    return "invis" in (style.strip() for style in attributes.get("style", "").split(","))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\r" if match.group(1) == "r" else "\\", text)


def _label(node: str, label: str) -> str:
    """The label of a foreign file as text; empty if it only repeats the name."""
    if isinstance(label, Html):
        text = html.unescape(_TAG.sub(" ", label))
        text = " ".join(text.split())
    else:
        meant = {"n": "\n", "l": "\n", "r": "\n", "N": node, "G": "", "E": "", "T": "", "H": "", "L": ""}
        text = _LABEL_ESCAPE.sub(lambda match: meant.get(match.group(1), match.group(1)), label).strip()
    return "" if text == node or characters_problem(text) else text


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
