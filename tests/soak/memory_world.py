"""The service over a real store with scripted tasks, in one process, and faults at every call of the store's writer.

A *kill* here is what ``kill -9`` leaves: whatever SQLite committed is in the file, nothing else is, and nothing more
can be written. The next life begins from the file. A round takes some ten milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from tests.soak.invariants import Evidence, Mark, Seen, TaskEnd

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError, SubmissionRefused
from proactive_jupyter_kernel.scheduler import settings
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.engine import rules
from proactive_jupyter_kernel.scheduler.executors.memory import MemoryExecutor, ScriptedAttempt
from proactive_jupyter_kernel.scheduler.service import driver as driver_module
from proactive_jupyter_kernel.scheduler.service import submission, writer
from proactive_jupyter_kernel.scheduler.service.check_question import Question
from proactive_jupyter_kernel.scheduler.service.service import Service, now_ms
from proactive_jupyter_kernel.scheduler.service.site import Site
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow

__all__ = ["FAULTS", "Round", "calls_to_strike", "ends_in", "play", "rows_of"]

#: Seconds for all jobs of a life to end; far more than they need.
_PATIENCE = 20.0
#: How likely it is at each look that the clock was set meanwhile, and by how many milliseconds.
_JUMP, _DAY = 0.05, 86_400_000
_SCRIPT = Script(language="bash", code="true")

#: Split in three, with a task beside that fails once.
WORKFLOW = Workflow(
    name="round",
    tasks=(
        Task(name="begin", executable=_SCRIPT, flow=Replicate(script=_SCRIPT)),
        Task(name="work", executable=_SCRIPT, depends=("begin",)),
        Task(name="merge", executable=_SCRIPT, depends=("work",)),
        Task(name="flaky", executable=_SCRIPT, max_executions=3),
    ),
)
EXPECTED = {name: f"value of {name}" for name in ("begin", "work", "work*1", "work*2", "merge", "flaky")}


class _Killed(BaseException):
    """The process is gone: nothing catches this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at a call of the writer."""

    #: Raised at the call; None: the process is killed.
    error: Callable[[], Exception] | None = None
    #: Strikes only calls that begin so, and these after they were carried out.
    after: str = ""
    #: How many calls in a row are struck.
    calls: int = 1


def _sqlite(name: str, message: str) -> Callable[[], Exception]:
    def make() -> Exception:
        error = sqlite3.OperationalError(message)
        error.sqlite_errorname, error.sqlite_errorcode = name, getattr(sqlite3, name)
        return error

    return make


FAULTS: Mapping[str, Fault] = {
    "killed": Fault(),
    # Stored, and nobody was told.
    "killed after a commit": Fault(after="COMMIT"),
    "disk full": Fault(error=_sqlite("SQLITE_FULL", "database or disk is full"), calls=3),
    "input and output error": Fault(error=_sqlite("SQLITE_IOERR", "disk I/O error")),
    "locked by another process": Fault(error=_sqlite("SQLITE_BUSY", "database is locked"), calls=2),
}


@dataclass(slots=True, kw_only=True)
class Plan:
    """At which call of the writer which fault strikes; it counts the calls."""

    fault: Fault | None = None
    at: int = 0
    calls: int = 0
    dead: bool = False
    #: Called at the kill.
    died: Callable[[], None] = lambda: None

    def struck(self, connection: sqlite3.Connection, sql: str, call: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        if self.dead:
            raise sqlite3.OperationalError("the process was killed")
        after = self.fault.after if self.fault else ""
        self.calls += sql.startswith(after)
        if self.fault is None or not self.at <= self.calls < self.at + self.fault.calls or not sql.startswith(after):
            return call()
        if after:
            call()
        if self.fault.error is not None:
            raise self.fault.error()
        self.dead = True
        # Without COMMIT: what was not committed is rolled back, as after the end of a process.
        connection.close()
        self.died()
        raise _Killed


def _connections(plan: Plan) -> type[sqlite3.Connection]:
    """Connections that follow the plan, except those that only read."""

    class Planned(sqlite3.Connection):
        reads = False
        ready = False

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            if sql.startswith("PRAGMA query_only"):
                self.reads = True
            self.ready = self.ready or sql.startswith("PRAGMA journal_size_limit")
            if self.reads or not self.ready or sql.startswith("PRAGMA"):
                return super().execute(sql, parameters)
            return plan.struck(self, sql, lambda: super(Planned, self).execute(sql, parameters))

        def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
            return plan.struck(self, sql, lambda: super(Planned, self).executemany(sql, parameters))

    return Planned


@contextlib.contextmanager
def _planned(plan: Plan) -> Iterator[None]:
    factory = _connections(plan)
    real = sqlite3.connect
    # Nobody waits here: not for the disk, not for the next execution of a task, not after the clock was set.
    with (
        mock.patch.object(sqlite3, "connect", lambda *args, **kwargs: real(*args, **kwargs, factory=factory)),
        mock.patch.object(writer, "_RETRY_FIRST", 0.001),
        mock.patch.object(driver_module, "_LONGEST_SLEEP", 50),
        mock.patch.object(rules, "growing_delay", return_value=1),
    ):
        yield


class _Prepared:
    """A checker that knows its only workflow: what is tested here is what comes after."""

    def __init__(self) -> None:
        self._workflow = submission.prepare(
            xml.dumps(WORKFLOW), variables={}, generic_information={}, site={}, hidden=HiddenValues.for_one_run()
        )

    async def prepare(self, question: Question) -> Workflow:
        return self._workflow

    async def validate(self, question: Question) -> submission.Validation:
        return submission.Validation(valid=True)

    async def close(self) -> None:
        """Nothing runs."""


_CHECKER = _Prepared()
_TEXT = xml.dumps(WORKFLOW)


@dataclass(slots=True, kw_only=True)
class Round:
    """One round: lives of a scheduler over the same file, and what is known of them."""

    file: Path
    #: How many jobs are submitted.
    jobs: int = 1
    #: Faults of the lives, one after the other; the life after the last one has none.
    faults: list[tuple[Fault, int]] = field(default_factory=list)
    #: Says when the clock is set to another day, and to which; None: the clock is right.
    jumps: random.Random | None = None
    offset: int = 0
    marks: list[Mark] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    #: (job, task id) that listeners were told of as finished.
    told: set[tuple[int, int]] = field(default_factory=set)
    seen: dict[tuple[int, str], Seen] = field(default_factory=dict)
    #: Calls of the writer in each life.
    calls: list[int] = field(default_factory=list)
    clock: Iterator[int] = field(default_factory=itertools.count)
    executions: Iterator[int] = field(default_factory=itertools.count)
    broken: list[str] = field(default_factory=list)

    # --- the lives -----------------------------------------------------------------------------------------------

    def run(self) -> Evidence:
        """All lives, and the evidence."""
        for fault, at in self.faults:
            plan = Plan(fault=fault, at=at)
            if not self._life(plan):
                break
        else:
            self._life(Plan())
        return self._evidence()

    def _life(self, plan: Plan) -> bool:
        """One life; whether it ended with a kill."""
        with _planned(plan):
            try:
                store = SqliteStore(self.file)
            except (_Killed, EmbeddedSchedulerError):
                # It did not even start; the next one does.
                return True
            killed = False
            try:
                asyncio.run(self._serve(store, plan))
            finally:
                killed = plan.dead
                plan.dead = True  # What is closed now must not write any more than a dead process would.
                with contextlib.suppress(sqlite3.Error, _Killed):
                    store.close()
        self.calls.append(plan.calls)
        self._look()
        return killed

    async def _serve(self, store: SqliteStore, plan: Plan) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self._unexpected(context))
        service = Service(
            store=store,
            executor=MemoryExecutor(dict.fromkeys(("begin", "work", "merge", "flaky"), self._task), slots=3),
            settings=settings.load({}),
            site=Site(user="ana", home=str(self.file.parent), url="http://127.0.0.1:1", spaces={}),
            clock=self._now,
            checker=_CHECKER,
        )
        service.listeners.add(self._hear, tasks=True)
        died = asyncio.Event()
        plan.died = died.set
        use = asyncio.create_task(self._use(service, plan))
        death = asyncio.create_task(died.wait())
        try:
            await asyncio.wait({use, death}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if use.done():
                use.result()
        finally:
            use.cancel()
            death.cancel()
            await asyncio.gather(use, death, return_exceptions=True)
            # The end of a life that is over politely; of a killed one it only gives its threads back.
            with contextlib.suppress(_Killed, *((Exception,) if plan.dead else ())):
                await service.close()

    async def _use(self, service: Service, plan: Plan) -> None:
        """What a client does: submit until all jobs are acknowledged, and wait until they have ended."""
        with contextlib.suppress(_Killed):
            await service.start()
            while len(self.acknowledged) < self.jobs:
                with contextlib.suppress(SubmissionRefused):
                    record = await service.submit(_TEXT, owner="ana")
                    self.acknowledged.add(record.job_id)
            while self._alive():
                await asyncio.sleep(0.002)

    def _alive(self) -> bool:
        ended = "('FINISHED', 'FAILED', 'CANCELED', 'KILLED')"
        return rows_of(self.file, f"SELECT count(*) FROM jobs WHERE status NOT IN {ended}") != [(0,)]

    def _unexpected(self, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, _Killed):
            self.broken.append(f"an exception nobody handled: {context.get('message')}: {error!r}")

    def _now(self) -> int:
        if self.jumps is not None and self.jumps.random() < _JUMP:
            self.offset = self.jumps.choice((0, _DAY, -_DAY))
        return now_ms() + self.offset

    # --- tasks ---------------------------------------------------------------------------------------------------

    async def _task(self, scripted: ScriptedAttempt) -> Outcome:
        attempt = scripted.attempt
        execution = f"{attempt.key} {next(self.executions)}"

        def mark(kind: str) -> None:
            at = next(self.clock)
            self.marks.append(
                Mark(job_id=attempt.job_id, task=attempt.task_name, execution=execution, kind=kind, at=at)
            )

        mark("begin")
        scripted.say(f"{attempt.number} begin")
        for _ in range(3):
            await asyncio.sleep(0)
            mark("alive")
        scripted.say(f"{attempt.number} end")
        mark("end")
        if attempt.task_name == "flaky" and attempt.number == 1:
            failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="once")
            return Outcome(failure=failure)
        flow = {"flow": 3, "flow_decided": True} if attempt.flow else {}
        return Outcome(value=f"value of {attempt.task_name}", **flow)

    def _hear(self, announcement: Any) -> None:
        if announcement.event == "TASK_RUNNING_TO_FINISHED":
            self.told.add((announcement.job_id, announcement.task_id))

    # --- evidence ------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """What is finished in the file, after a life; and everything that was told must be among it."""
        at = next(self.clock)
        _, tasks, ids = ends_in(self.file)
        for (job_id, task), end in tasks.items():
            if end.status == "FINISHED":
                self.seen.setdefault((job_id, task), Seen(job_id=job_id, task=task, end=end, at=at))
        for key in sorted(self.told):
            name = ids.get(key)
            if name is None or (key[0], name) not in self.seen:
                self.broken.append(f"task {key[1]} of job {key[0]} was told as finished, and is not stored")

    def _evidence(self) -> Evidence:
        jobs, tasks, _ = ends_in(self.file)
        if not self.told:
            self.broken.append("no listener was told of a finished task")
        return Evidence(
            acknowledged=frozenset(self.acknowledged),
            marks=tuple(self.marks),
            seen=tuple(self.seen.values()),
            jobs=jobs,
            tasks=tasks,
            expected=EXPECTED,
            integrity=str(rows_of(self.file, "PRAGMA integrity_check")[0][0]),
            left=(*self.broken, *_open_handles(self.file.parent)),
        )


def rows_of(file: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.Connection(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def ends_in(file: Path) -> tuple[dict[int, str], dict[tuple[int, str], TaskEnd], dict[tuple[int, int], str]]:
    """Jobs, tasks with results and logs, and names of task ids, read by a store of our own."""
    store = SqliteStore(file)
    try:
        jobs: dict[int, str] = dict(rows_of(file, "SELECT job_id, status FROM jobs"))
        tasks: dict[tuple[int, str], TaskEnd] = {}
        ids: dict[tuple[int, int], str] = {}
        for job_id in jobs:
            results = store.results(job_id)
            for task in store.tasks(job_id):
                ids[job_id, task.task_id] = task.name
                result = results.get(task.task_id)
                tasks[job_id, task.name] = TaskEnd(
                    status=task.status.value,
                    value=result.value.decoded() if result else None,
                    lines=tuple(line.text for line in store.log(job_id, task.task_id).lines),
                )
        return jobs, tasks, ids
    finally:
        store.close()


def _open_handles(folder: Path) -> Iterator[str]:
    """Files of the folder that this process still has open, on systems that tell."""
    handles = Path("/proc/self/fd")
    if not handles.exists():
        return
    for handle in handles.iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(handle)
            if target.startswith(f"{folder}/"):
                yield f"open file {target}"


_NUMBERS = itertools.count()


def play(
    folder: Path, *faults: tuple[str, int], jobs: int = 1, jumps: random.Random | None = None
) -> tuple[Evidence, list[int]]:
    """A round with the named faults at these calls, each in a life of its own; also the calls of each life."""
    place = folder / str(next(_NUMBERS))
    place.mkdir()
    chosen = [(FAULTS[name], at) for name, at in faults]
    made = Round(file=place / "scheduler.db", faults=chosen, jobs=jobs, jumps=jumps)
    evidence = made.run()
    shutil.rmtree(place)
    return evidence, made.calls


def calls_to_strike(folder: Path, fault: str) -> int:
    """How many calls the fault can strike in a round in which nothing fails."""
    return play(folder, (fault, 10**9))[1][0]
