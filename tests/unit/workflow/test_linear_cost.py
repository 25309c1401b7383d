"""What a workflow may hold is read in linear time: twice the size takes about twice as long, for texts made to hurt."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow import cron
from proactive_jupyter_kernel.workflow.globs import compile_pattern
from proactive_jupyter_kernel.workflow.java.dates import parse_date
from proactive_jupyter_kernel.workflow.java.numbers import parse_double
from proactive_jupyter_kernel.workflow.java.regex import compile_java
from proactive_jupyter_kernel.workflow.picture.conditions import count_of, loop_words
from proactive_jupyter_kernel.workflow.spel import Scope, evaluate
from proactive_jupyter_kernel.workflow.substitution import substitute
from proactive_jupyter_kernel.workflow.variable_models import check_value

#: Each reads a text of a given size. Quadratic code would take four times as long for twice the size.
READERS: dict[str, Callable[[int], object]] = {
    "number": lambda size: parse_double("1" * size + "x"),
    "model of a number": lambda size: check_value("PA:DOUBLE[" + "1" * size + "x]", "1" * size + "x"),
    "blanks in a model": lambda size: check_value("PA:LIST" + " " * size + "!", "1"),
    "parentheses in a model": lambda size: check_value("PA:LIST" + "( " * size + ") " * size + "[", "1"),
    "items of a list": lambda size: check_value(f"PA:LIST({','.join(map(str, range(size // 8)))})", "x"),
    "equal items of a list": lambda size: check_value("PA:LIST(" + "a," * (size // 2) + ")", "x"),
    "URI": lambda size: check_value("PA:URI", "http://" + "a:" * size + "["),
    "JSON": lambda size: check_value("PA:JSON", "1" * size + "x"),
    "catalog object": lambda size: check_value("PA:CATALOG_OBJECT", "a/" * size),
    "date": lambda size: parse_date("1" * size, "y"),
    "cron": lambda size: cron.parse(",".join(["1"] * size)),
    "references": lambda size: substitute("${" * size, {"A": "1"}),
    "known references": lambda size: substitute("$A " * size, {"A": "1"}),
    "adjacent references": lambda size: substitute("$A" * size, {"A": "1"}),
    "regular expression": lambda size: compile_java("a" * (size // 20)),
    "split": lambda size: compile_java(",").split("a," * size),
    "glob": lambda size: compile_pattern("a/*" * (size // 20)),
    "condition of a loop": lambda size: loop_words("loop = a" + " " * size + "!"),
    "number of runs": lambda size: count_of(" " * size + "runs = a" + " ;" * size),
    "SpEL integer": lambda size: evaluate("1" * (size // 10), Scope(value="", variables={})),
    "SpEL chain": lambda size: evaluate("1" + "+1" * (size // 10), Scope(value="", variables={})),
    "SpEL text": lambda size: evaluate("#value.replace('a', 'bb')", Scope(value="a" * size, variables={})),
    "proposal": lambda size: did_you_mean("x" * size, ["y" * size] * 10),
}


def seconds(reader: Callable[[int], object], size: int) -> float:
    """The computing time of this thread: the load of the machine does not count. The best of three."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        with contextlib.suppress(ValueError):
            reader(size)
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("name", READERS)
def test_twice_the_size_takes_twice_the_time(name: str) -> None:
    """Sizes n and 4 n: sixteen times the time would be quadratic; what is too fast to measure passes."""
    once, more = seconds(READERS[name], 20_000), seconds(READERS[name], 80_000)

    assert more < max(9 * once, 0.05)


def test_proposals_for_many_names_stay_cheap() -> None:
    """Thousands of unknown names, each compared with thousands of known ones, as in a workflow made by a program."""
    known = [f"task_{number}" for number in range(3_000)]
    start = time.thread_time()

    for number in range(200):
        did_you_mean(f"tsak_{number}", known)

    assert time.thread_time() - start < 2
