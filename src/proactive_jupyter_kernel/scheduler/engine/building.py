"""From a workflow to a job's first tasks: dependencies by id, branch links, matched blocks."""

from __future__ import annotations

from collections.abc import Mapping

from proactive_jupyter_kernel.scheduler.engine.job_state import JobState, Links, TaskNode
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.rules import plain, start_time
from proactive_jupyter_kernel.workflow.blocks import match_blocks
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["build_job", "static_links"]


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
    for task in workflow.tasks:
        plain(task.block)
    graph = Graph(workflow)
    blocks = match_blocks(graph)
    if not graph.branches and not blocks.end_of:
        return [Links()] * len(workflow.tasks)

    def joined(name: str) -> tuple[int, ...]:
        """The last tasks of both sides of the branch that continues here."""
        branch_tasks = graph.joined_by.get(name, ())
        sides = (way for one in branch_tasks for way in (graph.branches[one].target, graph.branches[one].otherwise))
        return tuple(ids[blocks.last(side)] for side in sides)

    def link(name: str) -> Links:
        branch = graph.branches.get(name)
        partner, initiator = blocks.partner(name), graph.branch_of.get(name)
        return Links(
            branch=None if initiator is None else ids[initiator],
            joined=joined(name),
            targets=() if branch is None else (ids[branch.target], ids[branch.otherwise]),
            # A continuation that names no task is ignored, as ProActive does.
            continuation=ids.get(graph.continuation(name)),
            partner=None if partner is None else ids[partner],
        )

    return [link(task.name) for task in workflow.tasks]
