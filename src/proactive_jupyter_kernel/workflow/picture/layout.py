"""The layout of a picture: sizes of boxes, nested blocks, the routes of edges. Pure.

The picture is laid out from left to right, or from top to bottom if that needs less shrinking. Both use the same
coordinates: *along* the layers, and *across* them. Each block is laid out separately and then placed as one item, so
that nothing else can be inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proactive_jupyter_kernel.workflow.graph import cycles
from proactive_jupyter_kernel.workflow.picture import layers
from proactive_jupyter_kernel.workflow.picture.coordinates import Item, Link, Positions, arrange
from proactive_jupyter_kernel.workflow.picture.layers import Engine, Layers
from proactive_jupyter_kernel.workflow.picture.measure import width
from proactive_jupyter_kernel.workflow.picture.scene import BackEdge, Box, Cluster, Edge, Scene

__all__ = [
    "BIG",
    "SMALL",
    "BackEdgeRoute",
    "ClusterBackground",
    "EdgeRoute",
    "Layout",
    "Metrics",
    "Point",
    "Rect",
    "lay_out",
]

#: Usual width of an output cell, and the fraction to which an image shrinks there before it scrolls.
PAGE = 800 / 0.85
#: From this number of boxes on, boxes are small.
MANY = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Sizes, in pixels."""

    height: float
    narrowest: float
    #: The width of all boxes whose text fits; a longer text widens its box.
    usual: float
    widest: float
    font: float
    second_font: float
    #: From the left edge of a box to its text.
    text: float
    #: Space for the mark of the state.
    state: float
    gap_along: float
    gap_across: float
    corner: float


BIG = Metrics(
    height=40,
    narrowest=120,
    usual=168,
    widest=240,
    font=13,
    second_font=10.5,
    text=40,
    state=22,
    gap_along=44,
    gap_across=18,
    corner=8,
)
SMALL = Metrics(
    height=26,
    narrowest=96,
    usual=120,
    widest=140,
    font=11,
    second_font=10.5,
    text=9,
    state=17,
    gap_along=32,
    gap_across=8,
    corner=6,
)


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterBackground:
    """The background of a visible block."""

    rect: Rect
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRoute:
    """An edge: straight from the first to the second point, curved to the third, straight to the fourth, and so on."""

    edge: Edge
    points: list[Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEdgeRoute:
    """The route of a back edge: straight from point to point."""

    back: BackEdge
    points: list[Point]


@dataclass(slots=True, kw_only=True)
class Layout:
    """The positions of everything in a picture."""

    width: float
    height: float
    #: True: the layers follow each other from top to bottom.
    vertical: bool
    metrics: Metrics
    boxes: dict[str, Rect]
    backgrounds: list[ClusterBackground] = field(default_factory=list)
    routes: list[EdgeRoute] = field(default_factory=list)
    back_routes: list[BackEdgeRoute] = field(default_factory=list)


#: Space around the picture, around a block, for its caption, for a back edge, and for the diamond of a branch.
MARGIN, PADDING, CAPTION, STRIP, DIAMOND = 16.0, 14.0, 26.0, 34.0, 22.0
#: How far replicas and their badge extend beyond their box.
STACK = 10.0


def lay_out(scene: Scene, engine: Engine | None = None) -> Layout:
    """Place everything, in the direction that needs less shrinking on a page."""
    remembered = _remember(engine or layers.engine())
    across = _Placement(scene, vertical=False, engine=remembered).layout()
    if across.width <= PAGE:
        return across
    down = _Placement(scene, vertical=True, engine=remembered).layout()
    return down if down.width < across.width else across


def _remember(engine: Engine) -> Engine:
    """Caches the layers of each graph: the order is the same in both directions."""
    known: dict[tuple[int, tuple[tuple[int, int], ...]], Layers] = {}

    def ask(count: int, edges: Sequence[tuple[int, int]]) -> Layers:
        key = (count, tuple(edges))
        if key not in known:
            known[key] = engine(count, edges)
        return known[key]

    return ask


@dataclass(slots=True, kw_only=True)
class _Block:
    """A cluster with the positions in it, along and across, relative to its corner."""

    cluster: Cluster
    boxes: list[str]
    blocks: list[_Block]
    arranged: Positions
    along: float = 0
    across: float = 0
    #: Space before its content.
    start: float = 0
    before: float = 0
    #: Its edges, and the numbers of those that were placed.
    edges: list[Edge] = field(default_factory=list)
    #: Box -> its number among the items, its own or that of the block that holds it.
    item_of: dict[str, int] = field(default_factory=dict)
    number_of: dict[int, int] = field(default_factory=dict)


class _Placement:
    """One layout in one direction."""

    def __init__(self, scene: Scene, *, vertical: bool, engine: Engine) -> None:
        self.scene = scene
        self.vertical = vertical
        self.engine = engine
        self.metrics = SMALL if len(scene.boxes) >= MANY else BIG
        needed = {key: self._needed(box) for key, box in scene.boxes.items()}
        common = min(max(needed.values(), default=0), self.metrics.usual)
        self.widths = {
            key: min(
                max(common, size, self.metrics.usual if box.summary and box.summary.total > 1 else 0),
                self.metrics.widest,
            )
            for key, size, box in zip(needed, needed.values(), scene.boxes.values(), strict=True)
        }
        #: Box -> along and across of its middle, in the picture.
        self.places: dict[str, tuple[float, float]] = {}
        self.backgrounds: list[ClusterBackground] = []
        self.routes: list[EdgeRoute] = []
        self.back_routes: list[BackEdgeRoute] = []

    def layout(self) -> Layout:
        """Lay out the blocks bottom-up, then compute all positions top-down."""
        root = self._block(self.scene.root, self.scene.edges)
        self._write(root, MARGIN, MARGIN)
        length, breadth = root.along + 2 * MARGIN, root.across + 2 * MARGIN
        return Layout(
            width=round(breadth if self.vertical else length),
            height=round(length if self.vertical else breadth),
            vertical=self.vertical,
            metrics=self.metrics,
            boxes={key: self._rect(key) for key in self.scene.boxes},
            backgrounds=self.backgrounds,
            routes=self.routes,
            back_routes=self.back_routes,
        )

    # -- sizes

    def _needed(self, box: Box) -> float:
        """The width of a box in which all its text fits."""
        metrics = self.metrics
        texts = [width(box.name, metrics.font)]
        if metrics is BIG:
            texts += [width(line, metrics.second_font) for line in second_lines(box, live=self.scene.live)]
        around = metrics.text + 10 + (metrics.state if self.scene.live else 0)
        return max(metrics.narrowest, round(max(texts) + around))

    def _size(self, key: str) -> tuple[float, float]:
        """Along and across of the box alone."""
        size = self.widths[key], self.metrics.height
        return size if not self.vertical else (size[1], size[0])

    def _item(self, key: str) -> Item:
        """The size of the box including what extends beyond it."""
        box = self.scene.boxes[key]
        along, across = self._size(key)
        along += self._before(box) + (DIAMOND if box.decides else 0)
        return Item(along=along, across=across + (2 * STACK if box.times else 0))

    def _before(self, box: Box) -> float:
        return STACK if box.times and self.vertical else 0

    def _room(self, edge: Edge) -> float:
        """The space between layers for the label of an edge."""
        if not edge.label:
            return 0
        return 72 if self.vertical else width(edge.label, 11) + 64

    def _strip(self, back: BackEdge) -> float:
        """The space across for a back edge and its label."""
        return width(back.label, 11) + 32 if self.vertical else STRIP

    # -- bottom-up

    def _block(self, cluster: Cluster, edges: Sequence[Edge]) -> _Block:
        holder = {key: number for number, inner in enumerate(cluster.inner) for key in inner.members}
        own: list[Edge] = []
        inside: list[list[Edge]] = [[] for _ in cluster.inner]
        for edge in edges:
            number = holder.get(edge.source)
            if number is not None and number == holder.get(edge.target):
                inside[number].append(edge)
            else:
                own.append(edge)
        blocks = [self._block(inner, inside[number]) for number, inner in enumerate(cluster.inner)]
        loose = [key for key in self.scene.boxes if key in cluster.members and key not in holder]
        # In the order of the workflow, a block at its first task.
        order = {key: number for number, key in enumerate(self.scene.boxes)}
        entries: list[tuple[int, str | _Block]] = [(order[key], key) for key in loose]
        entries += [(min(order[key] for key in block.cluster.members), block) for block in blocks]
        entries.sort(key=lambda entry: entry[0])
        items, item_of = [], {}
        for number, (_, entry) in enumerate(entries):
            if isinstance(entry, str):
                items.append(self._item(entry))
                item_of[entry] = number
            else:
                items.append(Item(along=entry.along, across=entry.across))
                item_of |= dict.fromkeys(entry.cluster.members, number)
        ports = self._ports(blocks)
        links, number_of = self._links(own, item_of, ports)
        arranged = arrange(
            items, links, engine=self.engine, gap_along=self.metrics.gap_along, gap_across=self.metrics.gap_across
        )
        ordered = [entry for _, entry in entries]
        block = _Block(
            cluster=cluster,
            boxes=[entry for entry in ordered if isinstance(entry, str)],
            blocks=[entry for entry in ordered if isinstance(entry, _Block)],
            arranged=arranged,
            edges=own,
            item_of=item_of,
            number_of=number_of,
        )
        self._pad(block)
        return block

    def _pad(self, block: _Block) -> None:
        """The size of a block: its content and its margins."""
        cluster = block.cluster
        block.along, block.across = block.arranged.length, block.arranged.breadth
        block.across += sum(map(self._strip, cluster.backs))
        if not cluster.shown:
            return
        if self.vertical:
            block.start, block.before = PADDING + CAPTION - 8, PADDING
        else:
            block.start, block.before = PADDING, PADDING + CAPTION - 8
        block.along += block.start + PADDING
        block.across += block.before + (PADDING if not cluster.backs else 4)
        caption = width(cluster.caption, 11) * 1.1 + 2 * PADDING
        if self.vertical:
            block.across = max(block.across, caption)
        else:
            block.along = max(block.along, caption)

    def _ports(self, blocks: Sequence[_Block]) -> dict[str, float]:
        """Box in a block -> how far its middle is, across, from the middle of the block."""
        found: dict[str, float] = {}
        for block in blocks:
            for key, number in block.item_of.items():
                inner = self._ports(block.blocks).get(key, 0.0)
                found[key] = block.before + block.arranged.across[number] + inner - block.across / 2
        return found

    def _links(
        self, edges: Sequence[Edge], item_of: dict[str, int], ports: dict[str, float]
    ) -> tuple[list[Link], dict[int, int]]:
        """The links between items, without those that close a cycle of blocks; and edge -> link, by number."""
        following: dict[str, dict[str, None]] = {str(number): {} for number in sorted(set(item_of.values()))}
        for edge in edges:
            following[str(item_of[edge.source])][str(item_of[edge.target])] = None
        found_cycles = cycles({name: tuple(found) for name, found in following.items()}, following)
        closing = {(int(cycle[-1]), int(cycle[0])) for cycle in found_cycles}
        links: list[Link] = []
        number_of: dict[int, int] = {}
        for number, edge in enumerate(edges):
            source, target = item_of[edge.source], item_of[edge.target]
            if (source, target) in closing or source == target:
                continue
            number_of[number] = len(links)
            leaves, enters = ports.get(edge.source, 0.0), ports.get(edge.target, 0.0)
            links.append(Link(source=source, target=target, leaves=leaves, enters=enters, room=self._room(edge)))
        return links, number_of

    # -- top-down

    def _write(self, block: _Block, along: float, across: float) -> None:
        """Compute the positions of the content of a block with the given corner."""
        if block.cluster.shown:
            rect = self._turned(along, across, block.along, block.across)
            self.backgrounds.append(ClusterBackground(rect=rect, caption=block.cluster.caption))
        start, before = along + block.start, across + block.before
        arranged = block.arranged
        for key in block.boxes:
            number = block.item_of[key]
            size = self._size(key)[0]
            offset = self._before(self.scene.boxes[key])
            self.places[key] = start + arranged.along[number] + offset + size / 2, before + arranged.across[number]
        for inner in block.blocks:
            number = block.item_of[next(iter(inner.cluster.members))]
            middle = before + arranged.across[number]
            self._write(inner, start + arranged.along[number], middle - inner.across / 2)
        for number, edge in enumerate(block.edges):
            self.routes.append(self._route(block, edge, number, start, before))
        bottom = across + block.across
        for back in block.cluster.backs:
            strip = self._strip(back)
            self.back_routes.append(self._return(back, bottom - strip / 2))
            bottom -= strip

    def _route(self, block: _Block, edge: Edge, number: int, start: float, before: float) -> EdgeRoute:
        source, target = self.places[edge.source], self.places[edge.target]
        box = self.scene.boxes[edge.source]
        leaves = source[0] + self._size(edge.source)[0] / 2 + (DIAMOND if box.decides else 0)
        enters = target[0] - self._size(edge.target)[0] / 2
        if self.scene.boxes[edge.target].times and self.vertical:
            enters -= 6
        points = [(leaves, source[1])]
        arranged = block.arranged
        if number in block.number_of:
            points.append((max(leaves, start + arranged.ends[block.item_of[edge.source]]), source[1]))
            for first, last, across in arranged.routes.get(block.number_of[number], ()):
                points += [(start + first, before + across), (start + last, before + across)]
            points += [(min(enters, start + arranged.along[block.item_of[edge.target]]), target[1])]
        else:
            points += [points[0], (enters, target[1])]
        points.append((enters, target[1]))
        return EdgeRoute(edge=edge, points=[self._point(*point) for point in points])

    def _return(self, back: BackEdge, bottom: float) -> BackEdgeRoute:
        source, target = self.places[back.source], self.places[back.target]
        aside = self._size(back.source)[0] / 4 if back.source == back.target else 0
        first, last = source[0] + aside, target[0] - aside
        points = [
            (first, source[1] + self._size(back.source)[1] / 2),
            (first, bottom),
            (last, bottom),
            (last, target[1] + self._size(back.target)[1] / 2),
        ]
        return BackEdgeRoute(back=back, points=[self._point(*point) for point in points])

    # -- orientation

    def _point(self, along: float, across: float) -> Point:
        return Point(across, along) if self.vertical else Point(along, across)

    def _turned(self, along: float, across: float, length: float, breadth: float) -> Rect:
        return Rect(across, along, breadth, length) if self.vertical else Rect(along, across, length, breadth)

    def _rect(self, key: str) -> Rect:
        middle = self._point(*self.places[key])
        size, height = self.widths[key], self.metrics.height
        return Rect(round(middle.x - size / 2, 1), round(middle.y - height / 2, 1), size, height)


def second_lines(box: Box, *, live: bool) -> list[str]:
    """The variants of the second line, the shortest last; the available space decides."""
    from proactive_jupyter_kernel.workflow.picture.tokens import STATES

    if box.summary is not None:
        return [box.summary.note or STATES[box.summary.status].word]
    words = " · ".join(box.words)
    return [words] if words and not live else []
