"""The scheduler's own log, ``scheduler.log`` in the data folder: one entry a line, of bounded size.

An entry about a job, a task or an attempt says which one in a fixed form, for people who search and programs that
read: ``… job=7 task=3 attempt=1`` at the end of the line, or as fields of a JSON object (setting LOG_FORMAT).
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["FORMATS", "LOG_FILE", "about", "writing"]

LOG_FILE = "scheduler.log"
#: Bytes of a file, and how many earlier ones are kept: ``scheduler.log.1`` and so on.
_SIZE, _FILES = 1024 * 1024, 3
#: The fields that say what an entry is about, in this order.
_FIELDS = ("job", "task", "attempt", "node")


def about(job: int, task: int | None = None, attempt: int | None = None, node: str | None = None) -> dict[str, Any]:
    """``extra`` of an entry: what it is about."""
    values = (job, task, attempt, node)
    return {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}


class _Text(logging.Formatter):
    """``TIME LEVEL LOGGER: MESSAGE job=7 task=3``; the lines of a traceback follow."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record) + "".join(f" {name}={value}" for name, value in _fields(record).items())


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


#: The setting LOG_FORMAT.
FORMATS = {"text": _Text, "json": _Json}


@contextlib.contextmanager
def writing(data_dir: Path, form: str = "text") -> Iterator[None]:
    """Write what the scheduler itself says."""
    path = data_dir / LOG_FILE
    try:
        handler = RotatingFileHandler(path, maxBytes=_SIZE, backupCount=_FILES, encoding="utf-8")
    except OSError as error:
        raise EmbeddedSchedulerError(f"The scheduler's log {path} cannot be written: {error}.") from error
    handler.setFormatter(FORMATS[form]())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
