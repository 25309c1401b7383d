"""The picture as SVG: opaque and rounded, so that it is readable on any page; accessible; one drawing per theme. Pure.

Similar shapes share one element if possible: a picture of 1,000 tasks should be smaller than a megabyte.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from proactive_jupyter_kernel.workflow.picture.describe import box_title, description, title
from proactive_jupyter_kernel.workflow.picture.layout import (
    BIG,
    BackEdgeRoute,
    ClusterBackground,
    EdgeRoute,
    Layout,
    Point,
    Rect,
    second_lines,
)
from proactive_jupyter_kernel.workflow.picture.measure import clean, cut, width
from proactive_jupyter_kernel.workflow.picture.scene import Box, Edge, EdgeKind, Scene
from proactive_jupyter_kernel.workflow.picture.tokens import MARKS, STATES, State, Theme
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["FONT", "svg_of"]

#: Names only, no quotes: it is part of an attribute. Readers have one of these; a PNG uses the last but one.
FONT = "system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif"
MONOSPACE = "ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace"

#: Pixels on each side that a drawing without frame lacks, fewer above where a badge stands there; the rest keeps thick
#: borders whole.
TRIMMED = 14.0

_UNTAKEN = frozenset({TaskStatus.SKIPPED, TaskStatus.NOT_STARTED})


def svg_of(scene: Scene, layout: Layout, theme: Theme, *, framed: bool = True) -> str:
    """The whole document. Without a frame it is cut close to the drawing, to stand on a ground of the same colour."""
    return _Drawing(scene, layout, theme).document(framed=framed)


class _Drawing:
    def __init__(self, scene: Scene, layout: Layout, theme: Theme) -> None:
        self.scene = scene
        self.layout = layout
        self.theme = theme
        self.metrics = layout.metrics
        self.marks: set[str] = set()
        #: Where the highest badge begins.
        self.highest_badge = TRIMMED + 1

    def document(self, *, framed: bool) -> str:
        layout, theme = self.layout, self.theme
        grounds = "".join(map(self._ground, layout.backgrounds))
        captions = "".join(map(self._caption, layout.backgrounds))
        edges = self._edges(layout.routes)
        returns = "".join(map(self._return, layout.back_routes))
        boxes = "".join(self._box(box, layout.boxes[key]) for key, box in self.scene.boxes.items())
        diamonds = "".join(self._diamond(layout.boxes[key]) for key, box in self.scene.boxes.items() if box.decides)
        labels = "".join(self._label(route) for route in layout.routes if route.edge.label)
        labels += "".join(self._return_label(one) for one in layout.back_routes)
        side = 0 if framed else TRIMMED
        above = 0 if framed else min(TRIMMED, max(self.highest_badge - 1, 0))
        width, height = layout.width - 2 * side, layout.height - side - above
        ground = (
            f'<rect x=".5" y=".5" width="{number(width - 1)}" height="{number(height - 1)}" rx="8" '
            f'fill="{theme.ground}" stroke="{theme.line}"/>'
            if framed
            else f'<rect x="{number(side)}" y="{number(above)}" width="{number(width)}" '
            f'height="{number(height)}" fill="{theme.ground}"/>'
        )
        defined = "".join(
            f'<path id="pak-{mark}" fill-rule="evenodd" d="{MARKS[mark]}"/>' for mark in sorted(self.marks)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(width)}" height="{number(height)}" '
            f'viewBox="{number(side)} {number(above)} {number(width)} {number(height)}" role="img" '
            f'font-family="{FONT}" '
            f'font-size="{number(self.metrics.font)}" fill="{theme.ink}">'
            f"<title>{_escaped(title(self.scene))}</title><desc>{_escaped(description(self.scene))}</desc>"
            + (f"<defs>{defined}</defs>" if defined else "")
            + f"{ground}{grounds}{edges}{returns}{captions}{boxes}{diamonds}{labels}</svg>"
        )

    # -- blocks and edges

    def _ground(self, ground: ClusterBackground) -> str:
        return f'<rect {_rect(ground.rect, 12)} fill="{self.theme.raised}" stroke="{self.theme.line}"/>'

    def _caption(self, ground: ClusterBackground) -> str:
        """With an outline in the background colour, since an edge may pass below it."""
        x, y = number(ground.rect.x + 12), number(ground.rect.y + 17)
        caption = _escaped(cut(ground.caption, ground.rect.width - 20, 11 * 1.1))
        return (
            f'<text x="{x}" y="{y}" font-size="11" font-weight="600" fill="{self.theme.soft}" '
            f'stroke="{self.theme.raised}" stroke-width="4" stroke-linejoin="round" paint-order="stroke">'
            f"{caption}</text>"
        )

    def _edges(self, routes: Iterable[EdgeRoute]) -> str:
        """All edges of the same style in one path, all their arrows in another."""
        styles: dict[tuple[str, bool], list[EdgeRoute]] = {}
        for route in routes:
            styles.setdefault(self._edge_style(route.edge), []).append(route)
        thick = "1.5" if self.metrics is BIG else "1.1"
        found = []
        for (colour, dashed), members in sorted(styles.items()):
            dash = ' stroke-dasharray="4 4"' if dashed else ""
            lines = "".join(self._path(route.points) for route in members)
            arrows = "".join(_arrow(route.points[-1], "down" if self.layout.vertical else "right") for route in members)
            found.append(
                f'<path d="{lines}" fill="none" stroke="{colour}" stroke-width="{thick}"{dash}/>'
                f'<path d="{arrows}" fill="{colour}"/>'
            )
        return "".join(found)

    def _edge_style(self, edge: Edge) -> tuple[str, bool]:
        """The colour, and whether it is dashed, for edges that a job did not take."""
        statuses = [summary.status for key in (edge.source, edge.target) if (summary := self.scene.boxes[key].summary)]
        if any(status in _UNTAKEN for status in statuses):
            return self.theme.edge, True
        return self.theme.edge, False

    def _path(self, points: list[Point]) -> str:
        """Alternately straight and curved; the last piece ends where the arrow starts."""
        parts = [f"M{_at(points[0])}"]
        last = points[-1]
        short = Point(last.x, last.y - 6) if self.layout.vertical else Point(last.x - 6, last.y)
        ends = [*points[:-1], last]
        for index in range(1, len(ends)):
            before, here = ends[index - 1], ends[index]
            final = index == len(ends) - 1
            if index % 2:
                target = short if final else here
                if target != before and not (final and ends[index - 1] == here):
                    parts.append(f"L{_at(target)}")
            else:
                target = short if index == len(ends) - 2 and ends[-1] == here else here
                parts.append(self._curve(before, target))
        return "".join(parts)

    def _curve(self, start: Point, end: Point) -> str:
        if (start.x == end.x) if self.layout.vertical else (start.y == end.y):
            return f"L{_at(end)}"
        one, other = self._handles(start, end)
        return f"C{_at(one)} {_at(other)} {_at(end)}"

    def _handles(self, start: Point, end: Point) -> tuple[Point, Point]:
        if self.layout.vertical:
            reach = max(14.0, (end.y - start.y) / 2)
            return Point(start.x, start.y + reach), Point(end.x, end.y - reach)
        reach = max(14.0, (end.x - start.x) / 2)
        return Point(start.x + reach, start.y), Point(end.x - reach, end.y)

    def _return(self, one: BackEdgeRoute) -> str:
        """Dotted, with rounded corners, and an arrow into the box from the side."""
        first, corner, other, last = one.points
        colour = self.theme.soft
        span = other.y - corner.y if self.layout.vertical else other.x - corner.x
        turn = min(12.0, abs(span) / 2) * (1 if span > 0 else -1)
        if self.layout.vertical:
            line = (
                f"M{_at(Point(first.x + 1, first.y))}L{_at(Point(corner.x - 12, corner.y))}"
                f"Q{_at(corner)} {_at(Point(corner.x, corner.y + turn))}"
                f"L{_at(Point(other.x, other.y - turn))}Q{_at(other)} {_at(Point(other.x - 12, other.y))}"
                f"L{_at(Point(last.x + 7, last.y))}"
            )
        else:
            line = (
                f"M{_at(Point(first.x, first.y + 1))}L{_at(Point(corner.x, corner.y - 12))}"
                f"Q{_at(corner)} {_at(Point(corner.x + turn, corner.y))}"
                f"L{_at(Point(other.x - turn, other.y))}Q{_at(other)} {_at(Point(other.x, other.y - 12))}"
                f"L{_at(Point(last.x, last.y + 7))}"
            )
        arrow = _arrow(last, "left" if self.layout.vertical else "up")
        return (
            f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray=".1 4.5" '
            f'stroke-linecap="round"/><path d="{arrow}" fill="{colour}"/>'
        )

    # -- labels

    def _label(self, route: EdgeRoute) -> str:
        """In the middle of the first curve, or of the last one for edges out of a branch."""
        points = route.points
        last = route.edge.kind is EdgeKind.CONTINUATION
        start, end = (points[-3], points[-2]) if last else (points[1], points[2])
        one, other = self._handles(start, end)
        middle = Point((start.x + 3 * one.x + 3 * other.x + end.x) / 8, (start.y + 3 * one.y + 3 * other.y + end.y) / 8)
        untaken = self._edge_style(route.edge)[1]
        return self._pill(middle, route.edge.label, self.theme.line if untaken else self.theme.edge)

    def _return_label(self, one: BackEdgeRoute) -> str:
        _, corner, other, _ = one.points
        return self._pill(Point((corner.x + other.x) / 2, (corner.y + other.y) / 2), one.back.label, self.theme.edge)

    def _pill(self, middle: Point, label: str, border: str) -> str:
        long = width(label, 11) + 14
        rect = _rect(Rect(middle.x - long / 2, middle.y - 9, long, 18), 9)
        return (
            f'<rect {rect} fill="{self.theme.ground}" stroke="{border}"/>'
            f'<text x="{number(middle.x)}" y="{number(middle.y + 4)}" font-size="11" text-anchor="middle" '
            f'fill="{self.theme.soft}">{_escaped(label)}</text>'
        )

    def _diamond(self, rect: Rect) -> str:
        if self.layout.vertical:
            middle, line = Point(rect.middle.x, rect.y + rect.height + 13), "v6"
            start = Point(rect.middle.x, rect.y + rect.height)
        else:
            middle, line = Point(rect.x + rect.width + 13, rect.middle.y), "h6"
            start = Point(rect.x + rect.width, rect.middle.y)
        soft = self.theme.soft
        return (
            f'<path d="M{_at(start)}{line}" stroke="{soft}" stroke-width="1.5"/>'
            f'<path d="M{_at(Point(middle.x - 9, middle.y))}l9-9 9 9-9 9z" fill="{self.theme.ground}" stroke="{soft}" '
            f'stroke-width="1.5"/><text x="{number(middle.x)}" y="{number(middle.y + 4)}" font-size="11" '
            f'font-weight="700" text-anchor="middle" fill="{soft}">?</text>'
        )

    # -- boxes

    def _box(self, box: Box, rect: Rect) -> str:
        theme, metrics = self.theme, self.metrics
        state = STATES[box.summary.status] if box.summary else None
        fill, border, thick = theme.ground, theme.edge, 1.0
        if state is not None and state.tone != "off":
            fill, border = theme.tones[state.tone].ground, theme.tones[state.tone].mark
        if state is not None:
            thick = state.border
        dash = ' stroke-dasharray="4 3"' if state is not None and state.dashed else ""
        style = f'fill="{fill}" stroke="{border}"' + (f' stroke-width="{number(thick)}"' if thick != 1 else "") + dash
        parts = [f"<g><title>{_escaped(box_title(box))}</title>"]
        if box.times:
            parts += [
                f"<rect {_rect(Rect(rect.x + shift, rect.y - shift, rect.width, rect.height), metrics.corner)} "
                f'fill="{fill}" stroke="{border}"/>'
                for shift in (6, 3)
            ]
        parts.append(f"<rect {_rect(rect, metrics.corner)} {style}/>")
        if metrics is BIG:
            parts.append(self._language(box, rect, theme.ground if fill != theme.ground else theme.tones["off"].ground))
        parts.append(self._texts(box, rect, state))
        if state is not None:
            parts.append(self._state(state, rect))
        if box.times:
            parts.append(self._badge(box.times, rect))
        parts.append("</g>")
        return "".join(parts)

    def _language(self, box: Box, rect: Rect, ground: str) -> str:
        place = _rect(Rect(rect.x + 8, rect.y + 9, 24, 22), 5)
        return (
            f'<rect {place} fill="{ground}"/><text x="{number(rect.x + 20)}" y="{number(rect.y + 24)}" '
            f'font-family="{MONOSPACE}" font-size="11" font-weight="600" text-anchor="middle" '
            f'fill="{self.theme.soft}">{_escaped(box.mark)}</text>'
        )

    def _texts(self, box: Box, rect: Rect, state: State | None) -> str:
        metrics, theme = self.metrics, self.theme
        left = rect.x + metrics.text
        room = rect.width - metrics.text - 8 - (metrics.state if state else 0)
        middle = rect.middle.y
        ink = f' fill="{theme.soft}"' if state is not None and state.dashed else ""
        name = _escaped(cut(box.name, room, metrics.font))
        bar = self._bar(box, left, room, middle)
        lines = second_lines(box, live=self.scene.live) if metrics is BIG and not bar else []
        two = bool(lines) or bool(bar and metrics is BIG)
        base = middle - 2.5 if two else middle + metrics.font * 0.36
        if bar and metrics is not BIG:
            base = middle + 1.5
        found = f'<text x="{number(left)}" y="{number(base)}"{_medium(metrics is BIG)}{ink}>{name}</text>'
        if lines:
            second = _escaped(cut(lines[0], room, metrics.second_font))
            found += (
                f'<text x="{number(left)}" y="{number(middle + 11.5)}" font-size="{number(metrics.second_font)}" '
                f'fill="{theme.soft}">{second}</text>'
            )
        return found + bar

    def _bar(self, box: Box, left: float, room: float, middle: float) -> str:
        """The states of several tasks as one bar, or the progress of one task; empty if there is nothing to show."""
        summary = box.summary
        if summary is None:
            return ""
        parts: dict[str, float] = {}
        if summary.total > 1:
            for status in _BAR_ORDER:
                share = summary.counts.get(status, 0) / summary.total
                if share and STATES[status].tone != "off":
                    tone = STATES[status].tone
                    parts[tone] = parts.get(tone, 0) + share
        elif summary.progress is not None and summary.status is TaskStatus.RUNNING:
            parts["run"] = min(100, max(0, summary.progress)) / 100
        else:
            return ""
        high = 5.0 if self.metrics is BIG else 3.0
        top = middle + (6 if self.metrics is BIG else 6.5)
        track = self.theme.line
        found = [f'<rect {_rect(Rect(left, top, room, high), high / 2)} fill="{track}"/>']
        at = left
        for index, (tone, share) in enumerate(parts.items()):
            long = room * share
            colour = self.theme.tones[tone].mark
            first, last = index == 0, at + long >= left + room - 0.1
            found.append(f'<path d="{_piece(at, top, long, high, first=first, last=last)}" fill="{colour}"/>')
            at += long
        return "".join(found)

    def _state(self, state: State, rect: Rect) -> str:
        self.marks.add(state.mark)
        scale = 1.0 if self.metrics is BIG else 0.75
        size = 16 * scale
        x, y = number(rect.x + rect.width - size - (8 if scale == 1 else 6)), number(rect.middle.y - size / 2)
        colour = self.theme.tones[state.tone].text
        turn = f"translate({x} {y})" + ("" if scale == 1 else f" scale({number(scale)})")
        return f'<use href="#pak-{state.mark}" transform="{turn}" fill="{colour}"/>'

    def _badge(self, times: str, rect: Rect) -> str:
        label = f"× {times}"
        long = width(label, 11) * 1.1 + 12
        right, top = rect.x + rect.width + 10, rect.y - 17
        self.highest_badge = min(self.highest_badge, top)
        place = _rect(Rect(right - long, top, long, 18), 9)
        return (
            f'<rect {place} fill="{self.theme.ink}"/><text x="{number(right - long / 2)}" y="{number(top + 13)}" '
            f'font-size="11" font-weight="600" text-anchor="middle" fill="{self.theme.ground}">{_escaped(label)}</text>'
        )


#: The order of the bar: finished states first.
_BAR_ORDER = (
    TaskStatus.FINISHED,
    TaskStatus.FAULTY,
    TaskStatus.FAILED,
    TaskStatus.NOT_RESTARTED,
    TaskStatus.IN_ERROR,
    TaskStatus.RUNNING,
    TaskStatus.WAITING_ON_ERROR,
    TaskStatus.WAITING_ON_FAILURE,
    TaskStatus.PAUSED,
    TaskStatus.PENDING,
)


def _escaped(text: str) -> str:
    """A text escaped for XML."""
    return html.escape(clean(text))


def _medium(big: bool) -> str:
    return ' font-weight="500"' if big else ""


def _piece(x: float, y: float, long: float, high: float, *, first: bool, last: bool) -> str:
    """A piece of a bar, rounded at the ends of the bar."""
    radius = min(high / 2, long / 2)
    left, right = radius if first else 0, radius if last else 0
    path = f"M{_at(Point(x + left, y))}h{number(long - left - right)}"
    path += f"a{number(radius)} {number(radius)} 0 0 1 0 {number(high)}" if right else f"v{number(high)}"
    path += f"h{number(left + right - long)}"
    return path + (f"a{number(radius)} {number(radius)} 0 0 1 0 {number(-high)}" if left else "") + "z"


_ARROWS = {"right": "l-7-3.6v7.2z", "left": "l7-3.6v7.2z", "down": "l-3.6-7h7.2z", "up": "l-3.6 7h7.2z"}


def _arrow(tip: Point, direction: str) -> str:
    back = {"right": Point(tip.x - 1, tip.y), "down": Point(tip.x, tip.y - 1)}.get(direction)
    back = back or (Point(tip.x + 1, tip.y) if direction == "left" else Point(tip.x, tip.y + 1))
    return f"M{_at(back)}{_ARROWS[direction]}"


def _rect(rect: Rect, corner: float) -> str:
    return (
        f'x="{number(rect.x)}" y="{number(rect.y)}" width="{number(rect.width)}" height="{number(rect.height)}" '
        f'rx="{number(corner)}"'
    )


def _at(point: Point) -> str:
    return f"{number(point.x)} {number(point.y)}"


def number(value: float) -> str:
    """A length with at most one decimal."""
    text = f"{value:.2f}" if value < 1 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
