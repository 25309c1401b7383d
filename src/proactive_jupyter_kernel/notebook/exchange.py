"""Notebooks and workflow files: the workflow that a file holds, and the notebook that builds a workflow.

A notebook is read without running any of its Python: see `pragmas/cells/headless.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from proactive_jupyter_kernel.errors import SetupError, UnreadableWorkflow
from proactive_jupyter_kernel.notebook.cell_changes import PARAMETERS
from proactive_jupyter_kernel.pragmas.cells import headless
from proactive_jupyter_kernel.pragmas.cells.workflow_cells import WorkflowCells, cells_of
from proactive_jupyter_kernel.pragmas.draft.building import Built
from proactive_jupyter_kernel.pragmas.draft.source_map import Sources
from proactive_jupyter_kernel.pragmas.jobs.server_code import for_export
from proactive_jupyter_kernel.workflow.formats import Format, by_extension
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["NOTEBOOK", "Read", "notebook_of", "read"]

#: The extension of notebooks.
NOTEBOOK = ".ipynb"
_IMPORT_OF = {"xml": "import_xml", "json": "import_json", "dot": "import_dot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A workflow that was read."""

    workflow: Workflow
    #: What was left out or changed, or is doubtful; sentences.
    notices: tuple[str, ...] = ()
    #: The scripts of a notebook's cells; empty for a workflow file.
    sources: Mapping[str, Sources] = field(default_factory=dict)

    def for_server(self) -> Workflow:
        """The workflow with the code that a submission adds on a ProActive server to tasks of a notebook."""
        return for_export(Built(workflow=self.workflow, sources=self.sources))


def read(path: Path) -> Read:
    """The workflow in a notebook or a workflow file. Scripts that it names are read from its folder alone."""
    if path.suffix.lower() == NOTEBOOK:
        return _read_notebook(path)
    form = by_extension(path.name)
    assert form.loads is not None
    loaded = form.loads(_bytes(path), read_file=lambda name: _beside(path, name))
    return Read(workflow=loaded.workflow, notices=loaded.notices)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from error


def _beside(path: Path, name: str) -> str:
    wanted = (path.parent / name).resolve()
    if not wanted.is_relative_to(path.parent.resolve()):
        raise PermissionError(f"{name} is outside the folder of the workflow file")
    return wanted.read_text(encoding="utf-8")


def _read_notebook(path: Path) -> Read:
    try:
        node = nbformat.reads(_bytes(path).decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
        cells = [cell.source for cell in node.cells if cell.cell_type == "code"]
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).split("\n")[0]
        raise UnreadableWorkflow(f"{path} is not a notebook: {reason}.") from error
    built, warnings = headless.build(
        cells, folder=path.absolute().parent, name=path.stem, sets_parameters=lambda text: bool(PARAMETERS.match(text))
    )
    return Read(workflow=built.workflow, notices=(*built.notices, *warnings), sources=built.sources)


def notebook_of(workflow: Workflow, source: Path, target: Path) -> tuple[str, WorkflowCells]:
    """The text of a notebook at `target` that builds the workflow of the file `source`, and its cells."""
    form: Format = by_extension(source.name)
    path = Path(os.path.relpath(source, target.absolute().parent)).as_posix()
    found = cells_of(workflow, folder=target.absolute().parent, import_pragma=_IMPORT_OF[form.name], path=path)
    title = f"# {workflow.name}\n\nMade from `{source.name}`. `#%submit_job(wait=on)` runs it."
    if found.imports:
        title += (
            f"\n\nThe first cell imports `{path}`, because some of it cannot be written as pragmas. The cells below "
            "hold the scripts; editing one changes the job."
        )
    if found.hidden:
        title += f"\n\nThe scripts of these tasks are in `{path}` only: {', '.join(found.hidden)}."
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": title},
        *(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{number}",
                "metadata": {},
                "outputs": [],
                "source": cell,
            }
            for number, cell in enumerate(found.cells, 1)
        ),
    ]
    kernel = {"display_name": "ProActive", "language": "python", "name": "proactive"}
    node = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(node, ensure_ascii=False, indent=1) + "\n", found
