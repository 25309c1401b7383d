"""Parents as the client derives them, against what the embedded scheduler's engine made, for random nestings."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.client.lineage import parents_of
from proactive_jupyter_kernel.client.records import TaskState
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.commands import SaveTask, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.events import AttemptEnded, JobSubmitted, SlotsChanged
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.workflow.model import Block, Branch, FlowAction, Loop, Replicate, Script, Task, Workflow

CODE = Script(language="cpython", code="pass")
#: A job that has grown so far grows no more.
ENOUGH = 60

#: A chain of plain tasks (None) and controls around chains.
Chain: TypeAlias = "list[tuple[str, Chain] | tuple[str, Chain, Chain] | None]"

chains = st.recursive(
    st.lists(st.none(), min_size=1, max_size=2),
    lambda inner: st.lists(
        st.one_of(
            st.none(),
            st.tuples(st.sampled_from(["loop", "replicate"]), inner),
            st.tuples(st.just("branch"), inner, inner),
        ),
        min_size=1,
        max_size=3,
    ),
    max_leaves=8,
)


@dataclass
class Builder:
    """Lays chains out as tasks."""

    tasks: list[Task] = field(default_factory=list)

    def add(self, after: str, flow: FlowAction | None = None, block: Block = Block.NONE) -> str:
        name = f"T{len(self.tasks)}"
        depends = (after,) if after else ()
        self.tasks.append(Task(name=name, executable=CODE, depends=depends, flow=flow, block=block))
        return name

    def chain(self, items: Chain, after: str) -> str:
        """The last task of the chain."""
        for item in items:
            match item:
                case None:
                    after = self.add(after)
                case ("loop", inner):
                    start = self.add(after, block=Block.START)
                    last = self.chain(inner, start)
                    after = self.add(last, Loop(script=CODE, target=start), Block.END)
                case ("replicate", inner):
                    _, end = self.block(inner, self.add(after, Replicate(script=CODE)))
                    after = self.add(end)
                case ("branch", one, other):
                    after = self.branch(one, other, after)
        return after

    def block(self, inner: Chain, after: str) -> tuple[str, str]:
        start = self.add(after, block=Block.START)
        return start, self.add(self.chain(inner, start), block=Block.END)

    def branch(self, one: Chain, other: Chain, after: str) -> str:
        place = len(self.tasks)
        initiator = self.add(after)
        (target, _), (otherwise, _) = self.block(one, ""), self.block(other, "")
        continuation = self.add("")
        flow = Branch(script=CODE, target=target, otherwise=otherwise, continuation=continuation)
        depends = (after,) if after else ()
        self.tasks[place] = Task(name=initiator, executable=CODE, depends=depends, flow=flow)
        return continuation


def played(workflow: Workflow, chance: random.Random, stop_after: int) -> list[TaskRecord]:
    """The tasks of the job when that many attempts have ended, or all; controls answer by chance."""
    machine = Machine()
    rows: dict[int, TaskRecord] = {}
    running: list[StartAttempt] = []
    slots = tuple(Slot(name=f"slot{number}") for number in range(3))
    event: SlotsChanged | JobSubmitted | AttemptEnded
    event = SlotsChanged(at=0, slots=slots)
    for at in range(1, stop_after + 2):
        for command in machine.handle(event):
            if isinstance(command, SaveTask):
                rows[command.task.task_id] = command.task
            elif isinstance(command, StartAttempt):
                running.append(command)
        if at == 1:
            event = JobSubmitted(at=at, job_id=1, workflow=workflow, owner="ann")
            continue
        if not running:
            break
        attempt = running.pop(chance.randrange(len(running)))
        answer = answered(workflow.task(rows[attempt.task_id].base_name).flow, chance, len(rows) > ENOUGH)
        event = AttemptEnded(
            at=at,
            job_id=1,
            task_id=attempt.task_id,
            number=attempt.number,
            flow=answer,
            flow_decided=answer is not None,
        )
    return [rows[number] for number in sorted(rows)]


def answered(flow: FlowAction | None, chance: random.Random, enough: bool) -> object:
    match flow:
        case Branch():
            return chance.choice(["if", "else"])
        case Loop():
            return not enough and chance.random() < 0.5
        case Replicate():
            return 1 if enough else chance.randrange(4)
    return None


@settings(deadline=None, max_examples=150)
@given(chains, st.integers(0, 2**32), st.sampled_from([10_000, 10_000, 6, 15]))
def test_the_client_derives_what_the_engine_made(chain: Chain, seed: int, stop_after: int) -> None:
    """For every nesting of controls, whatever they answered, also in the midst of a job."""
    builder = Builder()
    builder.chain(chain, "")
    workflow = Workflow(name="job", tasks=tuple(builder.tasks))
    rows = played(workflow, random.Random(seed), stop_after)
    states = [
        TaskState(
            id=row.task_id,
            name=row.name,
            status=row.status,
            iteration=row.iteration,
            replication=row.replication,
            tag=row.tag,
        )
        for row in rows
    ]
    undecided = {branch_task for row in rows for branch_task in _open_ways(workflow, row)}
    found = parents_of(workflow, states)
    for row in rows:
        if row.base_name not in undecided:
            assert found[row.name] == tuple(rows[parent].name for parent in row.depends), row.name


def _open_ways(workflow: Workflow, row: TaskRecord) -> set[str]:
    """The tasks that a branch which has not been taken (yet) leads to: there the client knows more than the engine."""
    flow = workflow.task(row.base_name).flow
    if not isinstance(flow, Branch) or row.status.name == "FINISHED":
        return set()
    return {flow.target, flow.otherwise, flow.continuation}
