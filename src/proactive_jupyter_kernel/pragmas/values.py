"""The kinds of value that parameters take: each reads a value as typed, writes it back, describes and completes itself.

Pure. A kind answers a value that is not of its kind with `Unfit`, whose reason goes on after the parameter's name:
"must be on or off, not 'maybe'".
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.parser import write_value
from proactive_jupyter_kernel.pragmas.syntax import Items, Node, Rows, Text
from proactive_jupyter_kernel.pragmas.tokens import Place
from proactive_jupyter_kernel.workflow.languages import LANGUAGES, Language, by_pragma_name

__all__ = [
    "Choice",
    "Duration",
    "Expression",
    "FilePath",
    "Formula",
    "Integer",
    "Kind",
    "Known",
    "LanguageName",
    "Names",
    "Pairs",
    "Password",
    "Plain",
    "PythonName",
    "Switch",
    "Unfit",
    "XmlName",
    "is_xml_name",
]

NOWHERE = Place(line=0, column=0, length=1, source="")


class Unfit(Exception):
    """A value is not of the kind that its parameter wants."""

    def __init__(self, reason: str, node: Node, *, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class Known:
    """The names that completion may offer, as the notebook stands now."""

    tasks: Sequence[str] = ()
    variables: Sequence[str] = ()
    jobs: Sequence[str] = ()
    job_ids: Sequence[str] = ()
    pragmas: Sequence[str] = ()
    #: The files and folders that complete a path as typed so far.
    files: Callable[[str], Sequence[str]] = field(default=lambda typed: ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A value written ``=expression``: the notebook's own Python gives it when the pragma runs."""

    text: str
    place: Place = field(compare=False, repr=False, default=NOWHERE)


def _text(text: str, *, quoted: bool = False) -> Text:
    return Text(text=text, quoted=quoted, place=NOWHERE)


class Kind(ABC):
    """One kind of value. Instances are immutable and shared."""

    #: True: a value never appears in a message or a display.
    secret: ClassVar[bool] = False

    @property
    @abstractmethod
    def description(self) -> str:
        """A noun phrase that goes on after "must be"."""

    @abstractmethod
    def parse(self, node: Node) -> Any:
        """The value; `Unfit` if the node is not of this kind."""

    @abstractmethod
    def node(self, value: Any) -> Node:
        """The value as one would type it."""

    def unparse(self, value: Any) -> str:
        """The value as text that reads back as an equal value."""
        return write_value(self.node(value))

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        """What may stand here; the caller keeps those that fit what is typed."""
        return ()

    def unfit(self, node: Node, *, hint: str = "") -> Unfit:
        """The refusal of this node."""
        shown = "" if self.secret else f", not {_shown(node)}"
        return Unfit(f"must be {self.description}{shown}.", node, hint=hint)

    def text_of(self, node: Node) -> str:
        """The node's text; `Unfit` where brackets stand."""
        if not isinstance(node, Text):
            raise self.unfit(node, hint="Brackets that belong to the text are written inside quotes.")
        return node.text


def _shown(node: Node) -> str:
    if isinstance(node, Text):
        return repr(node.text)
    return node.raw or "a list"


@dataclass(frozen=True)
class Plain(Kind):
    """Any text."""

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

    def node(self, value: str) -> Node:
        return _text(value)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        offered: Sequence[str] = getattr(known, self.offers) if self.offers else ()
        return offered


@dataclass(frozen=True)
class Password(Kind):
    """Text that nobody shall see; the value is a `Secret`."""

    secret: ClassVar[bool] = True

    @property
    def description(self) -> str:
        return "a text, kept secret"

    def parse(self, node: Node) -> Secret:
        return Secret(self.text_of(node))

    def node(self, value: Secret) -> Node:
        return _text(str(value))


@dataclass(frozen=True)
class FilePath(Plain):
    """A path, relative to the notebook's folder unless absolute."""

    noun: str = "a path"

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return known.files(typed)


def is_xml_name(text: str) -> bool:
    """Whether the schema of workflows accepts the text as a name (NCName of XML 1.0)."""

    def fits(character: str, first: bool) -> bool:
        if character == "_" or (character in "-." and not first):
            return True
        category = unicodedata.category(character)
        if unicodedata.decomposition(character).startswith("<"):
            return False
        return category in ("Ll", "Lu", "Lo", "Lt", "Nl") or (not first and category in ("Lm", "Nd", "Mn", "Mc"))

    return bool(text) and all(fits(character, not index) for index, character in enumerate(text))


@dataclass(frozen=True)
class XmlName(Kind):
    """A name of a task, a variable or a piece of generic information."""

    noun: str
    offers: str = ""

    @property
    def description(self) -> str:
        return f"{self.noun}: letters, digits, '_', '-' and '.', a letter or '_' first"

    def parse(self, node: Node) -> str:
        text = self.text_of(node)
        if not is_xml_name(text):
            raise self.unfit(node)
        return text

    def node(self, value: str) -> Node:
        return _text(value)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        offered: Sequence[str] = getattr(known, self.offers) if self.offers else ()
        return offered


@dataclass(frozen=True)
class Names(Kind):
    """A list of names, or one name alone."""

    item: XmlName
    noun: str

    @property
    def description(self) -> str:
        return f"{self.noun}, such as [a, b]"

    def parse(self, node: Node) -> tuple[str, ...]:
        if isinstance(node, Rows):
            raise self.unfit(node)
        items = node.items if isinstance(node, Items) else (node,)
        names = [self.item.parse(item) for item in items]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise Unfit(f"names {name!r} twice.", items[index])
        return tuple(names)

    def node(self, value: tuple[str, ...]) -> Node:
        return Items(items=tuple(map(_text, value)), place=NOWHERE)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return self.item.complete(known, typed)


@dataclass(frozen=True)
class Pairs(Kind):
    """Names and their values; a bare value that starts with ``=`` is a formula."""

    key: XmlName
    formulas: bool = True

    @property
    def description(self) -> str:
        return "pairs, such as [(name, value), (name, value)] or {name: value}"

    def parse(self, node: Node) -> Mapping[str, str | Formula]:
        pairs: dict[str, str | Formula] = {}
        for key, value in self._rows(node):
            name = self.key.parse(key)
            if name in pairs:
                raise Unfit(f"gives {name!r} twice.", key)
            pairs[name] = self._value(value)
        return pairs

    def _rows(self, node: Node) -> Sequence[tuple[Node, Node]]:
        if isinstance(node, Rows):
            return node.rows
        if not isinstance(node, Items):
            raise self.unfit(node)
        items = node.items
        if node.bracket == "(" and len(items) == 2 and all(isinstance(item, Text) for item in items):
            return [(items[0], items[1])]
        rows = []
        for item in items:
            if not isinstance(item, Items) or len(item.items) != 2:
                raise self.unfit(item)
            rows.append((item.items[0], item.items[1]))
        return rows

    def _value(self, node: Node) -> str | Formula:
        if not isinstance(node, Text):
            raise Unfit(f"takes texts as values, not {_shown(node)}.", node, hint="Write it in quotes.")
        if self.formulas and not node.quoted and node.text.startswith("="):
            return Formula(text=node.text[1:].strip(), place=node.place)
        return node.text

    def node(self, value: Mapping[str, str | Formula]) -> Node:
        def written(item: str | Formula) -> Text:
            if isinstance(item, Formula):
                return _text("=" + item.text)
            return _text(item, quoted=item.startswith("="))

        pairs = (Items(items=(_text(k), written(v)), bracket="(", place=NOWHERE) for k, v in value.items())
        return Items(items=tuple(pairs), place=NOWHERE)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return self.key.complete(known, typed)


@dataclass(frozen=True)
class Switch(Kind):
    """On or off."""

    WORDS: ClassVar[Mapping[str, bool]] = {
        "on": True,
        "off": False,
        "true": True,
        "false": False,
        "yes": True,
        "no": False,
    }

    @property
    def description(self) -> str:
        return "on or off"

    def parse(self, node: Node) -> bool:
        found = self.WORDS.get(self.text_of(node).strip().lower())
        if found is None:
            raise self.unfit(node)
        return found

    def node(self, value: bool) -> Node:
        return _text("on" if value else "off")

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return ("on", "off")


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number."""

    minimum: int
    maximum: int | None = None
    offers: str = ""

    @property
    def description(self) -> str:
        if self.maximum is not None:
            return f"a whole number from {self.minimum} to {self.maximum}"
        return f"a whole number of at least {self.minimum}"

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
        return _text(str(value))

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        offered: Sequence[str] = getattr(known, self.offers) if self.offers else ()
        return offered


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
        return _text(f"{value:.6f}".rstrip("0") if value != int(value) else str(int(value)))


@dataclass(frozen=True)
class Choice(Kind):
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

    def node(self, value: str) -> Node:
        return _text(value)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
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
        return _text(value.name)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return [language.name for language in LANGUAGES if language.in_pragmas]


@dataclass(frozen=True)
class Expression(Kind):
    """Integers, variables and arithmetic."""

    @property
    def description(self) -> str:
        return "a number, or an expression of whole numbers and variables"

    def parse(self, node: Node) -> str:
        text = (node.text if isinstance(node, Text) else node.raw).strip()
        if not re.fullmatch(r"[\w.+\-*/%() ]+", text) or text.count("(") != text.count(")"):
            raise self.unfit(node)
        return text

    def node(self, value: str) -> Node:
        return _text(value)

    def complete(self, known: Known, typed: str) -> Sequence[str]:
        return known.variables


@dataclass(frozen=True)
class PythonName(Kind):
    """The name of a variable of the notebook."""

    @property
    def description(self) -> str:
        return "the name of a Python variable"

    def parse(self, node: Node) -> str:
        text = self.text_of(node).strip()
        if not text.isidentifier() or keyword.iskeyword(text):
            raise self.unfit(node)
        return text

    def node(self, value: str) -> Node:
        return _text(value)
