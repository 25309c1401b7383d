"""Workflows as files: `export_xml`, `export_json`, `write_dot` and `import_xml`, `import_json`, `import_dot`.

One function writes and one reads; the table of formats says the rest.
"""

from __future__ import annotations

import errno
from pathlib import Path

from proactive_jupyter_kernel.errors import WorkflowError
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import SWITCH
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import Choice, FilePath
from proactive_jupyter_kernel.pragmas.draft.contributions import LoadedWorkflow
from proactive_jupyter_kernel.pragmas.file_names import safe_file_name
from proactive_jupyter_kernel.pragmas.jobs.server_code import for_export
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.paths import file_of, path_of
from proactive_jupyter_kernel.workflow.formats import FORMATS, NEWEST_XML, XML_VERSIONS, Format, ReadFile

#: Pragma -> the format that it writes or reads.
_FORMAT_OF = {
    "export_xml": "xml",
    "import_xml": "xml",
    "export_json": "json",
    "import_json": "json",
    "write_dot": "dot",
    "import_dot": "dot",
}


def export(context: Context, call: BoundCall) -> None:
    """Write the draft to a file."""
    form = FORMATS[_FORMAT_OF[call.pragma.name]]
    with context.lock:
        built = context.draft.build(context.job_name)
    workflow, left_out = built.workflow, list[str]()
    if form.name == "xml":
        workflow = for_export(built) if call["for_server"] else workflow
        text = form.dumps(workflow, call["schema"] or NEWEST_XML, notice=left_out.append)
    else:
        text = form.dumps(workflow)
    file = _file(context, call, call["name"] or safe_file_name(context.job_name), form)
    try:
        file.write_text(text if isinstance(text, str) else text.decode(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise call.fault(f"{file} cannot be written: {error.strerror}.", parameter="name") from None
    for notice in built.notices:
        context.frontend.show(Notice(text=notice))
    for loss in (*left_out, *form.losses(built.workflow)):
        context.frontend.show(Notice(text=loss, warning=True))
    shown = f"{built.workflow.name!r} ({_tasks(len(built.workflow.tasks))})"
    context.frontend.show(Text(text=f"Exported workflow {shown} as {form.title} to {file}."))


def import_file(context: Context, call: BoundCall) -> None:
    """Replace the draft by the workflow in a file."""
    from proactive_jupyter_kernel.workflow.checks import errors

    form = FORMATS[_FORMAT_OF[call.pragma.name]]
    assert form.loads is not None
    file = path_of(context, call, "path")
    try:
        loaded = form.loads(file.read_bytes(), read_file=_beside(file))
    except OSError as error:
        raise call.fault(f"{call['path']} cannot be read: {error.strerror}.", parameter="path") from None
    except WorkflowError as error:
        raise call.fault(f"{call['path']}: {error.message}", parameter="path", hint=error.hint) from None
    replaced = len(context.draft.clear())
    context.refusals.clear()
    workflow = loaded.workflow
    context.draft.contribute(LoadedWorkflow(workflow=workflow))
    context.frontend.show(Text(text=f"Imported workflow {workflow.name!r} ({_tasks(len(workflow.tasks))})."))
    if replaced:
        context.frontend.show(Notice(text=f"It replaces the job built before, with its {_tasks(replaced)}."))
    for notice in loaded.notices:
        context.frontend.show(Notice(text=notice, warning=True))
    for problem in errors(workflow):
        context.frontend.show(Notice(text=f"Before it can be submitted: {problem}", warning=True))


def _beside(file: Path) -> ReadFile:
    """Gives the text of a file that a workflow names. A workflow of others must not read whatever this user can."""

    def read(path: str) -> str:
        wanted = (file.parent / path).resolve()
        if not wanted.is_relative_to(file.parent.resolve()):
            raise PermissionError(errno.EACCES, "it is outside the folder of the workflow file", path)
        return wanted.read_text(encoding="utf-8")

    return read


def _file(context: Context, call: BoundCall, name: str, form: Format) -> Path:
    path = file_of(context, call, "name", name)
    return path if path.suffix.lower() in form.extensions else path.with_name(path.name + form.extensions[0])


def _tasks(count: int) -> str:
    return f"{count} task{'s' if count != 1 else ''}"


_OF_XML = (
    Parameter(
        name="schema",
        kind=Choice(XML_VERSIONS),
        doc=f"The version of the workflow schema, for an older server: 3.13 for ProActive 13, 3.12 for 11 and 12, 3.11 "
        f"for 8 and 10. What it does not have is left out, with a notice. Without it: {NEWEST_XML}, for ProActive 14.",
    ),
    Parameter(
        name="for_server",
        kind=SWITCH,
        default=False,
        doc="Whether the tasks get the code that #%submit_job adds on a ProActive server, so that they carry the same "
        "values if the file is submitted from a portal or by another client.",
    ),
)


def _declare_export(name: str, *aliases: str, summary: str) -> None:
    form = FORMATS[_FORMAT_OF[name]]
    extension = form.extensions[0]
    doc = f"The file, with or without {extension}, relative to the notebook's folder. Without it: the job's name."
    pragma(
        name,
        Parameter(name="name", kind=FilePath("a file's name"), nameless=True, doc=doc),
        *(_OF_XML if form.name == "xml" else ()),
        aliases=aliases,
        family="exchange",
        summary=summary,
        example=f"#%{name}(name=greetings)",
    )(export)


def _declare_import(name: str, *aliases: str, summary: str) -> None:
    extension = FORMATS[_FORMAT_OF[name]].extensions[0]
    pragma(
        name,
        Parameter(name="path", kind=FilePath(), required=True, doc="The file, relative to the notebook's folder."),
        aliases=aliases,
        family="exchange",
        summary=summary,
        example=f"#%{name}(path=greetings{extension})",
        changes_draft=True,
    )(import_file)


_declare_export("export_xml", summary="Exports the job as a ProActive workflow file.")
_declare_import("import_xml", summary="Imports a ProActive workflow file, which becomes the current job.")
_declare_export(
    "export_json",
    "export_as_json",
    summary="Exports the job as JSON; docs/reference/workflow.schema.json describes the format.",
)
_declare_import("import_json", "import_as_json", summary="Imports a workflow from JSON, which becomes the current job.")
_declare_export("write_dot", summary="Exports the job as a Graphviz file, with its controls and scripts.")
_declare_import("import_dot", summary="Imports any Graphviz file: nodes become tasks, edges become dependencies.")
