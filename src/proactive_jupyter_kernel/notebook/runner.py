"""What the calls in a transformed cell reach: the pragmas of this shell, and the state of its notebook."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.errors import JobFailed, SetupError
from proactive_jupyter_kernel.notebook.interrupts import interruptible
from proactive_jupyter_kernel.notebook.requests import Requests
from proactive_jupyter_kernel.notebook.transformer import Cells, Program

if TYPE_CHECKING:
    from proactive_jupyter_kernel.notebook.live import NotebookLive
    from proactive_jupyter_kernel.pragmas.context import Context

__all__ = ["Runner"]

#: Seconds that the end of a kernel waits for a log-out; Jupyter gives a kernel five.
FAREWELL = 2.0


class Runner:
    """Runs the pragmas of one shell. Everything behind it is loaded when the first one runs."""

    def __init__(self, shell: Any, cells: Cells, requests: Requests) -> None:
        self._shell = shell
        self._cells = cells
        self._requests = requests
        self._lock = threading.Lock()
        self._context: Context | None = None
        self._live: NotebookLive | None = None
        #: By the cell's identity, or its run where it has none: the texts of the cells that set parameters.
        self.parameter_cells: dict[str, str] = {}

    @property
    def context(self) -> Context:
        """What the pragmas of this notebook have done so far."""
        with self._lock:
            if self._context is None:
                self._context = self._made()
            return self._context

    @property
    def started(self) -> Context | None:
        """The context, if any pragma has run yet."""
        return self._context

    def run(self, number: int, index: int, name: str) -> None:
        """Run the pragma at this index of that program; `name` only makes the generated Python readable."""
        from proactive_jupyter_kernel.pragmas.run import run

        call = self._program(number).calls[index]
        self._requests.here.pragmas = True
        self._requests.here.to_come = call.later
        try:
            with interruptible():
                run(self.context, call)
        except JobFailed as error:
            self._shorten(error)
            raise
        except KeyboardInterrupt as interrupt:
            # A traceback of the wait does not help; the message says what is still running, and how to end it.
            words = f"KeyboardInterrupt: {interrupt}" if interrupt.args else "KeyboardInterrupt"
            interrupt._render_traceback_ = lambda: [words]  # type: ignore[attr-defined]
            raise

    def _shorten(self, error: JobFailed) -> None:
        """Say an error once: the card in the same cell has the whole of it. A run without a reader gets all."""
        told = "" if self._live is None or self._requests.here.headless else self._live.summary(error.job_id)
        if told:
            head = error.message.partition("\n")[0]
            error.summary = f"{head} {told}".rstrip()

    def refuse(self, number: int) -> None:
        """Raise what is wrong with the cell."""
        from proactive_jupyter_kernel.pragmas import ownership

        program, cell = self._program(number), self._requests.here
        cell.pragmas = True
        if program.fault:
            ownership.refused(self.context, cell.text, program.fault)
            raise program.fault

    def stop_following(self, why: str) -> None:
        """Follow no job any longer; the cards of running jobs say why."""
        if self._live is not None:
            self._live.close(why)

    def close(self) -> None:
        """Stop following jobs and log out; the jobs themselves run on."""
        if self._live is not None:
            self._live.close()
        if self._context is not None:
            # A server that does not answer must not hold up the end of the kernel.
            farewell = threading.Thread(target=self._context.close, daemon=True)
            farewell.start()
            farewell.join(FAREWELL)

    def _program(self, number: int) -> Program:
        program = self._cells.find(number)
        if program is None:
            raise SetupError("This cell was parsed too long ago to be run.", hint="Run the cell again.")
        return program

    def _made(self) -> Context:
        from proactive_jupyter_kernel.client.config import NOTEBOOKS, data_dir
        from proactive_jupyter_kernel.notebook.frontend import NotebookFrontend
        from proactive_jupyter_kernel.notebook.live import NotebookLive
        from proactive_jupyter_kernel.pragmas.context import Context
        from proactive_jupyter_kernel.pragmas.memory.notebook_memory import NotebookMemory

        frontend = NotebookFrontend(self._shell, self._requests)
        live = self._live = NotebookLive(frontend, lambda: context)
        path = frontend.notebook_path
        memory = NotebookMemory(data_dir() / NOTEBOOKS, path) if path else None
        context = Context(frontend, live=live, memory=memory, parameter_cells=self.parameter_cells)
        return context
