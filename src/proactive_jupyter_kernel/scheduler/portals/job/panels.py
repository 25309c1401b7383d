"""The small panels on the page of a job: its picture, variables, details. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from proactive_jupyter_kernel.scheduler.access.hidden_values import is_hidden
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, TaskSnapshot
from proactive_jupyter_kernel.workflow import picture
from proactive_jupyter_kernel.workflow.display.times import duration
from proactive_jupyter_kernel.workflow.display.wording import time_text
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.picture import TaskSummary
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Detail", "VariableRow", "details_of", "picture_of", "summaries_of", "variables_of"]

#: Tasks of a name from which the picture gets their counts, not each of them.
COUNTED_FROM = 12
#: Tasks of a workflow up to which its picture is described in words.
DESCRIBED = 200
#: Characters of a variable's value that are shown.
LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRow:
    """A variable of the job."""

    name: str
    value: str
    model: str
    #: The value is not shown.
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A line of the details."""

    name: str
    value: str


def variables_of(snapshot: JobSnapshot) -> tuple[VariableRow, ...]:
    """The variables as resolved at submission, without the values of hidden ones."""
    return tuple(
        VariableRow(
            name=variable.name,
            value="" if is_hidden(variable) else _cut(variable.value),
            model="" if is_hidden(variable) else variable.model,
            hidden=is_hidden(variable),
        )
        for variable in snapshot.row.facts.variables
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


#: Generic information of ours that the details say in words, or that no reader needs.
_KNOWN = frozenset({"bucketName", "submission.mode", "PARENT_JOB_ID", "PYTHON_LAST_VALUE"})


def details_of(snapshot: JobSnapshot, zone: tzinfo | None = None) -> tuple[Detail, ...]:
    """Who submitted it, when, and how it is run. `snapshot.row` has no values of hidden variables."""
    record, facts = snapshot.row.record, snapshot.row.facts
    given = {
        "Owner, project": f"{record.owner}, {facts.project}" if facts.project else record.owner,
        "Description": facts.description,
        "On error": snapshot.relations.policy(""),
        "Submitted": _moment(record.submitted_at, zone),
        "Started": _moment(record.started_at, zone),
        "Ended": _moment(record.finished_at, zone),
        "Removed by itself": _moment(record.remove_at or 0, zone),
        "Submitted by": f"job {facts.parent_id}" if facts.parent_id is not None else "",
        "Submitted from": facts.mode,
        "Bucket": facts.bucket,
        "Time of all tasks": duration(snapshot.row.core_time) if snapshot.row.core_time else "",
        "Nodes at most": f"{snapshot.row.nodes_in_parallel:,}" if snapshot.row.nodes_in_parallel else "",
        "Damaged": snapshot.row.damaged,
    }
    generic = {name: value for name, value in facts.generic_information.items() if name not in _KNOWN}
    rows = [Detail(name=name, value=value) for name, value in given.items() if value]
    return (*rows, *(Detail(name=name, value=_cut(value)) for name, value in generic.items()))


def _moment(milliseconds: int, zone: tzinfo | None) -> str:
    if milliseconds <= 0:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


#: The words for the priorities, the highest first.
PRIORITIES: Mapping[str, str] = {each.name: each.name.lower() for each in sorted(Priority, reverse=True)}


# --- the picture -----------------------------------------------------------------------------------------------------


def summaries_of(snapshot: JobSnapshot) -> dict[str, TaskSummary]:
    """The states of the tasks for the picture, by full name; many tasks of a name have one summary an iteration."""
    summaries: dict[str, TaskSummary] = {}
    for base, tasks in snapshot.by_base.items():
        if len(tasks) < COUNTED_FROM:
            summaries.update((task.name, _summary(snapshot, task)) for task in tasks)
            continue
        rounds: dict[str, list[TaskStatus]] = {}
        for task in tasks:
            rounds.setdefault(task.name.partition("*")[0], []).append(task.status)
        for name, statuses in rounds.items():
            counts = Counter(statuses)
            status = min(counts, key=lambda one: picture.STATES[one].rank)
            summaries[name if name.startswith(base) else base] = TaskSummary(status=status, counts=dict(counts))
    return summaries


def _summary(snapshot: JobSnapshot, task: TaskSnapshot) -> TaskSummary:
    running = task.status is TaskStatus.RUNNING
    # The time of a running task would change the picture every second, and the list shows it.
    note = time_text(task, snapshot.seen_at) if task.ended and task.read else ""
    return TaskSummary(
        status=task.status, note=note, progress=task.progress if running and 0 < task.progress <= 100 else None
    )


def version_of(snapshot: JobSnapshot, summaries: Mapping[str, TaskSummary]) -> str:
    """A short name of the state of the picture: while it stays the same, browsers keep the picture. Empty: there is
    none."""
    if snapshot.workflow is None or not snapshot.workflow.tasks:
        return ""
    return short_hash(
        [(name, each.status.value, each.note, each.progress, each.counts) for name, each in summaries.items()]
    )


def short_hash(value: object) -> str:
    """A short name of a value of texts and numbers."""
    return hashlib.sha256(repr(value).encode("utf-8", "replace")).hexdigest()[:12]


def alternative_of(snapshot: JobSnapshot, summaries: Mapping[str, TaskSummary]) -> str:
    """The words for those who do not see the picture; of a large one the list says more."""
    if snapshot.workflow is None or not snapshot.workflow.tasks:
        return ""
    if len(snapshot.workflow.tasks) > DESCRIBED:
        return f"Picture of the workflow with {len(snapshot.workflow.tasks):,} tasks; the list below has their states."
    return picture.alt(snapshot.workflow, summaries)


def picture_of(snapshot: JobSnapshot, theme: str) -> str:
    """The picture as SVG, for a page of that theme; empty where the workflow cannot be read."""
    if snapshot.workflow is None or not snapshot.workflow.tasks:
        return ""
    colours = picture.DARK if theme == "dark" else picture.LIGHT
    return picture.draw(snapshot.workflow, summaries=summaries_of(snapshot), theme=colours, framed=False)
