"""A node: runs attempts and selections one at a time, for the executor at the other end of its channel.

All of it is plain calls in one thread; only `Loop.turn` waits, and only there frames are taken in. What is at the other
end, a local scheduler or a worker of another system, and how the frames get there, it does not know.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.nodes.attempts import AttemptRun
from proactive_jupyter_kernel.scheduler.nodes.carried import CarriedFiles
from proactive_jupyter_kernel.scheduler.nodes.codec import (
    answer_to,
    attempt_from,
    outcome_to,
    selection_from,
)
from proactive_jupyter_kernel.scheduler.nodes.frames import Channel, Frame
from proactive_jupyter_kernel.scheduler.nodes.lease import WAITS, Lease
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop, Timer
from proactive_jupyter_kernel.scheduler.nodes.parts import NodeParts, memory_report
from proactive_jupyter_kernel.scheduler.nodes.processes import Spawner
from proactive_jupyter_kernel.scheduler.nodes.residents import Residents
from proactive_jupyter_kernel.scheduler.nodes.scratch import NodeFolder
from proactive_jupyter_kernel.scheduler.nodes.selection import SelectionRun
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.nodes.templates import Templates
from proactive_jupyter_kernel.scheduler.runtimes.stage import killed, lost
from proactive_jupyter_kernel.scheduler.spaces.staging import DataSpaces
from proactive_jupyter_kernel.scheduler.spaces.transfers import FileTransfers

__all__ = ["Node"]

_LOGGER = logging.getLogger(__name__)
#: Seconds that lines of output are gathered, so that a burst of them goes in one frame; and how many at most.
_GATHER = 0.01
_MOST_LINES = 2_000
#: Seconds until a full disk may have room again.
_PAUSE = 5.0


class Node:
    """One node; `run` is its life."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = Loop()
        self._waiting: deque[Frame] = deque()
        self._running: AttemptRun | SelectionRun | None = None
        self._settings: NodeSettings | None = None
        self._is_alone = False
        self._key = ""
        self._lines: list[tuple[str, str, int]] = []
        self._gathering: Timer | None = None
        #: Processes of an attempt live on: whatever is left from now on could be theirs.
        self._is_used_up = False
        #: Of a node that is reached through a network; and what it was told of a task that waits for leave.
        self._lease: Lease | None = None
        self._stopped_early: FailureKind | None = None
        self._carried: CarriedFiles | None = None

    def run(self) -> None:
        """Work until the channel ends."""
        tracing.begin(os.environ.get(tracing.VARIABLE, ""))
        self._loop.add_reader(self._channel.fileno(), self._on_channel)
        while self._settings is None and not self._is_alone:
            self._loop.turn()
        if self._settings is None:
            return
        root = logging.getLogger()
        notes = _Notes(self._channel)
        root.addHandler(notes)
        level, root.level = root.level, logging.INFO
        try:
            self._work(self._settings)
        finally:
            root.removeHandler(notes)
            root.setLevel(level)
            self._loop.close()

    def _work(self, settings: NodeSettings) -> None:
        base = dict(os.environ)
        spawner = Spawner(self._loop, base)
        templates = None
        if settings.warm and os.name == "posix":
            templates = Templates(
                self._loop,
                spawner,
                base,
                idle=settings.warm_idle,
                most=settings.warm_most,
                knows_waiting=bool(settings.memory_limit),
            )
            templates.warm_up()
        descriptor, report = memory_report() if templates is not None else (-1, "")
        residents = None
        if templates is not None and spawner.sees_orphans:
            root = Path(settings.scratch)
            residents = Residents(
                self._loop,
                spawner,
                root,
                settings.name,
                memory_limit=settings.memory_limit,
                share=settings.resident_memory,
            )
        parts = NodeParts(
            settings=settings,
            loop=self._loop,
            base=base,
            spawner=spawner,
            templates=templates,
            residents=residents,
            report=report,
        )
        folder = NodeFolder(Path(settings.scratch), settings.name)
        folder.open(os.getpid(), *(templates.pids if templates else ()))
        transfers: FileTransfers | None = DataSpaces() if settings.data_spaces else None
        if settings.carried:
            transfers = self._carried = CarriedFiles(
                self._loop, self._channel.send, Path(settings.scratch, "seen-files")
            )
        self._channel.send({"do": "ready", "pid": os.getpid()})
        try:
            while not self._is_alone:
                if self._waiting:
                    self._do(self._waiting.popleft(), parts, folder, transfers)
                else:
                    self._rest(parts)
        finally:
            if residents is not None:
                residents.close()
            if templates is not None:
                templates.close()
            folder.close()
            if descriptor >= 0:
                os.close(descriptor)

    def _rest(self, parts: NodeParts) -> None:
        templates = parts.templates
        has_more = templates is not None and len(templates.pids) > 1
        waits = [parts.settings.warm_idle] if has_more else []
        if parts.residents is not None and (wait := parts.residents.retire_idle()) is not None:
            waits.append(wait)
        self._loop.turn(min(waits, default=None))
        if has_more and templates is not None:
            templates.retire_idle()

    # --- frames --------------------------------------------------------------------------------------------------

    def _on_channel(self) -> None:
        frames = self._channel.receive()
        if frames is None:
            self._loop.remove_reader(self._channel.fileno())
            self._lose()
            return
        for frame in frames:
            self._take(frame)

    def _lose(self) -> None:
        """The other end is gone or cannot be reached: end what runs, and the node."""
        self._is_alone = True
        self._waiting.clear()
        if self._running is not None:
            self._running.stop(FailureKind.LOST)

    def _take(self, frame: Frame) -> None:
        kind = frame["do"]
        if kind == "settings":
            self._settings = NodeSettings.from_json(frame["settings"])
            if self._settings.lease:
                self._channel.limit(self._settings.lease * WAITS)
                self._lease = Lease(self._loop, self._channel.send, self._settings.lease, self._lose)
        elif kind in ("attempt", "selection"):
            self._waiting.append(frame)
        elif kind == "stop":
            self._stop(frame["key"], FailureKind(frame["kind"]))
        elif kind == "granted":
            if self._lease is not None:
                self._lease.granted(frame["key"], frame["number"])
        elif kind in ("inputs", "part", "taken"):
            if self._carried is not None:
                self._carried.take(frame)
        elif kind == "ping":
            self._channel.send({"do": "pong"})

    def _stop(self, key: str, kind: FailureKind) -> None:
        if self._running is not None and self._running.key == key:
            self._running.stop(kind)
            return
        if self._running is None and self._key == key:
            self._stopped_early = kind
        for frame in self._waiting:
            if frame["do"] == "attempt" and frame["key"] == key:
                self._waiting.remove(frame)
                failure = killed() if kind is FailureKind.KILLED else lost()
                self._channel.send({"do": "outcome", "key": key, "outcome": outcome_to(Outcome(failure=failure))[0]})
                return

    # --- work ----------------------------------------------------------------------------------------------------

    def _do(self, frame: Frame, parts: NodeParts, folder: NodeFolder, transfers: FileTransfers | None) -> None:
        self._key, self._stopped_early = frame["key"], None
        if self._lease is not None and not self._lease.begin(self._key, lambda: self._is_alone):
            return
        if frame["do"] == "attempt":
            attempt = attempt_from(frame["attempt"], frame.get("raw", ()))
            tracing.about(attempt.job_id, attempt.task_id)
            tracing.here("taken")
            run = AttemptRun(attempt, parts, folder, transfers, self._hear, self._tell_progress)
            self._running = run
            if self._stopped_early is not None:
                run.stop(self._stopped_early)
            outcome = run.run()
            self._running = None
            self._is_used_up = self._is_used_up or run.leaves_processes
            content, raw = outcome_to(outcome)
            answer: dict[str, Any] = {"do": "outcome", "key": self._key, "outcome": content, "raw": raw}
            if run.found_no_space:
                answer["pause"] = _PAUSE
        else:
            asking = SelectionRun(selection_from(frame["selection"]), self._key, parts, folder)
            self._running = asking
            answer = {"do": "answer", "key": self._key, "answer": answer_to(asking.run())}
            self._running = None
        if self._lease is not None:
            self._lease.end()
        if self._is_used_up:
            answer["retire"] = True
            if parts.templates is not None:
                parts.templates.release()
        self._send_lines(answer)
        if frame["do"] == "attempt":
            tracing.here("delivered")

    def _hear(self, stream: str, text: str, at: int) -> None:
        self._lines.append((stream, text, at))
        if len(self._lines) >= _MOST_LINES:
            self._send_lines()
        elif self._gathering is None:
            self._gathering = self._loop.call_later(_GATHER, self._send_lines)

    def _send_lines(self, *more: Frame) -> None:
        """Send the lines that are there, and what comes after them."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        lines, self._lines = self._lines, []
        frames = [{"do": "output", "key": self._key, "lines": lines}, *more] if lines else more
        if frames:
            self._channel.send(*frames)

    def _tell_progress(self, percent: int) -> None:
        self._send_lines({"do": "progress", "key": self._key, "percent": percent})


class _Notes(logging.Handler):
    """What the node has to say goes to the log of the scheduler."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
        self._channel.send({"do": "note", "level": record.levelno, "name": record.name, "text": text})


def main(channel: Channel) -> int:
    """Be a node until the channel ends; the exit code of its process."""
    try:
        Node(channel).run()
    except Exception:
        _LOGGER.exception("the node has failed")
        import traceback

        traceback.print_exc(file=sys.stderr)
        return 1
    return 0
