"""From a cell's text to what is to be done, in order: read and checked as a whole before anything is done."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.parser import parse, spans
from proactive_jupyter_kernel.pragmas.registry import PRAGMAS, Bound, Registry, bind
from proactive_jupyter_kernel.pragmas.syntax import Cell, LocalCode, Segment

__all__ = ["Plan", "Step", "mask", "plan", "plan_of"]

Step: TypeAlias = LocalCode | Bound

#: ``name=`` of an argument, with what may stand between it and the value.
_NAMED = re.compile(r"(?P<name>[^\W\d]\w*)[ \t]*=(?:[ \t]*(?:\n[ \t]*#%?)?)*")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a cell asks for, from top to bottom."""

    steps: tuple[Step, ...]

    @property
    def calls(self) -> tuple[Bound, ...]:
        """The pragmas alone."""
        return tuple(step for step in self.steps if isinstance(step, Bound))


def plan(text: str, registry: Registry = PRAGMAS) -> Plan:
    """Read, bind and check a whole cell; `PragmaError` for the first fault, with no password in it."""
    try:
        return plan_of(parse(text), registry)
    except PragmaError as error:
        error.source = _masked_line(text, error, registry)
        raise error from None


def plan_of(cell: Cell, registry: Registry = PRAGMAS) -> Plan:
    """Bind and check what was read."""
    bound = {id(call): bind(call, registry) for call in cell.calls}
    later: tuple[Bound, ...] = ()
    steps: list[Step] = []
    for segment in reversed(cell.segments):
        if isinstance(segment, LocalCode):
            steps.append(segment)
            continue
        call = replace(bound[id(segment)], later=later)
        later = (call, *later)
        steps += [*_code_that_runs_here(segment, call), call]
    return Plan(steps=tuple(reversed(steps)))


def _code_that_runs_here(segment: Segment, call: Bound) -> Iterable[LocalCode]:
    if not call.pragma.takes_code and call.call.code:
        yield LocalCode(text=call.call.code, first_line=call.call.code_first_line)


def mask(text: str, registry: Registry = PRAGMAS) -> str:
    """The cell with ``*`` for every character of a password or token, also of a parameter that is nearly called so."""
    for start, end in spans(text):
        text = text[:start] + _masked(text[start:end], registry) + text[end:]
    return text


def _masked(text: str, registry: Registry) -> str:
    parameters = [parameter for pragma in registry.values() for parameter in pragma.parameters]
    names = {name: one.kind.secret for one in parameters for name in (one.name, *one.aliases)}
    secret = [name for name in names if names[name]]
    masked, position = "", 0
    while found := _NAMED.search(text, position):
        masked += text[position : found.end()]
        position = found.end()
        if difflib.get_close_matches(found["name"].lower(), secret, n=1, cutoff=0.6) and names.get(found["name"], True):
            end = _end_of_value(text, position, names)
            masked += "*" * (end - position)
            position = end
    return masked + text[position:]


def _end_of_value(text: str, start: int, names: Iterable[str]) -> int:
    """Where a value ends at the latest: a bare one may hold anything but the next parameter that exists."""
    if quoted := _QUOTED.match(text, start):
        return quoted.end()
    line_end = text.find("\n", start)
    rest = text[start:] if line_end < 0 else text[start:line_end]
    following = re.search(rf"[ \t]*,[ \t]*\[?[ \t]*(?:{'|'.join(map(re.escape, names))})[ \t]*=", rest)
    if following:
        return start + following.start()
    return start + len(rest.rstrip(" \t,").removesuffix(")").removesuffix("]").rstrip())


def _masked_line(text: str, error: PragmaError, registry: Registry) -> str:
    if not error.line:
        return error.source
    lines = mask(text.replace("\r\n", "\n"), registry).split("\n")
    return lines[error.line - 1].replace("\t", " ")
