"""Models of variables: validation of values by ``PA:INTEGER[1,10]``, ``PA:LIST(a,b)`` and others.

A model is free text unless it starts with ``PA:``; `model_types` has the table. Messages have ProActive's form
``Variable 'X': Model …: …``. A Spring expression may also change other variables: `apply_models` returns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded, deadline, seconds_left
from proactive_jupyter_kernel.workflow.model import TaskVariable, Variable, Workflow
from proactive_jupyter_kernel.workflow.model_types import MODELS, Lookups, ModelError, check_model, is_model
from proactive_jupyter_kernel.workflow.references import InfiniteReference, Substitutor
from proactive_jupyter_kernel.workflow.spel import Scope

__all__ = ["MODELS", "Lookups", "ModelError", "apply_models", "check_value", "is_model"]

_V = TypeVar("_V", bound=Variable)
#: Seconds of computing time for all variables of a workflow.
_SECONDS = 5.0


def check_value(
    model: str,
    value: str,
    *,
    variables: Mapping[str, str] | None = None,
    hidden: bool = False,
    lookups: Lookups | None = None,
) -> None:
    """Raises ModelError if `value` does not match `model`; a Spring expression can use `variables`."""
    check_model(model, value, hidden, Scope(value=value, variables=dict(variables or {})), lookups or Lookups())


def apply_models(workflow: Workflow, lookups: Lookups | None = None) -> tuple[Workflow, list[Problem]]:
    """`workflow` with the assignments of Spring expressions, and all variables that do not match their model.

    The workflow's references must be resolved already, as `references.resolve` does.
    """
    with deadline(_SECONDS):
        return _applied(workflow, lookups or Lookups())


def _applied(workflow: Workflow, lookups: Lookups) -> tuple[Workflow, list[Problem]]:
    job = _ValidatedVariables(workflow.variables, {}, "", lookups)
    tasks, problems = [], list(job.problems)
    inherited = {variable.name: variable.value for variable in job.variables}
    for task in workflow.tasks:
        if not any(is_model(variable.model) for variable in task.variables):
            tasks.append(task)
            continue
        checked = _ValidatedVariables(task.variables, inherited, task.name, lookups, hides=job.hides)
        problems += checked.problems
        tasks.append(task if checked.variables == task.variables else replace(task, variables=checked.variables))
    return replace(workflow, variables=job.variables, tasks=tuple(tasks)), problems


class _ValidatedVariables:
    """The variables of a job or a task after validation by all their models."""

    def __init__(
        self,
        variables: tuple[_V, ...],
        inherited: Mapping[str, str],
        task: str,
        lookups: Lookups,
        *,
        hides: bool = False,
    ) -> None:
        """`hides`: whether one of the inherited variables is hidden."""
        self.problems: list[Problem] = []
        self.substitutor: Substitutor | None = None
        self.hides = hides or any(variable.hidden for variable in variables)
        own = {
            variable.name: variable.value
            for variable in variables
            if not (isinstance(variable, TaskVariable) and variable.inherited and variable.name in inherited)
        }
        scope = Scope(
            value="",
            variables={**inherited, **own},
            models={variable.name: variable.model for variable in variables},
            groups=dict.fromkeys(variable.group for variable in variables if variable.group),
            names=dict.fromkeys((*inherited, *(variable.name for variable in variables))),
        )
        before = dict(scope.variables)
        for variable in variables:
            if is_model(variable.model):
                self.ask(variable, scope, task, lookups)
        changed = {name: value for name, value in scope.variables.items() if before.get(name) != value}
        self.variables: tuple[Any, ...] = tuple(_changed(variable, scope, changed) for variable in variables)

    def ask(self, variable: Variable, scope: Scope, task: str, lookups: Lookups) -> None:
        scope.value = scope.variables[variable.name]
        scope.valid = None
        model = variable.model
        try:
            seconds_left()
            model = self.substituted(model, scope)
            check_model(model, scope.value, variable.hidden, scope, lookups)
        except (ModelError, InfiniteReference, DeadlineExceeded) as error:
            # Neither the value of a hidden variable, nor a model with values in the places of its references.
            shown, reason = model, str(error)
            if variable.hidden and not isinstance(error, DeadlineExceeded):
                shown, reason = variable.model, "the value, which is hidden, does not match"
            elif self.hides and model != variable.model:
                shown, reason = variable.model, "the value does not match; the model refers to hidden variables"
            message = f"Variable '{variable.name}': Model {_short(shown)}: {reason}"
            self.problems.append(
                Problem(code="PA201", message=message, task=task, variable=variable.name, reason=reason)
            )
        if "SPEL" in model.upper():
            # The expression may have changed variables.
            self.substitutor = None

    def substituted(self, model: str, scope: Scope) -> str:
        """The model with its references resolved; few models have any."""
        if "$" not in model:
            return model
        if self.substitutor is None:
            self.substitutor = Substitutor(scope.variables)
        return self.substitutor(model)


def _changed(variable: _V, scope: Scope, values: Mapping[str, str]) -> _V:
    """The variable with the assignments of all expressions."""
    hidden = scope.hidden_groups.get(variable.group, variable.hidden) if variable.group else variable.hidden
    return replace(
        variable,
        value=values.get(variable.name, variable.value),
        model=scope.models.get(variable.name, variable.model),
        hidden=scope.hidden.get(variable.name, hidden),
    )


def _short(model: str) -> str:
    plain = model.strip()
    return plain if len(plain) <= 120 else plain[:119] + "…"
