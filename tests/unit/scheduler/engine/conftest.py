"""A stage for the machine: it plays service, store and executor, and checks the machine after every event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Slot
from proactive_jupyter_kernel.scheduler.engine import events
from proactive_jupyter_kernel.scheduler.engine.commands import (
    Announce,
    Command,
    ForgetJob,
    KillAttempt,
    LogLine,
    ReportFault,
    RunSelection,
    SaveJob,
    SaveTask,
    StartAttempt,
)
from proactive_jupyter_kernel.scheduler.engine.machine import Limits, Machine
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import TaskStatus

_SCRIPT = Script(language="cpython", code="pass")
_JOB = 1


def make_task(name: str, *parents: str, **fields: Any) -> Task:
    """A task with its parents; `branch=(if, else, continuation)`, `loop=target`, `runs=True` give it a flow action."""
    if "branch" in fields:
        target, otherwise, *continuation = fields.pop("branch")
        fields["flow"] = Branch(script=_SCRIPT, target=target, otherwise=otherwise, continuation="".join(continuation))
    if "loop" in fields:
        fields["flow"] = Loop(script=_SCRIPT, target=fields.pop("loop"))
    if fields.pop("runs", False):
        fields["flow"] = Replicate(script=_SCRIPT)
    return Task(name=name, executable=_SCRIPT, depends=parents, **fields)


_TASK = re.compile(r"(?P<name>[\w?]+)(\((?P<parents>[^)]*)\))?(?P<words>[^;]*)")


def sketch(text: str) -> list[Task]:
    """Tasks from a line such as ``A start runs; B(A); C(B) end loop=A; I if=T,O,J; T; O; J``."""
    return [_sketched(match) for part in text.split(";") if (match := _TASK.fullmatch(part.strip()))]


def _sketched(match: re.Match[str]) -> Task:
    words = match["words"].split()
    fields: dict[str, Any] = {"runs": "runs" in words}
    for word in words:
        key, _, value = word.partition("=")
        if key in ("start", "end"):
            fields["block"] = Block(key)
        elif key == "loop":
            fields["loop"] = value
        elif key == "if":
            fields["branch"] = value.split(",")
    return make_task(match["name"], *(match["parents"] or "").split(), **fields)


def make_workflow(*tasks: Task, **fields: Any) -> Workflow:
    return Workflow(name="job", tasks=tasks, **fields)


def failure(kind: FailureKind = FailureKind.ERROR) -> Failure:
    return Failure(kind=kind, exception="TaskException", message=f"Failed: {kind.value}")


class Stage:
    """Carries out what the machine asks for, as far as a test can see it."""

    failure = staticmethod(failure)

    def __init__(self, slots: int | Iterable[Slot] = 4, limits: Limits | None = None) -> None:
        self.limits = limits
        self.machine = Machine(limits)
        self.now = 1_000
        self.workflows: dict[int, Workflow] = {}
        #: What a store would hold.
        self.jobs: dict[int, JobRecord] = {}
        self.rows: dict[tuple[int, int], TaskRecord] = {}
        #: Attempts on their slots, oldest first, and all that were ever started.
        self.running: dict[tuple[int, int], StartAttempt] = {}
        self.started: list[StartAttempt] = []
        self.killed: list[KillAttempt] = []
        self.questions: list[RunSelection] = []
        self.logs: list[LogLine] = []
        self.announced: list[Announce] = []
        self.forgotten: list[int] = []
        #: Jobs that a fault of the machine ended.
        self.broken: set[int] = set()
        named = slots if not isinstance(slots, int) else [Slot(name=f"local-{index}") for index in range(slots)]
        self.slots = tuple(named)
        self.send_slots(*self.slots)

    # --- events ------------------------------------------------------------------------------------------------------

    def send(self, kind: type[Any], **fields: Any) -> list[Command]:
        """An event at the present time; the machine's answer is carried out and checked."""
        return self.take(self.machine.handle(kind(at=self.now, **fields)))

    def tell(self, kind: type[Any], name: str = "", *, job_id: int = _JOB, **fields: Any) -> list[Command]:
        """An event about a job, or about a task by its name."""
        if name:
            fields["task_id"] = self.row(name, job_id).task_id
        return self.send(kind, job_id=job_id, **fields)

    def submit(self, *tasks: Task, job_id: int = _JOB, **fields: Any) -> list[Command]:
        self.workflows[job_id] = make_workflow(*tasks, **fields)
        return self.send(events.JobSubmitted, job_id=job_id, workflow=self.workflows[job_id], owner="ann")

    def end(self, name: str, answer: Any = None, *, job_id: int = _JOB, **fields: Any) -> list[Command]:
        """The running attempt of a task ends: well, or with `failure=`; `answer` is what its flow script sets."""
        start = self.running.pop((job_id, self.row(name, job_id).task_id))
        fields.setdefault("variables", {})
        return self.send(
            events.AttemptEnded,
            job_id=job_id,
            task_id=start.task_id,
            number=start.number,
            flow=answer,
            flow_decided=answer is not None,
            **fields,
        )

    def send_slots(self, *slots: Slot) -> list[Command]:
        """These are all slots now."""
        self.slots = slots
        return self.send(events.SlotsChanged, slots=slots)

    def pass_time(self, milliseconds: int) -> list[Command]:
        self.now += milliseconds
        return self.send(events.TimePassed)

    def run(self, answers: Mapping[str, Any] | None = None, *, restarting: bool = False) -> None:
        """Let every attempt end well, oldest first, until nothing runs; `restarting`: after a restart each time.

        `answers`: full name, else base name -> what the flow script sets; a list gives one answer after the other.
        """
        known = answers or {}
        queues = {key: list(value) for key, value in known.items() if isinstance(value, list)}
        while self.running:
            if restarting:
                self.restart()
            job_id, task_id = next(iter(self.running))
            row = self.rows[job_id, task_id]
            key = row.name if row.name in known else row.base_name
            answer = queues[key].pop(0) if key in queues else known.get(key)
            if answer is None and row.base_name in known:
                raise AssertionError(f"no answer for {row.name}")
            self.end(row.name, self._default_answer(row) if answer is None else answer, job_id=job_id)

    def _default_answer(self, row: TaskRecord) -> Any:
        action = self.workflows[row.job_id].task(row.base_name).flow
        return {Branch: "if", Loop: False, Replicate: 1}.get(type(action))

    def restart(self) -> None:
        """kill -9 of the scheduler, and a new one on what was saved."""
        self.machine = Machine(self.limits)
        self.running.clear()
        self.questions.clear()
        alive = [
            (job, self.workflows[job_id], [row for key, row in sorted(self.rows.items()) if key[0] == job_id])
            for job_id, job in self.jobs.items()
        ]
        self.take(self.machine.restore(alive, at=self.now))
        self.send_slots(*self.slots)

    # --- commands ----------------------------------------------------------------------------------------------------

    def take(self, commands: list[Command]) -> list[Command]:
        saves = [command for command in commands if isinstance(command, SaveJob | SaveTask)]
        assert commands[: len(saves)] == saves, "what is to be stored comes first"
        self.broken |= {command.job_id for command in commands if isinstance(command, ReportFault)}
        for command in commands:
            self._carry_out(command)
        self.machine.check()
        self._check_saved(commands)
        return commands

    def _carry_out(self, command: Command) -> None:
        match command:
            case SaveJob(job=job):
                self.jobs[job.job_id] = job
            case SaveTask(task=task):
                self.rows[task.job_id, task.task_id] = task
            case StartAttempt():
                key = (command.job_id, command.task_id)
                assert key not in self.running
                assert command.number > max((old.number for old in self._starts_of(key)), default=0)
                taken = {slot.name for start in self.running.values() for slot in start.slots}
                assert not taken & {slot.name for slot in command.slots}, "a slot is used twice"
                # A slot may be locked while its selection scripts are asked; the task then still starts there.
                assert self.row_selects(key) or not self.locked() & {slot.name for slot in command.slots}
                self.running[key] = command
                self.started.append(command)
            case KillAttempt():
                # Of a job that a fault ended, an attempt may be killed that was about to start.
                if (command.job_id, command.task_id) in self.running or command.job_id not in self.broken:
                    del self.running[command.job_id, command.task_id]
                    self.killed.append(command)
            case RunSelection():
                self.questions.append(command)
            case LogLine():
                self.logs.append(command)
            case Announce():
                self.announced.append(command)
            case ForgetJob(job_id=job_id):
                self.forgotten.append(job_id)
                self.jobs.pop(job_id, None)
                self.rows = {key: row for key, row in self.rows.items() if key[0] != job_id}

    def locked(self) -> set[str]:
        """The names of the slots that are locked."""
        return {state.slot.name for state in self.machine.slots if state.locked}

    def row_selects(self, key: tuple[int, int]) -> bool:
        """Whether a task has selection scripts."""
        return bool(self.workflows[key[0]].task(self.rows[key].base_name).selection)

    def _starts_of(self, key: tuple[int, int]) -> list[StartAttempt]:
        return [start for start in self.started if (start.job_id, start.task_id) == key]

    def _check_saved(self, commands: list[Command]) -> None:
        """What was saved is what the machine knows, each row once; what runs is what the rows say."""
        rows = [(command.task.job_id, command.task.task_id) for command in commands if isinstance(command, SaveTask)]
        assert len(rows) == len(set(rows)), "a row is saved twice"
        for job in self.machine.jobs():
            assert self.jobs[job.job_id] == job
            tasks = self.machine.tasks(job.job_id)
            assert [self.rows[job.job_id, task.task_id] for task in tasks] == list(tasks)
        assert set(self.running) == {key for key, row in self.rows.items() if row.status is TaskStatus.RUNNING}

    # --- questions ---------------------------------------------------------------------------------------------------

    def row(self, name: str, job_id: int = _JOB) -> TaskRecord:
        return next(row for row in self.rows.values() if row.job_id == job_id and row.name == name)

    def rows_of(self, job_id: int = _JOB) -> list[TaskRecord]:
        return [row for key, row in sorted(self.rows.items()) if key[0] == job_id]

    def status(self, name: str = "", job_id: int = _JOB) -> str:
        """The status of the job, or of a task."""
        return (self.row(name, job_id) if name else self.jobs[job_id]).status.name

    def statuses(self, job_id: int = _JOB) -> dict[str, str]:
        """All tasks with their statuses, in order of ids."""
        return {row.name: row.status.name for row in self.rows_of(job_id)}

    def graph(self, job_id: int = _JOB) -> dict[str, str]:
        """All tasks with the names of the tasks they depend on, in order of ids."""
        rows = self.rows_of(job_id)
        return {row.name: " ".join(rows[parent].name for parent in row.depends) for row in rows}

    def picture(self, job_id: int = _JOB) -> str:
        """All tasks in order of ids, with what they depend on, and the status where it is not FINISHED."""
        shown = [
            name
            + (f"({parents})" if parents else "")
            + ("" if self.status(name, job_id) == "FINISHED" else f" {self.status(name, job_id)}")
            for name, parents in self.graph(job_id).items()
        ]
        return "; ".join(shown)

    def draw(self, text: str, *, job_id: int = _JOB, **fields: Any) -> None:
        """Submit a workflow given as a `sketch`."""
        self.submit(*sketch(text), job_id=job_id, **fields)

    def results(self, name: str, job_id: int = _JOB) -> str:
        """The names of the tasks whose results the last attempt of a task saw, in order."""
        return " ".join(self.rows[job_id, parent].name for parent in self.start_of(name, job_id).parents)

    def start_of(self, name: str, job_id: int = _JOB) -> StartAttempt:
        """The last attempt of a task."""
        return self._starts_of((job_id, self.row(name, job_id).task_id))[-1]

    def counters(self, job_id: int = _JOB) -> dict[str, int]:
        """The job's counters, without those that are 0."""
        job = self.jobs[job_id]
        names = ("total", "pending", "running", "finished", "faulty", "in_error", "failed")
        return {name: getattr(job, name) for name in names if getattr(job, name)}

    def events(self) -> list[str]:
        """What was announced since the last call, in order."""
        said, self.announced = self.announced, []
        return [announce.event for announce in said]


@pytest.fixture(scope="session")
def stage() -> type[Stage]:
    """Makes a machine with slots and everything around it."""
    return Stage


@pytest.fixture(scope="session")
def task() -> Callable[..., Task]:
    """Makes a task: name, parents, then fields of `Task`, `branch=`, `loop=`, `runs=`."""
    return make_task


@pytest.fixture(scope="session")
def failed() -> Callable[..., Failure]:
    """Makes a failure of a kind."""
    return failure
