"""The rich outputs of a task, such as figures and ``display(...)``, from the metadata of its result."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT, PREFIX, RESULT

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import TaskResult

__all__ = ["MimeBundle", "entries_of", "other_metadata", "output_of_result", "outputs_of", "without_result"]

#: MIME types that are safe from any source.
_HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")
#: MIME types whose source is shown as text if the job is not trusted.
_SOURCES = ("text/html", "text/markdown", "text/latex", "image/svg+xml", "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class MimeBundle:
    """One output as in Jupyter's messages: MIME type -> content, images in base64, always with ``text/plain``."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def outputs_of(result: TaskResult, *, with_result: bool = True) -> tuple[MimeBundle, ...]:
    """The outputs of a task, in order; for a job that is not trusted, markup is returned as text.

    `with_result` includes the value of a last expression that is the result of the task.
    """
    entries = [
        entry for number, entry in enumerate(result.outputs, 1) if with_result or number != result.output_of_result
    ]
    bundles = (_bundle(entry) for entry in entries)
    return tuple(bundle if result.trusted else _harmless(bundle) for bundle in bundles if bundle is not None)


def entries_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The entries for outputs in the metadata of a result, in order."""
    numbers = sorted(int(key[len(PREFIX) :]) for key in metadata if key[len(PREFIX) :].isdigit() and _is_entry(key))
    return tuple(metadata[f"{PREFIX}{number}"] for number in numbers)


def output_of_result(metadata: Mapping[str, str]) -> int:
    """The number, from 1, of the output that is also the result of the task; 0: none."""
    found = metadata.get(RESULT, "")
    return int(found) if found.isdigit() else 0


def other_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata without the entries for the kernel."""
    return {key: value for key, value in metadata.items() if not _is_entry(key) and key not in (NO_RESULT, RESULT)}


def without_result(metadata: Mapping[str, str]) -> bool:
    """Whether the task set no result, so that its value, true, is the scheduler's default."""
    return NO_RESULT in metadata


def _is_entry(key: str) -> bool:
    return key.startswith(PREFIX)


def _bundle(entry: str) -> MimeBundle | None:
    """The decoded entry; None if it is not an output."""
    try:
        found = json.loads(entry)
        data, metadata = found["data"], found.get("metadata") or {}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    return MimeBundle(data={"text/plain": "", **data}, metadata=metadata)


def _harmless(bundle: MimeBundle) -> MimeBundle:
    kept = {kind: content for kind, content in bundle.data.items() if kind in _HARMLESS}
    source = next((str(bundle.data[kind]) for kind in _SOURCES if kind in bundle.data), "")
    if source and len(kept) == 1:
        kept["text/plain"] = f"{kept['text/plain']}\n{source}".strip()
        kept["text/html"] = f"<pre>{html.escape(kept['text/plain'])}</pre>"
    return MimeBundle(data=kept)
