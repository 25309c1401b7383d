"""Files that go with a job: from a folder here to the tasks that want them, and what the tasks make back to one here.

As ``submitJobWithInputsAndOutputsPaths`` of ProActive's clients does it: each submission gets a folder of its own in
the user space, the workflow names its ``input`` and ``output`` as its spaces, and generic information of the job says
where the output belongs, so that it is found again after the notebook was restarted.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from proactive_jupyter_kernel.client.dataspace import DataSpace
from proactive_jupyter_kernel.client.records import JobInfo
from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.workflow.globs import BadPattern, Pattern, choose, compile_pattern
from proactive_jupyter_kernel.workflow.model import FileSelector, Task, Workflow
from proactive_jupyter_kernel.workflow.references import InfiniteReference, substitute

__all__ = ["Brought", "Carrier", "Sent", "reads_input_space", "writes_output_space"]

_FROM_INPUT = frozenset({"transferFromInputSpace", "cacheFromInputSpace"})
_TO_OUTPUT = frozenset({"transferToOutputSpace"})

#: Generic information, named as ProActive's Java client names it, and whose machine the folders are on.
_INPUT, _PUSH, _OUTPUT, _PULL = "client_input_data_folder", "push_url", "client_output_data_folder", "pull_url"
_NAME, _HOST = "client_data_folder", "client_host"
#: What `_new_name` makes; nothing else is ever removed.
_OWN = re.compile(r"[^/]+_\d{4}-\d\d-\d\d_[\d.]+_[0-9a-f]{8}")
#: A reference that only a running task can resolve: any text may come in its place.
_REFERENCE = re.compile(r"\$(?:\{[^{}]*\}|\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was carried for a workflow that is to be submitted."""

    workflow: Workflow
    #: The files sent, as paths in the input folder.
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """The output files of a job, where they lie now."""

    folder: Path
    files: tuple[Path, ...]


def reads_input_space(workflow: Workflow) -> bool:
    """Whether a task wants files of the input space."""
    return any(selector.access_mode in _FROM_INPUT for task in workflow.tasks for selector in task.input_files)


def writes_output_space(workflow: Workflow) -> bool:
    """Whether a task makes files for the output space."""
    return any(selector.access_mode in _TO_OUTPUT for task in workflow.tasks for selector in task.output_files)


class Carrier:
    """Carries files for the jobs of one scheduler; safe to use from several threads."""

    def __init__(self, space: DataSpace) -> None:
        """`space` is the user space."""
        self._space = space
        self._lock = threading.Lock()
        #: Job -> what was brought; None where nothing was meant to come here.
        self._done: dict[int, Brought | None] = {}

    def send(
        self,
        workflow: Workflow,
        *,
        variables: Mapping[str, str],
        input_path: Path | None = None,
        output_path: Path | None = None,
    ) -> Sent:
        """Carry what tasks want of `input_path`; the workflow that names where it is and where output belongs.

        `variables` are those of the submission. Raises `SetupError` for a folder that is none or a wrong pattern.
        """
        files: list[str] = []
        if input_path is not None:
            if not input_path.is_dir():
                raise SetupError(f"The input folder {input_path} does not exist.")
            files = _wanted(workflow, variables, input_path)
        name, base = _new_name(), self._space.url()
        information = {_NAME: name, _HOST: platform.node()}
        if input_path is not None:
            self._space.make_folder(f"{name}/input")
            self._space.upload(f"{name}/input", ((file, input_path / file) for file in files))
            url = f"{base}/{name}/input"
            information |= {_INPUT: str(input_path), _PUSH: base}
            workflow = replace(workflow, input_space=url)
        if output_path is not None:
            self._space.make_folder(f"{name}/output")
            url = f"{base}/{name}/output"
            information |= {_OUTPUT: str(output_path), _PULL: url}
            workflow = replace(workflow, output_space=url)
        workflow = replace(workflow, generic_information={**workflow.generic_information, **information})
        return Sent(workflow=workflow, files=tuple(files))

    def bring(self, job: JobInfo) -> Brought | None:
        """The output files of a job that has ended, to where they belong; None where none were meant to come here.

        They are brought once, then the submission's folder in the user space is removed. Raises OSError, too.
        """
        information = job.generic_information
        name, target = information.get(_NAME, ""), information.get(_OUTPUT, "")
        if not _OWN.fullmatch(name) or information.get(_HOST) != platform.node():
            return None
        with self._lock:
            if job.id in self._done or not self._space.exists(name):
                return None
            files = self._space.download(f"{name}/output", Path(target)) if target else ()
            self._space.delete(name)
            brought = self._done[job.id] = Brought(folder=Path(target), files=files) if target else None
        return brought

    def discard(self, workflow: Workflow) -> None:
        """Remove what `send` sent for a workflow that was refused."""
        name = workflow.generic_information.get(_NAME, "")
        if _OWN.fullmatch(name):
            self._space.delete(name)

    def brought(self, job_id: int) -> Brought | None:
        """What `bring` has brought of a job earlier."""
        return self._done.get(job_id)


def _new_name() -> str:
    """A name for a submission's folder that no other has."""
    user = re.sub(r"[^\w.-]", "_", getpass.getuser())
    now = datetime.now().strftime("%Y-%m-%d_%H.%M.%S.%f")[:-3]
    return f"{user}_{now}_{secrets.token_hex(4)}"


def _wanted(workflow: Workflow, variables: Mapping[str, str], folder: Path) -> list[str]:
    """The files in a folder here that any task wants of its input space."""
    job = {**{variable.name: variable.value for variable in workflow.variables}, **variables}
    found: dict[str, None] = {}
    for task in workflow.tasks:
        for selector in task.input_files:
            if selector.access_mode in _FROM_INPUT:
                found |= dict.fromkeys(_chosen(folder, task, selector, job))
    return sorted(found)


def _chosen(folder: Path, task: Task, selector: FileSelector, job: Mapping[str, str]) -> Iterator[str]:
    known = {**job, **{variable.name: variable.value for variable in task.variables if not variable.inherited}}
    try:
        include = _pattern(selector.includes, known)
        # What a reference excludes is not known yet: the scheduler leaves it out, and nothing is missing.
        excludes = [_pattern(selector.excludes, known)] if selector.excludes and "$" not in selector.excludes else []
        yield from choose(lambda inner: _children(folder / inner), [include], excludes)
    except BadPattern as error:
        raise SetupError(f"The input files of task {task.name!r} cannot be chosen. {error}") from error
    except InfiniteReference as error:
        raise SetupError(f"The input files of task {task.name!r} cannot be chosen: {error}") from error


def _pattern(text: str, known: Mapping[str, str]) -> Pattern:
    wild = ".*" if text.startswith("regex:") else "*"
    return compile_pattern(_REFERENCE.sub(wild, substitute(text, known)))


def _children(folder: Path) -> Sequence[tuple[str, bool]]:
    """What a folder holds; links to folders are left out, for they may lead in circles."""
    with os.scandir(folder) as entries:
        return [
            (entry.name, entry.is_dir())
            for entry in entries
            if entry.is_file() or (entry.is_dir() and not entry.is_symlink())
        ]
