"""The page that explains messages: each message in a heading is one that the code has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
#: Headings that quote Python or pip, or describe what one sees.
NOT_OURS = {
    "NameError: name ... is not defined",
    "AttributeError: 'tuple' object has no attribute 'value'",
    "error: externally-managed-environment",
    "The kernel *ProActive* is not in JupyterLab's launcher",
}


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module, with a blank sign in the place of each value in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w*\}", "\0", node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)


def test_every_heading_is_a_message_of_the_code() -> None:
    """The fixed parts of the heading stand in one text of the code, in this order."""
    files = (ROOT / "src" / "proactive_jupyter_kernel").rglob("*.py")
    known = "\n\n".join(text for file in files for text in texts(ast.parse(file.read_text("utf-8"))))
    headings = re.findall(r"^### (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    unknown = [
        heading
        for heading in headings
        if heading not in NOT_OURS
        and not re.search(r"[^\n]*".join(re.escape(part.strip()) for part in heading.split("...")), known)
    ]
    assert (unknown, NOT_OURS - set(headings)) == ([], set())
