"""Names and values that the schema or the server's parser refuses. Walks the elements of a workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import lexical
from proactive_jupyter_kernel.workflow.checks.limits import account_problems, name_problems, number_problems
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.elements import Element, job_element
from proactive_jupyter_kernel.workflow.lexical import characters_problem
from proactive_jupyter_kernel.workflow.model import Script, Task, Topology, Workflow
from proactive_jupyter_kernel.workflow.names import is_ncname

__all__ = ["split_tag", "structure_problems"]

#: A proposal compares a name with those of all tasks: further problems have none.
_MOST_PROPOSALS = 50
_CLARK = re.compile(r"\{([^{}]*)\}(.*)", re.DOTALL)


def split_tag(tag: str) -> tuple[str, str]:
    """The namespace, empty for none, and the local name of a key of metadata such as ``{urn:x}positionTop``."""
    foreign = _CLARK.fullmatch(tag)
    return (foreign.group(1), foreign.group(2)) if foreign else ("", tag)


def structure_problems(workflow: Workflow, root: Element | None = None) -> list[Problem]:
    """Everything that the schema or the server's parser would refuse: names, values, missing and contradicting parts.

    `root` avoids building the elements again if the caller has them.
    """
    walk = _Walk(workflow)
    walk.element(root or job_element(workflow))
    return walk.problems


class _Walk:
    def __init__(self, workflow: Workflow) -> None:
        self.names = dict.fromkeys(task.name for task in workflow.tasks)
        self.seen: set[str] = set()
        self.task = ""
        self.problems: list[Problem] = []

    def problem(self, code: str, message: str, place: str = "", explanation: str = "") -> None:
        self.problems.append(Problem(code=code, message=message, task=self.task, place=place, explanation=explanation))

    def element(self, element: Element, parent: str = "") -> None:
        is_task = isinstance(element.record, Task)
        if is_task:
            self.task = element.record.name
        if rule := _RULES.get(element.tag):
            self.problems += rule(self, element)
        if parent == "metadata":
            self.metadata(element)
        else:
            self.attributes(element)
            if element.text is not None:
                self.characters(element.text, element.tag, element.place)
            for child in element.children:
                self.element(child, element.tag)
        if is_task:
            self.task = ""

    def attributes(self, element: Element) -> None:
        for name, value, kind in element.present():
            if isinstance(element.record, Task) and name == "name" and set("#*") & set(value):
                continue  # Reported with the reason, as PA102.
            try:
                text = kind.write(value)
            except ValueError as error:
                self.problem("PA103" if kind is lexical.NAME else "PA105", f"{name} {error}", element.place)
            else:
                self.characters(text, name, element.place)

    def characters(self, text: str, name: str, place: str = "") -> None:
        if fault := characters_problem(text):
            self.problem("PA106", f"{name} {fault}", place)

    def metadata(self, element: Element) -> None:
        tag = element.tag
        if tag == "visualization":
            self.characters(element.text or "", tag, element.place)
        elif is_ncname(split_tag(tag)[1]):
            self.characters(element.text or "", tag, "metadata")
            self.characters(tag, tag, "metadata")
        else:
            self.problem("PA112", f"{tag!r} cannot be the name of an element", "metadata")

    # --- rules of single elements ---

    def job(self, element: Element) -> Iterator[Problem]:
        workflow: Workflow = element.record
        yield from name_problems(workflow.name)
        yield from number_problems(workflow.generic_information)
        if not workflow.tasks:
            yield Problem(code="PA107", message="there is no task", explanation="A workflow needs at least one.")

    def task_itself(self, element: Element) -> Iterator[Problem]:
        task = element.record
        if not isinstance(task, Task):
            return  # A dependency, which has the same tag.
        if task.name in self.seen:
            explanation = "Two tasks have this name; rename one."
            yield Problem(code="PA101", message="Task names are not unique", task=task.name, explanation=explanation)
        self.seen.add(task.name)
        for character in "#*":
            if character in task.name:
                message = f"Task name cannot contain special character '{character}'"
                explanation = "It marks the task instances that loops and replications create."
                yield Problem(code="PA102", message=message, task=task.name, explanation=explanation)
        yield from name_problems(task.name, task.name)
        yield from account_problems(task)
        if task.threshold != 0 and task.topology is not Topology.THRESHOLD_PROXIMITY:
            message = "a threshold applies only to thresholdProximity"
            explanation = "Set one or the other."
            yield Problem(code="PA109", message=message, task=task.name, place="topology", explanation=explanation)

    def depends(self, element: Element) -> Iterator[Problem]:
        for parent in element.record:
            if parent not in self.names:
                near = did_you_mean(parent, self.names) if len(self.problems) < _MOST_PROPOSALS else ""
                explanation = near or "No task has this name."
                message = f"Unknown dependence: {parent}"
                yield Problem(code="PA108", message=message, task=self.task, explanation=explanation)

    def script(self, element: Element) -> Iterator[Problem]:
        script: Script = element.record
        if script.url and script.code:
            message, explanation = "it has both code and a URL", "Keep one of them."
            yield Problem(code="PA111", message=message, task=self.task, place=element.place, explanation=explanation)
        elif not script.url and not script.language:
            message, explanation = "the language is missing", "Name one, such as cpython or bash."
            yield Problem(code="PA110", message=message, task=self.task, place=element.place, explanation=explanation)


#: Tag -> the rule of such elements.
_RULES: Mapping[str, Callable[[_Walk, Element], Iterator[Problem]]] = {
    "job": _Walk.job,
    "task": _Walk.task_itself,
    "depends": _Walk.depends,
    "script": _Walk.script,
}
