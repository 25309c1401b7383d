"""The reference page of the checks, generated from their table.

``python -m proactive_jupyter_kernel.workflow.checks.reference`` prints it; docs/reference/checks.md is its output.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.workflow.checks.table import CHECKS, Severity

__all__ = ["page"]

_HEAD = """# Checks

<!-- Written by `python -m proactive_jupyter_kernel.workflow.checks.reference`; edit the table, not this page. -->

What the kernel and the embedded scheduler check in a workflow. Each check has a code that never changes. A scheduler
refuses a workflow with an **error** at submission; a **warning** points to something that is allowed but probably not
intended.
"""

_GROUPS = {
    "1": "Names and values",
    "2": "Variables and references",
    "3": "Flow: dependencies, branches, loops, replications, blocks",
    "4": "What only some schedulers refuse",
    "5": "Allowed, but probably not intended",
    "6": "Found in the cells of a notebook",
}


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for digit, title in _GROUPS.items():
        rows = [row for row in CHECKS.values() if row.code[2] == digit]
        if not rows:
            continue
        yield f"## {title}\n"
        for row in rows:
            word = "warning" if row.severity is Severity.WARNING else "error"
            yield f"### {row.code}: {row.title}\n"
            yield f"*{word}.* {row.meaning}\n"
            yield f"What to do: {row.fix}\n"


if __name__ == "__main__":
    print(page(), end="")
