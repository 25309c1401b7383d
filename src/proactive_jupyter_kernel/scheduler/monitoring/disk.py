"""Whether the disk with the data folder is nearly full: said before it is full, once each time."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.workflow.display.numbers import size_text

__all__ = ["DiskWatch", "Space", "space_of"]

_log = logging.getLogger(__name__)

#: Bytes; with less a disk is nearly full, but one that is small only with less than a tenth of it.
_LOW = 1024 * 1024 * 1024
_PART = 10


@dataclass(frozen=True, slots=True)
class Space:
    """The space of a disk, in bytes."""

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        """Whether it is nearly full."""
        return self.free < min(_LOW, self.total // _PART)


def space_of(folder: Path) -> Space | None:
    """The space of the disk with a folder; None where the system does not tell."""
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return None
    return Space(free=found.free, total=found.total)


class DiskWatch:
    """Warns in the log when the disk has become nearly full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._was_low = False

    def look(self) -> None:
        """Look at the disk; call it now and then."""
        space = space_of(self._folder)
        is_low = space is not None and space.is_low
        if space is not None and is_low and not self._was_low:
            _log.warning(
                "the disk with %s is nearly full: %s free. When it is full, tasks wait and nothing is stored. "
                "Make room there, remove jobs, or lower PROACTIVE_KERNEL_JOBS_KEPT",
                self._folder,
                size_text(space.free),
            )
        self._was_low = is_low
