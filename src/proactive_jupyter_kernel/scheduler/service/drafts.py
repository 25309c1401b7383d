"""Workflow files that somebody has opened in a form and not submitted yet: in memory, bounded, for a while."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.service.workflow_files import Drawing, Examination, ReadWorkflow

__all__ = ["KEPT_SECONDS", "Draft", "Drafts"]

#: Drafts are kept so long after their last use, and at most so many with so many bytes together.
KEPT_SECONDS = 4 * 3600.0
_MOST, _MOST_BYTES = 50, 256 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Draft:
    """One opened workflow."""

    #: Cannot be guessed.
    key: str
    user: str
    #: The file, or where else it comes from: ``weather.xml``, ``job 7``.
    name: str
    #: Bytes of the file.
    size: int
    read: ReadWorkflow
    #: None: it would take too long.
    drawing: Drawing | None
    #: Values of hidden variables that were typed: they are not sent to the page again.
    typed: dict[str, str] = field(default_factory=dict)
    #: The check of a form that is being edited: the next one takes its place.
    checking: asyncio.Task[Examination] | None = None
    used: float = 0.0

    @property
    def weight(self) -> int:
        """The approximate number of bytes that it occupies."""
        drawing = len(self.drawing.light) + len(self.drawing.dark) if self.drawing else 0
        return len(self.read.xml) + drawing


class Drafts:
    """The drafts of all users; the least recently used are dropped first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._drafts: OrderedDict[str, Draft] = OrderedDict()

    def add(self, *, user: str, name: str, size: int, read: ReadWorkflow, drawing: Drawing | None) -> Draft:
        """Keep a new one."""
        key = secrets.token_urlsafe(16)
        draft = Draft(key=key, user=user, name=name, size=size, read=read, drawing=drawing, used=self._clock())
        self._drafts[key] = draft
        self._shrink()
        return draft

    def find(self, key: str, user: str) -> Draft | None:
        """The draft of a user; None if there is none, or it was dropped."""
        self._shrink()
        draft = self._drafts.get(key)
        if draft is None or draft.user != user:
            return None
        draft.used = self._clock()
        self._drafts.move_to_end(key)
        return draft

    def remove(self, draft: Draft) -> None:
        """Drop a draft that was submitted or given up."""
        self._drafts.pop(draft.key, None)

    def _shrink(self) -> None:
        oldest = self._clock() - KEPT_SECONDS
        while self._drafts and next(iter(self._drafts.values())).used < oldest:
            self._drafts.popitem(last=False)
        while len(self._drafts) > _MOST or (
            len(self._drafts) > 1 and sum(draft.weight for draft in self._drafts.values()) > _MOST_BYTES
        ):
            self._drafts.popitem(last=False)
