"""The tokens of a JavaScript text, as far as they are needed to find assignments and the last statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Token", "closing", "last_expression", "tokens"]

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"
    r"|[A-Za-z_$][\w$]*|\d(?:[eE][-+]|[\w.])*|\.\d(?:[eE][-+]|\w)*"
    r"|===|!==|>>>=?|<<=|>>=|=>|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|.",
    re.DOTALL,
)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w*")
_OPEN, _CLOSE = "([{", ")]}"
#: A word after which a value follows.
_BEFORE_VALUE = frozenset(
    {"return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else"}
)
#: A word that begins a statement other than an expression.
_STATEMENTS = frozenset(
    {
        *("var", "let", "const", "function", "class", "if", "else", "for", "while", "do", "switch", "case", "default"),
        *("try", "catch", "finally", "return", "throw", "break", "continue", "with", "import", "export", "async", "{"),
    }
)
#: At the end or the beginning of a line these continue an expression.
_OPERATORS = re.compile(r"[-+*/%&|^<>=!?:,.]+$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a literal or a punctuator; blanks and comments are none."""

    text: str
    start: int
    #: Whether a line ends between the token before and this one.
    on_new_line: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha() or self.text[0] in "_$"


def tokens(code: str) -> list[Token]:
    """All tokens in order."""
    return list(_scan(code))


def _scan(code: str) -> Iterator[Token]:
    position, before, on_new_line = 0, "", False
    while position < len(code):
        if space := _SPACE.match(code, position):
            on_new_line |= "\n" in space.group()
            position = space.end()
            continue
        found = _REGEX.match(code, position) if code[position] == "/" and _expects_value(before) else None
        found = found or _TOKEN.match(code, position)
        assert found is not None
        yield Token(found.group(), position, on_new_line)
        position, before, on_new_line = found.end(), found.group(), False


def _expects_value(before: str) -> bool:
    """Whether a value follows: a slash begins a regular expression then."""
    return (
        not before
        or before in _BEFORE_VALUE
        or (before[-1] not in ")]}\"'`" and not before[-1].isalnum() and before[-1] not in "_$")
    )


def closing(found: list[Token], index: int) -> int:
    """The index of the bracket that closes the one at `index`; -1 where there is none."""
    depth = 0
    for place in range(index, len(found)):
        depth += (found[place].text in _OPEN) - (found[place].text in _CLOSE)
        if depth == 0:
            return place
    return -1


def last_expression(found: list[Token]) -> tuple[int, int] | None:
    """Where the script's last statement stands, if it certainly is an expression: its start and its end in the text."""
    starts, depth = [0], 0
    for index, token in enumerate(found):
        if token.text in _CLOSE:
            depth -= 1
        if depth < 0:
            return None
        if index and depth == 0 and _begins_statement(found[index - 1], token):
            starts.append(index)
        if token.text in _OPEN:
            depth += 1
    if depth:
        return None
    statements = [
        (a, b) for a, b in zip(starts, [*starts[1:], len(found)], strict=True) if found[a:b] and found[a].text != ";"
    ]
    if not statements:
        return None
    start, stop = statements[-1]
    while stop > start and found[stop - 1].text == ";":
        stop -= 1
    first, following = found[start], found[start + 1 : start + 2]
    is_label = first.is_word and bool(following) and following[0].text == ":"
    if stop == start or first.text in _STATEMENTS or is_label:
        return None
    return first.start, found[stop - 1].end


def _begins_statement(before: Token, token: Token) -> bool:
    """Whether a statement certainly begins with the token, which is in no bracket."""
    if before.text == ";":
        return True
    if not token.on_new_line or before.text in _BEFORE_VALUE or token.text in ("in", "instanceof"):
        return False
    if token.text in ("(", "[") or token.text.startswith("`"):
        return False  # it continues the expression before it, unless that is a block
    continues = _OPERATORS.match(token.text) is not None and token.text not in ("++", "--", "!")
    return not continues and (_OPERATORS.match(before.text) is None or before.text in ("++", "--"))
