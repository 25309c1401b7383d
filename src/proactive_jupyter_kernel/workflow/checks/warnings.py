"""Warnings: what is allowed but probably not intended. Each rule has few false positives.

The rules look at texts: a script is searched for names, but not run or parsed. A rule gives a warning only if no text
of the workflow contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.elements import Element, job_element
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, by_engine
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    JavaClass,
    Loop,
    Reference,
    Replicate,
    Script,
    Task,
    Workflow,
)

__all__ = ["warnings"]

_WORD = re.compile(r"[A-Za-z0-9_.]+")
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.]+)\}")
_RESULT = re.compile(r"(?<![\w.])results\s*\[\s*\d+\s*\]")
_ALWAYS = re.compile(r"""\s*loop\s*(?:=|<-)\s*["']?true["']?\s*;?\s*""", re.IGNORECASE)
#: Prefixes of the variables that the scheduler defines.
_SYSTEM = "PA_"
#: Engines in which ``results[0]`` is the result of the first parent.
_INDEXED = ("cpython", "python", "groovy", "javascript", "ruby", "scalaw")
#: The variable that a flow script must set.
_SETS = {Branch: "branch", Loop: "loop", Replicate: "runs"}
#: The elements whose attributes are searched for references; elsewhere a shell may expand them.
_REFERRING = {"job", "task", "variable", "info", "files", "inputSpace", "outputSpace", "globalSpace", "userSpace"}


def warnings(workflow: Workflow) -> list[Problem]:
    """All warnings, in the order of their codes. The names of the tasks must be unique."""
    facts = _Facts(workflow)
    return [problem for rule in _RULES for problem in rule(facts)]


@dataclass
class _Facts:
    """The data that several rules use."""

    workflow: Workflow

    @cached_property
    def graph(self) -> Graph:
        return Graph(self.workflow)

    @cached_property
    def scripts(self) -> list[tuple[Task, str, Script]]:
        """Every script with its task and its position in the task."""
        found = []
        for task in self.workflow.tasks:
            environment = task.fork_environment
            main = task.executable if isinstance(task.executable, Script) else None
            for place, script in (
                ("script", main),
                ("pre script", task.pre),
                ("post script", task.post),
                ("cleaning script", task.clean),
                ("envScript script", environment.script if environment else None),
                ("flow script", task.flow.script if task.flow else None),
                *(("selection script", one.script) for one in task.selection),
            ):
                if script is not None:
                    found.append((task, place, script))
        return found

    @cached_property
    def code_words(self) -> set[str]:
        """All names in scripts."""
        return {word for _, _, script in self.scripts for word in _names(" ".join((script.code, *script.arguments)))}

    @cached_property
    def opaque(self) -> bool:
        """Whether parts of the workflow are not available: scripts behind URLs, Java classes."""
        java = any(isinstance(task.executable, JavaClass) for task in self.workflow.tasks)
        return java or any(script.url for _, _, script in self.scripts)

    @cached_property
    def attributes(self) -> list[tuple[str, Element, str, str]]:
        """Every text of an attribute: task, element, attribute, text."""
        return list(_attributes(job_element(self.workflow), ""))


def _names(text: str) -> Iterator[str]:
    """Words, and their parts between dots; a shell sees a variable as ``variables_NAME``."""
    for word in _WORD.findall(text):
        yield word
        yield from word.split(".")
        yield word.removeprefix("variables_")


def _attributes(element: Element, task: str) -> Iterator[tuple[str, Element, str, str]]:
    if isinstance(element.record, Task):
        task = element.record.name
    for name, value, _ in element.present():
        if isinstance(value, Reference | str):
            yield task, element, name, str(value)
    for child in element.children:
        yield from _attributes(child, task)


def _unused_variables(facts: _Facts) -> Iterator[Problem]:
    if facts.opaque:
        return
    used = set(facts.code_words)
    for _, element, name, text in facts.attributes:
        if not (element.tag == "variable" and name == "name"):
            used.update(_names(text))
    owners = [("", facts.workflow.variables), *((task.name, task.variables) for task in facts.workflow.tasks)]
    for task, variables in owners:
        for variable in variables:
            if variable.name not in used and not variable.name.startswith(_SYSTEM):
                message = "no script and no reference names this variable"
                place = f"variable {variable.name!r}"
                yield Problem(code="PA501", message=message, task=task, place=place)


def _undefined_references(facts: _Facts) -> Iterator[Problem]:
    of_job = {variable.name for variable in facts.workflow.variables}
    of_task = {task.name: {variable.name for variable in task.variables} for task in facts.workflow.tasks}
    for task, element, name, text in facts.attributes:
        if element.tag not in _REFERRING or name in ("description", "model"):
            continue
        for reference in dict.fromkeys(_REFERENCE.findall(text)):
            known = of_job | of_task.get(task, set())
            if reference in known or reference.startswith(_SYSTEM) or reference in facts.code_words:
                continue
            if facts.opaque or (reference.isupper() and reference.endswith("SPACE")):
                continue
            message = f"{name} refers to ${{{reference}}}, but no variable has that name"
            explanation = did_you_mean(reference, known) if known else "Define it as a variable of the job."
            yield Problem(code="PA502", message=message, task=task, place=element.place, explanation=explanation)


def _hidden_variables(facts: _Facts) -> Iterator[Problem]:
    of_job = {variable.name: variable.value for variable in facts.workflow.variables}
    for task in facts.workflow.tasks:
        for variable in task.variables:
            hides = variable.name in of_job and of_job[variable.name] != variable.value
            if hides and not variable.inherited:
                message = f"it hides the job's variable, whose value is {of_job[variable.name]!r}"
                explanation = "A value given at submission does not reach this task."
                place = f"variable {variable.name!r}"
                yield Problem(code="PA503", message=message, task=task.name, place=place, explanation=explanation)


def _scripts_that_decide_nothing(facts: _Facts) -> Iterator[Problem]:
    for task, place, script in facts.scripts:
        variable = _SETS[type(task.flow)] if place == "flow script" and task.flow is not None else ""
        variable = "selected" if place == "selection script" else variable
        if variable and not script.url and variable not in set(_WORD.findall(script.code)):
            message = f"it never sets {variable}"
            yield Problem(code="PA504", message=message, task=task.name, place=place)


def _endless_loops(facts: _Facts) -> Iterator[Problem]:
    for task in facts.workflow.tasks:
        if isinstance(task.flow, Loop) and _ALWAYS.fullmatch(task.flow.script.code):
            message = f"the loop back to {task.flow.target!r} never ends"
            yield Problem(code="PA505", message=message, task=task.name, place="flow script")


def _results_without_parents(facts: _Facts) -> Iterator[Problem]:
    entered = facts.graph.branch_of.keys() | facts.graph.joined_by.keys()
    for task, place, script in facts.scripts:
        alone = not task.depends and task.name not in entered
        engine = by_engine(script.language)
        if alone and place == "script" and engine is not None and engine.engine in _INDEXED:
            found = _RESULT.search(script.code)
            if found:
                message = f"it reads {found.group()}, but depends on no task"
                yield Problem(code="PA506", message=message, task=task.name, place=place)


def _unknown_languages(facts: _Facts) -> Iterator[Problem]:
    known = [language.engine for language in LANGUAGES]
    for task, place, script in facts.scripts:
        if script.language and not _REFERENCE.search(script.language) and by_engine(script.language) is None:
            message = f"{script.language!r} is not a known script language"
            explanation = did_you_mean(script.language, known)
            yield Problem(code="PA507", message=message, task=task.name, place=place, explanation=explanation)


def _tasks_without_effect(facts: _Facts) -> Iterator[Problem]:
    graph = facts.graph
    for task in facts.workflow.tasks:
        script = task.executable
        if not isinstance(script, Script) or script.url or script.code.strip():
            continue
        busy = any((task.pre, task.post, task.clean, task.flow, task.input_files, task.output_files, task.nodes != 1))
        needed = graph.children[task.name] or task.block is not Block.NONE or task.name in graph.branch_of
        needed = needed or task.name in graph.joined_by
        merges = len(task.depends) > 1 or any(
            isinstance(graph.tasks[above].flow, Replicate)
            for parent in graph.parents[task.name]
            for above in graph.parents[parent]
        )
        if not (busy or needed or merges):
            message = "it has no code, and no task depends on it"
            yield Problem(code="PA508", message=message, task=task.name)


_RULES: tuple[Callable[[_Facts], Iterator[Problem]], ...] = (
    _unused_variables,
    _undefined_references,
    _hidden_variables,
    _scripts_that_decide_nothing,
    _endless_loops,
    _results_without_parents,
    _unknown_languages,
    _tasks_without_effect,
)
