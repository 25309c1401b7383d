"""What ``/automation-dashboard/`` can open: a file, or a workflow of a job, of the studio, of the catalog."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.visit import Visit
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
        """What an error says: each problem on a line of its own, and what to do."""
        if isinstance(error, InvalidWorkflow):
            shown = [str(problem) for problem in error.problems[:50]]
            left = len(error.problems) - len(shown)
            return cls(
                title=title, lines=(*shown, *([f"and {left:,} more"] if left else []), *filter(None, [error.hint]))
            )
        return cls(title=title, lines=tuple(filter(None, (error.message, error.hint))))


async def open_file(visit: Visit) -> Response:
    """Read a file that was chosen, and show its form."""
    try:
        files = [part for part in await visit.fields() if part.name == "file"]
    except HttpError as error:
        if error.status != 413:
            raise
        response = await choice(visit, Trouble(title="The file is too large.", lines=(str(error),)), status=413)
        # The rest of the body is not read, so the connection cannot carry another request.
        response.headers["Connection"] = "close"
        return response
    if not files or not files[0].file_name:
        return await choice(visit, Trouble(title="No file was chosen."), status=400)
    # Some browsers send the path that the file has on its machine.
    name = PurePath(files[0].file_name.replace("\\", "/")).name[:200]
    return await _opened(visit, name, files[0].content, shown=name)


async def open_known(visit: Visit) -> Response:
    """Open a workflow that the scheduler has: of a job, of the studio, of the catalog."""
    if job := visit.query.get("job"):
        visit.params = {"job": job}
        return await _open_job(visit)

    def read() -> tuple[str, bytes, str]:
        if number := visit.query.get("studio"):
            found = _studio(visit).read(number)
            return "studio.xml", found["xml"].encode(), f"{found['name'] or 'studio'}.xml"
        bucket, _, name = visit.query["catalog"].partition("/")
        path = visit.service.catalog.find(bucket, name)
        return path.name, path.read_bytes(), f"{bucket}/{name}"

    try:
        file_name, content, shown = await asyncio.to_thread(read)
    except UnknownObject as error:
        raise HttpError(404, str(error)) from None
    return await _opened(visit, file_name, content, shown=shown)


async def _open_job(visit: Visit) -> Response:
    """The workflow of a job with the variables that it had."""
    job_id = visit.job_id
    xml, facts = await visit.read(lambda ask: (ask.xml(job_id), ask.job(job_id).facts))
    kept = {variable.name: variable.value for variable in facts.variables}
    try:
        content = await visit.service.previews.amended(Amendment(xml=xml.encode(), variables=kept))
    except ProActiveError as error:
        return await choice(visit, Trouble.of(f"The workflow of job {job_id} cannot be opened.", error), status=422)
    return await _opened(visit, "job.xml", content, shown=f"job {job_id}")


async def _opened(visit: Visit, name: str, content: bytes, *, shown: str) -> Response:
    previews = visit.service.previews
    try:
        read = await previews.read(name, content)
    except ProActiveError as error:
        return await choice(visit, Trouble.of(f"{shown} cannot be opened.", error), status=422)
    drawing = await previews.draw(read.xml)
    draft = previews.drafts.add(user=visit.user, name=shown, size=len(content), read=read, drawing=drawing)
    return visit.see(f"{HERE}?draft={draft.key}")


async def choice(visit: Visit, trouble: Trouble | None = None, *, status: int = 200) -> Response:
    """The page without a workflow: what can be opened."""

    def known() -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
        return _studio(visit).all()[:_MOST_KNOWN], _catalog(visit)

    studio, catalog = await asyncio.to_thread(known)
    return visit.render(
        "submit.html",
        status=status,
        draft=None,
        trouble=trouble,
        studio=studio,
        catalog=catalog,
        limit=limit_text(visit),
    )


def _studio(visit: Visit) -> Studio:
    return Studio(Path(visit.service.site.spaces.get("user", ""), visit.user, "workflows"))


def _catalog(visit: Visit) -> dict[str, list[str]]:
    """Bucket -> the workflows in it, as far as the page shows them."""
    found: dict[str, list[str]] = {}
    left = _MOST_KNOWN
    for bucket in visit.service.catalog.buckets():
        names = [
            name
            for name, path in sorted(visit.service.catalog.listed(bucket).items())
            if path.name.lower().endswith(_READABLE)
        ][:left]
        left -= len(names)
        if names:
            found[bucket] = names
    return found


def limit_text(visit: Visit) -> str:
    """The size of the largest file that the scheduler takes."""
    return size_text(visit.service.settings.body_limit)


def draft_of(visit: Visit, key: str) -> Draft | None:
    """The opened workflow of that key; None if it is no longer kept, or belongs to another user."""
    return visit.service.previews.drafts.find(key, visit.user)


def gone(visit: Visit) -> Response:
    """The workflow is not kept any more, or never was."""
    said = "The workflow is no longer open here: it is kept for some hours. Choose its file again."
    return visit.see(HERE, said, tone="attention")
