"""The kinds of value that parameters take: texts, names, lists, pairs, switches, numbers, languages. Pure."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from proactive_jupyter_kernel.client.config import SWITCH_WORDS
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.declarations.kinds import (
    NOWHERE,
    Formula,
    InvalidValue,
    Kind,
    KnownNames,
    Modelled,
    shown,
    text_node,
)
from proactive_jupyter_kernel.pragmas.grammar.syntax import ListNode, MapNode, Node, TextNode
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, Language, by_pragma_name
from proactive_jupyter_kernel.workflow.names import ncname_problem

__all__ = [
    "Choice",
    "Duration",
    "Expression",
    "Extent",
    "FilePath",
    "Integer",
    "LanguageName",
    "Names",
    "Pairs",
    "Password",
    "Plain",
    "PythonName",
    "Switch",
    "SwitchOrFile",
    "XmlName",
]


class TextKind(Kind):
    """A kind whose values are texts, written as they are."""

    def node(self, value: str) -> Node:
        return text_node(value)


def _offered(known: KnownNames, offers: str) -> Sequence[str]:
    """The known names that a kind offers for completion, by the attribute of `KnownNames`; empty: none."""
    offered: Sequence[str] = getattr(known, offers) if offers else ()
    return offered


@dataclass(frozen=True)
class Plain(TextKind):
    """Any text."""

    free_text: ClassVar[bool] = True
    noun: str = "a text"
    minimum: int = 1
    offers: str = ""

    @property
    def description(self) -> str:
        return self.noun

    def parse(self, node: Node) -> str:
        text = self.text_of(node)
        if len(text) < self.minimum:
            raise self.unfit(node)
        return text

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return _offered(known, self.offers)


@dataclass(frozen=True)
class ResourceName(Plain):
    """The name of something that the scheduler has: a ``node_source``, a ``host`` or a ``token``."""

    resource: str = ""

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return known.resources(self.resource)


@dataclass(frozen=True)
class Password(Kind):
    """Text that is never displayed; the value is a `Secret`."""

    secret: ClassVar[bool] = True

    @property
    def description(self) -> str:
        return "a text, kept secret"

    def parse(self, node: Node) -> Secret:
        return Secret(self.text_of(node))

    def node(self, value: Secret) -> Node:
        return text_node(str(value))


@dataclass(frozen=True)
class FilePath(Plain):
    """A path, relative to the notebook's folder unless absolute."""

    noun: str = "a path"

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return known.files(typed)


@dataclass(frozen=True)
class XmlName(TextKind):
    """A name of a task, a variable or a piece of generic information."""

    noun: str
    offers: str = ""

    @property
    def description(self) -> str:
        return f"{self.noun}: letters, digits, '_', '-' and '.', a letter or '_' first"

    def parse(self, node: Node) -> str:
        text = self.text_of(node)
        if problem := ncname_problem(text):
            raise InvalidValue(f"must be {self.noun}, and {text!r} {problem}.", node)
        return text

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return _offered(known, self.offers)


@dataclass(frozen=True)
class Names(Kind):
    """A list of names, or one name alone."""

    many: ClassVar[bool] = True
    item: XmlName
    noun: str

    @property
    def description(self) -> str:
        return f"{self.noun}, such as [a, b]"

    def parse(self, node: Node) -> tuple[str, ...]:
        if isinstance(node, MapNode):
            raise self.unfit(node)
        items = node.items if isinstance(node, ListNode) else (node,)
        names = [self.item.parse(item) for item in items]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise InvalidValue(f"names {name!r} twice.", items[index])
        return tuple(names)

    def node(self, value: tuple[str, ...]) -> Node:
        return ListNode(items=tuple(map(text_node, value)), span=NOWHERE)

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return self.item.complete(known, typed)


@dataclass(frozen=True)
class Pairs(Kind):
    """Names and their values; a bare value that starts with ``=`` is a formula."""

    many: ClassVar[bool] = False
    key: XmlName
    formulas: bool = True

    @property
    def description(self) -> str:
        return "pairs, such as [(name, value), (name, value)] or {name: value}"

    def parse(self, node: Node) -> Mapping[str, str | Formula | Modelled]:
        pairs: dict[str, str | Formula | Modelled] = {}
        for key, value in self._rows(node):
            name = self.key.parse(key)
            if name in pairs:
                raise InvalidValue(f"gives {name!r} twice.", key)
            pairs[name] = self._value(value)
        return pairs

    def _rows(self, node: Node) -> Sequence[tuple[Node, Node]]:
        if isinstance(node, MapNode):
            return node.rows
        if not isinstance(node, ListNode):
            raise self.unfit(node)
        items = node.items
        if node.bracket == "(" and len(items) == 2 and all(isinstance(item, TextNode) for item in items):
            return [(items[0], items[1])]
        rows = []
        for item in items:
            if not isinstance(item, ListNode) or len(item.items) != 2:
                raise self.unfit(item, hint=_pair_hint(item))
            rows.append((item.items[0], item.items[1]))
        return rows

    def _value(self, node: Node) -> str | Formula:
        """A key's value: a text, or an expression."""
        if not isinstance(node, TextNode):
            raise InvalidValue(f"takes texts as values, not {shown(node)}.", node, hint="Write it in quotes.")
        if self.formulas and not node.quoted and node.text.startswith("="):
            return Formula(text=node.text[1:].strip(), span=node.span)
        return node.text

    def node(self, value: Mapping[str, str | Formula]) -> Node:
        def written(item: str | Formula) -> TextNode:
            if isinstance(item, Formula):
                return text_node("=" + item.text)
            return text_node(item, quoted=item.startswith("="))

        pairs = (ListNode(items=(text_node(k), written(v)), bracket="(", span=NOWHERE) for k, v in value.items())
        return ListNode(items=tuple(pairs), span=NOWHERE)

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return self.key.complete(known, typed)


def _pair_hint(node: Node) -> str:
    """What to write where ``name=value`` or ``name: value`` stands in place of a pair."""
    inner = node.items[0] if isinstance(node, ListNode) and len(node.items) == 1 else node
    if not isinstance(inner, TextNode):
        return ""
    name, sign, value = re.match(r"\s*([\w.-]*)\s*([=:]?)(.*)", inner.text, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"Write ({name}, {value.strip()})." if name and sign and value.strip() else ""


@dataclass(frozen=True)
class Switch(Kind):
    """On or off."""

    @property
    def description(self) -> str:
        return "on or off"

    def parse(self, node: Node) -> bool:
        found = SWITCH_WORDS.get(self.text_of(node).strip().lower())
        if found is None:
            raise self.unfit(node)
        return found

    def node(self, value: bool) -> Node:
        return text_node("on" if value else "off")

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return ("on", "off")


@dataclass(frozen=True)
class SwitchOrFile(Kind):
    """On, off, or a file in place of on; the value of the last is its path as text."""

    noun: str

    @property
    def description(self) -> str:
        return f"on, off or {self.noun}"

    def parse(self, node: Node) -> bool | str:
        text = self.text_of(node).strip()
        found = SWITCH_WORDS.get(text.lower())
        if found is not None:
            return found
        if not text or "://" in text:
            raise self.unfit(node)
        return text

    def node(self, value: bool | str) -> Node:
        return text_node(value if isinstance(value, str) else "on" if value else "off")

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return ("on", "off", *known.files(typed))


@dataclass(frozen=True)
class Integer(Kind):
    """An integer."""

    minimum: int
    maximum: int | None = None
    offers: str = ""

    @property
    def description(self) -> str:
        if self.maximum is not None:
            return f"an integer from {self.minimum} to {self.maximum}"
        return f"an integer of at least {self.minimum}"

    def parse(self, node: Node) -> int:
        text = self.text_of(node).strip()
        # Longer numbers mean nothing here, and Python refuses to convert the longest.
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise self.unfit(node)
        number = int(text)
        if number < self.minimum or (self.maximum is not None and number > self.maximum):
            raise self.unfit(node)
        return number

    def node(self, value: int) -> Node:
        return text_node(str(value))

    def claims(self, node: Node) -> bool:
        return isinstance(node, TextNode) and re.fullmatch(r"\s*[+-]?[0-9]+\s*", node.text) is not None

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return _offered(known, self.offers)


@dataclass(frozen=True)
class Extent(TextKind):
    """A width or a height: pixels, or a part of what there is; the value is text as HTML has it."""

    @property
    def description(self) -> str:
        return "a number of pixels or a percentage"

    def parse(self, node: Node) -> str:
        found = re.fullmatch(r"([0-9]{1,5}) *(px|%)?", self.text_of(node).strip(), re.IGNORECASE)
        if found is None or not 1 <= int(found[1]) <= (100 if found[2] == "%" else 20_000):
            raise self.unfit(node)
        return f"{int(found[1])}%" if found[2] == "%" else str(int(found[1]))


@dataclass(frozen=True)
class Duration(Kind):
    """A time span: seconds, ``MM:SS`` or ``HH:MM:SS``; the value counts seconds."""

    #: Also parts of a second, and none at all; for waiting.
    fine: bool = False

    @property
    def description(self) -> str:
        return "a time: seconds, MM:SS or HH:MM:SS" + ("" if self.fine else ", longer than 0")

    def parse(self, node: Node) -> float:
        text = self.text_of(node).strip()
        if self.fine and re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,6}", text):
            return float(text)
        if not re.fullmatch(r"[0-9]{1,9}(:[0-5][0-9]){0,2}", text):
            raise self.unfit(node)
        seconds = 0
        for part in text.split(":"):
            seconds = seconds * 60 + int(part)
        if not seconds and not self.fine:
            raise self.unfit(node)
        return seconds

    def node(self, value: float) -> Node:
        return text_node(f"{value:.6f}".rstrip("0") if value != int(value) else str(int(value)))


@dataclass(frozen=True)
class Choice(TextKind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def description(self) -> str:
        return " or ".join((", ".join(self.words[:-1]), self.words[-1]))

    def parse(self, node: Node) -> str:
        text = self.text_of(node).strip().lower()
        if text not in self.words:
            raise self.unfit(node, hint=did_you_mean(text, self.words) if len(self.words) > 2 else "")
        return text

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return self.words


@dataclass(frozen=True)
class LanguageName(Kind):
    """A script language, by any of its names."""

    @property
    def description(self) -> str:
        return "a script language"

    def parse(self, node: Node) -> Language:
        text = self.text_of(node).strip()
        language = by_pragma_name(text)
        if language is None:
            offered = [language for language in LANGUAGES if language.in_pragmas]
            near = did_you_mean(text, [word for one in offered for word in (one.name, *one.aliases)])
            listed = ", ".join(one.name for one in offered)
            raise self.unfit(node, hint=f"{near} The languages: {listed}.".strip())
        return language

    def node(self, value: Language) -> Node:
        return text_node(value.name)

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return [language.name for language in LANGUAGES if language.in_pragmas]


@dataclass(frozen=True)
class Expression(TextKind):
    """Integers, variables and arithmetic."""

    @property
    def description(self) -> str:
        return "a number, or an expression of integers and variables"

    def parse(self, node: Node) -> str:
        text = (node.text if isinstance(node, TextNode) else node.raw).strip()
        if not re.fullmatch(r"[\w.+\-*/%() ]+", text) or re.search(r"\*\*|//|/\*", text):
            raise self.unfit(node)
        # A number alone tells at once that it cannot be a number of runs.
        if not _is_arithmetic(text) or re.fullmatch(r"-\s*\d+", text):
            raise self.unfit(node)
        return text

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        return known.variables


def _is_arithmetic(text: str) -> bool:
    """Whether a text is an expression of integers and names; names may hold dots."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    parts = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Attribute, ast.expr_context)
    return all(
        type(node.value) is int if isinstance(node, ast.Constant) else isinstance(node, parts)
        for node in ast.walk(tree.body)
    )


@dataclass(frozen=True)
class PythonName(TextKind):
    """The name of a variable of the notebook."""

    @property
    def description(self) -> str:
        return "the name of a Python variable"

    def parse(self, node: Node) -> str:
        text = self.text_of(node).strip()
        if not text.isidentifier() or keyword.iskeyword(text):
            raise self.unfit(node)
        return text
