"""Reads what a harness wrote when its script had ended; whatever a process may have written there, checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from proactive_jupyter_kernel.scheduler.attempt import Failure, Wire
from proactive_jupyter_kernel.scheduler.runtimes.stage import StageReport
from proactive_jupyter_kernel.workflow import values

__all__ = ["BadReport", "ReadReport", "ScriptError", "read"]

#: As ProActive's database has it.
_LONGEST_KEY = 255


class BadReport(Exception):
    """A report is too large, or not what a harness writes. The text is a finished message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptError:
    """What the script raised."""

    type: str = ""
    message: str = ""
    trace: str = ""

    @property
    def summary(self) -> str:
        """In one line: ``ZeroDivisionError: division by zero``."""
        text = f"{self.type}: {self.message}" if self.type and self.message else self.type or self.message
        return " ".join(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """A report as the harness wrote it, before it is judged."""

    content: Mapping[str, Any]
    error: ScriptError | None = None
    exit_code: int | None = None

    def report(self, *, exit_code: int, failure: Failure | None = None) -> StageReport:
        """The report with the judgement added."""
        found = self.content
        return StageReport(
            failure=failure,
            exit_code=exit_code,
            values=found.get("values", {}),
            variables_set=found.get("variablesSet", {}),
            variables_removed=tuple(found.get("variablesRemoved", ())),
            result_map=found.get("resultMap", {}),
            metadata=found.get("resultMetadata"),
            fork_environment=found.get("forkEnvironment", {}),
        )


def _content(path: str | Path, limit: int) -> tuple[int, bytes]:
    """The size of a file, and what is in it, where that is no more than `limit` bytes. Not with a file object: this is
    done for every task."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(file).st_size
        parts: list[bytes] = []
        left = size if size <= limit else 0
        while left and (part := os.read(file, left)):
            parts.append(part)
            left -= len(part)
        return size, b"".join(parts)
    finally:
        os.close(file)


def read(path: str | Path, limit: int) -> ReadReport:
    """Read and check a report. Raises `BadReport`."""
    size, data = _content(path, limit)
    if size > limit:
        from proactive_jupyter_kernel.workflow.display.numbers import size_text

        raise BadReport(
            f"result and variables take {size_text(size)}, more than the {size_text(limit)} that may travel "
            "between tasks (PROACTIVE_KERNEL_RESULT_BYTES); write large data to a file"
        )
    try:
        content = _DECODER.decode(data.decode())
        checked = _checked(content)
    except (ValueError, RecursionError) as error:
        raise BadReport(f"the report of its process cannot be read ({error})") from error
    return checked


def _checked(content: Any) -> ReadReport:
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    for key in ("values", "variablesSet", "resultMap", "resultMetadata", "forkEnvironment", "error"):
        if content.get(key) is None:
            content.pop(key, None)
        elif not isinstance(content[key], dict):
            raise ValueError(f"{key} is not an object")
    for key in ("values", "variablesSet", "resultMap"):
        _check_values(key, content.get(key, {}))
    for name in content.get("variablesSet", {}):
        if len(name) > _LONGEST_KEY:
            raise BadReport(
                f"the variable name {name[:40]!r}… has {len(name)} characters, more than {_LONGEST_KEY}; shorten it"
            )
    if "resultMetadata" in content:
        content["resultMetadata"] = {name: _as_text(wire) for name, wire in content["resultMetadata"].items()}
    removed = content.get("variablesRemoved") or []
    if not isinstance(removed, list) or not all(isinstance(name, str) for name in removed):
        raise ValueError("variablesRemoved is not a list of names")
    content["variablesRemoved"] = removed
    code = content.get("exit")
    if code is not None and (not isinstance(code, int) or isinstance(code, bool)):
        raise ValueError("exit is not an integer")
    return ReadReport(content=content, error=_script_error(content.get("error")), exit_code=code)


def _check_values(key: str, entries: Mapping[str, Wire]) -> None:
    for name, wire in entries.items():
        try:
            values.from_wire(wire)
        except ValueError as error:
            raise ValueError(f"{key}.{name}: {error}") from error


def _script_error(found: Mapping[str, Any] | None) -> ScriptError | None:
    if found is None:
        return None
    return ScriptError(**{key: str(found.get(key) or "") for key in ("type", "message", "trace")})


def _as_text(wire: Wire) -> str:
    return wire if isinstance(wire, str) else values.text(values.from_wire(wire))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON; a float that is not finite must be tagged")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
