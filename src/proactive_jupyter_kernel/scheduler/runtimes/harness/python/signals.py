"""The binding ``signalapi`` of a Python script, loaded when it is first used: ProActive's client of signals."""

from __future__ import annotations

from collections.abc import Mapping

from .scheduler_requests import LONG_POLL, SchedulerRequests

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["SignalApi"]

_VARIABLE = "{'name': 'RATE', 'value': '0.1', 'model': 'PA:DOUBLE'}"
_TEXTS = ("name", "value", "model", "description", "group")


class SignalApi:
    """Signals of the task's own job."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._scheduler = SchedulerRequests(services)

    def readyForSignal(self, name: Any, variables: Iterable[Mapping[str, Any]] = ()) -> bool:
        """Say that the job takes the signal from now on; the sender gives values for the variables, if any.

        A variable is a dict with ``name`` and, as wanted, ``value model description group advanced hidden``.
        """
        if isinstance(variables, (Mapping, str)):
            raise TypeError(f"The variables of a signal are a list of dicts, [{_VARIABLE}], not {variables!r}.")
        self._scheduler.call("signals/ready", name=_signal(name), variables=[_variable(each) for each in variables])
        return True

    def waitFor(self, name: Any) -> dict[str, str]:
        """Wait for the signal; the values that came with it."""
        return self.waitForAny([_signal(name)])[1]

    def waitForAny(self, names: Iterable[Any]) -> tuple[str, dict[str, str]]:
        """Wait for any of the signals; the first that came, and its values."""
        wanted = _names("waitForAny", names)
        if not wanted:
            raise ValueError("waitForAny needs the name of a signal: nothing would ever end the wait.")
        state = self._scheduler.call("signals/state")
        while True:
            for name in wanted:
                if name in state["received"]:
                    return name, state["received"][name]
            state = self._scheduler.call("signals/wait", revision=state["revision"], seconds=LONG_POLL)

    def isReceived(self, name: Any) -> bool:
        return str(name) in self._scheduler.call("signals/state")["received"]

    def checkForSignals(self, names: Iterable[Any]) -> dict[str, dict[str, str]]:
        """Those of the signals that were received, each with its values."""
        received = self._scheduler.call("signals/state")["received"]
        return {name: received[name] for name in _names("checkForSignals", names) if name in received}

    def getJobSignals(self) -> set[str]:
        """All signals of the job: received ones by their names, others with ``ready_`` in front."""
        return set(self._scheduler.call("signals/state")["signals"])

    def sendSignal(self, name: Any, values: Mapping[str, Any] | None = None) -> bool:
        """Send a signal to the job, with values for its variables."""
        if values is not None and not isinstance(values, Mapping):
            raise TypeError(f"The values of a signal are a dict, {{'RATE': 0.2}}, not {values!r}.")
        texts = {str(key): _text(value) for key, value in (values or {}).items()}
        self._scheduler.call("signals/send", name=str(name), values=texts)
        return True

    def sendManySignals(self, names: Iterable[Any]) -> None:
        for name in _names("sendManySignals", names):
            self.sendSignal(name)

    def removeSignal(self, name: Any) -> None:
        self.removeManySignals([name])

    def removeManySignals(self, names: Iterable[Any]) -> None:
        self._scheduler.call("signals/remove", names=_names("removeManySignals", names))

    def clearJobSignals(self) -> None:
        self.removeManySignals(self.getJobSignals())


def _signal(name: Any) -> str:
    if name is None:
        raise TypeError("The name of a signal is a text, not None.")
    return str(name)


def _names(method: str, names: Iterable[Any]) -> list[str]:
    if isinstance(names, str):
        raise TypeError(f"{method} takes a list of names, [{names!r}], not the text {names!r}.")
    return [_signal(name) for name in names]


def _variable(each: Any) -> dict[str, Any]:
    if not isinstance(each, Mapping):
        raise TypeError(f"A variable of a signal is a dict such as {_VARIABLE}, not {each!r}.")
    known = (*_TEXTS, "advanced", "hidden")
    unknown = [key for key in each if key not in known]
    if unknown or "name" not in each:
        fault = f"has no {unknown[0]!r}" if unknown else "needs a 'name'"
        raise ValueError(f"A variable of a signal {fault}; it has {', '.join(known)}: {_VARIABLE}.")
    return {key: _text(value) if key in _TEXTS else bool(value) for key, value in each.items()}


def _text(value: Any) -> str:
    """A value as variables have it: ``true`` as Java writes it, nothing for None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
