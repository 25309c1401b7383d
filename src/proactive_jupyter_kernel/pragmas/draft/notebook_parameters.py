"""The parameters of a notebook: what the cells that begin with ``# Parameters`` set in the notebook's Python.

papermill writes such a cell; one may also write it. A task gets a parameter by its name: it imports it, or its Python
code reads it, or it reads it from `variables`. The parameter is then a variable of the job. Texts travel as they are,
everything else as JSON, which a Python task turns back into a number, a list and so on.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from proactive_jupyter_kernel.pragmas.draft.contents import Contents, DraftTask
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.model import Variable

__all__ = ["NotebookParameters", "decoding", "sets_the_same", "text_of", "with_parameters"]

PYTHON = "cpython"

#: Decodes what was encoded by `text_of`. Runs under the Python of the task, 3.6 or later. A value that a task before
#: set is not text, and a text that `#%submit_job(variables=...)` gave need not be JSON.
_DECODING = """
def _proactive_parameter(value):
    import json
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
""".strip("\n")


class NotebookParameters(Mapping[str, object]):
    """The parameters with the values that they have now."""

    def __init__(self, cells: Mapping[str, str], namespace: Callable[[], Mapping[str, Any]]) -> None:
        """`cells` are the texts of the cells that set parameters; the caller keeps them up to date."""
        self._cells = cells
        self._namespace = namespace

    def __getitem__(self, name: str) -> object:
        if name not in self._names():
            raise KeyError(name)
        return self._namespace()[name]

    def __iter__(self) -> Iterator[str]:
        namespace = self._namespace() if self._cells else {}
        return (name for name in self._names() if name in namespace)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _names(self) -> dict[str, None]:
        return {name: None for text in list(self._cells.values()) for name in _names_set(text)}


@functools.lru_cache(maxsize=64)
def _names_set(text: str) -> tuple[str, ...]:
    """The names that the cell assigns at its top level."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return ()
    targets = [
        target
        for statement in body
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
    ]
    return tuple(dict.fromkeys(node.id for one in targets for node in ast.walk(one) if isinstance(node, ast.Name)))


def sets_the_same(defaults: str, given: str) -> bool:
    """Whether a cell does nothing but set names, one of which the other cell sets as well."""
    try:
        body = ast.parse(defaults).body
    except (SyntaxError, ValueError):
        return False
    return all(isinstance(one, ast.Assign | ast.AnnAssign) for one in body) and not set(_names_set(given)).isdisjoint(
        _names_set(defaults)
    )


def text_of(value: object) -> str:
    """The value as a variable of the job; `TypeError` or `ValueError` where JSON has nothing like it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def decoding(names: tuple[str, ...]) -> str:
    """The lines that give parameters their type in a Python task."""
    return "\n".join([_DECODING, *(f"{name} = _proactive_parameter({name})" for name in names)])


def with_parameters(contents: Contents) -> Contents:
    """The contents with the parameters that its tasks use, as variables of the job.

    A variable of the job or of a task hides the parameter of its name.
    """
    values = dict(contents.parameters)
    if not values:
        return contents
    for variable in contents.job.variables:
        values.pop(variable.name, None)
    prepended = [code.text for code in contents.imports.get(PYTHON, {}).values()]
    tasks: dict[str, DraftTask] = {}
    used: dict[str, str] = {}
    for entry in contents.tasks.values():
        hidden = {variable.name for variable in entry.task.variables}
        free = {name: value for name, value in values.items() if name not in hidden}
        imported = [name for name in free if name in entry.imports or name in _read_by_python(entry, prepended)]
        for name in free:
            if name in imported or _mentions(entry, name):
                used.setdefault(name, entry.name)
        typed = tuple(name for name in imported if not isinstance(values[name], str))
        tasks[entry.name] = replace(
            entry,
            imports=tuple(dict.fromkeys((*entry.imports, *imported))),
            parameters=typed if entry.engine == PYTHON else (),
        )
    variables, problems = [], []
    for name, task in used.items():
        try:
            variables.append(Variable(name=name, value=text_of(values[name])))
        except (TypeError, ValueError) as error:
            kind = type(values[name]).__name__
            message = f"it uses the parameter {name!r}, a {kind}, which is not text, number, list or dict: {error}."
            problems.append(Problem(code="PA606", task=task, message=message))
    job = replace(contents.job, variables=(*contents.job.variables, *variables))
    return contents.with_(job=job, tasks=tasks, problems=problems)


def _read_by_python(entry: DraftTask, prepended: list[str]) -> frozenset[str]:
    """The names that the task's Python code reads and does not set before."""
    from proactive_jupyter_kernel.pragmas.analysis import name_use

    if entry.engine != PYTHON:
        return frozenset()
    texts = [*prepended, *(code.text for code in entry.code or ())]
    return frozenset(read for text in texts for read in name_use(text).reads)


def _mentions(entry: DraftTask, name: str) -> bool:
    """Whether the task reads the variable in another way: ``variables``, ``${name}``, ``$variables_name``, `runs`."""
    word = re.escape(name)
    pattern = rf"variables_{word}\b|variables\b\W{{1,6}}(?:get\W{{1,6}})?{word}\b|\$\{{{word}\}}"
    task = entry.task
    texts = [code.text for code in entry.code or ()]
    texts += [*task.generic_information.values(), *(variable.value for variable in task.variables)]
    texts += [one.script for one in entry.scripts.values()]
    if entry.foreach is not None and entry.foreach.items == name:
        return True
    return bool(re.search(rf"\b{word}\b", entry.runs)) or any(re.search(pattern, text) for text in texts)
