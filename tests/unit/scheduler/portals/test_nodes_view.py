"""From what is known of the nodes to the words of their page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.placement import SlotState
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.monitoring.slot_use import BusyMinute
from proactive_jupyter_kernel.scheduler.portals.nodes.facts import HostFacts, NodeFacts, NodesFacts
from proactive_jupyter_kernel.scheduler.portals.nodes.view import MOST_TILES, Card, Lost, Meter, Tile, Wait, nodes_view
from proactive_jupyter_kernel.scheduler.service.nodes import NodeRecord
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

#: 12:00:00 UTC.
NOON = 1_800_014_400_000
HOST = HostFacts(name="here", system="Linux", cores=4, cpu=0.713, memory=16 * 2**30, memory_used=6 * 2**30)
JOB = JobRecord(
    job_id=31,
    name="scan",
    owner="ana",
    status=JobStatus.RUNNING,
    priority=Priority.NORMAL,
    submitted_at=NOON - 9_000,
)
TASK = TaskRecord(
    job_id=31, task_id=7, name="work*7", base_name="work", status=TaskStatus.RUNNING, started_at=NOON - 1_400
)


def node(slot: Slot, holder: Any = None, *, locked: bool = False, **more: Any) -> NodeFacts:
    held = None if holder is None else (holder[0].job_id, holder[1].task_id)
    state = SlotState(slot=slot, holder=held, locked=locked)
    record = NodeRecord(now=state, at=NOON, counter=1, first_counter=1, **more)
    return NodeFacts(record=record, holder=holder)


def facts(*nodes: NodeFacts, **more: Any) -> NodesFacts:
    plain: dict[str, Any] = {"minutes": (), "waiting": (), "all_waiting": True, "host": HOST, "status": "STARTED"}
    return NodesFacts(nodes=nodes, now=NOON, zone=UTC, **{**plain, **more})


def test_card_shows_what_each_slot_runs() -> None:
    """One card for each host of a node source; the load of this machine stands in its first card."""
    view = nodes_view(
        facts(
            node(Slot(name="local-0", host="here"), (JOB, TASK)),
            node(Slot(name="local-1", host="here")),
            node(Slot(name="gpu-0", host="here", source="gpu", tokens=("bigmem",))),
            node(Slot(name="far-0", host="far", source="dask"), locked=True, locked_at=NOON - 5_000, locked_by="ana"),
        )
    )

    assert view.summary == "3 nodes up, 1 of 4 slots busy, 1 locked"
    assert view.cards == (
        Card(
            host="here",
            source="Default",
            mark=Mark.RUNNING,
            word="Busy",
            about="this machine, Linux, node source Default, 2 slots",
            meters=(
                Meter(label="CPU", percent=71.3, text="71 % of 4 cores"),
                Meter(label="Memory", percent=37.5, text="6 GiB of 16 GiB"),
            ),
            tiles=(
                Tile(slot="local-0", task="work*7", job_id=31, text="scan 31 · 1.4 s"),
                Tile(slot="local-1", text="free"),
            ),
            unlocked=2,
        ),
        Card(
            host="here",
            source="gpu",
            mark=Mark.GOOD,
            word="Free",
            about="this machine, Linux, node source gpu, 1 slot",
            tokens=("bigmem",),
            tiles=(Tile(slot="gpu-0", text="free"),),
            unlocked=1,
        ),
        Card(
            host="far",
            source="dask",
            mark=Mark.PAUSED,
            word="Locked",
            about="node source dask, 1 slot",
            tiles=(Tile(slot="far-0", text="locked", locked=True),),
            locked=1,
            lock="Locked by ana at 11:59:55: no task starts there",
        ),
    )


def test_slot_is_held_while_selection_scripts_are_asked() -> None:
    """It does not run the task yet."""
    pending = replace(TASK, status=TaskStatus.PENDING)

    (card,) = nodes_view(facts(node(Slot(name="a", host="here"), (JOB, pending)))).cards

    assert card.tiles == (Tile(slot="a", task="work*7", job_id=31, text="scan 31 · selection script"),)


def test_large_source_shows_what_runs_first() -> None:
    """Of hundreds of slots the page shows some, those with tasks first, and counts the rest."""
    slots = [node(Slot(name=f"n-{number}", host="h")) for number in range(199)]

    (card,) = nodes_view(facts(*slots, node(Slot(name="n-199", host="h"), (JOB, TASK)))).cards

    assert (card.tiles[0].slot, len(card.tiles), card.more) == ("n-199", MOST_TILES, 200 - MOST_TILES)


def test_lost_nodes_say_since_when() -> None:
    """By host; what was lost more than an hour ago is not shown any more."""
    lost = [
        node(Slot(name=f"w-{number}", host="old.example", source="dask"), (JOB, replace(TASK, task_id=number)))
        for number in range(2)
    ]
    gone = [
        replace(each, holder=None, record=replace(each.record, removed=True, at=NOON - minutes * 60_000))
        for each, minutes in ((lost[0], 20), (lost[1], 19), (node(Slot(name="x", host="older")), 61))
    ]

    assert nodes_view(facts(*gone)).lost == (
        Lost(
            name="old.example",
            text="2 slots of the node source dask; gone since 11:41:00; its 2 tasks start again on other nodes",
        ),
    )


def waiting(job_id: int = 15, **more: Any) -> WaitingTasks:
    return WaitingTasks(**{"job_id": job_id, "job_name": "train", "task": "fit", "since": NOON - 134_000, **more})


NO_TOKEN = "No node of the scheduler has the token 'GPU' (NODE_ACCESS_TOKEN). None of its nodes has a token."


@pytest.mark.parametrize(
    ("given", "status", "expected"),
    [
        (
            waiting(reason=NO_TOKEN),
            "STARTED",
            Wait(mark=Mark.HELD, title="train / fit", reason=NO_TOKEN, detail="since 2 min 14 s", job_id=15),
        ),
        (
            waiting(held=True, count=3),
            "FROZEN",
            Wait(
                mark=Mark.PAUSED,
                title="train / fit and 2 more",
                reason="the scheduler is frozen: it starts no tasks",
                detail="since 2 min 14 s",
                job_id=15,
            ),
        ),
        (
            waiting(until=NOON + 3_600_000, since=-1, count=12),
            "STARTED",
            Wait(
                mark=Mark.WAITING,
                title="train / fit and 11 more",
                reason="start at 13:00:00",
                detail="",
                job_id=15,
            ),
        ),
        (
            waiting(until=NOON + 86_400_000, since=-1),
            "STARTED",
            Wait(
                mark=Mark.WAITING,
                title="train / fit",
                reason="starts at 16 January 2027 12:00:00",
                detail="",
                job_id=15,
            ),
        ),
    ],
)
def test_waiting_has_a_reason(given: WaitingTasks, status: str, expected: Wait) -> None:
    """A condition that no node fulfils, the state of the scheduler, or a time."""
    assert nodes_view(facts(waiting=(given,), status=status)).waits == (expected,)


def test_what_needs_a_person_comes_first() -> None:
    """Then what waits for other tasks, then times; what is left out is counted."""
    many = [
        waiting(1, until=NOON + 1000),
        waiting(2, reason="All 4 nodes are busy."),
        *(waiting(number, reason="All 4 nodes are busy.", count=10) for number in range(10, 16)),
        waiting(9, reason=NO_TOKEN),
    ]

    view = nodes_view(facts(waiting=many, all_waiting=False))

    assert ([wait.job_id for wait in view.waits], view.more_waits) == (
        [9, 2, 10, 11, 12, 13],
        "and at least 21 more tasks of 3 jobs",
    )


def test_history_has_the_scale_of_all_slots() -> None:
    """Bars stand at the right; a minute in which something ran for a moment can be seen."""
    minutes = (
        BusyMinute(start=NOON // 1000 - 120, average=2.0, most=4),
        BusyMinute(start=NOON // 1000 - 60, average=0.001, most=1),
        BusyMinute(start=NOON // 1000, average=0.0, most=0),
    )

    history = nodes_view(
        facts(*(node(Slot(name=str(number), host="here")) for number in range(4)), minutes=minutes)
    ).history

    assert [(bar.x, bar.height, bar.title) for bar in history.bars] == [
        (57, 50.0, "11:58: 2 of 4 busy, at most 4"),
        (58, 2.0, "11:59: 0 of 4 busy, at most 1"),
        (59, 0.0, "12:00: 0 of 4 busy, at most 0"),
    ]
    assert (history.text, history.labels) == (
        "Busy slots in the last hour: 4 at most, 0 of 4 now",
        ("11:01", "11:31", "12:00, 0 of 4"),
    )
