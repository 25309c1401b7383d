"""A table of calls: each is made once, and what it gives is compared with what it should give.

Runs in the environment of a foreign client, under its Python, and therefore imports nothing of this project.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from py4j.java_collections import JavaList, JavaMap, JavaSet
from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JJavaError

__all__ = ["Raised", "Table", "of_errors", "plain", "raised"]

Check: TypeAlias = Callable[[Any], Any]


class Raised(str):
    """What a call raised, instead of giving a value."""


def of_errors(check: Check) -> Check:
    """A predicate that may call an error right; for all others an error is wrong, whatever they say of its text."""
    check.takes_errors = True  # type: ignore[attr-defined]
    return check


def raised(*parts: str) -> Check:
    """The call raises, and the error has these parts."""
    return of_errors(lambda value: isinstance(value, Raised) and all(part in value for part in parts))


def plain(value: Any) -> Any:
    """A value of Java as JSON has it: lists and maps as such, sets sorted, everything else by its text."""
    if isinstance(value, JavaMap):
        # Not by its keys: py4j would look for an Integer where the map has a Long.
        return {str(entry.getKey()): plain(entry.getValue()) for entry in value.entrySet()}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | JavaList):
        return [plain(each) for each in value]
    if isinstance(value, set | JavaSet):
        return sorted(plain(each) for each in value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, JavaObject):
        return value.toString()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


class Table:
    """The calls that were made so far."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def __call__(self, name: str, action: Callable[[], Any], expected: Any) -> Any:
        """Make a call. `expected` is the value as `plain` gives it, or a predicate of that; returns what came.

        A call that raises is right only where `expected` is about errors (`of_errors`): the text of an error is filled,
        is text, has a length, and so on.
        """
        begun = time.monotonic()
        raw: Any = None
        try:
            raw = action()
            value = plain(raw)
        except Py4JJavaError as error:
            java = error.java_exception
            value = Raised(f"raised {java.getClass().getSimpleName()}: {java.getMessage()}")
        except Exception as error:
            value = Raised(f"raised {type(error).__name__}: {error}")
        try:
            right = bool(expected(value)) if callable(expected) else value == expected
        except Exception:
            right = False
        if isinstance(value, Raised) and not getattr(expected, "takes_errors", False):
            right = False
        row = {"call": name, "right": right, "value": value, "seconds": round(time.monotonic() - begun, 2)}
        if not right:
            row["expected"] = "a predicate" if callable(expected) else expected
        self.rows.append(row)
        return raw

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.rows, indent=1, default=str), encoding="utf-8")
