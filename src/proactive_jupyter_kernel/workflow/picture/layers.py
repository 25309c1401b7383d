"""The order of a layered drawing: the layer of each vertex, and its position there, with few crossings. Pure.

There are two implementations: the built-in one, and the package ``fast-sugiyama`` if it is installed. An edge that
spans several layers passes through a *dummy* vertex in each layer between, which reserves space for it.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "MOST_DUMMIES",
    "Engine",
    "Layers",
    "better",
    "crossings",
    "dummies",
    "engine",
    "own",
    "ranks",
    "sugiyama",
    "tidy",
]

Edge: TypeAlias = tuple[int, int]

#: Up to this number of edges, both implementations are used.
_SMALL = 400
#: Above this number of vertices and dummies, fewer arrangements are tried, to stay within a second.
_MANY = 3_000
#: Above this number of edges as well: each counts as often as it passes a layer.
_DENSE = 12_000
#: The maximum number of dummies. In a dense graph, the longest edges get none and are drawn straight.
MOST_DUMMIES = 8_000


@dataclass(slots=True)
class Layers:
    """The ordered vertices of each layer. Vertices from the given number on are dummies."""

    layers: list[list[int]]
    #: Edge -> its dummies, in the order of the layers.
    chains: dict[Edge, list[int]] = field(default_factory=dict)


#: The number of vertices and the edges of a connected acyclic graph without duplicate edges -> its layers.
Engine: TypeAlias = Callable[[int, Sequence[Edge]], Layers]


def engine() -> Engine:
    """The implementation to use: the better of both if ``fast-sugiyama`` is installed, else the built-in one."""
    try:
        import fast_sugiyama  # noqa: F401
    except ImportError:
        return own
    return better


def better(count: int, edges: Sequence[Edge]) -> Layers:
    """The result with fewer crossings; for a large graph only that of the package, since both take long."""
    theirs = sugiyama(count, edges)
    if len(edges) > _SMALL:
        return theirs
    ours = own(count, edges)
    return theirs if crossings(theirs) < crossings(ours) else ours


# -- the built-in implementation


def own(count: int, edges: Sequence[Edge]) -> Layers:
    """Longest-path layering, compacted, then sweeps that order each layer by the barycenter of its neighbours."""
    rank = ranks(count, edges)
    found = Layers(layers=[[] for _ in range(max(rank, default=0) + 1)])
    vertices = count
    segments: list[Edge] = []
    levels = list(rank)
    straight = _straight(edges, rank)
    for source, target in edges:
        if (source, target) in straight:
            found.chains[source, target] = []
            segments.append((source, target))
            continue
        chain = list(range(vertices, vertices + rank[target] - rank[source] - 1))
        vertices += len(chain)
        levels += range(rank[source] + 1, rank[target])
        found.chains[source, target] = chain
        way = (source, *chain, target)
        segments += itertools.pairwise(way)
    for vertex, level in enumerate(levels):
        found.layers[level].append(vertex)
    above: list[list[int]] = [[] for _ in range(vertices)]
    below: list[list[int]] = [[] for _ in range(vertices)]
    for source, target in segments:
        above[target].append(source)
        below[source].append(target)
    _sweep(found.layers, above, below)
    return found


def dummies(edges: Sequence[Edge], rank: Sequence[int]) -> int:
    """How many dummies the edges would have in all."""
    return sum(rank[target] - rank[source] - 1 for source, target in edges)


def _straight(edges: Sequence[Edge], rank: Sequence[int]) -> set[Edge]:
    """The longest edges, those for which `MOST_DUMMIES` leaves no dummies."""
    left = MOST_DUMMIES
    if dummies(edges, rank) <= left:
        return set()
    found: set[Edge] = set()
    for source, target in sorted(edges, key=lambda edge: rank[edge[1]] - rank[edge[0]]):
        left -= rank[target] - rank[source] - 1
        if left < 0:
            found.add((source, target))
    return found


def tidy(count: int, found: Layers) -> Layers:
    """The same with no more crossings, but nearer to the order of the workflow."""
    above: list[list[int]] = [[] for _ in range(sum(map(len, found.layers)))]
    below: list[list[int]] = [[] for _ in above]
    for (source, target), chain in found.chains.items():
        way = (source, *chain, target)
        for one, other in itertools.pairwise(way):
            above[other].append(one)
            below[one].append(other)
    ascending = descending = 0
    for layer in found.layers:
        real = [vertex for vertex in layer if vertex < count]
        for one, other in itertools.pairwise(real):
            ascending, descending = ascending + (one < other), descending + (one > other)
    if descending > ascending:
        for layer in found.layers:
            layer.reverse()
    place = [0] * len(above)
    for layer in found.layers:
        _number(layer, place)
    for _ in range(2 if len(above) < _MANY and sum(map(len, above)) < _DENSE else 0):
        _exchange(found.layers, above, below, place, count=count)
    return found


def ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each vertex: after its predecessors; vertices with more edges out than in move to their targets."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    waiting = [len(sources) for sources in above]
    ready = [vertex for vertex in range(count) if not waiting[vertex]]
    rank = [0] * count
    for vertex in ready:
        for target in below[vertex]:
            rank[target] = max(rank[target], rank[vertex] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for vertex in reversed(ready):
        if len(below[vertex]) > len(above[vertex]):
            rank[vertex] = min(rank[target] for target in below[vertex]) - 1
    lowest = min(rank, default=0)
    return [level - lowest for level in rank]


def _sweep(layers: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Order every layer in place, alternately down and up, and keep the order with the fewest crossings."""
    total = sum(map(len, layers))
    place = [0] * total
    for layer in layers:
        _number(layer, place)
    best, fewest = [list(layer) for layer in layers], _all_crossings(layers, below, place)
    links = sum(map(len, below))
    rounds = 24 if total < _MANY and links < _DENSE else 6
    stale = 0
    for number in range(rounds):
        if not fewest or stale > 5:
            break
        down = number % 2 == 0
        for layer in layers[1:] if down else reversed(layers[:-1]):
            neighbours = above if down else below
            # Equal means keep their order, which the sort does by being stable.
            mean = {
                vertex: sum(place[other] for other in neighbours[vertex]) / len(neighbours[vertex])
                if neighbours[vertex]
                else place[vertex]
                for vertex in layer
            }
            layer.sort(key=mean.__getitem__)
            _number(layer, place)
        if total < _MANY // 2 and links < _DENSE:
            _exchange(layers, above, below, place)
        found = _all_crossings(layers, below, place)
        if found < fewest:
            best, fewest, stale = [list(layer) for layer in layers], found, 0
        else:
            stale += 1
    layers[:] = best


def _exchange(
    layers: list[list[int]], above: list[list[int]], below: list[list[int]], place: list[int], count: int = 0
) -> None:
    """Swap neighbours in a layer if that saves crossings; in the first `count` rounds also if it adds none."""
    for layer in layers:
        for index in range(len(layer) - 1):
            one, other = layer[index], layer[index + 1]
            gain = 0
            for links in (above, below):
                left, right = sorted(place[v] for v in links[one]), sorted(place[v] for v in links[other])
                gain += _inversions(left, right) - _inversions(right, left)
            if gain > 0 or (not gain and other < one < count):
                layer[index], layer[index + 1] = other, one
                place[one], place[other] = index + 1, index


def _inversions(left: list[int], right: list[int]) -> int:
    """How often a position of `left` is after one of `right`; both are sorted."""
    return sum(len(left) - bisect_right(left, spot) for spot in right)


def _number(layer: list[int], place: list[int]) -> None:
    for index, vertex in enumerate(layer):
        place[vertex] = index


def _all_crossings(layers: list[list[int]], below: list[list[int]], place: list[int]) -> int:
    total = 0
    for layer in layers:
        ends: list[int] = []
        for vertex in layer:
            targets = sorted(place[target] for target in below[vertex])
            total += sum(len(ends) - bisect_right(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return total


def crossings(found: Layers) -> int:
    """The number of pairs of edges that cross."""
    total = sum(map(len, found.layers))
    below: list[list[int]] = [[] for _ in range(total)]
    for (source, target), chain in found.chains.items():
        way = (source, *chain, target)
        for one, other in itertools.pairwise(way):
            below[one].append(other)
    place = [0] * total
    for layer in found.layers:
        _number(layer, place)
    return _all_crossings(found.layers, below, place)


# -- the package


def sugiyama(count: int, edges: Sequence[Edge]) -> Layers:
    """The result of ``fast-sugiyama``, which accepts only edges and numbers its dummies itself."""
    if not edges or len(edges) > _SUGIYAMA_LIMIT:
        return own(count, edges)
    import fast_sugiyama

    ((positions, _, _, segments),) = fast_sugiyama.from_edges(list(edges), dummy_vertices=True, check_layout=False)
    place = {int(vertex): (-y, x) for vertex, (x, y) in positions}
    heights = sorted({y for y, _ in place.values()})
    level = {y: index for index, y in enumerate(heights)}
    number = {vertex: vertex for vertex in range(count)}
    for vertex in sorted(set(place) - set(range(count))):
        number[vertex] = len(number)
    found = Layers(layers=[[] for _ in heights])
    for vertex, (y, _) in sorted(place.items(), key=lambda item: (item[1][1], item[0])):
        found.layers[level[y]].append(number[vertex])
    onward: dict[int, list[int]] = {}
    for start, end in segments or edges:
        onward.setdefault(int(start), []).append(int(end))
    for source in range(count):
        for first in onward.get(source, ()):
            chain = []
            target = first
            while target >= count:
                chain.append(number[target])
                (target,) = onward[target]
            found.chains[source, target] = chain
    return found


#: Above this number of edges the package needs more than a second.
_SUGIYAMA_LIMIT = 1_200
