"""Numbers with their nouns and units as people read them."""

from __future__ import annotations

__all__ = ["counted", "size_text"]


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 task``, ``1,200 tasks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """A number of bytes: ``1 byte``, ``812 bytes``, ``6.2 KB``, ``120 MB``, ``3.0 GB``."""
    if size < 1000:
        return counted(round(size), "byte")
    for unit in ("KB", "MB", "GB"):
        size /= 1000
        if size < 1000 or unit == "GB":
            break
    return f"{size:.1f} {unit}" if size < 100 else f"{size:,.0f} {unit}"
