"""Cards of jobs that are followed in the background, and cells that wait for a job."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.jobs import Snapshot, SubmittedJob
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.errors import ProActiveError, SchedulerUnreachable, WaitTimeout
from proactive_jupyter_kernel.notebook.card import Result
from proactive_jupyter_kernel.notebook.display import bundle_of, fits_markup, markup_of
from proactive_jupyter_kernel.notebook.frontend import NotebookFrontend
from proactive_jupyter_kernel.notebook.interrupts import interruptible
from proactive_jupyter_kernel.notebook.job_display import JobDisplay
from proactive_jupyter_kernel.notebook.output_stream import OutputStream, Translate
from proactive_jupyter_kernel.notebook.requests import Cell
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Mime, Table, Text, Value

__all__ = ["NotebookLive"]

#: Seconds between two looks at a job by a cell that waits, and by a card in the background.
BEAT = 0.25
WATCH_BEAT = 1.0
#: Seconds for which a waiting cell retries a server that does not answer. A card retries without limit.
WAIT_PATIENCE = 60.0
#: Seconds between two attempts to follow a job again.
AGAIN = 5.0
#: A card in the background polls less often than a waiting cell.
WATCH_POLLING = Polling(first=0.02, share=0.2, longest=1.0)
#: How many waiting tasks a timeout explains.
TOLD_REASONS = 3


class NotebookLive:
    """`Live` of the pragmas, in a notebook."""

    def __init__(self, frontend: NotebookFrontend, context: Callable[[], Context]) -> None:
        self._frontend = frontend
        self._context = context
        self._stop = threading.Event()
        self._lock = threading.Lock()
        #: The cards of jobs that may not have ended, the newest last.
        self._cards: list[JobDisplay] = []
        self._followers: dict[JobDisplay, _Follower] = {}
        frontend.requests.on_end.append(self._cell_ends)

    def watch(self, job_id: int, name: str, *, follow: bool = True) -> None:
        """Show the card of the job; with `follow` a thread keeps it up to date."""
        context = self._context()
        try:
            scheduler = context.connection.scheduler
            job = scheduler.job(job_id)
            card = self._new_card(context, SubmittedJob(scheduler, job_id, name), job)
        except ProActiveError as error:
            self._frontend.show(Text(text=f"Job {job_id} {name!r} cannot be shown: {error}"))
            return
        if follow:
            self._follow(card)

    def wait(
        self,
        job_id: int,
        *,
        tasks: Collection[str] | None = None,
        timeout: float | None = None,
        draw: bool = True,
        output: bool = True,
        translate: Translate | None = None,
    ) -> Job:
        """Block until the job, or each of the tasks, has ended or cannot continue without a decision."""
        context = self._context()
        connection = context.connection
        names = frozenset(tasks or ())
        card = self._card_here(job_id)
        job = connection.scheduler.job(job_id)
        submitted = card.job if card else SubmittedJob(connection.scheduler, job_id, job.name)
        if card is None and draw:
            card = self._new_card(context, submitted, job, tasks=names, output=not output)
        if card is not None:
            self._unfollow(card)
        stream = OutputStream(self._frontend, submitted.output_reader(tasks=names), translate) if output else None
        deadline = None if timeout is None else time.monotonic() + timeout
        patience = 0.0 if connection.embedded else WAIT_PATIENCE
        snapshot = Snapshot(job=job, seen_at=_now())
        try:
            with interruptible():
                for snapshot in submitted.follow(stop=self._stop, patience=patience, beat=BEAT, known=job):
                    job = snapshot.job
                    if card is not None:
                        card.show(snapshot)
                    if stream:
                        stream.write(job)
                    if submitted.is_over(job, names):
                        break
                    if deadline is not None and time.monotonic() >= deadline:
                        raise _timed_out(submitted, job, names, timeout or 0)
        finally:
            # Also of a wait that was cut: what the tasks wrote so far belongs into the notebook.
            if stream:
                stream.finish(job)
            self._show_everywhere(submitted, Snapshot(job=job, seen_at=snapshot.seen_at), card)
        return job

    def add_results(
        self, job_id: int, outputs: Sequence[Value | Table | Mime], returned: Collection[str] | None
    ) -> Sequence[Value | Table | Mime]:
        """Show outputs in the card of the job below the running cell; gives those that it cannot show."""
        card = self._card_here(job_id)
        if card is None or not card.cell.header:
            # A terminal would print the whole card once more.
            return outputs
        results, left = [], []
        for output in outputs:
            bundle = bundle_of(_bare(output), self._frontend.format_value)
            if not fits_markup(bundle):
                left.append(output)
                continue
            name = output.caption if isinstance(output, Table) else output.label
            results.append(Result(task=name, text=bundle.text, html=markup_of(bundle)))
        card.add_results(tuple(results), None if returned is None else frozenset(returned))
        return left

    def summary(self, job_id: int) -> str:
        """The first error that the card below the running cell shows, in one line; empty without such a card."""
        card = self._card_here(job_id)
        if card is None:
            return ""
        for group in card.card.errors:
            place = f" ({group.place})" if group.place else ""
            return f"{group.tasks}: {group.line}{place}"
        return card.card.state

    def close(self, why: str = "the kernel ended") -> None:
        """Follow no job any longer; the cards of running jobs say so."""
        if self._stop.is_set():
            return
        self._stop.set()
        with self._lock:
            cards = list(self._cards)
            followers = list(self._followers.values())
        for follower in followers:
            follower.stop()
        for card in cards:
            # The front end may be gone already.
            with contextlib.suppress(Exception):
                card.stop(why)

    # -- cards

    def _new_card(
        self,
        context: Context,
        submitted: SubmittedJob,
        job: Job,
        *,
        tasks: frozenset[str] = frozenset(),
        output: bool = True,
    ) -> JobDisplay:
        cell = self._frontend.requests.here
        card = JobDisplay(self._frontend, context, submitted, job, cell=cell, tasks=tasks, output=output)
        with self._lock:
            # A card of the cell that runs may still get results.
            self._cards = [one for one in self._cards if not one.is_final or one.cell is cell]
            self._cards.append(card)
        return card

    def _card_here(self, job_id: int) -> JobDisplay | None:
        """The card of the job below the cell that runs."""
        cell = self._frontend.requests.here
        with self._lock:
            found = [card for card in self._cards if card.job.id == job_id and card.cell is cell]
        return found[-1] if found else None

    def _show_everywhere(self, submitted: SubmittedJob, snapshot: Snapshot, here: JobDisplay | None) -> None:
        """Bring the cards of a job up to date before its cell ends; those of a running job are followed from now on."""
        with self._lock:
            same = (submitted.scheduler, submitted.id)
            cards = [card for card in self._cards if (card.job.scheduler, card.job.id) == same]
        for card in cards:
            if card is here or snapshot.job.ended:
                card.show(snapshot, now=not card.is_final)
        if here is not None:
            self._follow(here)

    # -- threads

    def _follow(self, card: JobDisplay) -> None:
        if card.is_final or self._stop.is_set():
            return
        with self._lock:
            follower = self._followers[card] = _Follower(card, self._context().connection, self._stop)
            self._followers = {one: found for one, found in self._followers.items() if not one.is_final}
        follower.start()

    def _unfollow(self, card: JobDisplay) -> None:
        with self._lock:
            follower = self._followers.pop(card, None)
        if follower is not None:
            follower.stop()

    def _cell_ends(self, cell: Cell) -> None:
        """A headless run keeps what it gets while a cell runs: the cards must not claim more than is known now."""
        if not cell.headless:
            return
        with self._lock:
            cards = [card for card in self._cards if not card.is_final]
        for card in cards:
            card.stop()


class _Follower(threading.Thread):
    """Keeps one card up to date until its job has ended. A daemon: it never keeps a kernel from ending."""

    def __init__(self, card: JobDisplay, connection: Connection, stop: threading.Event) -> None:
        super().__init__(name=f"proactive-job-{card.job.id}", daemon=True)
        self._card = card
        self._connection = connection
        self._kernel_ends = stop
        self._done = threading.Event()

    def stop(self) -> None:
        """Follow no longer; another one does."""
        self._done.set()

    @property
    def _is_done(self) -> bool:
        return self._done.is_set() or self._kernel_ends.is_set() or self._card.is_final

    def run(self) -> None:
        while not self._is_done:
            try:
                self._follow()
            except SchedulerUnreachable as error:
                if not self._is_done:
                    self._card.stop(_lowered(error.message))
            except ProActiveError as error:
                # The job was removed, or the session is refused: no other attempt would do better.
                if not self._is_done:
                    self._card.stop(_lowered(error.message))
                return
            self._pause(AGAIN)
            # A card must not restart the embedded scheduler after the user stopped it.
            while not self._is_done and not self._connection.is_there:
                self._pause(WATCH_BEAT)

    def _follow(self) -> None:
        card = self._card
        for snapshot in card.job.follow(
            stop=self._done, patience=0.0, polling=WATCH_POLLING, beat=WATCH_BEAT, known=card.state
        ):
            if self._is_done:
                return
            card.show(snapshot)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_done:
            self._done.wait(min(0.5, seconds))


def _bare(output: Value | Table | Mime) -> Value | Table | Mime:
    """The output without its label, which the card writes itself."""
    return replace(output, caption="") if isinstance(output, Table) else replace(output, label="")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _now() -> int:
    return int(time.time() * 1000)


def _meant(job: Job, names: frozenset[str]) -> list[TaskState]:
    """The tasks of these names and their copies; all where there are no names."""
    return [task for task in job.tasks if not names or task.base_name in names or task.name in names]


def _timed_out(submitted: SubmittedJob, job: Job, names: frozenset[str], timeout: float) -> WaitTimeout:
    alive = [task.name for task in _meant(job, names) if not task.ended]
    what = f"Task {', '.join(alive)} of job {job.id}" if names and alive else f"Job {job.id} ({job.name!r})"
    reasons: Mapping[str, str] = submitted.waiting_reasons(job)
    told = [f"\n  {name}: {reasons[name]}" for name in alive if name in reasons][:TOLD_REASONS]
    return WaitTimeout(
        f"{what} did not end within {timeout:g} s; the job is {job.status_label} and continues.{''.join(told)}",
        hint=f"#%wait_job(job_id={job.id}) waits longer, #%kill_job(job_id={job.id}) ends it.",
    )
