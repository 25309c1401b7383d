"""One square for each task, as an SVG for `<img>`: the form and the colour tell the status."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.display.tokens import SHAPES

__all__ = ["squares_svg", "squares_uri"]

#: Squares in a row, size and gap, by the number of tasks from which they apply.
_SIZES = ((0, 50, 12, 3), (400, 100, 6, 2))
_OUTLINED = frozenset({Mark.WAITING, Mark.SKIPPED, Mark.NOT_RUN, Mark.HELD, Mark.PAUSED})


def squares_uri(marks: Sequence[Mark]) -> tuple[str, int]:
    """The picture as a data URI, and its width in pixels."""
    svg, width = squares_svg(marks)
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode('ascii')).decode('ascii')}", width


def squares_svg(marks: Sequence[Mark]) -> tuple[str, int]:
    """The picture, and its width in pixels. One path for each status, so that 1,000 stay small."""
    _, per_row, size, gap = [row for row in _SIZES if len(marks) >= row[0]][-1]
    step = size + gap
    width, height = per_row * step - gap, -(-len(marks) // per_row) * step - gap
    places: dict[Mark, list[tuple[int, int]]] = {}
    for index, mark in enumerate(marks):
        places.setdefault(mark, []).append((index % per_row * step, index // per_row * step))
    body = "".join(_drawn(mark, found, size) for mark, found in places.items())
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{body}</svg>'
    )
    return svg, width


def _drawn(mark: Mark, places: Sequence[tuple[int, int]], size: int) -> str:
    colour = SHAPES[TONES[mark]]
    if mark in _OUTLINED:
        inner = size - 1
        path = _path(places, f"h{inner}v{inner}h-{inner}z", 0.5)
        return f'<path d="{path}" fill="none" stroke="{colour}" stroke-opacity=".6"/>'
    if mark is Mark.RUNNING:
        inner = size - 2
        path = _path(places, f"h{inner}v{inner}h-{inner}z", 1)
        return f'<path d="{path}" fill="{colour}" fill-opacity=".25" stroke="{colour}" stroke-width="2"/>'
    filled = f'<path d="{_path(places, f"h{size}v{size}h-{size}z", 0)}" fill="{colour}"/>'
    if mark is Mark.GOOD:
        return filled
    start, length = size * 0.28, round(size * 0.44, 1)
    cross = _path(places, f"l{length} {length}m0-{length}l-{length} {length}", start)
    return f'{filled}<path d="{cross}" stroke="#fff" stroke-width="{size / 8:g}" stroke-linecap="round"/>'


def _path(places: Sequence[tuple[int, int]], drawn: str, offset: float) -> str:
    """The same small path at each place, with moves relative to the one before: that is shorter."""
    return "".join(f"M{x + offset:g} {y + offset:g}{drawn}" for x, y in places)
