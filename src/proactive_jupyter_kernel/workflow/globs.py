"""Patterns of files as data spaces read them: Java's globs and ``regex:``, and the choice of files by them.

Follows ``java.nio.file.FileSystem.getPathMatcher`` on a system whose separator is ``/``: ``*`` and ``?`` stay within a
folder, ``**`` crosses folders (and ``**/x`` wants at least one), braces hold alternatives, a leading dot is a
character like others. Pure: whoever chooses files says what a folder holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from proactive_jupyter_kernel.workflow.java.regex import compile_java

__all__ = ["BadPattern", "Children", "Pattern", "choose", "compile_pattern"]

#: What a folder holds, the folder given as its path in the space (empty: the space itself): names, and whether each is
#: a folder.
Children: TypeAlias = Callable[[str], Iterable[tuple[str, bool]]]

_GLOB, _REGEX = "glob:", "regex:"
_SPECIAL = set("*?[{\\")


class BadPattern(ValueError):
    """A text is no pattern, or one that leads out of the space; the message is a finished sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern over paths relative to a space, with ``/`` between their parts."""

    text: str
    regex: re.Pattern[str]
    #: All matches lie in this folder; empty, or with a slash at the end.
    prefix: str = ""
    #: How many parts a match has at most; None: any number.
    depth: int | None = None

    def matches(self, path: str) -> bool:
        """Whether a file is meant."""
        return self.regex.fullmatch(path) is not None

    def may_hold(self, folder: str) -> bool:
        """Whether a match may lie in a folder, at any depth."""
        inside = folder + "/"
        if not (inside.startswith(self.prefix) or self.prefix.startswith(inside)):
            return False
        return self.depth is None or inside.count("/") < self.depth

    @property
    def is_plain(self) -> bool:
        """Whether it names one file."""
        return not self.text.startswith(_REGEX) and not _SPECIAL & set(self.text.removeprefix(_GLOB))


def compile_pattern(text: str) -> Pattern:
    """The pattern that a selector's ``includes`` or ``excludes`` means; raises `BadPattern`."""
    if text.startswith(_REGEX):
        try:
            return Pattern(text=text, regex=compile_java(text.removeprefix(_REGEX)))
        except ValueError as error:
            raise BadPattern(f"The pattern {text!r} cannot be used: {error}.") from error
    # A path typed with a ./ in front means the file in the space, though no path there starts so.
    glob = re.sub(r"^(?:\./+)+", "", text.removeprefix(_GLOB))
    if glob.startswith("/") or re.match(r"[A-Za-z]:", glob):
        raise BadPattern(f"The pattern {text!r} leaves its space: it must be relative to the space's folder.")
    if ".." in re.split(r"[/{},]", glob):
        raise BadPattern(f"The pattern {text!r} leaves its space: it may not go up with '..'.")
    return Pattern(
        text=text,
        regex=re.compile(_Glob(text, glob).translated(), re.DOTALL),
        prefix=_prefix(glob),
        depth=None if "**" in glob else glob.count("/") + 1,
    )


def choose(children: Children, includes: Sequence[Pattern], excludes: Sequence[Pattern] = ()) -> Iterator[str]:
    """The files that any include and no exclude matches, folders in order; no includes: all files."""
    yield from _chosen(children, "", includes, excludes)


def _chosen(children: Children, folder: str, includes: Sequence[Pattern], excludes: Sequence[Pattern]) -> Iterator[str]:
    for name, is_folder in sorted(children(folder)):
        path = f"{folder}/{name}" if folder else name
        if is_folder:
            if not includes or any(pattern.may_hold(path) for pattern in includes):
                yield from _chosen(children, path, includes, excludes)
        elif _is_chosen(path, includes, excludes):
            yield path


def _is_chosen(path: str, includes: Sequence[Pattern], excludes: Sequence[Pattern]) -> bool:
    included = not includes or any(pattern.matches(path) for pattern in includes)
    return included and not any(pattern.matches(path) for pattern in excludes)


def _prefix(glob: str) -> str:
    """The folders in front of the first part that is not plain."""
    plain = []
    for part in glob.split("/")[:-1]:
        if _SPECIAL & set(part):
            break
        plain.append(part)
    return "".join(f"{part}/" for part in plain)


class _Glob:
    """Translates one glob to a regular expression."""

    def __init__(self, text: str, glob: str) -> None:
        self._text = text
        self._glob = glob
        self._at = 0
        self._in_group = False

    def translated(self) -> str:
        parts = []
        while self._at < len(self._glob):
            character = self._glob[self._at]
            self._at += 1
            step = _STEPS.get(character)
            parts.append(step(self) if step else re.escape(character))
        if self._in_group:
            raise self._bad("a brace is not closed")
        return "".join(parts)

    def _bad(self, why: str) -> BadPattern:
        return BadPattern(f"The pattern {self._text!r} is no glob: {why}.")

    def _star(self) -> str:
        if self._glob.startswith("*", self._at):
            self._at += 1
            return ".*"
        return "[^/]*"

    def _question(self) -> str:
        return "[^/]"

    def _escape(self) -> str:
        if self._at == len(self._glob):
            raise self._bad("it ends with a backslash")
        self._at += 1
        return re.escape(self._glob[self._at - 1])

    def _open(self) -> str:
        if self._in_group:
            raise self._bad("braces cannot stand in braces")
        self._in_group = True
        return "(?:(?:"

    def _close(self) -> str:
        if not self._in_group:
            return r"\}"
        self._in_group = False
        return "))"

    def _comma(self) -> str:
        return ")|(?:" if self._in_group else ","

    def _bracket(self) -> str:
        """``[abc]``, ``[a-z]``, ``[!a]``; never a slash."""
        end = self._glob.find("]", self._at + (2 if self._glob.startswith("!", self._at) else 1))
        if end < 0:
            raise self._bad("a bracket is not closed")
        inside = self._glob[self._at : end]
        self._at = end + 1
        if "/" in inside:
            raise self._bad("a bracket holds a slash")
        negated = inside.startswith("!")
        members = inside[1:] if negated else inside
        escaped = re.sub(r"([\\^\[\]&~|])", r"\\\1", members)
        try:
            re.compile(f"[{escaped}]")
        except re.error as error:
            raise self._bad(f"[{inside}] is no range of characters") from error
        return f"(?!/)[{'^' if negated else ''}{escaped}]"


_STEPS: dict[str, Callable[[_Glob], str]] = {
    "*": _Glob._star,
    "?": _Glob._question,
    "\\": _Glob._escape,
    "{": _Glob._open,
    "}": _Glob._close,
    ",": _Glob._comma,
    "[": _Glob._bracket,
}
