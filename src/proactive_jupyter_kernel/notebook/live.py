"""Jobs as they run: a display that follows a job in the background, and a cell that waits for a job."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator

from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.jobs import OutputReader, Snapshot, SubmittedJob
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job, TaskState
from proactive_jupyter_kernel.errors import ProActiveError, SchedulerUnreachable, WaitTimeout
from proactive_jupyter_kernel.notebook.frontend import NotebookDisplay, NotebookFrontend
from proactive_jupyter_kernel.notebook.jobview import View, render
from proactive_jupyter_kernel.notebook.output_stream import OutputStream, Translate
from proactive_jupyter_kernel.pragmas.job_errors import advice
from proactive_jupyter_kernel.pragmas.outputs import Html, Text

__all__ = ["NotebookLive"]

#: Seconds between two updates of a display: four a second look alive and cost a browser little.
GAP = 0.25
#: Seconds for which a server that does not answer is asked again, by a display and by a cell that waits.
WATCH_PATIENCE = 600.0
WAIT_PATIENCE = 60.0
#: A display in the background asks less often than a cell that waits.
WATCH_POLLING = Polling(first=0.02, share=0.2, longest=1.0)
#: Lines that a display shows of the running output, and the characters of each.
TAIL_LINES = 12
TAIL_WIDTH = 160
#: How many waiting tasks a timeout explains.
TOLD_REASONS = 3


class NotebookLive:
    """`Live` of the pragmas, in a notebook."""

    def __init__(self, frontend: NotebookFrontend, connection: Callable[[], Connection]) -> None:
        self._frontend = frontend
        self._connection = connection
        self._stop = threading.Event()
        self._watchers: weakref.WeakSet[_Watcher] = weakref.WeakSet()

    def watch(self, job_id: int, name: str) -> None:
        """Show the job's status and let a thread keep it up to date."""
        connection = self._connection()
        watcher = _Watcher(self._frontend, connection, job_id, name, self._stop)
        self._watchers.add(watcher)
        watcher.start()

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
        """Block until the job, or each of the tasks, has ended."""
        connection = self._connection()
        names = frozenset(tasks or ())
        job = connection.scheduler.job(job_id)
        submitted = SubmittedJob(connection.scheduler, job_id, job.name)
        reader = submitted.output_reader(tasks=names)
        progress = _Progress(self._frontend, None if output else reader, names, draw=draw)
        stream = OutputStream(self._frontend, reader, translate) if output else None
        deadline = None if timeout is None else time.monotonic() + timeout
        patience = 0.0 if connection.embedded else WAIT_PATIENCE
        try:
            with _interruptible():
                for snapshot in submitted.follow(stop=self._stop, patience=patience, beat=GAP, known=job):
                    job = snapshot.job
                    progress.show(snapshot)
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
            progress.leave(job, is_over=submitted.is_over(job, names))
        self._tell_watchers(connection, job)
        return job

    def close(self) -> None:
        """Follow no job any longer."""
        self._stop.set()

    def _tell_watchers(self, connection: Connection, job: Job) -> None:
        """Displays of the same job, which may lag a second behind, show its end before the cell ends."""
        for watcher in list(self._watchers):
            if watcher.job_id == job.id and watcher.connection is connection:
                watcher.show(Snapshot(job=job, seen_at=int(time.time() * 1000)))


class _Watcher:
    """The display of one job, and the thread that keeps it up to date."""

    def __init__(
        self, frontend: NotebookFrontend, connection: Connection, job_id: int, name: str, stop: threading.Event
    ) -> None:
        self.job_id = job_id
        self.connection = connection
        self._name = name
        self._stop = stop
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._display = frontend.show_updatable(self._first())

    def start(self) -> None:
        if self._job is not None and not self._job.ended:
            threading.Thread(target=self._run, name=f"proactive-job-{self.job_id}", daemon=True).start()

    def show(self, snapshot: Snapshot) -> None:
        """Show it, unless the display shows the end already."""
        with self._lock:
            if self._job is not None and self._job.ended:
                return
            self._job = snapshot.job
            remark = f"{snapshot.trouble} Trying again." if snapshot.trouble else advice(snapshot.job)
            self._display.update(render(View(job=snapshot.job, remark=remark)), final=snapshot.job.ended)

    def _first(self) -> Text | Html:
        try:
            self._job = self.connection.scheduler.job(self.job_id)
        except ProActiveError as error:
            return Text(text=f"Job {self.job_id} {self._name!r} cannot be followed: {error}")
        return render(View(job=self._job, remark=advice(self._job)))

    def _run(self) -> None:
        assert self._job is not None
        patience = 0.0 if self.connection.embedded else WATCH_PATIENCE
        try:
            submitted = SubmittedJob(self.connection.scheduler, self.job_id, self._name)
            for snapshot in submitted.follow(
                stop=self._stop, patience=patience, polling=WATCH_POLLING, known=self._job
            ):
                self.show(snapshot)
                if self._job.ended or self._stop.wait(GAP):
                    return
        except ProActiveError as error:
            self._give_up(error)

    def _give_up(self, error: ProActiveError) -> None:
        assert self._job is not None
        remark = f"Not followed any more: {error.message} #%job_status(job_id={self.job_id}) shows how it stands."
        with self._lock:
            self._display.update(render(View(job=self._job, remark=remark)))


class _Progress:
    """The display of a cell that waits."""

    def __init__(
        self, frontend: NotebookFrontend, reader: OutputReader | None, names: frozenset[str], *, draw: bool
    ) -> None:
        self._frontend = frontend
        self._reader = reader
        self._names = names
        self._draw = draw
        self._display: NotebookDisplay | None = None
        self._next = 0.0

    def show(self, snapshot: Snapshot) -> None:
        """Show how the job gets on, a few times a second at most."""
        now = time.monotonic()
        if not self._draw or now < self._next:
            return
        self._next = now + GAP
        remark = f"{snapshot.trouble} Trying again." if snapshot.trouble else advice(snapshot.job)
        self._update(
            View(
                job=snapshot.job,
                tasks=self._names,
                tail=() if snapshot.trouble else self._tail(snapshot.job),
                now=int(time.time() * 1000),
                remark=remark,
            ),
            final=False,
        )

    def leave(self, job: Job, *, is_over: bool) -> None:
        """Show the state at the end of the wait, which is not updated any more."""
        if self._draw:
            remark = advice(job) if is_over else "Not waited for any more; the job continues."
            self._update(View(job=job, tasks=self._names, remark=remark), final=True)

    def _tail(self, job: Job) -> list[str]:
        """The last lines of the running tasks, each with its task's name where the job has more than one."""
        if self._reader is None:
            return []
        try:
            lines = self._reader.tail(job, TAIL_LINES)
        except SchedulerUnreachable:
            return []
        several = len(job.tasks) > 1
        texts = (f"{line.task}: {line.line.text}" if several else line.line.text for line in lines)
        return [text if len(text) <= TAIL_WIDTH else f"{text[:TAIL_WIDTH]}…" for text in texts]

    def _update(self, view: View, *, final: bool) -> None:
        if self._display is None:
            self._display = self._frontend.show_updatable(render(view))
        else:
            self._display.update(render(view), final=final)


def _meant(job: Job, names: frozenset[str]) -> list[TaskState]:
    """The tasks of these names and their copies; all where there are no names."""
    return [task for task in job.tasks if not names or task.base_name in names or task.name in names]


def _timed_out(submitted: SubmittedJob, job: Job, names: frozenset[str], timeout: float) -> WaitTimeout:
    alive = [task.name for task in _meant(job, names) if not task.ended]
    what = f"Task {', '.join(alive)} of job {job.id}" if names and alive else f"Job {job.id} ({job.name!r})"
    reasons = submitted.waiting_reasons(job)
    told = [f"\n  {name}: {reasons[name]}" for name in alive if name in reasons][:TOLD_REASONS]
    return WaitTimeout(
        f"{what} did not end within {timeout:g} s; the job is {job.status.label} and continues.{''.join(told)}",
        hint=f"#%wait_job(job_id={job.id}) waits longer, #%kill_job(job_id={job.id}) ends it.",
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt through: in a cell with `await` ipykernel would hand it to an event loop that stands still."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or handler is signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
