"""Which ready task takes which slot.

`SlotBoard` knows the slots and who holds them; `ReadyQueue` the tasks that could start, in their order: priority, then
job id, then task id. Tasks that ask for the same slots stand in one line, so that a round looks at one task of a line
that finds none, not at all of them; a task without slots does not block those behind it in other lines.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.workflow.model import Topology
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts, NodeWish, unmet_condition

__all__ = ["Demand", "Key", "Placed", "ReadyQueue", "SlotBoard", "SlotState", "unmet"]

#: Job id and task id.
Key: TypeAlias = tuple[int, int]
#: Minus priority, job id, task id: smaller goes first.
_Rank: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a task asks of its slots."""

    nodes: int = 1
    topology: Topology | None = None
    #: The node source; empty: any.
    source: str = ""
    #: The access token; empty: only slots that ask for none.
    token: str = ""
    #: Slots where it failed, avoided while there are others.
    avoid: frozenset[str] = frozenset()
    #: Slots that its selection scripts refused.
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """A slot as it is now."""

    slot: Slot
    #: The task that holds it; None: it is free.
    holder: Key | None = None
    #: It starts no task until it is unlocked.
    locked: bool = False


class SlotBoard:
    """All slots, in the executor's order, the tasks that hold them, and the slots that are locked."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self.holders: dict[str, Key] = {}
        self.locked: set[str] = set()
        #: The sites of the slots that have one.
        self.sites: dict[str, str] = {}

    @property
    def any_free(self) -> bool:
        """Whether a slot is neither held nor locked."""
        return any(self._is_free(name) for name in self.slots)

    def states(self) -> tuple[SlotState, ...]:
        """Every slot with its state."""
        return tuple(
            SlotState(slot=slot, holder=self.holders.get(name), locked=name in self.locked)
            for name, slot in self.slots.items()
        )

    def change(self, slots: Sequence[Slot]) -> None:
        """These are the slots now. One that is gone stays held until its attempt is reported, and is not locked."""
        self.slots = {slot.name: slot for slot in slots}
        self.sites = {slot.name: slot.site for slot in slots if slot.site}
        self.locked &= self.slots.keys()

    def lock(self, names: Iterable[str], locked: bool) -> None:
        """Lock or unlock slots; names of none are ignored."""
        known = self.slots.keys() & set(names)
        self.locked = self.locked | known if locked else self.locked - known

    def _is_free(self, name: str) -> bool:
        return name not in self.holders and name not in self.locked

    def hold(self, slots: Iterable[Slot], key: Key) -> None:
        """Give the slots to a task; each is held until `release`."""
        for slot in slots:
            self.holders[slot.name] = key

    def release(self, slots: Iterable[Slot], key: Key) -> None:
        """Free the slots that `key` holds; others' stay theirs."""
        for slot in slots:
            if self.holders.get(slot.name) == key:
                del self.holders[slot.name]

    def release_all(self, job_id: int) -> None:
        """Free every slot that tasks of the job hold."""
        self.holders = {name: key for name, key in self.holders.items() if key[0] != job_id}

    def suitable(self, demand: Demand) -> list[Slot]:
        """The slots, free or not, that the demand accepts."""
        slots = [slot for slot in self.slots.values() if _suits(slot, demand)]
        elsewhere = [slot for slot in slots if slot.name not in demand.avoid]
        unlocked = sum(slot.name not in self.locked for slot in elsewhere)
        return elsewhere if unlocked >= demand.nodes else slots

    def find(self, demand: Demand, near: Iterable[str] = ()) -> tuple[Slot, ...]:
        """Free slots for the demand, or none. With an exclusive topology there may be more than it asks for.

        Those in the same sites as the slots `near` come first.
        """
        suitable = self.suitable(demand)
        free = [slot for slot in suitable if self._is_free(slot.name)]
        if len(free) < demand.nodes:
            return ()
        if near and self.sites:
            sites = {self.sites.get(name) for name in near}
            free.sort(key=lambda slot: slot.site not in sites)
        shape = _SHAPES.get(demand.topology, _Shape())
        if not (shape.one_host or shape.each_host or shape.exclusive):
            return tuple(free[: demand.nodes])
        return self._by_host(free, demand.nodes, shape)

    def _by_host(self, free: list[Slot], nodes: int, shape: _Shape) -> tuple[Slot, ...]:
        hosts: dict[str, list[Slot]] = {}
        for slot in free:
            hosts.setdefault(slot.host, []).append(slot)
        if shape.exclusive:
            busy = {slot.host for slot in self.slots.values() if slot.name in self.holders}
            hosts = {host: slots for host, slots in hosts.items() if host not in busy}
        if shape.one_host:
            for slots in hosts.values():
                if len(slots) >= nodes:
                    return tuple(slots if shape.exclusive else slots[:nodes])
            return ()
        if shape.each_host:
            chosen = list(hosts.values())[:nodes]
            if len(chosen) < nodes:
                return ()
            # The task runs on the first slot of each host; the further ones are only kept from others.
            return tuple([slots[0] for slots in chosen] + [slot for slots in chosen for slot in slots[1:]])
        taken: list[Slot] = []
        for slots in hosts.values():
            taken += slots
            if len(taken) >= nodes:
                return tuple(taken)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What a topology asks of several slots."""

    one_host: bool = False
    each_host: bool = False
    #: Whole hosts are taken, also slots that are not asked for.
    exclusive: bool = False


#: Proximities mean nothing among slots that know only their host: nearest is the same host, which is not insisted on.
_SHAPES: Mapping[Topology | None, _Shape] = MappingProxyType(
    {
        Topology.SINGLE_HOST: _Shape(one_host=True),
        Topology.SINGLE_HOST_EXCLUSIVE: _Shape(one_host=True, exclusive=True),
        Topology.MULTIPLE_HOSTS_EXCLUSIVE: _Shape(exclusive=True),
        Topology.DIFFERENT_HOSTS_EXCLUSIVE: _Shape(each_host=True, exclusive=True),
    }
)


def _suits(slot: Slot, demand: Demand) -> bool:
    # As in ProActive's resource manager, a node that has tokens is only for tasks that show one of them.
    access = demand.token in slot.tokens if demand.token else not slot.tokens
    return access and demand.source in ("", slot.source) and slot.name not in demand.refused


def unmet(demand: Demand, board: SlotBoard) -> str:
    """Which condition of the demand no slot fulfils now, as a sentence; empty where slots are free for it."""
    nodes = [
        NodeFacts(
            source=state.slot.source,
            host=state.slot.host,
            tokens=state.slot.tokens,
            busy=state.holder is not None,
            locked=state.locked,
            refused=state.slot.name in demand.refused,
        )
        for state in board.states()
    ]
    wish = NodeWish(nodes=demand.nodes, source=demand.source, token=demand.token, topology=demand.topology)
    return unmet_condition(wish, nodes)


class Placed(Enum):
    """What came of trying to place the first task of a line."""

    #: It left the queue: it was started, or waits for something else now.
    GONE = "gone"
    #: It stands in another line now.
    MOVED = "moved"
    #: No slot for this line at the moment.
    NO_SLOT = "no slot"


class ReadyQueue:
    """The tasks that could start now, in lines of equal demand."""

    def __init__(self) -> None:
        self._lines: dict[Demand, list[_Rank]] = {}
        #: Where each task stands. Entries of the heaps that differ from this are old and passed over.
        self._places: dict[Key, tuple[Demand, _Rank]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def put(self, key: Key, priority: int, demand: Demand) -> None:
        """Let a task stand in the line of its demand, and in no other."""
        rank = (-priority, *key)
        self._places[key] = (demand, rank)
        heapq.heappush(self._lines.setdefault(demand, []), rank)

    def remove(self, key: Key) -> None:
        """Take a task out; nothing if it is not there."""
        self._places.pop(key, None)

    def run(self, board: SlotBoard, place: Callable[[Key, Demand], Placed]) -> None:
        """One round: offer the first of each line, best rank first, until no line finds a slot."""
        moved = True
        while moved:
            moved = False
            heads = [(rank, demand) for demand in list(self._lines) if (rank := self._first(demand))]
            heapq.heapify(heads)
            while heads and board.any_free:
                rank, demand = heapq.heappop(heads)  # ranks differ, so demands are never compared
                verdict = place((rank[1], rank[2]), demand)
                moved = moved or verdict is Placed.MOVED
                if verdict is not Placed.NO_SLOT and (following := self._first(demand)):
                    heapq.heappush(heads, (following, demand))

    def _first(self, demand: Demand) -> _Rank | None:
        """The best rank of a line; an empty line is dropped."""
        line = self._lines[demand]
        while line:
            rank = line[0]
            if self._places.get((rank[1], rank[2])) == (demand, rank):
                return rank
            heapq.heappop(line)
        del self._lines[demand]
        return None
