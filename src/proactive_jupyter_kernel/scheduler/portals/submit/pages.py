"""``/automation-dashboard/``: open a workflow file, fill in its variables, see checks and picture, submit it."""

from __future__ import annotations

import asyncio
import base64
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from starlette.responses import Response

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.portals.downloads import attachment
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.portals.submit import view
from proactive_jupyter_kernel.scheduler.portals.submit.opening import (
    HERE,
    SOURCES,
    Trouble,
    choice,
    draft_of,
    gone,
    limit_text,
    open_file,
    open_known,
)
from proactive_jupyter_kernel.scheduler.service.drafts import Draft
from proactive_jupyter_kernel.scheduler.service.workflow_files import Amendment, Drawing, Examination
from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts

__all__ = ["PAGES"]

#: How a submission of this page says that it came (generic information ``submission.mode``).
_MODE = "portal"
#: A wider picture is scrolled, not shrunk.
_FITS = 640


async def show(request: PageRequest) -> Response:
    """The form of an opened workflow, or what can be opened."""
    if any(request.query.get(name) for name in SOURCES):
        return await open_known(request)
    if not request.query.get("draft"):
        return await choice(request)
    draft = draft_of(request, request.query["draft"])
    if draft is None:
        return gone(request)
    answers = view.unanswered(draft.read.outline)
    return await _form(request, draft, {}, answers)


async def _form(
    request: PageRequest,
    draft: Draft,
    form: Mapping[str, str],
    answers: view.Answers,
    *,
    bad: str = "",
    trouble: Trouble | None = None,
    status: int = 200,
) -> Response:
    outline = draft.read.outline
    examination = await _examined(request, draft, answers)
    checks = view.checks_of(outline, answers, examination, _nodes(request), bad)
    numbers = [counted(outline.tasks, "task"), counted(len(outline.variables), "variable")]
    drawing = draft.drawing
    return request.render(
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
        limit=limit_text(request),
    )


async def _examined(request: PageRequest, draft: Draft, answers: view.Answers) -> Examination:
    """What the checks say. While a form is edited only the last question is answered: large workflows take their time,
    and everybody's submissions wait for the same processes."""
    examining = request.service.previews.examine(
        draft.read.xml,
        owner=request.user,
        variables=answers.changed,
        generic_information=answers.generic_information,
    )
    if not request.parts:
        return await examining
    if draft.checking is not None:
        draft.checking.cancel()
    checking = draft.checking = asyncio.create_task(examining)
    try:
        return await checking
    except asyncio.CancelledError:
        if draft.checking is checking:
            raise
        raise HttpError(409, "The form was changed while it was checked.") from None
    finally:
        if draft.checking is checking:
            draft.checking = None


def _nodes(request: PageRequest) -> list[NodeFacts]:
    return [
        NodeFacts(
            source=state.slot.source,
            host=state.slot.host,
            tokens=state.slot.tokens,
            busy=state.holder is not None,
            locked=state.locked,
        )
        for state in request.service.resources.states
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


async def _sent(request: PageRequest, *, keep_secrets: bool) -> _Sent | None:
    """The form of this request; None if its workflow is no longer open.

    `keep_secrets`: the page is made anew, and the hidden values that were typed are not sent to it.
    """
    form = await request.form()
    draft = draft_of(request, form.get("draft", ""))
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


async def check(request: PageRequest) -> Response:
    """The form with what the checks say about it, or the checks alone. Nothing is submitted."""
    sent = await _sent(request, keep_secrets=not request.parts)
    if sent is None:
        if request.parts:
            raise HttpError(404, "The workflow is no longer open here. Choose its file again.")
        return gone(request)
    return await _form(request, sent.draft, sent.form, sent.answers, bad=sent.bad)


async def submit(request: PageRequest) -> Response:
    """Submit the workflow with the answers of the form, as REST does, and go to the page of the job."""
    sent = await _sent(request, keep_secrets=True)
    if sent is None:
        return gone(request)
    if sent.bad:
        return await _form(request, sent.draft, sent.form, sent.answers, bad=sent.bad, status=422)
    answers = sent.answers

    async def submitted() -> JobRecord:
        xml = await request.service.previews.amended(
            Amendment(
                xml=sent.draft.read.xml,
                priority=answers.priority,
                project=answers.project,
                on_error=answers.on_error,
            )
        )
        return await request.service.submit(
            xml,
            owner=request.user,
            variables=answers.changed,
            generic_information=answers.generic_information,
            mode=_MODE,
        )

    try:
        job = await request.once(sent.form, submitted)
    except ProActiveError as error:
        # Problems of the workflow stand in the checks already.
        known = isinstance(error, InvalidWorkflow)
        trouble = None if known else Trouble.of("The workflow was not submitted.", error)
        return await _form(request, sent.draft, sent.form, answers, trouble=trouble, status=422 if known else 409)
    return request.see(f"/scheduler/jobs/{job.job_id}", f"Submitted {job.name} as job {job.job_id}.")


async def notebook(request: PageRequest) -> Response:
    """A notebook that builds the workflow with the values of the form. It holds no hidden value."""
    sent = await _sent(request, keep_secrets=True)
    if sent is None:
        return gone(request)
    previews, answers, draft = request.service.previews, sent.answers, sent.draft
    hidden = request.service.hidden
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
        return await _form(request, draft, sent.form, answers, bad=sent.bad, trouble=trouble, status=422)
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


PAGES = (
    Page("GET", HERE, show, "Opens a workflow and shows its form, its picture and its checks."),
    Page("POST", HERE + "open", open_file, "Reads a workflow file that was chosen."),
    Page("POST", HERE + "check", check, "Checks the form of a workflow."),
    Page("POST", HERE + "submit", submit, "Submits the workflow."),
    Page("POST", HERE + "notebook", notebook, "Makes a notebook of the workflow."),
)
