"""`#%export_xml`, `#%import_xml`: workflows as files."""

from __future__ import annotations

import errno
from pathlib import Path

from proactive_jupyter_kernel.errors import WorkflowError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.contributions import LoadedWorkflow
from proactive_jupyter_kernel.pragmas.file_names import safe_file_name
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.paths import path_of
from proactive_jupyter_kernel.pragmas.registry import Bound, Parameter, pragma
from proactive_jupyter_kernel.pragmas.values import FilePath


@pragma(
    "export_xml",
    Parameter(
        name="name",
        kind=FilePath("a file's name"),
        doc="The file, with or without .xml, relative to the notebook's folder. Without it: the job's name.",
    ),
    family="exchange",
    summary="Writes the job as a ProActive workflow file.",
    example="#%export_xml(name=greetings)",
)
def export_xml(context: Context, call: Bound) -> None:
    """Write the draft as workflow XML."""
    from proactive_jupyter_kernel.workflow.formats import xml

    with context.lock:
        built = context.draft.build(context.job_name)
    file = _file(context, call, call["name"] or safe_file_name(context.job_name), ".xml")
    try:
        file.write_text(xml.dumps(built.workflow), encoding="utf-8")
    except OSError as error:
        raise call.fault(f"{file} cannot be written: {error.strerror}.", parameter="name") from None
    for notice in built.notices:
        context.frontend.show(Notice(text=notice))
    context.frontend.show(Text(text=f"The job {built.workflow.name!r} is written to {file}."))


@pragma(
    "import_xml",
    Parameter(name="path", kind=FilePath(), required=True, doc="The workflow file, relative to the notebook's folder."),
    family="exchange",
    summary="Reads a ProActive workflow file; it becomes the job that is being built.",
    example="#%import_xml(path=greetings.xml)",
    changes_draft=True,
)
def import_xml(context: Context, call: Bound) -> None:
    """Replace the draft by the workflow in a file."""
    from proactive_jupyter_kernel.workflow.formats import xml

    file = path_of(context, call, "path")

    def beside(path: str) -> str:
        """A script's file. A workflow from elsewhere shall not pull in whatever this user can read."""
        wanted = (file.parent / path).resolve()
        if not wanted.is_relative_to(file.parent.resolve()):
            raise PermissionError(errno.EACCES, "it lies outside the folder of the workflow file", path)
        return wanted.read_text(encoding="utf-8")

    try:
        loaded = xml.loads(file.read_bytes(), read_file=beside)
    except OSError as error:
        raise call.fault(f"{call['path']} cannot be read: {error.strerror}.", parameter="path") from None
    except WorkflowError as error:
        raise call.fault(f"{call['path']}: {error.message}", parameter="path", hint=error.hint) from None
    replaced = len(context.draft.clear())
    context.refusals.clear()
    context.draft.contribute(LoadedWorkflow(workflow=loaded.workflow))
    count = len(loaded.workflow.tasks)
    context.frontend.show(
        Text(text=f"The job {loaded.workflow.name!r} is read: {count} task{'s' if count != 1 else ''}.")
    )
    if replaced:
        dropped = f"It takes the place of the job built before, with its {replaced} task{'s' if replaced != 1 else ''}."
        context.frontend.show(Notice(text=dropped))
    for notice in loaded.notices:
        context.frontend.show(Notice(text=notice, warning=True))


def _file(context: Context, call: Bound, name: str, ending: str) -> Path:
    path = path_of(context, call, "name", name)
    if Path(name).name in ("", "..") or name.endswith("/"):
        raise call.fault(f"{name!r} names a folder, not a file.", parameter="name", hint="Add the file's name.")
    return path if path.suffix.lower() == ending else path.with_name(path.name + ending)
