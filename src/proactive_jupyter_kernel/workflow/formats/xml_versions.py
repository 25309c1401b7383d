"""What the versions of the workflow schema differ in, and the removal of what an older one does not have.

A server knows the schemas up to its own and refuses any newer one, so a workflow for an older server is written in an
older schema. The rows are those of the history of ``schedulerjob.rng``; a workflow is reduced as a tree of elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.workflow.elements import Attribute, Element
from proactive_jupyter_kernel.workflow.lexical import ACCESS_IN, FLAG
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Task

__all__ = ["NEWEST", "VERSIONS", "MissingFeature", "notices", "number_of", "reduced"]

#: The released versions, oldest first, and the development version, which has the structure of the newest.
VERSIONS = (*(f"3.{number}" for number in range(15)), "dev")
NEWEST = "3.14"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFeature:
    """A part of a workflow that a schema version does not have."""

    #: What is missing, such as ``group of a variable``.
    what: str
    #: The first version that has it.
    since: str
    #: What it means that it is missing; empty: it is documentation only.
    effect: str = ""
    #: The task whose part it is; empty: the job's.
    task: str = ""
    #: The element within the task or the job; empty: the task or the job itself.
    place: str = ""

    @property
    def where(self) -> str:
        """The place in words: ``variable 'A' of task T``."""
        owner = f"task {self.task}" if self.task else "the job"
        return f"{self.place} of {owner}" if self.place else owner


@dataclass(frozen=True, slots=True)
class _Row:
    """An attribute or an element."""

    since: int
    what: str
    effect: str = ""


_SERVER_DECIDES = "the server's default applies"
#: (element, attribute) -> the first version that has it.
_ATTRIBUTES: dict[tuple[str, str], _Row] = {
    ("job", "tags"): _Row(14, "tags"),
    ("variable", "description"): _Row(13, "description of a variable"),
    ("variable", "group"): _Row(13, "group of a variable"),
    ("variable", "advanced"): _Row(13, "advanced mark of a variable"),
    ("variable", "hidden"): _Row(13, "hidden mark of a variable", "forms show the variable"),
    ("job", "taskRetryDelay"): _Row(12, "retry delay", _SERVER_DECIDES),
    ("task", "taskRetryDelay"): _Row(12, "retry delay", _SERVER_DECIDES),
    ("task", "fork"): _Row(12, "fork switch", _SERVER_DECIDES),
    ("file", "language"): _Row(8, "language of a script from a URL", "the extension of its file decides"),
    ("variable", "model"): _Row(8, "model of a variable", "its value is not checked"),
    ("variable", "inherited"): _Row(7, "inherited mark of a variable", "the task's own value counts"),
    ("task", "preciousLogs"): _Row(1, "precious logs", "the task's log is not stored as a file"),
}
#: The same for variables of tasks, which have a model one version earlier.
_TASK_VARIABLE = {("variable", "model"): _Row(7, "model of a variable", "its value is not checked")}
#: (parent, element) -> the first version that has it.
_ELEMENTS: dict[tuple[str, str], _Row] = {
    ("job", "metadata"): _Row(11, "picture of the workflow"),
    ("task", "metadata"): _Row(11, "metadata"),
    ("script", "arguments"): _Row(10, "arguments of a script", "the script gets none"),
    ("task", "variables"): _Row(6, "variables of a task", "its scripts do not see them"),
}
_REQUIRED_IN_7 = {("variable", "inherited"), ("variable", "model")}
_CACHE = "cacheFrom"
#: Policies that an older version expresses otherwise or has as its default: nothing is lost.
_POLICY_WORDS = dict.fromkeys(("cancelJob", "continueJobExecution", "none"), "")


def number_of(version: str) -> int:
    """The number after ``3.``; that of the newest for ``dev``. Raises ValueError for an unknown version."""
    if version not in VERSIONS:
        raise ValueError(f"Cannot write schema version {version!r}; known: {', '.join(VERSIONS)}.")
    return int((NEWEST if version == "dev" else version).removeprefix("3."))


def reduced(root: Element, version: str) -> list[MissingFeature]:
    """Remove from a workflow what a schema version does not have, and return that."""
    number = number_of(version)
    return [] if number >= number_of(NEWEST) else list(_Reduction(number).element(root, ""))


def notices(losses: Iterable[MissingFeature], reader: str) -> Iterator[str]:
    """A sentence for each kind of loss; `reader` is who does not know it, such as ``ProActive 13.0.3``."""
    places: dict[tuple[str, str], list[str]] = {}
    for loss in losses:
        places.setdefault((loss.what, loss.effect), []).append(loss.where)
    for (what, effect), where in places.items():
        text = f"{reader} has no {what}: left out for {', '.join(dict.fromkeys(where))}"
        yield f"{text}; {effect}." if effect else f"{text}."


@dataclass(slots=True)
class _Reduction:
    """One walk through a workflow."""

    number: int
    #: The task that the walk is in.
    task: str = field(default="", init=False)

    def element(self, element: Element, place: str) -> Iterator[MissingFeature]:
        """Reduce an element and those in it; `place` is that of the element around it."""
        is_task = isinstance(element.record, Task)
        if is_task:
            self.task = element.record.name
        place = element.place or place
        yield from self._attributes(element, place)
        if is_task and self.number < 3:
            yield from self._fork_environment(element)
        kept = []
        for child in element.children:
            row = _ELEMENTS.get((element.tag, child.tag))
            if row is not None and row.since > self.number:
                yield self._loss(row, place)
                continue
            yield from self.element(child, place)
            kept.append(child)
        element.children = kept
        if is_task:
            self.task = ""

    def _loss(self, row: _Row, place: str) -> MissingFeature:
        return MissingFeature(what=row.what, since=f"3.{row.since}", effect=row.effect, task=self.task, place=place)

    def _attributes(self, element: Element, place: str) -> Iterator[MissingFeature]:
        rows = _ATTRIBUTES | (_TASK_VARIABLE if self.task else {})
        written = {name for name, _, _ in element.present()}
        kept: list[Attribute] = []
        for name, value, kind, default in element.attributes:
            row = rows.get((element.tag, name)) or _row_of_value(name, value)
            if row is None or row.since <= self.number:
                # Both were required in 3.7.
                required = self.number == 7 and self.task and (element.tag, name) in _REQUIRED_IN_7
                kept.append((name, value, kind, None if required else default))
                continue
            older = _older(name, value)
            if older is not None:
                kept.append(older)
            if name in written and row.what and value != default:
                yield self._loss(row, place)
        element.attributes = kept

    def _fork_environment(self, task: Element) -> Iterator[MissingFeature]:
        """Up to 3.2 only a Java task has one, inside of its ``javaExecutable``."""
        found = next((child for child in task.children if child.tag == "forkEnvironment"), None)
        if found is None:
            return
        task.children.remove(found)
        java = next((child for child in task.children if child.tag == "javaExecutable"), None)
        if java is not None:
            java.children.insert(0, found)
        else:
            row = _Row(3, "fork environment of a script", "the task runs in the server's default environment")
            yield self._loss(row, "")


def _row_of_value(name: str, value: Any) -> _Row | None:
    """The row of a value that older versions do not have, or write otherwise."""
    if name == "accessMode" and str(value).startswith(_CACHE):
        return _Row(5, "cache of input files", "each task gets copies of its own")
    if name == "onTaskError":
        policy = value.value if isinstance(value, ErrorPolicy) else str(value)
        return _Row(4, _POLICY_WORDS.get(policy, f"error policy {policy}"), "the job continues after an error")
    return None


def _older(name: str, value: Any) -> Attribute | None:
    """The attribute that says the same, or nearly, in an older version."""
    if name == "accessMode":
        return name, value.replace(_CACHE, "transferFrom", 1), ACCESS_IN, None
    if name == "onTaskError" and value is ErrorPolicy.CANCEL_JOB:
        return "cancelJobOnError", True, FLAG, None
    return None
