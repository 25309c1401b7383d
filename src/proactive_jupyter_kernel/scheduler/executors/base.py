"""What runs attempts: the interface that the service knows, implemented once for this machine and once for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Outcome, Selection, SelectionAnswer, Slot

__all__ = ["Executor", "OutputSink", "ProgressSink", "StreamName"]

StreamName: TypeAlias = Literal["out", "err"]
#: Gets each line of output, with its line feed (the last line of a task may lack it), and when it was read, in
#: milliseconds since the epoch.
OutputSink: TypeAlias = Callable[[StreamName, str, int], None]
#: Gets a task's progress, 0 to 100, when it has changed.
ProgressSink: TypeAlias = Callable[[int], None]


class Executor(Protocol):
    """Runs attempts. All calls come from one event loop."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Room for attempts; the caller puts at most one attempt on each."""

    @property
    def troubles(self) -> Sequence[str]:
        """Why slots are missing that there should be, in sentences."""

    def watch_slots(self, changed: Callable[[], None]) -> None:
        """Call `changed`, in the event loop, whenever `slots` is no longer what it was. There is one watcher.

        An attempt on a slot that is gone must still get its outcome, which says LOST.
        """

    async def start(self) -> None:
        """Make ready; remove what a predecessor that crashed has left."""

    async def close(self) -> None:
        """End every attempt (each gives an outcome that says LOST) and whatever else runs."""

    async def run(self, attempt: Attempt, output: OutputSink, progress: ProgressSink | None = None) -> Outcome:
        """Run it and say what came of it, when all its processes and its scratch folder are gone.

        Never raises for a fault of the task's.
        """

    async def kill(self, key: str) -> None:
        """End the attempt of that key: SIGTERM, then SIGKILL after a grace period.

        Returns when `run` has its outcome; does nothing for an unknown key.
        """

    async def select(self, selection: Selection) -> SelectionAnswer:
        """Whether all selection scripts accept the slot; a script that fails refuses it, and the answer says why."""
