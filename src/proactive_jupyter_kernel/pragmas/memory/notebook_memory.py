"""What is kept of a notebook over a restart of its kernel: the jobs that it submitted, and its journal.

Two small JSON files in the user's data folder, which only the user can read, named after a digest of the notebook's
path. A moved notebook starts without them. A file that cannot be read counts as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.pragmas.draft.source_map import LineRange, SourceMap, Sources

__all__ = ["JobRecord", "JournalCell", "NotebookMemory"]

#: Jobs kept of a notebook, the newest last.
KEPT_JOBS = 50
#: Of so many of them, where the lines of their scripts were written. A script's text is part of that.
KEPT_SOURCES = 5
#: Characters of those that one job may have.
SOURCES_LIMIT = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job that was submitted from the notebook."""

    id: int
    name: str
    #: The scheduler that has it, as `Scheduler.identity`.
    scheduler: str
    #: By task name, where its scripts were written; empty for older jobs.
    sources: Mapping[str, Sources] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCell:
    """A cell that contributes to the draft."""

    #: The front end's identity of the cell; empty if it gives none.
    id: str
    label: str
    #: As typed, without passwords.
    text: str
    #: What cells without a pragma did when it ran.
    mode: str = "local"
    #: The tasks that it defined.
    tasks: tuple[str, ...] = ()


class NotebookMemory:
    """The files of one notebook. What it raises is `OSError`."""

    def __init__(self, folder: Path, notebook: str) -> None:
        """`notebook` is the path of its file."""
        digest = hashlib.sha256(notebook.encode()).hexdigest()[:24]
        self._folder = folder
        self._notebook = notebook
        self._jobs = folder / f"{digest}.jobs.json"
        self._journal = folder / f"{digest}.journal.json"

    # -- jobs

    def jobs(self) -> list[JobRecord]:
        """The jobs, the newest last."""
        found = self._read(self._jobs, "jobs")
        try:
            return [_job(one) for one in found]
        except (TypeError, KeyError, ValueError, AttributeError):
            return []

    def add_job(self, job: JobRecord) -> None:
        """Keep one more."""
        known = [one for one in self.jobs() if (one.scheduler, one.id) != (job.scheduler, job.id)]
        jobs = [*known, job][-KEPT_JOBS:]
        rows = [_row(one, sources=number < KEPT_SOURCES) for number, one in enumerate(reversed(jobs))]
        self._write(self._jobs, {"jobs": rows[::-1]})

    # -- the journal

    def journal(self) -> list[JournalCell]:
        """The cells of the draft when it was last written, in their order."""
        found = self._read(self._journal, "cells")
        try:
            return [JournalCell(**{**one, "tasks": tuple(one["tasks"])}) for one in found]
        except (TypeError, KeyError, ValueError):
            return []

    def write_journal(self, cells: Sequence[JournalCell]) -> None:
        """Keep these cells and no others."""
        if cells:
            self._write(self._journal, {"cells": [asdict(cell) for cell in cells]})
        else:
            self._journal.unlink(missing_ok=True)

    # -- files

    def _read(self, file: Path, key: str) -> list[Any]:
        try:
            found = json.loads(file.read_text(encoding="utf-8"))[key]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return found if isinstance(found, list) else []

    def _write(self, file: Path, data: Mapping[str, object]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        text = json.dumps({"notebook": self._notebook, **data}, ensure_ascii=False)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(part, file)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def _row(job: JobRecord, *, sources: bool) -> Mapping[str, object]:
    kept = {name: asdict(one) for name, one in job.sources.items()} if sources else {}
    size = sum(len(script["script"]) for one in kept.values() for script in one["scripts"].values())
    return {
        "id": job.id,
        "name": job.name,
        "scheduler": job.scheduler,
        "sources": kept if size <= SOURCES_LIMIT else {},
    }


def _job(row: Mapping[str, Any]) -> JobRecord:
    return JobRecord(
        id=int(row["id"]),
        name=str(row["name"]),
        scheduler=str(row["scheduler"]),
        sources={
            task: Sources(scripts={label: _source(one) for label, one in found["scripts"].items()})
            for task, found in row["sources"].items()
        },
    )


def _source(found: Mapping[str, Any]) -> SourceMap:
    pieces = tuple(LineRange(**piece) for piece in found["pieces"])
    return SourceMap(engine=found["engine"], script=found["script"], pieces=pieces)
