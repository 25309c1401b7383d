"""Files of a job: sent from a folder here before it is submitted, fetched to a folder here when it has ended.

As ``submitJobWithInputsAndOutputsPaths`` of ProActive's clients does it: each submission gets a separate folder in
the user space, and the workflow names its ``input`` and ``output`` as its spaces. Which folder here belongs to which
job is recorded on this machine (`transfer_records.py`), so that it is known after a restart.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from proactive_jupyter_kernel.client.dataspace import DataSpace
from proactive_jupyter_kernel.client.jobs.transfer_records import TransferRecord, TransferRecords
from proactive_jupyter_kernel.client.records import JobInfo
from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.user import user_name
from proactive_jupyter_kernel.workflow.globs import FilePattern, InvalidPattern, choose, compile_pattern
from proactive_jupyter_kernel.workflow.model import FileSelector, Task, Workflow
from proactive_jupyter_kernel.workflow.references import InfiniteReference, substitute

__all__ = ["FetchedFiles", "FileTransfer", "SentFiles", "reads_input_space", "writes_output_space"]

_FROM_INPUT = frozenset({"transferFromInputSpace", "cacheFromInputSpace"})
_TO_OUTPUT = frozenset({"transferToOutputSpace"})

#: Generic information, named as ProActive's Java client names it.
_NAME, _PUSH, _PULL = "client_data_folder", "push_url", "pull_url"
#: What `_new_name` returns; no other folder of the user space is ever removed.
_OWN = re.compile(r"[^/\\]+_\d{4}-\d\d-\d\d_[\d.]+_[0-9a-f]{8}")
#: A reference that only a running task can resolve: it may stand for any text.
_REFERENCE = re.compile(r"\$(?:\{[^{}]*\}|\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFiles:
    """What was sent for a workflow that is to be submitted."""

    workflow: Workflow
    #: The folder of the submission in the user space.
    name: str
    #: The files sent, as paths in the input folder.
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFiles:
    """The output files of a job on this machine."""

    folder: Path
    files: tuple[Path, ...]


def reads_input_space(workflow: Workflow) -> bool:
    """Whether a task needs files of the input space."""
    return any(selector.access_mode in _FROM_INPUT for task in workflow.tasks for selector in task.input_files)


def writes_output_space(workflow: Workflow) -> bool:
    """Whether a task writes files to the output space."""
    return any(selector.access_mode in _TO_OUTPUT for task in workflow.tasks for selector in task.output_files)


class FileTransfer:
    """Transfers the files of the jobs of one scheduler; safe to use from several threads."""

    def __init__(self, space: DataSpace, *, scheduler: str, records: TransferRecords) -> None:
        """`space` is the user space; `scheduler` says in records which scheduler this is."""
        self._space = space
        self._scheduler = scheduler
        self._records = records
        self._lock = threading.Lock()
        #: Job -> what was fetched.
        self._fetched: dict[int, FetchedFiles] = {}

    def send(
        self,
        workflow: Workflow,
        *,
        variables: Mapping[str, str],
        input_path: Path | None = None,
        output_path: Path | None = None,
    ) -> SentFiles:
        """Send the files of `input_path` that tasks need; the result has the workflow that names where they are.

        `variables` are those of the submission. Afterwards call `accepted` or `discard`. Raises `SetupError` for a
        missing folder or a wrong pattern.
        """
        files: list[str] = []
        if input_path is not None:
            if not input_path.is_dir():
                raise SetupError(f"The input folder {input_path} does not exist.")
            files = _wanted(workflow, variables, input_path)
        name = _new_name()
        self._records.write(self._record(name, output_path))
        try:
            base = self._space.url()
            information = {_NAME: name}
            if input_path is not None:
                self._space.make_folder(f"{name}/input")
                self._space.upload(f"{name}/input", ((file, input_path / file) for file in files))
                information[_PUSH] = base
                workflow = replace(workflow, input_space=f"{base}/{name}/input")
            if output_path is not None:
                self._space.make_folder(f"{name}/output")
                information[_PULL] = f"{base}/{name}/output"
                workflow = replace(workflow, output_space=f"{base}/{name}/output")
        except BaseException:
            self._records.remove(name)
            raise
        workflow = replace(workflow, generic_information={**workflow.generic_information, **information})
        return SentFiles(workflow=workflow, name=name, files=tuple(files))

    def accepted(self, sent: SentFiles, job_id: int) -> None:
        """Record that the files belong to this job."""
        record = self._records.read(sent.name)
        if record is not None:
            self._records.write(replace(record, job_id=job_id))

    def discard(self, sent: SentFiles) -> None:
        """Remove from the user space what was sent for a workflow that was refused."""
        self._records.remove(sent.name)
        self._space.delete(sent.name)

    def output_folder(self, job: JobInfo) -> Path | None:
        """Where the output files of a job go on this machine; None where this machine has no files to fetch."""
        record = self._record_of(job)
        return Path(record.output) if record is not None and record.output else None

    def fetch(self, job: JobInfo, folder: Path | None = None) -> FetchedFiles | None:
        """Fetch the output files of a job that has ended to the recorded folder, or to `folder`.

        None where there is nothing to fetch. If this machine sent the job's files, they are fetched once, and then the
        submission's folder in the user space is removed; for a job submitted elsewhere only an explicit `folder`
        counts, and nothing is removed. Raises OSError, too.
        """
        name = job.generic_information.get(_NAME, "")
        if not _OWN.fullmatch(name):
            return None
        with self._lock:
            record = self._record_of(job)
            target = folder or (Path(record.output) if record is not None and record.output else None)
            if (record is None and target is None) or not self._space.exists(name):
                return None
            files = self._space.download(f"{name}/output", target) if target is not None else ()
            if record is not None:
                self._space.delete(name)
                self._records.remove(name)
            if target is None:
                return None
            fetched = self._fetched[job.id] = FetchedFiles(folder=target, files=files)
        return fetched

    def fetched(self, job_id: int) -> FetchedFiles | None:
        """What `fetch` returned for a job earlier."""
        return self._fetched.get(job_id)

    def _record(self, name: str, output_path: Path | None) -> TransferRecord:
        return TransferRecord(name=name, scheduler=self._scheduler, output=str(output_path) if output_path else "")

    def _record_of(self, job: JobInfo) -> TransferRecord | None:
        """This machine's record of the job; its own generic information only says which record to look up."""
        name = job.generic_information.get(_NAME, "")
        record = self._records.read(name) if _OWN.fullmatch(name) else None
        if record is None or (record.scheduler, record.job_id) != (self._scheduler, job.id):
            return None
        return record


def _new_name() -> str:
    """A name for a submission's folder that no other submission has."""
    user = re.sub(r"[^\w.-]", "_", user_name())
    now = datetime.now().strftime("%Y-%m-%d_%H.%M.%S.%f")[:-3]
    return f"{user}_{now}_{secrets.token_hex(4)}"


def _wanted(workflow: Workflow, variables: Mapping[str, str], folder: Path) -> list[str]:
    """The files of a folder that any task needs in its input space."""
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
        # What a reference excludes is not known yet: the scheduler excludes it, and no file is missing.
        excludes = [_pattern(selector.excludes, known)] if selector.excludes and "$" not in selector.excludes else []
        yield from choose(lambda inner: _children(folder / inner), [include], excludes)
    except InvalidPattern as error:
        raise SetupError(f"The input files of task {task.name!r} cannot be chosen. {error}") from error
    except InfiniteReference as error:
        raise SetupError(f"The input files of task {task.name!r} cannot be chosen: {error}") from error


def _pattern(text: str, known: Mapping[str, str]) -> FilePattern:
    wild = ".*" if text.startswith("regex:") else "*"
    return compile_pattern(_REFERENCE.sub(wild, substitute(text, known)))


def _children(folder: Path) -> Sequence[tuple[str, bool]]:
    """The entries of a folder without links to folders, which may be cyclic."""
    with os.scandir(folder) as entries:
        return [
            (entry.name, entry.is_dir())
            for entry in entries
            if entry.is_file() or (entry.is_dir() and not entry.is_symlink())
        ]
