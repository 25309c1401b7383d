"""The reference page of the command line."""

from __future__ import annotations

from pathlib import Path

from proactive_jupyter_kernel.cli.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_current() -> None:
    """docs/reference/cli.md is what the commands say."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make reference"
