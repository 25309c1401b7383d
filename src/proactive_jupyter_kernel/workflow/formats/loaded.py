"""What reading a workflow gives, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["MAX_BYTES", "MAX_TASKS", "Loaded", "ReadFile", "decoded"]

#: A workflow is text that people edit; the largest of ProActive's catalogue has less than a hundredth of this.
MAX_BYTES = 16 * 1024 * 1024
#: Ten times as many as a job is expected to have.
MAX_TASKS = 100_000

#: Gives the text of a file beside the workflow; raises OSError or ValueError where there is none.
ReadFile = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A workflow that was read."""

    workflow: Workflow
    #: What the text said that the workflow cannot represent, or that means something else than it seems; sentences.
    notices: tuple[str, ...] = ()
    #: What is wrong with it though it could be read; only where `loads` was told to keep going.
    problems: tuple[Problem, ...] = ()


def decoded(text: str | bytes) -> str:
    """Text in UTF-8, of a size that a workflow can have; UnreadableWorkflow for anything else."""
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
