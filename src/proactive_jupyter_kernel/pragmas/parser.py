"""Cell text to calls and back. Pure: knows no pragma by name. The grammar::

cell      = [ local code ] { pragma-line code }
pragma    = "#%" NAME [ "(" arguments ")" ] [ comment ]
arguments = [ argument { "," argument } [ "," ] ]
argument  = "[" arguments "]"              an optional argument as documentation writes it
          | NAME "=" value
          | NAME list                      import[a, b]
          | value                          the one required parameter
value     = quoted | list | tuple | table | bare
list      = "[" values "]"       tuple = "(" values ")"       table = "{" [ key ":" value { "," … } ] "}"
bare      = everything up to the next comma or closing bracket of the same depth, on one line, outer blanks cut
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError, UnclosedBracket
from proactive_jupyter_kernel.pragmas.syntax import Argument, Call, Cell, Items, LocalCode, Node, Rows, Segment, Text
from proactive_jupyter_kernel.pragmas.tokens import CLOSERS, OPENERS, PRAGMA_LINE, TOKENS, Scanner, quote

__all__ = ["has_pragma", "parse", "spans", "write", "write_value"]

_COMMENTS_ONLY = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z))*")
_QUOTE_HINT = "Text that holds a comma, a bracket or outer blanks is written in quotes."


def has_pragma(text: str) -> bool:
    """Whether any line of the cell is a pragma line."""
    return PRAGMA_LINE.search(text) is not None


def parse(text: str) -> Cell:
    """Read a cell; `PragmaSyntaxError` with its place for the first break of the grammar."""
    text = text.replace("\r\n", "\n")
    segments: list[Segment] = []
    start = PRAGMA_LINE.search(text)
    head = text[: start.start()] if start else text
    if not _COMMENTS_ONLY.fullmatch(head):
        segments.append(LocalCode(text=head, first_line=1))
    while start:
        call, following = _Reader(text, start.end()).pragma()
        segments.append(call)
        start = PRAGMA_LINE.search(text, following)
    return Cell(segments=tuple(segments))


def spans(text: str) -> list[tuple[int, int]]:
    """Where the pragmas of a cell stand, without their code; one that is broken goes on up to the next."""
    found = []
    start = PRAGMA_LINE.search(text)
    while start:
        following = PRAGMA_LINE.search(text, start.end())
        try:
            _, end = _Reader(text, start.end()).pragma()
        except PragmaSyntaxError:
            end = following.start() if following else len(text)
        found.append((start.start(), end))
        start = PRAGMA_LINE.search(text, end)
    return found


class _Reader:
    """Reads one pragma, one short method a rule."""

    def __init__(self, text: str, position: int) -> None:
        self.scanner = Scanner(text, position)
        self.start = position - 2
        self.name = ""

    # -- rules

    def pragma(self) -> tuple[Call, int]:
        """`"#%" NAME [ "(" arguments ")" ] [ comment ]`; gives also where its code ends."""
        scanner = self.scanner
        self.name = scanner.pragma = scanner.take("name")
        place = scanner.place(self.start, scanner.position)
        scanner.skip(lines=False)
        arguments: list[Argument] = []
        if scanner.next == "(":
            self.between("(", lambda: arguments.extend(self.argument()))
        elif scanner.next not in ("", "\n", "#"):
            raise self.fault(
                "arguments are expected in brackets.",
                hint=f"Write it as #%{self.name}(key=value).",
            )
        scanner.skip(lines=False)
        scanner.take("comment")
        if scanner.next not in ("", "\n"):
            raise self.fault("nothing but a comment may follow the closing bracket.", hint=_QUOTE_HINT)
        last_line = scanner.line_of(scanner.position)
        code_start = min(scanner.position + 1, len(scanner.text))
        following = PRAGMA_LINE.search(scanner.text, code_start)
        code_end = following.start() if following else len(scanner.text)
        code = scanner.text[code_start:code_end]
        call = Call(
            name=self.name,
            arguments=tuple(arguments),
            code=code if code.strip() else "",
            place=place,
            first_line=scanner.line_of(self.start),
            last_line=last_line,
        )
        return call, code_start

    def argument(self) -> tuple[Argument, ...]:
        """`"[" arguments "]" | NAME "=" value | NAME list | value`; the first form may hold several."""
        scanner = self.scanner
        start = scanner.position
        if scanner.next == "[" and self.is_optional_argument():
            inner: list[Argument] = []
            self.between("[", lambda: inner.extend(self.argument()))
            return tuple(inner)
        name = scanner.take("name")
        after_name = scanner.position
        scanner.skip()
        if name and scanner.next in ("=", "["):
            if scanner.next == "=":
                scanner.position += 1
                scanner.skip()
            return (Argument(name=name, value=self.value(f"of {name}"), place=scanner.place(start, after_name)),)
        scanner.position = start
        value = self.value("or a name=value")
        return (Argument(name="", value=value, place=value.place),)

    def is_optional_argument(self) -> bool:
        """Whether the square bracket ahead holds arguments and not the items of a list."""
        scanner = self.scanner
        start = scanner.position
        scanner.position += 1
        scanner.skip(comments="inner comment")
        named = scanner.take("name")
        scanner.skip()
        ahead = scanner.next
        scanner.position = start
        return bool(named) and ahead in ("=", "[")

    def value(self, what: str, stop: str = "", *, inner: bool = False) -> Node:
        """`quoted | list | tuple | table | bare`."""
        scanner = self.scanner
        start = scanner.position
        if scanner.next in ("'", '"'):
            text = scanner.quoted()
            return Text(text=text, quoted=True, place=scanner.place(start, scanner.position))
        if scanner.next in OPENERS:
            node = self.bracketed()
            end = scanner.position
            scanner.skip(lines=False)
            if scanner.next in ("", "\n", ",", "#", *stop) or scanner.next in CLOSERS:
                scanner.position = end
                return node
            scanner.position = start
        return self.bare(what, stop, inner=inner)

    def bracketed(self) -> Node:
        """`"[" values "]" | "(" values ")" | "{" rows "}"`."""
        scanner = self.scanner
        start, bracket = scanner.position, scanner.next
        items: list[Node] = []
        rows: list[tuple[Text, Node]] = []
        if bracket == "{":
            self.between(bracket, lambda: rows.append(self.row()))
        else:
            self.between(bracket, lambda: items.append(self.value("in the list", inner=True)))
        raw, place = scanner.text[start : scanner.position], scanner.place(start, scanner.position)
        if bracket == "{":
            return Rows(rows=tuple(rows), raw=raw, place=place)
        return Items(items=tuple(items), bracket=bracket, raw=raw, place=place)

    def row(self) -> tuple[Text, Node]:
        """`key ":" value`."""
        scanner = self.scanner
        key = self.value("of a key", stop=":")
        scanner.skip()
        if not isinstance(key, Text) or scanner.next != ":":
            raise self.fault("in curly brackets a key, ':' and its value are expected.")
        scanner.position += 1
        scanner.skip()
        return key, self.value(f"of {key.text}", inner=True)

    def bare(self, what: str, stop: str = "", *, inner: bool = False) -> Text:
        """Everything up to the next comma or closing bracket of the same depth, on one line, outer blanks cut."""
        scanner = self.scanner
        start = position = scanner.position
        open_brackets: list[int] = []
        text = scanner.text
        # The notebook's Python, which is only possible inside of lists and tables: a comma in its texts ends nothing.
        formula = inner and scanner.next == "="
        while position < len(text):
            character = text[position]
            if formula and (literal := TOKENS["quoted"].match(text, position)):
                position = literal.end()
                continue
            if character == "\n" or (character == "#" and self.ends_in_comment(position)):
                break
            if character in OPENERS:
                open_brackets.append(position)
            elif character in CLOSERS:
                if not open_brackets:
                    break
                opened = open_brackets.pop()
                if OPENERS[text[opened]] != character:
                    raise self.fault(f"'{character}' does not close '{text[opened]}'.", position, hint=_QUOTE_HINT)
            elif (character == "," or character in stop) and not open_brackets:
                break
            position += 1
        if open_brackets:
            raise self.unclosed(open_brackets[-1])
        found = text[start:position].rstrip()
        if not found:
            raise self.fault(f"a value {what} is expected here.", start)
        scanner.position = start + len(found)
        return Text(text=found, place=scanner.place(start, scanner.position))

    def between(self, bracket: str, read_one: Callable[[], object]) -> None:
        """`bracket [ one { "," one } [ "," ] ] closing bracket`."""
        scanner = self.scanner
        opened = scanner.position
        closer = OPENERS[bracket]
        scanner.position += 1
        while True:
            scanner.skip(comments="inner comment")
            if scanner.next == closer:
                scanner.position += 1
                return
            if scanner.at_end:
                raise self.unclosed(opened)
            if scanner.next in CLOSERS:
                raise self.fault(f"'{scanner.next}' closes nothing; '{closer}' is expected.", hint=_QUOTE_HINT)
            if scanner.next == ",":
                raise self.fault(f"a value or '{closer}' is expected before ','.")
            read_one()
            scanner.skip(comments="trailing comment")
            if scanner.next == ",":
                scanner.position += 1
            elif scanner.at_end:
                raise self.unclosed(opened)
            elif scanner.next != closer:
                if scanner.next in CLOSERS:
                    raise self.fault(f"'{scanner.next}' closes nothing; '{closer}' is expected.", hint=_QUOTE_HINT)
                raise self.fault(f"',' or '{closer}' is expected here.", hint=_QUOTE_HINT)

    def ends_in_comment(self, position: int) -> bool:
        """Whether the sign at this position, behind a blank, starts a comment and is no part of a bare text."""
        text = self.scanner.text
        return text[position - 1] in " \t" and TOKENS["trailing comment"].match(text, position) is not None

    # -- faults

    def fault(self, message: str, position: int | None = None, *, hint: str = "") -> PragmaError:
        place = self.scanner.place(self.scanner.position if position is None else position)
        return place.fault(PragmaSyntaxError, message, hint=hint, pragma=self.name)

    def unclosed(self, position: int) -> PragmaError:
        bracket = self.scanner.text[position]
        message = f"the bracket '{bracket}' is never closed; '{OPENERS[bracket]}' is expected."
        place = self.scanner.place(position)
        return place.fault(UnclosedBracket, message, hint=_QUOTE_HINT, pragma=self.name)


def write(call: Call) -> str:
    """The call as one pragma line, and its code below; `parse` reads it back as an equal call."""
    arguments = ", ".join(
        f"{argument.name}={write_value(argument.value)}" if argument.name else write_value(argument.value, bare=False)
        for argument in call.arguments
    )
    line = f"#%{call.name}({arguments})"
    return f"{line}\n{call.code}" if call.code else line


def write_value(node: Node, *, bare: bool = True, stop: str = "", inner: bool = False) -> str:
    """A value as one types it; a text without quotes where it survives that and `bare` allows it."""
    if isinstance(node, Items):
        opener, closer = node.bracket, OPENERS[node.bracket]
        return opener + ", ".join(write_value(item, inner=True) for item in node.items) + closer
    if isinstance(node, Rows):
        rows = (
            f"{write_value(key, stop=':', inner=True)}: {write_value(value, inner=True)}" for key, value in node.rows
        )
        return "{" + ", ".join(rows) + "}"
    if bare and not node.quoted and _survives_bare(node.text, stop, inner):
        return node.text
    return quote(node.text)


def _survives_bare(text: str, stop: str, inner: bool) -> bool:
    """Whether the text without quotes is read back as the same text."""
    if text != text.strip() or not text.isprintable():
        return False
    if inner and (text.startswith("#") or (text.startswith("=") and _has_open_quote(text))):
        return False
    reader = _Reader(text + ")\n", 0)
    try:
        value = reader.value("", stop, inner=inner)
    except PragmaSyntaxError:
        return False
    return isinstance(value, Text) and not value.quoted and value.text == text and reader.scanner.next == ")"


def _has_open_quote(formula: str) -> bool:
    """Whether a quote would pair up with one further on in the line."""
    rest = TOKENS["quoted"].sub("", formula)
    return "'" in rest or '"' in rest
