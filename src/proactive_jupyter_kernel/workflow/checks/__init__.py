"""The rules of a workflow: `check` finds errors and warnings, each a `Problem` with a code of `CHECKS`.

`errors` finds only what a scheduler refuses. The table and the records load fast; the rules are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.checks.table import CHECKS, Check, Severity

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.checks.checking import (
        accept,
        check,
        check_variables,
        errors,
        require_valid,
    )

__all__ = [
    "CHECKS",
    "Check",
    "Problem",
    "Severity",
    "accept",
    "check",
    "check_variables",
    "errors",
    "require_valid",
]

_ON_FIRST_USE = ("accept", "check", "check_variables", "errors", "require_valid")


def __getattr__(name: str) -> Any:
    """Loads the rules on first use. They import other parts of this package, which import the records from here."""
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.checking"), name)
