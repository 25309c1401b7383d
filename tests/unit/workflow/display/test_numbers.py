"""Numbers with nouns and units."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.display.lines import shortened
from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text


def test_one_has_no_plural() -> None:
    """All other numbers do, and large ones have commas."""
    assert [counted(number, "task") for number in (0, 1, 2, 1200)] == ["0 tasks", "1 task", "2 tasks", "1,200 tasks"]


def test_sizes_have_the_unit_that_fits() -> None:
    """Two digits or more, none of them noise."""
    sizes = (0, 1, 999, 6_200, 99_900, 120_000_000, 3_000_000_000, 1_200_000_000_000)
    assert [size_text(size) for size in sizes] == [
        "0 bytes",
        "1 byte",
        "999 bytes",
        "6.2 KB",
        "99.9 KB",
        "120 MB",
        "3.0 GB",
        "1,200 GB",
    ]


def test_a_long_text_says_what_is_left_out() -> None:
    """A text that fits stays as it is."""
    assert [shortened("abcdef", most) for most in (6, 2)] == ["abcdef", "ab… (4 more characters)"]
