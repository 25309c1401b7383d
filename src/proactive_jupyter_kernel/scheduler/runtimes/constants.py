"""Scripts that only set a constant: ``selected = true``, ``runs=3;``, ``branch = "if"``. They need no interpreter.

What workflows made by the studio and the SDKs hold in nearly every task; the reading is strict, so that whatever is
more than one assignment of one literal goes to the language itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.scheduler.attempt import Wire

__all__ = ["Constant", "assigned"]

#: Longer ones are not worth the look.
_LONGEST = 500
_ASSIGNMENT = re.compile(r"\$?(?P<name>[A-Za-z_]\w*)\s*(?:=|<-)\s*(?P<value>[^=\s].*)")
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,8})")
#: Without escapes and without what any language would replace inside of quotes.
_TEXT = re.compile(r"""(?P<quote>["'])(?P<text>[^"'\\$#`{}]*)(?P=quote)""")


@dataclass(frozen=True, slots=True)
class Constant:
    """What a script assigns."""

    value: Wire


def assigned(code: str, name: str, literals: Mapping[str, Wire], *, comment: str = "") -> Constant | None:
    """The constant that `code` assigns to `name`, if it does that and nothing else."""
    if len(code) > _LONGEST:
        return None
    lines = [line.strip() for line in code.splitlines()]
    lines = [line for line in lines if line and not (comment and line.startswith(comment))]
    if len(lines) != 1:
        return None
    match = _ASSIGNMENT.fullmatch(lines[0].removesuffix(";").rstrip())
    if match is None or match["name"] != name:
        return None
    return _constant(match["value"], literals)


def _constant(word: str, literals: Mapping[str, Wire]) -> Constant | None:
    if word in literals:
        return Constant(literals[word])
    if _INTEGER.fullmatch(word):
        return Constant(int(word))
    text = _TEXT.fullmatch(word)
    return Constant(text["text"]) if text else None
