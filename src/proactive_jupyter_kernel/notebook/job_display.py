"""One card in one cell: its update rate, and its notice when the job is no longer followed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from proactive_jupyter_kernel.client.jobs import Snapshot, SubmittedJob
from proactive_jupyter_kernel.client.records import Job
from proactive_jupyter_kernel.notebook.card import Card, Facts, FollowState, Result, card_of, html_of, text_of
from proactive_jupyter_kernel.notebook.frontend import NotebookDisplay, NotebookFrontend
from proactive_jupyter_kernel.notebook.job_reader import JobReader
from proactive_jupyter_kernel.notebook.requests import Cell
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Html

__all__ = ["JobDisplay"]

#: Seconds between two updates at least, and at most: a card says that it is not followed after 15 s without one.
GAP = 1.0
#: Tasks of a job whose clocks tick in its card although nothing else changes.
SMALL = 50
LONGEST_GAP = 7.0
#: The part of a core that drawing a card may cost the kernel; one that is expensive to draw is drawn less often.
SHARE = 0.02


class JobDisplay:
    """The card of a job below one cell. Its methods may be called from any thread."""

    def __init__(
        self,
        frontend: NotebookFrontend,
        context: Context,
        job: SubmittedJob,
        first: Job,
        *,
        cell: Cell,
        tasks: frozenset[str] = frozenset(),
        output: bool = True,
    ) -> None:
        """`first` is the state that is shown at once. With `output` the card shows what the tasks write."""
        self.job = job
        self.cell = cell
        self._reader = JobReader(context, job, tasks)
        self._output = output
        self._lock = threading.RLock()
        self._snapshot = Snapshot(job=first, seen_at=int(time.time() * 1000))
        self._following = FollowState.LIVE
        self._drawn_at = time.monotonic()
        self._cost = 0.0
        self._stopped_by = ""
        self.facts = Facts(job=first, seen_at=0)
        self.card = self._draw()
        self._display: NotebookDisplay = frontend.show_updatable(_bundle(self.card))

    @property
    def state(self) -> Job:
        """The job as it is shown."""
        return self._snapshot.job

    @property
    def is_final(self) -> bool:
        """Whether the card shows the end of the job."""
        return self.facts.job.ended

    def show(self, snapshot: Snapshot, *, now: bool = False) -> None:
        """Show a snapshot: at once, or when the last update is long enough ago."""
        with self._lock:
            if self.is_final and not now:
                return
            changed = snapshot.job != self.facts.job or snapshot.trouble != self.facts.trouble
            self._snapshot = snapshot
            revived = self._following is not FollowState.LIVE
            self._following = FollowState.LIVE
            since = time.monotonic() - self._drawn_at
            due = min(max(GAP, self._cost / SHARE), max(GAP, LONGEST_GAP))
            urgent = now or snapshot.job.ended
            if urgent or (since >= due and (changed or revived or since >= self._beat(due))):
                self._refresh(final=snapshot.job.ended)

    def _beat(self, due: float) -> float:
        """Seconds until an unchanged card is drawn: clocks of small jobs tick, others are kept alive."""
        return due if due <= 3 * GAP and len(self.state.tasks) <= SMALL else LONGEST_GAP

    def stop(self, why: str = "") -> None:
        """Say that no update follows; a later `show` takes that back."""
        with self._lock:
            if self.is_final or (self._following is FollowState.STOPPED and why == self._stopped_by):
                return
            self._following = FollowState.STOPPED
            self._stopped_by = why
            self._refresh(final=True)

    def add_results(self, results: tuple[Result, ...], returned: frozenset[str] | None) -> None:
        """Show these results in the card."""
        with self._lock:
            self._reader.results = results
            self._reader.returned = returned
            self._refresh(final=True)

    def _refresh(self, *, final: bool) -> None:
        start = time.thread_time()
        self.card = self._draw()
        self._display.update(_bundle(self.card), final=final)
        self._drawn_at = time.monotonic()
        self._cost = time.thread_time() - start

    def _draw(self) -> Card:
        snapshot = self._snapshot
        if self._following is FollowState.STOPPED:
            # Nothing is asked: the scheduler may be what is gone, and a kernel that ends has no time.
            self.facts = replace(
                self.facts,
                job=snapshot.job,
                seen_at=snapshot.seen_at,
                following=self._following,
                stopped_by=self._stopped_by,
            )
        else:
            self.facts = self._reader.facts(snapshot, self._following, output=self._output)
        return card_of(self.facts)


def _bundle(card: Card) -> Html:
    return Html(html=html_of(card), text=text_of(card))
