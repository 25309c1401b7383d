"""``/scheduler/jobs/ID``: the page of a job, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.portals.job import output, panels, questions, results
from proactive_jupyter_kernel.scheduler.portals.job.head import head_of, notices_of, went_wrong_of
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, read_job
from proactive_jupyter_kernel.scheduler.portals.job.tasks import Listing, TaskFilter, listing_of, squares_of, task_page
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["PAGES", "above"]

#: Results on the page of the job, and characters of each.
FEW, FEW_LONG = 5, 500
#: Base names of tasks that wait for a node whose reason is asked for.
REASONS = 5
#: Seconds after which the page of a job that runs is refreshed though nothing has changed: its clock runs.
EVERY, EVERY_LARGE = 5, 15
#: Tasks from which a job is large, and seconds between two refreshes of its page however often something changes.
LARGE, PACE_LARGE = 2_000, 3

_JOB = "/scheduler/jobs/{job}"


async def show(request: PageRequest) -> Response:
    """The page, or the parts of it that are asked for."""
    wanted = TaskFilter.of(request.query)
    chosen = request.query.get("task", "")
    read = await request.read(partial(_read, request.job_id, request.now, wanted, chosen))
    snapshot: JobSnapshot = read["snapshot"]
    notices = notices_of(snapshot, _reasons(request, snapshot))
    return request.render("job.html", notices=notices, **read, **above(snapshot))


def _read(job_id: int, now: int, wanted: TaskFilter, chosen: str, ask: Questions) -> dict[str, Any]:
    """All that the page shows, read at one moment and made into words, in a thread of the reader."""
    listed: list[Listing] = []

    def shown(outlines: JobSnapshot) -> list[int]:
        listed.append(listing_of(outlines, wanted))
        return [group[0].id for group in listed[0].groups if len(group) == 1]

    snapshot = read_job(ask, job_id, now=now, shown=shown)
    summaries = panels.summaries_of(snapshot)
    task = chosen if chosen in snapshot.by_name else ""
    tail, names, alive = output.read_tail(ask, job_id, task)
    return {
        "snapshot": snapshot,
        "wrong": went_wrong_of(snapshot),
        "tasks": task_page(snapshot, wanted, chosen=task, listing=listed[0]),
        "output": output.output_of(
            tail, names, task=task, alive=alive, tasks=[each.name for each in snapshot.tasks[: output.CHOICE + 1]]
        ),
        "results": _few_results(ask, snapshot, task),
        "returned": sum(each.status is TaskStatus.FINISHED for each in snapshot.tasks),
        "variables": panels.variables_of(snapshot),
        "details": panels.details_of(snapshot),
        "picture": panels.version_of(snapshot, summaries),
        "alternative": panels.alternative_of(snapshot, summaries),
        "squares": panels.short_hash([mark.value for mark in squares_of(snapshot)]),
    }


def above(snapshot: JobSnapshot) -> dict[str, Any]:
    """What all pages of a job show above their content."""
    return {
        "head": head_of(snapshot),
        "questions": questions.ACTIONS,
        "priorities": panels.PRIORITIES,
        "priority": snapshot.row.record.priority.name,
        "every": 0 if snapshot.ended else EVERY_LARGE if len(snapshot.tasks) >= LARGE else EVERY,
        "pace": PACE_LARGE if len(snapshot.tasks) >= LARGE else 0,
        "job_path": f"/scheduler/jobs/{snapshot.id}",
    }


def _reasons(request: PageRequest, snapshot: JobSnapshot) -> Mapping[str, str]:
    """Why tasks that are ready do not start; copies of one task share an answer."""
    if snapshot.ended:
        return {}
    found: dict[str, str] = {}
    asked = 0
    for tasks in snapshot.by_base.values():
        ready = [task for task in tasks if task.status is TaskStatus.PENDING]
        if not ready:
            continue
        asked += 1
        if asked > REASONS:
            break
        reason = request.service.resources.unmet_condition(snapshot.id, ready[0].id)
        if reason:
            found.update((task.name, reason) for task in ready)
    return found


def _few_results(ask: Questions, snapshot: JobSnapshot, chosen: str) -> tuple[results.ResultView, ...]:
    """The result of the chosen task, or one result of each of the last tasks of the workflow, then of the others."""
    finished = {
        base: next((task for task in tasks if task.status is TaskStatus.FINISHED), None)
        for base, tasks in snapshot.by_base.items()
    }
    if chosen:
        ids = [snapshot.by_name[chosen].id] if snapshot.by_name[chosen].status is TaskStatus.FINISHED else []
    else:
        last = [base for base in finished if not snapshot.relations.children(base)] if len(finished) <= 200 else []
        order = dict.fromkeys([*last, *finished])
        ids = [task.id for base in order if (task := finished[base]) is not None][:FEW]
    found = {one.task.task_id: one for one in ask.results_of(ask.tasks_of(snapshot.id, ids))}
    return tuple(results.result_view(found[one], longest=FEW_LONG) for one in ids if one in found)


PAGES = (Page("GET", _JOB, show, "A job: state, errors, picture, tasks, output, results, variables."),)
