"""What messages say of a Dask scheduler or worker that cannot be reached."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.executors.dask.comms import reason_of


def test_every_error_has_a_reason() -> None:
    """An error without a text, such as a timeout of asyncio, does not end the message after its colon."""
    errors = (OSError("connection refused"), TimeoutError(), EOFError())
    assert [reason_of(error) for error in errors] == ["connection refused", "no answer in time", "EOFError"]
