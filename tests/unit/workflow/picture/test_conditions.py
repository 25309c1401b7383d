"""Flow scripts in a few words."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.workflow.picture.conditions import count_of, loop_words


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("loop = true;", "loop while true"),
        ('loop = variables.get("error") > 0.1', "loop while error > 0.1"),
        ("var loop = Number(variables['x']) < 3;\n", "loop while x < 3"),
        ("if (x) { loop = true } else { loop = false }", "loop"),
        ("loop = a;\nprint(loop)", "loop"),
        ("loop = a_very_long_condition_that_nobody > would_read_in_a_caption", "loop"),
        ("", "loop"),
        (" loop = x  ;  ", "loop while x"),
        ("loop = a" + " " * 200_000 + "!", "loop"),
    ],
)
def test_a_simple_condition_is_reported(code: str, expected: str) -> None:
    """Anything else is just a loop."""
    assert loop_words(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("runs=24", "24"),
        ("runs = 24;", "24"),
        ('runs=Number(variables.get("nb"))', "nb"),
        ('runs=Number(variables.get("nb"))+1', "nb+1"),
        ("runs = int(variables['n'])", "n"),
        ("runs = rows.length_of_something", ""),
        ("x = 1\nruns = x", ""),
    ],
)
def test_a_simple_number_of_runs_is_reported(code: str, expected: str) -> None:
    """As a number, the name of a variable, or a short sum."""
    assert count_of(code) == expected
