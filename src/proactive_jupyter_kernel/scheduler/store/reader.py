"""Reads the store beside the event loop: the only way in which requests read.

A query is a function that reads. It runs in a thread of a small pool, inside one read transaction, so that all that it
reads is of one moment, and the loop never waits for the disk or for the decoding of large rows. With its result comes
the revision of that moment: a client that polls with it misses no change.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from proactive_jupyter_kernel.scheduler.store.base import Rows, Store
from proactive_jupyter_kernel.workflow.model import Task, Workflow

__all__ = ["DecodedWorkflow", "OutputNotStored", "Reader", "Workflows"]

_View = TypeVar("_View")
_Found = TypeVar("_Found")

#: Queries that run at the same time. Most take less than a millisecond; the others share one processor anyway.
_THREADS = 8
#: How many workflows are kept decoded.
_WORKFLOWS = 32


class OutputNotStored(Exception):
    """A query reads a log while lines of output still wait to be stored. The reader stores them and asks again."""


@dataclass(frozen=True, slots=True)
class DecodedWorkflow:
    """A workflow with its references resolved, and its tasks by name."""

    workflow: Workflow
    tasks: Mapping[str, Task]

    @classmethod
    def of(cls, workflow: Workflow) -> DecodedWorkflow:
        """A workflow and the index of its tasks."""
        return cls(workflow, {task.name: task for task in workflow.tasks})


class Workflows:
    """A cache of decoded workflows, the most recently used ones. Thread-safe."""

    def __init__(self, most: int = _WORKFLOWS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[int, DecodedWorkflow] = OrderedDict()
        #: Jobs that were removed while a thread may still be decoding their workflow.
        self._removals = 0

    def get(self, job_id: int, load: Callable[[int], Workflow | None]) -> DecodedWorkflow | None:
        """The workflow of a job, decoded by `load` if it is not at hand; None if there is none."""
        with self._lock:
            known = self._known.get(job_id)
            if known is not None:
                self._known.move_to_end(job_id)
                return known
            removals = self._removals
        workflow = load(job_id)
        if workflow is None:
            return None
        decoded = DecodedWorkflow.of(workflow)
        with self._lock:
            if removals == self._removals:
                self._keep(job_id, decoded)
        return decoded

    def remember(self, job_id: int, workflow: Workflow) -> None:
        """Keep a decoded workflow that will be needed soon."""
        with self._lock:
            self._keep(job_id, DecodedWorkflow.of(workflow))

    def forget(self, job_id: int) -> None:
        """Drop the workflow of a removed job."""
        with self._lock:
            self._removals += 1
            self._known.pop(job_id, None)

    def _keep(self, job_id: int, decoded: DecodedWorkflow) -> None:
        self._known[job_id] = decoded
        self._known.move_to_end(job_id)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


class Reader(Generic[_View]):
    """Queries of one store. `_View` is what a query gets to read from."""

    def __init__(
        self,
        store: Store,
        *,
        view: Callable[[Rows, bool], _View],
        output_waits: Callable[[], bool],
        store_output: Callable[[], Awaitable[None]],
        first_revision: int,
    ) -> None:
        """`view` makes of the rows of one moment what queries read from; its second argument is whether all output is
        stored; where it is not, the view raises `OutputNotStored` for a log. `output_waits` says so, and `store_output`
        stores it. Revisions start at `first_revision`."""
        self._store = store
        self._view = view
        self._output_waits = output_waits
        self._store_output = store_output
        self._first_revision = first_revision
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="reader")

    async def query(self, read: Callable[[_View], _Found]) -> tuple[int, _Found]:
        """Call `read` in a thread; the revision of the state that it saw, and what it returned.

        `read` only reads: it may be called twice.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._read, read, not self._output_waits())
        except OutputNotStored:
            await self._store_output()
            return await loop.run_in_executor(self._threads, self._read, read, True)

    def begin(self, read: Callable[[_View], _Found]) -> Awaitable[_Found]:
        """As `query`, of the rows as they are now: whatever is written after this call does not show."""
        with contextlib.ExitStack() as stack:
            rows = stack.enter_context(self._store.snapshot())
            _ = rows.revision  # the transaction begins with its first reading
            transaction = stack.pop_all()

        def run() -> _Found:
            with transaction:
                return read(self._view(rows, True))

        return asyncio.get_running_loop().run_in_executor(self._threads, run)

    def _read(self, read: Callable[[_View], _Found], output_stored: bool) -> tuple[int, _Found]:
        with self._store.snapshot() as rows:
            revision = max(rows.revision, self._first_revision)
            return revision, read(self._view(rows, output_stored))

    def close(self) -> None:
        """End the threads; queries that run are finished first."""
        self._threads.shutdown(cancel_futures=True)
