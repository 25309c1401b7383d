"""Which scripts are only a constant."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.runtimes.constants import Constant, assigned

LITERALS = {"true": True, "false": False}


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("selected = true", "selected", True),
        ("\nselected = true\n", "selected", True),
        ("runs=3;", "runs", 3),
        ("runs = -1", "runs", -1),
        ("loop = false ;", "loop", False),
        ('branch = "if"', "branch", "if"),
        ("branch = 'else';", "branch", "else"),
        ("// why\nloop = true\n  // so\n", "loop", True),
        ("runs <- 2", "runs", 2),
        ("$selected = 'x'", "selected", "x"),
        ('preJavaHomeCmd = ""', "preJavaHomeCmd", ""),
    ],
)
def test_constants(code: str, name: str, value: Any) -> None:
    """One assignment of one literal is a constant."""
    assert assigned(code, name, LITERALS, comment="//") == Constant(value)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "selected",
        "other = true",
        "selected == true",
        "selected = True",
        "selected = x",
        "selected = 1 + 1",
        "selected = true; println 'x'",
        "x = 1\nselected = true",
        "selected = 'a' + 'b'",
        'selected = "${x}"',
        "selected = 'a\\n'",
        "selected = 007",
        "selected = 99999999999999999999",
        "def selected = true",
        "selected = true // because",
        "selected = true" + " " * 600,
    ],
)
def test_everything_else(code: str) -> None:
    """Whatever is more than that goes to the language itself."""
    assert assigned(code, "selected", LITERALS, comment="//") is None
