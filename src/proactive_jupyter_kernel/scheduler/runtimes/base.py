"""The interface of a script language on the task's side. Adding a language is one file beside this one.

How to add a language
---------------------
Write ``runtimes/<language>.py`` with one subclass of `Runtime` for each engine and ``RUNTIMES = (MyRuntime(),)``;
`registry` finds it there. The language must stand in ``workflow/languages.py``; name, extensions and comment sign are
read from that table. Then fill in:

1. **The program.** `Runtime.programs` are the names to look for on PATH, the most wanted first; override
   `Runtime.candidates` where generic information may name another. `Runtime.install` says in one sentence how to get
   it. The base class looks it up and raises `CannotStart` with all of that before anything starts.
2. **The start.** `Runtime.launch(stage)` writes the files that the process needs into ``stage.folder`` and returns
   a `Launch`. It may block: a node does nothing else meanwhile. Helpers:

   * ``self.write_script(stage)`` writes the script's text to a file named for the task and returns its path. Write the
     text as it is, without lines in front: then line numbers in errors are those of the cell. Where an engine needs
     lines in front, pass ``before=`` and give the harness its number of lines to take off again.
   * ``self.write_request(stage)`` writes ``request.json``: what `Bindings.request` documents, and ``label`` (how to
     name the script in errors: ``<task T1>``), ``script`` (its path), ``returns`` (the globals to read when the
     script has ended), ``report`` (the path of the report to write), ``limit`` (the report's greatest size in bytes).
     Values in it are wire values, see ``workflow/values.py``.
   * ``self.harness(stage, "name.rb")`` is the path of a file in ``runtimes/harness/``; for a stage that runs in a
     container it is copied into the stage's folder first. Use nothing else of the package's folder.
   * ``self.program(stage)`` are the `Launch.programs`.
   * `Launch.masks` maps the script's path to ``stage.label``, so that a compiler's or shell's own messages read
     ``<task T1>: line 3``.

   A language without bindings (a shell) subclasses ``nativeshell.NativeShell`` and writes almost nothing.
3. **The way back.** The harness writes a JSON object to ``report`` when the script has ended, well or not, under
   another name first and then renamed, so that half a report is never read; all keys are optional:

   * ``error``: ``{"type", "message", "trace"}`` where the script failed (it still reports the maps below);
   * ``exit``: the exit code the script asked for, where it ended by the language's exit function;
   * ``values``: wire values of the globals in ``returns`` that the script defined. Where a main script defined no
     ``result``, a language whose scripts have a value (Groovy, JavaScript …) reports that one under ``result`` if it
     can travel, others report none and the executor takes ``true``;
   * ``variablesSet`` and ``variablesRemoved``: what the script put into and took out of ``variables``, only that;
   * ``resultMap``: what it put there; ``resultMetadata``: all of it, texts only;
   * ``forkEnvironment`` (fork environment scripts): ``workingDir``, ``systemEnvironment``, ``preJavaCommand``.

   A value that has no wire form is an error that names it: ``result['a'][3]``, its type, what to do instead.
   The harness prints the script's error to standard error, with the script's own lines and none of its own.
4. **The judgement.** `Runtime.conclude` turns exit code and report into a `StageReport`; the base class does it for
   harnesses that follow the above. Override `Runtime.exit_message` for the sentence that ProActive has for a bad exit
   code. A process that ends without a report has died (``FailureKind.DIED``).
5. **Constants.** A flow, selection or fork environment script that is only ``name = constant`` is answered without any
   process (`constants`); give `Runtime.literals` where the language writes true and false in its own way.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Wire
from proactive_jupyter_kernel.scheduler.runtimes import constants, reports
from proactive_jupyter_kernel.scheduler.runtimes.bindings import parent_entry
from proactive_jupyter_kernel.scheduler.runtimes.stage import (
    CannotStart,
    Launch,
    Stage,
    StageKind,
    StageReport,
    failure,
)
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.languages import Language, by_engine

__all__ = ["REPORT", "REQUEST", "Runtime", "file_stem", "how_it_ended", "shell_code", "which"]

#: Names of the files in a stage's folder.
REQUEST, REPORT = "request.json", "report.json"
#: Where the task-side files lie.
HARNESS = Path(__file__).with_name("harness")
#: Characters of a request that is handed over without a file.
_MOST_WITHOUT_A_FILE = 64 * 1024
#: Stages whose scripts may be answered without a process, and what decides which global they set.
_ANSWERABLE = {StageKind.FORK, StageKind.FLOW, StageKind.SELECTION}


class Runtime(abc.ABC):
    """One script language: how its scripts are started and what they say when they end. Has no state."""

    #: The engine, as in `Language.engine`.
    engine: ClassVar[str]
    #: Programs that can run it, the most wanted first.
    programs: ClassVar[tuple[str, ...]] = ()
    #: How to get the program, one sentence.
    install: ClassVar[str] = ""
    #: Whether its harness opens the tagged bytes of Python's values; others get a text where the value has one.
    reads_tagged: ClassVar[bool] = False
    #: How the language writes its constants.
    literals: ClassVar[Mapping[str, Wire]] = {"true": True, "false": False}

    @property
    def language(self) -> Language:
        """The language's row in the table of languages."""
        language = by_engine(self.engine)
        assert language is not None, f"no language has the engine {self.engine!r}"
        return language

    @abc.abstractmethod
    def launch(self, stage: Stage) -> Launch:
        """Write what the process needs into the stage's folder and say how to start it. May block.

        Raises `CannotStart` where that is impossible.
        """

    def answer(self, stage: Stage) -> StageReport | None:
        """The report of a script that needs no process, because it is only a constant; None: start it."""
        if stage.kind not in _ANSWERABLE or not self.language.sets_variables or stage.command:
            return None
        name = stage.variable or stage.kind.returns[0]
        found = constants.assigned(stage.script.code, name, self.literals, comment=self.language.comment)
        return None if found is None else StageReport(values={name: found.value})

    def conclude(self, stage: Stage, launch: Launch, exit_code: int) -> StageReport:
        """What came of the stage. `exit_code` is negative for a signal, as in ``subprocess``. May block."""
        return self._concluded(stage, self.report_of(stage), exit_code)

    def _concluded(self, stage: Stage, path: str | None, exit_code: int) -> StageReport:
        if path is None:
            return StageReport(exit_code=exit_code, failure=self._died(stage, exit_code))
        try:
            read = reports.read(path, stage.limit)
        except reports.BadReport as error:
            message = f"{stage.kind.prefix}: {error}"
            return StageReport(exit_code=exit_code, failure=failure(FailureKind.ERROR, message))
        code = read.exit_code if read.exit_code is not None else shell_code(exit_code)
        if read.error is None and code == 0:
            return read.report(exit_code=0)
        summary = self.summary(code, read.error.summary if read.error else "")
        fault = failure(FailureKind.ERROR, f"{stage.kind.prefix}: {summary}", read.error.trace if read.error else "")
        return read.report(exit_code=code, failure=fault)

    def report_of(self, stage: Stage) -> str | None:
        """Where the report is that the stage's process has written; None: it wrote none."""
        with contextlib.suppress(OSError):
            if stage.report and os.stat(stage.report).st_size:
                return stage.report
        path = os.path.join(stage.folder, REPORT)
        return path if os.path.exists(path) else None

    def summary(self, exit_code: int, error: str) -> str:
        """What went wrong in one line, by the exit code and the script's error, which may be empty."""
        said = self.exit_message(exit_code)
        return f"{said}: {error}" if said and error else said or error

    def exit_message(self, exit_code: int) -> str:
        """How ProActive says that a script of this language failed with an exit code; empty: by its error alone."""
        return f"Script failed with exit code {exit_code}" if exit_code else ""

    def candidates(self, stage: Stage) -> tuple[str, ...]:
        """Programs to look for, the most wanted first."""
        return self.programs

    def program(self, stage: Stage) -> tuple[str, ...]:
        """The program's path; where the stage runs in a container, the names to try inside. Raises `CannotStart`."""
        names = self.candidates(stage)
        if stage.in_container:
            return names
        path = stage.environment.get("PATH", os.defpath)
        for name in names:
            if found := which(name, path, stage.working_dir):
                return (found,)
        raise CannotStart(self.missing(names))

    def missing(self, names: tuple[str, ...]) -> str:
        """The message about a program that is not there."""
        wanted = " or ".join(repr(name) for name in names)
        message = f"{wanted}, the program that runs {self.language.name} scripts, is not on this machine"
        return f"{message}; {self.install}" if self.install else message

    def write_script(self, stage: Stage, *, before: str = "", extension: str | None = None) -> Path:
        """Write the script's text into the stage's folder, under the task's name, and return the path."""
        if extension is None:
            extension = next(iter(self.language.extensions), "txt")
        path = stage.folder / f"{file_stem(stage.task_name)}.{extension}"
        path.write_text(before + stage.script.code, encoding="utf-8", errors="surrogatepass", newline="")
        return path

    def request(self, stage: Stage, script: Path | None = None, **more: Wire) -> dict[str, Wire]:
        """What ``request.json`` holds; `more` are further keys for the harness."""
        request = stage.bindings.request()
        if not self.reads_tagged:
            request = values.for_other_languages(request)
        request.update(
            label=stage.label,
            stage=stage.kind.value,
            script=str(script or ""),
            returns=list(stage.returns),
            report=os.path.join(stage.folder, REPORT),
            limit=stage.limit,
            **more,
        )
        return request

    def tell(self, stage: Stage, script: Path | None = None, **more: Wire) -> str:
        """Have a process that may be forked from a template told its request: `Launch.request`, or a file."""
        if not stage.forks:
            self.write_request(stage, script, **more)
            return ""
        parts = self._request_text(stage, script, **more)
        if sum(map(len, parts)) <= _MOST_WITHOUT_A_FILE:
            return b"".join(parts).decode("ascii")
        _write(stage.folder / REQUEST, parts)
        return str(stage.folder)

    def write_request(self, stage: Stage, script: Path | None = None, **more: Wire) -> Path:
        """Write ``request.json`` and return its path; `more` as for `request`."""
        path = stage.folder / REQUEST
        _write(path, self._request_text(stage, script, **more))
        return path

    def _request_text(self, stage: Stage, script: Path | None, **more: Wire) -> list[bytes]:
        """The JSON of the request, in parts; a harness that reads all forms gets the results of parents as they are."""
        results = stage.bindings.results
        if not results or not self.reads_tagged:
            return [_json(self.request(stage, script, **more))]
        without = dataclasses.replace(stage, bindings=dataclasses.replace(stage.bindings, results=()))
        request = self.request(without, script, **more)
        mark = secrets.token_hex(16)
        request["results"] = [parent_entry(parent, lambda value: mark) for parent in results]
        first, *rest = _json(request).split(f'"{mark}"'.encode("ascii"))
        parts = [first]
        for parent, text in zip(results, rest, strict=True):
            parts += (parent.value.text, text)
        return parts

    def harness(self, stage: Stage, name: str) -> Path:
        """The path of a harness file; a copy in the stage's folder where the stage runs in a container."""
        source = HARNESS / name
        if not stage.in_container:
            return source
        target = stage.folder / source.name
        if not target.exists():
            shutil.copyfile(source, target)
        return target

    def _died(self, stage: Stage, exit_code: int) -> Failure:
        message = f"{stage.kind.prefix}: the {self.language.name} process {how_it_ended(exit_code)}"
        return failure(FailureKind.DIED, f"{message} before the script did")


_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def _json(request: dict[str, Wire]) -> bytes:
    return _ENCODE(request).encode("ascii")


def _write(path: Path, parts: list[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(parts)


def how_it_ended(exit_code: int) -> str:
    """``ended with exit code 3`` or ``was ended by signal 9 (SIGKILL)``."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = f" ({signal.Signals(-exit_code).name})"
    except ValueError:
        name = ""
    return f"was ended by signal {-exit_code}{name}"


def shell_code(exit_code: int) -> int:
    """An exit code as shells and Java count it: 128 and the signal's number for a signal."""
    return exit_code if exit_code >= 0 else 128 - exit_code


def file_stem(task_name: str) -> str:
    """The task's name as a file may be called, without its extension: ``T#1`` -> ``T_1``."""
    cleaned = "".join(char if char.isalnum() or char in "-_" else "_" for char in task_name)
    return cleaned.encode("ascii", "replace").decode("ascii").replace("?", "_")[:80] or "script"


def which(name: str, path: str, folder: Path) -> str | None:
    """The absolute path of a program; a name with a slash is looked for from `folder`."""
    if os.path.isabs(name) and os.name == "posix":
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else None
    if os.path.dirname(name):
        found = shutil.which(folder / name)
        return os.path.abspath(found) if found else None
    found = shutil.which(name, path=path)
    return os.path.abspath(found) if found else None
