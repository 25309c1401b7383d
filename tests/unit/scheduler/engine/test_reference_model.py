"""Random nestings of controls, played by the machine and by a model that knows no copying.

The model walks the nesting itself: a loop runs its inside again, a split runs each child so often, a branch runs one
way and skips the other (execution semantics, sections 4.1 to 4.5 and 9.3). What both make is compared task by task:
base name, status, dependencies, and whose results a task sees. The numbers in names depend on who is first; only their
rules are compared.
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.workflow.checks import errors
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script, Task, Workflow

_SCRIPT = Script(language="cpython", code="pass")
_SLOTS = tuple(Slot(name=f"s{number}", host="h") for number in range(3))
#: A loop's task goes round at most this often within its ancestors.
_PASSES = 3
#: How many tasks a nesting may make to be played at all.
_TASKS = 600

# --- nestings: tuples that begin with their kind ---------------------------------------------------------------------

_LEAF = st.sampled_from([("task",), ("task",), ("self loop",)])


def _composed(inner: st.SearchStrategy) -> st.SearchStrategy:
    """One level more around `inner`."""
    some = st.lists(inner, min_size=1, max_size=2).map(tuple)
    unit = st.one_of(_LEAF, st.tuples(st.sampled_from(["block", "loop"]), some))
    return st.one_of(
        st.tuples(st.just("loop"), some),
        st.tuples(st.just("block"), some),
        st.tuples(st.just("branch"), unit, unit),
        st.tuples(st.just("replicate"), st.lists(unit, min_size=1, max_size=2).map(tuple)),
    )


_NESTINGS = st.lists(st.recursive(_LEAF, _composed, max_leaves=6), min_size=1, max_size=3).map(tuple)


class Writer:
    """Writes a nesting as a workflow; each element gets the names of its tasks."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def add(self, depends: tuple[str, ...], flow=None, block: Block = Block.NONE) -> str:
        name = f"T{len(self.tasks)}"
        self.tasks.append(Task(name=name, executable=_SCRIPT, depends=depends, flow=flow, block=block))
        return name

    def sequence(self, elements, parents: tuple[str, ...]):
        named = []
        for element in elements:
            named.append(self.element(element, parents))
            parents = (named[-1][-1],)
        return tuple(named), parents

    def element(self, element, parents: tuple[str, ...]):
        """The element with its names: its kind, what is in it, its first task and, at the end, its last."""
        kind = element[0]
        if kind == "task":
            return kind, self.add(parents)
        if kind == "self loop":
            name = f"T{len(self.tasks)}"
            return kind, self.add(parents, flow=Loop(script=_SCRIPT, target=name))
        if kind in ("block", "loop"):
            start = self.add(parents, block=Block.START)
            inside, last = self.sequence(element[1], (start,))
            flow = Loop(script=_SCRIPT, target=start) if kind == "loop" else None
            return kind, start, inside, self.add(last, flow=flow, block=Block.END)
        if kind == "replicate":
            split = self.add(parents, flow=Replicate(script=_SCRIPT))
            children = tuple(self.element(child, (split,)) for child in element[1])
            return kind, split, children, self.add(tuple(child[-1] for child in children))
        place, decide = len(self.tasks), self.add(parents)
        ways = self.element(element[1], ()), self.element(element[2], ())
        join = self.add(())
        branch = Branch(script=_SCRIPT, target=ways[0][1], otherwise=ways[1][1], continuation=join)
        self.tasks[place] = Task(name=decide, executable=_SCRIPT, depends=parents, flow=branch)
        return kind, decide, ways, join


# --- the model -------------------------------------------------------------------------------------------------------


def digest(*parts: object) -> int:
    return zlib.crc32(repr(parts).encode())


def answer(kind: str, seed: int, mark: int, passes: int):
    """What the flow script of a task says, from where it stands alone."""
    luck = digest(seed, mark)
    if kind == "branch":
        return ("if", "else")[luck % 2]
    return luck % 2 == 0 and passes < _PASSES if kind == "loop" else luck % 3


@dataclass
class Made:
    """A task of the model."""

    base: str
    parents: list[Made]
    skipped: bool = False
    #: Which replica of its block it begins.
    ordinal: int = 0
    #: What is seen in place of it, where it is skipped.
    instead: list[Made] = field(default_factory=list)

    def __post_init__(self) -> None:
        ancestors: dict[str, int] = {}
        for parent in self.parents:
            for base, count in parent.passes.items():
                ancestors[base] = max(ancestors.get(base, 0), count)
        self.passes = {**ancestors, self.base: ancestors.get(self.base, 0) + 1}
        self.mark = digest(self.base, self.skipped, self.ordinal, sorted(parent.mark for parent in self.parents))

    @property
    def sees(self) -> list[int]:
        return sorted({parent.mark for parent in effective(self.parents)})


def effective(parents: list[Made]) -> list[Made]:
    return [one for parent in parents for one in (parent.instead if parent.skipped else [parent])]


class Model:
    """Plays a nesting."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.made: list[Made] = []

    def make(self, base: str, parents: list[Made], ordinal: int = 0) -> Made:
        if len(self.made) >= _TASKS:
            # Loops and replications in each other multiply without end in sight.
            reject()
        self.made.append(Made(base, parents, ordinal=ordinal))
        return self.made[-1]

    def says(self, kind: str, task: Made):
        return answer(kind, self.seed, task.mark, task.passes[task.base])

    def sequence(self, elements, last: Made | None) -> Made | None:
        for element in elements:
            last = self.run(element, [last] if last else [])
        return last

    def run(self, element, parents: list[Made], ordinal: int = 0) -> Made:
        """Run the element after these parents; its last task."""
        kind, first = element[0], self.make(element[1], parents, ordinal)
        if kind == "task":
            return first
        if kind == "self loop":
            while self.says("loop", first):
                first = self.make(element[1], [first])
            return first
        if kind == "branch":
            return self.branch(element, first)
        if kind == "replicate":
            return self.replicate(element, first)
        end = self.make(element[3], [self.sequence(element[2], first)])
        while kind == "loop" and self.says("loop", end):
            end = self.make(element[3], [self.sequence(element[2], self.make(element[1], [end]))])
        return end

    def branch(self, element, decide: Made) -> Made:
        ways = element[2] if self.says("branch", decide) == "if" else element[2][::-1]
        last = self.run(ways[0], [decide])
        self.skip(ways[1], [decide], [decide])
        return self.make(element[3], [last])

    def replicate(self, element, split: Made) -> Made:
        runs, ends = self.says("replicate", split), []
        for child in element[2]:
            if runs:
                ends += [self.run(child, [split], ordinal) for ordinal in range(runs)]
            else:
                ends.append(self.skip(child, [split], [split]))
        return self.make(element[3], ends)

    def skip(self, element, parents: list[Made], instead: list[Made]) -> Made:
        """Skip the element: one task of each name, with the dependencies as they are written."""

        def make(base: str, parents: list[Made]) -> Made:
            self.made.append(Made(base, parents, skipped=True, instead=instead))
            return self.made[-1]

        kind, last = element[0], make(element[1], parents)
        if kind == "branch":
            for way in element[2]:
                self.skip(way, [], instead)
            return make(element[3], [])
        if kind == "replicate":
            return make(element[3], [self.skip(child, [last], instead) for child in element[2]])
        if kind in ("block", "loop"):
            for inner in element[2]:
                last = self.skip(inner, [last], instead)
            return make(element[3], [last])
        return last


# --- the machine -----------------------------------------------------------------------------------------------------


class Reading:
    """The machine's tasks, in the words of the model."""

    def __init__(self, play) -> None:
        self.play = play
        self.known: dict[int, Made] = {}

    def made(self, task_id: int) -> Made:
        """A task whose dependencies are final: it runs or has ended."""
        if task_id not in self.known:
            row = self.play.rows[1, task_id]
            skipped = row.status.value == "SKIPPED"
            parents = [self.made(parent) for parent in row.depends]
            made = Made(row.base_name, parents, skipped=skipped, ordinal=0 if skipped else self.ordinal(row))
            self.known[task_id] = made
        return self.known[task_id]

    def ordinal(self, row) -> int:
        """Its rank among the tasks that a split made of one child."""
        same = [
            other for other in self.play.rows_of() if (other.base_name, other.depends) == (row.base_name, row.depends)
        ]
        return sorted(other.replication for other in same).index(row.replication)


def picture(made: list[Made]) -> Counter:
    """Tasks regardless of their order and numbers."""
    return Counter((task.base, task.skipped, task.ordinal, task.mark) for task in made)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(nesting=_NESTINGS, seed=st.integers(0, 1_000))
def test_machine_does_what_the_model_does(stage, nesting, seed):
    """Whatever is nested in whatever, in whatever order tasks end: the same tasks with the same statuses, dependencies
    and parents' results as the model's; names are unique, and copies alone have tags."""
    writer = Writer()
    named, _ = writer.sequence(nesting, ())
    workflow = Workflow(name="random", tasks=tuple(writer.tasks))
    assert [str(problem) for problem in errors(workflow)] == []
    model = Model(seed)
    model.sequence(named, None)

    play, order = stage(slots=_SLOTS), random.Random(seed)
    play.workflows[1] = workflow
    play.send(events.JobSubmitted, job_id=1, workflow=workflow, owner="ann")
    reading = Reading(play)
    kinds = {Branch: "branch", Loop: "loop", Replicate: "replicate"}
    while play.running:
        row = play.rows[order.choice(sorted(play.running))]
        flow, made = workflow.task(row.base_name).flow, reading.made(row.task_id)
        said = None if flow is None else answer(kinds[type(flow)], seed, made.mark, made.passes[row.base_name])
        play.end(row.name, said)

    rows = play.rows_of()
    assert play.status() == "FINISHED"
    assert picture([reading.made(row.task_id) for row in rows]) == picture(model.made)
    seen = Counter(
        (play.rows[1, start.task_id].base_name, tuple(sorted({reading.made(parent).mark for parent in start.parents})))
        for start in play.started
    )
    assert seen == Counter((task.base, tuple(task.sees)) for task in model.made if not task.skipped)
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        numbers = f"#{row.iteration}" * bool(row.iteration) + f"*{row.replication}" * bool(row.replication)
        assert row.name == row.base_name + numbers
        assert bool(row.tag) is bool(row.iteration or row.replication)
