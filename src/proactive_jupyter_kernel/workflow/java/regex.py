r"""Java's regular expressions, which models, Spring expressions and file patterns use, with a deadline.

`compile_java` translates a pattern to the syntax of the package ``regex``, whose matching stops at a timeout. Classes
with unions and intersections, properties (``\p{L}``), possessive and atomic groups have a counterpart there; the rest
(names of classes, quoting, the meaning of the dot, of ``\d`` and of ``$``) is rewritten by `regex_translation`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded, seconds_left
from proactive_jupyter_kernel.workflow.java.regex_translation import UnsupportedRegex, translated

if TYPE_CHECKING:
    import regex

__all__ = ["JavaPattern", "SlowRegex", "UnsupportedRegex", "compile_java", "compile_translated"]

#: Seconds of computing time for one match; Spring gives up after a million steps.
_SECONDS = 0.5
_MAX_LENGTH = 5_000
_MAX_TEXT = 1_000_000
_MAX_PARTS = 100_000


class SlowRegex(UnsupportedRegex, DeadlineExceeded):
    """The match of a pattern takes too long; the message is the rest of a sentence."""


class JavaPattern:
    """A compiled pattern. Each method may raise SlowRegex or DeadlineExceeded."""

    def __init__(self, text: str, compiled: regex.Pattern[str]) -> None:
        self.text = text
        self._compiled = compiled

    def fullmatch(self, text: str, *, seconds: float = _SECONDS) -> Any:
        """``Matcher.matches()``: a match of the whole text, or None."""
        return self._run(self._compiled.fullmatch, text, 0, seconds)

    def search(self, text: str, position: int = 0) -> Any:
        """``Matcher.find(position)``: the first match from there on, or None."""
        return self._run(self._compiled.search, text, position)

    def split(self, text: str, limit: int = 0) -> list[str]:
        """``String.split``: without a limit, empty texts at the end are removed."""
        parts: list[str] = []
        position = 0
        for match in self._all(text):
            if 0 < limit <= len(parts) + 1:
                break
            if match.end() == 0:
                continue  # No empty text in front of an empty match at the start.
            parts.append(text[position : match.start()])
            position = match.end()
            if len(parts) > _MAX_PARTS:
                raise UnsupportedRegex(f"{_short(self.text)} splits a text into more than {_MAX_PARTS:,} parts")
        if not parts:
            return [text]
        parts.append(text[position:])
        while limit == 0 and parts and not parts[-1]:
            parts.pop()
        return parts

    def replace(self, text: str, replacement: str, *, first: bool = False) -> str:
        r"""``String.replaceAll`` or ``replaceFirst``: ``$1`` and ``${name}`` stand for groups, ``\`` escapes."""
        parts: list[str] = []
        position, length = 0, 0
        for match in self._all(text):
            piece = text[position : match.start()] + "".join(self._pieces(match, replacement))
            parts.append(piece)
            position, length = match.end(), length + len(piece)
            if length > _MAX_TEXT:
                raise UnsupportedRegex(f"the text after the replacement has more than {_MAX_TEXT:,} characters")
            if first:
                break
        return "".join([*parts, text[position:]])

    def _pieces(self, match: Any, replacement: str) -> Iterator[str]:
        position = 0
        while position < len(replacement):
            character = replacement[position]
            position += 1
            if character not in "\\$":
                yield character
                continue
            if position == len(replacement):
                raise UnsupportedRegex(f"the replacement {_short(replacement)} ends with {character!r}")
            if character == "\\":
                yield replacement[position]
                position += 1
                continue
            group, position = self._group(replacement, position)
            yield match[group] or ""

    def _group(self, replacement: str, position: int) -> tuple[int | str, int]:
        """The group that is named after ``$``, and where the text continues."""
        if replacement.startswith("{", position):
            end = replacement.find("}", position)
            name = replacement[position + 1 : end]
            if end > 0 and name in self._compiled.groupindex:
                return name, end + 1
        elif replacement[position] in "0123456789":
            number, position = int(replacement[position]), position + 1
            while number <= self._compiled.groups and replacement[position : position + 1] in set("0123456789"):
                longer = 10 * number + int(replacement[position])
                if longer > self._compiled.groups:
                    break
                number, position = longer, position + 1
            if number <= self._compiled.groups:
                return number, position
        raise UnsupportedRegex(f"the replacement {_short(replacement)} names a group that {_short(self.text)} lacks")

    def _all(self, text: str) -> Iterator[Any]:
        """``Matcher.find()`` repeatedly: after an empty match, the next one starts one character later."""
        position = 0
        while position <= len(text) and (match := self.search(text, position)) is not None:
            yield match
            position = match.end() + (match.start() == match.end())

    def _run(self, method: Any, text: str, position: int, seconds: float = _SECONDS) -> Any:
        if len(text) > _MAX_TEXT:
            raise SlowRegex(f"the text has {len(text):,} characters; a regular expression gets at most {_MAX_TEXT:,}")
        left = seconds_left()
        try:
            return method(text, pos=position, timeout=min(left, seconds))
        except TimeoutError as error:
            raise SlowRegex(
                f"the regular expression {_short(self.text)} takes too long on a text of {len(text):,} characters; "
                "write it without repetitions inside of repetitions"
            ) from error


def compile_java(pattern: str) -> JavaPattern:
    """Java's `pattern`; raises UnsupportedRegex."""
    if len(pattern) > _MAX_LENGTH:
        raise UnsupportedRegex(
            f"{_short(pattern)} has {len(pattern):,} characters; a regular expression has at most {_MAX_LENGTH:,}"
        )
    return _compiled(pattern)


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> JavaPattern:
    return compile_translated(pattern, translated(pattern))


def compile_translated(text: str, pattern: str, *, set_operations: bool = True) -> JavaPattern:
    """A `pattern` that is already in the syntax of ``regex``; `text` is how messages name it."""
    import regex

    try:
        return JavaPattern(text, regex.compile(pattern, regex.V1 if set_operations else regex.V0))
    except (regex.error, RecursionError, OverflowError, ValueError, KeyError, IndexError) as error:
        raise UnsupportedRegex(f"{_short(text)} is not a regular expression: {error}") from error


def _short(text: str) -> str:
    return repr(text) if len(text) <= 80 else repr(text[:79] + "…")
