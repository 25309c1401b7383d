"""Assigns coordinates to layers: every vertex is as near to its neighbours as the order and the sizes allow. Pure.

*Along* is the direction in which the layers follow each other, *across* the other one: for a picture from left to right
they are x and y. The position of a vertex across is that of its centre.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from proactive_jupyter_kernel.workflow.picture.layers import Engine, Layers, tidy

__all__ = ["Item", "Link", "Positions", "Solver", "arrange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item to place: a box, or a block with its content."""

    along: float
    across: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge between two items."""

    source: int
    target: int
    #: Where it leaves and enters, across, from the centres of the items.
    leaves: float = 0
    enters: float = 0
    #: The space that it needs between the layers.
    room: float = 0


@dataclass(slots=True)
class Positions:
    """The positions of items, starting at 0."""

    along: list[float]
    #: Of the centres.
    across: list[float]
    #: Link by number -> where it passes the layers between its ends: start, end, across.
    routes: dict[int, list[tuple[float, float, float]]] = field(default_factory=dict)
    #: Item -> where its layer ends.
    ends: list[float] = field(default_factory=list)
    length: float = 0
    breadth: float = 0


#: Space between an edge that passes a layer and its neighbours there.
_DUMMY = 10.0
#: How far a dummy may be moved to straighten an edge, as a fraction of that space.
_NEARLY = 0.4
#: Weights of an edge by the number of its ends that are dummies: long edges should be straight.
_WEIGHTS = (1.0, 2.0, 6.0)


def arrange(
    items: Sequence[Item], links: Sequence[Link], *, engine: Engine, gap_along: float, gap_across: float
) -> Positions:
    """Place the items. The links form no cycle; several between the same items have the same direction."""
    result = Positions(along=[0.0] * len(items), across=[0.0] * len(items), ends=[0.0] * len(items))
    connected, single = _components(len(items), links)
    offset = 0.0
    for component in connected:
        part = _component(items, links, component, engine, gap_along, gap_across)
        for index, vertex in enumerate(component):
            result.along[vertex] = part.along[index]
            result.across[vertex] = part.across[index] + offset
            result.ends[vertex] = part.ends[index]
        for number, route in part.routes.items():
            result.routes[number] = [(start, end, across + offset) for start, end, across in route]
        result.length = max(result.length, part.length)
        offset += part.breadth + gap_across
    offset += _grid(items, single, result, offset, gap_along, gap_across)
    result.breadth = max(0.0, offset - gap_across)
    return result


def _components(count: int, links: Sequence[Link]) -> tuple[list[list[int]], list[int]]:
    """The connected components, in the order of their first items, and the isolated items."""
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        neighbours[link.source].append(link.target)
        neighbours[link.target].append(link.source)
    seen = [False] * count
    connected, single = [], []
    for start in range(count):
        if seen[start]:
            continue
        seen[start] = True
        if not neighbours[start]:
            single.append(start)
            continue
        part = [start]
        for vertex in part:
            for other in neighbours[vertex]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
        connected.append(sorted(part))
    return connected, single


def _grid(
    items: Sequence[Item], single: list[int], result: Positions, offset: float, gap_along: float, gap_across: float
) -> float:
    """Isolated items are placed in rows, as long as the rest or as a square; returns their total breadth."""
    if not single:
        return 0.0
    cell = max(items[vertex].along for vertex in single) + gap_along / 2
    row = max(items[vertex].across for vertex in single) + gap_across
    square = int((len(single) * row / cell) ** 0.5 + 0.999)
    columns = max(1, min(len(single), max(square, int((result.length + gap_along / 2) / cell), min(len(single), 4))))
    for index, vertex in enumerate(single):
        result.along[vertex] = (index % columns) * cell
        result.ends[vertex] = result.along[vertex] + items[vertex].along
        result.across[vertex] = offset + (index // columns) * row + (row - gap_across) / 2
    result.length = max(result.length, min(columns, len(single)) * cell - gap_along / 2)
    return -(-len(single) // columns) * row


def _component(
    items: Sequence[Item],
    links: Sequence[Link],
    component: list[int],
    engine: Engine,
    gap_along: float,
    gap_across: float,
) -> Positions:
    local = {vertex: index for index, vertex in enumerate(component)}
    members = [(number, link) for number, link in enumerate(links) if link.source in local]
    edges = list(dict.fromkeys((local[link.source], local[link.target]) for _, link in members))
    layers = tidy(len(component), engine(len(component), edges))
    total = sum(map(len, layers.layers))
    sizes = [items[vertex].across for vertex in component] + [_DUMMY] * (total - len(component))
    solver = Solver(layers, sizes, len(component), gap_across)
    for _, link in members:
        solver.connect(local[link.source], local[link.target], link.leaves, link.enters)
    across = solver.solve()
    starts, ends = _columns(layers, items, component, links, members, local, gap_along)
    level = {vertex: index for index, layer in enumerate(layers.layers) for vertex in layer}
    routes = {}
    for number, link in members:
        chain = layers.chains[local[link.source], local[link.target]]
        if chain:
            routes[number] = [(starts[level[dummy]], ends[level[dummy]], across[dummy]) for dummy in chain]
    return Positions(
        along=[starts[level[index]] for index in range(len(component))],
        across=across[: len(component)],
        routes=routes,
        ends=[ends[level[index]] for index in range(len(component))],
        length=ends[-1],
        breadth=max(centre + size / 2 for centre, size in zip(across, sizes, strict=True)),
    )


def _columns(
    layers: Layers,
    items: Sequence[Item],
    component: list[int],
    links: Sequence[Link],
    members: list[tuple[int, Link]],
    local: dict[int, int],
    gap_along: float,
) -> tuple[list[float], list[float]]:
    """Where each layer starts and ends, with space for the labels of the edges between layers."""
    level = {vertex: index for index, layer in enumerate(layers.layers) for vertex in layer}
    gaps = [gap_along] * len(layers.layers)
    for _, link in members:
        if link.room:
            first, last = level[local[link.source]], level[local[link.target]] - 1
            gaps[first] = max(gaps[first], link.room)
            gaps[last] = max(gaps[last], link.room)
    starts, ends, at = [], [], 0.0
    for layer, gap in zip(layers.layers, gaps, strict=True):
        starts.append(at)
        at += max((items[component[vertex]].along for vertex in layer if vertex < len(component)), default=0.0)
        ends.append(at)
        at += gap
    return starts, ends


class Solver:
    """Positions across: sweeps that move each layer as near to its neighbours as order and sizes allow."""

    def __init__(self, layers: Layers, sizes: list[float], real: int, gap: float) -> None:
        self.layers = layers.layers
        self.chains = layers.chains
        self.sizes = sizes
        self.real = real
        self.gap = gap
        #: Vertex -> (neighbour, offset, weight) before and after it.
        self.before: list[list[tuple[int, float, float]]] = [[] for _ in sizes]
        self.after: list[list[tuple[int, float, float]]] = [[] for _ in sizes]
        self.at = [0.0] * len(sizes)
        #: Layer -> the position of each of its vertices in the most compact layout.
        self.packed = [self._packed(layer) for layer in self.layers]

    def connect(self, source: int, target: int, leaves: float, enters: float) -> None:
        """An edge, through its dummies."""
        route = (source, *self.chains[source, target], target)
        for one, other in itertools.pairwise(route):
            weight = _WEIGHTS[(one >= self.real) + (other >= self.real)]
            offset = (leaves if one == source else 0.0) - (enters if other == target else 0.0)
            self.before[other].append((one, offset, weight))
            self.after[one].append((other, -offset, weight))

    def _packed(self, layer: list[int]) -> list[float]:
        at, places = 0.0, []
        for index, vertex in enumerate(layer):
            if index:
                previous = layer[index - 1]
                close = self.gap / 2 if vertex >= self.real or previous >= self.real else self.gap
                at += (self.sizes[previous] + self.sizes[vertex]) / 2 + close
            places.append(at)
        return places

    def solve(self) -> list[float]:
        """The positions of all vertices, the topmost edge at 0."""
        for layer, packed in zip(self.layers, self.packed, strict=True):
            for vertex, place in zip(layer, packed, strict=True):
                self.at[vertex] = place - packed[-1] / 2
        rounds = 10 if len(self.sizes) < 2_000 else 3
        order = list(zip(self.layers, self.packed, strict=True))
        for _ in range(rounds):
            for layer, packed in order[1:]:
                self._settle(layer, packed, (self.before,))
            for layer, packed in reversed(order[:-1]):
                self._settle(layer, packed, (self.after,))
        for _ in range(rounds):
            for layer, packed in order:
                self._settle(layer, packed, (self.before, self.after))
        self._straighten()
        top = min(place - size / 2 for place, size in zip(self.at, self.sizes, strict=True))
        return [round(place - top, 1) for place in self.at]

    def _straighten(self) -> None:
        """Straightens long edges that are nearly straight: a dummy moves within its own space."""
        near = self.sizes[-1] * _NEARLY if len(self.sizes) > self.real else 0
        for vertex in range(self.real, len(self.sizes)):
            (other, offset, _), *_ = self.before[vertex]
            if abs(self.at[other] + offset - self.at[vertex]) < near:
                self.at[vertex] = self.at[other] + offset
        for vertex in reversed(range(self.real, len(self.sizes))):
            (other, offset, _), *_ = self.after[vertex]
            if abs(self.at[other] + offset - self.at[vertex]) < near:
                self.at[vertex] = self.at[other] + offset

    def _settle(
        self, layer: list[int], packed: list[float], sides: tuple[list[list[tuple[int, float, float]]], ...]
    ) -> None:
        wanted, weights = [], []
        for vertex, place in zip(layer, packed, strict=True):
            total = weight = 0.0
            for side in sides:
                for other, offset, strength in side[vertex]:
                    total += (self.at[other] + offset) * strength
                    weight += strength
            wanted.append((total / weight if weight else self.at[vertex]) - place)
            weights.append(weight or 0.1)
        for vertex, place, moved in zip(layer, packed, _ascending(wanted, weights), strict=True):
            self.at[vertex] = place + moved


def _ascending(wanted: list[float], weights: list[float]) -> list[float]:
    """Isotonic regression: the ascending numbers that are nearest to the wanted ones."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        mean, mass, length = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, weight_before, before = blocks.pop()
            mean = (mean * mass + other * weight_before) / (mass + weight_before)
            mass += weight_before
            length += before
        blocks.append((mean, mass, length))
    return [mean for mean, _, length in blocks for _ in range(length)]
