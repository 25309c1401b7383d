"""``/scheduler/jobs/ID``: the page of a job, its parts, and what stands at addresses of their own."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from proactive_jupyter_kernel.scheduler.portals.job import output, panels, questions, results
from proactive_jupyter_kernel.scheduler.portals.job.head import head_of, notices_of, went_wrong_of
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import JobSnapshot, read_job
from proactive_jupyter_kernel.scheduler.portals.job.tasks import Listing, TaskFilter, listing_of, squares_of, task_page
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.visit import Visit
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.service.errors import TaskNotRunning
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.workflow.display.squares import squares_svg
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["PAGES"]

#: Results on the page of the job, and characters of each; the same on the page of all results.
FEW, FEW_LONG = 5, 500
PER_PAGE, LONG = 20, 20_000
#: Base names of tasks that wait for a node whose reason is asked for.
REASONS = 5
#: Seconds after which the page of a job that runs is refreshed though nothing has changed: its clock runs.
EVERY, EVERY_LARGE = 5, 15
#: Tasks from which a job is large, and seconds between two refreshes of its page however often something changes.
LARGE, PACE_LARGE = 2_000, 3

_JOB = "/scheduler/jobs/{job}"


async def show(visit: Visit) -> Response:
    """The page, or the parts of it that are asked for."""
    wanted = TaskFilter.of(visit.query)
    chosen = visit.query.get("task", "")
    read = await visit.read(partial(_read, visit.job_id, visit.now, wanted, chosen))
    snapshot: JobSnapshot = read["snapshot"]
    notices = notices_of(snapshot, _reasons(visit, snapshot))
    return visit.render("job.html", notices=notices, **read, **_common(visit, snapshot))


def _read(job_id: int, now: int, wanted: TaskFilter, chosen: str, ask: Questions) -> dict[str, Any]:
    """All that the page shows, read at one moment and made into words, in a thread of the reader."""
    listed: list[Listing] = []

    def shown(outlines: JobSnapshot) -> list[int]:
        listed.append(listing_of(outlines, wanted))
        return [group[0].id for group in listed[0].groups if len(group) == 1]

    snapshot = read_job(ask, job_id, now=now, shown=shown)
    looks = panels.looks_of(snapshot)
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
        "picture": panels.version_of(snapshot, looks),
        "alternative": panels.alternative_of(snapshot, looks),
        "squares": panels.short_hash([mark.value for mark in squares_of(snapshot)]),
    }


def _common(visit: Visit, snapshot: JobSnapshot) -> dict[str, Any]:
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


def _reasons(visit: Visit, snapshot: JobSnapshot) -> Mapping[str, str]:
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
        reason = visit.service.resources.unmet_condition(snapshot.id, ready[0].id)
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


# --- pictures --------------------------------------------------------------------------------------------------------


async def draw(visit: Visit) -> Response:
    """The picture of the workflow with the states of the tasks, for one theme."""
    theme = visit.query.get("theme", "light")

    def drawn(ask: Questions) -> str:
        return panels.picture_of(read_job(ask, visit.job_id, now=visit.now), theme)

    svg = await visit.read(drawn)
    if not svg:
        raise RestError(404, "", f"Job {visit.job_id} has no picture.")
    return _svg(svg)


async def draw_squares(visit: Visit) -> Response:
    """A square for each task."""
    snapshot = await visit.read(lambda ask: read_job(ask, visit.job_id, now=visit.now))
    return _svg(squares_svg(squares_of(snapshot))[0])


def _svg(text: str) -> Response:
    return Response(text, media_type="image/svg+xml", headers=_DOCUMENT)


#: A document that is not ours: no script, no form, no origin, and nothing but what it holds itself.
_DOCUMENT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}


# --- output ----------------------------------------------------------------------------------------------------------


async def follow(visit: Visit) -> Response:
    """What came since a position, as JSON for the script."""
    after = visit.query.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise RestError(400, "", "The position must be a number.")
    task = visit.query.get("task", "")

    def read(ask: Questions) -> output.Output:
        tail, names, alive = output.read_tail(ask, visit.job_id, task, after=int(after))
        return output.output_of(tail, names, task=task, alive=alive)

    found = await visit.read(read)
    news = {
        "position": found.position,
        "cut": found.cut,
        "alive": found.alive,
        "lines": [[line.at, line.task, line.text, line.error] for line in found.lines],
    }
    # In ASCII: a line may have characters that are not Unicode.
    return Response(json.dumps(news, separators=(",", ":")), media_type="application/json")


async def download_output(visit: Visit) -> Response:
    """The whole output that is kept of a task, or of all tasks one after the other."""
    job_id, name = visit.job_id, visit.query.get("task", "")

    def wanted(ask: Questions) -> Sequence[int]:
        return [ask.task(job_id, name).task_id] if name else [task.task_id for task in ask.outlines(job_id)]

    ids = await visit.read(wanted)

    async def texts() -> AsyncIterator[bytes]:
        for portion in output.portions(ids):
            if found := await visit.read(partial(_whole_log, job_id, portion)):
                yield found.encode("utf-8", "replace")

    file = f"job-{job_id}-{name}.log" if name else f"job-{job_id}.log"
    return StreamingResponse(texts(), media_type="text/plain; charset=utf-8", headers=_attachment(file))


def _whole_log(job_id: int, ids: Sequence[int], ask: Questions) -> str:
    return "".join(output.texts_of(ask, job_id, ids))


def _attachment(name: str) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}


# --- results ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    page: int
    pages: int
    total: int


async def show_results(visit: Visit) -> Response:
    """The results of all tasks that finished, in pages."""
    wanted = TaskFilter.of(visit.query).page

    def read(ask: Questions) -> dict[str, Any]:
        snapshot = read_job(ask, visit.job_id, now=visit.now)
        ids = [task.id for task in snapshot.tasks if task.status is TaskStatus.FINISHED]
        pages = max(-(-len(ids) // PER_PAGE), 1)
        page = min(wanted, pages)
        shown = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
        found = ask.results_of(ask.tasks_of(visit.job_id, shown))
        return {
            "snapshot": snapshot,
            "results": tuple(results.result_view(one, longest=LONG) for one in found),
            "paging": _Pages(page=page, pages=pages, total=len(ids)),
        }

    read_all = await visit.read(read)
    return visit.render("job_results.html", **read_all, **_common(visit, read_all["snapshot"]))


async def content(visit: Visit) -> Response:
    """A value or one output of a task by itself: an image, a document in a sandbox, or a file to save."""
    task_id, number = (_number(visit.params[name]) for name in ("task", "number"))

    def read(ask: Questions) -> results.Content | None:
        task = ask.task_by_id(visit.job_id, task_id)
        return results.content_of(ask.results_of([task])[0], number)

    found = await visit.read(read)
    if found is None:
        raise RestError(404, "", f"Task {task_id} of job {visit.job_id} has no such result.")
    shown = "download" not in visit.query and found.media_type in results.SHOWN
    headers = dict(_DOCUMENT)
    if shown and visit.session.framed and visit.session.origins:
        headers["Content-Security-Policy"] += " " + " ".join(visit.session.origins)
    if not shown:
        headers |= _attachment(found.name + results.extension(found.media_type))
    return Response(found.content, headers=headers | {"Content-Type": results.charset(found.media_type)})


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise RestError(404, "", f"There is no result {text[:40]!r}.")
    return int(text)


# --- XML -------------------------------------------------------------------------------------------------------------


async def show_xml(visit: Visit) -> Response:
    """The XML of the workflow, hidden values not readable."""
    snapshot, text = await visit.read(lambda ask: (read_job(ask, visit.job_id, now=visit.now), _xml(ask, visit.job_id)))
    return visit.render("job_xml.html", xml=text, **_common(visit, snapshot))


async def download_xml(visit: Visit) -> Response:
    """The same as a file."""
    name, text = await visit.read(lambda ask: (ask.job(visit.job_id).record.name, _xml(ask, visit.job_id)))
    headers = _attachment(f"{name or 'job'}.xml")
    return Response(text.encode("utf-8", "replace"), media_type="application/xml; charset=utf-8", headers=headers)


def _xml(ask: Questions, job_id: int) -> str:
    from proactive_jupyter_kernel.scheduler.service.job_xml import job_xml

    return job_xml(ask.xml(job_id), ask.job(job_id).facts, ask.hidden)


# --- actions ---------------------------------------------------------------------------------------------------------


async def ask(visit: Visit) -> Response:
    """The question before an action."""
    action, task = visit.params["action"], visit.query.get("task", "")
    snapshot = await visit.read(
        lambda asked: read_job(
            asked, visit.job_id, now=visit.now, shown=lambda all: [each.id for each in all.tasks if each.name == task]
        )
    )
    question = questions.question_of(action, snapshot, task)
    if question is None:
        raise RestError(404, "", f"There is no question before {action!r} of {task or 'the job'}.")
    path = f"/scheduler/jobs/{visit.job_id}"
    return visit.ask(
        title=question.head,
        text=question.text,
        action=f"{path}/do/{action}",
        yes=question.yes,
        no=question.no,
        back=path,
        query={"task": task} if task else {},
    )


async def do(visit: Visit) -> Response:
    """Do something to the job or one of its tasks, then go back to the page."""
    action, task = visit.params["action"], visit.query.get("task", "")
    known = questions.ACTIONS.get(action)
    if known is None or known.on_task != bool(task):
        raise RestError(404, "", f"There is no action {action!r} on {task or 'the job'}.")
    try:
        changed = await _DONE[action](visit, task)
    except TaskNotRunning:
        changed = False
    said = (known.done if changed else known.unchanged).format(job=visit.job_id, task=task)
    tone = "ok" if changed else "attention"
    if action == "remove":
        # The page of the job is gone; the list with its filter is not.
        to_list = not visit.query.get("back", "").startswith(f"/scheduler/jobs/{visit.job_id}")
        return visit.back("/scheduler/", said, tone=tone) if to_list else visit.see("/scheduler/", said, tone=tone)
    return visit.back(f"/scheduler/jobs/{visit.job_id}", said, tone=tone)


async def _set_priority(visit: Visit, task: str) -> bool:
    name = (await visit.form()).get("priority", "")
    if name not in Priority.__members__:
        raise RestError(400, "", f"There is no priority {name[:40]!r}.")
    await visit.service.set_priority(visit.job_id, Priority[name])
    return True


#: Key of `questions.ACTIONS` -> what does it, and says whether that changed anything.
_DONE: Mapping[str, Callable[[Visit, str], Awaitable[bool]]] = {
    "pause": lambda visit, task: visit.service.pause_job(visit.job_id),
    "resume": lambda visit, task: visit.service.resume_job(visit.job_id),
    "kill": lambda visit, task: visit.service.kill_job(visit.job_id),
    "remove": lambda visit, task: visit.service.remove_job(visit.job_id),
    "restart-all-in-error": lambda visit, task: visit.service.restart_all_in_error_tasks(visit.job_id),
    "priority": _set_priority,
    "restart-in-error": lambda visit, task: visit.service.restart_in_error_task(visit.job_id, task),
    "finish-in-error": lambda visit, task: visit.service.finish_in_error_task(visit.job_id, task),
    "restart-task": lambda visit, task: visit.service.restart_task(visit.job_id, task),
    "kill-task": lambda visit, task: visit.service.kill_task(visit.job_id, task),
}


PAGES = (
    Page("GET", _JOB, show, "A job: state, errors, picture, tasks, output, results, variables."),
    Page("GET", _JOB + "/picture.svg", draw, "The picture of a job."),
    Page("GET", _JOB + "/squares.svg", draw_squares, "A square for each task of a job."),
    Page("GET", _JOB + "/output", follow, "The output of a job since a position."),
    Page("GET", _JOB + "/output.log", download_output, "The output of a job as a file."),
    Page("GET", _JOB + "/results", show_results, "The results of a job."),
    Page("GET", _JOB + "/results/{task}/{number}", content, "A result of a task by itself."),
    Page("GET", _JOB + "/xml", show_xml, "The XML of a job."),
    Page("GET", _JOB + "/workflow.xml", download_xml, "The XML of a job as a file."),
    Page("GET", _JOB + "/ask/{action}", ask, "The question before an action on a job."),
    Page("POST", _JOB + "/do/{action}", do, "Do something to a job or one of its tasks."),
)
