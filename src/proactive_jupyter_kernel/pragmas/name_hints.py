"""What to do about a name that a task's code reads and that the task does not have."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.pragmas.analysis import Binding, Flow

__all__ = ["hint_for_flow", "hint_for_missing", "hint_for_other_task", "hint_for_task_name"]


def hint_for_flow(flow: Flow) -> str:
    """What gives a task a name that a task before it sets, or that is a variable of the job."""
    name = flow.name
    if not flow.setters:
        return f"{name} is a variable of the job or the task: add import=[{name}]."
    setters = " and ".join(flow.setters)
    auto = "or use #%configure(propagate=auto)"
    if flow.binding is Binding.MODULE:
        statement = flow.statement or f"import {name}"
        return f"Task {setters} imports it, but modules do not travel: add `{statement}` here, {auto}."
    if flow.binding is not Binding.VALUE:
        return (
            f"Task {setters} defines it, but {_PLURALS[flow.binding]} do not travel: put the definition into a cell "
            f"with #%import(), {auto}."
        )
    verb = "sets" if len(flow.setters) == 1 else "set"
    return f"Task {setters} {verb} it: add export=[{name}] there and import=[{name}] here, {auto}."


_PLURALS = {Binding.FUNCTION: "functions", Binding.CLASS: "classes"}


def hint_for_missing(name: str, namespace: Mapping[str, Any], near: Sequence[str] = ()) -> str:
    """What to do about a name that only the notebook's own Python has, or nothing has; `near` are names like it."""
    if name not in namespace:
        return f"Did you mean {near[0]}?" if near else ""
    value = namespace[name]
    if statement := _import_of(name, value):
        return (
            f"The notebook has imported {name}, but tasks do not see the notebook: add `{statement}` to the task, or "
            "to a cell with #%import() for all tasks."
        )
    if isinstance(value, types.FunctionType | type):
        return (
            f"The notebook defines {name}, but tasks do not see the notebook: put the definition into a cell with "
            "#%import()."
        )
    if isinstance(value, str | int | float | bool):
        return (
            f"The notebook has a variable {name}, but tasks do not see the notebook. To pass its value: "
            f"variables=[({name}, ={name})] and import=[{name}]."
        )
    if value is None or isinstance(value, list | dict):
        return (
            f"The notebook has a variable {name}, but tasks do not see the notebook. Set it in a cell that begins with "
            "the comment # Parameters: tasks that read one of its names get the value."
        )
    return (
        f"The notebook has a variable {name}, but tasks do not see the notebook. Compute it in a task, or write it to "
        "a file and send the file with input_files."
    )


def hint_for_task_name(name: str) -> str:
    """What to do about a name in the code that is the name of a task."""
    return (
        f"{name} is a task, and no name in the code: results holds the results of the tasks in dep, in that order; "
        "results[0].value() is the first one's value."
    )


def hint_for_other_task(name: str, reader: str, setters: Sequence[str]) -> str:
    """What to do about a name that only tasks set on which the reader does not depend."""
    verb, them = ("sets", "it") if len(setters) == 1 else ("set", "them")
    return (
        f"Task {' and '.join(setters)} {verb} it, but {reader} does not depend on {them}: add dep=[{setters[0]}] and "
        f"import=[{name}] here, and export=[{name}] there."
    )


def _import_of(name: str, value: object) -> str:
    """The statement that imports what the notebook has under this name; empty for what the notebook itself made."""
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else "")
    own = getattr(value, "__name__", "")
    home = getattr(value, "__module__", "")
    if not isinstance(value, types.FunctionType | types.BuiltinFunctionType | type) or not isinstance(home, str):
        return ""
    parts = home.split(".")
    modules = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    # Libraries define in private modules what they offer in public ones: sklearn.linear_model._base.
    public = [one for one in modules if not any(part.startswith("_") for part in one.split("."))]
    for module in (*public, home):
        if module != "__main__" and getattr(sys.modules.get(module), own, None) is value:
            return f"from {module} import {own}" + (f" as {name}" if own != name else "")
    return ""
