"""Random valid workflows, random outcomes, people and crashes: what must hold whatever happens.

The stage checks the machine's invariants after every event: no slot is used twice, no task runs before its parents
ended, counters equal the statuses, names are unique, what is stored is what the machine knows, nothing is stuck.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.records import UNSET
from proactive_jupyter_kernel.workflow.checks import errors
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ErrorPolicy,
    Loop,
    Priority,
    Replicate,
    RestartMode,
    Script,
    SelectionScript,
    Task,
    Workflow,
)
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, TaskStatus

_SCRIPT = Script(language="cpython", code="pass")
_SLOTS = tuple(Slot(name=f"s{number}", host=f"h{number % 2}") for number in range(3))
_EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# --- workflows -------------------------------------------------------------------------------------------------------


class Builder:
    """Builds a workflow of nested blocks. An element is a pair: the task it begins with, the task it ends with."""

    def __init__(self, draw, rich: bool) -> None:
        self.draw = draw
        self.rich = rich
        self.tasks: dict[str, Task] = {}
        self.left = draw(st.integers(1, 9), label="size")

    def add(self, *parents: str, **fields: object) -> str:
        name = f"T{len(self.tasks)}"
        if self.rich:
            fields |= self.draw(_TASK_FIELDS)
        self.tasks[name] = Task(name=name, executable=_SCRIPT, depends=parents, **fields)
        return name

    def change(self, name: str, **fields: object) -> None:
        self.tasks[name] = replace(self.tasks[name], **fields)

    def sequence(self, *parents: str, depth: int) -> tuple[str, str]:
        """One to three elements, one after the other."""
        first, last = self.element(*parents, depth=depth)
        for _ in range(self.draw(st.integers(0, 2))):
            _, last = self.element(last, depth=depth)
        return first, last

    def element(self, *parents: str, depth: int) -> tuple[str, str]:
        self.left -= 1
        kinds = ["task", "self loop"]
        if depth and self.left > 0:
            kinds += ["loop", "branch", "replicate", "diamond"]
        return getattr(self, self.draw(st.sampled_from(kinds)).replace(" ", "_"))(*parents, depth=depth - 1)

    def task(self, *parents: str, depth: int) -> tuple[str, str]:
        name = self.add(*parents)
        return name, name

    def self_loop(self, *parents: str, depth: int) -> tuple[str, str]:
        name = self.add(*parents)
        self.change(name, flow=Loop(script=_SCRIPT, target=name))
        return name, name

    def block(self, *parents: str, depth: int) -> tuple[str, str]:
        start = self.add(*parents, block=Block.START)
        inner_parent = start
        if self.draw(st.booleans()):
            # The start of a block may split itself; what it splits ends before the block does.
            self.change(start, flow=Replicate(script=_SCRIPT))
            _, inner = self.replicable(start, depth=depth)
            inner_parent = self.add(inner)
        _, last = self.sequence(inner_parent, depth=depth)
        end = self.add(last, block=Block.END)
        return start, end

    def loop(self, *parents: str, depth: int) -> tuple[str, str]:
        start, end = self.block(*parents, depth=depth)
        self.change(end, flow=Loop(script=_SCRIPT, target=start))
        return start, end

    def replicable(self, *parents: str, depth: int) -> tuple[str, str]:
        kinds = ["task", "self_loop", *(["block", "loop"] if depth > 0 else [])]
        return getattr(self, self.draw(st.sampled_from(kinds)))(*parents, depth=depth)

    def replicate(self, *parents: str, depth: int) -> tuple[str, str]:
        split = self.add(*parents, flow=Replicate(script=_SCRIPT))
        ends = [self.replicable(split, depth=depth)[1] for _ in range(self.draw(st.integers(1, 2)))]
        return split, self.add(*ends)

    def branch(self, *parents: str, depth: int) -> tuple[str, str]:
        decide = self.add(*parents)
        ways = [self.replicable(depth=depth) for _ in range(2)]
        join = self.add()
        flow = Branch(script=_SCRIPT, target=ways[0][0], otherwise=ways[1][0], continuation=join)
        self.change(decide, flow=flow)
        return decide, join

    def diamond(self, *parents: str, depth: int) -> tuple[str, str]:
        """Several ways side by side, in a block, which makes a random graph of their tasks."""
        start = self.add(*parents, block=Block.START)
        inner = [start]
        for _ in range(self.draw(st.integers(1, 4))):
            chosen = self.draw(st.lists(st.sampled_from(inner), min_size=1, max_size=3, unique=True))
            inner.append(self.add(*chosen))
        used = {parent for name in inner for parent in self.tasks[name].depends}
        return start, self.add(*[name for name in inner if name not in used], block=Block.END)

    def open_branch(self, parent: str) -> None:
        """A branch without continuation; both ways just end, so it stands at the end of a workflow."""
        ways = [self.sequence(depth=1) for _ in range(2)]
        flow = Branch(script=_SCRIPT, target=ways[0][0], otherwise=ways[1][0])
        self.change(self.add(parent), flow=flow)


_TASK_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "on_error": st.sampled_from(ErrorPolicy),
        "max_executions": st.integers(1, 3),
        "restart": st.sampled_from(RestartMode),
        "nodes": st.integers(1, 2),
        "retry_delay": st.integers(1, 2),
        "selection": st.booleans().map(lambda static: (SelectionScript(script=_SCRIPT, static=static),)),
        "generic_information": st.just({"START_AT": "1970-01-01T00:00:03Z"}),
    },
)


@st.composite
def workflows(draw, *, rich: bool = False) -> Workflow:
    """Valid workflows: chains of tasks, loops, branches, replicates and diamonds, nested up to three deep."""
    builder = Builder(draw, rich)
    _, last = builder.sequence(depth=3)
    if draw(st.booleans()):
        builder.open_branch(last)
    tasks = tuple(draw(st.permutations(list(builder.tasks.values()))))
    workflow = Workflow(name="random", tasks=tasks, priority=draw(st.sampled_from(sorted(Priority)[1:])))
    assert [str(problem) for problem in errors(workflow)] == []
    return workflow


# --- what a script answers -------------------------------------------------------------------------------------------


def answer_for(workflow: Workflow, row, seed: int):
    """An answer that depends on nothing but the task and the seed; loops end after a few iterations."""
    luck = zlib.crc32(f"{seed} {row.name}".encode())
    action = workflow.task(row.base_name).flow
    if isinstance(action, Branch):
        return ("if", "else")[luck % 2]
    if isinstance(action, Loop):
        return row.iteration < 2 and luck % 2 == 0
    return None if action is None else luck % 3


def hanging(rows, other: int) -> set[int]:
    """The tasks that a branch skips with its task `other`, by the letter of ProActive's rule; for comparison."""
    by_id = {row.task_id: row for row in rows}

    @cache
    def hangs(task_id: int, depth: int) -> bool:
        row = by_id[task_id]
        if task_id == other:
            return depth >= 0
        if joined := row.private.get("joined"):
            return all(hangs(end, depth - 1) for end in joined)
        if (branch := row.private.get("branch")) is not None:
            return hangs(branch, depth + 1)
        return bool(row.depends) and all(hangs(parent, depth) for parent in row.depends)

    return {task_id for task_id in by_id if hangs(task_id, 0)}


# --- properties ------------------------------------------------------------------------------------------------------


@_EXAMPLES
@given(workflow=workflows(), seed=st.integers(0, 1_000))
def test_every_nesting_ends_with_every_task_ended(stage, workflow, seed):
    """Whatever is nested in whatever: the job finishes, every task is FINISHED or SKIPPED, branches skip by the rule,
    every result that a task saw was there."""
    play = stage(slots=_SLOTS)
    play.workflows[1] = workflow
    play.send(events.JobSubmitted, job_id=1, workflow=workflow, owner="ann")
    while play.running:
        row = play.rows[next(iter(play.running))]
        answer = answer_for(workflow, row, seed)
        expected = None
        if isinstance(workflow.task(row.base_name).flow, Branch):
            other = row.private["targets"][answer == "if"]
            before = {key[1] for key, old in play.rows.items() if old.status is TaskStatus.SKIPPED}
            expected = before | hanging(play.rows_of(), other)
        play.end(row.name, answer, variables={row.name: 1})
        if expected is not None:
            assert {key[1] for key, new in play.rows.items() if new.status is TaskStatus.SKIPPED} == expected
    assert play.status() == "FINISHED"
    assert {row.status for row in play.rows_of()} <= {TaskStatus.FINISHED, TaskStatus.SKIPPED}
    assert play.jobs[1].finished == play.jobs[1].total == len(play.rows)
    for start in play.started:
        names = {play.rows[1, parent].name for parent in start.parents}
        assert all(play.rows[1, parent].status is TaskStatus.FINISHED for parent in start.parents)
        assert names <= set(start.inherited)


@_EXAMPLES
@given(workflow=workflows(), seed=st.integers(0, 1_000), period=st.integers(1, 7))
def test_restarts_change_nothing(stage, workflow, seed, period):
    """A run with kill -9 and restart in between makes the same tasks, dependencies and results as one without."""

    def played(restarts: bool):
        play = stage(slots=_SLOTS[:1])
        play.workflows[1] = workflow
        play.send(events.JobSubmitted, job_id=1, workflow=workflow, owner="ann")
        ended = 0
        while play.running:
            if restarts and ended % period == 0:
                play.restart()
            row = play.rows[next(iter(play.running))]
            play.end(row.name, answer_for(workflow, row, seed))
            ended += 1
        return play

    straight, restarted = played(False), played(True)
    assert restarted.picture() == straight.picture()
    for name in straight.graph():
        if straight.status(name) == "FINISHED":
            assert restarted.results(name) == straight.results(name)
    assert [row.executions_left for row in restarted.rows_of()] == [row.executions_left for row in straight.rows_of()]


_KINDS = (FailureKind.ERROR, FailureKind.DIED, FailureKind.WALLTIME, FailureKind.LOST, FailureKind.KILLED)
_ON_TASKS = (
    events.KillTask,
    events.RestartTask,
    events.PreemptTask,
    events.RestartInErrorTask,
    events.FinishInErrorTask,
)
_ON_JOBS = (
    events.PauseJob,
    events.ResumeJob,
    events.ScriptsRead,
    events.RestartAllInErrorTasks,
    events.KillJob,
    events.RemoveJob,
)


class Chaos:
    """Does whatever may happen to jobs, as hypothesis draws it."""

    def __init__(self, play, data) -> None:
        self.play = play
        self.data = data

    def draw(self, *choices):
        return self.data.draw(st.sampled_from(choices))

    def step(self) -> None:
        likely = [self.end] * 6 + [self.pass_time] * 2 + [self.answer_question] * 3
        self.draw(
            *likely,
            self.on_task,
            self.on_job,
            self.change_job,
            self.change_slots,
            self.lock,
            self.command,
            self.restart,
        )()

    def end(self) -> None:
        if not self.play.running:
            return
        key = self.draw(*self.play.running)
        row = self.play.rows[key]
        failure = None
        if self.draw(True, False, False):
            failure = self.play.failure(self.draw(*_KINDS))
        answer = answer_for(self.play.workflows[key[0]], row, 7)
        answer = self.draw(answer, answer, answer, None, "nonsense")
        self.play.end(row.name, answer, job_id=key[0], failure=failure)

    def answer_question(self) -> None:
        if not self.play.questions:
            return
        question = self.draw(*self.play.questions)
        self.play.questions.remove(question)
        place = {"job_id": question.job_id, "task_id": question.task_id, "slot": question.slot.name}
        self.play.send(events.SelectionEnded, **place, selected=self.draw(True, True, False))

    def on_task(self) -> None:
        if self.play.rows:
            job_id, task_id = self.draw(*self.play.rows)
            self.play.send(self.draw(*_ON_TASKS), job_id=job_id, task_id=task_id)

    def on_job(self) -> None:
        self.play.send(self.draw(*_ON_JOBS[:2] * 3, *_ON_JOBS), job_id=self.draw(1, 2))

    def change_job(self) -> None:
        job_id = self.draw(1, 2)
        if self.draw(True, False):
            self.play.send(events.SetPriority, job_id=job_id, priority=self.draw(*Priority))
        else:
            self.play.send(events.SetStartAt, job_id=job_id, start_at=self.draw(0, self.play.now + 1_500))

    def change_slots(self) -> None:
        self.play.send_slots(*_SLOTS[: self.draw(0, 1, 2, 3)])

    def lock(self) -> None:
        names = tuple(slot.name for slot in _SLOTS[: self.draw(1, 2, 3)])
        self.play.send(events.LockSlots, names=names, locked=self.draw(True, False))

    def command(self) -> None:
        self.play.send(events.SchedulerCommand, verb=self.draw("pause", "freeze", "resume", "stop", "start"))

    def restart(self) -> None:
        self.play.restart()

    def pass_time(self) -> None:
        self.play.pass_time(self.draw(1, 700, 5_000))

    def settle(self) -> None:
        """Nobody disturbs any more: everything goes on to its end."""
        play = self.play
        for verb in ("start", "resume"):
            play.send(events.SchedulerCommand, verb=verb)
        play.send_slots(*_SLOTS)
        play.send(events.LockSlots, names=tuple(slot.name for slot in _SLOTS), locked=False)
        for _ in range(5_000):
            for job in play.machine.jobs():
                play.send(events.ResumeJob, job_id=job.job_id)
                for row in [row for row in play.machine.tasks(job.job_id) if row.status is TaskStatus.IN_ERROR]:
                    play.send(events.FinishInErrorTask, job_id=job.job_id, task_id=row.task_id)
            if not play.machine.jobs():
                return
            self.go_on()
        raise AssertionError(f"jobs do not end: {[play.picture(job.job_id) for job in play.machine.jobs()]}")

    def go_on(self) -> None:
        play = self.play
        if play.questions:
            question = play.questions.pop(0)
            place = {"job_id": question.job_id, "task_id": question.task_id, "slot": question.slot.name}
            play.send(events.SelectionEnded, **place, selected=True)
        elif play.running:
            key = next(iter(play.running))
            row = play.rows[key]
            play.end(row.name, answer_for(play.workflows[key[0]], row, 7), job_id=key[0])
        elif (due := play.machine.next_wakeup) is not None:
            play.pass_time(max(0, due - play.now))
        else:
            self.kill_refused()

    def kill_refused(self) -> None:
        """Tasks that static scripts keep off every slot wait until they are killed; no others do."""
        refused = [row for row in self.play.rows.values() if row.status is TaskStatus.PENDING and self.is_static(row)]
        assert refused, "nothing runs and nothing is waited for"
        for row in refused:
            self.play.send(events.KillTask, job_id=row.job_id, task_id=row.task_id)

    def is_static(self, row) -> bool:
        selection = self.play.workflows[row.job_id].task(row.base_name).selection
        return bool(selection) and selection[0].static


@_EXAMPLES
@given(data=st.data())
def test_chaos_ends_well(stage, data):
    """Whatever happens in whatever order: the invariants hold, and once nobody disturbs any more every job ends, with
    every task ended, no attempt left and every slot free."""
    play = stage(slots=_SLOTS)
    chaos = Chaos(play, data)
    for job_id in (1, 2):
        play.workflows[job_id] = data.draw(workflows(rich=True), label=f"job {job_id}")
        names = [task.name for task in play.workflows[job_id].tasks]
        play.send(
            events.JobSubmitted,
            job_id=job_id,
            workflow=play.workflows[job_id],
            owner="ann",
            reading=data.draw(st.frozensets(st.sampled_from(names)), label="tasks with links"),
            reading_until=play.now + 800,
        )
    for _ in range(data.draw(st.integers(0, 40), label="steps")):
        chaos.step()
    chaos.settle()
    assert all(job.status in JOB_ENDED for job in play.jobs.values())
    assert all(row.status in TASK_ENDED for row in play.rows.values())
    assert (play.running, play.machine.next_wakeup) == ({}, None)
    for job_id, job in play.jobs.items():
        rows = play.rows_of(job_id)
        assert len({row.name for row in rows}) == len(rows) == job.total
        left_in_error = [row for row in rows if row.status is TaskStatus.NOT_STARTED and row.in_error_at != UNSET]
        assert (job.pending, job.running, job.in_error) == (0, 0, len(left_in_error))
