"""The recorded answers of a server, with values in place of their placeholders."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["FRAMES", "HOST", "NoRecordings", "body", "hash_order"]

#: They lie beside the project and are no part of it.
RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
HOST = "node-1.example"
WHEN = 1_700_000_000_000
FRAMES = (
    "\tat org.ow2.proactive.scripting.Script.execute(Script.java:395)\n"
    "\tat org.ow2.proactive.scheduler.task.executors.InProcessTaskExecutor.execute(InProcessTaskExecutor.java:183)\n"
    "\tat java.base/java.lang.Thread.run(Thread.java:829)\n\t... 5 more"
)
_TEXTS = {
    "\t<java-frames>": FRAMES,
    "<host> (<node>)": f"{HOST} (local-LocalNodes-0)",
    "<host:port>": "localhost:8080",
    "<host>": HOST,
    "<node>": "local-LocalNodes-0",
    "<pnp-url>": f"pnp://{HOST}:64738/local-LocalNodes-0",
    "<path>": "/opt/proactive/x",
    "<hh:mm:ss>": "14:05:09",
}
_NUMBERS = {"<epoch-ms>": WHEN, "<ms>": 1234, "<count>": 1, "<counter>": 1}
#: ``new Object[0]`` would do: no test opens these.
_OBJECT = "rO0ABXA="


class NoRecordings(Exception):
    """The recordings are not at hand."""


@functools.cache
def _scenario(name: str) -> dict[str, Any]:
    file = RECORDINGS / f"{name}.json"
    if not file.is_file():
        raise NoRecordings(
            f"The stand-in server answers with recordings of a ProActive server, which are not in {RECORDINGS}."
        )
    steps = json.loads(file.read_text(encoding="utf-8"))["steps"]
    return {step["exchange"]: step["response"] for step in steps if "exchange" in step}


def body(scenario: str, exchange: str, **values: object) -> Any:
    """What the server answered in an exchange, JSON or text; `values` are placeholders by their names (``JOB1=7``)."""
    found = _scenario(scenario)[exchange]["body"]
    whole = {f"<{name}>": str(value) for name, value in values.items()}
    numbers = {f"<int {name}>": value for name, value in values.items() if isinstance(value, int)}
    return copy.deepcopy(_filled(found and found.get("json", found.get("text")), _TEXTS | whole, _NUMBERS | numbers))


def _filled(value: Any, texts: Mapping[str, str], numbers: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {_filled(key, texts, numbers): _filled(each, texts, numbers) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, texts, numbers) for each in value]
    if not isinstance(value, str):
        return value
    if value in numbers:
        return numbers[value]
    if value.startswith("<base64 java"):
        return _OBJECT
    for placeholder, text in texts.items():
        value = value.replace(placeholder, text)
    return value


def hash_order(names: Iterable[str]) -> list[str]:
    """The order of a Java ``HashMap`` with these keys."""
    found = list(names)
    size = 16
    while len(found) > size * 3 // 4:
        size *= 2
    return sorted(found, key=lambda name: _spread(name) & (size - 1))


def _spread(text: str) -> int:
    value = 0
    for unit in re.findall(rb"..", text.encode("utf-16-be"), re.DOTALL):
        value = (31 * value + int.from_bytes(unit, "big")) & 0xFFFFFFFF
    return value ^ (value >> 16)
