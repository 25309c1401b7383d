"""What is known of the nodes -> records of finished words. Pure: the clock comes with the facts.

A card is a host of a node source; its tiles are the slots, which REST calls nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from proactive_jupyter_kernel.scheduler.engine.records import UNSET, JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord
from proactive_jupyter_kernel.scheduler.slot_use import MINUTES, BusyMinute
from proactive_jupyter_kernel.workflow.display.marks import TONES, Mark
from proactive_jupyter_kernel.workflow.display.numbers import counted
from proactive_jupyter_kernel.workflow.display.times import clock_time, duration
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["Card", "HostFacts", "NodeFacts", "NodesFacts", "NodesView", "nodes_view"]

#: Tiles of a card, rows of waiting tasks, and lost nodes that are shown; of more the page gives the number.
MOST_TILES, MOST_WAITS, MOST_LOST = 64, 6, 10
#: Milliseconds for which the page shows a lost node.
_LOST_SHOWN = 3_600_000
_GIGABYTE = 2**30

Holder = tuple[JobRecord, TaskRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The machine that the scheduler runs on."""

    name: str
    #: ``Linux``.
    system: str
    cores: int
    #: Share of the processor's time, 0 to 1.
    cpu: float
    #: Bytes.
    memory: int
    memory_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A slot as it is, and the job and task that hold it."""

    record: NodeRecord
    holder: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesFacts:
    """All that the page shows, at one moment."""

    #: Those that are gone last, as `NodeBook.look` gives them.
    nodes: Sequence[NodeFacts]
    minutes: Sequence[BusyMinute]
    waiting: Sequence[WaitingTasks]
    #: Whether `waiting` has all tasks that wait.
    all_waiting: bool
    host: HostFacts
    #: The status of the scheduler, ``STARTED``.
    status: str
    #: Milliseconds since the epoch.
    now: int
    zone: tzinfo | None = None


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
    #: Who locked them, and when; empty: nobody.
    lock: str = ""

    @property
    def tone(self) -> str:
        """The tone of the mark."""
        return TONES[self.mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Tasks that wait for the same reason."""

    mark: Mark
    title: str
    reason: str
    detail: str
    job_id: int

    @property
    def tone(self) -> str:
        """The tone of the mark."""
        return TONES[self.mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One minute of the history, in a picture of 100 units in height."""

    x: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The busy slots of the last hour."""

    bars: tuple[Bar, ...]
    #: For those who do not see the bars.
    text: str
    #: Below the bars: the first minute, the one in the middle, the last one.
    labels: tuple[str, str, str]


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
    waits = sorted(facts.waiting, key=_urgency)
    return NodesView(
        summary=_summary(present, len(cards)),
        history=_history(facts, len(present)),
        waits=tuple(_wait(facts, each) for each in waits[:MOST_WAITS]),
        more_waits=_more_waits(facts, waits[MOST_WAITS:]),
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
            text=f"{_gigabytes(host.memory_used)} of {_gigabytes(host.memory)} GB",
        ),
    )


def _gigabytes(size: int) -> str:
    value = size / _GIGABYTE
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


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


# --- tasks that wait -------------------------------------------------------------------------------------------------


def _is_busy(wait: WaitingTasks) -> bool:
    """Whether it only waits until other tasks have ended."""
    return wait.reason.endswith("busy.") and not wait.reason.startswith("Of ")


#: What needs a person first; then what waits for other tasks, for the scheduler, for a time.
_ORDER: tuple[Callable[[WaitingTasks], bool], ...] = (
    lambda wait: bool(wait.reason) and not _is_busy(wait),
    lambda wait: wait.held,
    _is_busy,
)


def _urgency(wait: WaitingTasks) -> tuple[int, int]:
    return next((rank for rank, holds in enumerate(_ORDER) if holds(wait)), len(_ORDER)), wait.job_id


#: What the status of the whole scheduler means for tasks that are ready.
_HELD: Mapping[str, str] = {
    "PAUSED": "the scheduler is paused: it starts no new jobs",
    "FROZEN": "the scheduler is frozen: it starts no tasks",
    "STOPPED": "the scheduler is stopped: it takes no jobs",
    "SHUTTING_DOWN": "the scheduler is shutting down: it starts no new jobs",
    "KILLED": "the scheduler was killed: it starts nothing",
}


def _wait(facts: NodesFacts, wait: WaitingTasks) -> Wait:
    more = f" and {wait.count - 1:,} more" if wait.count > 1 else ""
    title = f"{wait.job_name} / {wait.task}{more}"
    if wait.until != UNSET:
        verb = "starts" if wait.count == 1 else "start"
        return Wait(
            mark=Mark.WAITING,
            title=title,
            reason=f"{verb} at {_when(facts, wait.until)}",
            detail="",
            job_id=wait.job_id,
        )
    since = "" if wait.since == UNSET else f"since {duration(facts.now - wait.since)}"
    if wait.held:
        reason = _HELD.get(facts.status, "the scheduler starts no tasks now")
        return Wait(mark=Mark.PAUSED, title=title, reason=reason, detail=since, job_id=wait.job_id)
    return Wait(mark=Mark.HELD, title=title, reason=wait.reason, detail=since, job_id=wait.job_id)


def _when(facts: NodesFacts, moment: int) -> str:
    """The clock of today, with the date for another day."""
    when, today = (datetime.fromtimestamp(at / 1000, facts.zone) for at in (moment, facts.now))
    clock = clock_time(moment, facts.zone)
    return clock if when.date() == today.date() else f"{when.day} {when:%B %Y} {clock}"


def _more_waits(facts: NodesFacts, left: Sequence[WaitingTasks]) -> str:
    tasks = sum(wait.count for wait in left)
    if not tasks:
        return "" if facts.all_waiting else "and more tasks, which wait behind these"
    jobs = len({wait.job_id for wait in left})
    least = "" if facts.all_waiting else "at least "
    return f"and {least}{counted(tasks, 'more task')} of {counted(jobs, 'job')}"


# --- history ---------------------------------------------------------------------------------------------------------


def _history(facts: NodesFacts, slots: int) -> History:
    minutes = list(facts.minutes)
    scale = max([slots, 1, *(minute.most for minute in minutes)])
    offset = MINUTES - len(minutes)
    bars = tuple(
        Bar(
            x=offset + index,
            # A minute in which something ran, however short, can be seen.
            height=round(max(100 * minute.average / scale, 2.0 if minute.most else 0.0), 1),
            title=f"{_minute(facts, minute.start)}: {_average(minute.average)} of {slots:,} busy"
            f", at most {minute.most:,}",
        )
        for index, minute in enumerate(minutes)
    )
    last = minutes[-1].start if minutes else facts.now // 1000
    busy = sum(not node.record.removed and node.record.now.holder is not None for node in facts.nodes)
    most = max((minute.most for minute in minutes), default=0)
    return History(
        bars=bars,
        text=f"Busy slots in the last hour: {most:,} at most, {busy:,} of {slots:,} now",
        labels=(
            _minute(facts, last - 59 * 60),
            _minute(facts, last - 29 * 60),
            f"{_minute(facts, last)}, {busy:,} of {slots:,}",
        ),
    )


def _average(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 100 else f"{value:,.0f}"


def _minute(facts: NodesFacts, seconds: int) -> str:
    return clock_time(seconds * 1000, facts.zone)[:5]
