"""What a card shows of the text of an error."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.workflow.display.traces import failure_of

TRACE = """\
Traceback (most recent call last):
  Cell In[3], line 5, in <module>
    check('mean')
  Cell In[3], line 3, in check
    raise ValueError('a hole')
ValueError: a hole"""

CHAINED = """\
Traceback (most recent call last):
  Cell In[3], line 2, in <module>
    int('x')
ValueError: invalid literal

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  Cell In[4], line 7, in <module>
    raise RuntimeError('no') from e
RuntimeError: no
and why"""

FILE = """\
Traceback (most recent call last):
  scripts/load data.py, line 1, in <module>
    x
NameError: name 'x' is not defined"""

SYNTAX = """\
  Cell In[3], line 2
    x = = 1
        ^
SyntaxError: invalid syntax"""


GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   Cell In[3], line 9, in <module>
  |     raise ExceptionGroup('all', errors)
  | ExceptionGroup: all (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ExceptionGroup: some (1 sub-exception)
    +-+---------------- 1 ----------------
      | ValueError: 1
      +------------------------------------
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   Cell In[3], line 5, in <module>
    |     {}['k']
    | KeyError: 'k'
    +------------------------------------"""


@pytest.mark.parametrize(
    ("text", "line", "place"),
    [
        (GROUP, "ExceptionGroup: all (2 sub-exceptions)", "cell [3], line 9"),
        (f"{GROUP}\n\nDuring handling of it:\n\n{TRACE}", "ValueError: a hole", "cell [3], line 3"),
        (TRACE, "ValueError: a hole", "cell [3], line 3"),
        (CHAINED, "RuntimeError: no", "cell [4], line 7"),
        (SYNTAX, "SyntaxError: invalid syntax", "cell [3], line 2"),
        ("Script failed with exit code 3\nls: cannot access 'x'", "Script failed with exit code 3", ""),
        ("Walltime of 1000 ms reached on task south", "Walltime of 1000 ms reached on task south", ""),
        (
            "Cell In[2], line 4: nosuch: command not found",
            "Cell In[2], line 4: nosuch: command not found",
            "cell [2], line 4",
        ),
        (
            "it does not compile\nCell In[5], line 11: error: no member get\nx.get()\n  ^\none error found",
            "Cell In[5], line 11: error: no member get",
            "cell [5], line 11",
        ),
        (FILE, "NameError: name 'x' is not defined", ""),
        ("", "", ""),
    ],
)
def test_line_and_place(text: str, line: str, place: str) -> None:
    """The line that says what is wrong, of the last traceback of a chain, and the innermost line of a cell."""
    failure = failure_of("T", text)
    assert (failure.line, failure.place) == (line, place)


def test_code_around_the_line() -> None:
    """The lines above the faulty one, without the pragma; none where the cell is not known."""
    cells = {3: {1: "#%task(name=check)", 2: "def check(x):", 3: "    raise ValueError('a hole')", 5: "check('mean')"}}
    assert failure_of("T", TRACE, cells=cells).code == ((2, "def check(x):"), (3, "    raise ValueError('a hole')"))
    assert failure_of("T", TRACE, cells={9: {3: "other"}}).code == ()


def test_trace_that_is_the_line_is_not_shown_twice() -> None:
    """An error of one line has no traceback to unfold."""
    assert failure_of("T", "exit code 3").trace == ""
    assert failure_of("T", TRACE).trace == TRACE


def test_code_stops_where_the_cell_has_other_lines() -> None:
    """Lines above a gap belong to something else."""
    cells = {3: {1: "runs=20", 3: "    raise ValueError('a hole')"}}
    assert failure_of("T", TRACE, cells=cells).code == ((3, "    raise ValueError('a hole')"),)
