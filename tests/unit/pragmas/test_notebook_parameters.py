"""Parameters of the notebook: tasks get them by name, with their types."""

from __future__ import annotations

from datetime import date

import pytest
from tests.unit.pragmas.conftest import Notebook
from tests.unit.pragmas.test_tasks import run_python

from proactive_jupyter_kernel.errors import InvalidWorkflow, PragmaError

VALUES = {
    "n": 3,
    "share": 0.5,
    "flag": True,
    "nothing": None,
    "names": ["a", "ü"],
    "table": {"a": [1, 2.5]},
    "text": "3",
    "number_text": "[1]",
}


@pytest.fixture
def notebook(tmp_path) -> Notebook:
    """A notebook whose cell of parameters has run."""
    notebook = Notebook(tmp_path)
    notebook.parameter_cells["cell"] = "# Parameters\n" + "\n".join(
        f"{name} = {value!r}" for name, value in VALUES.items()
    )
    notebook.frontend.namespace |= VALUES
    return notebook


def submitted(notebook: Notebook, cell: str) -> dict[str, str]:
    """Define tasks and submit them; the variables of the job."""
    notebook.run(cell)
    notebook.run("#%submit_job()")
    workflow = notebook.context.draft.build("job").workflow
    return {variable.name: variable.value for variable in workflow.variables}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("import_", ["", ", import=[{}]"])
def test_a_python_task_gets_a_parameter_with_its_type(notebook, name: str, import_: str) -> None:
    """Whether it imports it or just reads it."""
    variables = submitted(notebook, f"#%task(A{import_.format(name)})\nvariables['seen'] = {name}")
    assert list(variables) == [name]
    assert run_python(notebook.submitted_script(1, "A"), **variables)["seen"] == VALUES[name]


def test_texts_travel_as_they_are_and_everything_else_as_json(notebook) -> None:
    """Which other languages can read, too; a task that reads them from `variables` makes them variables of the job."""
    code = "echo $variables_n $variables_text ${variables_names} $variables_table; echo share"
    assert submitted(notebook, f"#%task(A, language=bash)\n{code}") == {
        "n": "3",
        "names": '["a", "ü"]',
        "table": '{"a": [1, 2.5]}',
        "text": "3",
    }


@pytest.mark.parametrize(
    "code",
    [
        "#%task(A, language=groovy)\nprintln variables.get('n')",
        "#%task(A, language=R)\nprint(variables[['n']])",
        "#%task(A, language=ruby)\nputs $variables['n']",
        "#%task(A, language=bash, import=[n])\necho $n",
        "#%task(A, generic_info=[(K, ${n})])\n1",
        "#%task(Z)\n1\n#%task(A, dep=Z, runs=n)\n1",
        "#%task(A)\n1\n#%pre_script(A, language=bash)\necho $variables_n",
        "#%import()\ndef f():\n    return n\n#%task(A)\nf()",
    ],
)
def test_a_parameter_is_a_variable_of_the_job_where_a_task_uses_it(notebook, code: str) -> None:
    """In whatever way."""
    assert submitted(notebook, code) == {"n": "3"}


def test_a_parameter_that_no_task_uses_is_not_a_variable(notebook) -> None:
    """Nor one that a task sets itself, or that has the name of a variable of the job or the task."""
    notebook.run("#%job(name=job, variables=[(text, mine)])")
    cell = "#%task(A, variables=[(share, mine)], import=[share])\nn = 5\nresult = [n, text, [flag for flag in 'ab']]"
    assert submitted(notebook, cell) == {"text": "mine"}


def test_the_draft_lists_the_parameters_that_tasks_use(notebook) -> None:
    """With the values that they have now."""
    notebook.run("#%task(A)\nprint(names, text)")
    assert notebook.run("#%draft()") == ['Parameters that tasks use: names=["a", "ü"], text=3.']


def test_the_value_is_that_of_the_submission(notebook) -> None:
    """A cell of parameters that runs again counts."""
    notebook.run("#%task(A)\nresult = n")
    notebook.frontend.namespace["n"] = [7]
    assert submitted(notebook, "#%help()") == {"n": "[7]"}


def test_a_variable_of_the_submission_replaces_a_parameter(notebook) -> None:
    """As JSON where it is, else as the text that it is; a task before may set it, too."""
    notebook.run("#%task(A)\nvariables['seen'] = n\n#%submit_job(variables=[(n, 8)])")
    script = notebook.submitted_script(1, "A")
    assert [run_python(script, n=value)["seen"] for value in ("8", "eight", ["x"])] == [8, "eight", ["x"]]


def test_a_value_that_cannot_travel_is_a_problem_by_name(notebook) -> None:
    """Unless no task uses it."""
    notebook.parameter_cells["two"] = "# Parameters\nday = 1"
    notebook.frontend.namespace["day"] = date(2026, 1, 1)
    notebook.run("#%task(A)\nprint(n)")
    notebook.context.draft.build("job")
    notebook.run("#%task(A)\nprint(day)")
    with pytest.raises(InvalidWorkflow) as caught:
        notebook.context.draft.build("job")
    assert [str(one) for one in caught.value.problems] == [
        "Task 'A': it uses the parameter 'day', a date, which is not text, number, list or dict: "
        "Object of type date is not JSON serializable."
    ]


def test_parameters_of_a_cell_that_is_gone_are_none(notebook) -> None:
    """An import of one is refused again."""
    notebook.parameter_cells.clear()
    with pytest.raises(PragmaError, match="import names the variable 'n'"):
        notebook.run("#%task(A, import=[n])\nresult = n")
