"""Python's collector of cycles, held off while much is made that has none.

It looks at all objects whenever their number has grown by a quarter. Records of tasks hold no cycles, so that while a
large job is made it would look at them again and again, for nothing: half of the time of a job of 100,000 tasks.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["paused", "relax"]

#: So many objects more make it look at the young ones (Python: 700), and so many such looks at the older ones.
_YOUNG, _OLDER = 10_000, 20

#: How many hold it off now. Changed in the loop's thread alone.
_pausing = 0


def relax() -> None:
    """Have it look less often from now on, and not at what is there already: a process that works for long has few
    cycles, and the records of a large job live long."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)


@contextlib.contextmanager
def paused(wanted: bool = True) -> Iterator[None]:
    """Hold the collector off inside, where `wanted`. For the loop's thread."""
    global _pausing
    if not wanted:
        yield
        return
    _pausing += 1
    gc.disable()
    try:
        yield
    finally:
        _pausing -= 1
        if not _pausing:
            gc.enable()
