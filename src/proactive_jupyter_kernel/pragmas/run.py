"""Do what a pragma asks: the one way from a call to its handler."""

from __future__ import annotations

from proactive_jupyter_kernel.pragmas import ownership
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.registry import Bound

__all__ = ["run"]


def run(context: Context, call: Bound) -> None:
    """Run one pragma; whatever is wrong comes as a `ProActiveError`, an interrupt as `KeyboardInterrupt`.

    Pragmas that change the draft run one at a time; the others never wait for each other.
    """
    if not call.pragma.changes_draft:
        ownership.begin(context, call)
        call.pragma.handler(context, call)
        return
    with context.lock:
        ownership.begin(context, call)
        try:
            call.pragma.handler(context, call)
        except BaseException as error:
            ownership.failed(context, call, error)
            raise
        ownership.done(context, call)
