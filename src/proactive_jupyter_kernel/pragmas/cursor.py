"""Where in a pragma the cursor stands: in its name, at a parameter, in a value. Pure; takes half-written text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.parser import spans
from proactive_jupyter_kernel.pragmas.tokens import CLOSERS, OPENERS, PRAGMA_LINE

__all__ = ["Spot", "locate"]

_NAME = re.compile(r"[^\W\d]\w*")
_GIVEN = re.compile(r"(?:[(,\[]|#%?)\s*([^\W\d]\w*)\s*[=\[]")
_JUST_BEGUN = re.compile(r"[ \t]*#%")
_CONTINUED = re.compile(r"[ \t]*(?:#%?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What stands around the cursor."""

    #: The pragma's name as far as it is written.
    pragma: str
    #: The parameter whose value the cursor is in; empty in a name.
    parameter: str = ""
    #: True: the cursor is in the pragma's own name.
    in_name: bool = False
    #: What is written of the word up to the cursor, and where that starts.
    typed: str = ""
    start: int = 0
    #: True: the word stands in quotes.
    quoted: bool = False
    #: In pairs: True where a key belongs.
    key: bool = True
    #: Items of the same list that stand before the cursor.
    listed: tuple[str, ...] = ()
    #: Parameters that the call names anywhere.
    given: tuple[str, ...] = ()


def locate(text: str, cursor: int) -> Spot | None:
    """The spot of the cursor; None where it is in no pragma."""
    line = text.rfind("\n", 0, cursor) + 1
    if _JUST_BEGUN.fullmatch(text, line, cursor):
        return Spot(pragma="", in_name=True, start=cursor)
    start = max((match.start() for match in PRAGMA_LINE.finditer(text) if match.end() <= cursor), default=-1)
    if start < 0:
        return None
    end = next((end for first, end in spans(text) if first == start), len(text))
    # A bracket that is not closed yet must not make pragmas of the code below.
    if cursor > end or (line > start and not text[line:].lstrip(" \t").startswith("#") and _is_open(text, start, end)):
        return None
    body = text.index("#%", start) + 2
    name = _NAME.match(text, body)
    if name is None or cursor <= name.end():
        return Spot(pragma=text[body:cursor], in_name=True, typed=text[body:cursor], start=body)
    walk = _Walk(text, name.end(), cursor)
    if not walk.stack or walk.closed:
        return None
    given = tuple(match[1] for match in _GIVEN.finditer(text, name.end(), end))
    return walk.spot(name.group(), given)


def _is_open(text: str, start: int, end: int) -> bool:
    walk = _Walk(text, start, end)
    return not walk.closed


class _Walk:
    """Goes from the pragma's name to the cursor and keeps what is open."""

    def __init__(self, text: str, position: int, cursor: int) -> None:
        self.text, self.cursor = text, cursor
        self.stack: list[str] = []
        self.parameter = ""
        self.quote = ""
        self.word = position
        self.listed: list[str] = []
        self.place_in_pair = 0
        self.closed = False
        while position < cursor and not self.closed:
            position = self._step(position)

    @property
    def among_arguments(self) -> bool:
        """Whether names of parameters stand here, and not the items of a value."""
        return all(bracket in ("(", "optional") for bracket in self.stack) and len(self.stack) <= 2

    def _step(self, position: int) -> int:
        character = self.text[position]
        typed = self.text[self.word : position].strip()
        if self.quote:
            if character == "\\":
                return position + 2
            if character == self.quote:
                self.quote = ""
        elif character in "'\"" and not typed and self.stack:
            self.quote, self.word = character, position + 1
        elif character in OPENERS:
            self._open(character, typed)
            self.word = position + 1
        elif character in CLOSERS:
            self._close()
            self.word = position + 1
        elif character == "=" and not self.parameter and self.among_arguments and _NAME.fullmatch(typed):
            self.parameter, self.word = typed, position + 1
        elif character == "," or (character == ":" and self.stack[-1:] == ["{"]):
            self._next(character, typed)
            self.word = position + 1
        elif character == "\n" and not typed:
            continued = _CONTINUED.match(self.text, position + 1)
            self.word = continued.end() if continued else position + 1
            return self.word
        return position + 1

    def _open(self, bracket: str, typed: str) -> None:
        if not self.parameter and self.stack and self.among_arguments:
            if bracket == "[" and not typed:
                bracket = "optional"
            elif _NAME.fullmatch(typed):
                self.parameter = typed
        self.stack.append(bracket)
        self.place_in_pair = 0

    def _close(self) -> None:
        if self.stack:
            self.stack.pop()
        self.closed = not self.stack
        self.place_in_pair = 0

    def _next(self, character: str, typed: str) -> None:
        inner = self.stack[-1] if self.stack else ""
        if self.among_arguments:
            self.parameter = ""
            self.listed = []
        elif inner == "[":
            self.listed.append(typed.strip("'\""))
        else:
            self.place_in_pair = 1 if character == ":" or inner == "(" else 0

    def spot(self, pragma: str, given: tuple[str, ...]) -> Spot:
        word = self.text[self.word : self.cursor]
        typed = word if self.quote else word.lstrip()
        return Spot(
            pragma=pragma,
            parameter=self.parameter,
            typed=typed,
            start=self.cursor - len(typed),
            quoted=bool(self.quote),
            key=self.place_in_pair == 0,
            listed=tuple(self.listed),
            given=given,
        )
