"""Closures of Groovy in Python tasks: single expressions are read, everything else is refused."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.runtimes.harness.python.closures import closure
from proactive_jupyter_kernel.workflow import values


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a task's process has loaded before them."""
    monkeypatch.setitem(sys.modules, "_proactive_values", values)


@pytest.mark.parametrize(
    ("text", "arguments", "value"),
    [
        ("{k, x -> x > 0}", ("k", 1), True),
        ("{k, x -> x == false}", ("k", False), True),
        ("{ k, x -> x != null && !(x <= 2.5) || k == 'a' }", ("b", 3), True),
        ("{k, x -> x - 1}", ("k", 3), 2),
        ("{a, b -> a + b}", ("x", "y"), "xy"),
        ("{k -> 7}", ("k",), 7),
        ('{k, x -> "done"}', ("k", None), "done"),
        ("{k, x -> x > 0}", ("k", None), False),
        ("{k, x -> x < 0 || x >= null}", ("k", None), True),
        ("{k, x -> (x ?: 0) + 1}", ("k", None), 1),
        ("{k, x -> x == null ? 'new' : x + 1}", ("k", 4), 5),
        ("{k, x -> !x == true}", ("k", 5), False),
        ("{k, x -> x < 3 == true}", ("k", 1), True),
        ("{k, x -> x == 1}", ("k", True), False),
        ("{k, x -> x && 5}", ("k", 1), True),
        ("{k, x -> 'n' + x + null}", ("k", 3), "n3null"),
        ("{k, x -> x / 2 - -7 % 4}", ("k", 4), 5),
        ("{k, x -> 2 + x * 3 - 1}", ("k", 2), 7),
    ],
)
def test_a_closure_of_one_expression(text: str, arguments: tuple[Any, ...], value: Any) -> None:
    """It gives what Groovy would give."""
    assert closure(text)(*arguments) == value


@pytest.mark.parametrize(
    "text",
    [
        "x > 0",
        "{x > 0}",
        "{k, x -> }",
        "{k, x -> System.exit(1)}",
        "{k, x -> x.size() > 1}",
        "{k, x -> y}",
        "{k, x -> x = 1}",
        "{k, x -> x; k}",
        "{k, x -> __import__('os')}",
        "{k, x -> (x}",
        '{k, x -> "${x}"}',
        "{k, x -> k(x)}",
        "{k, x -> x ** 9}",
        "{k, null -> k}",
        pytest.param("{k, x -> " + "(" * 300 + "x" + ")" * 300 + "}", id="nested brackets"),
        pytest.param("{k, x -> " + "!" * 5000 + "x}", id="5,000 prefixes"),
        "",
        None,
    ],
)
def test_a_closure_that_is_more(text: str) -> None:
    """It is refused before anything happens, with what may be written."""
    with pytest.raises(ValueError, match="Write a task that needs more in Groovy"):
        closure(text)


def test_arithmetic_with_a_key_that_has_no_value() -> None:
    """The error says what to write."""
    with pytest.raises(ValueError, match=r"no value yet.*\(x \?: 0\) \+ 1"):
        closure("{k, x -> x + 1}")("k", None)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (lambda key, value: value, TypeError, "is a text in Groovy"),
        ("{x -> x}", ValueError, "names 1 value, and gets 2: write {k, x -> …} for the key and the value"),
    ],
)
def test_a_closure_of_another_form(text: Any, error: type[Exception], message: str) -> None:
    """A function of Python, or a closure of too few names, is refused with what to write."""
    with pytest.raises(error, match=message):
        closure(text)("k", 1)


class Scheduler:
    """Answers as the scheduler does, with one channel and one job."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, **body: Any) -> Any:
        """The answer to a request of a task."""
        self.asked.append((operation, body))
        if operation == "channels/change":
            self.entries = {key: wire for key, wire in self.entries.items() if key not in body["removed"]}
            self.entries.update(body["put"])
            return {"done": True}
        if operation.startswith("channels/"):
            return {"revision": 1, "entries": dict(self.entries)}
        return {"revision": 1, "signals": [], "received": {"go": {}}}


@pytest.fixture
def channels() -> Any:
    from proactive_jupyter_kernel.scheduler.runtimes.harness.python.channels import Synchronization

    """``synchronizationapi`` with a channel that has the key n with the value 1."""
    found = Synchronization({"url": "http://localhost:1", "key": ""})
    found._scheduler = Scheduler()
    found.put("c", "n", 1)
    return found


@pytest.fixture
def signals() -> Any:
    from proactive_jupyter_kernel.scheduler.runtimes.harness.python.signals import SignalApi

    """``signalapi`` of a job that has received the signal go."""
    found = SignalApi({"url": "http://localhost:1", "key": ""})
    found._scheduler = Scheduler()
    return found


def test_changes_that_expect_a_value(channels: Any) -> None:
    """They are done only where that value is, and say so."""
    done = [
        channels.replace("c", "n", 7, 2),
        channels.replace("c", "n", 1, 2),
        channels.replace("c", "absent", None, 2),
        channels.remove("c", "n", 1),
        channels.replaceAll("c", "{k, x -> x * 10}"),
        channels.get("c", "n"),
        channels.remove("c", "n", 20),
    ]
    assert (done, channels.keySet("c")) == ([False, True, False, False, None, 20, True], set())


@pytest.mark.parametrize(
    ("method", "how"),
    [
        ("waitUntil", ()),
        ("waitUntil", ("{k, x -> x}", 500)),
        ("waitUntil", ("abc", "{k, x -> x}")),
        ("waitUntil", (5, "{k, x -> x}", "{k, x -> x}")),
        ("waitUntilThen", ("{k, x -> x}",)),
        ("waitUntilThen", ("{k, x -> x}", "{k, x -> x}", 500)),
    ],
)
def test_wrong_arguments_of_a_wait(channels: Any, method: str, how: tuple[Any, ...]) -> None:
    """The error shows how the method is called."""
    with pytest.raises(TypeError, match=rf"{method}\(channel, key, \[milliseconds,\] predicate"):
        getattr(channels, method)("c", "n", *how)


def test_a_wait_for_a_key_without_a_value(channels: Any) -> None:
    """It waits, as with Groovy, and ends with its time."""
    with pytest.raises(TimeoutError, match="within 0 ms"):
        channels.waitUntil("c", "absent", 0, "{k, x -> x > 0}")


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("waitForAny", ("go",), r"a list of names, \['go'\], not the text"),
        ("checkForSignals", ("go",), "a list of names"),
        ("sendManySignals", ("go",), "a list of names"),
        ("removeManySignals", ("go",), "a list of names"),
        ("waitForAny", ([],), "nothing would ever end the wait"),
        ("waitFor", (None,), "is a text, not None"),
        ("readyForSignal", ("go", {"name": "A"}), "are a list of dicts"),
        ("readyForSignal", ("go", ["A"]), "is a dict such as .*, not 'A'"),
        ("readyForSignal", ("go", [{"nam": "A"}]), "has no 'nam'; it has name, value"),
        ("readyForSignal", ("go", [{"value": "A"}]), "needs a 'name'"),
        ("sendSignal", ("go", "A=1"), r"are a dict, \{'RATE': 0.2\}, not 'A=1'"),
    ],
)
def test_wrong_arguments_of_signals(signals: Any, method: str, arguments: tuple[Any, ...], message: str) -> None:
    """The error says what to write, and nothing waits for the letters of a name."""
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(signals, method)(*arguments)


def test_values_of_signals_are_texts(signals: Any) -> None:
    """Numbers and booleans are written as variables have them."""
    signals.readyForSignal("go", [{"name": "A", "value": 5, "hidden": True}, {"name": "B", "value": None}])
    signals.sendSignal("go", {"A": True, "B": 0.5})
    assert [body for _, body in signals._scheduler.asked] == [
        {"name": "go", "variables": [{"name": "A", "value": "5", "hidden": True}, {"name": "B", "value": ""}]},
        {"name": "go", "values": {"A": "true", "B": "0.5"}},
    ]
