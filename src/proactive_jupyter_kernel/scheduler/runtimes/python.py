"""Python: scripts of the engine ``cpython``, run by any interpreter from 3.8 on; semantics of ``jsr223-cpython``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.runtimes import imports
from proactive_jupyter_kernel.scheduler.runtimes.base import Runtime, file_stem
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage, StageReport
from proactive_jupyter_kernel.workflow import values

__all__ = ["RUNTIMES", "Python"]

_HARNESS = Path(__file__).with_name("harness") / "python"
_RUN = str(_HARNESS / "run.py")
#: What the harness shares with tasks on a ProActive server.
_TASK_SIDE = Path(str(values.__file__)).with_name("python_tasks")
#: Importable by a child that `multiprocessing` spawns; its own names are gone when the script's begin.
_MAIN = """\
import importlib.util
_spec = importlib.util.spec_from_file_location("_proactive_run", {run!r})
_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_run)
del importlib, _spec
globals().pop("_run").stage.again({told!r}, globals())
"""


class Python(Runtime):
    """Scripts of the engine ``cpython``."""

    engine = "cpython"
    reads_tagged = True
    programs = ("python3", "python")
    install = (
        "install Python 3.8 or newer, or name another interpreter in the generic information PYTHON_COMMAND of the "
        "task or the job"
    )
    literals: ClassVar[Mapping[str, Wire]] = {"True": True, "False": False}

    def candidates(self, stage: Stage) -> tuple[str, ...]:
        """The interpreter that generic information names, else the one of folders that the fork environment added to
        the PATH, else the scheduler's own; any, inside a container."""
        wanted = stage.bindings.generic_information.get("PYTHON_COMMAND", "").strip()
        wanted = wanted or self._on_added_path(stage) or sys.executable
        return tuple(dict.fromkeys((wanted, *self.programs))) if stage.in_container else (wanted,)

    def _on_added_path(self, stage: Stage) -> str:
        """Python in a folder of the PATH that the node itself does not have there; empty if there is none."""
        path = stage.environment.get("PATH", "")
        own = os.environ.get("PATH", "")
        if path == own:
            return ""
        known = set(own.split(os.pathsep))
        added = os.pathsep.join(folder for folder in path.split(os.pathsep) if folder and folder not in known)
        return next((found for name in self.programs if added and (found := shutil.which(name, path=added))), "")

    def launch(self, stage: Stage) -> Launch:
        """``python run.py FOLDER``; a template of the interpreter may fork instead."""
        programs = self.program(stage)
        run = str(self._harness_folder(stage) / "run.py") if stage.in_container else _RUN
        main = os.path.join(stage.folder, f"{file_stem(stage.task_name)}.py")
        told = self.tell(stage, None, main=main, code=stage.script.code)
        # A child of the script that finds its parent's main module by the file is told there.
        text = _MAIN.format(run=run, told=told or str(stage.folder))
        # Not with a file object: this is done for every task.
        file = os.open(main, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            data = memoryview(text.encode("ascii", "backslashreplace"))
            while data:
                data = data[os.write(file, data) :]
        finally:
            os.close(file)
        return Launch(
            programs=programs,
            arguments=(run, str(stage.folder)),
            masks={main: stage.label},
            request=told,
            packages=imports.at_the_beginning(stage.script.code) if told else (),
        )

    def request(self, stage: Stage, script: Path | None = None, **more: Wire) -> dict[str, Wire]:
        """As any request; the report goes to where the node reads it at once."""
        request = super().request(stage, script, **more)
        if stage.report:
            request.update(report=stage.report, spare=request["report"])
        return request

    def conclude(self, stage: Stage, launch: Launch, exit_code: int) -> StageReport:
        """A script that ends its process early with success (``os._exit(0)``) sets no result; that is no failure."""
        path = self.report_of(stage)
        if exit_code == 0 and path is None:
            return StageReport(exit_code=0)
        return self._concluded(stage, path, exit_code)

    def exit_message(self, exit_code: int) -> str:
        """As ``jsr223-cpython`` says it."""
        return f"Python process execution has failed with exit code {exit_code}" if exit_code else ""

    def _harness_folder(self, stage: Stage) -> Path:
        if not stage.in_container:
            return _HARNESS
        target = stage.folder / "harness"
        shutil.copytree(_HARNESS, target, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(str(values.__file__), target / "values.py")
        shutil.copytree(_TASK_SIDE, target / _TASK_SIDE.name, ignore=shutil.ignore_patterns("__pycache__"))
        return target


RUNTIMES = (Python(),)
