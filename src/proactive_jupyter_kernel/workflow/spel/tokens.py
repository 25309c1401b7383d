"""The tokens of Spring expressions (``Tokenizer`` of Spring), each with its position."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.spel.operators import WORDS
from proactive_jupyter_kernel.workflow.spel.values import SpelError

__all__ = ["OPERATOR_NAMES", "Token", "tokens_of"]

_TOKENS = re.compile(
    r"""(?P<blank>\s+)
      | (?P<real>\d+\.\d+(?:[eE][+-]?\d+)?[fFdD]?|\d+[eE][+-]?\d+[fFdD]?|\d+[fFdD])
      | (?P<integer>0[xX][0-9a-fA-F]+[lL]?|\d+[lL]?)
      | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<select>\?\[|!\[|\^\[|\$\[)
      | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
      | (?P<operator>\?\.|\?:|==|!=|<=|>=|&&|\|\||\+\+|--|[-+*/%^<>!?:=.,()\[\]{}\#@&])
    """,
    re.VERBOSE | re.ASCII,
)
#: These words are operators between two operands, and names elsewhere (``#value.matches('x')``).
OPERATOR_NAMES = frozenset(("and", "or", "matches", "between", "instanceof"))


@dataclass(frozen=True, slots=True)
class Token:
    """A token; operators have the spelling of `operators.LEVELS`."""

    kind: str
    text: str
    #: The number of its first character, from 1.
    place: int


def tokens_of(expression: str) -> list[Token]:
    """The tokens, with one of the kind ``end`` at the end. Raises SpelError."""
    tokens = []
    position = 0
    while position < len(expression):
        match = _TOKENS.match(expression, position)
        if match is None or match.lastgroup is None:
            if expression[position] in "'\"":
                raise SpelError(f"the text that starts at character {position + 1} of the expression is not closed")
            raise SpelError(f"unexpected {expression[position]!r} at character {position + 1} of the expression")
        kind, found = match.lastgroup, match.group()
        if kind == "name" and found.lower() in WORDS and found.lower() not in OPERATOR_NAMES:
            kind = "operator"
        if kind == "operator":
            found = WORDS.get(found.lower(), found)
        if kind != "blank":
            tokens.append(Token(kind, found, position + 1))
        position = match.end()
    tokens.append(Token("end", "the end", len(expression) + 1))
    return tokens
