"""`#%debug`: what a task had, in the notebook's Python."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client.records import TaskResult
from proactive_jupyter_kernel.errors import PragmaError, UntrustedValue
from proactive_jupyter_kernel.pragmas.jobs.debugging import ParentFailed, ParentResult, TaskMap, code_of_task
from proactive_jupyter_kernel.pragmas.outputs import Html
from proactive_jupyter_kernel.testing.memory_scheduler import ScriptedOutcome
from proactive_jupyter_kernel.workflow.model import Script, Task
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.status import TaskStatus

CELLS = (
    "#%job(name=fit, variables=[(n, 3)])\n#%task(Load, export=[rows])\nrows = [1]\nresult = 1\n"
    "#%task(Train, dep=Load, import=[rows], variables=[(path, data/$n)])\nresult = len(rows) / 0"
)
TRACE = (
    'Traceback (most recent call last):\n  File "<task Train>", line 2, in <module>\n    result = len(rows) / 0\n'
    "ZeroDivisionError: division by zero"
)


@pytest.fixture
def failed(notebook):
    """A notebook whose job failed in Train."""
    notebook.server.outcomes["Load"] = ScriptedOutcome(result=[1, 2], variables={"n": "3", "rows": [4, 5]})
    notebook.server.outcomes["Train"] = ScriptedOutcome(failure="division by zero", trace=TRACE)
    notebook.run(CELLS + "\n#%submit_job()")
    notebook.server.finish(1)
    return notebook


@pytest.mark.memory_only("the traceback is of the script without the code around it on a server")
def test_a_failed_task_is_loaded(failed) -> None:
    """Variables, results and imported names are bound; the error names the cell's line; the code is offered."""
    failed.frontend.namespace["rows"] = "mine"
    texts = failed.run("#%debug(Train)")
    space = failed.frontend.namespace
    assert (space["rows"], space["variables"]["path"], space["results"][0].value(), str(space["results"][0])) == (
        [4, 5],
        "data/3",
        [1, 2],
        "[1, 2]",
    )
    assert texts == [
        "Task Train of job 1 ('fit') is Faulty.\n\nTraceback (most recent call last):\n"
        "  Cell In[1], line 6, in <module>\n"
        "    result = len(rows) / 0\nZeroDivisionError: division by zero",
        "! These names of the notebook have other values now: rows.",
        "Run the code in a cell without a pragma, until it works.\n"
        "To run other code: change it in the cell of the task "
        "(Cell In[1]), run that cell, then #%submit_job(from=Train, job_id=1).",
    ]
    assert failed.frontend.offered == ["result = len(rows) / 0"]


def test_a_table_says_what_was_loaded_and_from_where(failed) -> None:
    """Results first; what the scheduler sets in every task is left out."""
    failed.run("#%debug(Train)")
    (table,) = failed.frontend.tables
    assert table.rows == [
        ("results[0]", "[1, 2]", "Load"),
        ('variables["n"]', "'3'", "the job"),
        ('variables["rows"]', "[4, 5]", "Load"),
        ('variables["path"]', "'data/3'", "the task"),
        ("rows", "a list", "bound before the code runs"),
    ]


def test_names_of_an_earlier_debug_are_not_reported_as_overwritten(failed) -> None:
    """Only what the notebook itself had is named."""
    failed.run("#%debug(Load)")
    assert not [text for text in failed.run("#%debug(Load)") if text.startswith("!")]


def test_table_of_a_second_run_is_that_of_the_first(notebook) -> None:
    """Also where a name is bound to the very object that it has already, such as a small number."""
    notebook.server.outcomes["Load"] = ScriptedOutcome(result=1, variables={"n": 3})
    notebook.run("#%task(Load, export=[n])\nn = 3\n#%task(Use, dep=Load, import=[n])\nprint(n)\n#%submit_job()")
    notebook.server.finish(1)
    notebook.run("#%debug(Use)")
    notebook.run("#%debug(Use)")
    first, second = notebook.frontend.tables
    assert ("n", "3", "bound before the code runs") in second.rows
    assert second.rows == first.rows


def test_a_task_in_another_language_is_only_shown(notebook) -> None:
    """Nothing is bound and no cell is offered."""
    notebook.run("#%task(G, language=bash)\nexit 3\n#%submit_job()")
    notebook.server.finish(1)
    texts = notebook.run("#%debug(G)")
    assert "* Nothing was loaded into the notebook, because this is a Linux_Bash task." in texts
    assert (notebook.frontend.namespace, notebook.frontend.offered) == ({}, [])
    assert [output.text for output in notebook.frontend.shown if isinstance(output, Html)] == [
        "The code of G (Linux_Bash), from Cell In[1]:\n\nexit 3"
    ]


def test_an_in_error_task_may_run_again_unchanged(notebook) -> None:
    """The advice says which code runs in either way."""
    notebook.server.outcomes["A"] = ScriptedOutcome(failure="no", status=TaskStatus.IN_ERROR)
    notebook.run("#%task(A)\nresult = 1\n#%submit_job()")
    notebook.server.advance(1, 3)
    assert notebook.run("#%debug(A)")[-1].split("\n")[1:] == [
        "#%restart_task(task_name=A, job_id=1) again runs the code that was submitted.",
        "To run other code: change it in the cell of the task (Cell In[1]), run that cell, then"
        " #%submit_job(from=A, job_id=1).",
    ]


def test_a_task_that_runs_is_refused(notebook) -> None:
    """It has no error yet, and may still wait for its parents."""
    notebook.server.outcomes["A"] = ScriptedOutcome(hold=True)
    notebook.run("#%task(A)\nresult = 1\n#%submit_job()")
    notebook.server.advance(1, 2)
    with pytest.raises(PragmaError, match=r"task A of job 1 has not ended: it is Running\."):
        notebook.run("#%debug(A)")


def test_values_of_others_need_trust() -> None:
    """Nothing is opened before it is read."""
    carried = {"model": tagged.encode(_Model()), "n": 1}
    variables = TaskMap(carried, trust=False)
    assert (variables["n"], variables["nothing"], len(variables)) == (1, None, 2)
    with pytest.raises(UntrustedValue, match=r"variables\['model'\] is a value of type .*_Model"):
        variables["model"]
    assert isinstance(TaskMap(carried)["model"], _Model)


class _Model:
    pass


def test_variables_have_the_methods_of_a_java_map() -> None:
    """As in a task."""
    variables = TaskMap({"a": 1})
    assert (variables.put("b", 2), variables.get("c", 5), variables.getOrDefault("c", 5)) == (None, None, 5)
    assert (variables.remove("a"), variables.containsKey("a"), variables.size(), variables.isEmpty()) == (
        1,
        False,
        1,
        False,
    )
    assert (variables.copy(), repr(variables), variables.keySet()) == ({"b": 2}, "{'b': 2}", {"b"})


def test_results_are_as_in_a_task() -> None:
    """Of a parent that failed, of one that returned nothing, and of one with metadata."""
    failed = ParentResult(7, TaskResult(id=1, name="A", failed=True, failure="no\nway"))
    with pytest.raises(ParentFailed, match="task A failed: no"):
        failed.value()
    silent = ParentResult(7, TaskResult(id=2, name="B"))
    good = ParentResult(7, TaskResult(id=3, name="C", has_value=True, carried={"a": 1.0}, metadata={"k": "v"}))
    assert (failed.hadException(), str(failed), silent.value(), str(silent)) == (True, "no way", True, "true")
    assert (good.value(), str(good), good.getMetadata(), str(good.getTaskId())) == (
        {"a": 1.0},
        "{a=1.0}",
        {"k": "v"},
        "7t3",
    )


def test_the_code_of_a_job_from_elsewhere_is_that_of_the_workflow() -> None:
    """Without what carries values on a server; its lines that bind variables are known."""
    from proactive_jupyter_kernel.client import python_code

    body = 'x = variables.get("x")\n_proactive_last((x + 1))'
    code = "\n".join([python_code.prologue(), body, python_code.epilogue()])
    found = code_of_task(Task(name="T", executable=Script(language="cpython", code=code)), None)
    assert (found.text, found.imports, found.prologue) == ('x = variables.get("x")\nx + 1', ("x",), "")
