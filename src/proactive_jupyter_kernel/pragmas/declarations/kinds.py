"""What a kind of value is: it reads a value as typed, writes it back, describes and completes itself.

Pure. A kind refuses other values with `InvalidValue`, whose reason follows the parameter's name in the message:
"must be on or off, not 'maybe'". The kinds themselves stand in `values.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from proactive_jupyter_kernel.pragmas.grammar.parser import write_value
from proactive_jupyter_kernel.pragmas.grammar.syntax import Node, TextNode
from proactive_jupyter_kernel.pragmas.grammar.tokens import Span

__all__ = ["NOWHERE", "Formula", "InvalidValue", "Kind", "KnownNames", "Modelled", "shown", "text_node"]

#: Of a value that was not typed in a cell.
NOWHERE = Span(line=0, column=0, length=1, source="")


class InvalidValue(Exception):
    """A value is not of the kind that its parameter wants."""

    def __init__(self, reason: str, node: Node, *, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class KnownNames:
    """The names that completion may offer, as the notebook stands now."""

    tasks: Sequence[str] = ()
    variables: Sequence[str] = ()
    jobs: Sequence[str] = ()
    job_ids: Sequence[str] = ()
    pragmas: Sequence[str] = ()
    #: What the scheduler has: node sources, hosts, access tokens; asked for when they are first wanted.
    resources: Callable[[str], Sequence[str]] = field(default=lambda kind: ())
    #: The files and folders that complete a path as typed so far.
    files: Callable[[str], Sequence[str]] = field(default=lambda typed: ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A value written ``=expression``: the notebook's own Python gives it when the pragma runs."""

    text: str
    span: Span = field(compare=False, repr=False, default=NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """A variable's value and the model that it must fit, such as ``PA:INTEGER``."""

    value: str | Formula
    model: str
    #: Of the value.
    span: Span = field(compare=False, repr=False, default=NOWHERE)


def text_node(text: str, *, quoted: bool = False) -> TextNode:
    """A text as one would type it."""
    return TextNode(text=text, quoted=quoted, span=NOWHERE)


class Kind(ABC):
    """One kind of value. Instances are immutable and shared."""

    #: True: a value never appears in a message or a display.
    secret: ClassVar[bool] = False
    #: True: a value is a list, and one item alone is a list of one.
    many: ClassVar[bool] = False
    #: True: any text fits.
    free_text: ClassVar[bool] = False

    @property
    @abstractmethod
    def description(self) -> str:
        """A noun phrase that follows "must be"."""

    @abstractmethod
    def parse(self, node: Node) -> Any:
        """The value; `InvalidValue` if the node is not of this kind."""

    @abstractmethod
    def node(self, value: Any) -> Node:
        """The value as one would type it."""

    def unparse(self, value: Any) -> str:
        """The value as text that reads back as an equal value."""
        return write_value(self.node(value))

    def complete(self, known: KnownNames, typed: str) -> Sequence[str]:
        """What may stand here; the caller keeps those that fit what is typed."""
        return ()

    def claims(self, node: Node) -> bool:
        """Whether a value without a name is of this kind, if other kinds are possible."""
        return True

    def unfit(self, node: Node, *, hint: str = "") -> InvalidValue:
        """The refusal of this node."""
        found = "" if self.secret else f", not {shown(node)}"
        return InvalidValue(f"must be {self.description}{found}.", node, hint=hint)

    def text_of(self, node: Node) -> str:
        """The node's text; `InvalidValue` where brackets stand."""
        if not isinstance(node, TextNode):
            raise self.unfit(node, hint="Brackets that belong to the text are written inside quotes.")
        return node.text


def shown(node: Node) -> str:
    """A value as messages show it."""
    if isinstance(node, TextNode):
        return repr(node.text)
    return node.raw or "a list"
