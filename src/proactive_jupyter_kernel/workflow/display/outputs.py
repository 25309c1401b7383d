"""The outputs of a task, such as figures and ``display(...)``, in the metadata of its result; the type of its value."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT, PREFIX, RESULT

__all__ = [
    "MimeBundle",
    "bundle_of",
    "content_type",
    "entries_of",
    "other_metadata",
    "output_of_result",
    "without_result",
]

_NUMBER = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MimeBundle:
    """One output as in Jupyter's messages: MIME type -> content, images in base64, always with ``text/plain``."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def entries_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The entries for outputs in the metadata of a result, in order."""
    numbers = sorted(number for key in metadata if _is_entry(key) and (number := _number(key[len(PREFIX) :])))
    return tuple(metadata[f"{PREFIX}{number}"] for number in numbers)


def output_of_result(metadata: Mapping[str, str]) -> int:
    """The number, from 1, of the output that is also the result of the task; 0: none."""
    return _number(metadata.get(RESULT, ""))


def _number(text: str) -> int:
    """The number of an output as the harness writes it; 0: it is none. A script may write anything there."""
    return int(text) if _NUMBER.fullmatch(text) else 0


def other_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata without the entries for the kernel."""
    return {key: value for key, value in metadata.items() if not _is_entry(key) and key not in (NO_RESULT, RESULT)}


def without_result(metadata: Mapping[str, str]) -> bool:
    """Whether the task set no result, so that its value, true, is the scheduler's default."""
    return NO_RESULT in metadata


def content_type(metadata: Mapping[str, str]) -> str:
    """What a result is: the type that the task named, or that of the file name it gave; empty: a value."""
    named = metadata.get("content.type", "").partition(";")[0].strip().lower()
    if named:
        return named
    extension = metadata.get("file.extension", "").lstrip(".")
    name = f"result.{extension}" if extension else metadata.get("file.name", "")
    return mimetypes.guess_type(name)[0] or ""


def _is_entry(key: str) -> bool:
    return key.startswith(PREFIX)


def bundle_of(entry: str) -> MimeBundle | None:
    """The decoded entry; None if it is not an output."""
    try:
        found = json.loads(entry)
        data, metadata = found["data"], found.get("metadata") or {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    return MimeBundle(data={"text/plain": "", **data}, metadata=metadata)
