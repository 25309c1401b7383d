"""Lines of output as people read them."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.workflow.display.lines import shown_text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain ü", "plain ü"),
        ("a\tb", "a\tb"),
        ("\r 10%\r 50%\r100%", "100%"),
        ("100%\r", "100%"),
        ("\x1b[1;31mred\x1b[0m and \x1b]8;;http://h\x07link", "red and link"),
        ("bell\x07\x00\x08", "bell"),
    ],
)
def test_line_is_shown_as_a_terminal_leaves_it(line: str, expected: str) -> None:
    """Bars of progress show their last state; nothing of colours and other commands is left."""
    assert shown_text(line) == expected
