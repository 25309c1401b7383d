"""Runs the checks: all errors that a ProActive server would refuse at submission, and all warnings.

The first problem is the one that the server would report: errors of the schema and the parser come first, then the
models of variables, then the flow. Warnings come last.
"""

from __future__ import annotations

from proactive_jupyter_kernel.errors import InvalidWorkflow
from proactive_jupyter_kernel.workflow.checks.flow import flow_problems
from proactive_jupyter_kernel.workflow.checks.limits import limit_problems
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.checks.structure import structure_problems
from proactive_jupyter_kernel.workflow.checks.warnings import warnings
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.variable_models import Lookups, apply_models

__all__ = ["accept", "check", "check_variables", "errors", "require_valid"]


def check(workflow: Workflow) -> list[Problem]:
    """All errors and warnings; see `Problem.severity`."""
    found = errors(workflow)
    if len({task.name for task in workflow.tasks}) == len(workflow.tasks):
        found += warnings(workflow)
    return found


def errors(workflow: Workflow) -> list[Problem]:
    """The errors in names, values, dependencies and flow; empty for a valid workflow.

    `check_variables` checks the models of variables, since they need the values of a submission.
    """
    found = structure_problems(workflow)
    if len({task.name for task in workflow.tasks}) == len(workflow.tasks):
        found += flow_problems(workflow)
    return found


def require_valid(workflow: Workflow) -> None:
    """Raises InvalidWorkflow, with all problems, if there are any."""
    problems = errors(workflow)
    if problems:
        raise InvalidWorkflow(workflow.name, problems)


def check_variables(workflow: Workflow, lookups: Lookups | None = None) -> list[Problem]:
    """The variables of job and tasks whose value, with references resolved, does not match their model."""
    return apply_models(workflow, lookups)[1]


def accept(workflow: Workflow, lookups: Lookups | None = None) -> Workflow:
    """Check a workflow that was read and whose references were resolved (`references.resolve`), as a scheduler does.

    The reader has checked names and values, so they are not checked again: references may have any text as value.
    Returns the workflow with the values that the models' expressions set; raises InvalidWorkflow with all problems,
    in the order of the server.
    """
    accepted, found = apply_models(workflow, lookups)
    found += limit_problems(accepted)
    found += flow_problems(accepted)
    if found:
        raise InvalidWorkflow(workflow.name, found)
    return accepted
