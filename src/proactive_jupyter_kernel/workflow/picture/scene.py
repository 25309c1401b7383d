"""The content of a picture: boxes, edges between them, blocks around them, without sizes and colours. Pure.

An invalid workflow is drawn as far as possible: unknown parents are omitted, and an edge that closes a cycle is drawn
as a back edge.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from proactive_jupyter_kernel.workflow.blocks import match_blocks
from proactive_jupyter_kernel.workflow.graph import Graph, cycles
from proactive_jupyter_kernel.workflow.languages import mark_of
from proactive_jupyter_kernel.workflow.model import (
    Branch,
    FlowAction,
    JavaClass,
    Loop,
    NativeCommand,
    Replicate,
    Script,
    Task,
    Workflow,
)
from proactive_jupyter_kernel.workflow.picture.conditions import count_of, loop_words
from proactive_jupyter_kernel.workflow.picture.measure import clean
from proactive_jupyter_kernel.workflow.picture.task_summary import TaskSummary, gather, merge

__all__ = ["BackEdge", "Box", "Cluster", "Edge", "EdgeKind", "Scene", "scene_of"]


class EdgeKind(enum.Enum):
    """What an edge means; the value is its label."""

    DEPENDENCY = ""
    IF = "if"
    ELSE = "else"
    CONTINUATION = "continuation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One task, or a family of them."""

    #: The name of its first task; unique.
    key: str
    #: The displayed name, if there is enough space.
    name: str
    #: Two letters for the language; empty for a family of several languages.
    mark: str = ""
    #: The second line without a summary: the scripts around the task, or its control.
    words: tuple[str, ...] = ()
    #: The names of the tasks in it.
    members: tuple[str, ...]
    #: The number of runs in the badge; empty: once.
    times: str = ""
    #: True: it decides a branch.
    decides: bool = False
    summary: TaskSummary | None = None

    @property
    def family(self) -> bool:
        """Whether it represents several tasks of the workflow."""
        return len(self.members) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From one box to another, by their keys."""

    source: str
    target: str
    kind: EdgeKind = EdgeKind.DEPENDENCY
    #: False: another edge of the same control has the label.
    labelled: bool = True

    @property
    def label(self) -> str:
        return self.kind.value if self.labelled else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEdge:
    """The back edge of a loop, or an edge that closes a cycle."""

    source: str
    target: str
    label: str


@dataclass(slots=True, kw_only=True)
class Cluster:
    """A group of boxes, and its nested clusters."""

    members: frozenset[str]
    caption: str = ""
    #: Whether it has its own background in the picture.
    shown: bool = False
    backs: list[BackEdge] = field(default_factory=list)
    inner: list[Cluster] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that is drawn."""

    name: str
    #: The number of tasks of the workflow.
    tasks: int
    boxes: dict[str, Box]
    edges: list[Edge]
    #: Around everything.
    root: Cluster
    #: Whether states are shown.
    live: bool = False


def scene_of(workflow: Workflow, summaries: Mapping[str, TaskSummary] | None = None) -> Scene:
    """What to draw of a workflow; with summaries, of a job."""
    from proactive_jupyter_kernel.workflow.picture.families import families

    graph = Graph(workflow)
    found = gather(summaries) if summaries else {}
    edges, backs = _edges(graph)
    replicated = _replicated(graph)
    groups = families(graph, edges)
    key_of = {name: members[0] for members in groups for name in members}
    boxes = {members[0]: _box(graph, members, replicated, found) for members in groups}
    folded: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        source, target = key_of[edge.source], key_of[edge.target]
        if source != target:
            folded.setdefault(
                (source, target), Edge(source=source, target=target, kind=edge.kind, labelled=edge.labelled)
            )
    blocks = [_on(block, key_of) for block in _blocks(graph, replicated, backs, found)]
    root = _nest(frozenset(boxes), blocks)
    return Scene(
        name=clean(workflow.name),
        tasks=len(graph.tasks),
        boxes=boxes,
        edges=list(folded.values()),
        root=root,
        live=bool(summaries),
    )


# -- boxes


#: The scripts around a task, as the second line names them.
_SCRIPTS = ("pre", "post", "clean", "selection", "fork")
_FLOWS: Mapping[type[FlowAction], str] = {Branch: "branch", Loop: "loop", Replicate: "replicate"}


def _words(task: Task) -> tuple[str, ...]:
    given = (task.pre, task.post, task.clean, task.selection, task.fork_environment)
    scripts = [word for word, script in zip(_SCRIPTS, given, strict=True) if script]
    return (*([_FLOWS[type(task.flow)]] if task.flow else ()), *scripts)


def _mark(task: Task) -> str:
    match task.executable:
        case Script(language=language, url=url):
            return mark_of(language, url)
        case JavaClass():
            return "jv"
        case NativeCommand():
            return "$_"


def _box(
    graph: Graph, members: Sequence[str], replicated: Mapping[str, str], summaries: Mapping[str, TaskSummary]
) -> Box:
    from proactive_jupyter_kernel.workflow.picture.families import stem

    tasks = [graph.tasks[name] for name in members]
    known = [summaries[name] for name in members if name in summaries]
    marks = {_mark(task) for task in tasks}
    words = {_words(task) for task in tasks}
    first = tasks[0]
    summary = merge(known) if known else None
    if len(tasks) > 1:
        name, times = stem(members), str(len(tasks))
    else:
        name, times = first.name, replicated.get(first.name, "")
        if times and summary is not None and summary.total > 1:
            times = str(summary.total)
    return Box(
        key=first.name,
        name=clean(name),
        mark=marks.pop() if len(marks) == 1 else "",
        words=words.pop() if len(words) == 1 else (),
        members=tuple(members),
        times=times,
        decides=isinstance(first.flow, Branch) and first.name in graph.branches,
        summary=summary,
    )


# -- edges


def _edges(graph: Graph) -> tuple[list[Edge], list[BackEdge]]:
    """The edges without those that close a cycle, and the back edges."""
    edges: dict[tuple[str, str], Edge] = {}
    for name, parents in graph.parents.items():
        for parent in parents:
            edges[parent, name] = Edge(source=parent, target=name)
    for name, branch in graph.branches.items():
        edges[name, branch.target] = Edge(source=name, target=branch.target, kind=EdgeKind.IF)
        edges[name, branch.otherwise] = Edge(source=name, target=branch.otherwise, kind=EdgeKind.ELSE)
        if join := graph.continuation(name):
            for index, end in enumerate(graph.ends(branch.target, branch.otherwise)):
                if (end, join) not in edges:
                    edges[end, join] = Edge(source=end, target=join, kind=EdgeKind.CONTINUATION, labelled=not index)
    backs = [
        BackEdge(source=name, target=task.flow.target, label="loop")
        for name, task in graph.tasks.items()
        if isinstance(task.flow, Loop) and task.flow.target in graph.tasks
    ]
    links: dict[str, list[str]] = {name: [] for name in graph.tasks}
    for source, target in edges:
        links[source].append(target)
    for cycle in cycles({name: tuple(found) for name, found in links.items()}, graph.tasks):
        edges.pop((cycle[-1], cycle[0]), None)
        backs.append(BackEdge(source=cycle[-1], target=cycle[0], label="cycle"))
    return list(edges.values()), backs


# -- blocks


def _reach(links: Mapping[str, Iterable[str]], start: str, stop: Iterable[str] = ()) -> set[str]:
    """Everything that can be reached from `start`, including itself, without passing `stop`."""
    ends = set(stop)
    seen = {start}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in ends:
            continue
        for other in links[name]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def _between(links: Mapping[str, Iterable[str]], first: str, last: str) -> frozenset[str]:
    """`first`, `last` and everything on the paths between them; empty if there is no path."""
    if first == last:
        return frozenset({first})
    reached = _reach(links, first, (last,))
    if last not in reached:
        return frozenset()
    back: dict[str, list[str]] = {name: [] for name in reached}
    for name in reached:
        for other in links[name]:
            if other in reached and name != last:
                back[other].append(name)
    return frozenset(_reach(back, last))


def _bodies(
    graph: Graph, name: str, links: Mapping[str, Iterable[str]], ends: Mapping[str, str]
) -> list[frozenset[str]]:
    """What a task replicates: each child, or the block that the child starts; `ends` are the ends of the blocks."""
    bodies = []
    for child in graph.children[name]:
        end = ends.get(child, "")
        bodies.append(_between(links, child, end) if end else frozenset({child}))
    return bodies


def _replicated(graph: Graph) -> dict[str, str]:
    """Replicated task -> number of runs; of nested replications the innermost counts."""
    links, ends = graph.links(), match_blocks(graph).end_of
    found: dict[str, tuple[int, str]] = {}
    for name, task in graph.tasks.items():
        if isinstance(task.flow, Replicate):
            times = count_of(task.flow.script.code) or "n"
            for body in _bodies(graph, name, links, ends):
                for member in body:
                    if member not in found or len(body) < found[member][0]:
                        found[member] = (len(body), times)
    return {name: times for name, (_, times) in found.items()}


def _blocks(
    graph: Graph, replicated: Mapping[str, str], backs: Sequence[BackEdge], summaries: Mapping[str, TaskSummary]
) -> list[Cluster]:
    """Loops and replications with everything between their ends."""
    links, ends = graph.links(), match_blocks(graph).end_of
    blocks = []
    for back in backs:
        loop = graph.tasks[back.source].flow
        members = _between(links, back.target, back.source) or frozenset({back.source, back.target})
        iteration = max((summaries[name].iteration for name in members if name in summaries), default=0)
        label = f"{back.label} · iteration {iteration}" if iteration else back.label
        caption = loop_words(loop.script.code) if isinstance(loop, Loop) else back.label
        shown = BackEdge(source=back.source, target=back.target, label=label)
        blocks.append(Cluster(members=members, caption=caption, backs=[shown]))
    for name, task in graph.tasks.items():
        if not isinstance(task.flow, Replicate):
            continue
        bodies = _bodies(graph, name, links, ends)
        body = frozenset().union(*bodies)
        if not body:
            continue
        after = {child for one in bodies for member in one for child in links[member] if child not in body}
        members = body | {name} | (after if len(after) == 1 else frozenset())
        times = count_of(task.flow.script.code)
        caption = f"replicate, runs = {times}" if times else "replicate"
        blocks.append(Cluster(members=members, caption=caption, shown=len(body) > len(bodies)))
    return blocks


def _on(block: Cluster, key_of: Mapping[str, str]) -> Cluster:
    """The block with boxes for tasks."""
    backs = [BackEdge(source=key_of[back.source], target=key_of[back.target], label=back.label) for back in block.backs]
    members = frozenset(key_of[name] for name in block.members)
    return Cluster(members=members, caption=block.caption, shown=block.shown, backs=backs)


def _nest(everything: frozenset[str], blocks: list[Cluster]) -> Cluster:
    """Nest the blocks, the largest outside; blocks that overlap others are dropped."""
    root = Cluster(members=everything)
    for block in sorted(blocks, key=lambda one: -len(one.members)):
        outer = root
        while True:
            if outer is not root and block.members == outer.members:
                outer.backs += block.backs
                break
            holding = next((one for one in outer.inner if block.members <= one.members), None)
            if holding is not None:
                outer = holding
                continue
            if any(block.members & one.members for one in outer.inner):
                outer.backs += block.backs
            else:
                outer.inner.append(block)
            break
    _show(root, inside=False)
    return root


def _show(outer: Cluster, *, inside: bool) -> None:
    """Nested controls have a background and a caption; a simple control needs neither."""
    for block in outer.inner:
        block.shown = block.shown or inside or bool(block.inner)
        _show(block, inside=block.shown)
