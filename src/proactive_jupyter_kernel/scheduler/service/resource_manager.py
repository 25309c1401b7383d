"""The nodes as the REST API sees them: their states, what happened to them, locks, and the load of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import UnknownTask
from proactive_jupyter_kernel.scheduler.engine.events import LockSlots
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.scheduler.engine.placement import SlotState
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.listeners import Listeners
from proactive_jupyter_kernel.scheduler.service.nodes import NodeHistory, NodeRecord
from proactive_jupyter_kernel.scheduler.service.questions import Questions

if TYPE_CHECKING:
    from proactive_jupyter_kernel.scheduler.service.host_load import HostLoad

__all__ = ["ResourceManager"]

_TASK_CHANGES = frozenset({"TASK_PENDING_TO_RUNNING", "TASK_RUNNING_TO_FINISHED"})


class ResourceManager:
    """The slots of the executor, shown as nodes. Call everything from the loop's thread."""

    def __init__(
        self, *, machine: Machine, driver: Driver, ask: Questions, listeners: Listeners, clock: Callable[[], int]
    ) -> None:
        self._machine = machine
        self._driver = driver
        self._ask = ask
        self._listeners = listeners
        self._clock = clock
        self._book = NodeHistory(clock)

    @property
    def states(self) -> tuple[SlotState, ...]:
        """Every slot with its state."""
        return self._machine.slots

    @property
    def counter(self) -> int:
        """The number of the last change that a look noticed."""
        return self._book.counter

    def look(self) -> list[NodeRecord]:
        """Every node with the last thing that happened to it, also those that are gone."""
        return self._book.look(self.states)

    def unmet_condition(self, job_id: int, task_id: int) -> str:
        """Which condition of a task that is ready no node fulfils now; empty where none, or it is not ready."""
        try:
            return self._machine.unmet(job_id, task_id)
        except KeyError:
            return ""  # the job has ended

    async def lock(self, names: Iterable[str], *, locked: bool, user: str) -> None:
        """Let slots start no more tasks, or let them start tasks again. Locks end with the scheduler."""
        chosen = tuple(names)
        self._driver.post(LockSlots(at=self._clock(), names=chosen, locked=locked))
        await self._driver.writer.settled()
        self.look()
        self._book.locked(chosen, user if locked else None)

    def waiting(self) -> tuple[tuple[WaitingTasks, ...], bool]:
        """Which tasks wait for a node or a time, and why; and whether these are all."""
        return self._machine.waiting()

    def holder(self, state: SlotState) -> tuple[JobRecord, TaskRecord] | None:
        """The job and the task that hold a node, as the machine knows them; None if it is free."""
        return None if state.holder is None else self._machine.holder(state.holder)

    def task_on(self, state: SlotState) -> TaskRecord | None:
        """The task that holds a node; None if it is free."""
        if state.holder is None:
            return None
        try:
            return self._ask.task_by_id(*state.holder)
        except UnknownTask:
            return None

    @cached_property
    def load(self) -> HostLoad:
        """The load of this machine. Once it was asked for, samples are taken when tasks start or end, too."""
        # Loaded with the first question, not with the daemon.
        from proactive_jupyter_kernel.scheduler.service.host_load import HostLoad

        load = HostLoad()
        self._listeners.add(
            lambda announcement: load.sample() if announcement.event in _TASK_CHANGES else None, tasks=True
        )
        return load
