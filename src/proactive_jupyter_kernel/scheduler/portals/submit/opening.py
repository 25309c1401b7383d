"""What ``/automation-dashboard/`` can open: a file, or a workflow of a job, of the studio, of the catalog."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.drafts import Draft
from proactive_jupyter_kernel.scheduler.service.workflow_files import Amendment
from proactive_jupyter_kernel.scheduler.sources.catalog import UnknownObject
from proactive_jupyter_kernel.scheduler.sources.studio import Studio
from proactive_jupyter_kernel.workflow.display.numbers import size_text
from proactive_jupyter_kernel.workflow.formats import FORMATS

__all__ = ["HERE", "SOURCES", "Trouble", "choice", "draft_of", "gone", "limit_text", "open_file", "open_known"]

HERE = "/automation-dashboard/"
#: Workflows of the studio and of the catalog that the page offers.
_MOST_KNOWN = 100
_READABLE = tuple(extension for row in FORMATS.values() if row.loads for extension in row.extensions)
#: Query parameters that name a workflow to open.
SOURCES = ("job", "studio", "catalog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a file could not be opened, or a workflow not be submitted."""

    title: str
    lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, title: str, error: ProActiveError) -> Trouble:
        """What an error says: each problem on a separate line, and what to do."""
        if isinstance(error, InvalidWorkflow):
            shown = [str(problem) for problem in error.problems[:50]]
            left = len(error.problems) - len(shown)
            return cls(
                title=title, lines=(*shown, *([f"and {left:,} more"] if left else []), *filter(None, [error.hint]))
            )
        return cls(title=title, lines=tuple(filter(None, (error.message, error.hint))))


async def open_file(request: PageRequest) -> Response:
    """Read a file that was chosen, and show its form."""
    try:
        files = [part for part in await request.fields() if part.name == "file"]
    except HttpError as error:
        if error.status != 413:
            raise
        response = await choice(request, Trouble(title="The file is too large.", lines=(str(error),)), status=413)
        # The rest of the body is not read, so the connection cannot carry another request.
        response.headers["Connection"] = "close"
        return response
    if not files or not files[0].file_name:
        return await choice(request, Trouble(title="No file was chosen."), status=400)
    # Some browsers send the path that the file has on its machine.
    name = PurePath(files[0].file_name.replace("\\", "/")).name[:200]
    return await _opened(request, name, files[0].content, shown=name)


async def open_known(request: PageRequest) -> Response:
    """Open a workflow that the scheduler has: of a job, of the studio, of the catalog."""
    if job := request.query.get("job"):
        request.params = {"job": job}
        return await _open_job(request)

    def read() -> tuple[str, bytes, str]:
        if number := request.query.get("studio"):
            found = _studio(request).read(number)
            return "studio.xml", found["xml"].encode(), f"{found['name'] or 'studio'}.xml"
        bucket, _, name = request.query["catalog"].partition("/")
        path = request.service.catalog.find(bucket, name)
        return path.name, path.read_bytes(), f"{bucket}/{name}"

    try:
        file_name, content, shown = await asyncio.to_thread(read)
    except UnknownObject as error:
        raise HttpError(404, str(error)) from None
    return await _opened(request, file_name, content, shown=shown)


async def _open_job(request: PageRequest) -> Response:
    """The workflow of a job with the variables that it had."""
    job_id = request.job_id
    xml, facts = await request.read(lambda ask: (ask.xml(job_id), ask.job(job_id).facts))
    kept = {variable.name: variable.value for variable in facts.variables}
    try:
        content = await request.service.previews.amended(Amendment(xml=xml.encode(), variables=kept))
    except ProActiveError as error:
        return await choice(request, Trouble.of(f"The workflow of job {job_id} cannot be opened.", error), status=422)
    return await _opened(request, "job.xml", content, shown=f"job {job_id}")


async def _opened(request: PageRequest, name: str, content: bytes, *, shown: str) -> Response:
    previews = request.service.previews
    try:
        read = await previews.read(name, content)
    except ProActiveError as error:
        return await choice(request, Trouble.of(f"{shown} cannot be opened.", error), status=422)
    drawing = await previews.draw(read.xml)
    draft = previews.drafts.add(user=request.user, name=shown, size=len(content), read=read, drawing=drawing)
    return request.see(f"{HERE}?draft={draft.key}")


async def choice(request: PageRequest, trouble: Trouble | None = None, *, status: int = 200) -> Response:
    """The page without a workflow: what can be opened."""

    def known() -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
        return _studio(request).all()[:_MOST_KNOWN], _catalog(request)

    studio, catalog = await asyncio.to_thread(known)
    return request.render(
        "submit.html",
        status=status,
        draft=None,
        trouble=trouble,
        studio=studio,
        catalog=catalog,
        limit=limit_text(request),
    )


def _studio(request: PageRequest) -> Studio:
    return Studio(Path(request.service.site.spaces.get("user", ""), request.user, "workflows"))


def _catalog(request: PageRequest) -> dict[str, list[str]]:
    """Bucket -> the workflows in it, as far as the page shows them."""
    found: dict[str, list[str]] = {}
    left = _MOST_KNOWN
    for bucket in request.service.catalog.buckets():
        names = [
            name
            for name, path in sorted(request.service.catalog.listed(bucket).items())
            if path.name.lower().endswith(_READABLE)
        ][:left]
        left -= len(names)
        if names:
            found[bucket] = names
    return found


def limit_text(request: PageRequest) -> str:
    """The size of the largest file that the scheduler takes."""
    return size_text(request.service.settings.body_limit)


def draft_of(request: PageRequest, key: str) -> Draft | None:
    """The opened workflow of that key; None if it is no longer kept, or belongs to another user."""
    return request.service.previews.drafts.find(key, request.user)


def gone(request: PageRequest) -> Response:
    """The workflow is no longer open here, or never was."""
    said = "The workflow is no longer open here: it is kept for some hours. Choose its file again."
    return request.see(HERE, said, tone="attention")
