"""What makes the documentation site."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """The tool that the parameter names."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield __import__(request.param)
    sys.modules.pop(request.param)


@pytest.mark.parametrize("tool", ["python_api"], indirect=True)
def test_the_page_of_the_python_api_is_current(tool: ModuleType) -> None:
    """docs/reference/python.md is what the docstrings say."""
    assert (ROOT / "docs" / "reference" / "python.md").read_text("utf-8") == tool.page(), "run: make reference"


@pytest.mark.parametrize("tool", ["docs_site"], indirect=True)
@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("docs/index.md", "[x](../examples/loop.ipynb) [y](b/a.md)", "[x](examples/loop.ipynb) [y](b/a.md)"),
        ("docs/guides/tasks.md", "[x](../../examples/loop.ipynb#a)", "[x](../examples/loop.ipynb#a)"),
        ("examples/loop.ipynb", "[x](../docs/guides/tasks.md)", "[x](../guides/tasks.md)"),
        ("CHANGELOG.md", "[x](docs/index.md) [y](https://host/a)", "[x](index.md) [y](https://host/a)"),
    ],
)  # fmt: skip
def test_links_lead_to_where_the_site_has_a_page(tool: ModuleType, path: str, before: str, after: str) -> None:
    """Whatever folder of the clone they come from and lead to."""
    assert tool.relinked(before, path) == after


@pytest.mark.parametrize("tool", ["docs_site"], indirect=True)
def test_a_link_out_of_the_site_is_refused(tool: ModuleType) -> None:
    """With the page and the file."""
    with pytest.raises(SystemExit, match=r"docs/index\.md links to pyproject\.toml, which is no part of the site"):
        tool.relinked("[x](../pyproject.toml)", "docs/index.md")


@pytest.mark.parametrize("tool", ["docs_site"], indirect=True)
def test_faults_of_a_built_site(tool: ModuleType, tmp_path: Path) -> None:
    """Pages and anchors that do not exist, and what would be loaded from another host; other hosts may be linked to."""
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">1</a><a href="#gone">2</a><a href="b.html">3</a><a href="https://host/">4</a>'
        '<a href="c.html#end">5</a><a href="c.html#begin">6</a><img src="https://host/x.png">'
        '<script src="x.js"></script>'
    )
    (tmp_path / "c.html").write_text('<p id="end">')
    (tmp_path / "c.css").write_text("@font-face { src: url('https://fonts.host/x.woff') }")
    assert list(tool.faults(tmp_path)) == [
        "a.html needs https://host/x.png",
        "a.html links to #gone; the page has no such anchor",
        "a.html links to b.html, which does not exist",
        "a.html links to c.html#begin; the page has no such anchor",
        "a.html links to x.js, which does not exist",
        "c.css needs https://fonts.host/x.woff",
    ]


@pytest.mark.parametrize("tool", ["cell_lexer"], indirect=True)
def test_a_cell_is_coloured_in_its_languages(tool: ModuleType) -> None:
    """Pragmas, Python above and below them, and other languages by the pragma; no text is lost."""
    cell = "x = 1\n#%task(name=T, language=Linux_Bash)\nexport A=${B}\n\n#%runs()\nvar a = null\n# a comment\n"
    tokens = list(tool.CellLexer().get_tokens(cell))
    assert "".join(text for _, text in tokens) == cell
    by_text = {text: str(token) for token, text in tokens}
    assert {text: by_text[text] for text in ("#%task", "export", "${", "#%runs", "null")} == {
        "#%task": "Token.Keyword",
        "export": "Token.Name.Builtin",
        "${": "Token.Literal.String.Interpol",
        "#%runs": "Token.Keyword",
        "null": "Token.Keyword.Constant",
    }


@pytest.mark.parametrize("tool", ["docs_site"], indirect=True)
def test_the_site_shows_no_frames_of_portals(tool: ModuleType, tmp_path: Path) -> None:
    """Their scheduler ended with the run of the example; the text beside them stays."""
    tool.stage(tmp_path)
    staged = (tmp_path / "examples" / "portals.ipynb").read_text("utf-8")
    assert ("<iframe" in staged, "Shown in a frame" in staged) == (False, True)
