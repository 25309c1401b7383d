"""Cells with pragmas become Python of the same lines."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import UnknownPragma
from proactive_jupyter_kernel.notebook.transformer import KEPT, Cells, has_pragma


def transformed(cell: str) -> str:
    return "".join(Cells()(cell.splitlines(keepends=True)))


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "x = 1\n",
        "# %tasks are many\n",
        "#%%\nx = 1\n",
        "# %% task\n",
        "#%matplotlib inline\n",
        "#%timeit(f(x))\n",
        "text = '''\n#%task(name=A)\n'''\n",
        "[\n# %task(name=A)\n]\n",
        "%%bash\n#%task(name=A)\n",
        "\n%%writefile a.py\n#%help()\n",
        "print('a') #%help()\n",
        "%timeit 1\n",
    ],
)
def test_cell_without_pragma_is_not_touched(cell: str) -> None:
    """What is no pragma cell stays as it is, to the letter."""
    assert transformed(cell) == cell


def test_call_stands_where_its_pragma_stood() -> None:
    """Code of a task becomes blank lines, and code that runs here keeps its lines."""
    cell = "x = 1\n\n#%task(name=A, language=bash)\nls | $(oops `'\n#%submit_job()\nprint(x)\n"
    assert transformed(cell).split("\n") == [
        "x = 1",
        "",
        "get_ipython().proactive.run(1, 0, 'task')",
        "",
        "get_ipython().proactive.run(1, 1, 'submit_job')",
        "print(x)",
        "",
    ]


def test_pragma_over_several_lines_is_one_call() -> None:
    """A continued pragma becomes a call and blank lines."""
    cell = "#%job(\n#  name=Jobs,\n#%  variables=[(a, 1)]\n)\nprint(1)\n"
    assert transformed(cell).split("\n") == ["get_ipython().proactive.run(1, 0, 'job')", "", "", "", "print(1)", ""]


def test_lines_before_the_first_pragma_keep_their_numbers() -> None:
    """Comments and blank lines on top do not shift the numbers of the lines below."""
    assert transformed("\n# intro\n#%submit_job()\n1/0\n").split("\n") == [
        "#",
        "#",
        "get_ipython().proactive.run(1, 0, 'submit_job')",
        "1/0",
        "",
    ]


def test_code_below_an_indented_pragma_is_dedented() -> None:
    """Blanks before a pragma do not make the code below it an indentation error."""
    assert transformed("  #%submit_job()\n  if x:\n      y()\n").split("\n")[1:3] == ["if x:", "    y()"]


def test_cell_with_a_fault_becomes_one_call() -> None:
    """Nothing of a cell is done that has a fault anywhere."""
    cells = Cells()
    python = "".join(cells(["x = 1\n", "#%submit_job()\n", "#%submit_jobs()\n"]))
    assert python.split("\n") == ["get_ipython().proactive.refuse(1)", "", "", ""]
    program = cells.find(1)
    assert program is not None
    assert isinstance(program.fault, UnknownPragma)
    assert program.fault.line == 3


def test_same_cell_is_read_once() -> None:
    """The second transformation of a run gives the same program."""
    cells = Cells()
    assert cells(["#%submit_job()\n"]) == cells(["#%submit_job()\n"])


def test_old_programs_are_let_go() -> None:
    """A long session does not keep every cell it ever read."""
    cells = Cells()
    for number in range(KEPT + 1):
        cells([f"#%task(name=T{number})\n"])
    assert cells.find(1) is None
    assert cells.find(KEPT + 1) is not None


@pytest.mark.parametrize(
    "cell", ["#%task(A)\n1", "x\n   #%help", "#%élan()", "# %task(A)", "#% Task", "%task(A)", "x = #%help(task)"]
)
def test_pragma_lines_are_seen(cell: str) -> None:
    """A pragma line calls a pragma by its name, however its sign is spaced; what can only be meant so counts too."""
    assert has_pragma(cell)


def test_windows_line_ends_are_lines() -> None:
    """A cell with CRLF has as many lines of Python as it has itself."""
    assert transformed("#%submit_job()\r\nprint(1)\r\n").split("\n") == [
        "get_ipython().proactive.run(1, 0, 'submit_job')",
        "print(1)",
        "",
    ]
