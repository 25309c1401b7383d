"""Where in a cell the cursor stands: in a pragma's name, at a parameter, in a value, in a task's code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proactive_jupyter_kernel.pragmas.grammar.dialect import Dialect
from proactive_jupyter_kernel.pragmas.grammar.parser import read
from proactive_jupyter_kernel.pragmas.grammar.syntax import ParsedPragma, Slot, TextNode, Tree

__all__ = ["CursorContext", "code_before", "locate"]

#: A line on which a pragma is only begun.
_BEGUN = re.compile(r"[ \t]*#(?:%|[ \t]*%%?)[ \t]?(?P<name>(?:[^\W\d_]\w*)?)")
#: What ends a line after which a pragma certainly continues.
_GOES_ON = re.compile(r"[,(\[{:=][ \t]*(?:#[^\n]*)?\n[ \t]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorContext:
    """What stands around the cursor."""

    #: The pragma's name as far as it is written.
    pragma: str
    #: The parameter whose value the cursor is in; empty in a name.
    parameter: str = ""
    #: True: the cursor is in the pragma's own name.
    in_name: bool = False
    #: What is written of the word up to the cursor, and where that starts in the cell.
    typed: str = ""
    start: int = 0
    #: True: the word stands in quotes.
    quoted: bool = False
    #: In a pair, how many items stand before the cursor; 0 where a key belongs, -1 outside of pairs.
    index: int = -1
    #: Items of the same list that stand before the cursor.
    listed: tuple[str, ...] = ()
    #: Parameters that the call names anywhere.
    given: tuple[str, ...] = ()


def locate(text: str, cursor: int, dialect: Dialect | None = None) -> CursorContext | None:
    """The spot of the cursor; None where it is in no pragma."""
    # Of the same length, so that the cursor stays where it is.
    text = text.replace("\r\n", " \n")
    tree = read(text, dialect)
    source = tree.source
    position = source.as_read(cursor)
    found = next((one for one in reversed(tree.readings) if one.start <= position), None)
    if found is None or position < found.sign or not _is_inside(tree, found, position):
        return _begun(tree, position, cursor)
    if position <= found.name_end:
        if position < found.name_start:
            return CursorContext(pragma="", in_name=True, start=cursor)
        typed = source.text[found.name_start : position]
        name = source.text[found.name_start : found.name_end] if position == found.name_end else typed
        return CursorContext(pragma=name.lower(), in_name=True, typed=typed, start=cursor - len(typed))
    slot = _innermost(found, position)
    return _spot(tree, found, slot, position, cursor) if slot else None


def code_before(text: str, cursor: int, dialect: Dialect | None = None) -> tuple[ParsedPragma, str] | None:
    """The pragma whose code the cursor is in, and that code up to the cursor; None elsewhere."""
    tree = read(text.replace("\r\n", " \n"), dialect)
    position = tree.source.as_read(cursor)
    for reading in tree.readings:
        if reading.engine and reading.end <= position <= reading.code_end:
            return reading, tree.source.text[reading.end : position]
    return None


def _begun(tree: Tree, position: int, cursor: int) -> CursorContext | None:
    """A name that is being typed, so that no pragma is there yet."""
    text = tree.source.text
    line = tree.source.line_start(position)
    begun = _BEGUN.fullmatch(text, line, position)
    if begun is None or "#%" not in begun.group().replace(" ", ""):
        return None
    following = text[position : position + 1]
    if following.isalnum():
        return None
    return CursorContext(
        pragma=begun["name"].lower(), in_name=True, typed=begun["name"], start=cursor - len(begun["name"])
    )


def _is_inside(tree: Tree, found: ParsedPragma, position: int) -> bool:
    text = tree.source.text
    if position < found.end or (position == found.end == len(text) and not text.endswith("\n")):
        inside = True
    else:
        inside = not found.closed and position <= found.end
    if not inside or found.closed:
        return inside
    # A bracket that is not closed yet must not make a pragma of the code below.
    line = tree.source.line_start(position)
    if line <= found.start or text[line:].lstrip(" \t").startswith("#"):
        return True
    return (
        _GOES_ON.search(text[found.start : line]) is not None
        and re.fullmatch(r"[ \t]*\w*", text[line:position]) is not None
    )


def _innermost(found: ParsedPragma, position: int) -> Slot | None:
    return next((slot for slot in reversed(found.slots) if slot.start <= position <= slot.end), None)


def _spot(tree: Tree, found: ParsedPragma, slot: Slot, position: int, cursor: int) -> CursorContext:
    text = tree.source.text
    typed = text[slot.first : position] if position > slot.first else ""
    quoted = typed[:1] in ("'", '"')
    typed = typed[1:] if quoted else typed
    given = tuple(one.name for one in found.call.arguments if one.name)
    listed = [one for one in slot.siblings if isinstance(one, TextNode)]
    here = tree.source.line_of(position), position - tree.source.line_start(position)
    before = (one.text for one in listed if (one.span.line, one.span.column) < here and one.text != typed)
    return CursorContext(
        pragma=found.call.name,
        parameter=slot.parameter,
        typed=typed,
        start=cursor - len(typed),
        quoted=quoted,
        index=slot.index,
        listed=tuple(before),
        given=given,
    )
