"""The rules of control flow: what ProActive's ``FlowChecker`` refuses, in the same order and with the same messages.

Every function checks one group of rules and yields all of its problems; `checks.check` combines them. Each message is
that of the server; the explanation adds the names of the tasks and what to change.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.blocks import Blocks, match_blocks
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.graph import FlowPosition, Graph, cycles, walk
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Workflow

__all__ = ["flow_problems"]

#: The maximum number of cycles to report; densely connected tasks can have a very large number of them.
_CYCLES_SHOWN = 10


def flow_problems(workflow: Workflow) -> list[Problem]:
    """All errors in the flow of a workflow whose task names are unique. Cycles hide later errors."""
    graph = Graph(workflow)
    found = list(_branch_targets(workflow, graph))
    found_cycles = [*_recursion(graph), *_unreachable(graph)]
    if found_cycles:
        return found + found_cycles
    blocks = match_blocks(graph)
    found += _unmatched(blocks)
    found += _blocks(graph, blocks)
    found += _replicates(graph, blocks)
    found += _loops(graph, blocks)
    found += _branches(graph, blocks)
    return found


def _unmatched(blocks: Blocks) -> Iterator[Problem]:
    for name, block in blocks.unmatched:
        if block is Block.START:
            explanation = f"{name!r} starts a block that no task after it ends; mark one as end."
            yield Problem(code="PA306", message="Unmatched start block", task=name, explanation=explanation)
        else:
            explanation = f"{name!r} ends a block that no task before it starts; mark one as start."
            yield Problem(code="PA305", message="Unmatched end block", task=name, explanation=explanation)


# --- rule 1: targets of branches ---


def _branch_targets(workflow: Workflow, graph: Graph) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for task in workflow.tasks:
        if not isinstance(task.flow, Branch):
            continue
        for kind, target in (("IF", task.flow.target), ("ELSE", task.flow.otherwise)):
            if target not in graph.tasks:
                explanation = f"The {kind.lower()} target of {task.name!r} is {target!r}, and no task has that name."
                explanation = f"{explanation} {did_you_mean(target, graph.tasks)}".rstrip()
                yield Problem(code="PA301", message=f"{kind} target is null", task=task.name, explanation=explanation)
            elif target in taken:
                explanation = f"{target!r} is already a target of the branch task {taken[target]!r}."
                message = "Task is target of multiple IF actions"
                yield Problem(code="PA302", message=message, task=task.name, explanation=explanation)
            else:
                taken[target] = task.name


# --- rules 3 and 4: cycles ---


def _recursion(graph: Graph) -> Iterator[Problem]:
    for cycle in cycles(graph.links(), graph.roots)[:_CYCLES_SHOWN]:
        message = "Infinite recursion detected"
        yield Problem(code="PA303", message=message, task=cycle[0], explanation=_round(cycle))


def _unreachable(graph: Graph) -> Iterator[Problem]:
    reached = set(walk(graph.roots, graph.children.__getitem__))
    lost = [name for name in graph.tasks if name not in reached]
    if not lost:
        return
    children = {name: tuple(child for child in graph.children[name] if child not in reached) for name in lost}
    for cycle in cycles(children, lost)[:_CYCLES_SHOWN]:
        explanation = _round(cycle) + " No other task leads to this cycle."
        yield Problem(code="PA304", message="Unreachable task", task=cycle[0], explanation=explanation)


def _round(cycle: tuple[str, ...]) -> str:
    if len(cycle) == 1:
        return f"{cycle[0]!r} waits for itself."
    shown = cycle if len(cycle) <= 8 else (*cycle[:7], "…")
    return f"The tasks wait for each other in a cycle: {' → '.join((*shown, cycle[0]))}."


# --- rules 6 and 7: blocks are closed ---


def _blocks(graph: Graph, blocks: Blocks) -> Iterator[Problem]:
    for start, end in blocks.end_of.items():
        stray = _way_past(graph, start, end)
        if stray:
            yield Problem(
                code="PA307",
                message=f"Task Block ending at {end} does not join all its flows",
                task=start,
                explanation=f"A path from {start!r} to {stray!r} does not reach the end {end!r}.",
            )
        outside = _way_in(graph, blocks, start, end)
        if outside:
            yield Problem(
                code="PA308",
                message=f"Task Block starting at {start} has external dependencies",
                task=start,
                explanation=f"{outside!r} is outside of the block {start!r} … {end!r}, but the block depends on it.",
            )


def _way_past(graph: Graph, start: str, end: str) -> str:
    """The last task of a path down from `start` that does not reach `end`; empty if there is none."""
    first = FlowPosition(start)
    seen = {first}
    waiting = [first]
    for place in waiting:
        if place.name == end:
            continue
        below = graph.below(place)
        if not below:
            return place.name
        for following in below:
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return ""


def _way_in(graph: Graph, blocks: Blocks, start: str, end: str) -> str:
    """The first task of a path up from `end` that does not start at `start`; empty if there is none."""

    def above(name: str) -> list[str]:
        return [] if name == start else _before(graph, blocks, name)

    return next((name for name in walk([end], above) if name != start and not above(name)), "")


def _before(graph: Graph, blocks: Blocks, name: str) -> list[str]:
    """What a task waits for: its parents, its branch task, the last tasks of the branches that it continues."""
    before = list(graph.parents[name])
    if name in graph.branch_of:
        before.append(graph.branch_of[name])
    for branch_task in graph.joined_by.get(name, ()):
        branch = graph.branches[branch_task]
        before += [_last(blocks, target) for target in (branch.target, branch.otherwise)]
    return before


def _last(blocks: Blocks, name: str) -> str:
    """The end of the block that a task starts, or the task itself."""
    return blocks.last(name)


# --- rules 8 to 11: replication ---


def _replicates(graph: Graph, blocks: Blocks) -> Iterator[Problem]:
    for name, task in graph.tasks.items():
        if isinstance(task.flow, Replicate):
            for child in graph.children[name]:
                yield from _replicated(graph, blocks, name, child)


def _replicated(graph: Graph, blocks: Blocks, name: str, child: str) -> Iterator[Problem]:
    def problem(code: str, message: str, explanation: str) -> Problem:
        return Problem(code=code, message=message, task=name, explanation=explanation)

    parents = graph.parents[child]
    last = _last(blocks, child)
    if len(parents) > 1:
        others = ", ".join(repr(parent) for parent in parents if parent != name)
        explanation = f"{name!r} replicates {child!r}, which also depends on {others}."
        yield problem("PA309", "The Target of a REPLICATE must have only one dependency", explanation)
    if graph.tasks[child].block is Block.END:
        explanation = f"{name!r} replicates {child!r}, which ends a block; add a task between them."
        yield problem("PA310", "The target of a REPLICATE cannot be the end of a task block", explanation)
    if not graph.children[last]:
        explanation = (
            f"{name!r} replicates {child!r}, but no task depends on {last!r}; add one that collects the results."
        )
        yield problem("PA311", "No merge point for REPLICATE block", explanation)
    if isinstance(graph.tasks[last].flow, Branch | Replicate):
        explanation = (
            f"{name!r} replicates up to {last!r}, which branches or replicates itself; move that into a block."
        )
        yield problem("PA312", "Last action of a REPLICATE block cannot perform IF or REPLICATE action", explanation)


# --- rules 12 to 14: loops ---


def _loops(graph: Graph, blocks: Blocks) -> Iterator[Problem]:
    for name, task in graph.tasks.items():
        if isinstance(task.flow, Loop):
            yield from _loop(graph, blocks, name, task.flow.target)


def _loop(graph: Graph, blocks: Blocks, name: str, target: str) -> Iterator[Problem]:
    if target not in graph.tasks:
        explanation = f"{name!r} loops back to {target!r}, and no task has that name."
        explanation = f"{explanation} {did_you_mean(target, graph.tasks)}".rstrip()
        yield Problem(code="PA313", message="LOOP action has no target", task=name, explanation=explanation)
        return
    on_itself = target == name and graph.tasks[name].block is Block.NONE
    if blocks.end_of.get(target) != name and not on_itself:
        yield Problem(
            code="PA314",
            message="The scope of a LOOP action should be a Task Block",
            task=name,
            explanation=f"{name!r} loops back to {target!r}: {target!r} must start the block that {name!r} ends, "
            "or a task without a block mark must loop on itself.",
        )
    if len(graph.parents[target]) > 1:
        explanation = f"{name!r} loops back to {target!r}, which depends on {len(graph.parents[target])} tasks."
        message = "The Target of a LOOP must have only one dependency"
        yield Problem(code="PA315", message=message, task=name, explanation=explanation)


# --- rules 15 to 19: branches ---


def _branches(graph: Graph, blocks: Blocks) -> Iterator[Problem]:
    for name, branch in graph.branches.items():
        join = graph.continuation(name)
        if join:
            yield from _joined_branch(graph, blocks, name, branch, join)
        else:
            yield from _open_branch(graph, name, branch)


def _open_branch(graph: Graph, name: str, branch: Branch) -> Iterator[Problem]:
    """Without a continuation, nothing follows the two branches."""
    targets = (("IF target task", branch.target), ("IF target task ELSE", branch.otherwise))
    for words, target in targets:
        if graph.parents[target]:
            explanation = f"{target!r} starts when the branch task {name!r} chooses it; remove its dependencies."
            yield Problem(code="PA316", message=f"{words} cannot have dependencies", task=name, explanation=explanation)
    for _, target in targets:
        inside = set(walk([target], graph.inside))
        for member in graph.tasks:
            if member == target or member not in inside:
                continue
            outside = [parent for parent in graph.parents[member] if parent not in inside]
            if outside:
                explanation = f"{member!r} follows {target!r}, but also depends on {outside[0]!r}, which does not."
                message = f"IF block at {target} has external dependencies"
                yield Problem(code="PA317", message=message, task=name, explanation=explanation)
                break


def _joined_branch(graph: Graph, blocks: Blocks, name: str, branch: Branch, join: str) -> Iterator[Problem]:
    """With a continuation, each branch is one task or one block, and only the continuation follows them."""

    def problem(code: str, message: str, explanation: str) -> Problem:
        return Problem(code=code, message=message, task=name, explanation=explanation)

    ways = (("IF", branch.target), ("ELSE", branch.otherwise))
    for word, target in ways:
        if target not in blocks.end_of and (graph.children[target] or graph.tasks[target].block is not Block.NONE):
            words = "IF action target" if word == "IF" else "IF action ELSE target"
            explanation = f"With a continuation, {target!r} must be a single task, or start a block."
            yield problem("PA318", f"{words} is not a Task Block", explanation)
    if graph.joined_by[join] != [name]:
        others = ", ".join(repr(other) for other in graph.joined_by[join] if other != name)
        yield problem(
            "PA319", "JOIN task merges multiple IF actions", f"{join!r} is also the continuation of {others}."
        )
    for word, target in ways:
        last = blocks.end_of.get(target)
        if last is not None and graph.children[last]:
            explanation = (
                f"After {last!r} only the continuation {join!r} follows, but {graph.children[last][0]!r} does."
            )
            yield problem("PA320", f"{word} task block cannot have children", explanation)
    for word, target in (("IF task block", branch.target), ("ELSE task block", branch.otherwise), ("JOIN task", join)):
        if graph.parents[target]:
            explanation = f"{target!r} belongs to the branch of {name!r}, which starts it; remove its dependencies."
            yield problem("PA321", f"{word} cannot have dependencies", explanation)
