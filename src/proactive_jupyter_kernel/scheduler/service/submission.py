"""From the XML of a submission to a workflow that the engine can run, or to every reason why not.

The order is ProActive's (``StaxJobFactory``, then ``InternalJobFactory``): the text is read, variables and generic
information of the submission replace those of the XML, references are resolved, models and rules are checked. Nothing
gets a job id before all of that went well.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import InvalidWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service.unsupported import unsupported
from proactive_jupyter_kernel.scheduler.store.base import JobFacts
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Workflow

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model_types import Lookups

__all__ = ["Validation", "facts_of", "prepare", "validate", "without_hidden"]

#: Generic information that the server adds to a submission which does not say how it came.
MODE, DEFAULT_MODE = "submission.mode", "rest-api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What the checks say about a workflow."""

    valid: bool
    #: The task of the first problem that has one.
    task_name: str | None = None
    message: str | None = None
    #: The workflow with references resolved, as others may see it; None where it could not be read.
    workflow: Workflow | None = None
    #: Things in the XML that this scheduler leaves out, each a sentence.
    notices: tuple[str, ...] = field(default=())


def prepare(
    xml: str | bytes,
    *,
    variables: Mapping[str, str],
    generic_information: Mapping[str, str],
    site: Mapping[str, str],
    hidden: HiddenValues,
    libraries: Path = Path(),
    lookups: Lookups | None = None,
    mode: str = DEFAULT_MODE,
) -> Workflow:
    """The resolved and checked workflow; `lookups` answer what the models of variables ask of the scheduler.

    `libraries` is the folder of the Java libraries that are installed.
    Values of hidden variables may come as `hidden` shows them. `mode` says how the submission came, unless it says so
    itself; empty: nothing is added.

    Raises `WorkflowError`: `UnreadableWorkflow` with the line, or `InvalidWorkflow` with every problem.
    """
    # lxml is loaded with the first submission, not with the daemon.
    from proactive_jupyter_kernel.workflow.checks import accept, check_variables
    from proactive_jupyter_kernel.workflow.formats.xml import loads
    from proactive_jupyter_kernel.workflow.references import resolve

    loaded = loads(xml, keep_going=True)
    problems: list[object] = list(loaded.problems)
    written = hidden.opened_workflow(loaded.workflow)
    variables = hidden.opened_values(variables, written)
    if mode:
        information = written.generic_information
        written = replace(written, generic_information={**information, MODE: information.get(MODE, mode)})
    given = tuple(replace(each, value=variables.get(each.name, each.value)) for each in written.variables)
    hide = functools.partial(without_hidden, hidden, replace(written, variables=given))
    try:
        workflow = resolve(written, variables=variables, generic_information=generic_information, site=site)
        # A flow that lacks a dependency would be judged for what it is not.
        accepted = workflow if problems else accept(workflow, lookups)
    except InvalidWorkflow as error:
        problems += [*error.problems, *unsupported(written, libraries)]
        raise InvalidWorkflow(written.name, list(map(hide, problems)), hint=error.hint) from None
    if problems:
        problems += check_variables(workflow, lookups)
    problems += unsupported(workflow, libraries)
    if problems:
        raise InvalidWorkflow(workflow.name, list(map(hide, problems)))
    return accepted


def without_hidden(hidden: HiddenValues, workflow: Workflow, problem: object) -> object:
    """The problem with no value of a hidden variable in its texts, as one has that refers to it."""
    if not isinstance(problem, Problem):
        return hidden.without({"": str(problem)}, workflow)[""]
    texts = {name: getattr(problem, name) for name in ("message", "explanation", "place", "reason")}
    told = hidden.without(texts, workflow)
    return replace(
        problem,
        message=told["message"],
        explanation=told["explanation"],
        place=told["place"],
        reason=told["reason"],
    )


def validate(
    xml: str | bytes,
    *,
    variables: Mapping[str, str],
    generic_information: Mapping[str, str],
    site: Mapping[str, str],
    hidden: HiddenValues,
    libraries: Path = Path(),
    lookups: Lookups | None = None,
) -> Validation:
    """As `prepare`, but every verdict is an answer."""
    try:
        workflow = prepare(
            xml,
            variables=variables,
            generic_information=generic_information,
            site=site,
            hidden=hidden,
            libraries=libraries,
            lookups=lookups,
        )
    except InvalidWorkflow as error:
        tasks = (getattr(problem, "task", "") for problem in error.problems)
        return Validation(
            valid=False,
            message=str(error),
            task_name=next(filter(None, tasks), None),
            workflow=_as_submitted(xml, variables, hidden),
        )
    except WorkflowError as error:
        return Validation(valid=False, message=str(error))
    return Validation(valid=True, workflow=hidden.shown_workflow(workflow))


def _as_submitted(xml: str | bytes, variables: Mapping[str, str], hidden: HiddenValues) -> Workflow | None:
    """An invalid workflow with the submission's variables, as others may see it; None if it breaks the schema."""
    from proactive_jupyter_kernel.workflow.formats.xml import loads

    try:
        loaded = loads(xml, keep_going=True)
    except WorkflowError:
        return None
    if loaded.problems:
        return None
    written = hidden.opened_workflow(loaded.workflow)
    given = hidden.opened_values(variables, written)
    known = tuple(replace(each, value=given.get(each.name, each.value)) for each in written.variables)
    return hidden.shown_workflow(replace(written, variables=known))


def facts_of(workflow: Workflow, hidden: HiddenValues) -> JobFacts:
    """What the job's records show of the workflow; nowhere the value of a hidden variable."""
    shown = hidden.shown_workflow(workflow)
    information = workflow.generic_information
    parent = information.get("PARENT_JOB_ID", "")
    return JobFacts(
        description=shown.description,
        project=workflow.project,
        bucket=information.get("bucketName", ""),
        mode=information.get(MODE, ""),
        parent_id=int(parent) if parent.isdecimal() else None,
        generic_information=dict(shown.generic_information),
        variables=shown.variables,
        precious_tasks=tuple(task.name for task in workflow.tasks if task.precious_result),
    )
