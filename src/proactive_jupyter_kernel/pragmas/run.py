"""Dispatches a call of a pragma to its handler."""

from __future__ import annotations

from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.pragmas import ownership
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.masking import mask_error
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall
from proactive_jupyter_kernel.pragmas.memory import journal

__all__ = ["run"]


def run(context: Context, call: BoundCall) -> None:
    """Run one pragma; whatever is wrong comes as a `ProActiveError`, an interrupt as `KeyboardInterrupt`.

    Pragmas that change the draft run one at a time; the others never wait for each other.
    """
    try:
        _run(context, call)
    except BaseException as error:
        mask_error(error, (*secrets_of(call), *context.secrets))
        raise


def secrets_of(call: BoundCall) -> list[str]:
    """The passwords and tokens that the call holds."""
    return [value.reveal() for value in call.values.values() if isinstance(value, Secret)]


def _run(context: Context, call: BoundCall) -> None:
    if not (call.pragma.name == "draft" and call.given("restore")):
        journal.offer(context)
    if not call.pragma.changes_draft:
        ownership.begin(context, call)
        call.pragma.handler(context, call)
        return
    with context.lock:
        ownership.begin(context, call)
        try:
            call.pragma.handler(context, call)
        except BaseException as error:
            # What it keeps of the error is shown later.
            mask_error(error, (*secrets_of(call), *context.secrets))
            ownership.failed(context, call, error)
            raise
        ownership.done(context, call)
