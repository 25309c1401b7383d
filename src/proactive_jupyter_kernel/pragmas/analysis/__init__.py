"""Static analysis of the Python code of tasks: names read and set, and what one task needs from another. Pure."""

from proactive_jupyter_kernel.pragmas.analysis.flows import (
    Flow,
    Missing,
    TaskCode,
    flows_of,
    missing_in,
    nearest_setters,
)
from proactive_jupyter_kernel.pragmas.analysis.names import Binding, NameUse, Read, name_use

__all__ = [
    "Binding",
    "Flow",
    "Missing",
    "NameUse",
    "Read",
    "TaskCode",
    "flows_of",
    "missing_in",
    "name_use",
    "nearest_setters",
]
