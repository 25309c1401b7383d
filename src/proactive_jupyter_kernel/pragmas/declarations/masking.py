"""Passwords and tokens out of sight: in cells that are kept or quoted, and in every error on its way out.

The reader finds the pragmas, right or wrong. The extent of a password is determined with caution: a bare one may hold
anything but the next parameter that exists, and a parameter with a similar name counts as one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.client.secret import SHORTEST
from proactive_jupyter_kernel.errors import PragmaError, ProActiveError
from proactive_jupyter_kernel.pragmas.grammar.parser import read
from proactive_jupyter_kernel.pragmas.grammar.source import Source
from proactive_jupyter_kernel.pragmas.grammar.syntax import Tree

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.declarations.registry import Pragma, Registry

__all__ = ["mask", "mask_error", "secrets_in"]

#: ``name=`` of an argument, with what may stand between it and the value.
_NAMED = re.compile(r"(?<!\w)\d*(?P<name>[^\W\d]\w*)[ \t]*=(?:[ \t\u00a0]*(?:\n[ \t]*(?:#[ \t]*%?)?)?)*")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
#: A password in an address: ``http://login:password@host``.
_IN_ADDRESS = re.compile(r"://[^\s/@:,()]*:(?P<secret>[^\s,()'\"]+|[^\s/@]+)@")
_LETTERS = re.compile(r"\w+")
_WORD = re.compile(r"[^\s,()\[\]{}='\"]+")
STARS = "***"


def mask(text: str, registry: Registry) -> str:
    """The cell with ``*`` for every character of a password or token, also of a parameter with a similar name."""
    tree = read(text, registry.dialect)
    found = list(_hidden(tree, registry))
    return _starred(tree.source, found) if found else text


def secrets_in(text: str, registry: Registry) -> list[str]:
    """The passwords and tokens in a cell as typed."""
    tree = read(text, registry.dialect)
    return [tree.source.text[start:end] for start, end in _hidden(tree, registry)]


def mask_error(error: BaseException, secrets: Iterable[str]) -> None:
    """Take secrets out of an error, of those that caused it, and of their notes."""
    words = _Secrets.of(secrets)
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while words and waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += (one.__cause__, one.__context__)
        one.args = tuple(_without(words, value) if isinstance(value, str) else value for value in one.args)
        if hasattr(one, "__notes__"):
            one.__notes__ = [_without(words, note) for note in one.__notes__]
        if isinstance(one, ProActiveError):
            one.message, one.hint = _without(words, one.message), _without(words, one.hint)
        if isinstance(one, PragmaError) and one.source:
            # As long as before: the mark below it stands under what it points at.
            one.source = _without(words, one.source, same_length=True)


@dataclass(frozen=True, slots=True)
class _Secrets:
    """Each secret anywhere, and its words as words: a broken password may be quoted piece by piece."""

    pattern: re.Pattern[str] | None
    #: Of letters and digits alone: there may be thousands, which as a pattern would take minutes.
    words: frozenset[str]

    @classmethod
    def of(cls, secrets: Iterable[str]) -> _Secrets | None:
        whole = {secret for secret in secrets if len(secret) >= SHORTEST}
        pieces = {word for secret in whole for word in _WORD.findall(secret) if len(word) >= SHORTEST} - whole
        words = {piece for piece in pieces if _LETTERS.fullmatch(piece)}
        found = [*map(re.escape, whole), *(rf"(?<!\w){re.escape(piece)}(?!\w)" for piece in pieces - words)]
        pattern = re.compile("|".join(sorted(found, key=len, reverse=True))) if found else None
        return cls(pattern, frozenset(words)) if found or words else None


def _without(secrets: _Secrets, text: str, *, same_length: bool = False) -> str:
    def stars(match: re.Match[str]) -> str:
        return "*" * len(match.group()) if same_length else STARS

    if secrets.pattern is not None:
        text = secrets.pattern.sub(stars, text)
    if secrets.words:
        text = _LETTERS.sub(lambda match: stars(match) if match.group() in secrets.words else match.group(), text)
    return text


def _starred(source: Source, found: Iterable[tuple[int, int]]) -> str:
    text, parts, position = source.typed, [], 0
    for first, last in sorted((source.as_typed(start), source.as_typed(end)) for start, end in found):
        parts += [text[position : max(first, position)], "*" * (last - max(first, position))]
        position = max(last, position)
    return "".join((*parts, text[position:]))


def _hidden(tree: Tree, registry: Registry) -> Iterable[tuple[int, int]]:
    """The stretches of `Source.text` that hold secrets."""
    names = registry.parameters
    text = tree.source.text
    for reading in tree.readings:
        stop = reading.end if reading.closed else reading.code_end
        yield from (one.span("secret") for one in _IN_ADDRESS.finditer(text, reading.start, stop))
        pragma = registry.get(reading.call.name.lower())
        position = reading.start
        while (found := _NAMED.search(text, position, stop)) is not None:
            position = found.end()
            if _is_secret(found["name"], names, pragma):
                end = _end_of_value(text, position, names)
                if end > position:
                    yield position, end
                position = max(end, position)


def _is_secret(name: str, names: Mapping[str, bool], pragma: Pragma | None) -> bool:
    """What the pragma's own declaration says; else `names`, every parameter and whether its values are secret."""
    own = pragma.parameter(name) if pragma else None
    if own is not None:
        return own.kind.secret
    if name in names:
        return names[name]
    return bool(difflib.get_close_matches(name.lower(), [one for one in names if names[one]], n=1, cutoff=0.6))


def _end_of_value(text: str, start: int, names: Mapping[str, bool]) -> int:
    """The last possible end of a value: a bare one may hold anything but the next parameter that exists."""
    if quoted := _QUOTED.match(text, start):
        return quoted.end()
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    following = _next_parameter(tuple(names)).search(text, start, line_end)
    if following:
        return following.start()
    rest = text[start:line_end]
    return start + len(rest.rstrip(" \t,").removesuffix(")").removesuffix("]").rstrip())


@lru_cache(maxsize=4)
def _next_parameter(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"[ \t]*,[ \t]*\[?[ \t]*(?:{'|'.join(map(re.escape, names))})[ \t]*=")
