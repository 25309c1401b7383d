"""What a workflow is: model, checks, languages, formats. Pure: opens no file or socket, reads no clock.

The records and the checks are here; `dumps` and `loads`, which need lxml, are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.workflow.model import Task, TaskVariable, Variable, Workflow

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.checks import Problem, check
    from proactive_jupyter_kernel.workflow.formats.xml import Loaded, dumps, loads
    from proactive_jupyter_kernel.workflow.references import resolve

__all__ = [
    "Loaded",
    "Problem",
    "Task",
    "TaskVariable",
    "Variable",
    "Workflow",
    "check",
    "dumps",
    "loads",
    "resolve",
]

_LATER = {
    "Loaded": "formats.xml",
    "dumps": "formats.xml",
    "loads": "formats.xml",
    "Problem": "checks",
    "check": "checks",
    "resolve": "references",
}


def __getattr__(name: str) -> Any:
    """Loads the optional parts on first use."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
