"""What a store raises: it cannot write now, its file is gone, or a part of it is damaged."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["DamagedStore", "StoreGone", "StoreUnavailable"]


class StoreUnavailable(EmbeddedSchedulerError):
    """The store cannot write: the disk is full or read-only, or the file is gone. Nothing of the batch is stored."""


class StoreGone(StoreUnavailable):
    """The store's file was removed, moved or replaced while the scheduler runs. What is written now would be lost."""


class DamagedStore(StoreUnavailable):
    """A part of the store is damaged: the disk lost it, or another program wrote into the file."""
