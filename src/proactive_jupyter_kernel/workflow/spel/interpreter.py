"""A sandboxed interpreter for the part of Spring expressions (SpEL) that variable models use.

Literals, ``#value``, ``variables['X']``, ``models['X']``, ``valid``, comparison, logic, arithmetic, ``?:``,
``matches``, methods of texts, lists and maps, a few static methods of ``T(Integer)`` and the like, assignments. An
expression cannot access Python objects: every method and every class is looked up in the tables of `spel.names`, and
any other name is refused. Precedence follows Spring's grammar (``InternalSpelExpressionParser``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.workflow.spel import names, values
from proactive_jupyter_kernel.workflow.spel.values import Evaluator, Scope, SpelError

__all__ = ["Scope", "SpelError", "evaluate"]

#: Limits for an expression, far above those of real ones.
_MAX_DEPTH = 40
_MAX_LENGTH = 20_000

_TOKENS = re.compile(
    r"""(?P<blank>\s+)
      | (?P<real>\d+\.\d+(?:[eE][+-]?\d+)?[fFdD]?|\d+[eE][+-]?\d+[fFdD]?|\d+[fFdD])
      | (?P<integer>0[xX][0-9a-fA-F]+[lL]?|\d+[lL]?)
      | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
      | (?P<operator>\?\.|\?:|==|!=|<=|>=|&&|\|\||[-+*/%^<>!?:=.,()\[\]{}\#])
    """,
    re.VERBOSE,
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_WORDS |= {"div": "/", "mod": "%"}
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


def evaluate(expression: str, scope: Scope) -> Any:
    """Evaluate an expression; assignments change `scope`. Raises SpelError."""
    if len(expression) > _MAX_LENGTH:
        raise SpelError(f"the expression has more than {_MAX_LENGTH:,} characters")
    parser = _Parser(_tokens(expression))
    run = parser.expression()
    parser.end()
    try:
        return run(scope)
    except SpelError:
        raise
    except (ArithmeticError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise SpelError(f"the expression failed: {error}") from error


# --- reading ---


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def _tokens(expression: str) -> list[_Token]:
    tokens = []
    position = 0
    while position < len(expression):
        match = _TOKENS.match(expression, position)
        if match is None or match.lastgroup is None:
            raise SpelError(f"unexpected {expression[position]!r} at character {position + 1} of the expression")
        kind, found = match.lastgroup, match.group()
        if kind == "name" and found.lower() in _WORDS:
            kind, found = "operator", _WORDS[found.lower()]
        if kind != "blank":
            tokens.append(_Token(kind, found, position + 1))
        position = match.end()
    tokens.append(_Token("end", "the end", len(expression) + 1))
    return tokens


class _Parser:
    """One method for each rule; each returns an evaluator."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def accept(self, *operators: str) -> str:
        """Consume the next token if it is one of these operators; else empty."""
        if self.token.kind == "operator" and self.token.text in operators:
            self.index += 1
            return self.tokens[self.index - 1].text
        return ""

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise self.unexpected(repr(operator))

    def unexpected(self, expected: str) -> SpelError:
        return SpelError(f"{expected} expected at character {self.token.place}, not {self.token.text!r}")

    def end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected("the end of the expression")

    def expression(self) -> Evaluator:
        """or [= expression | ?: expression | ? expression : expression]"""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise SpelError("the expression is nested too deep")
        left = self.disjunction()
        if self.accept("="):
            left = values.assignment(left, self.expression())
        elif self.accept("?:"):
            left = values.elvis(left, self.expression())
        elif self.accept("?"):
            yes = self.expression()
            self.expect(":")
            left = values.choice(left, yes, self.expression())
        self.depth -= 1
        return left

    def disjunction(self) -> Evaluator:
        """conjunction {or conjunction}"""
        left = self.conjunction()
        while self.accept("||"):
            left = values.logic(left, self.conjunction(), True)
        return left

    def conjunction(self) -> Evaluator:
        """relation {and relation}"""
        left = self.relation()
        while self.accept("&&"):
            left = values.logic(left, self.relation(), False)
        return left

    def relation(self) -> Evaluator:
        """sum [comparison sum]"""
        left = self.sum()
        if self.token.kind == "name" and self.token.text in ("matches", "between", "instanceof"):
            word = self.token.text
            self.index += 1
            if word == "instanceof":
                raise SpelError("'instanceof' is not supported here")
            return values.binary(left, self.sum(), values.matches if word == "matches" else values.between)
        operator = self.accept(*_COMPARISONS)
        return values.binary(left, self.sum(), values.COMPARE[operator]) if operator else left

    def sum(self) -> Evaluator:
        """product {+ - product}"""
        left = self.product()
        while operator := self.accept("+", "-"):
            left = values.binary(left, self.product(), values.ARITHMETIC[operator])
        return left

    def product(self) -> Evaluator:
        """power {* / % power}"""
        left = self.power()
        while operator := self.accept("*", "/", "%"):
            left = values.binary(left, self.power(), values.ARITHMETIC[operator])
        return left

    def power(self) -> Evaluator:
        """unary [^ unary]"""
        left = self.unary()
        return values.binary(left, self.unary(), values.power) if self.accept("^") else left

    def unary(self) -> Evaluator:
        """[+ - !] unary | primary"""
        operator = self.accept("+", "-", "!")
        if not operator:
            return self.primary()
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise SpelError("the expression is nested too deep")
        operand = self.unary()
        self.depth -= 1
        return values.UNARY[operator](operand)

    def primary(self) -> Evaluator:
        """start {.name | .name(arguments) | [index]}"""
        found = self.start()
        while True:
            if self.accept("["):
                found = names.item(found, self.expression())
                self.expect("]")
            elif operator := self.accept(".", "?."):
                found = self.member(found, operator == "?.")
            else:
                return found

    def member(self, owner: Evaluator, safe: bool) -> Evaluator:
        name = self.name()
        if not self.accept("("):
            return names.item(owner, lambda scope: name)
        return names.call(owner, name, self.arguments(")"), safe)

    def name(self) -> str:
        if self.token.kind != "name":
            raise self.unexpected("a name")
        self.index += 1
        return self.tokens[self.index - 1].text

    def arguments(self, closing: str) -> list[Evaluator]:
        """[expression {, expression}] closing"""
        if self.accept(closing):
            return []
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        self.expect(closing)
        return found

    def start(self) -> Evaluator:
        """literal | (expression) | #name | {list} | T(class) | name | name(arguments)"""
        token = self.token
        if token.kind in _LITERALS:
            self.index += 1
            value = _LITERALS[token.kind](token.text)
            return lambda scope: value
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.accept("#"):
            return names.variable(self.name())
        if self.accept("{"):
            items = self.arguments("}")
            return lambda scope: [item(scope) for item in items]
        return self.named(self.name())

    def named(self, name: str) -> Evaluator:
        if name.lower() in _CONSTANTS:
            constant = _CONSTANTS[name.lower()]
            return lambda scope: constant
        if not self.accept("("):
            return names.root_property(name)
        if name != "T":
            return names.function(name, self.arguments(")"))
        kind = self.name()
        while self.accept("."):
            kind = f"{kind}.{self.name()}"
        self.expect(")")
        self.expect(".")
        method = self.name()
        if not self.accept("("):
            return names.static(kind, method, None)
        return names.static(kind, method, self.arguments(")"))


_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
_LITERALS: Mapping[str, Callable[[str], Any]] = {
    "string": lambda token: token[1:-1].replace(token[0] * 2, token[0]),
    "integer": lambda token: int(token.rstrip("lL"), 0 if token[:2].lower() == "0x" else 10),
    "real": lambda token: float(token.rstrip("fFdD")),
}
