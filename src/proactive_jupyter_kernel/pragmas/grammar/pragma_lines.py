"""Where the next pragma of a cell starts: recognized by the names of pragmas, never inside a string of the code. Pure.

Python's code is walked through token by token: a pragma is a comment that begins a line, outside of strings and of
brackets that are closed further down. Of other languages only what may hold whole lines is known: texts over several
lines, here-documents, block comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.grammar.dialect import LOCAL, Dialect, PragmaShape
from proactive_jupyter_kernel.pragmas.grammar.source import Source

__all__ = ["Found", "escaped", "next_pragma", "starts_pragma", "unescaped"]

_B = r"[ \t\u00a0]"
#: A line that may be a pragma.
_CALL = rf"(?P<indent>{_B}*)#(?P<before>{_B}*)(?P<sign>%%?)(?P<after>{_B}*)(?P<name>[^\W\d_]\w*)(?P<gap>{_B}*)"
_LINE = re.compile(f"^{_CALL}", re.MULTILINE)
_BEHIND = re.compile(_CALL)
#: The same without a dialect.
_ANY = re.compile(r"^(?P<indent>[ \t]*)#(?P<sign>%)(?P<name>[^\W\d_]\w*)", re.MULTILINE)
_ONE_WORD = re.compile(rf"\w+{_B}*(?:#|$)")
_ESCAPED = re.compile(r"^([ \t]*)\\(?=\\*#[ \t]*%)", re.MULTILINE)
_TO_ESCAPE = re.compile(r"^([ \t]*)(?=\\*#[ \t]*%)", re.MULTILINE)
_MAGIC_CALL = re.compile(r"%{1,2}(?P<name>[^\W\d_]\w*)[ \t]*\(")
#: What stands before a pragma that is the value of an assignment, or behind a prompt in the midst of a cell.
_ASSIGNED = re.compile(r"[ \t]*(?P<target>[^\W\d][\w.\[\]'\", ]*?)[ \t]*=[ \t]*")
_PROMPTED = re.compile(r"[ \t]*(?:>>>|In ?\[\d+\]:)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A pragma line."""

    #: Of the line.
    start: int
    #: Of the pragma itself, and of its name.
    sign: int
    name_start: int
    name_end: int
    #: None: it is called like a pragma, but no pragma has this name.
    shape: PragmaShape | None
    #: Where it must not stand: ``block``, ``magic``, ``assigned`` or ``prompted``; empty: it may.
    misplaced: str = ""
    #: The variable that it is assigned to.
    target: str = ""


def unescaped(code: str) -> str:
    """Code with ``#%`` for ``\\#%`` at the beginnings of lines."""
    return _ESCAPED.sub(r"\1", code)


def escaped(code: str) -> str:
    """Code of which no line is read as a pragma; `unescaped` undoes it."""
    return _TO_ESCAPE.sub(r"\1\\", code)


def starts_pragma(text: str, position: int, dialect: Dialect | None) -> bool:
    """Whether the line that starts here calls a pragma, with its bracket: such a line never continues another one."""
    match = (_LINE if dialect else _ANY).match(text, position)
    if match is None or text[match.end() : match.end() + 1] != "(":
        return False
    return dialect is None or match["name"].lower() in dialect.shapes


def next_pragma(source: Source, start: int, engine: str, dialect: Dialect | None) -> Found | None:
    """The first pragma line at or after `start`, where code in the language of `engine` starts."""
    text = source.text
    if dialect is None:
        match = _ANY.search(text, start)
        return _found(match, PragmaShape(name=match["name"])) if match else None
    if engine in _PYTHONS:
        return _in_python(source, start, dialect)
    hiding = _HIDING.get(engine)
    position = start
    for match in _lines(text, start, dialect):
        while hiding and (hidden := hiding.search(text, position)) and hidden.start() < match.start():
            position = hidden.end()
        if position <= match.start():
            return _found(match, dialect.shapes.get(match["name"].lower()))
    return None


def _lines(text: str, start: int, dialect: Dialect) -> Iterator[re.Match[str]]:
    return (match for match in _LINE.finditer(text, start) if _is_pragma(text, match, dialect))


def _is_pragma(text: str, match: re.Match[str], dialect: Dialect) -> bool:
    """Whether the line is for the pragmas: a known name that is called, or an unknown one that only looks so."""
    end = text.find("\n", match.end())
    rest = text[match.end() : len(text) if end < 0 else end]
    name = match["name"].lower()
    shape = dialect.shapes.get(name)
    glued = not match["after"]
    if shape is None:
        called = rest.startswith("(") and not match["gap"] and glued
        return called and name not in dialect.magics and _is_alone(rest)
    if rest.startswith("("):
        return glued or match["sign"] == "%"
    if name in dialect.magics:
        # A magic that somebody switched off.
        return False
    if match["sign"] == "%%":
        # The heading of a cell, as editors write it.
        return False
    if not rest.strip() or rest.startswith("#"):
        return True
    # A forgotten bracket: to take it for a comment would be to do nothing, silently.
    forgot = shape.next_argument is not None and shape.next_argument.search(rest) is not None
    return glued and not match["before"] and (forgot or _ONE_WORD.fullmatch(rest) is not None)


def _is_alone(rest: str) -> bool:
    """Whether nothing follows the closing bracket on the line, or the bracket stays open."""
    depth = 0
    for position, character in enumerate(rest):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            after = rest[position + 1 :].strip()
            return not after or after.startswith("#")
    return True


def _found(match: re.Match[str], shape: PragmaShape | None, misplaced: str = "") -> Found:
    return Found(
        start=match.start(),
        sign=match.end("indent"),
        name_start=match.start("name"),
        name_end=match.end("name"),
        shape=shape,
        misplaced=misplaced,
    )


# -- Python

_PYTHONS = frozenset({LOCAL, "python"})
_TOKEN = re.compile(
    r"""(?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\n)|(?P<joined>\\\n)|(?P<blank>[ \t\f]+)"
    r"|(?P<other>[^\s\"'#()\[\]{}\\]+|.)",
    re.DOTALL,
)


class _Python:
    """A walk over Python code, which knows in what it is."""

    def __init__(self, text: str, position: int) -> None:
        self.text, self.position = text, position
        self.depth = 0
        #: Of the logical line before, and of this one.
        self.indent = 0
        self.opens_block = False
        self._first: int | None = None
        self._last = ""

    def step(self) -> re.Match[str] | None:
        """Read one token; None at the end."""
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        kind = match.lastgroup
        if kind == "end":
            if self.depth == 0 and self._first is not None:
                self.indent, self.opens_block = self._first, self._last == ":"
                self._first = None
        elif kind not in ("comment", "blank", "joined"):
            if self._first is None:
                self._first = match.start() - (self.text.rfind("\n", 0, match.start()) + 1)
                if match.group().startswith(("%", "!")):
                    # A magic or a shell command: whatever is in it, it ends with its line.
                    end = self.text.find("\n", match.end())
                    self.position = len(self.text) if end < 0 else end
                    self._last = ""
                    return match
            self._last = match.group()[-1]
            self.depth += (kind == "open") - (kind == "close" and self.depth > 0)
        return match

    def closes(self) -> bool:
        """Whether all brackets that are open are closed further down; then the walk is there."""
        ahead = _Python(self.text, self.position)
        ahead.depth, ahead._first, ahead._last = self.depth, self._first, self._last
        ahead.indent, ahead.opens_block = self.indent, self.opens_block
        while ahead.depth:
            if ahead.step() is None:
                return False
        self.__dict__.update(ahead.__dict__)
        return True


def _in_python(source: Source, start: int, dialect: Dialect) -> Found | None:
    text = source.text
    if "%" not in text[start:]:
        return None
    walk = _Python(text, start)
    while token := walk.step():
        if token.lastgroup == "comment":
            line = text.rfind("\n", 0, token.start()) + 1
            match = _LINE.match(text, line)
            if match and match.end("indent") == token.start() and _is_pragma(text, match, dialect):
                if walk.depth and walk.closes():
                    continue
                inside = walk.opens_block or (walk.indent > 0 and match["indent"] != "")
                return _found(match, dialect.shapes.get(match["name"].lower()), "block" if inside else "")
            if walk.depth == 0 and (found := _behind(text, line, token.start(), dialect)):
                return found
        elif token.group().startswith("%") and walk.depth == 0:
            call = _MAGIC_CALL.match(text, token.start())
            line = text.rfind("\n", 0, token.start()) + 1
            shape = (
                dialect.shapes.get(call["name"].lower()) if call and not text[line : token.start()].strip() else None
            )
            if call and shape and shape.name not in dialect.magics:
                return Found(
                    start=line,
                    sign=call.start(),
                    name_start=call.start("name"),
                    name_end=call.end("name"),
                    shape=shape,
                    misplaced="magic",
                )
    return None


def _behind(text: str, line: int, comment: int, dialect: Dialect) -> Found | None:
    """A pragma behind the sign of an assignment, or behind a prompt: no comment that anybody meant."""
    before = text[line:comment]
    match = _BEHIND.match(text, comment)
    assigned, prompted = _ASSIGNED.fullmatch(before), _PROMPTED.fullmatch(before)
    if not match or not (assigned or prompted):
        return None
    shape = dialect.shapes.get(match["name"].lower())
    if shape is None or not _is_pragma(text, match, dialect):
        return None
    return Found(
        start=line,
        sign=comment,
        name_start=match.start("name"),
        name_end=match.end("name"),
        shape=shape,
        misplaced="assigned" if assigned else "prompted",
        target=assigned["target"] if assigned else "",
    )


# -- other languages

_HASH = r"(?:^|(?<=[\s;&|({]))\#[^\n]*"
_SLASHES = r"//[^\n]*|/\*.*?\*/"
_LONG = r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\""
_SHORT = r"'[^'\\\n]*(?:\\.[^'\\\n]*)*'|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\""
_TRIPLE = r"'''.*?'''|\"\"\".*?\"\"\""


def _here(sign: str, identifier: str = r"[A-Za-z_]\w*") -> str:
    """A here-document: from the line with its sign to the line that is its name."""
    return rf"{sign}(?P<quote>['\"]?)(?P<name>{identifier})(?P=quote)[^\n]*\n(?:[^\n]*\n)*?[ \t]*(?P=name)\b"


#: Engine -> what may hold lines that look like pragmas, and what must be passed over in order to tell.
_HIDING = {
    engine: re.compile(pattern, re.DOTALL | re.MULTILINE)
    for engine, pattern in {
        "bash": rf"\\.|{_HASH}|{_here('<<-?[ ]?')}|'[^']*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"",
        "javascript": rf"{_SLASHES}|{_SHORT}|`[^`\\]*(?:\\.[^`\\]*)*`",
        "groovy": rf"{_SLASHES}|{_TRIPLE}|\$/.*?/\$|{_SHORT}",
        "scalaw": rf"{_SLASHES}|\"\"\".*?\"\"\"|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'(?:\\.|[^'\\\n])'",
        "ruby": rf"{_HASH}|^=begin\b.*?^=end\b|{_here('<<[~-]?')}|{_LONG}",
        "perl": rf"\\.|{_HASH}|^=\w+.*?^=cut\b|{_here('<<~?')}|{_LONG}",
        "powershell": rf"<\#.*?\#>|{_HASH}|@'[ \t]*\n.*?\n'@|@\"[ \t]*\n.*?\n\"@|'[^']*'|\"[^\"`]*(?:`.[^\"`]*)*\"",
        "R": rf"{_HASH}|[rR]([\"'])(-*)\(.*?\)\2\1|{_LONG}",
    }.items()
}
