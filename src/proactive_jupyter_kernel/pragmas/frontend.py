"""The interface between handlers and the front end: implemented by the notebook, and by test doubles.

`Frontend` shows and asks; `Live` follows jobs. Both are made by the notebook side and handed to `Context`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from proactive_jupyter_kernel.pragmas.outputs import Mime, Output, Table, Value

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import Job

__all__ = ["Frontend", "Live", "Updatable"]


class Updatable(Protocol):
    """A display that can be replaced in place, from any thread."""

    def update(self, output: Output) -> None: ...


class Frontend(Protocol):
    """A notebook as the handlers see it."""

    @property
    def namespace(self) -> MutableMapping[str, Any]:
        """The notebook's own Python variables."""
        ...

    @property
    def folder(self) -> Path:
        """Where relative paths start: the notebook's folder."""
        ...

    @property
    def notebook_name(self) -> str:
        """The file name of the notebook without extension; empty if the front end does not provide it."""
        ...

    @property
    def notebook_path(self) -> str:
        """The absolute path of the notebook; empty if the front end does not provide it."""
        ...

    @property
    def cell_label(self) -> str:
        """How tracebacks name the cell that runs now, such as ``Cell In[3]``."""
        ...

    @property
    def cell_id(self) -> str:
        """The stable id of the running cell; empty if the front end does not provide it."""
        ...

    @property
    def cell_text(self) -> str:
        """The source of the running cell, as typed; empty if it is not known."""
        ...

    @property
    def cell_run(self) -> int:
        """The number of the current execution; it is unique for every execution of every cell."""
        ...

    @property
    def headless(self) -> bool:
        """Whether the running cell belongs to a run without a person, as by nbclient."""
        ...

    def show(self, output: Output) -> None:
        """Display once."""
        ...

    def show_updatable(self, output: Output) -> Updatable:
        """Display, and hand back what can replace it later, also after the cell has ended."""
        ...

    def write(self, text: str, *, error: bool = False) -> None:
        """Write to the cell's standard output or standard error."""
        ...

    def offer_cell(self, text: str) -> None:
        """Let a new cell with this text appear below; nothing happens where the front end cannot do that."""
        ...

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """Prompt the user; raises `SetupError` in a headless run."""
        ...


class Live(Protocol):
    """Follows jobs and shows their progress. Both methods may be called from any thread, several at a time.

    Both speak to the scheduler that the notebook is connected to at the moment of the call, and stay with it.
    """

    def watch(self, job_id: int, name: str, *, follow: bool = True) -> None:
        """Show the job's card below the running cell and return at once.

        With `follow` the card is updated in the background until the job has ended. Never raises into a cell.
        """
        ...

    def add_results(
        self, job_id: int, outputs: Sequence[Value | Table | Mime], returned: Collection[str] | None
    ) -> Sequence[Value | Table | Mime]:
        """Show outputs, under their labels or captions, in the card that the running cell has of the job.

        `returned` are the names of all tasks that returned something, None where that does not matter. Gives the
        outputs that the card cannot show: all of them where there is no card.
        """
        ...

    def wait(
        self,
        job_id: int,
        *,
        tasks: Collection[str] | None = None,
        timeout: float | None = None,
        draw: bool = True,
        output: bool = True,
        translate: Callable[[str, str], str] | None = None,
    ) -> Job:
        """Block until the job, or each of `tasks`, has ended; return the job as it stands then, however it ended.

        `tasks` are base names: ``T`` also means its copies ``T#1`` and ``T*2``. With `draw`, or where the
        cell has a card of the job, that card is kept up to date. With `output` what every task (of `tasks` only, where
        given) writes is written to the cell's standard output and error, in order, and a card that is added does not
        show it; `translate(task_name, text)` gives the text
        as it is to be written, with the places in the notebook's cells for the places in scripts. `timeout` counts
        seconds; `WaitTimeout` when it is over. `KeyboardInterrupt` passes through; the job runs on in either case.
        """
        ...
