"""`#%draw_job`: the current workflow as a picture in the notebook, in a window, in files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.pragmas.checking import summary_of_warnings
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import SWITCH
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import FilePath
from proactive_jupyter_kernel.pragmas.file_names import safe_file_name
from proactive_jupyter_kernel.pragmas.outputs import Notice, Picture, Text
from proactive_jupyter_kernel.pragmas.ownership import warnings_of
from proactive_jupyter_kernel.pragmas.paths import file_of
from proactive_jupyter_kernel.workflow.checks import Severity

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model import Workflow


@pragma(
    "draw_job",
    Parameter(
        name="name",
        kind=FilePath("a name for the picture and its files"),
        nameless=True,
        doc="The title of the picture and the name of its files, relative to the notebook's folder. Without it: the "
        "job's name.",
    ),
    Parameter(
        name="inline",
        kind=SWITCH,
        default=True,
        doc="on: the picture is shown below the cell. off: it is shown in a window of Matplotlib.",
    ),
    Parameter(
        name="save",
        kind=SWITCH,
        default=False,
        doc="on: the picture is also written to a .png and an .svg file.",
    ),
    family="jobs",
    summary="Draws the current job, even if it is unfinished.",
    example="#%draw_job(save=on)",
)
def draw_job(context: Context, call: BoundCall) -> None:
    """Draw the draft."""
    with context.lock:
        title = file_of(context, call, "name", _stem(call["name"])).name if call["name"] else context.job_name
        preview = context.draft.preview(context.job_name)
        # The title is not the name of a job: one letter is enough.
        preview = replace(preview, workflow=replace(preview.workflow, name=title))
        warnings = warnings_of(context)
        doubts = summary_of_warnings(context) if preview.workflow.tasks else ""
    if not preview.workflow.tasks:
        hint = "#%task(name=NAME) makes the code below it a task."
        context.frontend.show(Text(text=f"There is nothing to draw: the job has no tasks yet. {hint}"))
        return
    if call["inline"]:
        context.frontend.show(Picture(workflow=preview.workflow))
    else:
        _window(context, preview.workflow)
    if call["save"]:
        _save(context, call, preview.workflow)
    for notice in preview.notices:
        context.frontend.show(Notice(text=notice))
    for warning in warnings:
        context.frontend.show(warning)
    if errors := [problem for problem in preview.problems if problem.severity is Severity.ERROR]:
        lines = [f"  {number}. {problem}" for number, problem in enumerate(errors, 1)]
        context.frontend.show(Notice(text="\n".join(["The job is not ready to be submitted:", *lines]), warning=True))
    if doubts:
        context.frontend.show(Notice(text=doubts, warning=True))


def _window(context: Context, workflow: Workflow) -> None:
    """In a window; where there can be none, below the cell, with the reason."""
    from proactive_jupyter_kernel.pragmas.picture_window import NoWindow, open_window
    from proactive_jupyter_kernel.workflow import picture

    try:
        open_window(picture.png(picture.draw(workflow)), workflow.name)
    except (NoWindow, SetupError) as error:
        reason = str(error).rstrip(".")
        context.frontend.show(Picture(workflow=workflow))
        context.frontend.show(
            Notice(text=f"No window could be opened: {reason}. The picture is shown here instead.", warning=True)
        )
    else:
        context.frontend.show(Text(text=f"Opened a window with the picture of {workflow.name!r}."))


def _save(context: Context, call: BoundCall, workflow: Workflow) -> None:
    from proactive_jupyter_kernel.workflow import picture

    stem = _stem(call["name"]) if call["name"] else safe_file_name(context.job_name)
    base = file_of(context, call, "name", stem)
    svg = picture.draw(workflow)
    files = {base.with_name(base.name + ".svg"): svg.encode()}
    missing = ""
    try:
        files[base.with_name(base.name + ".png")] = picture.png(svg)
    except SetupError as error:
        missing = str(error)
    written = []
    try:
        for file, content in sorted(files.items()):
            file.write_bytes(content)
            written.append(str(file))
    except OSError as error:
        reason = error.strerror or str(error)
        raise call.fault(f"{file} cannot be written: {reason}.", parameter="name") from None
    context.frontend.show(Text(text=f"Wrote {' and '.join(written)}."))
    if missing:
        context.frontend.show(Notice(text=missing, warning=True))


def _stem(name: str) -> str:
    """The name without the ending of a picture."""
    return re.sub(r"\.(png|svg)$", "", name, flags=re.IGNORECASE) or name
