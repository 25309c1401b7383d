"""Rows and columns as text, as HTML, and as the texts of their cells. Pure."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

__all__ = ["MAX_ROWS", "as_html", "as_text", "cell_text", "numeric_columns", "records"]

#: Rows of a table that are shown; a notebook with more than some hundreds opens slowly.
MAX_ROWS = 500
#: Columns above which a list of records is easier to read as Python writes it.
MAX_COLUMNS = 50
#: Characters of one cell that are shown.
MAX_CELL = 400

#: A table is as wide as its columns, and so would its caption be: a sentence above two columns.
_CAPTION = "text-align:left;white-space:nowrap"

_SCALARS = (str, int, float, Decimal, type(None))


def records(value: object) -> tuple[list[str], list[list[object]]] | None:
    """Headings and rows of a value that is a table; None for others.

    A table is a list of dicts with the same keys, a list of lists of one length (without headings), or a dict of lists
    of one length, which are its columns. Its cells are numbers, texts, truth values and None.
    """
    if isinstance(value, dict):
        return _columns(value)
    if not isinstance(value, list) or not value:
        return None
    first = value[0]
    if isinstance(first, dict):
        keys = list(first)
        if not all(isinstance(row, dict) and row.keys() == first.keys() for row in value):
            return None
        headings, rows = [str(key) for key in keys], [[row[key] for key in keys] for row in value]
    elif isinstance(first, list):
        if not all(isinstance(row, list) and len(row) == len(first) for row in value):
            return None
        headings, rows = [], [list(row) for row in value]
    else:
        return None
    if not 0 < len(rows[0]) <= MAX_COLUMNS or not all(isinstance(cell, _SCALARS) for row in rows for cell in row):
        return None
    return headings, rows


def _columns(value: dict[object, object]) -> tuple[list[str], list[list[object]]] | None:
    """The table whose columns a dict holds."""
    columns = list(value.values())
    if not 0 < len(columns) <= MAX_COLUMNS or not all(isinstance(column, list) for column in columns):
        return None
    lists = [column for column in columns if isinstance(column, list)]
    if len({len(column) for column in lists}) != 1 or not lists[0]:
        return None
    if not all(isinstance(cell, _SCALARS) for column in lists for cell in column):
        return None
    return [str(key) for key in value], [list(row) for row in zip(*lists, strict=True)]


def as_text(headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """Columns set one below the other, numbers to the right."""
    shown = [[cell_text(cell, one_line=True) for cell in row] for row in rows[:MAX_ROWS]]
    lines = [list(headings), *shown] if headings else shown
    widths = [max(map(_width, column)) for column in zip(*lines, strict=False)] if lines else []
    right = numeric_columns(rows[:MAX_ROWS])
    parts = [caption] if caption else []
    for number, line in enumerate(lines):
        parts.append("  ".join(_pad(text, width, column in right) for column, (text, width) in _numbered(line, widths)))
        if headings and number == 0:
            parts.append("  ".join("-" * width for width in widths))
    parts += [_left_out(len(rows))] if len(rows) > MAX_ROWS else []
    return "\n".join(line.rstrip() for line in parts)


def as_html(headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """A plain table, which every front end styles for its own theme."""
    right = numeric_columns(rows[:MAX_ROWS])

    def row_of(cells: Sequence[object], tag: str) -> str:
        parts = []
        for column, cell in enumerate(cells):
            side = "right" if column in right else "left"
            parts.append(f'<{tag} style="text-align:{side}">{html.escape(cell_text(cell))}</{tag}>')
        return f"<tr>{''.join(parts)}</tr>"

    parts = ["<table>"]
    if caption:
        parts.append(f'<caption style="{_CAPTION}">{html.escape(caption)}</caption>')
    if headings:
        parts.append(f"<thead>{row_of(headings, 'th')}</thead>")
    parts += ["<tbody>", *(row_of(row, "td") for row in rows[:MAX_ROWS]), "</tbody></table>"]
    if len(rows) > MAX_ROWS:
        parts.append(f"<p>{_left_out(len(rows))}</p>")
    return "".join(parts)


def _left_out(count: int) -> str:
    return f"… and {count - MAX_ROWS:,} more rows"


def cell_text(value: object, *, one_line: bool = False) -> str:
    """The text of a cell, cut where it is long."""
    if isinstance(value, list | tuple | set | frozenset):
        text = ", ".join(str(item) for item in value)
    else:
        text = "" if value is None else str(value)
    if one_line:
        text = text.replace("\n", "⏎").replace("\t", " ")
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}…"


def numeric_columns(rows: Sequence[Sequence[object]]) -> frozenset[int]:
    """Columns whose cells are all numbers or empty."""
    columns = zip(*rows, strict=False)
    return frozenset(number for number, cells in enumerate(columns) if all(map(_is_number, cells)))


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _numbered(line: Sequence[str], widths: Sequence[int]) -> enumerate[tuple[str, int]]:
    return enumerate(zip(line, widths, strict=False))


def _width(text: str) -> int:
    """Columns of a terminal that the text fills."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _pad(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks
