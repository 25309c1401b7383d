"""The collector of cycles is held off while large things are made."""

from __future__ import annotations

import gc

from proactive_jupyter_kernel.scheduler import garbage_collector


def test_it_works_again_after_the_last_one() -> None:
    """Also after an error, and only where that is wanted."""
    seen = []
    try:
        with garbage_collector.paused(), garbage_collector.paused(False):
            with garbage_collector.paused():
                seen.append(gc.isenabled())
            seen.append(gc.isenabled())
            raise ValueError
    except ValueError:
        seen.append(gc.isenabled())
    with garbage_collector.paused(False):
        seen.append(gc.isenabled())
    assert seen == [False, False, True, True]
