"""The addresses that the project gives as its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
#: Where ProActive's own Jupyter kernel is published, which is another project.
REFERENCE_KERNEL = re.compile(r"ow2-proactive/proactive-jupyter-kernel")
#: The page about the differences from it names it, as the other project that it is.
ABOUT_IT = "docs/reference-kernel.md"
#: Pages and metadata for people.
SHOWN = ("*.md", "*.toml", "*.cff", "docs/**/*.md", ".github/**/*", "src/**/*.py", "examples/*.md")


def test_no_page_gives_the_address_of_the_reference_kernel_as_ours() -> None:
    """Issues and questions about this project must not reach the makers of another one."""
    found = {
        str(path.relative_to(ROOT))
        for pattern in SHOWN
        for path in ROOT.glob(pattern)
        if path.is_file() and REFERENCE_KERNEL.search(path.read_text("utf-8"))
    }
    assert found <= {ABOUT_IT}


def test_every_address_of_the_project_is_written_once() -> None:
    """What pyproject.toml names as the project's addresses stands in no other file, so that a move is one edit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = {
        (str(path.relative_to(ROOT)), url)
        for pattern in set(SHOWN) - {"*.toml"}
        for path in ROOT.glob(pattern)
        if path.is_file()
        for url in project["urls"].values()
        if url in path.read_text("utf-8")
    }
    assert found == set()
