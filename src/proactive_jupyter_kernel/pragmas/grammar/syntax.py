"""The tree of a cell: local code, calls, arguments and values as typed, with their spans. Records only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.grammar.source import Source, Span

__all__ = [
    "Argument",
    "Call",
    "Cell",
    "ListNode",
    "LocalCode",
    "MapNode",
    "Node",
    "ParsedPragma",
    "Segment",
    "Slot",
    "TextNode",
    "Tree",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNode:
    """A text, bare or in quotes."""

    text: str
    #: In quotes as typed: such a text is never a formula.
    quoted: bool = field(default=False, compare=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode:
    """Values in square or round brackets."""

    items: tuple[Node, ...]
    #: ``[`` or ``(``.
    bracket: str = "["
    #: As typed, brackets included.
    raw: str = field(default="", compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode:
    """``{key: value, …}``."""

    rows: tuple[tuple[TextNode, Node], ...]
    raw: str = field(default="", compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


Node: TypeAlias = TextNode | ListNode | MapNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call."""

    #: Empty for a value without a name.
    name: str
    value: Node
    #: Of the name, or of the value where there is no name.
    span: Span = field(compare=False, repr=False)
    #: Where its value starts in the source; -1 in a generated call.
    value_start: int = field(default=-1, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One pragma and the code below it."""

    name: str
    arguments: tuple[Argument, ...] = ()
    #: Every line after the pragma up to the next one; it may belong to the pragma or run locally.
    code: str = ""
    span: Span = field(compare=False, repr=False)
    #: Lines of the cell, from 1, that the pragma itself fills.
    first_line: int = field(default=1, compare=False)
    last_line: int = field(default=1, compare=False)

    @property
    def code_first_line(self) -> int:
        """The line of the cell where `code` starts."""
        return self.last_line + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCode:
    """Lines that run in the notebook's own Python."""

    text: str
    first_line: int


Segment: TypeAlias = LocalCode | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell, read: what stands before the first pragma, then the pragmas."""

    segments: tuple[Segment, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The pragmas, from top to bottom."""
        return tuple(segment for segment in self.segments if isinstance(segment, Call))


@dataclass(slots=True, kw_only=True)
class Slot:
    """Room for an argument, a value or an item, filled or not: a cursor in it completes that."""

    #: Behind the bracket, comma or sign of equality before it.
    start: int
    #: Where what fills it starts.
    first: int
    #: Up to the next comma or closing bracket.
    end: int
    #: The parameter whose value, or part of a value, it is; empty for an argument.
    parameter: str = ""
    #: In a pair or a longer row, how many items stand before it; -1 elsewhere.
    index: int = -1
    #: The items of the same list.
    siblings: Sequence[Node] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPragma:
    """One pragma as it was read, right or wrong. Positions are of `Source.text`."""

    call: Call
    #: Of its first line; its sign; its name, as far as it is typed.
    start: int
    sign: int
    name_start: int
    name_end: int
    #: Where its code starts, and ends.
    end: int
    code_end: int
    #: The engine of its code; empty where that is not known.
    engine: str = ""
    #: Whether all brackets are closed.
    closed: bool = True
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A cell, read as far as that is possible."""

    source: Source
    cell: Cell
    readings: tuple[ParsedPragma, ...] = ()
    #: Every break of the grammar, in the order of reading.
    faults: tuple[PragmaError, ...] = ()
