"""The page of the REST paths."""

from __future__ import annotations

from pathlib import Path

from proactive_jupyter_kernel.scheduler.rest.routes import OUTSIDE, ROUTES
from proactive_jupyter_kernel.scheduler.rest.routes.reference import page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "rest.md"


def test_the_page_is_current() -> None:
    """docs/reference/rest.md is what the table of routes says."""
    assert PAGE.read_text(encoding="utf-8") == page(ROUTES, OUTSIDE), "run: make reference"
