"""Which cell runs now, in which thread, and under which request.

ipykernel runs a cell in the main thread and those of subshells in threads of their own, several at a time. IPython's
events tell when a cell starts and ends; they are called in the thread that runs it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall

__all__ = ["Cell", "Requests"]


@dataclass(slots=True, kw_only=True)
class Cell:
    """A cell that runs."""

    #: IPython's prompt number of the cell.
    number: int
    #: Different for every run.
    run: int = 0
    #: The front end's own name for the cell; empty where it gives none.
    id: str = ""
    #: The cell as typed; empty for what a front end runs unseen.
    text: str = ""
    #: Whether a pragma of it was run or refused.
    pragmas: bool = False
    #: The pragmas that were not begun yet; None where none was begun.
    to_come: Sequence[BoundCall] | None = None
    #: Header of the request, the parent header of outputs; empty outside of a kernel.
    header: Mapping[str, Any] = field(default_factory=dict)
    #: True: the front end cannot ask a person, as in a run by nbclient.
    headless: bool = False

    @property
    def label(self) -> str:
        """How IPython's tracebacks call it."""
        return f"Cell In[{self.number}]"


class Requests:
    """Follows the events of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        #: By thread; a cell may run another one (``%run notebook.ipynb``).
        self._running: dict[int, list[Cell]] = {}
        self._last = Cell(number=0)
        self._waiting: list[Callable[[], None]] = []
        self._waiting_lock = threading.Lock()
        self._count = itertools.count(1)
        #: Called with every cell when it starts, and when it has ended; in the thread that runs it.
        self.on_start: list[Callable[[Cell], None]] = []
        self.on_end: list[Callable[[Cell], None]] = []
        #: Called with a cell that an error ended, after `on_end`.
        self.on_error: list[Callable[[Cell, BaseException], None]] = []
        #: By thread, until IPython tells how the cell ended.
        self._just_ended: dict[int, Cell] = {}
        self._events = {
            "pre_execute": self._started,
            "pre_run_cell": self._described,
            "post_execute": self._ended,
            "post_run_cell": self._told_how,
        }

    def listen(self) -> None:
        """Start to follow the shell."""
        for name, callback in self._events.items():
            self._shell.events.register(name, callback)
        if self._header():
            # The cell that loads the extension runs already, and counts already.
            self._started()
            self._last.number -= 1

    def close(self) -> None:
        """Follow it no longer."""
        for name, callback in self._events.items():
            self._shell.events.unregister(name, callback)

    @property
    def here(self) -> Cell:
        """The cell that runs in this thread; the last that started where none does."""
        cells = self._running.get(threading.get_ident())
        return cells[-1] if cells else self._last

    @property
    def running(self) -> Cell | None:
        """A cell that runs in any thread, the main thread's first; None while the kernel is idle."""
        cells = self._running.get(threading.main_thread().ident or 0)
        if cells:
            return cells[-1]
        for cells in list(self._running.values()):
            if cells:
                return cells[-1]
        return None

    def parent(self, cell: Cell) -> Mapping[str, Any] | None:
        """The request under which to send what belongs to a cell: its own while it runs, else one that runs; or None.

        nbclient drops what comes under a cell that has ended, and takes it under the one that runs.
        """
        if any(cell is other for cells in list(self._running.values()) for other in cells):
            return cell.header
        running = self.running
        return running.header if running else None

    def when_running(self, send: Callable[[], None]) -> None:
        """Call `send` when the next cell starts: for what came while none ran."""
        with self._waiting_lock:
            if send not in self._waiting:
                self._waiting.append(send)

    def _header(self) -> Mapping[str, Any]:
        """Header of the request that this thread serves; a terminal has none."""
        header: Mapping[str, Any] | None = getattr(self._shell.display_pub, "parent_header", None)
        return header or {}

    def _is_headless(self) -> bool:
        parent = self._shell.get_parent() if hasattr(self._shell, "get_parent") else {}
        return (parent or {}).get("content", {}).get("allow_stdin") is False

    def _started(self) -> None:
        cell = Cell(
            number=self._shell.execution_count,
            run=next(self._count),
            header=self._header(),
            headless=self._is_headless(),
        )
        self._running.setdefault(threading.get_ident(), []).append(cell)
        self._last = cell
        with self._waiting_lock:
            waiting, self._waiting = self._waiting, []
        for send in waiting:
            send()

    def _described(self, info: Any) -> None:
        cell = self.here
        if info.store_history:
            # IPython has counted on before it tells.
            cell.number -= 1
        cell.id = getattr(info, "cell_id", None) or ""
        cell.text = getattr(info, "raw_cell", None) or ""
        for listener in self.on_start:
            listener(cell)

    def _ended(self) -> None:
        cells = self._running.get(threading.get_ident())
        if cells:
            for listener in self.on_end:
                listener(cells[-1])
            self._just_ended[threading.get_ident()] = cells.pop()
        if not cells:
            self._running.pop(threading.get_ident(), None)

    def _told_how(self, result: Any) -> None:
        cell = self._just_ended.pop(threading.get_ident(), None)
        error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
        if cell is not None and error is not None:
            for listener in self.on_error:
                listener(cell, error)
