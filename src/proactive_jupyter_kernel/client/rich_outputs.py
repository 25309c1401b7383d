"""The rich outputs of a task, such as figures and ``display(...)``, from the metadata of its result."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.workflow.display.outputs import MimeBundle, bundle_of

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.records import TaskResult

__all__ = ["outputs_of"]

#: MIME types that are safe from any source.
_HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")
#: MIME types whose source is shown as text if the job is not trusted.
_SOURCES = ("text/html", "text/markdown", "text/latex", "image/svg+xml", "application/json")


def outputs_of(result: TaskResult, *, with_result: bool = True) -> tuple[MimeBundle, ...]:
    """The outputs of a task, in order; for a job that is not trusted, markup is returned as text.

    `with_result` includes the value of a last expression that is the result of the task.
    """
    entries = [
        entry for number, entry in enumerate(result.outputs, 1) if with_result or number != result.output_of_result
    ]
    bundles = (bundle_of(entry) for entry in entries)
    return tuple(bundle if result.trusted else _harmless(bundle) for bundle in bundles if bundle is not None)


def _harmless(bundle: MimeBundle) -> MimeBundle:
    kept = {kind: content for kind, content in bundle.data.items() if kind in _HARMLESS}
    source = next((str(bundle.data[kind]) for kind in _SOURCES if kind in bundle.data), "")
    if source and len(kept) == 1:
        kept["text/plain"] = f"{kept['text/plain']}\n{source}".strip()
        kept["text/html"] = f"<pre>{html.escape(kept['text/plain'])}</pre>"
    return MimeBundle(data=kept)
