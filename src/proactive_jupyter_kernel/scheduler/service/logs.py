"""The output of running tasks: bounded buffers to the store, and copies to live listeners.

What a task prints is kept in memory until the next batch is written, at most as much as the store keeps of a whole
log, so that a task that floods its output costs no more. Listeners get lines as they come; one that does not read
loses the oldest ones and gets their number.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogPart, LogText

__all__ = ["LogSource", "Logs", "dropped_notice", "formatted", "lines_of"]

#: A longer line is cut; a line is for people, and clients hold them all in memory.
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Who writes a line: a task, and the machine on which it runs."""

    job_id: int
    task_id: int
    #: The task's full name.
    task_name: str
    host: str


@dataclass(slots=True)
class _Buffer:
    lines: deque[LogLine] = field(default_factory=deque)
    held: int = 0
    skipped: int = 0


@dataclass(slots=True)
class _Capture:
    """What one session has not read yet of a job's output."""

    texts: deque[str] = field(default_factory=deque)
    held: int = 0
    skipped: int = 0
    #: False: what was written before the capture is still being read, and comes first.
    complete: bool = True


class Logs:
    """All output that is not stored yet. `on_first` is called when a line comes into empty buffers."""

    def __init__(self, *, max_lines: int, max_bytes: int, on_first: Callable[[], None]) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._on_first = on_first
        self._buffers: dict[tuple[int, int, int], _Buffer] = {}
        #: By job, then by listener.
        self._captures: dict[int, dict[str, _Capture]] = {}

    # --- to the store --------------------------------------------------------------------------------------------

    def append(self, source: LogSource, line: LogLine) -> None:
        """Add a line that a task wrote."""
        if len(line.text) > _LONGEST_LINE:
            cut = f"{line.text[:_LONGEST_LINE]} [{len(line.text) - _LONGEST_LINE} more characters cut]"
            line = LogLine(error=line.error, at=line.at, text=cut, attempt=line.attempt)
        if not self._buffers:
            self._on_first()
        buffer = self._buffers.setdefault((source.job_id, source.task_id, line.attempt), _Buffer())
        buffer.lines.append(line)
        buffer.held += len(line.text)
        while len(buffer.lines) > self._max_lines or (buffer.held > self._max_bytes and len(buffer.lines) > 1):
            first = buffer.lines.popleft()
            buffer.held -= len(first.text)
            buffer.skipped += first.lines
        if source.job_id in self._captures:
            self._tell(source.job_id, formatted(source, line))

    @property
    def waiting(self) -> bool:
        """Whether there are lines that are not stored yet."""
        return bool(self._buffers)

    def drain(self) -> list[LogPart]:
        """Remove and return all buffered lines, for the store."""
        parts = self.buffered()
        self._buffers.clear()
        return parts

    def buffered(self) -> list[LogPart]:
        """All that is buffered, oldest lines of a task first."""
        return [
            LogPart(job_id=job_id, task_id=task_id, lines=tuple(buffer.lines), skipped=buffer.skipped)
            for (job_id, task_id, _), buffer in self._buffers.items()
        ]

    def forget(self, job_id: int) -> None:
        """Drop all lines of a removed job."""
        self._captures.pop(job_id, None)
        for key in [key for key in self._buffers if key[0] == job_id]:
            del self._buffers[key]

    # --- to listeners --------------------------------------------------------------------------------------------

    def _tell(self, job_id: int, text: str) -> None:
        for capture in self._captures[job_id].values():
            capture.texts.append(text)
            capture.held += len(text)
            while len(capture.texts) > self._max_lines or (capture.held > self._max_bytes and len(capture.texts) > 1):
                capture.held -= len(capture.texts.popleft())
                capture.skipped += 1

    def is_captured(self, job_id: int, listener: str) -> bool:
        """Whether this listener gets the job's lines."""
        return listener in self._captures.get(job_id, {})

    def capture(self, job_id: int, listener: str, *, complete: bool = True) -> None:
        """From now on keep the job's lines for this listener; not `complete`: `prepend` follows."""
        self._captures.setdefault(job_id, {})[listener] = _Capture(complete=complete)

    def prepend(self, job_id: int, listener: str, earlier: Sequence[str]) -> None:
        """Put what was written before the capture in front of it; nothing if the capture has ended meanwhile."""
        capture = self._captures.get(job_id, {}).get(listener)
        if capture is not None:
            capture.texts.extendleft(reversed(earlier))
            capture.complete = True

    def unread(self, job_id: int, listener: str) -> int:
        """How many lines wait for the listener; -1 if nothing is captured for it."""
        capture = self._captures.get(job_id, {}).get(listener)
        return -1 if capture is None else len(capture.texts)

    def read(self, job_id: int, listener: str) -> str:
        """The lines that came since the last reading."""
        capture = self._captures.get(job_id, {}).get(listener)
        if capture is None or not capture.complete:
            return ""
        notice = f"[{capture.skipped} lines were not read in time and are left out here]\n" if capture.skipped else ""
        text = notice + "".join(capture.texts)
        capture.texts.clear()
        capture.held = capture.skipped = 0
        return text

    def release(self, job_id: int, listener: str) -> None:
        """Stop keeping lines of this job for the listener."""
        listeners = self._captures.get(job_id, {})
        listeners.pop(listener, None)
        if not listeners:
            self._captures.pop(job_id, None)

    def release_all(self, listener: str) -> None:
        """Stop keeping lines for the listener."""
        for job_id in list(self._captures):
            self.release(job_id, listener)


def formatted(source: LogSource, line: LogLine) -> str:
    """A line as ProActive's clients show it, since version 14.0: ``[12t0@host;Load;10:00:00] hello``, and a line feed.

    The form is ``pa.scheduler.job.task.output.logs.pattern``; the hour is that of this machine's time zone.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(line.at / 1000))
    return f"[{source.job_id}t{source.task_id}@{source.host};{source.task_name};{clock}] {line.text.rstrip()}\n"


def dropped_notice(log: LogText) -> LogLine | None:
    """A line of the scheduler's own that says that lines are missing before the first one; None if none are."""
    if not log.dropped:
        return None
    first = log.lines[0] if log.lines else None
    count = "line of output was" if log.dropped == 1 else "lines of output were"
    text = (
        f"[{log.dropped} earlier {count} dropped: a task's log keeps its last lines only, see "
        "PROACTIVE_KERNEL_LOG_LINES and PROACTIVE_KERNEL_LOG_BYTES]"
    )
    return LogLine(error=True, at=first.at if first else 0, text=text, attempt=first.attempt if first else 1)


def lines_of(log: LogText, streams: Mapping[bool, bool]) -> list[LogLine]:
    """The lines of the wanted streams (by `LogLine.error`), the notice about dropped ones first."""
    notice = dropped_notice(log)
    lines = log.lines if notice is None else (notice, *log.lines)
    return [line for line in lines if streams[line.error]]
