"""The process in which workflows are checked, seen by who asks it (`Worker`) and from inside (`serve`).

Questions and answers are pickled, each behind its length in eight bytes. An answer has a kind: ``value``, or the
exception that it stands for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

from proactive_jupyter_kernel.errors import InvalidWorkflow, ProActiveError, UnreadableWorkflow, WorkflowError
from proactive_jupyter_kernel.scheduler import garbage_collector
from proactive_jupyter_kernel.scheduler.service.check_question import arguments_of
from proactive_jupyter_kernel.scheduler.service.submission import prepare, validate

__all__ = ["FAULT", "Worker", "WorkerLost", "serve"]

_LENGTH = struct.Struct(">Q")
#: The kind of an answer without a result: an internal failure, which no workflow should cause.
FAULT = "fault"
#: Bytes of an answer that is read in another thread.
_LARGE = 256 * 1024
#: Seconds of computing after which a check gives way to everything else on the machine, and by how much (``nice``).
_PATIENCE, _NICENESS = 1.0, 10
#: How many objects more than before make the collector of cycles look in the process that checks: workflows have none.
_ALLOCATIONS = 200_000
#: Bytes below the memory limit from which on an error counts as one of memory: a library that is loaded needs as much.
_HEADROOM = 16 * 1024 * 1024
#: Seconds beyond its time after which a check ends by itself.
_GRACE = 5.0


class WorkerLost(Exception):
    """The process ended before it answered, by a signal or for an unknown reason."""


class Worker:
    """A process that answers questions, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        #: Whether it gave way to others in its last check. It does so for good, for only the superuser may go back.
        self.gave_way = False

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, as far as that is known."""
        return self._process.returncode is not None

    @classmethod
    async def start(cls, memory: int, seconds: float) -> Worker:
        """`memory` in bytes, 0: without limit; `seconds` of one check."""
        code = f"from {__name__} import serve; serve({memory}, {seconds})"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", code),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Its standard error is that of the scheduler.
            stderr=None,
            start_new_session=True,
        )
        return cls(process)

    async def ask(self, step: str | Callable[[Any], Any], question: object) -> tuple[str, Any]:
        """The answer; raises `WorkerLost`. `step` is ``prepare``, ``validate``, or a function of a module to call."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        content = pickle.dumps((step, question))
        try:
            stdin.write(_LENGTH.pack(len(content)) + content)
            await stdin.drain()
            (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
            content = await stdout.readexactly(length)
            # A large answer takes its time to read: beside the loop, which has others to answer.
            with garbage_collector.paused(length >= _LARGE):
                loaded = pickle.loads(content) if length < _LARGE else await asyncio.to_thread(pickle.loads, content)
            kind, answer, self.gave_way = loaded
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            if await self._failed():
                return FAULT, "its process ended with an error, which is in scheduler.out in the data folder"
            raise WorkerLost from error
        except Exception as error:
            # What the other side sent means nothing here: its code is not the code of this process.
            return FAULT, repr(error)
        return kind, answer

    async def _failed(self) -> bool:
        """Whether it ended with an exception of Python, such as an import that fails."""
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._process.wait(), _GRACE) == 1
        return False

    async def end(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


# --- inside ----------------------------------------------------------------------------------------------------------


def serve(memory: int, seconds: float) -> None:
    """Answer questions from standard input until it ends.

    A check that exceeds its time ends this process; the caller does that first, if it is still alive.
    """
    _limit(memory)
    gc.set_threshold(_ALLOCATIONS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    patience = _LowPriority()
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the answers.
    os.dup2(2, 1)
    while head := source.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(head)
        content = source.read(length)
        with patience, _deadline(seconds + _GRACE):
            kind, answer = _answer(content)
        content = pickle.dumps((kind, answer, patience.ended))
        target.write(_LENGTH.pack(len(content)) + content)
        target.flush()


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    # The signal's own action, which ends the process also while it is inside of a library.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class _LowPriority:
    """Around a check: lowers its priority when it computes for long, so that listings and other requests come first."""

    def __init__(self) -> None:
        #: Whether that has happened.
        self.ended = False
        if sys.platform != "win32":
            signal.signal(signal.SIGPROF, self._end)

    def __enter__(self) -> None:
        self._set(_PATIENCE)

    def __exit__(self, *details: object) -> None:
        self._set(0)

    def _set(self, seconds: float) -> None:
        if sys.platform != "win32" and not self.ended:
            signal.setitimer(signal.ITIMER_PROF, seconds)

    def _end(self, *details: object) -> None:
        if sys.platform != "win32":
            os.nice(_NICENESS)
        self.ended = True


def _limit(memory: int) -> None:
    if not memory:
        return
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    except (ImportError, OSError, ValueError):
        return  # Windows, and systems that limit no address space: the deadline holds all the same


def _is_memory_used_up() -> bool:
    """Whether this process has come close to its limit; on Linux alone."""
    if sys.platform != "linux":
        return False
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return False
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize() > limit - _HEADROOM
    except MemoryError:
        return True


def _answer(content: bytes) -> tuple[str, Any]:
    try:
        step, question = pickle.loads(content)
        if callable(step):
            return "value", step(question)
        arguments = arguments_of(question)
        if step == "prepare":
            return "value", prepare(question.xml, mode=question.mode, **arguments)
        return "value", validate(question.xml, **arguments)
    except InvalidWorkflow as error:
        return "invalid", (error.workflow_name, list(error.problems), error.hint)
    except WorkflowError as error:
        kind = "UnreadableWorkflow" if isinstance(error, UnreadableWorkflow) else "WorkflowError"
        return kind, (error.message, error.hint)
    except ProActiveError as error:
        return "refused", (error.message, error.hint)
    except MemoryError:
        return "memory", None
    except Exception as error:
        # Python itself raises other errors where it finds no memory, such as a ValueError of its compiler.
        return ("memory", None) if _is_memory_used_up() else (FAULT, repr(error))
