"""`#%check`, and the warnings about code in a cell."""

from __future__ import annotations

import collections
import json
import math
import sys
import types

import pytest

from proactive_jupyter_kernel.pragmas.checking import hint_for_name_error


def rows(notebook) -> list[tuple[object, ...]]:
    notebook.run("#%check()")
    return [tuple(row) for row in notebook.frontend.tables[-1].rows]


def test_sound_draft_has_no_finding(notebook) -> None:
    """One sentence says so."""
    notebook.run("#%task(A)\nx = 1\nprint(x)")
    assert notebook.run("#%check()") == ["No problem found in job 'Unnamed_job' (1 task)."]


def test_everything_is_listed_at_once_errors_first(notebook) -> None:
    """A name that nothing provides, one that a task before it sets, and an unfinished control."""
    notebook.run("#%task(Load)\nrows = [1]")
    notebook.run("#%task(Use, dep=Load)\nprint(rows)\nprint(nowhere)")
    notebook.run("#%branch(B)\nprint(1)")
    found = rows(notebook)
    assert [(row[0], row[1], row[2], row[3]) for row in found] == [
        ("PA602", "error", "", ""),
        ("PA652", "warning", "Use", "Cell In[2], line 2"),
        ("PA651", "warning", "Use", "Cell In[2], line 3"),
    ]


def test_refused_cell_is_a_finding(notebook) -> None:
    """With its cell and the reason."""
    notebook.run("#%task(A)")
    with pytest.raises(Exception, match="not Python"):
        notebook.run("#%task(B)\nprint(")
    (row,) = [row for row in rows(notebook) if row[0] == "PA601"]
    assert row[2:4] == ("B", "Cell In[2]")


NOTEBOOK = {
    "limit": (5, "variables=[(limit, =limit)] and import=[limit]"),
    "math": (math, "add `import math` to the task"),
    "helper": (lambda: None, "#%import()"),
    "rows": ([1], "Set it in a cell that begins with the comment # Parameters"),
    "frame": (object(), "write it to a file"),
}


@pytest.mark.parametrize("name", NOTEBOOK)
def test_cell_says_how_to_pass_what_the_notebook_has(notebook, name: str) -> None:
    """As soon as the task is defined, with the cell's line."""
    value, remedy = NOTEBOOK[name]
    notebook.frontend.namespace[name] = value
    (_, warning) = notebook.run(f"#%task(A)\nprint(1)\nprint({name})")
    assert warning.startswith(f"! Task A, Cell In[1], line 3: The code reads {name}, which nothing provides.")
    assert remedy in warning


@pytest.mark.parametrize(
    ("name", "value", "statement"),
    [
        ("m", math, "import math as m"),
        ("sqrt", math.sqrt, "from math import sqrt"),
        ("Counter", collections.Counter, "from collections import Counter"),
        ("Encoder", json.encoder.JSONEncoder, "from json.encoder import JSONEncoder as Encoder"),
    ],
)
def test_what_the_notebook_imported_is_to_be_imported(notebook, name: str, value: object, statement: str) -> None:
    """Modules, classes and functions of a library alike; no definition is there to be copied."""
    notebook.frontend.namespace[name] = value
    (_, warning) = notebook.run(f"#%task(A)\n{name}")
    assert f"add `{statement}` to the task, or to a cell with #%import() for all tasks." in warning


def test_class_of_a_private_module_is_imported_from_the_public_one(notebook, monkeypatch) -> None:
    """Libraries define in private modules what they offer in public ones."""
    model = type("Model", (), {"__module__": "library.models._base"})
    for name in ("library", "library.models", "library.models._base"):
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**({} if name == "library" else {"Model": model})))
    notebook.frontend.namespace["Model"] = model
    (_, warning) = notebook.run("#%task(A)\nModel()")
    assert "add `from library.models import Model` to the task" in warning


def test_name_of_a_task_is_not_a_name_in_the_code(notebook) -> None:
    """The cell and the error say how the task's value is read."""
    notebook.run("#%task(load)\nresult = 1")
    (_, warning) = notebook.run("#%task(use, dep=load)\nprint(results[load].value())")
    hint = (
        "load is a task, and no name in the code: results holds the results of the tasks in dep, in that order; "
        "results[0].value() is the first one's value."
    )
    assert warning == f"! Task use, Cell In[2], line 2: The code reads load, which nothing provides. {hint}"
    assert hint_for_name_error(notebook.context, "use", "NameError: name 'load' is not defined") == hint


def test_forgotten_dep_is_proposed(notebook) -> None:
    """Where a task sets the name, but not before this one."""
    notebook.run("#%task(load)\nrows = [1]")
    (_, warning) = notebook.run("#%task(use)\nprint(rows)")
    hint = (
        "Task load sets it, but use does not depend on it: add dep=[load] and import=[rows] here, and export=[rows] "
        "there."
    )
    assert warning == f"! Task use, Cell In[2], line 2: The code reads rows, which nothing provides. {hint}"
    assert hint_for_name_error(notebook.context, "use", "NameError: name 'rows' is not defined") == hint


def test_result_is_not_what_the_parents_returned(notebook) -> None:
    """Whatever the notebook calls so."""
    notebook.frontend.namespace["result"] = 1
    notebook.run("#%task(use)\nprint(result[0].value())")
    assert hint_for_name_error(notebook.context, "use", "NameError: name 'result' is not defined") == (
        "result is the value that the task itself sets; results holds those of the tasks in dep, in that order: "
        "results[0].value()."
    )


def test_cell_proposes_the_export_and_the_import(notebook) -> None:
    """For a name that an ancestor sets."""
    notebook.run("#%task(Load)\nrows = [1]")
    (_, warning) = notebook.run("#%task(Use, dep=Load)\nprint(rows)")
    assert "Task Load sets it: add export=[rows] there and import=[rows] here" in warning


def test_nothing_is_claimed_before_the_ancestors_are_defined(notebook) -> None:
    """A parent that is defined later may set the name."""
    assert not [text for text in notebook.run("#%task(Use, dep=Later)\nprint(rows)") if "nothing provides" in text]


def test_misspelt_name_is_proposed(notebook) -> None:
    """The nearest name that the task itself sets."""
    (_, warning) = notebook.run("#%task(A)\ncounter = 1\nprint(conter)")
    assert warning.endswith("Did you mean counter?")


def test_submission_sums_up_what_is_doubtful(notebook) -> None:
    """One warning, and where to read on."""
    notebook.run("#%task(A)\nprint(nowhere)")
    said = notebook.run("#%submit_job(draw=off)")
    assert said[0] == ("! A: The code reads nowhere, which nothing provides (PA651). #%check() says what to change.")


NAME_ERROR = "Traceback (most recent call last):\n  Cell In[2], line 2\nNameError: name '{}' is not defined"


def test_name_error_of_a_task_says_how_to_pass_the_name(notebook) -> None:
    """A variable of a task before it, then one of the notebook; other errors have no such hint."""
    notebook.frontend.namespace["limit"] = 5
    notebook.run("#%task(Load)\nrows = [1]\n#%task(Use, dep=Load)\nprint(rows, limit)")
    hints = [
        hint_for_name_error(notebook.context, "Use", text)
        for text in (NAME_ERROR.format("rows"), NAME_ERROR.format("limit"), "ValueError: rows")
    ]
    assert hints == [
        "Task Load sets it: add export=[rows] there and import=[rows] here, or use #%configure(propagate=auto).",
        "The notebook has a variable limit, but tasks do not see the notebook. To pass its value: "
        "variables=[(limit, =limit)] and import=[limit].",
        "",
    ]
