"""The table of checks: its codes, its page, and that every code in the source has a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import proactive_jupyter_kernel
from proactive_jupyter_kernel.workflow.checks import CHECKS, Problem, Severity
from proactive_jupyter_kernel.workflow.checks.reference import page

PACKAGE = Path(proactive_jupyter_kernel.__file__).parent
PAGE = Path(__file__).parents[4] / "docs" / "reference" / "checks.md"


def test_the_page_is_current() -> None:
    """docs/reference/checks.md is what the table says."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make reference"


def test_every_row_is_used_and_every_code_has_a_row() -> None:
    """Every code is used by a check."""
    table = PACKAGE / "workflow" / "checks" / "table.py"
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path != table]
    used = {code for source in sources for code in re.findall(r'"(PA\d{3})"', source)}
    assert used == CHECKS.keys()


def test_rows_are_sentences() -> None:
    """Codes ascend; titles are no sentences; meanings and fixes are."""
    assert list(CHECKS) == sorted(CHECKS)
    assert [row.code for row in CHECKS.values() if row.title.endswith(".")] == []
    assert [row.code for row in CHECKS.values() if not (row.meaning.endswith(".") and row.fix.endswith("."))] == []


def test_a_problem_knows_its_row() -> None:
    """Severity, group and the general remedy come from the table; an unknown code is refused."""
    problem = Problem(code="PA311", message="No merge point for REPLICATE block", task="R")
    assert (problem.severity, problem.kind, problem.fix, str(problem)) == (
        Severity.ERROR,
        "REPLICATE",
        "Add a task that depends on it.",
        "Task 'R': No merge point for REPLICATE block",
    )
    with pytest.raises(ValueError, match="'PA999' is not the code of a check"):
        Problem(code="PA999", message="no")
