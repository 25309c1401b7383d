"""Where workflows from outside are checked: in a process of their own, for a limited time and in limited memory.

A workflow is a program of sorts: it has expressions, regular expressions, references that double, links. Their
languages have limits of their own; this is the last one, which holds whatever these forget. A check that takes too
long or too much memory ends with its process, and that submission is refused; the scheduler and other submissions
are not affected. A small workflow that has none of these is checked at once: it takes less time than to ask for it.
After the first one the process is started that the next workflow may need.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast

from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    ProActiveError,
    SubmissionRefused,
    UnreadableWorkflow,
    WorkflowError,
)
from proactive_jupyter_kernel.scheduler.service.check_process import FAULT, Worker, WorkerLost
from proactive_jupyter_kernel.scheduler.service.check_question import (
    Question,
    arguments_of,
    asks_addresses,
    is_harmless,
)
from proactive_jupyter_kernel.scheduler.service.site import rest_urls
from proactive_jupyter_kernel.scheduler.service.submission import Validation, prepare, validate
from proactive_jupyter_kernel.workflow.display.numbers import size_text
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["Checker", "InProcess", "InThread"]

_log = logging.getLogger(__name__)

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: Exceptions that are raised again as what they are; all others are faults of ours.
_REFUSALS: dict[str, type[ProActiveError]] = {
    "UnreadableWorkflow": UnreadableWorkflow,
    "WorkflowError": WorkflowError,
    "refused": SubmissionRefused,
}


class Checker(Protocol):
    """Reads and checks workflows."""

    async def prepare(self, question: Question) -> Workflow:
        """The resolved and checked workflow; raises `WorkflowError`, or `SubmissionRefused` for one beyond limits."""

    async def validate(self, question: Question) -> Validation:
        """The same as a verdict."""

    async def call(self, work: Callable[[_Given], _Made], given: _Given, *, seconds: float | None = None) -> _Made:
        """What `work`, a function of a module, makes of a text from outside; raises what `prepare` raises.

        `seconds` is its time where that is less than the limit of a check.
        """

    async def close(self) -> None:
        """End the checks that are running."""


class InThread:
    """Checks in a thread of this process: for tests, and for schedulers inside other programs."""

    async def prepare(self, question: Question) -> Workflow:
        return await asyncio.to_thread(lambda: prepare(question.xml, mode=question.mode, **arguments_of(question)))

    async def validate(self, question: Question) -> Validation:
        return await asyncio.to_thread(lambda: validate(question.xml, **arguments_of(question)))

    async def call(self, work: Callable[[_Given], _Made], given: _Given, *, seconds: float | None = None) -> _Made:
        return await asyncio.to_thread(work, given)

    async def close(self) -> None:
        """Does nothing: there are no processes to end."""


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
        self._free: list[Worker] = []
        self._timer: asyncio.TimerHandle | None = None
        self._begun: set[asyncio.Task[None]] = set()
        #: The process that is started for the next workflow.
        self._warming: Worker | None = None
        self._is_closed = False

    async def prepare(self, question: Question) -> Workflow:
        if is_harmless(question):
            return await self._at_once(question)
        workflow: Workflow = await self._ask("prepare", question)
        return workflow

    async def _at_once(self, question: Question) -> Workflow:
        if not self._is_loaded:
            # What the checks import; it takes much longer than they do.
            await asyncio.to_thread(_load)
            if not self._is_loaded:
                self._is_loaded = True
                self._begin(self._warm_up(question))
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
            return cast("Workflow", _opened(FAULT, repr(error)))

    async def validate(self, question: Question) -> Validation:
        try:
            verdict: Validation = await self._ask("validate", question)
        except SubmissionRefused as error:
            return Validation(valid=False, message=str(error))
        return verdict

    async def call(self, work: Callable[[_Given], _Made], given: _Given, *, seconds: float | None = None) -> _Made:
        made: _Made = await self._ask(work, given, seconds)
        return made

    async def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self._end_free()
        if self._warming is not None:
            await self._warming.end()
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def _ask(self, step: str | Callable[[Any], Any], question: object, seconds: float | None = None) -> Any:
        seconds = min(self._seconds, seconds or self._seconds)
        waits = isinstance(question, Question) and asks_addresses(question)
        async with self._linked_room if waits else self._room:
            worker = self._free.pop() if self._free else await Worker.start(self._memory, self._seconds)
            try:
                async with asyncio.timeout(seconds):
                    kind, answer = await worker.ask(step, question)
            except TimeoutError:
                await worker.end()
                raise SubmissionRefused(
                    f"The workflow was not accepted: its checks took longer than {seconds:g} seconds.",
                    hint="Look for expressions, models and references that grow, and for links that do not answer. The "
                    "limit is the setting PROACTIVE_KERNEL_CHECK_SECONDS.",
                ) from None
            except WorkerLost:
                await worker.end()
                raise SubmissionRefused(
                    "The workflow was not accepted: the process that checked it ended, most likely because it needed "
                    f"more than {size_text(self._memory)} of memory.",
                    hint="The limit is the setting PROACTIVE_KERNEL_CHECK_MEMORY.",
                ) from None
            except BaseException:
                await worker.end()  # its answer to this question must not be taken for that to the next
                raise
            if worker.gave_way or kind == FAULT:
                await worker.end()
            else:
                self._keep(worker)
        return _opened(kind, answer)

    def _keep(self, worker: Worker) -> None:
        self._free.append(worker)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle, self._end_idle)

    def _end_idle(self) -> None:
        self._begin(self._end_free())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _warm_up(self, question: Question) -> None:
        """Start a process for the next workflow, which may need one: that takes longer than most checks."""
        try:
            worker = self._warming = await Worker.start(self._memory, self._seconds)
        except OSError:
            return  # no room for a process now
        is_ready = False
        with contextlib.suppress(WorkerLost):
            if not self._is_closed:
                await worker.ask("prepare", question)
                is_ready = not self._is_closed
        self._warming = None
        if is_ready:
            self._keep(worker)
        else:
            await worker.end()

    async def _end_free(self) -> None:
        workers, self._free = self._free, []
        for worker in workers:
            await worker.end()


def _load() -> None:
    for name in ("checks.checking", "formats.xml", "references"):
        importlib.import_module(f"proactive_jupyter_kernel.workflow.{name}")


def _opened(kind: str, answer: Any) -> Any:
    """Return the answer of the other process, or raise what it raised."""
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
