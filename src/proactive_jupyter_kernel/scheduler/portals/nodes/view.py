"""What is known of the nodes -> records of finished words. Pure: the clock comes with the facts.

A card is a host of a node source; its tiles are the slots, which REST calls nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.scheduler.portals.nodes.facts import HostFacts, NodeFacts, NodesFacts
from proactive_jupyter_kernel.scheduler.portals.nodes.history import History, history_of
from proactive_jupyter_kernel.scheduler.portals.nodes.waits import Wait, more_waits, urgency, wait_of
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord
from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Card", "NodesView", "nodes_view"]

#: Tiles of a card, rows of waiting tasks, and lost nodes that are shown; of more the page gives the number.
MOST_TILES, MOST_WAITS, MOST_LOST = 64, 6, 10
#: Milliseconds for which the page shows a lost node.
_LOST_SHOWN = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A slot."""

    slot: str
    #: The task that holds it; empty: none does.
    task: str = ""
    job_id: int = 0
    #: Below the name: ``scan 31 · 1.4 s``, ``free``, ``locked``.
    text: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A share of something."""

    label: str
    #: 0 to 100.
    percent: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A host of a node source."""

    host: str
    source: str
    mark: Mark
    word: str
    #: ``this machine, Linux, 4 slots``.
    about: str
    tokens: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()
    tiles: tuple[Tile, ...] = ()
    #: Slots that are not among the tiles.
    more: int = 0
    #: Slots that can be locked, and that are locked.
    unlocked: int = 0
    locked: int = 0
    #: Who locked them, and when; empty: they are not locked.
    lock: str = ""

    @property
    def tone(self) -> str:
        """The tone of the mark."""
        return TONES[self.mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A node that is gone."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesView:
    """The page."""

    summary: str
    history: History
    waits: tuple[Wait, ...]
    #: What `waits` leaves out, in words; empty: nothing.
    more_waits: str
    cards: tuple[Card, ...] = field(default=())
    lost: tuple[Lost, ...] = ()


def nodes_view(facts: NodesFacts) -> NodesView:
    """The page in words."""
    present = [node for node in facts.nodes if not node.record.removed]
    cards = _cards(facts, present)
    waits = sorted(facts.waiting, key=urgency)
    return NodesView(
        summary=_summary(present, len(cards)),
        history=history_of(facts, len(present)),
        waits=tuple(wait_of(facts, each) for each in waits[:MOST_WAITS]),
        more_waits=more_waits(facts, waits[MOST_WAITS:]),
        cards=cards,
        lost=_lost(facts),
    )


def _summary(present: Sequence[NodeFacts], cards: int) -> str:
    if not present:
        return "no nodes"
    busy = sum(node.record.now.holder is not None for node in present)
    locked = sum(node.record.now.locked for node in present)
    parts = [counted(cards, "node") + " up", f"{busy:,} of {counted(len(present), 'slot')} busy"]
    if locked:
        parts.append(f"{locked:,} locked")
    return ", ".join(parts)


# --- cards -----------------------------------------------------------------------------------------------------------


def _cards(facts: NodesFacts, present: Sequence[NodeFacts]) -> tuple[Card, ...]:
    groups: dict[tuple[str, str], list[NodeFacts]] = {}
    for node in present:
        slot = node.record.now.slot
        groups.setdefault((slot.source, slot.host), []).append(node)
    metered: set[str] = set()
    cards = []
    for (source, host), nodes in groups.items():
        # The load is that of the machine: it stands in its first card.
        meters = _meters(facts.host) if host == facts.host.name and host not in metered else ()
        metered.add(host)
        cards.append(_card(facts, source, host, nodes, meters))
    return tuple(cards)


def _card(facts: NodesFacts, source: str, host: str, nodes: Sequence[NodeFacts], meters: tuple[Meter, ...]) -> Card:
    locked = sum(node.record.now.locked for node in nodes)
    busy = any(node.record.now.holder is not None for node in nodes)
    mark, word = (
        (Mark.RUNNING, "Busy") if busy else (Mark.PAUSED, "Locked") if locked == len(nodes) else (Mark.GOOD, "Free")
    )
    place = ["this machine", facts.host.system] if host == facts.host.name else []
    about = ", ".join([*place, f"node source {source}", counted(len(nodes), "slot")])
    # Slots with a task first where not all are shown.
    shown = nodes if len(nodes) <= MOST_TILES else sorted(nodes, key=lambda node: node.record.now.holder is None)
    return Card(
        host=host,
        source=source,
        mark=mark,
        word=word,
        about=about,
        tokens=tuple(dict.fromkeys(token for node in nodes for token in node.record.now.slot.tokens)),
        meters=meters,
        tiles=tuple(_tile(facts, node) for node in shown[:MOST_TILES]),
        more=max(0, len(nodes) - MOST_TILES),
        unlocked=len(nodes) - locked,
        locked=locked,
        lock=_lock(facts, nodes, locked),
    )


def _lock(facts: NodesFacts, nodes: Sequence[NodeFacts], locked: int) -> str:
    if not locked:
        return ""
    known = next((node.record for node in nodes if node.record.now.locked and node.record.locked_at != UNSET), None)
    who = f" by {known.locked_by} at {clock_time(known.locked_at, facts.zone)}" if known else ""
    number = "" if locked == len(nodes) else f"{locked:,} of {counted(len(nodes), 'slot')} "
    text = f"{number}locked{who}: no task starts there"
    return text if number else text[0].upper() + text[1:]


def _meters(host: HostFacts) -> tuple[Meter, ...]:
    cpu = min(max(host.cpu, 0.0), 1.0) * 100
    memory = 100 * host.memory_used / host.memory if host.memory else 0.0
    return (
        Meter(label="CPU", percent=round(cpu, 1), text=f"{cpu:.0f} % of {counted(host.cores, 'core')}"),
        Meter(
            label="Memory",
            percent=round(memory, 1),
            text=f"{size_text(host.memory_used)} of {size_text(host.memory)}",
        ),
    )


def _tile(facts: NodesFacts, node: NodeFacts) -> Tile:
    state = node.record.now
    if node.holder is None:
        words = "busy" if state.holder is not None else "locked" if state.locked else "free"
        return Tile(slot=state.slot.name, text=words, locked=state.locked)
    job, task = node.holder
    # A slot is also held while the selection scripts of a task are asked about it.
    runs = task.status is TaskStatus.RUNNING
    doing = duration(facts.now - task.started_at) if runs else "selection script"
    text = f"{job.name} {job.job_id} · {doing}"
    return Tile(slot=state.slot.name, task=task.name, job_id=job.job_id, text=text, locked=state.locked)


# --- lost nodes ------------------------------------------------------------------------------------------------------


def _lost(facts: NodesFacts) -> tuple[Lost, ...]:
    """The hosts of nodes that are gone, the latest first."""
    gone: dict[tuple[str, str], list[NodeRecord]] = {}
    for node in facts.nodes:
        record = node.record
        if record.removed and 0 <= facts.now - record.at < _LOST_SHOWN:
            gone.setdefault((record.now.slot.host, record.now.slot.source), []).append(record)
    latest = sorted(gone.items(), key=lambda entry: -max(record.at for record in entry[1]))
    return tuple(_lost_one(facts, host, source, records) for (host, source), records in latest[:MOST_LOST])


def _lost_one(facts: NodesFacts, host: str, source: str, records: Sequence[NodeRecord]) -> Lost:
    since = clock_time(max(record.at for record in records), facts.zone)
    text = f"{counted(len(records), 'slot')} of the node source {source}; gone since {since}"
    held = {record.now.holder for record in records} - {None}
    if held:
        text += f"; its {'task starts' if len(held) == 1 else f'{len(held):,} tasks start'} again on other nodes"
    return Lost(name=host, text=text)
