"""File patterns as data spaces read them: Java's globs and ``regex:``, and the selection of files by patterns.

Follows ``java.nio.file.FileSystem.getPathMatcher`` on a system whose separator is ``/``: ``*`` and ``?`` stay within a
folder, ``**`` crosses folders (``**/x`` requires at least one), braces hold alternatives, a leading dot is an
ordinary character. Pure: the caller lists the folders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded
from proactive_jupyter_kernel.workflow.java.regex import JavaPattern, compile_java, compile_translated

__all__ = ["Children", "FilePattern", "InvalidPattern", "LeavingPattern", "choose", "compile_pattern"]

#: Lists a folder, given as its path in the space (empty: the space itself): names, and whether each is a folder.
Children: TypeAlias = Callable[[str], Iterable[tuple[str, bool]]]

_GLOB, _REGEX = "glob:", "regex:"
_SPECIAL = set("*?[{\\")
#: Characters of a pattern, and seconds of computing time for one path.
_MAX_LENGTH = 5_000
_SECONDS = 0.1


class InvalidPattern(ValueError):
    """A text is not a pattern, or the pattern leaves the space; the message is a complete sentence."""


class LeavingPattern(InvalidPattern):
    """A pattern is about what is not in the space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePattern:
    """A pattern for paths relative to a space, with ``/`` as separator."""

    text: str
    regex: JavaPattern
    #: The folder that contains all matches; empty, or with a trailing slash.
    prefix: str = ""
    #: How many parts a match has at most; None: any number.
    depth: int | None = None

    def matches(self, path: str) -> bool:
        """Whether a file matches; raises `InvalidPattern` if the pattern takes too long."""
        try:
            return self.regex.fullmatch(path, seconds=_SECONDS) is not None
        except DeadlineExceeded as error:
            hint = "Use fewer wildcards, or a folder in front of them."
            raise InvalidPattern(f"The pattern {_short(self.text)} takes too long on {_short(path)}. {hint}") from error

    def may_hold(self, folder: str) -> bool:
        """Whether a folder may contain a match, at any depth."""
        inside = folder + "/"
        if not (inside.startswith(self.prefix) or self.prefix.startswith(inside)):
            return False
        return self.depth is None or inside.count("/") < self.depth

    @property
    def is_plain(self) -> bool:
        """Whether it names a single file."""
        return not self.text.startswith(_REGEX) and not _SPECIAL & set(self.text.removeprefix(_GLOB))


def _short(text: str) -> str:
    return repr(text) if len(text) <= 100 else repr(text[:99] + "…")


def compile_pattern(text: str) -> FilePattern:
    """Compile the ``includes`` or ``excludes`` of a selector; raises `InvalidPattern`."""
    if len(text) > _MAX_LENGTH:
        message = f"The pattern {_short(text)} has {len(text):,} characters; at most {_MAX_LENGTH:,} are read."
        raise InvalidPattern(f"{message} Write several patterns.")
    if text.startswith(_REGEX):
        try:
            return FilePattern(text=text, regex=compile_java(text.removeprefix(_REGEX)))
        except ValueError as error:
            raise InvalidPattern(f"The pattern {text!r} cannot be used: {error}.") from error
    # A path with a leading ./ means the file in the space, although no path there starts like that.
    glob = re.sub(r"^(?:\./+)+", "", text.removeprefix(_GLOB))
    if glob.startswith("/") or re.match(r"[A-Za-z]:", glob):
        raise LeavingPattern(f"The pattern {text!r} leaves its space: it must be relative to the space's folder.")
    if ".." in re.split(r"[/{},]", glob):
        raise LeavingPattern(f"The pattern {text!r} leaves its space: it may not go up with '..'.")
    return FilePattern(
        text=text,
        regex=compile_translated(text, f"(?s:{_Glob(text, glob).translated()})", set_operations=False),
        prefix=_prefix(glob),
        depth=None if "**" in glob else glob.count("/") + 1,
    )


def choose(children: Children, includes: Sequence[FilePattern], excludes: Sequence[FilePattern] = ()) -> Iterator[str]:
    """The files that match any include and no exclude, folder by folder; without includes, all files."""
    # Not recursive: a tree may be deeper than the stack.
    pending = [("", iter(sorted(children(""))))]
    while pending:
        folder, entries = pending[-1]
        for name, is_folder in entries:
            path = f"{folder}/{name}" if folder else name
            if is_folder:
                if not includes or any(pattern.may_hold(path) for pattern in includes):
                    pending.append((path, iter(sorted(children(path)))))
                    break
            elif _is_chosen(path, includes, excludes):
                yield path
        else:
            pending.pop()


def _is_chosen(path: str, includes: Sequence[FilePattern], excludes: Sequence[FilePattern]) -> bool:
    included = not includes or any(pattern.matches(path) for pattern in includes)
    return included and not any(pattern.matches(path) for pattern in excludes)


def _prefix(glob: str) -> str:
    """The folders before the first part with a wildcard."""
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

    def _bad(self, why: str) -> InvalidPattern:
        return InvalidPattern(f"The pattern {self._text!r} is not a glob: {why}.")

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
            raise self._bad(f"[{inside}] is not a range of characters") from error
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
