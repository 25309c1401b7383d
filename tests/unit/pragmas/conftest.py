"""A notebook without Jupyter: stand-ins for the front end and for what follows jobs, and a scheduler in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import PragmaError, SetupError
from proactive_jupyter_kernel.pragmas import ownership
from proactive_jupyter_kernel.pragmas.cells.blocks import plan_of_plain_cell
from proactive_jupyter_kernel.pragmas.cells.plan import Plan, plan
from proactive_jupyter_kernel.pragmas.context import Context, base_name
from proactive_jupyter_kernel.pragmas.memory.notebook_memory import NotebookMemory
from proactive_jupyter_kernel.pragmas.outputs import Notice, Output, Table, Text, Value
from proactive_jupyter_kernel.pragmas.run import run
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler
from proactive_jupyter_kernel.workflow.model import Script


class FakeUpdatable:
    """A display that remembers what it was told."""

    def __init__(self, output: Output) -> None:
        self.outputs = [output]

    def update(self, output: Output) -> None:
        self.outputs.append(output)


class FakeFrontend:
    """Remembers what is shown, and answers questions as told."""

    def __init__(self, folder: Path) -> None:
        self.namespace: dict[str, Any] = {}
        self.folder = folder
        self.notebook_name = ""
        self.notebook_path = ""
        self.cell_label = "Cell In[1]"
        self.cell_id = ""
        self.cell_run = 0
        self.cell_text = ""
        self.headless = False
        self.shown: list[Output] = []
        self.written: list[tuple[str, str]] = []
        self.answers: list[str] = []
        self.offered: list[str] = []
        self.asked: list[tuple[str, bool]] = []

    def show(self, output: Output) -> None:
        self.shown.append(output)

    def show_updatable(self, output: Output) -> FakeUpdatable:
        self.shown.append(output)
        return FakeUpdatable(output)

    def write(self, text: str, *, error: bool = False) -> None:
        self.written.append(("err" if error else "out", text))

    def offer_cell(self, text: str) -> None:
        self.offered.append(text)

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        self.asked.append((prompt, secret))
        if not self.answers:
            raise SetupError(f"{prompt} no input is possible here.")
        return self.answers.pop(0)

    # -- what tests look at

    @property
    def texts(self) -> list[str]:
        """The sentences shown, warnings marked."""
        found = []
        for output in self.shown:
            if isinstance(output, Text):
                found.append(output.text)
            elif isinstance(output, Notice):
                found.append(("! " if output.warning else "* ") + output.text)
        return found

    @property
    def tables(self) -> list[Table]:
        return [output for output in self.shown if isinstance(output, Table)]

    @property
    def values(self) -> list[Value]:
        return [output for output in self.shown if isinstance(output, Value)]


class SimpleLive:
    """Follows jobs without any display, in the calling thread."""

    def __init__(self, frontend: FakeFrontend) -> None:
        self.frontend = frontend
        self.scheduler: Callable[[], Scheduler] = lambda: pytest.fail("no scheduler")
        self.watched: list[tuple[int, str]] = []
        self.waits: list[dict[str, Any]] = []
        self.interrupt = False

    def watch(self, job_id: int, name: str, *, follow: bool = True) -> None:
        self.watched.append((job_id, name))

    def add_results(self, job_id: int, outputs: Sequence[Any], returned: Collection[str] | None) -> Sequence[Any]:
        """There is no card that could take them."""
        return outputs

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
        self.waits.append({"job_id": job_id, "tasks": tasks, "timeout": timeout, "draw": draw, "output": output})
        if self.interrupt:
            raise KeyboardInterrupt
        scheduler = self.scheduler()
        job = scheduler.get_job(job_id).wait(tasks=tasks or (), timeout=timeout)
        waited = [task for task in job.tasks if tasks is None or base_name(task.name) in tasks]
        for task in waited if output else ():
            for line in scheduler.task_log(job_id, task.name):
                text = translate(task.name, line.text) if translate else line.text
                self.frontend.write(text + "\n", error=line.error)
        return job


class Notebook:
    """Runs cells one after the other."""

    def __init__(self, folder: Path, *, server: MemoryScheduler | None = None, memory: bool = False) -> None:
        """`server` is one that another notebook, or this one before a restart of its kernel, used already.

        With `memory` it keeps what a restart needs.
        """
        self.folder = folder
        self.server = server or MemoryScheduler()
        self.frontend = FakeFrontend(folder)
        self.live = SimpleLive(self.frontend)
        self.connection = Connection(self.server.settings, make=self._scheduler)
        self.memory = NotebookMemory(folder / "memory", "notebook.ipynb") if memory else None
        self.parameter_cells: dict[str, str] = {}
        self.context = Context(
            self.frontend,
            live=self.live,
            connection=self.connection,
            memory=self.memory,
            parameter_cells=self.parameter_cells,
        )
        self.live.scheduler = lambda: self.context.scheduler
        self.count = 0

    @property
    def on_server(self) -> bool:
        """Whether the scheduler is the stand-in for a ProActive server."""
        return not self.connection.embedded

    def failure(self, message: str) -> str:
        """How the message of a task's failure is shown."""
        return self.server.shown_failure(message)

    def restarted(self) -> Notebook:
        """The notebook after a restart of its kernel."""
        return Notebook(self.folder, server=self.server, memory=self.memory is not None)

    def _scheduler(self) -> Scheduler:
        return Scheduler(Session(self.server.transport(), self.server.credentials), sleep=lambda seconds: None)

    def run(self, cell: str) -> list[str]:
        """Run the pragmas of a cell; gives the sentences it showed."""
        self.count += 1
        self.frontend.cell_label = f"Cell In[{self.count}]"
        self.frontend.cell_run = self.count
        self.frontend.cell_text = cell
        before = len(self.frontend.shown)
        try:
            found = plan(cell)
        except PragmaError as error:
            ownership.refused(self.context, cell, error)
            raise
        self._do(found)
        return self._since(before)

    def plain(self, cell: str) -> list[str] | None:
        """Run a cell without a pragma; None where it is the notebook's own Python that runs it."""
        self.count += 1
        self.frontend.cell_label = f"Cell In[{self.count}]"
        self.frontend.cell_run = self.count
        self.frontend.cell_text = cell
        before = len(self.frontend.shown)
        found = plan_of_plain_cell(self.context, cell)
        if found is None:
            return None
        self._do(found)
        return self._since(before)

    def script(self, name: str) -> str:
        """The whole script of a task as it would be submitted."""
        return self.context.draft.script(self.context.draft.tasks[name]).script

    def submitted_script(self, job_id: int, name: str) -> str:
        """The script of a task as it was submitted."""
        from proactive_jupyter_kernel.workflow.formats import xml

        executable = xml.loads(self.context.scheduler.xml(job_id)).workflow.task(name).executable
        assert isinstance(executable, Script)
        return executable.code

    def _do(self, found: Plan) -> None:
        for call in found.calls:
            run(self.context, call)

    def _since(self, before: int) -> list[str]:
        shown, self.frontend.shown = self.frontend.shown, self.frontend.shown[before:]
        texts = self.frontend.texts
        self.frontend.shown = shown
        return texts


@pytest.fixture
def notebook(tmp_path: Path, server: MemoryScheduler) -> Notebook:
    """A fresh notebook in an empty folder, on a scheduler in memory or on the stand-in server."""
    return Notebook(tmp_path, server=server)
