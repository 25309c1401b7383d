"""``/automation-dashboard/``: open a workflow file, fill in its variables, see checks and picture, submit it."""

from __future__ import annotations

import asyncio
import base64
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError
from proactive_jupyter_kernel.scheduler.catalog import UnknownObject
from proactive_jupyter_kernel.scheduler.portals.downloads import attachment
from proactive_jupyter_kernel.scheduler.portals.submit import view
from proactive_jupyter_kernel.scheduler.portals.visit import Visit
from proactive_jupyter_kernel.scheduler.rest.http.errors import RestError
from proactive_jupyter_kernel.scheduler.service.drafts import Draft
from proactive_jupyter_kernel.scheduler.service.workflow_files import Amendment, Drawing, Examination
from proactive_jupyter_kernel.scheduler.studio import Studio
from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text
from proactive_jupyter_kernel.workflow.formats import FORMATS
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts

__all__ = ["check", "notebook", "open_file", "show", "submit"]

_HERE = "/automation-dashboard/"
#: How a submission of this page says that it came (generic information ``submission.mode``).
_MODE = "portal"
#: Workflows of the studio and of the catalog that the page offers.
_MOST_KNOWN = 100
#: A wider picture is scrolled, not shrunk.
_FITS = 640
_READABLE = tuple(extension for row in FORMATS.values() if row.loads for extension in row.extensions)
#: Query parameters that name a workflow to open.
_SOURCES = ("job", "studio", "catalog")


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


# --- opening ---------------------------------------------------------------------------------------------------------


async def show(visit: Visit) -> Response:
    """The form of an opened workflow, or what can be opened."""
    if any(visit.query.get(name) for name in _SOURCES):
        return await _open_known(visit)
    if not visit.query.get("draft"):
        return await _choice(visit)
    draft = _draft(visit, visit.query["draft"])
    if draft is None:
        return _gone(visit)
    answers = view.unanswered(draft.read.outline)
    return await _form(visit, draft, {}, answers)


async def open_file(visit: Visit) -> Response:
    """Read a file that was chosen, and show its form."""
    try:
        files = [part for part in await visit.fields() if part.name == "file"]
    except RestError as error:
        if error.status != 413:
            raise
        response = await _choice(visit, Trouble(title="The file is too large.", lines=(str(error),)), status=413)
        # The rest of the body is not read, so the connection cannot carry another request.
        response.headers["Connection"] = "close"
        return response
    if not files or not files[0].file_name:
        return await _choice(visit, Trouble(title="No file was chosen."), status=400)
    # Some browsers send the path that the file has on its machine.
    name = PurePath(files[0].file_name.replace("\\", "/")).name[:200]
    return await _opened(visit, name, files[0].content, shown=name)


async def _open_known(visit: Visit) -> Response:
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
        raise RestError(404, "", str(error)) from None
    return await _opened(visit, file_name, content, shown=shown)


async def _open_job(visit: Visit) -> Response:
    """The workflow of a job with the variables that it had."""
    job_id = visit.job_id
    xml, facts = await visit.read(lambda ask: (ask.xml(job_id), ask.job(job_id).facts))
    kept = {variable.name: variable.value for variable in facts.variables}
    try:
        content = await visit.service.previews.amended(Amendment(xml=xml.encode(), variables=kept))
    except ProActiveError as error:
        return await _choice(visit, Trouble.of(f"The workflow of job {job_id} cannot be opened.", error), status=422)
    return await _opened(visit, "job.xml", content, shown=f"job {job_id}")


async def _opened(visit: Visit, name: str, content: bytes, *, shown: str) -> Response:
    previews = visit.service.previews
    try:
        read = await previews.read(name, content)
    except ProActiveError as error:
        return await _choice(visit, Trouble.of(f"{shown} cannot be opened.", error), status=422)
    drawing = await previews.draw(read.xml)
    draft = previews.drafts.add(user=visit.user, name=shown, size=len(content), read=read, drawing=drawing)
    return visit.see(f"{_HERE}?draft={draft.key}")


async def _choice(visit: Visit, trouble: Trouble | None = None, *, status: int = 200) -> Response:
    """The page without a workflow: what can be opened."""

    def known() -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
        return _studio(visit).all()[:_MOST_KNOWN], _catalog(visit)

    studio, catalog = await asyncio.to_thread(known)
    return visit.render(
        "submit.html", status=status, draft=None, trouble=trouble, studio=studio, catalog=catalog, limit=_limit(visit)
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


def _limit(visit: Visit) -> str:
    return size_text(visit.service.settings.body_limit)


def _draft(visit: Visit, key: str) -> Draft | None:
    return visit.service.previews.drafts.find(key, visit.user)


def _gone(visit: Visit) -> Response:
    """The workflow is not kept any more, or never was."""
    said = "The workflow is no longer open here: it is kept for some hours. Choose its file again."
    return visit.see(_HERE, said, tone="attention")


# --- the form --------------------------------------------------------------------------------------------------------


async def _form(
    visit: Visit,
    draft: Draft,
    form: Mapping[str, str],
    answers: view.Answers,
    *,
    bad: str = "",
    trouble: Trouble | None = None,
    status: int = 200,
) -> Response:
    outline = draft.read.outline
    examination = await _examined(visit, draft, answers)
    checks = view.checks_of(outline, answers, examination, _nodes(visit), bad)
    numbers = [counted(outline.tasks, "task"), counted(len(outline.variables), "variable")]
    drawing = draft.drawing
    return visit.render(
        "submit.html",
        status=status,
        draft=draft,
        outline=outline,
        opened=", ".join([*numbers, size_text(draft.size)]),
        tasks=numbers[0],
        trouble=trouble,
        groups=view.groups_with(answers),
        ids={variable.name: f"v-{index}" for index, variable in enumerate(outline.variables)},
        typed=draft.typed,
        settings=view.run_settings(outline, form),
        checks=checks,
        light=_address(drawing, "light"),
        dark=_address(drawing, "dark"),
        fits=drawing is not None and drawing.width <= _FITS,
        limit=_limit(visit),
    )


async def _examined(visit: Visit, draft: Draft, answers: view.Answers) -> Examination:
    """What the checks say. While a form is edited only the last question is answered: large workflows take their time,
    and everybody's submissions wait for the same processes."""
    examining = visit.service.previews.examine(
        draft.read.xml,
        owner=visit.user,
        variables=answers.changed,
        generic_information=answers.generic_information,
    )
    if not visit.parts:
        return await examining
    if draft.checking is not None:
        draft.checking.cancel()
    checking = draft.checking = asyncio.create_task(examining)
    try:
        return await checking
    except asyncio.CancelledError:
        if draft.checking is checking:
            raise
        raise RestError(409, "", "The form was changed while it was checked.") from None
    finally:
        if draft.checking is checking:
            draft.checking = None


def _nodes(visit: Visit) -> list[NodeFacts]:
    return [
        NodeFacts(
            source=state.slot.source,
            host=state.slot.host,
            tokens=state.slot.tokens,
            busy=state.holder is not None,
            locked=state.locked,
        )
        for state in visit.service.resources.states
    ]


def _address(drawing: Drawing | None, theme: str) -> str:
    """A picture as an address that contains it."""
    if drawing is None:
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(getattr(drawing, theme).encode()).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A form that was sent."""

    draft: Draft
    form: Mapping[str, str]
    answers: view.Answers
    #: A setting that cannot be taken; empty: all can.
    bad: str = ""


async def _sent(visit: Visit, *, keep_secrets: bool) -> _Sent | None:
    """The form of this request; None where its workflow is not open any more.

    `keep_secrets`: the page is made anew, and the hidden values that were typed are not sent to it.
    """
    form = await visit.form()
    draft = _draft(visit, form.get("draft", ""))
    if draft is None:
        return None
    if keep_secrets:
        draft.typed.update(view.typed_secrets(draft.read.outline, form))
    bad = ""
    try:
        answers = view.answers_of(draft.read.outline, form, typed=draft.typed)
    except view.BadSetting as error:
        bad = str(error)
        plain = {name: value for name, value in form.items() if name.startswith(view.FIELD)}
        answers = view.answers_of(draft.read.outline, plain, typed=draft.typed)
    return _Sent(draft=draft, form=form, answers=answers, bad=bad)


async def check(visit: Visit) -> Response:
    """The form with what the checks say about it, or the checks alone. Nothing is submitted."""
    sent = await _sent(visit, keep_secrets=not visit.parts)
    if sent is None:
        if visit.parts:
            raise RestError(404, "", "The workflow is no longer open here. Choose its file again.")
        return _gone(visit)
    return await _form(visit, sent.draft, sent.form, sent.answers, bad=sent.bad)


async def submit(visit: Visit) -> Response:
    """Submit the workflow with the answers of the form, as REST does, and go to the page of the job."""
    sent = await _sent(visit, keep_secrets=True)
    if sent is None:
        return _gone(visit)
    if sent.bad:
        return await _form(visit, sent.draft, sent.form, sent.answers, bad=sent.bad, status=422)
    answers = sent.answers
    try:
        xml = await visit.service.previews.amended(
            Amendment(
                xml=sent.draft.read.xml,
                priority=answers.priority,
                project=answers.project,
                on_error=answers.on_error,
            )
        )
        job = await visit.service.submit(
            xml,
            owner=visit.user,
            variables=answers.changed,
            generic_information=answers.generic_information,
            mode=_MODE,
        )
    except ProActiveError as error:
        # Problems of the workflow stand in the checks already.
        known = isinstance(error, InvalidWorkflow)
        trouble = None if known else Trouble.of("The workflow was not submitted.", error)
        return await _form(visit, sent.draft, sent.form, answers, trouble=trouble, status=422 if known else 409)
    return visit.see(f"/scheduler/jobs/{job.job_id}", f"Submitted {job.name} as job {job.job_id}.")


async def notebook(visit: Visit) -> Response:
    """A notebook that builds the workflow with the values of the form. It holds no hidden value."""
    sent = await _sent(visit, keep_secrets=True)
    if sent is None:
        return _gone(visit)
    previews, answers, draft = visit.service.previews, sent.answers, sent.draft
    hidden = visit.service.hidden
    shown = {variable.name: variable.value for variable in hidden.shown_variables(answers.variables)}
    differing = {
        variable.name: shown[variable.name]
        for variable in draft.read.outline.variables
        if shown[variable.name] != variable.value
    }
    try:
        xml = await previews.amended(
            Amendment(
                xml=draft.read.xml,
                variables=differing,
                priority=answers.priority,
                project=answers.project,
                on_error=answers.on_error,
            )
        )
        files = await previews.notebook(xml, draft.read.outline.name)
    except ProActiveError as error:
        trouble = Trouble.of("No notebook can be made of the workflow as it is.", error)
        return await _form(visit, draft, sent.form, answers, bad=sent.bad, trouble=trouble, status=422)
    return _download(files)


def _download(files: Mapping[str, bytes]) -> Response:
    """One file, or several in an archive with the name of the first."""
    ((name, content), *others) = files.items()
    kind = "application/x-ipynb+json"
    if others:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, text in files.items():
                archive.writestr(each, text)
        name, content, kind = f"{PurePath(name).stem}.zip", buffer.getvalue(), "application/zip"
    return Response(content, media_type=kind, headers=attachment(name))
