"""``/scheduler/submitflat``: a job of independent commands, one a line (``FlatJobFactory``)."""

from __future__ import annotations

import shlex

from starlette.responses import Response

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.rest.dto import records
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import FORM, Route
from proactive_jupyter_kernel.workflow.model import NativeCommand, Script, SelectionScript, Task, Workflow

__all__ = ["ROUTES"]

#: The server's sign for a line that is not a command.
_COMMENT = "#"


def flat_workflow(commands: str, *, name: str, selection: str = "", language: str = "") -> Workflow:
    """A task for each line that is not blank and not a comment; raises `SubmissionRefused` if there is none."""
    lines = [line.strip() for line in commands.splitlines()]
    lines = [line for line in lines if line and not line.startswith(_COMMENT)]
    if not lines:
        raise SubmissionRefused("The field 'commandFileContent' must hold a command in each line; it holds none.")
    scripts = (SelectionScript(script=Script(code=selection, language=language)),) if selection.strip() else ()
    tasks = [
        Task(name=f"task_{number}", executable=_command(line), selection=scripts)
        for number, line in enumerate(lines, 1)
    ]
    return Workflow(name=name, tasks=tuple(tasks))


def _command(line: str) -> NativeCommand:
    try:
        command, *arguments = shlex.split(line)
    except ValueError as error:
        raise SubmissionRefused(f"The command {line[:200]!r} cannot be read: {error}.") from error
    return NativeCommand(command=command, arguments=tuple(arguments))


async def submit_flat(call: Call) -> Response:
    """Submit the commands of a form."""
    from proactive_jupyter_kernel.workflow.formats.xml import dumps

    fields = await call.form()
    workflow = flat_workflow(
        fields.get("commandFileContent", ""),
        name=fields.get("jobName") or f"Job_{call.user}",
        selection=fields.get("selectionScriptContent", ""),
        language=fields.get("selectionScriptExtension", ""),
    )
    job = await call.service.submit(dumps(workflow), owner=call.user)
    return json_answer(records.job_id(call.counted(job)))


ROUTES = (Route("POST", "/scheduler/submitflat", submit_flat, "Submit one command a line.", takes=FORM),)
