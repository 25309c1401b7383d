"""Hints for errors that come from how a task gets its values."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.pragmas.jobs.task_hints import hint_for_task_error

ENTRY = "An entry of results is what a task returned and how it ended: results[0].value() is its value."
TEXTS = 'Variables of a job are texts: int(variables["days"]) and float(...) make numbers of them.'


def traceback(code: str, error: str) -> str:
    """What Python says of a line of a cell."""
    head = "Traceback (most recent call last):\n  Cell In[3], line 2, in <module>"
    return f"{head}\n    {code}\n    {'^' * len(code)}\n{error}"


@pytest.mark.parametrize(
    ("code", "error", "parents", "hint"),
    [
        ('results[0]["a"]', "TypeError: 'TaskResult' object is not subscriptable", ("load",), ENTRY),
        ("frame.head()", "AttributeError: 'TaskResult' object has no attribute 'head'", None, ENTRY),
        (
            "x = results[0].value()",
            "IndexError: tuple index out of range",
            (),
            "results has an entry for each task in dep, in that order, and this task has no dep; the first is "
            "results[0].",
        ),
        (
            "x = results[2].value()",
            "IndexError: tuple index out of range",
            ("load", "fit"),
            "results has an entry for each task in dep, in that order, here [load, fit]; the first is results[0].",
        ),
        (
            'x = results["load"].value()',
            "TypeError: tuple indices must be integers or slices, not str",
            None,
            "results has an entry for each task in dep, in that order; it is read by number: results[0].value().",
        ),
        (
            'variables["days"] + 1',
            "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'",
            (),
            "A missing variable reads as None. Nothing has set days: define it in the job, such as "
            "#%job(variables=[(days, 1)]), or export it from a task in dep.",
        ),
        ("variables.get('days') + 1", 'TypeError: can only concatenate str (not "int") to str', (), TEXTS),
        ('variables["days"] > 1', "TypeError: '>' not supported between instances of 'str' and 'int'", (), TEXTS),
        (
            'input("go?")',
            "EOFError: EOF when reading a line",
            (),
            "A task cannot ask for input. Pass the value as a variable: #%submit_job(variables=[(answer, yes)]), and "
            'variables["answer"] in the task.',
        ),
        ("[][0]", "IndexError: list index out of range", (), ""),
        ('len(variables["days"])', "ValueError: no", (), ""),
        ('x.append(results["a"])', "ValueError: no", (), ""),
    ],
)
def test_error_gets_the_hint_that_fits(code: str, error: str, parents: tuple[str, ...] | None, hint: str) -> None:
    """And errors of another kind get none."""
    assert hint_for_task_error(traceback(code, error), parents) == hint
