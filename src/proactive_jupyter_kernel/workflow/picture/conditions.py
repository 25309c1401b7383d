"""A short description of what a flow script decides, if the script is simple enough. Pure."""

from __future__ import annotations

import re

__all__ = ["count_of", "loop_words"]

_LOOP = re.compile(r"(?:var\s+)?loop\s*=(?P<value>[^=].*)", re.DOTALL)
_RUNS = re.compile(r"(?:var\s+)?runs\s*=(?P<value>[^=].*)", re.DOTALL)
#: Longer scripts are not simple.
_LONGEST_CODE = 2_000
#: Access to the value of a variable, optionally converted to a number, in the languages of flow scripts.
_VARIABLE = re.compile(
    r"""(?:(?:Number|parseInt|parseFloat|int|float|str|Integer\.parseInt|as\.integer)\(\s*)?"""
    r"""variables(?:\.get\(\s*|\[+\s*)(?P<quote>["'])(?P<name>[^"']+)(?P=quote)\s*[\])]+"""
)
_LONGEST = 44
_LONGEST_COUNT = 14


def _simple(text: str) -> str:
    """The expression with the bare names of variables; empty if it is more than one line."""
    shown = _VARIABLE.sub(lambda found: found["name"], text).strip()
    return "" if "\n" in shown or ";" in shown else shown


def _value(assignment: re.Pattern[str], code: str) -> str:
    """The assigned expression; empty if the script is anything else."""
    plain = code.strip().removesuffix(";").rstrip()
    found = assignment.fullmatch(plain) if len(plain) <= _LONGEST_CODE else None
    return found["value"].strip() if found else ""


def loop_words(code: str) -> str:
    """``loop while EXPRESSION``, or just ``loop``."""
    shown = _simple(_value(_LOOP, code))
    return f"loop while {shown}" if 0 < len(shown) <= _LONGEST else "loop"


def count_of(code: str) -> str:
    """The number of runs as a short expression; empty if it is not that simple."""
    shown = _simple(_value(_RUNS, code))
    return shown if len(shown) <= _LONGEST_COUNT else ""
