"""`export` and `notebook`: from notebooks and workflow files to other formats, and to notebooks."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from proactive_jupyter_kernel.cli.common import examples, note
from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.notebook import exchange
from proactive_jupyter_kernel.workflow.formats import FORMATS, NEWEST_XML, XML_VERSIONS

__all__ = ["export", "notebook"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="The output file; - is standard output. Default: beside FILE, with the extension of the format.",
)


@click.command(
    epilog=examples(
        "proactive-kernel export analysis.ipynb --to xml",
        "proactive-kernel export analysis.ipynb --to xml --schema 3.13 --for-server",
        "proactive-kernel export workflow.xml --to svg -o picture.svg",
        "proactive-kernel export analysis.ipynb --to mermaid -o -",
    )
)
@click.argument("file", type=_FILE)
@click.option(
    "--to", "name", type=click.Choice(tuple(FORMATS), case_sensitive=False), required=True, help="The format."
)
@_OUTPUT
@click.option(
    "--schema",
    type=click.Choice(XML_VERSIONS),
    help="The version of the XML's schema, for an older server: 3.13 for ProActive 13, 3.12 for 11 and 12, 3.11 for 8 "
    f"and 10. Default: {NEWEST_XML}.",
)
@click.option(
    "--for-server",
    is_flag=True,
    help="Add the code to the notebook's tasks in the XML that a submission adds on a ProActive server, so that they "
    "carry the same values if the file is submitted from a portal.",
)
def export(file: Path, name: str, output: Path | None, schema: str | None, for_server: bool) -> None:
    """Write the workflow of FILE, a notebook or a workflow file (.xml, .json, .dot), in another format.

    The cells of a notebook are read and not run: only pragmas that build the job count. A job that needs the notebook's
    Python, such as a formula for a variable, is exported from the notebook itself, with #%export_xml().
    """
    form = FORMATS[name.lower()]
    if form.name != "xml" and (schema or for_server):
        raise SetupError("--schema and --for-server apply only to --to xml.", hint="Leave them out.")
    found = exchange.read(file)
    for notice in found.notices:
        note(f"Note: {notice}")
    left_out: list[str] = []
    if form.name == "xml":
        workflow = found.for_server() if for_server else found.workflow
        written = form.dumps(workflow, schema or NEWEST_XML, notice=left_out.append)
    else:
        written = form.dumps(found.workflow)
    _write(written, file, output or file.with_suffix(form.extensions[0]))
    count = len(found.workflow.tasks)
    if str(output) != "-":
        where = output or file.with_suffix(form.extensions[0])
        note(f"Exported workflow {found.workflow.name!r} ({count} task{'s' if count != 1 else ''}) to {where}.")
    for loss in (*left_out, *form.losses(found.workflow)):
        note(f"Note: {loss}")


@click.command(
    epilog=examples(
        "proactive-kernel notebook workflow.xml",
        "proactive-kernel notebook graph.dot -o analysis.ipynb",
    )
)
@click.argument("file", type=_FILE)
@_OUTPUT
def notebook(file: Path, output: Path | None) -> None:
    """Make a notebook of the workflow file FILE (.xml, .json, .dot): one cell for each script.

    The notebook builds the same workflow: this is checked before it is written. Where pragmas cannot say something, its
    first cell imports FILE. A notebook that exists is replaced only if --output names it.
    """
    found = exchange.read(file)
    for notice in found.notices:
        note(f"Note: {notice}")
    target = output or file.with_suffix(exchange.NOTEBOOK)
    if output is None and target.exists():
        # It may hold what somebody wrote, of which nothing is in the workflow file.
        raise SetupError(
            f"The notebook {target} exists already.",
            hint=f"`-o {target}` replaces it, `-o OTHER.ipynb` writes another one.",
        )
    text, cells = exchange.notebook_of(found.workflow, file, Path.cwd() / "-" if str(target) == "-" else target)
    _write(text, file, target)
    if str(target) != "-":
        note(f"Wrote notebook {target} for workflow {found.workflow.name!r} ({len(cells.cells)} cells).")
    if cells.imports:
        note(f"Note: its first cell imports {file.name}, because pragmas cannot express everything in it.")


def _write(content: str | bytes, source: Path, target: Path) -> None:
    data = content.encode("utf-8") if isinstance(content, str) else content
    if str(target) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    if target.exists() and target.samefile(source):
        raise SetupError(f"{target} is the input file.", hint="Name another file with --output.")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise SetupError(f"{target} cannot be written: {error.strerror}.") from error
