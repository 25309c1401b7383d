"""The line that stands in a task's log for lines that came too fast.

The count of dropped lines of a log counts such a line as all the lines that it stands for.
"""

from __future__ import annotations

import re

__all__ = ["lines_in", "notice"]

_NOTICE = re.compile(r"\[(?P<lines>[\d,]+) lines \([^)]+\) of output were left out here: ")


def notice(lines: int, size: int) -> str:
    """The line, for so many lines of so many bytes together."""
    from proactive_jupyter_kernel.workflow.display.numbers import size_text

    return f"[{lines:,} lines ({size_text(size)}) of output were left out here: they came too fast for the log]"


def lines_in(text: str) -> int:
    """How many lines of output a line of the log stands for: nearly always itself."""
    found = _NOTICE.match(text) if text.startswith("[") else None
    return int(found["lines"].replace(",", "")) if found else 1
