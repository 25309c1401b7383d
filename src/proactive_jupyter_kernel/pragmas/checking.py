"""All errors and warnings of the draft, each with its cell and line and what to change."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.analysis import Binding, Missing
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.draft.propagation import (
    Needs,
    needs,
    parents_in,
    parents_of_draft,
    place_of,
    sets,
)
from proactive_jupyter_kernel.pragmas.name_hints import (
    hint_for_flow,
    hint_for_missing,
    hint_for_other_task,
    hint_for_task_name,
)
from proactive_jupyter_kernel.workflow.checks import CHECKS, Problem, Severity

__all__ = ["Finding", "doubts_of_task", "findings", "found_in_code", "hint_for_name_error", "summary_of_warnings"]

_NAME_ERROR = re.compile(r"^NameError: name '([^'\n]+)' is not defined", re.MULTILINE)
#: Maximum number of warnings that a submission lists.
NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One error or warning."""

    code: str
    message: str
    fix: str
    task: str = ""
    #: The cell and the line in it, such as ``Cell In[3], line 2``; empty where there is none.
    place: str = ""

    @property
    def severity(self) -> Severity:
        """Whether a scheduler refuses the job because of it."""
        return CHECKS[self.code].severity

    def __str__(self) -> str:
        where = ", ".join(part for part in (f"Task {self.task}" if self.task else "", self.place) if part)
        return f"{f'{where}: ' if where else ''}{self.message} {self.fix}".rstrip()


def findings(context: Context) -> list[Finding]:
    """All findings of the draft, errors first; the caller must hold the lock of the context."""
    preview = context.draft.preview(context.job_name)
    found = [*_refused(context), *(_of_problem(context, problem) for problem in preview.problems)]
    found += _of_needs(context, needs(context.draft.complete, parents_in(preview.workflow.tasks)))
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def doubts_of_task(context: Context, name: str) -> list[Finding]:
    """Warnings about the code of one task, as far as its ancestors are already defined."""
    contents = context.draft.complete
    return list(_of_needs(context, needs(contents, parents_of_draft(contents), readers=[name])))


def hint_for_name_error(context: Context, task: str, text: str) -> str:
    """What to do about a `NameError` of a task, by its name in the workflow; empty for other errors."""
    found = _NAME_ERROR.findall(text)
    contents = context.draft.complete
    if not found:
        return ""
    name = found[-1]
    if task in contents.tasks:
        flows = needs(contents, parents_of_draft(contents), readers=[task]).flows
        if flow := next((one for one in flows if one.name == name), None):
            return hint_for_flow(flow)
    if name == "result":
        return (
            "result is the value that the task itself sets; results holds those of the tasks in dep, in that order: "
            "results[0].value()."
        )
    return _hint(context, name, task)


def found_in_code(context: Context, name: str) -> str:
    """With `propagate=auto`: what a task gets from the tasks before it, to follow what is said of it."""
    if not context.draft.propagates:
        return ""
    contents = context.draft.complete
    flows = needs(contents, parents_of_draft(contents), readers=[name]).flows
    named = [f"{flow.name} from {' and '.join(flow.setters) or 'the variables'}" for flow in flows]
    return f", takes {', '.join(named)}" if named else ""


def summary_of_warnings(context: Context) -> str:
    """The warnings in one sentence, for a submission; empty if there are none."""
    found = [one for one in findings(context) if one.severity is Severity.WARNING]
    if not found:
        return ""
    named = "; ".join(f"{one.task or 'the job'}: {one.message.rstrip('.')} ({one.code})" for one in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{named}{more}. #%check() says what to change."


def _refused(context: Context) -> Iterator[Finding]:
    for refusal in context.refusals:
        titles = ", ".join(item.title for item in refusal.items)
        yield Finding(
            code="PA601",
            message=f"The cell {refusal.what}, and the job lacks {titles}: {refusal.reason}",
            fix=CHECKS["PA601"].fix,
            task=next((item.task for item in refusal.items), ""),
            place=refusal.label,
        )


def _of_problem(context: Context, problem: Problem) -> Finding:
    owner = context.draft.owner("task", problem.task) if problem.task else None
    message = f"{problem.place}: {problem.message}" if problem.place else problem.message
    return Finding(
        code=problem.code,
        message=message[:1].upper() + message[1:].rstrip(".") + ".",
        fix=problem.explanation or problem.fix,
        task=problem.task,
        place=owner.label if owner else "",
    )


def _of_needs(context: Context, found: Needs) -> Iterator[Finding]:
    contents = context.draft.contents
    if not context.draft.propagates:
        for flow in found.flows:
            entry = contents.tasks[flow.reader]
            yield Finding(
                code="PA652" if flow.binding is Binding.VALUE else "PA653",
                message=f"The code reads {flow.name}, which the task does not import.",
                fix=hint_for_flow(flow),
                task=flow.reader,
                place=_place(place_of(entry, flow.read.line)),
            )
    for missing in found.missing:
        yield _of_missing(context, missing, found)


def _of_missing(context: Context, missing: Missing, found: Needs) -> Finding:
    use = found.tasks[missing.task].use
    near = difflib.get_close_matches(missing.name, (*use.sets, *context.draft.variables), n=1)
    return Finding(
        code="PA651",
        message=f"The code reads {missing.name}, which nothing provides.",
        fix=_hint(context, missing.name, missing.task, near),
        task=missing.task,
        place=_place(place_of(context.draft.tasks[missing.task], missing.read.line)),
    )


def _hint(context: Context, name: str, reader: str, near: Sequence[str] = ()) -> str:
    """What to do about a name that no task before `reader` sets."""
    tasks = context.draft.complete.tasks
    if name not in context.frontend.namespace:
        if name in tasks:
            return hint_for_task_name(name)
        if setters := [one for one, entry in tasks.items() if one != reader and sets(entry, name)]:
            return hint_for_other_task(name, reader, setters[:2])
    return hint_for_missing(name, context.frontend.namespace, near)


def _place(place: tuple[str, int]) -> str:
    label, line = place
    return f"{label}, line {line}" if label else ""
