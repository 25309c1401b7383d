"""Numbers with nouns and units."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.display.lines import shortened
from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text


def test_one_has_no_plural() -> None:
    """All other numbers do, and large ones have commas."""
    assert [counted(number, "task") for number in (0, 1, 2, 1200)] == ["0 tasks", "1 task", "2 tasks", "1,200 tasks"]


def test_sizes_have_the_unit_that_fits() -> None:
    """In powers of 1,024, as settings have them; no digit is noise."""
    sizes = (0, 1, 1_023, 6_350, 102_390, 64 << 20, (64 << 20) + 1, 2**30 - 1, 3 << 29, 120 << 30, 1_200 << 40)
    assert [size_text(size) for size in sizes] == [
        "0 bytes",
        "1 byte",
        "1,023 bytes",
        "6.2 KiB",
        "100 KiB",
        "64 MiB",
        "64 MiB",
        "1 GiB",
        "1.5 GiB",
        "120 GiB",
        "1,200 TiB",
    ]


def test_a_long_text_says_what_is_left_out() -> None:
    """A text that fits stays as it is."""
    assert [shortened("abcdef", most) for most in (6, 2)] == ["abcdef", "ab… (4 more characters)"]
