"""The documents of a job that have addresses beside its page: pictures, output, results, the XML."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.responses import Response, StreamingResponse

from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.downloads import attachment
from proactive_jupyter_kernel.scheduler.portals.job import output, panels, results
from proactive_jupyter_kernel.scheduler.portals.job.page import above
from proactive_jupyter_kernel.scheduler.portals.job.snapshot import read_job
from proactive_jupyter_kernel.scheduler.portals.job.tasks import TaskFilter, squares_of
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.raw_value import NULL
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.value_files import LARGE, ValueFile
from proactive_jupyter_kernel.workflow.display.squares import squares_svg
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["PAGES"]

#: Results on a page of all results, and characters of each.
PER_PAGE, LONG = 20, 20_000

_JOB = "/scheduler/jobs/{job}"

#: A document that is not ours: no script, no form, no origin, and nothing but what it holds itself.
_DOCUMENT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}


# --- pictures --------------------------------------------------------------------------------------------------------


async def draw(request: PageRequest) -> Response:
    """The picture of the workflow with the states of the tasks, for one theme."""
    theme = request.query.get("theme", "light")

    def drawn(ask: Questions) -> str:
        return panels.picture_of(read_job(ask, request.job_id, now=request.now), theme)

    svg = await request.read(drawn)
    if not svg:
        raise HttpError(404, f"Job {request.job_id} has no picture.")
    return _svg(svg)


async def draw_squares(request: PageRequest) -> Response:
    """A square for each task."""
    snapshot = await request.read(lambda ask: read_job(ask, request.job_id, now=request.now))
    return _svg(squares_svg(squares_of(snapshot))[0])


def _svg(text: str) -> Response:
    return Response(text, media_type="image/svg+xml", headers=_DOCUMENT)


# --- output ----------------------------------------------------------------------------------------------------------


async def follow(request: PageRequest) -> Response:
    """What came since a position, as JSON for the script."""
    after = request.query.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise HttpError(400, "The position must be a number.")
    task = request.query.get("task", "")

    def read(ask: Questions) -> output.Output:
        tail, names, alive = output.read_tail(ask, request.job_id, task, after=int(after))
        return output.output_of(tail, names, task=task, alive=alive)

    found = await request.read(read)
    update = {
        "position": found.position,
        "cut": found.cut,
        "alive": found.alive,
        "lines": [[line.at, line.task, line.text, line.error] for line in found.lines],
    }
    # In ASCII: a line may have characters that are not Unicode.
    return Response(json.dumps(update, separators=(",", ":")), media_type="application/json")


async def download_output(request: PageRequest) -> Response:
    """The whole output that is kept of a task, or of all tasks one after the other."""
    job_id, name = request.job_id, request.query.get("task", "")

    def wanted(ask: Questions) -> Sequence[int]:
        return [ask.task(job_id, name).task_id] if name else [task.task_id for task in ask.outlines(job_id)]

    ids = await request.read(wanted)

    async def texts() -> AsyncIterator[bytes]:
        for portion in output.portions(ids):
            if found := await request.read(partial(_whole_log, job_id, portion)):
                yield found.encode("utf-8", "replace")

    file = f"job-{job_id}-{name}.log" if name else f"job-{job_id}.log"
    return StreamingResponse(texts(), media_type="text/plain; charset=utf-8", headers=attachment(file))


def _whole_log(job_id: int, ids: Sequence[int], ask: Questions) -> str:
    return "".join(output.texts_of(ask, job_id, ids))


# --- results ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    page: int
    pages: int
    total: int


async def show_results(request: PageRequest) -> Response:
    """The results of all tasks that finished, in pages."""
    wanted = TaskFilter.of(request.query).page

    def read(ask: Questions) -> dict[str, Any]:
        snapshot = read_job(ask, request.job_id, now=request.now)
        ids = [task.id for task in snapshot.tasks if task.status is TaskStatus.FINISHED]
        pages = max(-(-len(ids) // PER_PAGE), 1)
        page = min(wanted, pages)
        shown = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
        found = ask.results_of(ask.tasks_of(request.job_id, shown))
        return {
            "snapshot": snapshot,
            "results": tuple(results.result_view(one, longest=LONG) for one in found),
            "paging": _Pages(page=page, pages=pages, total=len(ids)),
        }

    read_all = await request.read(read)
    return request.render("job_results.html", **read_all, **above(read_all["snapshot"]))


async def content(request: PageRequest) -> Response:
    """A value or one output of a task by itself: an image, a document in a sandbox, or a file to save."""
    task_id, number = (_number(request.params[name]) for name in ("task", "number"))

    def read(ask: Questions) -> results.Content | TaskResult | None:
        (outcome,) = ask.results_of([ask.task_by_id(request.job_id, task_id)])
        is_large = number == 0 and outcome.value.size > LARGE
        return outcome if is_large else results.content_of(outcome, number)

    found = await request.read(read)
    file: ValueFile | None = None
    if isinstance(found, TaskResult):
        write = partial(results.write_value, outcome=replace(found, value=NULL))
        file = await request.service.value_files.make(found.value, write)
        found = results.Content(media_type=file.said, content=b"", name=found.task.name) if file.said else None
    if found is None:
        raise HttpError(404, f"Task {task_id} of job {request.job_id} has no such result.")
    shown = "download" not in request.query and found.media_type in results.SHOWN
    headers = dict(_DOCUMENT)
    if shown and request.session.framed and request.session.origins:
        headers["Content-Security-Policy"] += " " + " ".join(request.session.origins)
    if not shown:
        headers |= attachment(found.name + results.extension(found.media_type))
    headers |= {"Content-Type": results.charset(found.media_type)}
    if file is None:
        return Response(found.content, headers=headers)
    return StreamingResponse(file.pieces(), headers=headers | {"Content-Length": str(file.size)})


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise HttpError(404, f"There is no result {text[:40]!r}.")
    return int(text)


# --- XML -------------------------------------------------------------------------------------------------------------


async def show_xml(request: PageRequest) -> Response:
    """The XML of the workflow, hidden values not readable."""
    snapshot, text = await request.read(
        lambda ask: (read_job(ask, request.job_id, now=request.now), _xml(ask, request.job_id))
    )
    return request.render("job_xml.html", xml=text, **above(snapshot))


async def download_xml(request: PageRequest) -> Response:
    """The same as a file."""
    name, text = await request.read(lambda ask: (ask.job(request.job_id).record.name, _xml(ask, request.job_id)))
    headers = attachment(f"{name or 'job'}.xml")
    return Response(text.encode("utf-8", "replace"), media_type="application/xml; charset=utf-8", headers=headers)


def _xml(ask: Questions, job_id: int) -> str:
    from proactive_jupyter_kernel.scheduler.service.job_xml import job_xml

    return job_xml(ask.xml(job_id), ask.job(job_id).facts, ask.hidden)


PAGES = (
    Page("GET", _JOB + "/picture.svg", draw, "The picture of a job."),
    Page("GET", _JOB + "/squares.svg", draw_squares, "A square for each task of a job."),
    Page("GET", _JOB + "/output", follow, "The output of a job since a position."),
    Page("GET", _JOB + "/output.log", download_output, "The output of a job as a file."),
    Page("GET", _JOB + "/results", show_results, "The results of a job."),
    Page("GET", _JOB + "/results/{task}/{number}", content, "A result of a task by itself."),
    Page("GET", _JOB + "/xml", show_xml, "The XML of a job."),
    Page("GET", _JOB + "/workflow.xml", download_xml, "The XML of a job as a file."),
)
