"""Cell text to a tree, however broken it is, and calls back to text. Pure. The grammar::

cell      = [ local code ] { pragma-line code }
pragma    = "#" "%" NAME [ "(" arguments ")" ] [ comment ]
arguments = [ argument { "," argument } [ "," ] ]
argument  = "[" arguments "]"              an optional argument as documentation writes it
          | NAME "=" value
          | NAME list                      import[a, b]
          | value                          the one required parameter
value     = quoted | list | tuple | table | bare
list      = "[" values "]"       tuple = "(" values ")"       table = "{" [ key ":" value { "," … } ] "}"
bare      = everything up to the next comma or closing bracket of the same depth, on one line, outer blanks cut

`read` gives the tree with all faults, for completion, inspection and masking; `parse` the cell, or the first fault.
"""

from __future__ import annotations

import copy
import re
from functools import lru_cache

from proactive_jupyter_kernel.pragmas.grammar.dialect import LOCAL, Dialect
from proactive_jupyter_kernel.pragmas.grammar.pragma_lines import Found, escaped, next_pragma, unescaped
from proactive_jupyter_kernel.pragmas.grammar.reader import Reader
from proactive_jupyter_kernel.pragmas.grammar.source import Source
from proactive_jupyter_kernel.pragmas.grammar.syntax import (
    Call,
    Cell,
    ListNode,
    LocalCode,
    MapNode,
    Node,
    ParsedPragma,
    Segment,
    TextNode,
    Tree,
)
from proactive_jupyter_kernel.pragmas.grammar.tokens import OPENERS, TOKENS, quote
from proactive_jupyter_kernel.workflow.languages import by_pragma_name

__all__ = ["has_pragma", "parse", "read", "write", "write_value"]

_COMMENTS_ONLY = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z))*")
#: Trees kept: a cell is read to be run, stored in the history and completed.
_KEPT = 8


def has_pragma(text: str, dialect: Dialect | None = None) -> bool:
    """Whether the cell has a pragma, or something that only a pragma can be meant by."""
    return bool(read(text, dialect).readings)


def parse(text: str, dialect: Dialect | None = None, shown: str = "") -> Cell:
    """Read a cell; `PragmaSyntaxError` with its span for the first break of the grammar."""
    tree = read(text, dialect, shown)
    if tree.faults:
        # Trees are kept and faults are raised, once for each reading.
        raise copy.copy(tree.faults[0])
    return tree.cell


def read(text: str, dialect: Dialect | None = None, shown: str = "") -> Tree:
    """Read a cell as far as that is possible. Without a dialect, every line `#%name` is a pragma.

    Places quote the lines of `shown`: the same text with its passwords masked.
    """
    return _read(text, _Identity(dialect), shown)


class _Identity:
    """A dialect as a key: two of the same pragmas are the same object."""

    def __init__(self, dialect: Dialect | None) -> None:
        self.dialect = dialect

    def __hash__(self) -> int:
        return id(self.dialect)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.dialect is self.dialect


@lru_cache(maxsize=_KEPT)
def _read(text: str, key: _Identity, shown: str) -> Tree:
    dialect = key.dialect
    source = Source(text, shown)
    found = next_pragma(source, 0, LOCAL, dialect)
    head = source.text[: found.start] if found else source.text
    segments: list[Segment] = []
    if not _COMMENTS_ONLY.fullmatch(head):
        segments.append(LocalCode(text=unescaped(head), first_line=1))
    readings: list[ParsedPragma] = []
    faults = []
    while found:
        reader = Reader.of(source, found, dialect)
        call, engine = reader.call, _engine(reader.call, found)
        code_start = _line_after(source.text, reader.end)
        following = next_pragma(source, code_start, engine, dialect)
        code_end = following.start if following else len(source.text)
        code = unescaped(source.text[code_start:code_end])
        call = Call(
            name=call.name,
            arguments=call.arguments,
            code=code if code.strip() else "",
            span=call.span,
            first_line=call.first_line,
            last_line=source.line_of(reader.end),
        )
        segments.append(call)
        faults += reader.faults
        readings.append(
            ParsedPragma(
                call=call,
                start=found.start,
                sign=found.sign,
                name_start=found.name_start,
                name_end=found.name_end,
                end=code_start,
                code_end=code_end,
                engine=engine if found.shape is None or found.shape.takes_code else "",
                closed=reader.closed,
                slots=tuple(reader.slots),
            )
        )
        found = following
    return Tree(source=source, cell=Cell(segments=tuple(segments)), readings=tuple(readings), faults=tuple(faults))


def _line_after(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _engine(call: Call, found: Found) -> str:
    """The engine of the code below a pragma: the notebook's own for one that takes none."""
    if found.shape is None or not found.shape.takes_code:
        return LOCAL
    named = next((one.value for one in call.arguments if one.name == "language"), None)
    if not isinstance(named, TextNode):
        return found.shape.engine
    language = by_pragma_name(named.text.strip())
    return language.engine if language else ""


# -- writing

#: Where a text stands, as the text around it.
_ARGUMENT, _ITEM, _KEY = "#%p(x={})", "#%p(x=[{}])", "#%p(x={{{}: v}})"
#: What is read as itself wherever it stands.
_WORD = re.compile(r"[^\W_][\w.\-]*")
#: What could be taken for the next argument.
_ARGUMENT_INSIDE = re.compile(r"\s[^\W\d]\w*\s*=(?!=)")


def write(call: Call) -> str:
    """The call as one pragma line, and its code below; `parse` reads it back as an equal call."""
    arguments = ", ".join(
        f"{argument.name}={write_value(argument.value)}" if argument.name else write_value(argument.value, bare=False)
        for argument in call.arguments
    )
    line = f"#%{call.name}({arguments})"
    return f"{line}\n{escaped(call.code)}" if call.code else line


def write_value(node: Node, *, bare: bool = True, around: str = _ARGUMENT) -> str:
    """A value as one types it; a text without quotes where it survives that and `bare` allows it."""
    if isinstance(node, ListNode):
        opener, closer = node.bracket, OPENERS[node.bracket]
        return opener + ", ".join(write_value(item, around=_ITEM) for item in node.items) + closer
    if isinstance(node, MapNode):
        rows = (f"{write_value(key, around=_KEY)}: {write_value(value, around=_ITEM)}" for key, value in node.rows)
        return "{" + ", ".join(rows) + "}"
    if bare and not node.quoted and _survives_bare(node.text, around):
        return node.text
    return quote(node.text)


def _survives_bare(text: str, around: str) -> bool:
    """Whether the text without quotes is read back as the same text, whatever surrounds it."""
    if _WORD.fullmatch(text):
        return True
    if not text or text != text.strip() or not text.isprintable():
        return False
    formula = around == _ITEM and text.startswith("=")
    if (around != _ARGUMENT and text.startswith("#")) or (formula and _has_open_quote(text)):
        return False
    if not formula and _ARGUMENT_INSIDE.search(text):
        return False
    if text[0] in OPENERS and ("'" in text or '"' in text):
        # It is first read as a list, in which a quote would pair up with one further on.
        return False
    tree = read(around.format(text))
    if tree.faults or len(tree.readings) != 1:
        return False
    arguments = tree.readings[0].call.arguments
    node: Node | None = arguments[0].value if len(arguments) == 1 else None
    if around == _ITEM:
        node = node.items[0] if isinstance(node, ListNode) and len(node.items) == 1 else None
    elif around == _KEY:
        node = node.rows[0][0] if isinstance(node, MapNode) and len(node.rows) == 1 else None
    return isinstance(node, TextNode) and not node.quoted and node.text == text


def _has_open_quote(formula: str) -> bool:
    """Whether a quote would pair up with one further on in the line."""
    rest = TOKENS["quoted"].sub("", formula)
    return "'" in rest or '"' in rest
