"""Cells with identities, as JupyterLab, Notebook and VS Code send them: edited, emptied, deleted."""

from __future__ import annotations

from typing import Any


def test_the_draft_follows_the_cells(kernel: Any) -> None:
    """A renamed task, a removed pragma, a deleted cell; each with one sentence."""
    kernel.run("#%new_job()", cell="new")
    kernel.run("#%task(name=A)\nprint('a')", cell="a")
    kernel.run("#%task(name=B, dep=[A])\nprint('b')", cell="b")
    kernel.run("#%task(name=C)\nprint('c')", cell="c")
    renamed = kernel.run("#%task(name=A2)\nprint('a')", cell="a")
    emptied = kernel.run("print('b')", cell="b")
    after = kernel.run("#%draft()", cell="d", deleted=["c"])
    assert (renamed.stream(), emptied.stream(), after.stream()) == (
        "Defined task A2 (Python).\nNote: Removed task A: this cell no longer defines it. B still depends on "
        "it: change dep there, or define A again.\n",
        "b\nNote: Removed task B: its cell no longer has a pragma for it.\n",
        "Note: Removed task C: its cell was deleted.\n",
    )
    assert [line.split()[0] for line in after.data()[0].splitlines()[2:] if line.startswith("A")] == ["A2"]


def test_a_cell_whose_python_fails_first_keeps_its_task(kernel: Any) -> None:
    """Its pragma was not reached, and still stands in it."""
    kernel.run("#%new_job()", cell="new")
    kernel.run("#%task(name=A)\nprint('a')", cell="a")
    assert kernel.run("1/0\n#%task(name=B)\nprint('a')", cell="a").status == "error"
    assert "A " in kernel.run("#%draft()", cell="d").data()[0]


def test_a_refused_cell_is_remembered(kernel: Any) -> None:
    """The job is not submitted with the older version."""
    kernel.run("#%new_job()", cell="new")
    kernel.run("#%task(name=A)\nprint('a')", cell="a")
    assert kernel.run("#%task(name=A\nprint('aa')", cell="a").status == "error"
    refused = kernel.run("#%submit_job()", cell="s")
    assert "the job has an older version of task A: Cell In[" in refused.content["evalue"]
