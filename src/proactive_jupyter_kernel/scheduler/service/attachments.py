"""What is attached to a job while it is there: web addresses, and the signals that its tasks wait for.

The rules of signals are those of ProActive's signal API (``SignalApi``): a task declares that it is ready for a signal,
with the variables that may come with it; only then may the signal be sent, once. While the job waits for ``go``, its
signals show ``ready_go``, then ``go``. An ended job has no signals. Values of hidden variables are kept as they are
shown; only the task that waits gets them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import ProActiveError, did_you_mean
from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service.changes import Changes
from proactive_jupyter_kernel.scheduler.service.driver import Driver
from proactive_jupyter_kernel.scheduler.service.errors import SignalRefused
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.sources.links import in_daemon_thread
from proactive_jupyter_kernel.scheduler.store.base import Endpoint, JobExtras, Signal
from proactive_jupyter_kernel.workflow.model import Variable, Workflow

if TYPE_CHECKING:
    from proactive_jupyter_kernel.workflow.model_types import Lookups

__all__ = ["Attachments", "SignalVerdict"]

#: Stands before the name of a signal that a task waits for.
_READY = "ready_"
#: Signals whose values are checked at the same time.
_MOST_JUDGED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalVerdict:
    """Whether a signal may be sent with these variables."""

    #: Why not; empty if it may.
    message: str = ""
    #: The signal's variables with the values that would be sent, as others may see them.
    variables: tuple[Variable, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether it may be sent."""
        return not self.message


class Attachments:
    """Reads and changes the web addresses and signals of jobs. Used in the thread of the loop."""

    def __init__(
        self, *, ask: Questions, driver: Driver, hidden: HiddenValues, lookups: Callable[[str], Lookups]
    ) -> None:
        """`lookups` gives what models of variables ask of the scheduler, for a job's owner."""
        self._ask = ask
        self._driver = driver
        self._hidden = hidden
        self._lookups = lookups
        #: How many signals are checked at the same time.
        self._judging = asyncio.Semaphore(_MOST_JUDGED)
        self._changes = Changes()
        #: Increases whenever anything is attached to a job or removed from one; starts at 0 with the scheduler.
        self.revision = 0

    # --- web addresses -------------------------------------------------------------------------------------------

    async def add_endpoint(self, job_id: int, endpoint: Endpoint) -> None:
        """Attach a web address to a job; one of the same name is replaced."""
        await self._change(
            job_id, lambda old: replace(old, endpoints=(*_without(old.endpoints, endpoint.name), endpoint))
        )

    async def remove_endpoint(self, job_id: int, name: str) -> None:
        """Remove a web address; a missing one is not an error."""
        await self._change(job_id, lambda old: replace(old, endpoints=_without(old.endpoints, name)))

    # --- signals -------------------------------------------------------------------------------------------------

    def signals(self, job_id: int) -> tuple[tuple[str, ...], dict[str, Signal]]:
        """The job's signals as they are shown, and those that were sent, by name."""
        extras = self._extras(job_id)
        declared = {each.name: each for each in extras.declared}
        sent = [name for name in extras.signals if not name.startswith(_READY) or name in declared]
        return extras.signals, {name: self._opened(declared.get(name, Signal(name=name))) for name in sent}

    async def wait(self, revision: object, seconds: float) -> None:
        """Return as soon as the revision differs from `revision`, at the latest after `seconds`."""
        await self._changes.until(lambda: self.revision != revision, seconds)

    async def ready_for_signal(self, job_id: int, name: str, variables: tuple[Variable, ...] = ()) -> None:
        """A task waits for a signal from now on, again if it was sent before; `SignalRefused` for an ended job.

        A name that is empty or begins with ``ready_`` is refused as well: it would be taken for another signal.
        """
        self._check_alive(job_id, name)
        if not name.strip() or name.startswith(_READY):
            raise SignalRefused(f"The name of a signal is a text that does not begin with {_READY}, not {name!r}.")
        ready = _READY + name
        signal = Signal(name=name, variables=self._hidden.shown_variables(variables))

        def declare(old: JobExtras) -> JobExtras:
            signals = tuple(each for each in old.signals if each not in (name, ready))
            declared = tuple(each for each in old.declared if each.name != name)
            return replace(old, signals=(*signals, ready), declared=(*declared, signal))

        await self._change(job_id, declare)

    def received_signal(self, job_id: int, name: str) -> Signal | None:
        """The signal, with the values that came with it; None while it has not been sent."""
        extras = self._extras(job_id)
        if name not in extras.signals:
            return None
        return self._opened(next((each for each in extras.declared if each.name == name), Signal(name=name)))

    async def remove_signal(self, job_id: int, name: str) -> None:
        """Forget a signal, sent or not; a missing one is not an error."""
        await self._change(
            job_id,
            lambda old: replace(
                old,
                signals=tuple(each for each in old.signals if each not in (name, _READY + name)),
                declared=tuple(each for each in old.declared if each.name != name),
            ),
        )

    async def validate_signal(self, job_id: int, name: str, values: Mapping[str, str]) -> SignalVerdict:
        """Whether these values fit the models of the signal's variables; `SignalRefused` if no task waits for it."""
        declared = self._awaited(job_id, name)
        unknown = sorted(set(values) - {variable.name for variable in declared.variables})
        if unknown:
            known = [variable.name for variable in declared.variables]
            has = f"Its variables are {', '.join(known)}." if known else "It has no variables."
            message = f"Signal {name!r} of job {job_id} has no variable {unknown[0]!r}. {has}"
            return SignalVerdict(message=_sentences(message, did_you_mean(unknown[0], known)))
        variables = self._hidden.opened_variables(
            replace(variable, value=values.get(variable.name, variable.value)) for variable in declared.variables
        )
        owner = self._ask.job(job_id).record.owner
        # A model may stand behind a link.
        await self._judging.acquire()
        verdict = await in_daemon_thread(
            lambda: _judged(name, variables, self._lookups, owner), ended=self._judging.release
        )
        return replace(verdict, variables=self._hidden.shown_variables(verdict.variables))

    async def send_signal(self, job_id: int, name: str, values: Mapping[str, str]) -> tuple[str, ...]:
        """Send a signal; what the job's signals are now. `SignalRefused` if it may not be sent."""
        verdict = await self.validate_signal(job_id, name, values)
        if not verdict.valid:
            raise SignalRefused(verdict.message)
        ready = _READY + name

        def send(old: JobExtras) -> JobExtras:
            if ready not in old.signals:
                # Another client sent it while the values were checked.
                raise self._not_ready(job_id, name)
            sent = Signal(name=name, variables=verdict.variables)
            return replace(
                old,
                signals=tuple(name if each == ready else each for each in old.signals),
                declared=tuple(sent if each.name == name else each for each in old.declared),
            )

        return (await self._change(job_id, send)).signals

    def _opened(self, signal: Signal) -> Signal:
        return replace(signal, variables=self._hidden.opened_variables(signal.variables))

    def _awaited(self, job_id: int, name: str) -> Signal:
        self._check_alive(job_id, name)
        extras = self._extras(job_id)
        if _READY + name not in extras.signals:
            raise self._not_ready(job_id, name)
        return next(each for each in extras.declared if each.name == name)

    def _check_alive(self, job_id: int, name: str) -> None:
        if self._ask.ended(job_id):
            raise SignalRefused(f"Job {job_id} is not ready to receive the signal {name!r}: it has ended.")

    def _not_ready(self, job_id: int, name: str) -> ProActiveError:
        signals = self._extras(job_id).signals
        ready = [each.removeprefix(_READY) for each in signals if each.startswith(_READY)]
        if name in signals:
            hint = "It was sent already."
        elif ready:
            hint = f"It is ready for: {', '.join(ready)}."
        else:
            hint = "None of its tasks waits for a signal. A task does so after signalapi.readyForSignal(NAME)."
        return SignalRefused(f"Job {job_id} is not ready to receive the signal {name!r}.", hint=hint)

    # --- both ----------------------------------------------------------------------------------------------------

    def _extras(self, job_id: int) -> JobExtras:
        """With what waits to be stored."""
        stored = self._ask.job(job_id).extras
        return self._driver.attached(job_id) or stored

    async def _change(self, job_id: int, change: Callable[[JobExtras], JobExtras]) -> JobExtras:
        extras = change(self._extras(job_id))
        self._driver.attach(job_id, extras)
        await self._driver.writer.settled()
        self.revision += 1
        self._changes.tell()
        return extras


def _without(endpoints: tuple[Endpoint, ...], name: str) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in endpoints if endpoint.name != name)


def _sentences(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _judged(name: str, variables: tuple[Variable, ...], lookups: Callable[[str], Lookups], owner: str) -> SignalVerdict:
    """In a thread: models may lie behind URLs."""
    from proactive_jupyter_kernel.workflow.variable_models import apply_models

    accepted, problems = apply_models(Workflow(name=name, variables=variables), lookups(owner))
    message = f"Signal {name!r}: " + "; ".join(map(str, problems)) if problems else ""
    return SignalVerdict(message=message, variables=accepted.variables)
