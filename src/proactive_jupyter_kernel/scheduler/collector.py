"""Python's collector of cycles, held off while much is made that has none.

It looks at all objects whenever their number has grown by a quarter. Records of tasks hold no cycles, so that while a
large job is made it would look at them again and again, for nothing: half of the time of a job of 100,000 tasks.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["paused"]

#: How many hold it off now. Changed in the loop's thread alone.
_pausing = 0


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
