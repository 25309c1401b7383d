"""Limits on what a task gives and on what the store takes: what is beyond, and how that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.raw_value import NULL, RawValue

__all__ = ["check_store", "within"]


def within(outcome: Outcome, limit: int, say: Callable[[str], None]) -> Outcome:
    """The outcome; a failed one without a value if the value has more bytes of JSON than `limit` (0: no limit).

    `say` writes a line to the task's log.
    """
    value = outcome.value
    if not limit or value is None or not isinstance(value, RawValue | str | bytes | list | dict):
        return outcome
    value = RawValue.of(value)
    if value.size <= limit:
        return replace(outcome, value=value)
    message = (
        f"The result has {value.size:,} bytes, more than the {limit:,} that this scheduler keeps "
        "(PROACTIVE_KERNEL_RESULT_BYTES). Write large data to a file of a data space, and return its name."
    )
    say(message)
    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)
    return replace(outcome, value=NULL, metadata={}, failure=outcome.failure or failure)


def check_store(used: int, limit: int) -> None:
    """Raise `SubmissionRefused` where the store has more bytes than `limit`."""
    if used > limit:
        raise SubmissionRefused(
            f"The workflow was not accepted: the store of the scheduler has {used:,} bytes, more than the {limit:,} "
            "that it may have (PROACTIVE_KERNEL_STORE_BYTES).",
            hint="Remove jobs that are no longer needed, or start the scheduler with a larger limit. "
            "PROACTIVE_KERNEL_JOBS_KEPT and PROACTIVE_KERNEL_JOBS_DAYS remove ended jobs automatically.",
        )
