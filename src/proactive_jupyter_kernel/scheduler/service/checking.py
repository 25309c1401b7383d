"""Where workflows from outside are checked: in a process of their own, for a limited time and in limited memory.

A workflow is a program of sorts: it has expressions, regular expressions, references that double, links. Their
languages have limits of their own; this is the last one, which holds whatever these forget. A check that takes too
long or too much memory ends with its process, and that submission is refused; the scheduler and other submissions
are not affected. A small workflow that has none of these is checked at once: it takes less time than to ask for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import pickle
import re
import signal
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    ProActiveError,
    SubmissionRefused,
    UnreadableWorkflow,
    WorkflowError,
)
from proactive_jupyter_kernel.scheduler import collector
from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.catalog import Catalog
from proactive_jupyter_kernel.scheduler.hidden import HiddenValues
from proactive_jupyter_kernel.scheduler.service.submission import Validation, prepare, validate
from proactive_jupyter_kernel.scheduler.site import Site, rest_urls
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["Checker", "InProcess", "InThread", "Question", "serve"]

_log = logging.getLogger(__name__)

_LENGTH = struct.Struct(">Q")
#: The kind of an answer that is none: something failed that no workflow should make fail.
_FAULT = "fault"
#: Bytes of an answer that is read in another thread.
_LARGE = 256 * 1024
#: Seconds of computing after which a check gives way to everything else on the machine, and by how much (``nice``).
_PATIENCE, _NICENESS = 1.0, 10
#: Bytes of a workflow whose checks take a few milliseconds at most.
_SMALL = 16 * 1024
#: What the checks evaluate, or what could hide it.
_EVALUATED = (b"model", b"$", b"files", b"&#", b"<!D", b"\0")
_OTHER_ENCODING = re.compile(rb"""encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
#: Bytes in which UTF-16 and UTF-32 show.
_HEAD = 200
#: The beginning of the address of a model, and how workflows name the scheduler they run on.
_MODEL_ADDRESS = re.compile(rb"MODEL_FROM_URL\s*\(\s*([^)\s]{0,80})", re.IGNORECASE)
_OWN_ADDRESSES = (b"${PA_",)
#: How many objects more than before make the collector of cycles look in the process that checks: workflows have none.
_ALLOCATIONS = 200_000
#: Seconds beyond its time after which a check ends by itself.
_GRACE = 5.0
#: Exceptions that are raised again as what they are; all others are faults of ours.
_REFUSALS: dict[str, type[ProActiveError]] = {
    "UnreadableWorkflow": UnreadableWorkflow,
    "WorkflowError": WorkflowError,
    "refused": SubmissionRefused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A workflow, and all that its checks need to know of the scheduler."""

    xml: str | bytes
    #: Of the submission; they replace those of the workflow.
    variables: Mapping[str, str] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    site: Site
    owner: str
    #: How the submission came (generic information ``submission.mode``); empty: not said.
    mode: str = ""
    slots: tuple[Slot, ...] = ()
    #: Names of the owner's third-party credentials.
    credentials: frozenset[str] = frozenset()
    catalog: Catalog
    hidden: HiddenValues
    #: The folder of the Java libraries that are installed.
    libraries: Path = Path()


def is_harmless(question: Question) -> bool:
    """Whether the checks of a workflow are short, whatever it says: it is small, and says nothing that they evaluate.

    That are models of variables, references, patterns of files, and texts that could hide one: references to
    characters, documents with entities, and encodings other than UTF-8.
    """
    xml = question.xml.encode() if isinstance(question.xml, str) else question.xml
    return (
        len(xml) <= _SMALL
        and not any("$" in text for text in (*question.variables.values(), *question.generic_information.values()))
        and not any(word in xml for word in _EVALUATED)
        and not _OTHER_ENCODING.search(xml[:_HEAD])
    )


def asks_addresses(question: Question) -> bool:
    """Whether a check may wait for an answer of another server: for a model behind an address (``PA:MODEL_FROM_URL``).

    The scheduler's own models are answered without a request. Where the encoding hides the text, it may.
    """
    xml = question.xml.encode() if isinstance(question.xml, str) else question.xml
    own = question.site.url.encode()
    return b"\0" in xml[:_HEAD] or any(
        not address.startswith((own, *_OWN_ADDRESSES)) for address in _MODEL_ADDRESS.findall(xml)
    )


class Checker(Protocol):
    """Reads and checks workflows."""

    async def prepare(self, question: Question) -> Workflow:
        """The resolved and checked workflow; raises `WorkflowError`, or `SubmissionRefused` for one beyond limits."""

    async def validate(self, question: Question) -> Validation:
        """The same as a verdict."""

    async def close(self) -> None:
        """End what runs."""


def _arguments(question: Question) -> dict[str, Any]:
    from proactive_jupyter_kernel.scheduler.service.lookups import lookups_for

    return {
        "lookups": lookups_for(question.site, question.slots, question.owner, question.credentials, question.catalog),
        "variables": question.variables,
        "generic_information": question.generic_information,
        "site": rest_urls(question.site.url),
        "hidden": question.hidden,
        "libraries": question.libraries,
    }


class InThread:
    """Checks in a thread of this process: for tests, and for schedulers inside other programs."""

    async def prepare(self, question: Question) -> Workflow:
        return await asyncio.to_thread(lambda: prepare(question.xml, mode=question.mode, **_arguments(question)))

    async def validate(self, question: Question) -> Validation:
        return await asyncio.to_thread(lambda: validate(question.xml, **_arguments(question)))

    async def close(self) -> None:
        """Nothing runs."""


class _Lost(Exception):
    """The process ended before it answered."""


class _Worker:
    """A process that answers one question after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        #: Whether it gave way to others in its last check. It does so for good, for only the superuser may go back.
        self.gave_way = False

    @classmethod
    async def start(cls, memory: int, seconds: float) -> _Worker:
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

    async def ask(self, step: str, question: Question) -> tuple[str, Any]:
        """The answer; raises `_Lost`."""
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
            with collector.paused(length >= _LARGE):
                loaded = pickle.loads(content) if length < _LARGE else await asyncio.to_thread(pickle.loads, content)
            kind, answer, self.gave_way = loaded
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            raise _Lost from error
        except Exception as error:
            # What the other side sent means nothing here: its code is not the code of this process.
            return _FAULT, repr(error)
        return kind, answer

    async def end(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class InProcess:
    """Checks in processes that are kept for the next workflow, for some time."""

    def __init__(self, *, seconds: float, memory: int, most: int = 4, idle: float = 120.0) -> None:
        """`seconds` and `memory` (bytes) are the limits of one check.

        At most `most` run at the same time, and as many of workflows with links.
        """
        self._seconds = seconds
        self._memory = memory
        self._room = asyncio.Semaphore(most)
        #: For workflows whose checks ask addresses: the others never wait for what does not answer.
        self._linked_room = asyncio.Semaphore(most)
        self._idle = idle
        self._is_loaded = False
        self._free: list[_Worker] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def prepare(self, question: Question) -> Workflow:
        if is_harmless(question):
            return await self._at_once(question)
        workflow: Workflow = await self._ask("prepare", question)
        return workflow

    async def _at_once(self, question: Question) -> Workflow:
        if not self._is_loaded:
            # What the checks import; it takes much longer than they do.
            await asyncio.to_thread(_load)
            self._is_loaded = True
        try:
            return prepare(
                question.xml,
                variables=question.variables,
                generic_information=question.generic_information,
                site=rest_urls(question.site.url),
                hidden=question.hidden,
                libraries=question.libraries,
                mode=question.mode,
            )
        except ProActiveError:
            raise
        except Exception as error:
            return cast("Workflow", _opened(_FAULT, repr(error)))

    async def validate(self, question: Question) -> Validation:
        try:
            verdict: Validation = await self._ask("validate", question)
        except SubmissionRefused as error:
            return Validation(valid=False, message=str(error))
        return verdict

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._end_free()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _ask(self, step: str, question: Question) -> Any:
        async with self._linked_room if asks_addresses(question) else self._room:
            worker = self._free.pop() if self._free else await _Worker.start(self._memory, self._seconds)
            try:
                async with asyncio.timeout(self._seconds):
                    kind, answer = await worker.ask(step, question)
            except TimeoutError:
                await worker.end()
                raise SubmissionRefused(
                    f"The workflow was not accepted: its checks took longer than {self._seconds:g} seconds.",
                    hint="Look for expressions, models and references that grow, and for links that do not answer. The "
                    "limit is the setting PROACTIVE_KERNEL_CHECK_SECONDS.",
                ) from None
            except _Lost:
                await worker.end()
                raise SubmissionRefused(
                    "The workflow was not accepted: the process that checked it ended, most likely because it needed "
                    f"more than {self._memory // 1024 // 1024:,} MB of memory.",
                    hint="The limit is the setting PROACTIVE_KERNEL_CHECK_MEMORY.",
                ) from None
            except BaseException:
                await worker.end()  # its answer to this question must not be taken for that to the next
                raise
            if worker.gave_way or kind == _FAULT:
                await worker.end()
            else:
                self._keep(worker)
        return _opened(kind, answer)

    def _keep(self, worker: _Worker) -> None:
        self._free.append(worker)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle, self._tired)

    def _tired(self) -> None:
        task = asyncio.get_running_loop().create_task(self._end_free())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_free(self) -> None:
        workers, self._free = self._free, []
        for worker in workers:
            await worker.end()


def _load() -> None:
    for name in ("checks.checking", "formats.xml", "references"):
        importlib.import_module(f"proactive_jupyter_kernel.workflow.{name}")


def _opened(kind: str, answer: Any) -> Any:
    """What was answered, or raised on the other side."""
    if kind == "value":
        return answer
    if kind == "invalid":
        name, problems, hint = answer
        raise InvalidWorkflow(name, problems, hint=hint)
    if kind == "memory":
        raise SubmissionRefused(
            "The workflow was not accepted: its checks need more memory than they may have.",
            hint="The limit is the setting PROACTIVE_KERNEL_CHECK_MEMORY.",
        )
    if kind in _REFUSALS:
        message, hint = answer
        raise _REFUSALS[kind](message, hint=hint)
    _log.error("a workflow could not be checked: %s", answer)
    raise SubmissionRefused(
        f"The workflow could not be checked: {answer}",
        hint="If the package was updated while this scheduler ran, stop it (proactive-kernel scheduler stop) and "
        "submit again. Otherwise this is a fault of the scheduler, whose log has more.",
    )


# --- the other side ----------------------------------------------------------------------------------------------


def serve(memory: int, seconds: float) -> None:
    """Answer questions from standard input until it ends.

    A check that is not over in time ends this process: whoever asked does that first, unless it is there no more.
    """
    _limit(memory)
    gc.set_threshold(_ALLOCATIONS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    patience = _Patience()
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


class _Patience:
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


def _answer(content: bytes) -> tuple[str, Any]:
    try:
        step, question = pickle.loads(content)
        arguments = _arguments(question)
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
        return _FAULT, repr(error)
