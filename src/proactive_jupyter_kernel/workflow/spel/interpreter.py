"""Spring expressions: the grammar of Spring's ``InternalSpelExpressionParser``, compiled to functions.

An expression cannot access Python objects: every property, method and class is looked up in the tables of `methods` and
`types`. The precedence of operators is the table `operators.LEVELS`; what may start an operand and what may follow it
are the tables `_STARTS` and `_SUFFIXES` below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.workflow.java.deadlines import DeadlineExceeded
from proactive_jupyter_kernel.workflow.java.numbers import to_float
from proactive_jupyter_kernel.workflow.spel import nodes
from proactive_jupyter_kernel.workflow.spel.operators import LEVELS, PREFIXES
from proactive_jupyter_kernel.workflow.spel.tokens import OPERATOR_NAMES, Token, tokens_of
from proactive_jupyter_kernel.workflow.spel.types import known_type
from proactive_jupyter_kernel.workflow.spel.values import Evaluator, Long, Scope, SpelError, State

__all__ = ["Scope", "SpelError", "evaluate"]

#: Limits for an expression, far above those of real ones.
_MAX_DEPTH = 40
_MAX_LENGTH = 20_000

_RANKS = {operator: rank for rank, level in enumerate(LEVELS) for operator in level.operations}


def evaluate(expression: str, scope: Scope, *, started: Callable[[State], None] | None = None) -> Any:
    """Evaluate an expression; assignments change `scope`. Raises SpelError.

    `started` gets the state, which counts the steps.
    """
    if len(expression) > _MAX_LENGTH:
        raise SpelError(f"the expression has more than {_MAX_LENGTH:,} characters")
    if not expression.strip():
        raise SpelError("the expression is empty; write one such as #value == '1'")
    parser = _Parser(tokens_of(expression))
    run = parser.expression()
    parser.end()
    state = State(scope)
    if started is not None:
        started(state)
    try:
        return run(state)
    except SpelError:
        raise
    except DeadlineExceeded as error:
        raise SpelError(str(error)) from error
    except RecursionError as error:
        raise SpelError("the expression is nested too deep") from error
    except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise SpelError(f"the expression failed: {error}") from error


class _Parser:
    """One method for each rule; each returns an evaluator."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def accept(self, *operators: str) -> str:
        """Consume the next token if it is one of these operators; else empty."""
        if self.token.kind == "operator" and self.token.text in operators:
            return self.take().text
        return ""

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise self.unexpected(repr(operator))

    def unexpected(self, expected: str) -> SpelError:
        if self.token.kind == "end":
            return SpelError(f"{expected} expected at character {self.token.place}, where the expression ends")
        return SpelError(f"{expected} expected at character {self.token.place}, not {self.token.text!r}")

    def end(self) -> None:
        if self.token.kind == "end":
            return
        error = self.unexpected("the end of the expression")
        if self.token.text in ("?", "?:", "="):
            raise SpelError(f"{error}; put the assigned value in parentheses")
        raise error

    # --- operators ---

    def expression(self) -> Evaluator:
        """operation [= operation | ?: expression | ? expression : expression]"""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise SpelError("the expression is nested too deep")
        steps: list[tuple[Evaluator, Evaluator | None]] = []
        node = self.operation(0)
        while True:
            if self.accept("="):
                node = nodes.assignment(node, self.operation(0))
                break
            if self.accept("?:"):
                steps.append((node, None))
            elif self.accept("?"):
                yes = self.expression()
                self.expect(":")
                steps.append((node, yes))
            else:
                break
            node = self.operation(0)
        self.depth -= 1
        return nodes.conditional(steps, node) if steps else node

    def operation(self, lowest: int) -> Evaluator:
        """operand {operator operand}, with the operators of the levels from `lowest` on"""
        left = self.operand()
        highest = len(LEVELS)
        while lowest <= (rank := self.rank()) < highest:
            level = LEVELS[rank]
            chain = nodes.Chain(level, left)
            while self.rank() == rank:
                operator = self.take().text.lower()
                chain.add(operator, self.operation(rank + 1))
                if not level.chained:
                    break
            left, highest = chain, rank + level.chained
        return left

    def rank(self) -> int:
        """The level of the operator that comes next; -1: there is none."""
        token = self.token
        word = token.text.lower()
        is_operator = token.kind == "operator" or (token.kind == "name" and word in OPERATOR_NAMES)
        return _RANKS.get(word, -1) if is_operator else -1

    def operand(self) -> Evaluator:
        """{prefix} start {suffix}"""
        prefixes = []
        while operator := self.accept(*PREFIXES):
            prefixes.append(PREFIXES[operator])
            if len(prefixes) > _MAX_DEPTH:
                raise SpelError("the expression is nested too deep")
        if self.token.kind == "operator" and self.token.text in ("++", "--"):
            raise SpelError(f"{self.token.text!r} at character {self.token.place} is not supported: texts cannot count")
        start = self.start()
        steps: list[nodes.Step] = []
        while (step := self.suffix()) is not None:
            steps.append(step)
        node = nodes.Primary(start, steps) if steps else start
        return nodes.prefixed(prefixes, node) if prefixes else node

    # --- suffixes ---

    def suffix(self) -> nodes.Step | None:
        """[index] | (. or ?.) (name | name(arguments) | #name | selection | projection)"""
        if self.accept("["):
            return self.index_step()
        operator = self.accept(".", "?.")
        if not operator:
            return None
        safe = operator == "?."
        if self.token.kind == "select":
            return self.selection(safe)
        name = self.name()
        if self.accept("("):
            return nodes.Call(name, self.arguments(")"), safe)
        return nodes.Property(name, safe)

    def index_step(self) -> nodes.Step:
        """expression ] | name ]: in a map, a plain name is the key"""
        bare = self.token.text if self.token.kind == "name" and self.following.text == "]" else ""
        if bare:
            self.take()
            index = self.named(bare) if bare.lower() in _CONSTANTS or bare in nodes.ROOT_NAMES else nodes.Literal(bare)
        else:
            index = self.expression()
        self.expect("]")
        return nodes.Index(index, bare)

    def selection(self, safe: bool) -> nodes.Step:
        """?[condition] | ^[condition] | $[condition] | ![expression]"""
        opening = self.take().text
        inner = self.expression()
        self.expect("]")
        return nodes.Projection(inner, safe) if opening == "![" else nodes.Selection(inner, opening[0], safe)

    def name(self, expected: str = "a name") -> str:
        if self.token.kind != "name":
            raise self.unexpected(expected)
        return self.take().text

    def arguments(self, closing: str) -> list[Evaluator]:
        """[expression {, expression}] closing"""
        if self.accept(closing):
            return []
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        self.expect(closing)
        return found

    # --- starts ---

    def start(self) -> Evaluator:
        """literal | (expression) | #name | {list or map} | T(class) | new class(…) | name | name(arguments)"""
        token = self.token
        if token.kind in _LITERALS:
            return nodes.Literal(_LITERALS[self.take().kind](token.text))
        if token.kind == "select":
            return nodes.Primary(nodes.THIS, [self.selection(False)])
        if token.kind == "operator" and token.text in _STARTS:
            self.take()
            return _STARTS[token.text](self)
        return self.named(self.name("a value"))

    def parenthesis(self) -> Evaluator:
        inner = self.expression()
        self.expect(")")
        return nodes.Primary(inner, []) if isinstance(inner, nodes.Literal) else inner

    def variable(self) -> Evaluator:
        name = self.name()
        if self.accept("("):
            raise SpelError(f"the function #{name} is not known; there are only those of the root object")
        return nodes.Variable(name)

    def collection(self) -> Evaluator:
        """} | : } | item {, item} } | key : value {, key : value} }"""
        if self.accept("}"):
            return nodes.inline_list([])
        if self.accept(":"):
            self.expect("}")
            return nodes.inline_map([])
        first = self.item()
        if not self.accept(":"):
            found = [first]
            while self.accept(","):
                found.append(self.expression())
            self.expect("}")
            return nodes.inline_list(found)
        entries = [(first, self.expression())]
        while self.accept(","):
            key = self.item()
            self.expect(":")
            entries.append((key, self.expression()))
        self.expect("}")
        return nodes.inline_map(entries)

    def item(self) -> Evaluator:
        """expression; a plain name in front of a colon is a key of a map"""
        if self.token.kind == "name" and self.following.text == ":":
            return nodes.Literal(self.take().text)
        return self.expression()

    def bean(self) -> Evaluator:
        raise SpelError(f"a bean reference ('@' at character {self.tokens[self.index - 1].place}) is not available")

    def named(self, name: str) -> Evaluator:
        """A constant, ``T(class)``, ``new class(…)``, a property or a method of what ``#this`` is."""
        if name.lower() in _CONSTANTS and not self.is_call():
            return nodes.Literal(_CONSTANTS[name.lower()])
        if name == "new" and self.token.kind == "name":
            return self.construction()
        if not self.accept("("):
            return nodes.RootProperty(name)
        if name != "T":
            return nodes.RootCall(name, self.arguments(")"))
        kind = self.type_name()
        if self.accept("["):
            self.expect("]")
            kind += "[]"
        self.expect(")")
        return nodes.Literal(known_type(kind))

    def is_call(self) -> bool:
        return self.token.kind == "operator" and self.token.text == "("

    def type_name(self) -> str:
        """name {. name}"""
        kind = self.name()
        while self.accept("."):
            kind = f"{kind}.{self.name()}"
        return kind

    def construction(self) -> Evaluator:
        """class(arguments) | class[size] | class[]{items}"""
        kind = self.type_name()
        if self.accept("("):
            return nodes.construction(known_type(kind), self.arguments(")"))
        if not self.accept("["):
            raise self.unexpected("'(' or '['")
        size = None
        if not self.accept("]"):
            size = self.expression()
            self.expect("]")
        values = None
        if self.accept("{"):
            values = self.arguments("}")
        if size is None and values is None:
            raise self.unexpected("'{'")
        return nodes.array(kind, size, values)


_STARTS: Mapping[str, Callable[[_Parser], Evaluator]] = {
    "(": _Parser.parenthesis,
    "#": _Parser.variable,
    "{": _Parser.collection,
    "@": _Parser.bean,
    "&": _Parser.bean,
}
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


def _integer(token: str) -> int:
    """An Integer, or with the suffix L a Long; one that does not fit is refused before it is converted."""
    digits = token.rstrip("lL")
    bits = 32 if digits == token else 64
    base = 16 if digits[:2].lower() == "0x" else 10
    if len(digits.lstrip("0xX")) > 20 or not int(digits, base) < 1 << (bits - 1):
        hint = "; write L behind an integer of 64 bits" if bits == 32 and len(digits) < 20 else ""
        raise SpelError(f"{digits[:20]}{'…' if len(digits) > 20 else ''} is not an integer of {bits} bits{hint}")
    return Long(int(digits, base)) if bits == 64 else int(digits, base)


def _real(token: str) -> float:
    if len(token) > 1_000:
        raise SpelError("a number has more than 1,000 digits")
    value = float(token.rstrip("fFdD"))
    return to_float(value) if token[-1] in "fF" else value


_LITERALS: Mapping[str, Callable[[str], Any]] = {
    "string": lambda token: token[1:-1].replace(token[0] * 2, token[0]),
    "integer": _integer,
    "real": _real,
}
