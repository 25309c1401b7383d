"""What this machine remembers of the files it sent with jobs: which job they belong to and where its output goes.

The text of a workflow is not trusted with that: a person who can write the generic information of a job could otherwise
choose where files are written here.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import SetupError

__all__ = ["TransferRecord", "TransferRecords"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRecord:
    """One submission with files."""

    #: The folder of the submission in the user space; no other submission has it.
    name: str
    #: The scheduler that has the job, as `Scheduler.identity`.
    scheduler: str
    #: None until the scheduler has accepted the job.
    job_id: int | None = None
    #: The folder here that the output files go to; empty: there are none to fetch.
    output: str = ""


class TransferRecords:
    """One JSON file per submission in a folder that only the user can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: TransferRecord) -> None:
        """Remember it; `SetupError` where the file cannot be written."""
        path = self._path(record.name)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        data = {"scheduler": record.scheduler, "job": record.job_id, "output": record.output}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise SetupError(
                f"The transfer of files cannot be recorded in {self._folder}: {error.strerror or error}.",
                hint="The environment variable PROACTIVE_KERNEL_DATA_DIR names another data folder.",
            ) from error

    def read(self, name: str) -> TransferRecord | None:
        """The record of that folder; None where there is none, or no readable one."""
        try:
            data: dict[str, Any] = json.loads(self._path(name).read_text(encoding="utf-8"))
            job = data["job"]
            return TransferRecord(
                name=name,
                scheduler=str(data["scheduler"]),
                job_id=None if job is None else int(job),
                output=str(data["output"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove(self, name: str) -> None:
        """Forget it."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
