"""The help as HTML."""

from __future__ import annotations

import re
from html import unescape

import pytest

from proactive_jupyter_kernel.notebook.display import bundle_of
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.handlers.help import index, page_of
from proactive_jupyter_kernel.pragmas.outputs import HelpPage


def words(output: object) -> str:
    """The visible text of the HTML."""
    html = bundle_of(output, lambda _: ({}, {})).data["text/html"]  # type: ignore[arg-type]
    assert not re.search(r"<(?:script|svg|iframe)|https?:", re.sub(r"<style>.*?</style>", "", html))
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html)))


def test_index_has_every_pragma_with_its_summary() -> None:
    """No pragma is left out, and its summary is that of the registry."""
    shown = words(index())
    assert [one.name for one in PRAGMAS.values() if one.summary.rstrip(".") not in shown] == []


@pytest.mark.parametrize("name", list(PRAGMAS))
def test_page_has_every_parameter(name: str) -> None:
    """Name, kind, default and meaning of each parameter, and the example."""
    page = page_of(PRAGMAS[name])
    shown = re.sub(r"\s+", " ", words(page))
    parts = [part for row in page.parameters for part in row] + page.example.split("\n") + [page.summary]
    assert [part for part in parts if re.sub(r"\s+", " ", part).strip() not in shown] == []


def test_page_escapes_its_texts() -> None:
    """What a declaration says is text, not markup."""
    page = HelpPage(name="a", summary="<b>", usage="<u>", parameters=[("<p>", "<k>", "<d>", "<m>")], example="<e>")
    html = bundle_of(page, lambda _: ({}, {})).data["text/html"]
    assert not re.search(r"<(?:b|u|p|k|d|m|e)>", html)
