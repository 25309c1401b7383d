"""What branch, loop and replicate do to the running graph (execution semantics, sections 4.2 to 4.4).

Every function here works while its initiator has ended but its children do not know it yet; `apply` is called once for
each execution that takes its flow action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from proactive_jupyter_kernel.scheduler.engine.copying import Copies, region
from proactive_jupyter_kernel.scheduler.engine.core import Core
from proactive_jupyter_kernel.scheduler.engine.flow import Choose, Decision, Repeat, Runs, Stop
from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, TaskNode, copy_name
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.workflow.model import Block, Loop
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["apply"]


def apply(core: Core, job: JobState, node: TaskNode, decision: Decision) -> None:
    """Do to the graph what the decision of `node` asks for."""
    match decision:
        case Choose(target):
            _branch(core, job, node, target)
        case Repeat(start_at):
            _loop(core, job, node, start_at)
        case Runs(count):
            _replicate(core, job, node, count)
        case Stop(remark):
            if remark:
                core.log(job, node, remark)


# --- branch ----------------------------------------------------------------------------------------------------------


def _branch(core: Core, job: JobState, node: TaskNode, target: bool) -> None:
    if not node.links.targets:
        return
    first, second = (job.nodes[task_id] for task_id in node.links.targets)
    chosen, other = (first, second) if target else (second, first)
    job.add_dependencies(chosen, [node])
    if node.links.continuation is not None:
        job.add_dependencies(job.nodes[node.links.continuation], [_end(job, chosen)])
    _skip(core, job, _hanging_on(job, other))
    job.add_dependencies(other, [node])


def _end(job: JobState, start: TaskNode) -> TaskNode:
    """The end of the block that the task starts; the task itself if it starts none."""
    if start.definition.block is Block.START and start.links.partner is not None:
        return job.nodes[start.links.partner]
    return start


def _hanging_on(job: JobState, first: TaskNode) -> list[TaskNode]:
    """A task and everything that hangs on it alone: children all of whose parents do, and what inner branch tasks
    lead to. The continuation of the branch that skips `first` does not: it is not a child of either way."""
    found = {first.id: first}
    hanging_parents: dict[int, int] = {}
    todo = [first]
    while todo:
        node = todo.pop()
        below = list(node.links.targets)
        if node.links.continuation is not None:
            below.append(node.links.continuation)
        for child_id in node.children:
            hanging_parents[child_id] = hanging_parents.get(child_id, 0) + 1
            if hanging_parents[child_id] == len(job.nodes[child_id].record.depends):
                below.append(child_id)
        for task_id in below:
            if task_id not in found:
                found[task_id] = job.nodes[task_id]
                todo.append(job.nodes[task_id])
    return sorted(found.values(), key=lambda node: node.id)


def _skip(core: Core, job: JobState, nodes: Iterable[TaskNode]) -> None:
    skipped = list(nodes)
    for node in skipped:
        core.withdraw(job, node)
        job.move(node, TaskStatus.SKIPPED, finished_at=core.after(job.record.submitted_at))
        core.announce("TASK_SKIPPED", job, node)
    for node in skipped:
        for child in job.settle(node):
            core.consider(job, child)


# --- loop ------------------------------------------------------------------------------------------------------------


def _loop(core: Core, job: JobState, node: TaskNode, start_at: int | None) -> None:
    """Copy the tasks of the loop for its next iteration; what depended on its end depends on the end of the copy."""
    action = node.definition.flow
    assert isinstance(action, Loop)
    copies = Copies(
        job=job,
        originals=region(job, action.target, node),
        start_base=action.target,
        initiator=node,
        index=lambda original: _next_iteration(job, original),
        start_at=start_at,
    )
    children = [job.nodes[child_id] for child_id in sorted(node.children)]
    made = copies.make(lambda records: _loop_tag(records[node.record.base_name], start_at, core.zone))
    successor = made[node.record.base_name]
    for child in children:
        job.replace_dependency(child, node, successor)
        job.replace_joined(child, node, successor)
    core.announce("TASK_REPLICATED", job)


def _next_iteration(job: JobState, original: TaskNode) -> tuple[int, int]:
    record = original.record
    iteration = record.iteration + 1
    while copy_name(record.base_name, iteration, record.replication) in job.by_name:
        iteration += 1
    return iteration, record.replication


def _loop_tag(record: TaskRecord, start_at: int | None, zone: tzinfo) -> str:
    moment = str(record.iteration)
    if start_at is not None:
        moment = datetime.fromtimestamp(start_at / 1_000, zone).strftime("%d_%m_%y_%H_%M")
    return f"LOOP-{copy_name(record.base_name, 0, record.replication)}-{moment}"


# --- replicate -------------------------------------------------------------------------------------------------------


def _replicate(core: Core, job: JobState, node: TaskNode, runs: int) -> None:
    """A continuation that depends on the task only because a branch chose it is not copied."""
    children = [job.nodes[child_id] for child_id in sorted(node.children)]
    for child in children:
        if child.links.joined:
            continue
        end = _end(job, child)
        tasks = region(job, child.record.base_name, end)
        if not runs:
            _skip(core, job, tasks)
        else:
            _copy_runs(job, node, child, end, tasks, runs)
    if children and runs > 1:
        core.announce("TASK_REPLICATED", job)


def _copy_runs(job: JobState, node: TaskNode, child: TaskNode, end: TaskNode, tasks: list[TaskNode], runs: int) -> None:
    base = child.record.base_name
    copies = Copies(
        job=job,
        originals=tasks,
        start_base=base,
        initiator=node,
        index=lambda original: _next_replication(job, original),
        start_at=child.record.start_at,
    )

    def tag(records: Mapping[str, TaskRecord]) -> str:
        return f"REPLICATE-{node.record.name}-{records[base].replication}"

    followers = [job.nodes[task_id] for task_id in sorted(end.children)]
    ends = [copies.make(tag)[end.record.base_name] for _ in range(1, runs)]
    for follower in followers:
        job.add_dependencies(follower, ends)


def _next_replication(job: JobState, original: TaskNode) -> tuple[int, int]:
    record = original.record
    return record.iteration, job.highest_replication[record.base_name, record.iteration] + 1
