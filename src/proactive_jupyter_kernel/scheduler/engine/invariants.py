"""What is always true of the machine between two events. Costs as much as there are tasks: for tests and diagnosis."""

from __future__ import annotations

from collections import Counter

from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.job_state import GROUP, WAITING_FOR_RETRY, JobState, TaskNode
from proactive_jupyter_kernel.scheduler.engine.placement import Key
from proactive_jupyter_kernel.scheduler.engine.transitions import SchedulerStatus
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TaskStatus

__all__ = ["check"]

_COUNTERS = ("pending", "running", "in_error", "finished")
#: A task in one of these has seen its parents end.
_FREED = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.IN_ERROR}) | WAITING_FOR_RETRY


def check(core: Core) -> None:
    """AssertionError, with its place, where the machine's indices and counters differ from its tasks."""
    holders: dict[str, Key] = {}
    for job in core.jobs.values():
        _check_counters(job)
        _check_names(job)
        _check_graph(job)
        for node in job.nodes:
            _check_waiting(core, job, node)
            _collect_slots(core, job, node, holders)
        _check_progress(core, job)
    _same(core.board.holders, holders, "slots and their holders")
    running = {
        (job.id, node.id) for job in core.jobs.values() for node in job.nodes if node.status is TaskStatus.RUNNING
    }
    _same(set(core.running), running, "running tasks")


def _same(found: object, expected: object, what: str) -> None:
    """Raise AssertionError if they differ."""
    if found != expected:
        raise AssertionError(f"{what}: the machine has {found}, its tasks say {expected}")


def _check_counters(job: JobState) -> None:
    groups = Counter(GROUP[node.status] for node in job.nodes)
    expected = {name: groups[name] for name in _COUNTERS}
    expected["faulty"] = sum(node.counted_faulty for node in job.nodes)
    expected["failed"] = sum(node.status is TaskStatus.FAILED for node in job.nodes)
    _same(job.counts, expected, f"counters of job {job.id}")
    _same(job.record.total, len(job.nodes), f"total of job {job.id}")
    _same(job.record.status, job.status(), f"status of job {job.id}")
    if job.record.status in JOB_ENDED or job.complete:
        raise AssertionError(f"job {job.id} has ended, but the machine holds it")


def _check_names(job: JobState) -> None:
    _same([node.id for node in job.nodes], list(range(len(job.nodes))), f"task ids of job {job.id}")
    _same(len({node.record.name for node in job.nodes}), len(job.nodes), f"number of task names in job {job.id}")
    for node in job.nodes:
        _same(job.by_name[node.record.name], node, f"task {node.record.name} of job {job.id}")


def _check_graph(job: JobState) -> None:
    children: dict[int, set[int]] = {node.id: set() for node in job.nodes}
    for node in job.nodes:
        for parent in node.record.depends:
            children[parent].add(node.id)
    for node in job.nodes:
        who = f"task {node.record.name} of job {job.id}"
        _same(set(node.children), children[node.id], f"children of {who}")
        _same(node.settled, node.ended, f"whether the children know of the end of {who}")
        if not node.ended:
            waiting = node.held + sum(not job.nodes[parent].ended for parent in node.record.depends)
            _same(node.waiting, waiting, f"parents that {who} waits for")
            if node.status in _FREED and waiting:
                raise AssertionError(f"{who} is {node.status.name}, but {waiting} of its parents have not ended")


def _check_waiting(core: Core, job: JobState, node: TaskNode) -> None:
    """Every task that is not held up by parents, its job or a person waits in exactly one place."""
    key = (job.id, node.id)
    who = f"task {node.record.name} of job {job.id}"
    _same(node.id in job.ready, node.status is TaskStatus.PENDING, f"readiness of {who}")
    asking = bool(node.selecting and node.selecting.held)
    places = [key in core.queue, key in core.parked, asking]
    pending = node.status is TaskStatus.PENDING and (core.admits(job) or sum(places) > 0)
    _same(sum(places), int(pending), f"places where {who} waits for a slot")
    delayed = node.status is TaskStatus.SUBMITTED and not node.waiting
    _same(node.id in job.delayed, delayed, f"wait for a start time of {who}")
    if node.status in WAITING_FOR_RETRY or delayed:
        _same(node.wake is not None, True, f"timer of {who}")
    if job.paused and node.status in (TaskStatus.SUBMITTED, TaskStatus.PENDING, *()):
        raise AssertionError(f"{who} is {node.status.name} in a paused job")
    if not job.paused and node.status is TaskStatus.PAUSED:
        raise AssertionError(f"{who} is PAUSED in a job that is not")


def _collect_slots(core: Core, job: JobState, node: TaskNode, holders: dict[str, Key]) -> None:
    key = (job.id, node.id)
    slots = core.running.get(key, ()) or (node.selecting.held if node.selecting else ())
    for slot in slots:
        if slot.name in holders:
            raise AssertionError(f"slot {slot.name} is used by {holders[slot.name]} and {key}")
        holders[slot.name] = key


def _check_progress(core: Core, job: JobState) -> None:
    """A job that was not stopped has a task that runs, could run, or waits for a time or a person."""
    if job.paused or core.status is SchedulerStatus.KILLED:
        return
    if not any(node.status in _FREED for node in job.nodes) and not job.delayed:
        story = {node.record.name: node.status.name for node in job.nodes if not node.ended}
        raise AssertionError(f"job {job.id} can never end; it waits with {story}")
