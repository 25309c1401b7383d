"""A text description of a picture, for screen readers. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.picture.scene import Box, Cluster, EdgeKind, Scene
from proactive_jupyter_kernel.workflow.picture.task_summary import TaskSummary
from proactive_jupyter_kernel.workflow.picture.tokens import STATES
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["alternative", "box_title", "counts_words", "description", "title"]

#: Maximum number of sentences of a description, and of characters of an alternative text.
_SENTENCES = 60
_ALTERNATIVE = 420


def title(scene: Scene) -> str:
    """One line: what it is."""
    count = f"{scene.tasks:,} task{'s' if scene.tasks != 1 else ''}"
    return f"Workflow {scene.name}: {count}"


def description(scene: Scene) -> str:
    """The whole graph as sentences."""
    found = list(_sentences(scene))
    if len(found) > _SENTENCES:
        found = [*found[:_SENTENCES], f"And {len(found) - _SENTENCES:,} more."]
    return " ".join(found)


def alternative(scene: Scene) -> str:
    """The alternative text of an image, with a description of the graph up to the limit."""
    whole = f"{title(scene)}. {description(scene)}"
    if len(whole) <= _ALTERNATIVE:
        return whole
    return whole[:_ALTERNATIVE].rpartition(". ")[0] + ". …"


def box_title(box: Box) -> str:
    """A box in words: its full name, its state or its scripts."""
    name = f"{box.name} × {box.times}" if box.times else box.name
    if box.summary is None:
        words = ", ".join(box.words)
        return f"{name} ({words})" if words else name
    return f"{name}: {summary_words(box.summary)}"


def summary_words(summary: TaskSummary) -> str:
    """A state in words."""
    if summary.counts:
        return counts_words(summary.counts)
    word = STATES[summary.status].word
    parts = [word]
    if summary.note and summary.note != word:
        parts.append(summary.note)
    if summary.progress is not None:
        parts.append(f"{summary.progress} %")
    if summary.iteration:
        parts.append(f"iteration {summary.iteration}")
    return ", ".join(parts)


def counts_words(counts: Mapping[TaskStatus, int]) -> str:
    """The number of tasks of a box in each state, the most important state first."""
    merged: dict[str, int] = {}
    for status in sorted(counts, key=lambda one: STATES[one].rank):
        if counts[status]:
            word = STATES[status].word
            merged[word] = merged.get(word, 0) + counts[status]
    return ", ".join(f"{count:,} {word}" for word, count in merged.items())


def _sentences(scene: Scene) -> list[str]:
    before: dict[str, list[str]] = {}
    sentences = []
    targets: dict[str, dict[EdgeKind, list[str]]] = {}
    for edge in scene.edges:
        if edge.kind is EdgeKind.DEPENDENCY:
            before.setdefault(edge.target, []).append(scene.boxes[edge.source].name)
        elif edge.kind is EdgeKind.CONTINUATION:
            targets.setdefault(edge.source, {}).setdefault(edge.kind, []).append(scene.boxes[edge.target].name)
        else:
            targets.setdefault(edge.source, {}).setdefault(edge.kind, []).append(scene.boxes[edge.target].name)
    for key, box in scene.boxes.items():
        parents = before.get(key)
        sentence = box_title(box)
        if parents:
            sentence += f", after {_list(parents)}"
        ways = targets.get(key, {})
        if EdgeKind.IF in ways or EdgeKind.ELSE in ways:
            chosen, other = _list(ways.get(EdgeKind.IF, [])), _list(ways.get(EdgeKind.ELSE, []))
            sentence += f", decides between {chosen} (if) and {other} (else)"
        if EdgeKind.CONTINUATION in ways:
            sentence += f", continues with {_list(ways[EdgeKind.CONTINUATION])}"
        sentences.append(sentence + ".")
    sentences += _backs(scene, scene.root)
    return sentences


def _backs(scene: Scene, block: Cluster) -> list[str]:
    found = [
        f"{back.label.capitalize()}: from {scene.boxes[back.source].name} back to {scene.boxes[back.target].name}."
        for back in block.backs
    ]
    for inner in block.inner:
        found += _backs(scene, inner)
    return found


def _list(names: list[str]) -> str:
    if len(names) > 6:
        names = [*names[:5], f"{len(names) - 5} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"
