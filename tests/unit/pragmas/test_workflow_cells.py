"""From a workflow to cells that build it again; and jobs built from cells without Python."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings

from proactive_jupyter_kernel.pragmas.cells import headless
from proactive_jupyter_kernel.pragmas.cells.headless import HeadlessFault
from proactive_jupyter_kernel.pragmas.cells.workflow_cells import cells_of
from proactive_jupyter_kernel.workflow.checks import errors
from proactive_jupyter_kernel.workflow.formats import json
from proactive_jupyter_kernel.workflow.model import (
    ErrorPolicy,
    Script,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from strategies import controlled, workflows

FOLDER = Path(mkdtemp())
patient = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def rebuilt(workflow: Workflow) -> tuple[Workflow, bool]:
    """The workflow that the cells of a workflow build, and whether they import its file."""
    (FOLDER / "w.json").write_text(json.dumps(workflow), encoding="utf-8")
    found = cells_of(workflow, folder=FOLDER, import_pragma="import_json", path="w.json")
    built, _ = headless.build(found.cells, folder=FOLDER, name="other")
    return built.workflow, found.imports


def by_name(workflow: Workflow) -> dict[str, Task]:
    return {task.name: task for task in workflow.tasks}


@patient
@given(controlled())
def test_nested_controls_are_written_as_pragmas(workflow: Workflow) -> None:
    """Every control, however nested, without the file."""
    built, imports = rebuilt(workflow)
    assert (built.name, by_name(built), imports) == (workflow.name, by_name(workflow), False)


@patient
@given(workflows())
def test_every_valid_workflow_comes_back(workflow: Workflow) -> None:
    """What pragmas cannot say is imported."""
    if errors(workflow):
        return
    assert rebuilt(workflow)[0] == workflow


def test_what_pragmas_say_is_written() -> None:
    """One cell for each script, with everything that the pragmas have a word for."""
    workflow = Workflow(
        name="a b",
        variables=(Variable(name="N", value="5", model="PA:INTEGER"),),
        tasks=(
            Task(
                name="T",
                executable=Script(language="bash", code="echo 1\n#%task(x)"),
                variables=(TaskVariable(name="V", value="=1"),),
                max_executions=3,
                on_error=ErrorPolicy.CONTINUE,
                walltime=90,
                pre=Script(language="cpython", code="print(1)"),
            ),
        ),
    )
    found = cells_of(workflow, folder=FOLDER, import_pragma="import_json", path="none.json")
    assert found.cells == (
        "#%job(name=a b, variables=[(N, 5, PA:INTEGER)])",
        '#%task(name=T, language=Linux_Bash, variables=[(V, "=1")], retries=2, on_error=continue, walltime=90)\n'
        "echo 1\n\\#%task(x)",
        "#%pre_script(name=T)\nprint(1)",
    )


def test_what_pragmas_cannot_say_is_imported_and_scripts_stay_in_cells() -> None:
    """The cell of a task keeps what only the file says of it."""
    many = Task(
        name="M", executable=Script(language="cpython", code="print(1)"), nodes=4, topology=Topology.SINGLE_HOST
    )
    url = Task(name="U", executable=Script(language="cpython", url="http://x/y.py"))
    workflow = Workflow(name="file", tasks=(many, url), project="p", tags=("x",))
    (FOLDER / "f.json").write_text(json.dumps(workflow), encoding="utf-8")
    found = cells_of(workflow, folder=FOLDER, import_pragma="import_json", path="f.json")
    assert (found.cells, found.hidden) == (("#%import_json(path=f.json)", "#%task(name=M)\nprint(1)"), ("U",))
    assert headless.build(found.cells, folder=FOLDER, name="x")[0].workflow == workflow


def test_cells_are_read_without_running_python() -> None:
    """Local code, submissions and other pragmas are passed over; settings count."""
    cells = [
        "raise SystemExit",
        "#%configure(task=block)",
        "print('a task')",
        "#%task(name=T)\nprint(2)\n#%submit_job(wait=on)\n#%draw_job()",
    ]
    built, _ = headless.build(cells, folder=FOLDER, name="mine")
    assert (built.workflow.name, [task.name for task in built.workflow.tasks]) == ("mine", ["block1", "T"])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "#%job(name=ab, variables=[(n, =open('x'))])",
            r"Cell 2: .*the formula =open\('x'\), which needs the",
        ),
        ("#%task(T, variables={n: [=1, PA:INTEGER]})", "Cell 2: "),
        ("#%task(nam=T)", "Cell 2: .*nam"),
    ],
)
def test_what_cannot_be_carried_out_is_reported_with_its_cell(cell: str, message: str) -> None:
    """A formula would run Python; mistakes are those of the pragma."""
    with pytest.raises(HeadlessFault, match=message):
        headless.build(["#%task(A)\n1", cell], folder=FOLDER, name="x")
