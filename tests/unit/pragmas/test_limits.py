"""Cells that are long, deep or broken take a time that grows with their length, and end in a message."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.pragmas.conftest import Notebook

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError
from proactive_jupyter_kernel.pragmas.cells.plan import mask, plan
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.draft.refusals import items_of_text
from proactive_jupyter_kernel.pragmas.grammar import parser
from proactive_jupyter_kernel.pragmas.grammar.cursor import locate

#: What reads the text of a cell.
READERS: dict[str, Callable[[str], object]] = {
    "plan": plan,
    "mask": mask,
    "items": items_of_text,
    "cursor": lambda text: locate(text, len(text), PRAGMAS.dialect),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "text",
    [
        "#%task(name=A, dep=" + "[" * 249 + "]" * 249 + ")",
        "#%task(name=A, runs=" + "(" * 5000 + "1" + ")" * 5000 + ")",
        "#%task(name=A, variables=" + "{a:" * 5000 + "1" + "}" * 5000 + ")",
        "#%task(name=A" + ", [path=b" * 5000 + "]" * 5000 + ")",
        "#%task(name=A, dep=" + "[\n" * 5000,
        "#%connect(host=h, login=u, password=" + "([{" * 5000 + ")",
    ],
    ids=["lists", "tuples", "tables", "arguments", "lines", "password"],
)
def test_brackets_may_be_nested_to_any_depth(reader: str, text: str) -> None:
    """They are refused with a message; the stack of the interpreter has a limit."""
    said = "20 brackets are open here"
    try:
        READERS[reader](text)
    except PragmaError as error:
        said = str(error)
    assert "20 brackets are open here" in said


def test_a_value_has_levels_enough() -> None:
    """Twenty brackets are read, the next one is refused at its place."""
    deep = "#%task(name=A, dep=" + "[" * 19 + "a" + "]" * 19 + ")"
    assert parser.parse(deep, PRAGMAS.dialect).calls[0].name == "task"
    with pytest.raises(PragmaSyntaxError, match="more than 20 brackets are open here") as caught:
        parser.parse("#%task(name=A, dep=" + "[" * 30 + "]" * 30 + ")", PRAGMAS.dialect)
    assert caught.value.column == len("#%task(name=A, dep=") + 20


GROWING: dict[str, Callable[[int], str]] = {
    "missing commas": lambda count: "#%task(name=A " + "dep=x " * count + ")",
    "passwords without commas": lambda count: "#%connect(" + "password=xyz " * count + ")",
    "misspelt passwords": lambda count: (
        "#%connect(" + ", ".join(f"passwor{one}=abc{one}" for one in range(count)) + ")"
    ),
    "a long word": lambda count: "#%connect(url=http://" + "a" * 10 * count + ")",
    "backslashes": lambda count: "#%connect(password='" + "\\" * count + ")",
    "pragmas": lambda count: "\n".join(f"#%task(name=T{one}, dep=[T{one - 1}])" for one in range(1, count)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", GROWING.values(), ids=GROWING)
def test_the_time_to_read_grows_with_the_length(text: Callable[[int], str], reader: str) -> None:
    """Eight times the text takes nowhere near 64 times as long."""

    def seconds(count: int) -> float:
        cell = text(count)
        took = []
        for _ in range(2):
            parser._read.cache_clear()
            begin = time.process_time()
            try:
                READERS[reader](cell)
            except PragmaError as error:
                str(error)
            took.append(time.process_time() - begin)
        return min(took)

    seconds(10)
    assert seconds(2400) < 30 * max(seconds(300), 0.01)


def seconds_to_define(notebook: Notebook, count: int, parent: Callable[[int], int]) -> float:
    """CPU time of a cell that defines so many tasks."""
    depends = {one: f", dep=[T{parent(one)}]" if 0 <= parent(one) < count else "" for one in range(count)}
    cell = "\n".join(f"#%task(name=T{one}{depends[one]})" for one in range(count))
    begin = time.process_time()
    notebook.run(cell)
    return time.process_time() - begin


@pytest.mark.parametrize("parent", [lambda one: one - 1, lambda one: one + 1], ids=["down", "up"])
def test_the_time_to_run_a_cell_grows_with_its_length(tmp_path: Path, parent: Callable[[int], int]) -> None:
    """Each of many tasks in one cell asks what is defined further down, and whether there is a cycle."""
    seconds_to_define(Notebook(tmp_path), 20, parent)
    short = min(seconds_to_define(Notebook(tmp_path), 200, parent) for _ in range(2))
    assert seconds_to_define(Notebook(tmp_path), 1600, parent) < 30 * max(short, 0.03)


@pytest.mark.parametrize("rest", ["", "\n#%delete_task(D)"], ids=["tasks alone", "with another pragma"])
def test_a_cycle_in_a_cell_is_found(notebook: Notebook, rest: str) -> None:
    """The first task of it is refused, also where the cell has run before with other tasks around it."""
    cell = "#%task(A, dep=[C])\n#%task(B, dep=[A])\n#%task(D)" + rest
    notebook.run(cell)
    notebook.run("#%delete_task([A, B])")
    notebook.run("#%task(C, dep=[B])")
    with pytest.raises(PragmaError, match="task A cannot depend on C, which depends on A already"):
        notebook.run(cell)
