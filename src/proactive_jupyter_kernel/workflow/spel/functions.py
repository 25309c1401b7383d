"""The properties and functions of ProActive's root object, which an expression uses by their plain names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.spel.values import Scope, SpelError, State, shown

__all__ = ["FUNCTIONS", "PROPERTIES"]

PROPERTIES: Mapping[str, Callable[[Scope], Any]] = {
    "variables": lambda scope: scope.variables,
    "models": lambda scope: scope.models,
    "temp": lambda scope: scope.temp,
    "tempMap": lambda scope: scope.temp,
    "valid": lambda scope: scope.valid,
}


def _hide(hidden: bool, group: bool) -> Callable[[State, Any], bool]:
    """``hideVar`` and similar functions: they refuse what is not there, as on a server, and return true."""

    def run(state: State, name: Any) -> bool:
        scope = state.scope
        known = scope.groups if group else scope.names
        if not isinstance(name, str) or (known is not None and name not in known):
            what = "group" if group else "variable"
            hint = did_you_mean(name, known) if isinstance(name, str) and known else ""
            raise SpelError(f"there is no {what} {shown(name)}. {hint}".strip())
        (scope.hidden_groups if group else scope.hidden)[name] = hidden
        return True

    return run


#: Name -> the function of the state and one argument.
FUNCTIONS: Mapping[str, Callable[[State, Any], Any]] = {
    "t": lambda state, value: True,
    "f": lambda state, value: False,
    "s": lambda state, value: "",
    "hideVar": _hide(True, False),
    "showVar": _hide(False, False),
    "hideGroup": _hide(True, True),
    "showGroup": _hide(False, True),
}
