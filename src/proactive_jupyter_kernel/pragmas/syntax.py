"""What the grammar makes of a cell: local code, calls, arguments and values as typed. Records only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from proactive_jupyter_kernel.pragmas.tokens import Place

__all__ = ["Argument", "Call", "Cell", "Items", "LocalCode", "Node", "Rows", "Segment", "Text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, bare or in quotes."""

    text: str
    #: In quotes as typed: such a text is never a formula.
    quoted: bool = field(default=False, compare=False)
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Values in square or round brackets."""

    items: tuple[Node, ...]
    #: ``[`` or ``(``.
    bracket: str = "["
    #: As typed, brackets included.
    raw: str = field(default="", compare=False, repr=False)
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """``{key: value, …}``."""

    rows: tuple[tuple[Text, Node], ...]
    raw: str = field(default="", compare=False, repr=False)
    place: Place = field(compare=False, repr=False)


Node: TypeAlias = Text | Items | Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call."""

    #: Empty for a value without a name.
    name: str
    value: Node
    #: Of the name, or of the value where there is no name.
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One pragma and the code below it."""

    name: str
    arguments: tuple[Argument, ...] = ()
    #: Every line after the pragma up to the next one; it may belong to the pragma or run locally.
    code: str = ""
    place: Place = field(compare=False, repr=False)
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
