"""From a workflow to a job's first tasks: dependencies by id, branch links, matched blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.rules import plain, start_time
from proactive_jupyter_kernel.scheduler.engine.state import JobState, Links, TaskNode
from proactive_jupyter_kernel.workflow.model import Block, Branch, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["build_job", "matched_blocks", "static_links"]


def build_job(job_id: int, workflow: Workflow, owner: str, at: int, *, node_failures: int) -> JobState:
    """The state of a job that was just submitted; ValueError where a reference is left in the workflow."""
    record = JobRecord(
        job_id=job_id,
        name=workflow.name,
        owner=owner,
        status=JobStatus.PENDING,
        priority=plain(workflow.priority),
        submitted_at=at,
        start_at=start_time(workflow.generic_information),
    )
    job = JobState(record, workflow, node_failures=node_failures)
    ids = {task.name: index for index, task in enumerate(workflow.tasks)}
    links = static_links(workflow, ids)
    for index, task in enumerate(workflow.tasks):
        rules = job.rules[task.name]
        task_record = TaskRecord(
            job_id=job_id,
            task_id=index,
            name=task.name,
            base_name=task.name,
            status=TaskStatus.SUBMITTED,
            depends=tuple(dict.fromkeys(ids[parent] for parent in task.depends)),
            executions_left=rules.max_executions,
            node_failures_left=node_failures,
            start_at=rules.start_at,
        )
        job.add(TaskNode(task_record, task, rules, links[index]))
    for node in job.nodes:
        job.connect(node)
    return job


def static_links(workflow: Workflow, ids: Mapping[str, int]) -> list[Links]:
    """The links of every task, in the workflow's order."""
    partners = matched_blocks(workflow)
    branch: dict[str, int] = {}
    joined: dict[str, tuple[int, ...]] = {}
    for task in workflow.tasks:
        if isinstance(task.flow, Branch):
            ways = (task.flow.target, task.flow.otherwise)
            branch.update(dict.fromkeys(ways, ids[task.name]))
            joined[task.flow.continuation] = tuple(ids[_end(workflow, partners, way)] for way in ways)
    return [
        Links(
            branch=branch.get(task.name),
            joined=joined.get(task.name, ()),
            targets=(ids[task.flow.target], ids[task.flow.otherwise]) if isinstance(task.flow, Branch) else (),
            # A continuation that names no task is ignored, as ProActive does.
            continuation=ids.get(task.flow.continuation) if isinstance(task.flow, Branch) else None,
            partner=ids[partners[task.name]] if task.name in partners else None,
        )
        for task in workflow.tasks
    ]


def _end(workflow: Workflow, partners: Mapping[str, str], way: str) -> str:
    """The last task of one way of a branch: the end of the block that the target starts, or the target itself."""
    return partners.get(way, way) if plain(workflow.task(way).block) is Block.START else way


def matched_blocks(workflow: Workflow) -> dict[str, str]:
    """Start and end of each block, both ways: name -> name of the other end.

    Matched as ProActive's FlowChecker does: down from each entry point with a stack of open starts, each task once.
    An explicit stack instead of recursion, since a chain of tasks may be long.
    """
    tasks = {task.name: task for task in workflow.tasks}
    below = _ways_down(tasks)
    linked = {name for task in workflow.tasks for name in _branch_names(task) if name in tasks}
    partners: dict[str, str] = {}
    seen: set[str] = set()
    # A stack of open starts is a chain (innermost, rest), shared between the ways that it leads.
    todo: list[tuple[str, _Open]] = [
        (task.name, None) for task in workflow.tasks if not task.depends and task.name not in linked
    ]
    while todo:
        name, open_starts = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        block = plain(tasks[name].block)
        if block is Block.START:
            open_starts = (name, open_starts)
        elif block is Block.END and open_starts:
            partners[name], partners[open_starts[0]] = open_starts[0], name
            open_starts = open_starts[1]
        todo += [(child, open_starts) for child in below[name]]
    return partners


_Open = tuple[str, "_Open"] | None


def _branch_names(task: Task) -> Iterator[str]:
    if isinstance(task.flow, Branch):
        yield task.flow.target
        yield task.flow.otherwise
        yield task.flow.continuation


def _ways_down(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    """Children, branch targets and continuation of each task. Both ways to a continuation are balanced, so it is
    entered with the stack of the branch task."""
    below: dict[str, list[str]] = {name: [] for name in tasks}
    for task in tasks.values():
        for parent in task.depends:
            below[parent].append(task.name)
        below[task.name] += [name for name in _branch_names(task) if name in tasks]
    return below
