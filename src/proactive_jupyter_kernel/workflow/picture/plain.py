"""The picture drawn with characters, for terminals, diffs and front ends that show no images. Pure.

The layers are drawn from left to right, or from top to bottom if that is narrower. An edge that changes its row uses a
*track* between two layers; where it crosses another edge, the other one is interrupted.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from proactive_jupyter_kernel.workflow.picture.coordinates import Solver
from proactive_jupyter_kernel.workflow.picture.describe import counts_words, title
from proactive_jupyter_kernel.workflow.picture.layers import Layers, dummies, own, ranks, tidy
from proactive_jupyter_kernel.workflow.picture.measure import cells, cut_cells
from proactive_jupyter_kernel.workflow.picture.scene import Box, Cluster, Scene
from proactive_jupyter_kernel.workflow.picture.tokens import STATES

__all__ = ["text_of"]

#: The line length that most output cells and terminals show without wrapping.
PAGE = 110
#: From this number of boxes on, frames are omitted.
MANY = 40
#: Above this number of lines between layers, a list is shown instead of a drawing.
MOST_LINES = 5_000
#: Maximum number of characters of a name.
_LONGEST = 32

FORWARD, BACK, LEFT, RIGHT = 1, 2, 4, 8
#: By the directions that a cell is connected to: east 1, west 2, north 4, south 8.
_LINES = " ╶╴─╵└┘┴╷┌┐┬│├┤┼"


def text_of(scene: Scene) -> str:
    """The drawing, and below it what lines cannot show: back edges, and the states of families."""
    lines = [title(scene)]
    if scene.boxes:
        lines += ["", *_drawing(scene)]
    if notes := _notes(scene):
        lines += ["", *notes]
    return "\n".join(line.rstrip() for line in lines)


def _notes(scene: Scene) -> list[str]:
    found = []
    for box in scene.boxes.values():
        if box.summary is not None and box.summary.total > 1:
            found.append(f"{_label(box)}: {counts_words(box.summary.counts)}")
        elif box.summary is not None and box.summary.note:
            found.append(f"{_label(box)}: {box.summary.note}")
    return found + _ways_back(scene, scene.root)


def _ways_back(scene: Scene, block: Cluster) -> list[str]:
    found = []
    for back in block.backs:
        label = block.caption if back.label == "loop" and block.caption else back.label
        found.append(f"{scene.boxes[back.source].name} ┄▶ {scene.boxes[back.target].name}  ({label})")
    for inner in block.inner:
        found += _ways_back(scene, inner)
    return found


def _label(box: Box) -> str:
    glyph = f"{STATES[box.summary.status].glyph} " if box.summary else ""
    times = f" × {box.times}" if box.times else ""
    return f"{glyph}{cut_cells(box.name, _LONGEST)}{times}"


@dataclass(slots=True)
class _Canvas:
    """Characters by column and row; a wide character takes the next column as well."""

    cells: dict[tuple[int, int], str] = field(default_factory=dict)

    def write(self, column: int, row: int, text: str) -> None:
        for character in text:
            wide = cells(character)
            if not wide:
                before = (column - 1, row)
                self.cells[before] = self.cells.get(before, "") + character
                continue
            self.cells[column, row] = character
            if wide == 2:
                self.cells[column + 1, row] = ""
            column += wide

    @property
    def width(self) -> int:
        return max((column for column, _ in self.cells), default=-1) + 1

    def lines(self) -> list[str]:
        rows = max((row for _, row in self.cells), default=-1) + 1
        columns: list[int] = [0] * rows
        for column, row in self.cells:
            columns[row] = max(columns[row], column + 1)
        return ["".join(self.cells.get((x, row), " ") for x in range(columns[row])) for row in range(rows)]


def _drawing(scene: Scene) -> list[str]:
    linked = {key for edge in scene.edges for key in (edge.source, edge.target)}
    keys = [key for key in scene.boxes if key in linked]
    lines: list[str] = []
    if keys and _is_dense(scene, keys):
        lines = _listing(scene, keys)
    elif keys:
        wide = _Plan(scene, keys, vertical=False).canvas()
        if wide.width > PAGE and len(keys) < MANY:
            tall = _Plan(scene, keys, vertical=True).canvas()
            wide = tall if tall.width < wide.width else wide
        lines = wide.lines()
    single = [_label(scene.boxes[key]) for key in scene.boxes if key not in linked]
    return lines + ([""] if lines and single else []) + _row(single)


def _is_dense(scene: Scene, keys: Sequence[str]) -> bool:
    """Whether there are too many edges to be readable as lines."""
    number = {key: index for index, key in enumerate(keys)}
    edges = list({(number[edge.source], number[edge.target]) for edge in scene.edges})
    return len(edges) + dummies(edges, ranks(len(keys), edges)) > MOST_LINES


def _listing(scene: Scene, keys: Sequence[str]) -> list[str]:
    """Each box with what it follows."""
    sources: dict[str, list[str]] = {key: [] for key in keys}
    for edge in scene.edges:
        name = cut_cells(scene.boxes[edge.source].name, _LONGEST)
        label = f"{name} ({edge.label})" if edge.label else name
        if label not in sources[edge.target]:
            sources[edge.target].append(label)
    return [
        "Too many dependencies to draw with characters. Each task, and what it follows:",
        "",
        *(
            f"{_label(scene.boxes[key])} ◀ {', '.join(found)}" if found else _label(scene.boxes[key])
            for key, found in sources.items()
        ),
    ]


def _row(labels: Sequence[str]) -> list[str]:
    """Isolated boxes, side by side."""
    lines: list[str] = []
    row: list[str] = []
    for label in [*labels, ""]:
        if row and (not label or sum(cells(one) + 6 for one in row) + cells(label) > PAGE):
            frames = [_frame(one, cells(one) + 4) for one in row]
            lines += ["  ".join(parts) for parts in zip(*frames, strict=True)]
            row = []
        row.append(label)
    return lines


def _frame(label: str, size: int) -> tuple[str, str, str]:
    inner = label + " " * (size - 4 - cells(label))
    return f"┌{'─' * (size - 2)}┐", f"│ {inner} │", f"└{'─' * (size - 2)}┘"


@dataclass(slots=True, kw_only=True)
class _Net:
    """All edges from one vertex to the next layer."""

    source: int
    #: The positions across of its targets.
    targets: list[int]
    start: int
    track: int = -1

    @property
    def low(self) -> int:
        return min(self.start, *self.targets)

    @property
    def high(self) -> int:
        return max(self.start, *self.targets)

    @property
    def straight(self) -> bool:
        return self.low == self.high

    @property
    def rows(self) -> int:
        """The rows from `low` to `high` as the bits of a number."""
        return (1 << self.high + 1) - (1 << self.low)


class _Plan:
    """One drawing in one direction: first positions, then characters."""

    def __init__(self, scene: Scene, keys: Sequence[str], *, vertical: bool) -> None:
        self.vertical = vertical
        self.boxes = [scene.boxes[key] for key in keys]
        self.framed = len(keys) < MANY
        number = {key: index for index, key in enumerate(keys)}
        edges = {(number[edge.source], number[edge.target]): edge.label for edge in scene.edges}
        self.layers: Layers = tidy(len(keys), own(len(keys), list(edges)))
        self.labels = [_label(box) for box in self.boxes]
        self.sizes = [cells(label) + (4 if self.framed else 0) for label in self.labels]
        total = sum(map(len, self.layers.layers))
        self.real = len(keys)
        self.at = self._places(edges, total)
        #: Vertex -> what follows it, with the label of the edge where its last piece begins.
        self.following: list[list[tuple[int, str]]] = [[] for _ in range(total)]
        for edge, label in edges.items():
            way = (edge[0], *self.layers.chains[edge], edge[1])
            for one, other in itertools.pairwise(way):
                piece = (other, label if other == edge[1] else "")
                if piece not in self.following[one]:
                    self.following[one].append(piece)
        self.drawn = _Canvas()
        self.bits: dict[tuple[int, int], int] = {}

    def _places(self, edges: dict[tuple[int, int], str], total: int) -> list[int]:
        """The middle of each vertex across, in characters or lines."""
        sizes = [float(size) for size in self.sizes] if self.vertical else [3.0 if self.framed else 1.0] * self.real
        sizes += [1.0] * (total - self.real)
        solver = Solver(self.layers, sizes, self.real, 2.0 if self.vertical else 1.0 if self.framed else 0.0)
        for source, target in edges:
            solver.connect(source, target, 0, 0)
        return [int(place + 0.5) if self.vertical else int(place) for place in solver.solve()]

    def canvas(self) -> _Canvas:
        """Draw layer after layer."""
        along = 0
        for index, layer in enumerate(self.layers.layers):
            length = self._length(layer)
            for vertex in layer:
                self._vertex(vertex, along, length)
            along += length
            if index + 1 < len(self.layers.layers):
                along += self._gap(layer, along)
        for (column, row), bits in self.bits.items():
            if (column, row) not in self.drawn.cells:
                self.drawn.write(column, row, _LINES[bits])
        return self.drawn

    def _length(self, layer: Sequence[int]) -> int:
        if self.vertical:
            return 3
        return max((self.sizes[vertex] for vertex in layer if vertex < self.real), default=1)

    def _vertex(self, vertex: int, along: int, length: int) -> None:
        if vertex >= self.real:
            self._run(along, along + length, self.at[vertex])
            return
        label, size, middle = self.labels[vertex], self.sizes[vertex], self.at[vertex]
        column, row = (middle - size // 2, along) if self.vertical else (along, middle - (1 if self.framed else 0))
        for shift, line in enumerate(_frame(label, size) if self.framed else (label,)):
            self.drawn.write(column, row + shift, line)
        if not self.vertical and self.following[vertex]:
            self._run(along + size, along + length, middle)

    # -- between two layers

    def _gap(self, layer: Sequence[int], along: int) -> int:
        """Draw the edges from a layer to the next; returns the space that they need."""
        nets = [
            _Net(source=vertex, start=self.at[vertex], targets=[self.at[other] for other, _ in self.following[vertex]])
            for vertex in layer
            if self.following[vertex]
        ]
        tracks = _tracks([net for net in nets if not net.straight])
        pieces = [piece for net in nets for piece in self.following[net.source]]
        label = max((len(text) for _, text in pieces), default=0)
        step = 1 if self.vertical else 2
        lead = 1
        room = lead + max(tracks * step, 1) + (1 + (1 if label else 0) if self.vertical else label + 2)
        ends = along + room
        joined = {(net.track, place) for net in nets if not net.straight for place in (net.start, *net.targets)}
        crossed = {
            (net.track, place): net for net in nets if not net.straight for place in range(net.low, net.high + 1)
        }
        for net in nets:
            if net.straight:
                self._passing(along, ends, net.start, crossed, joined, along + lead, step)
                continue
            spot = along + lead + net.track * step
            self._passing(along, spot, net.start, crossed, joined, along + lead, step)
            self._bit(spot, net.start, BACK)
            for place in net.targets:
                self._bit(spot, place, FORWARD)
                self._passing(spot + 1, ends, place, crossed, joined, along + lead, step)
            for place in range(net.low, net.high + 1):
                self._bit(spot, place, (LEFT if place > net.low else 0) | (RIGHT if place < net.high else 0))
        for vertex, text in pieces:
            if vertex < self.real:
                self._put(ends - 1, self.at[vertex], "▼" if self.vertical else "▶")
            if text and self.vertical:
                self.drawn.write(self.at[vertex] - len(text) // 2, ends - 2, text)
            elif text:
                self._put(ends - 1 - len(text), self.at[vertex], text)
        return room

    def _passing(
        self,
        first: int,
        end: int,
        place: int,
        crossed: dict[tuple[int, int], _Net],
        joined: set[tuple[int, int]],
        origin: int,
        step: int,
    ) -> None:
        """A line forward, interrupted where it crosses an unrelated track."""
        for spot in range(first, end):
            track, rest = divmod(spot - origin, step)
            if not rest and spot >= origin and (track, place) in crossed and (track, place) not in joined:
                continue
            self._bit(spot, place, FORWARD | BACK)

    def _run(self, first: int, end: int, place: int) -> None:
        for spot in range(first, end):
            self._bit(spot, place, FORWARD | BACK)

    # -- turning

    def _bit(self, along: int, across: int, bits: int) -> None:
        turned = bits
        if self.vertical:
            turned = sum(bit for given, bit in ((FORWARD, 8), (BACK, 4), (LEFT, 2), (RIGHT, 1)) if bits & given)
        spot = self._spot(along, across)
        self.bits[spot] = self.bits.get(spot, 0) | turned

    def _put(self, along: int, across: int, text: str) -> None:
        self.drawn.write(*self._spot(along, across), text)

    def _spot(self, along: int, across: int) -> tuple[int, int]:
        return (across, along) if self.vertical else (along, across)


def _tracks(nets: list[_Net]) -> int:
    """Assign each net a track without overlaps; a net that starts in the line where another one ends comes first."""
    order = sorted(nets, key=lambda net: (net.high - net.low, net.start))
    #: Row -> the nets that end there, by their place in the order.
    ending: dict[int, list[int]] = {}
    for index, net in enumerate(order):
        for row in set(net.targets):
            ending.setdefault(row, []).append(index)
    #: Net -> how many others that wait must come first.
    before = [0] * len(order)
    for index, net in enumerate(order):
        for later in ending.get(net.start, ()):
            before[later] += later != index
    ready = [index for index, others in enumerate(before) if not others]
    waiting = [True] * len(order)
    oldest = 0
    #: Row -> the first track after all nets that start there.
    after: dict[int, int] = {}
    used: list[_Track] = []
    for _ in order:
        if ready:
            index = heappop(ready)
        else:
            while not waiting[oldest]:
                oldest += 1
            index = oldest
        net, waiting[index] = order[index], False
        for later in ending.get(net.start, ()):
            before[later] -= later != index
            if later != index and waiting[later] and not before[later]:
                heappush(ready, later)
        number = max((after.get(row, 0) for row in net.targets), default=0)
        while number < len(used) and used[number].clashes(net):
            number += 1
        while number >= len(used):
            used.append(_Track())
        net.track = number
        used[number].add(net)
        after[net.start] = max(after.get(net.start, 0), number + 1)
    return len(used)


@dataclass(slots=True)
class _Track:
    """The nets of a track, and the rows that they take as the bits of a number."""

    nets: list[_Net] = field(default_factory=list)
    rows: int = 0

    def clashes(self, net: _Net) -> bool:
        """Whether the net cannot share this track."""
        return bool(self.rows & net.rows) and any(_clash(net, other) for other in self.nets)

    def add(self, net: _Net) -> None:
        self.nets.append(net)
        self.rows |= net.rows


def _clash(one: _Net, other: _Net) -> bool:
    """Whether two nets cannot share a track; those with the same target can."""
    together = one.targets == other.targets and len(one.targets) == 1
    return one.low <= other.high and other.low <= one.high and not together
