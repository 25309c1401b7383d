"""Numbers with their nouns and units as people read them."""

from __future__ import annotations

__all__ = ["counted", "size_text"]


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 task``, ``1,200 tasks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """A number of bytes: ``1 byte``, ``812 bytes``, ``6.2 KiB``, ``64 MiB``, ``1.5 GiB``.

    In powers of 1,024, as settings are read and written, so that a limit reads the same everywhere.
    """
    if size < 1024:
        return counted(round(size), "byte")
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        # What would be rounded to 1,024 is one of the next unit.
        if size < 1023.5 or unit == "TiB":
            break
    return f"{size:.1f}".removesuffix(".0") + f" {unit}" if size < 99.95 else f"{size:,.0f} {unit}"
