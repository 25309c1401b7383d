"""A workflow, the answers of its form and the verdict of the checks -> records of finished words. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TypeVar

from proactive_jupyter_kernel.scheduler.service.workflow_files import Examination, Outline
from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Variable
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts, unmet_condition
from proactive_jupyter_kernel.workflow.variable_fields import (
    Choice,
    Control,
    FieldGroup,
    field_of,
    groups_of,
    posted_value,
    visible_values,
)

__all__ = [
    "FIELD",
    "Answers",
    "BadSetting",
    "CheckRow",
    "Checks",
    "RunSettings",
    "answers_of",
    "checks_of",
    "groups_with",
    "run_settings",
    "typed_secrets",
    "unanswered",
]

_Value = TypeVar("_Value")
_Constant = TypeVar("_Constant", bound=enum.Enum)

#: What stands before the name of a variable in the names of a form.
FIELD = "v."
#: Rows of problems and of warnings that are shown; of more the page gives the number.
_MOST_ROWS = 50
_WORDS: Mapping[ErrorPolicy, str] = {
    ErrorPolicy.CONTINUE: "continue",
    ErrorPolicy.CANCEL_JOB: "cancel the job",
    ErrorPolicy.PAUSE_JOB: "pause the job",
    ErrorPolicy.SUSPEND_TASK: "hold the task for a decision",
}
#: A problem about the value of a variable, by the place that other checks give.
_PLACE = re.compile(r"variable '([^']+)'")


class BadSetting(ValueError):
    """One of the settings of a form has a value that the form does not offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What somebody answered in the form."""

    #: The job's variables with the values of the form.
    variables: tuple[Variable, ...]
    #: Those whose value differs from the workflow's.
    changed: Mapping[str, str]
    #: None: as the workflow says.
    priority: Priority | None = None
    project: str | None = None
    on_error: ErrorPolicy | None = None
    #: Generic information ``START_AT``; empty: as the workflow says.
    start_at: str = ""

    @property
    def generic_information(self) -> dict[str, str]:
        """What goes with the submission."""
        return {"START_AT": self.start_at} if self.start_at else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The part of the form that says how the job runs."""

    priorities: tuple[Choice, ...]
    priority: str
    project: str
    policies: tuple[Choice, ...]
    on_error: str
    #: As the browser's control has it.
    start_at: str
    start_hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One line of the checks."""

    mark: Mark
    text: str
    #: The variable whose field it is about; empty: none.
    variable: str = ""

    @property
    def tone(self) -> str:
        """The tone of the mark."""
        return TONES[self.mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The verdict."""

    valid: bool
    #: ``1 problem``, ``in order``.
    head: str
    tone: str
    rows: tuple[CheckRow, ...]
    #: Variable -> what is wrong with its value.
    errors: Mapping[str, str]


# --- answers ---------------------------------------------------------------------------------------------------------


def answers_of(
    outline: Outline, form: Mapping[str, str], *, typed: Mapping[str, str], zone: tzinfo | None = None
) -> Answers:
    """The answers of a form that was sent; raises `BadSetting`. `typed`: hidden values that were typed before."""
    base = tuple(replace(each, value=typed.get(each.name, each.value)) for each in outline.variables)
    values = visible_values(base)
    variables = tuple(
        variable
        if variable.hidden
        else replace(variable, value=posted_value(variable, form.get(FIELD + variable.name), values))
        for variable in base
    )
    return Answers(
        variables=variables,
        changed={
            now.name: now.value
            for now, before in zip(variables, outline.variables, strict=True)
            if now.value != before.value
        },
        priority=_changed(_chosen(Priority, form.get("priority", ""), "priority"), outline.priority),
        project=_changed(form["project"].strip(), outline.project) if "project" in form else None,
        on_error=_changed(_chosen(ErrorPolicy, form.get("on_error", ""), "error policy"), outline.on_error),
        start_at=_start_at(form.get("start_at", "").strip(), form.get("offset", ""), zone),
    )


def typed_secrets(outline: Outline, form: Mapping[str, str]) -> dict[str, str]:
    """The hidden values that were typed into the form."""
    return {
        variable.name: form[FIELD + variable.name]
        for variable in outline.variables
        if form.get(FIELD + variable.name) and field_of(variable).control is Control.SECRET
    }


def unanswered(outline: Outline) -> Answers:
    """The answers of a form that was not sent yet."""
    return Answers(variables=outline.variables, changed={})


def _changed(value: _Value, before: object) -> _Value | None:
    return None if value == before else value


def _chosen(kind: type[_Constant], name: str, what: str) -> _Constant | None:
    if not name:
        return None
    try:
        return kind[name]
    except KeyError:
        raise BadSetting(f"There is no {what} {name[:40]!r}.") from None


def _start_at(text: str, offset: str, zone: tzinfo | None) -> str:
    """The time with the browser's shift from UTC in minutes, or with the scheduler's own zone."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            minutes = int(offset) if re.fullmatch(r"-?[0-9]{1,4}", offset) else None
            moment = (
                moment.astimezone(zone)
                if minutes is None
                else moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
            )
    except (ValueError, OverflowError):
        raise BadSetting(f"The start time {text[:40]!r} is not a date and time such as 2026-11-01T08:30.") from None
    return moment.isoformat(timespec="seconds")


# --- the form --------------------------------------------------------------------------------------------------------


def groups_with(answers: Answers) -> tuple[FieldGroup, ...]:
    """The fields with the values of the answers."""
    return groups_of(answers.variables)


def run_settings(outline: Outline, form: Mapping[str, str]) -> RunSettings:
    """How the job runs: as the workflow says, or as it was answered."""
    priority = outline.priority.name if isinstance(outline.priority, Priority) else ""
    on_error = outline.on_error.name if isinstance(outline.on_error, ErrorPolicy) else ""
    priorities = [Choice(value=each.name, label=each.name.lower()) for each in sorted(Priority, reverse=True)]
    if not priority:
        priorities.insert(0, Choice(value="", label=f"as the workflow says ({outline.priority})"))
    policies = [Choice(value=policy.name, label=words) for policy, words in _WORDS.items()]
    if on_error not in {policy.name for policy in _WORDS}:
        on_error = ""
        shown = (
            outline.on_error if outline.on_error is not None and not isinstance(outline.on_error, ErrorPolicy) else ""
        )
        label = f"as the workflow says ({shown})" if shown else "continue, or as each task says"
        policies = [Choice(value="", label=label), *policies]
    own = outline.start_at
    return RunSettings(
        priorities=tuple(priorities),
        priority=form.get("priority", priority),
        project=form.get("project", outline.project),
        policies=tuple(policies),
        on_error=form.get("on_error", on_error),
        start_at=form.get("start_at", ""),
        start_hint=f"empty: at {own}, as the workflow says" if own else "empty: now",
    )


# --- the verdict -----------------------------------------------------------------------------------------------------


def checks_of(
    outline: Outline, answers: Answers, examination: Examination, nodes: Sequence[NodeFacts], trouble: str = ""
) -> Checks:
    """The checks as lines; `trouble` is a setting of the form that cannot be taken."""
    known = {variable.name for variable in answers.variables if not variable.hidden}
    errors: dict[str, str] = {}
    rows = [CheckRow(mark=Mark.BAD, text=text) for text in (trouble, examination.unreadable) if text]
    for problem in examination.problems:
        row = _problem_row(problem, known)
        if row.variable:
            errors.setdefault(row.variable, row.text)
        rows.append(row)
    count = len(rows) + examination.more_problems
    warnings = [CheckRow(mark=Mark.HELD, text=_warning(each)) for each in examination.warnings]
    rows = _limited(rows, "problem", examination.more_problems)
    rows += _node_rows(outline, nodes)
    rows += _limited(warnings, "warning", examination.more_warnings)
    rows += _model_rows(answers, examination)
    if all(row.variable or row.mark is not Mark.BAD for row in rows):
        rows.append(CheckRow(mark=Mark.GOOD, text="graph, names, scripts: in order"))
    head = f"{count:,} problem{'' if count == 1 else 's'}" if count else "no problems"
    return Checks(valid=not count, head=head, tone="bad" if count else "ok", rows=tuple(rows), errors=errors)


def _problem_row(problem: Problem | str, known: set[str]) -> CheckRow:
    if isinstance(problem, str):
        return CheckRow(mark=Mark.BAD, text=problem)
    place = _PLACE.search(problem.place)
    variable = problem.variable or (place[1] if place else "")
    if problem.task or variable not in known:
        return CheckRow(mark=Mark.BAD, text=str(problem))
    return CheckRow(mark=Mark.BAD, text=problem.reason or problem.message, variable=variable)


def _warning(problem: Problem) -> str:
    return str(problem) if problem.explanation else f"{str(problem).rstrip('.')}. {problem.fix}"


def _limited(rows: list[CheckRow], noun: str, more: int) -> list[CheckRow]:
    left = max(0, len(rows) - _MOST_ROWS) + more
    if not left:
        return rows
    return [*rows[:_MOST_ROWS], CheckRow(mark=rows[0].mark, text=f"and {left:,} more {noun}{'s' * (left > 1)}")]


def _node_rows(outline: Outline, nodes: Sequence[NodeFacts]) -> Iterable[CheckRow]:
    """What tasks ask of nodes, and whether there are such nodes now."""
    for wish in outline.wishes:
        who = wish.task + (f" and {wish.count - 1:,} more tasks" if wish.count > 1 else "")
        reason = unmet_condition(wish.wish, nodes)
        if reason:
            yield CheckRow(mark=Mark.HELD, text=f"{who} would wait: {reason}")
        elif wish.wish.described:
            yield CheckRow(mark=Mark.GOOD, text=f"{who} needs nodes{wish.wish.described}: one is free")


def _model_rows(answers: Answers, examination: Examination) -> Iterable[CheckRow]:
    """What the models of variables change when the workflow is submitted: only those with expressions can."""
    if not any("SPEL" in variable.model.upper() for variable in answers.variables):
        return
    sent = {variable.name: variable.value for variable in answers.variables}
    for variable in examination.variables:
        before = sent.get(variable.name, variable.value)
        if "$" not in before and before != variable.value and not variable.value.startswith("ENC("):
            text = f"{variable.name} becomes {variable.value!r} when it is submitted, as a model says"
            yield CheckRow(mark=Mark.WAITING, text=text)
