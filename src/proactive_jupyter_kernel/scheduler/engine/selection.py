"""Selection scripts: which slots a task asks about, what their answers mean, and how long it waits when all refuse.

Execution semantics, section 10.3. A task without selection scripts never comes here.
"""

from __future__ import annotations

from dataclasses import replace

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.commands import RunSelection
from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, Selecting, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Demand, Placed
from proactive_jupyter_kernel.scheduler.engine.propagation import inherited

__all__ = ["answered", "select", "unpark"]

#: Pauses between two rounds of selection over the same slots, in milliseconds: doubled each round, within these.
_FIRST_PAUSE, _LONGEST_PAUSE = 1_000, 30_000


def select(core: Core, job: JobState, node: TaskNode, demand: Demand) -> Placed:
    """Ask about free slots for the first task of a line; park the task where all have refused."""
    current = core.demand(job, node)
    if current != demand:
        core.queue.put((job.id, node.id), job.record.priority, current)
        return Placed.MOVED
    slots = core.board.find(demand, core.near(job, node))
    if slots:
        _ask(core, job, node, slots)
        return Placed.GONE
    unasked = replace(demand, refused=frozenset())
    if demand.refused and len(core.board.suitable(demand)) < demand.nodes <= len(core.board.suitable(unasked)):
        _park(core, job, node)
        return Placed.GONE
    return Placed.NO_SLOT


def _ask(core: Core, job: JobState, node: TaskNode, slots: tuple[Slot, ...]) -> None:
    """Hold the slots, and ask the scripts about those whose answer is not known."""
    key = (job.id, node.id)
    selecting = node.selecting = node.selecting or Selecting()
    known = {slot.name for slot in slots if job.static_answers.get((node.record.base_name, slot.name))}
    unknown = [slot for slot in slots if slot.name not in known | selecting.accepted]
    if not unknown:
        core.start(job, node, slots)
        return
    core.queue.remove(key)
    core.board.hold(slots, key)
    selecting.held = slots
    selecting.awaited = {slot.name for slot in unknown}
    variables = inherited(job, node)
    for slot in unknown:
        core.put(RunSelection(job_id=job.id, task_id=node.id, slot=slot, inherited=variables))


def _park(core: Core, job: JobState, node: TaskNode) -> None:
    """Every slot refused: wait for a change of the slots or, if the answers may change, for a while."""
    key = (job.id, node.id)
    core.queue.remove(key)
    core.parked.add(key)
    if node.selecting and node.selecting.refused:
        core.wake(job, node, max(core.now + 1, min(node.selecting.refused.values())))


def unpark(core: Core, job: JobState, node: TaskNode) -> None:
    """Ask again, as far as the refusals are old enough."""
    core.parked.discard((job.id, node.id))
    if node.selecting:
        node.selecting.rounds += 1
        node.selecting.accepted.clear()
        node.selecting.refused = {name: until for name, until in node.selecting.refused.items() if until > core.now}
    core.enqueue(job, node)


def answered(core: Core, job: JobState, node: TaskNode, slot: str, selected: bool) -> None:
    """The selection scripts have said whether they accept a slot."""
    selecting = node.selecting
    if selecting is None or slot not in selecting.awaited:
        return
    selecting.awaited.discard(slot)
    if node.rules.static_selection:
        job.static_answers[node.record.base_name, slot] = selected
    elif not selected:
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(selecting.rounds, 10))
        selecting.refused[slot] = core.now + pause
    if selected:
        selecting.accepted.add(slot)
    if selecting.awaited:
        return
    slots, selecting.held = selecting.held, ()
    key = (job.id, node.id)
    core.board.release(slots, key)
    useful = core.board.slots.keys() - job.refused(node, core.board.slots)
    if core.starts_tasks and core.admits(job) and all(slot.name in useful for slot in slots):
        core.start(job, node, slots)
    else:
        core.enqueue(job, node)
