"""From a cell's text to what is to be done, in order: read and checked as a whole before anything is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.declarations import masking
from proactive_jupyter_kernel.pragmas.declarations.binding import bind
from proactive_jupyter_kernel.pragmas.declarations.later import CalledPragmas, Later
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS, BoundCall, Registry
from proactive_jupyter_kernel.pragmas.grammar import parser
from proactive_jupyter_kernel.pragmas.grammar.syntax import Cell, LocalCode, Segment

__all__ = ["Plan", "PlanStep", "has_pragma", "mask", "plan", "plan_of"]

PlanStep: TypeAlias = LocalCode | BoundCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a cell asks for, from top to bottom."""

    steps: tuple[PlanStep, ...]

    @property
    def calls(self) -> tuple[BoundCall, ...]:
        """The pragmas alone."""
        return tuple(step for step in self.steps if isinstance(step, BoundCall))


def has_pragma(text: str, registry: Registry = PRAGMAS) -> bool:
    """Whether a cell has a pragma, or something that only a pragma can be meant by."""
    return parser.has_pragma(text, registry.dialect)


def plan(text: str, registry: Registry = PRAGMAS) -> Plan:
    """Read, bind and check a whole cell; `PragmaError` for the first fault, with no password in it."""
    shown = masking.mask(text, registry)
    try:
        return plan_of(parser.parse(text, registry.dialect, "" if shown == text else shown), registry)
    except PragmaError as error:
        masking.mask_error(error, masking.secrets_in(text, registry) if shown != text else ())
        raise error from None


def plan_of(cell: Cell, registry: Registry = PRAGMAS) -> Plan:
    """Bind and check what was read."""
    bound = {id(call): bind(call, registry) for call in cell.calls}
    called = CalledPragmas()
    steps: list[PlanStep] = []
    for segment in reversed(cell.segments):
        if isinstance(segment, LocalCode):
            steps.append(segment)
            continue
        call = replace(bound[id(segment)], later=Later(called))
        called.prepend(call)
        steps += [*_code_that_runs_here(segment, call), call]
    return Plan(steps=tuple(reversed(steps)))


def mask(text: str, registry: Registry = PRAGMAS) -> str:
    """The cell with ``*`` for every character of a password or token, also of a parameter with a similar name."""
    return masking.mask(text, registry)


def _code_that_runs_here(segment: Segment, call: BoundCall) -> Iterable[LocalCode]:
    if not call.pragma.takes_code and call.call.code:
        yield LocalCode(text=call.call.code, first_line=call.call.code_first_line)
