"""The result of reading a workflow from any format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["MAX_BYTES", "MAX_TASKS", "Loaded", "ReadFile", "decoded"]

#: A job of `MAX_TASKS` short scripts has a third of this; the largest workflow of ProActive's catalog, much less.
MAX_BYTES = 64 * 1024 * 1024
#: Ten times the expected size of a job.
MAX_TASKS = 100_000

#: Returns the text of a file beside the workflow; raises OSError or ValueError if there is none.
ReadFile = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A workflow that was read."""

    workflow: Workflow
    #: Sentences about parts of the text that the workflow cannot represent, or that are misleading.
    notices: tuple[str, ...] = ()
    #: Problems that did not prevent reading; only with `keep_going` of `loads`.
    problems: tuple[Problem, ...] = ()


def decoded(text: str | bytes) -> str:
    """Decode UTF-8 text of at most `MAX_BYTES`; raises UnreadableWorkflow for anything else."""
    from proactive_jupyter_kernel.errors import UnreadableWorkflow

    if len(text) > MAX_BYTES:
        raise UnreadableWorkflow(
            f"The workflow has {len(text):,} bytes; at most {MAX_BYTES:,} are read.",
            hint="Move large data out of its scripts, into files.",
        )
    if isinstance(text, bytes):
        raw = text
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise UnreadableWorkflow(f"Line {line}: the file is not UTF-8 text.", hint="Save it as UTF-8.") from error
    return text.removeprefix("\ufeff")
