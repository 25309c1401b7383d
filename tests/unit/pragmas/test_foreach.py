"""`foreach=ITEM in VARIABLE`: one run of a task for each item."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow, PragmaError
from proactive_jupyter_kernel.workflow.model import Replicate, Script


class Variables(dict[str, object]):
    """The variables of a task as its code sees them."""

    put = dict.__setitem__


def built(notebook):
    return notebook.context.draft.build("job").workflow


def code(notebook, task: str) -> str:
    return built(notebook).task(task).executable.code


def test_task_before_counts_the_items_and_splits(notebook) -> None:
    """It exports the list and its length, without being asked, and decides how often the task runs."""
    notebook.run("#%task(Load)\npaths = ['a', 'b']\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    lines = [line.strip() for line in code(notebook, "Load").split("\n")]
    assert lines[-7:-5] == ['variables.put("paths", paths)', 'if hasattr(paths, "__next__"):']
    assert lines[-1] == 'variables.put("paths_count", len(list(paths)))'
    assert built(notebook).task("Load").flow == Replicate(
        script=Script(
            language="javascript",
            code='// One run for each item of paths.\nruns = Number(variables.get("paths_count"));',
        )
    )


def test_each_copy_takes_its_item(notebook) -> None:
    """By its replication index; the lines of the cell keep their places."""
    notebook.run("#%task(Load)\npaths = ['a', 'b']\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    lines = code(notebook, "Score").split("\n")
    assert lines[-2:] == [
        'path = list(variables.get("paths"))[int(variables.get("PA_TASK_REPLICATION"))]',
        "print(path)",
    ]


def test_list_among_the_variables_of_the_job_is_json(notebook) -> None:
    """A list in a variable is text, which the flow script and the instances parse as JSON."""
    notebook.run('#%job(job, variables=[(sizes, "[1, 2, 3]")])')
    notebook.run("#%task(A)\n#%task(B, dep=A, foreach=size in sizes)\nprint(size)")
    flow = built(notebook).task("A").flow
    assert 'runs = JSON.parse(variables.get("sizes")).length;' in flow.script.code
    assert 'size = json.loads(variables.get("sizes"))[int(variables.get("PA_TASK_REPLICATION"))]' in code(notebook, "B")


@pytest.mark.parametrize(
    ("paths", "exported"),
    [
        ("['a', 'b']", (["a", "b"], 2)),
        ("(x for x in 'ab')", (["a", "b"], 2)),
        ("range(2)", (range(2), 2)),
        ("''", ("", 0)),
    ],
)
def test_what_gives_items_is_counted(notebook, paths: str, exported: tuple[object, int]) -> None:
    """A generator is not exhausted by the counting."""
    notebook.run(f"#%task(Load)\npaths = {paths}\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    variables = Variables()
    exec(code(notebook, "Load"), {"variables": variables})
    assert (variables["paths"], variables["paths_count"]) == exported


def test_what_gives_no_items_is_named(notebook) -> None:
    """The error says what foreach needs."""
    notebook.run("#%task(Load)\npaths = 5\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    with pytest.raises(TypeError, match=r"^foreach=path in paths needs a list, not int$"):
        exec(code(notebook, "Load"), {"variables": Variables()})


def test_list_may_be_set_further_up(notebook) -> None:
    """The task that splits need not be the one that sets the list."""
    notebook.run("#%task(Load)\npaths = ['a']\n#%task(Check, dep=Load)\nprint(1)")
    notebook.run("#%task(Score, dep=Check, foreach=path in paths)\nprint(path)")
    workflow = built(notebook)
    assert "paths_count" in workflow.task("Load").executable.code
    assert isinstance(workflow.task("Check").flow, Replicate)


def test_next_task_has_the_results_of_the_copies_alone(notebook) -> None:
    """Without items a scheduler would give it the result of the split."""
    notebook.run("#%task(Load)\npaths = []\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    notebook.run("#%task(Sum, dep=Score)\nresult = len(results)")
    assert 'split("*")[0] == "Score"]' in code(notebook, "Sum")


def test_list_that_nothing_sets_is_a_problem(notebook) -> None:
    """The submission says which name is missing."""
    notebook.run("#%task(Load)\n#%task(Score, dep=Load, foreach=path in paths)\nprint(path)")
    with pytest.raises(InvalidWorkflow, match="no task before it sets 'paths'"):
        built(notebook)


REFUSED = {
    "#%task(B, dep=A, foreach=path)": "must be of the form ITEM in VARIABLE",
    "#%task(B, dep=A, foreach=x in x)": "uses the name 'x' for the item and for the list",
    "#%task(B, dep=A, foreach=class in xs)": "'class', which is a reserved word of Python",
    "#%task(B, dep=A, foreach=x in xs, runs=3)": "give one",
    "#%task(B, foreach=x in xs)": "foreach needs exactly one task in dep",
    "#%task(B, dep=A, language=Linux_Bash, foreach=x in xs)": "foreach needs a Python or Jython task",
}


@pytest.mark.parametrize("cell", REFUSED)
def test_wrong_forms_are_refused_in_the_cell(notebook, cell: str) -> None:
    """With what is wrong; the draft stays as it was."""
    notebook.run("#%task(A)\nxs = [1]")
    with pytest.raises(PragmaError) as refused:
        notebook.run(cell)
    assert REFUSED[cell] in str(refused.value)
    assert list(notebook.context.draft.tasks) == ["A"]


def test_foreach_inside_a_replication_is_a_problem(notebook) -> None:
    """The numbers of its instances continue over the enclosing replications."""
    notebook.run("#%split(S)\n1\n#%runs\nruns = 2;\n#%process(P)\nxs = [1, 2]")
    notebook.run("#%task(Inner, dep=P, foreach=x in xs)\nprint(x)\n#%task(After, dep=Inner)\nprint(1)")
    notebook.run("#%merge(M, dep=After)\nprint(2)")
    with pytest.raises(
        InvalidWorkflow, match="Task 'Inner': foreach=x in xs cannot be inside the replication that 'S'"
    ):
        built(notebook)
