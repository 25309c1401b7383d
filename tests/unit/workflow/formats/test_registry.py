"""The table of formats."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import UnreadableWorkflow
from proactive_jupyter_kernel.workflow.formats import FORMATS, by_extension, by_name
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

EXAMPLE = Workflow(name="example", tasks=(Task(name="T", executable=Script(language="bash", code="ls")),))


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.loads])
def test_what_is_written_is_read(name: str) -> None:
    """By every format that can do both."""
    row = FORMATS[name]
    assert row.loads is not None
    assert row.loads(row.dumps(EXAMPLE)).workflow == EXAMPLE


def test_a_format_is_found_by_name_and_extension() -> None:
    """Ignoring case; the error for an unknown one lists the known ones."""
    assert (by_name("JSON").name, by_extension("a/b.DOT").name, by_extension("x.gv").name) == ("json", "dot", "dot")
    with pytest.raises(ValueError, match=r"There is no format 'yaml'; known: xml, json, dot, mermaid, svg, png\."):
        by_name("yaml")
    with pytest.raises(UnreadableWorkflow, match=r"x\.svg cannot be read: SVG can be exported"):
        by_extension("x.svg")
    with pytest.raises(UnreadableWorkflow, match=r"x\.txt does not have the extension of a workflow format\."):
        by_extension("x.txt")
