"""Reads one pragma, right or wrong: its arguments, its faults, and the slots that a cursor may be in.

One short method for each rule of the grammar in `parser.py`. A fault is recorded and reading resumes where the pragma
certainly continues. A bracket that stays open ends the pragma on the line of the last element that was understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from proactive_jupyter_kernel.errors import PragmaError, PragmaSyntaxError, UnclosedBracket
from proactive_jupyter_kernel.pragmas.grammar.dialect import Dialect, PragmaShape
from proactive_jupyter_kernel.pragmas.grammar.pragma_lines import Found, starts_pragma
from proactive_jupyter_kernel.pragmas.grammar.source import Source, Span
from proactive_jupyter_kernel.pragmas.grammar.syntax import Argument, Call, ListNode, MapNode, Node, Slot, TextNode
from proactive_jupyter_kernel.pragmas.grammar.tokens import BLANKS, CLOSERS, OPENERS, TOKENS, Scanner

__all__ = ["QUOTE_HINT", "Reader"]

QUOTE_HINT = "Text that holds a comma, a bracket or outer blanks is written in quotes."

#: Levels of brackets in a pragma; values that mean something have four.
DEEPEST = 20
#: Faults after which the rest of a pragma is not read: each may take the time of a whole line.
MOST_FAULTS = 20
#: What Python takes for the beginning of a text.
_PREFIXED = re.compile(r"(?P<prefix>[fF][rR]?|[rR][fFbB]?|[bB][rR]?|[uU]|[tT][rR]?|[rR][tT])(?=['\"])")
_CURLY = re.compile(r"[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b]")
_MISPLACED = {
    "block": (
        "a pragma cannot be conditional: it is inside an indented block.",
        "Move it out of the block: a pragma runs whenever its cell runs.",
    ),
    "magic": ("it is written like a magic.", "Write it as #%{name}(...)."),
    "prompted": ("a prompt precedes it.", "Remove the prompt: a pragma starts its line."),
    "assigned": (
        "a pragma has no value to assign, and it starts its line.",
        "Write #%{name}(...) on a separate line.",
    ),
}
_INTO = "Write #%{name}(..., into={target}) on a separate line."


class Reader:
    """One pragma of a cell."""

    def __init__(self, source: Source, found: Found, dialect: Dialect | None, *, commented: bool = False) -> None:
        self.scanner = Scanner(
            source,
            found.name_end,
            commented=commented,
            stops=lambda position: starts_pragma(source.text, position, dialect),
        )
        self._found = found
        self.shape = found.shape or PragmaShape(name="")
        typed = source.text[found.name_start : found.name_end]
        self.name = typed.lower() if dialect else typed
        self.span = source.span(found.sign, found.name_end)
        self.faults: list[PragmaError] = []
        self.slots: list[Slot] = []
        #: Where the pragma ends.
        self.end = found.name_end
        self._open: list[str] = []
        self._broken = False
        self._comma_missing = False
        self.call = self._pragma()

    @classmethod
    def of(cls, source: Source, found: Found, dialect: Dialect | None) -> Reader:
        """Read a pragma. If some of its lines carry no sign, those that start with ``#`` are comments."""
        reader = cls(source, found, dialect)
        if not reader.scanner.hashed or not (reader.scanner.unmarked or not reader.closed):
            return reader
        other = cls(source, found, dialect, commented=True)
        # A broken pragma must not become a whole one by swallowing the code below it.
        named = other.closed and other.call.arguments and all(one.name for one in other.call.arguments)
        return other if reader.scanner.unmarked or named else reader

    @property
    def closed(self) -> bool:
        """Whether all brackets are closed."""
        return not self._broken

    # -- rules

    def _pragma(self) -> Call:
        """`"#%" NAME [ "(" arguments ")" ] [ comment ]`."""
        scanner = self.scanner
        if self._found.misplaced:
            self._report_misplaced()
        scanner.skip(lines=False)
        arguments: list[Argument] = []
        if scanner.next == "(":
            self._between("(", lambda slot: arguments.extend(self._argument(slot)))
        elif scanner.next not in ("", "\n", "#"):
            self._report("arguments are expected in brackets.", hint=f"Write it as #%{self.name}(key=value).")
            self._to_end_of_line()
        if not self._broken:
            scanner.skip(lines=False)
            scanner.take("comment")
            if scanner.next not in ("", "\n"):
                self._report("nothing but a comment may follow the closing bracket.", hint=QUOTE_HINT)
                self._to_end_of_line()
            self.end = scanner.position
        return Call(
            name=self.name,
            arguments=tuple(arguments),
            span=self.span,
            first_line=scanner.line_of(self._found.sign),
            last_line=scanner.line_of(self.end),
        )

    def _argument(self, slot: Slot) -> tuple[Argument, ...]:
        """`"[" arguments "]" | NAME "=" value | NAME list | value`; the first form may hold several."""
        scanner = self.scanner
        start = scanner.position
        if scanner.next == "[" and len(self._open) <= DEEPEST and self._is_optional_argument():
            inner: list[Argument] = []
            self._between("[", lambda slot: inner.extend(self._argument(slot)))
            return tuple(inner)
        name = scanner.take("name")
        after_name = scanner.position
        scanner.skip(lines=False)
        if name and scanner.next in ("=", "["):
            if scanner.next == "=":
                scanner.position += 1
            value_slot = self._slot(parameter=name)
            scanner.skip()
            value_start = value_slot.first = scanner.position
            value = self._value(f"of {name}", name, behind_name=True)
            value_slot.end = self._slot_end()
            span = scanner.span(start, after_name)
            return (Argument(name=name, value=value, span=span, value_start=value_start),)
        scanner.position = start
        value = self._value("or a name=value", "")
        return (Argument(name="", value=value, span=value.span, value_start=start),)

    def _is_optional_argument(self) -> bool:
        """Whether the square bracket ahead holds arguments and not the items of a list."""
        scanner = self.scanner
        start = scanner.position
        marks = scanner.hashed, scanner.unmarked
        scanner.position += 1
        scanner.skip(comments="inner comment")
        named = scanner.take("name")
        scanner.skip()
        ahead = scanner.next
        scanner.position = start
        scanner.hashed, scanner.unmarked = marks
        return bool(named) and ahead in ("=", "[")

    def _value(
        self, what: str, parameter: str, stop: str = "", *, inner: bool = False, behind_name: bool = False
    ) -> Node:
        """`quoted | list | tuple | table | bare`."""
        scanner = self.scanner
        start = scanner.position
        if scanner.next in ("'", '"'):
            return self._quoted()
        if scanner.next in OPENERS and len(self._open) > DEEPEST:
            return self._too_deep()
        if scanner.next in OPENERS:
            kept = len(self.faults), len(self.slots)
            node = self._bracketed(parameter)
            end = scanner.position
            if self._broken:
                return node
            scanner.skip(lines=False)
            if scanner.next in ("", "\n", ",", "#", *stop) or scanner.next in CLOSERS or self._next_argument(end):
                scanner.position = end
                return node
            # A bare text that starts with a bracket: what was found wrong in it, or completed, is neither.
            scanner.position = start
            del self.faults[kept[0] :], self.slots[kept[1] :]
        return self._bare(what, stop, inner=inner, behind_name=behind_name)

    def _quoted(self) -> TextNode:
        """A text in quotes; one that is not closed extends to the end of its line."""
        scanner = self.scanner
        start = scanner.position
        try:
            text = scanner.quoted(self.name)
        except PragmaSyntaxError as fault:
            self.faults.append(fault)
            if not scanner.take("quoted"):
                self._to_end_of_line()
            text = scanner.text[start + 1 : scanner.position]
        return TextNode(text=text, quoted=True, span=scanner.span(start, scanner.position))

    def _too_deep(self) -> TextNode:
        """Brackets that no value can have; the pragma cannot be read any further."""
        start = self.scanner.position
        self._report(f"more than {DEEPEST} brackets are open here.", hint=QUOTE_HINT)
        self._to_end_of_line()
        self._broken = True
        return TextNode(text="", span=self.scanner.span(start))

    def _bracketed(self, parameter: str) -> Node:
        """`"[" values "]" | "(" values ")" | "{" rows "}"`."""
        scanner = self.scanner
        start, bracket = scanner.position, scanner.next
        items: list[Node] = []
        rows: list[tuple[TextNode, Node]] = []

        def item(_: Slot) -> None:
            items.append(self._value("in the list", parameter, inner=True))

        def row(_: Slot) -> None:
            rows.append(self._row(parameter))

        self._between(bracket, row if bracket == "{" else item, parameter, items)
        raw, span = scanner.text[start : scanner.position], scanner.span(start, scanner.position)
        if bracket == "{":
            return MapNode(rows=tuple(rows), raw=raw, span=span)
        return ListNode(items=tuple(items), bracket=bracket, raw=raw, span=span)

    def _row(self, parameter: str) -> tuple[TextNode, Node]:
        """`key ":" value`."""
        scanner = self.scanner
        start = scanner.position
        key = self._value("of a key", parameter, stop=":")
        end = scanner.position
        scanner.skip()
        if not isinstance(key, TextNode) or scanner.next != ":":
            scanner.position = end
            if not self._broken and not (isinstance(key, TextNode) and not key.text):
                equals = isinstance(key, TextNode) and "=" in key.text
                self._report(
                    "in curly brackets a key, ':' and its value are expected.",
                    hint="Write {key: value}, with ':' in place of '='." if equals else "",
                    position=start if equals else None,
                )
            return _text_of(key, scanner), TextNode(text="", span=scanner.span(end))
        scanner.position += 1
        slot = self._slot(parameter=parameter, index=1)
        scanner.skip()
        slot.first = scanner.position
        value = self._value(f"of {key.text}", parameter, inner=True)
        slot.end = self._slot_end()
        return key, value

    def _bare(self, what: str, stop: str = "", *, inner: bool = False, behind_name: bool = False) -> TextNode:
        """Everything up to the next comma or closing bracket of the same depth, on one line, outer blanks cut."""
        scanner, text = self.scanner, self.scanner.text
        start = position = scanner.position
        open_brackets: list[int] = []
        prefix = _PREFIXED.match(text, start)
        # The notebook's Python, which is only possible inside of lists and tables: a comma in its texts ends nothing.
        formula = inner and scanner.next == "="
        if prefix:
            position = prefix.end()
            literal = TOKENS["quoted"].match(text, position)
            position = literal.end() if literal else position
        while position < len(text):
            character = text[position]
            if formula and (literal := TOKENS["quoted"].match(text, position)):
                position = literal.end()
                continue
            if character == "\n" or (character == "#" and self._ends_in_comment(position)):
                break
            if character in OPENERS:
                open_brackets.append(position)
            elif character in CLOSERS:
                if not open_brackets:
                    break
                opened = open_brackets.pop()
                if OPENERS[text[opened]] != character:
                    self._unclosed(opened, before=character, ends=False)
            elif (character == "," or character in stop) and not open_brackets:
                break
            position += 1
        if open_brackets:
            self._unclosed(open_brackets[-1])
            self.end = position
        found = text[start:position].rstrip()
        missing = None if formula else self._next_argument(start if behind_name else start + 1, start + len(found))
        if missing:
            found = text[start : missing.start()].rstrip()
            if found:
                self._report_missing_comma(missing)
            else:
                self._report(f"a value {what} is expected here.", start)
            scanner.position = missing.start()
            self._comma_missing = True
        elif not found:
            self._report(f"a value {what} is expected here.", start)
        else:
            scanner.position = start + len(found)
        span = scanner.span(start, start + len(found))
        if prefix or _CURLY.match(found):
            self._report_quotes(span, prefix["prefix"] if prefix else "", inner=inner)
        return TextNode(text=found.replace("\u00a0", " "), span=span)

    def _between(
        self,
        bracket: str,
        read_one: Callable[[Slot], object],
        parameter: str = "",
        siblings: Sequence[Node] | None = None,
    ) -> None:
        """`bracket [ one { "," one } [ "," ] ] closing bracket`; `parameter` is the one that it is a value of."""
        scanner = self.scanner
        opened, closer = scanner.position, OPENERS[bracket]
        self._open.append(closer)
        scanner.position += 1
        index = 0
        comments = "argument comment" if siblings is None else "inner comment"
        while not self._broken:
            if len(self.faults) >= MOST_FAULTS:
                self._to_end_of_line()
                self._broken = True
                break
            place_in_row = {"{": 0, "(": index}.get(bracket, -1) if siblings is not None else -1
            slot = self._slot(parameter=parameter, index=place_in_row, siblings=siblings)
            scanner.skip(comments=comments)
            slot.first = slot.end = scanner.position
            if scanner.next == closer:
                break
            if scanner.at_end:
                self._unclosed(opened)
            elif scanner.next in CLOSERS:
                if scanner.next in self._open:
                    self._unclosed(opened, before=scanner.next)
                else:
                    self._report(f"'{scanner.next}' closes nothing; '{closer}' is expected.", hint=QUOTE_HINT)
                    scanner.position += 1
            elif scanner.next == ",":
                self._report(f"a value or '{closer}' is expected before ','.")
                scanner.position += 1
            else:
                read_one(slot)
                slot.end = self._slot_end()
                self._after_one(opened, closer, named=siblings is None)
                index += 1
                if scanner.next == closer and scanner.text[scanner.position - 1] != ",":
                    break
        self._open.pop()
        if not self._broken:
            scanner.position += 1

    def _after_one(self, opened: int, closer: str, *, named: bool) -> None:
        """What stands behind an argument or an item: a comma, the end, or something that does not belong there."""
        scanner = self.scanner
        if self._broken:
            return
        if self._comma_missing:
            # Reported already; what follows is the next argument, of this list or of one around it.
            self._comma_missing = False
            if not named:
                # A list in which an argument of the pragma starts: its bracket was forgotten as well.
                self._unclosed(opened)
            return
        end = scanner.position
        scanner.skip(comments="trailing comment")
        if scanner.next == ",":
            scanner.position += 1
        elif scanner.at_end:
            self.end = end
            self._unclosed(opened)
        elif scanner.next not in CLOSERS:
            missing = (
                self.shape.next_argument.match(scanner.text, scanner.position) if self.shape.next_argument else None
            )
            if missing and named:
                self._report_missing_comma(missing)
            elif "\n" in scanner.text[end : scanner.position]:
                # The next line does not continue this one: the bracket was forgotten.
                scanner.position = end
                self._unclosed(opened, kind=PragmaSyntaxError)
            else:
                self._report(f"',' or '{closer}' is expected here.", hint=QUOTE_HINT)
                while scanner.next not in ("", "\n", ",", *CLOSERS):
                    scanner.position += 1
                if scanner.next == ",":
                    scanner.position += 1

    # -- helpers

    def _slot(self, parameter: str = "", index: int = -1, siblings: Sequence[Node] | None = None) -> Slot:
        position = self.scanner.position
        slot = Slot(start=position, first=position, end=position, parameter=parameter, index=index)
        if siblings is not None:
            slot.siblings = siblings
        self.slots.append(slot)
        return slot

    def _slot_end(self) -> int:
        """The end of what was just read, with the blanks behind it."""
        match = TOKENS["blank"].match(self.scanner.text, self.scanner.position)
        return match.end() if match else self.scanner.position

    def _next_argument(self, start: int, end: int | None = None) -> re.Match[str] | None:
        """An argument of this pragma that starts behind a blank in a stretch of the line, or right at its start."""
        pattern, text = self.shape.next_argument, self.scanner.text
        if pattern is None:
            return None
        if end is None:
            blank = TOKENS["blank"].match(text, start)
            return pattern.match(text, blank.end()) if blank else None
        return pattern.search(text, start, end)

    def _ends_in_comment(self, position: int) -> bool:
        """Whether the sign at this position, behind a blank, starts a comment and is not a part of a bare text."""
        text = self.scanner.text
        return text[position - 1] in BLANKS and TOKENS["trailing comment"].match(text, position) is not None

    def _to_end_of_line(self) -> None:
        end = self.scanner.text.find("\n", self.scanner.position)
        self.scanner.position = self.end = len(self.scanner.text) if end < 0 else end

    # -- faults

    def _report(self, message: str, position: int | None = None, *, hint: str = "") -> None:
        span = self.scanner.span(self.scanner.position if position is None else position)
        self.faults.append(span.fault(PragmaSyntaxError, message, hint=hint, pragma=self.name))

    def _unclosed(
        self,
        position: int,
        *,
        before: str = "",
        kind: type[PragmaError] = UnclosedBracket,
        ends: bool = True,
    ) -> None:
        """The bracket at this position stays open; with `ends` the pragma cannot be read any further."""
        bracket = self.scanner.text[position]
        message = f"the bracket '{bracket}' is never closed; '{OPENERS[bracket]}' is expected"
        message += f" before '{before}'." if before else "."
        fault = kind if not before else PragmaSyntaxError
        self.faults.append(self.scanner.span(position).fault(fault, message, hint=QUOTE_HINT, pragma=self.name))
        if ends and not self._broken:
            self._broken = True
            self.end = max(self.end, self.scanner.position)

    def _report_missing_comma(self, missing: re.Match[str]) -> None:
        span = self.scanner.span(missing.start(), missing.end("name"))
        message = f"a comma is missing before {missing['name']}=."
        hint = f"If {missing['name']}= belongs to the text, put the text in quotes."
        self.faults.append(span.fault(PragmaSyntaxError, message, hint=hint, pragma=self.name))

    def _report_quotes(self, span: Span, prefix: str, *, inner: bool) -> None:
        if not prefix:
            message, hint = "curly quotes do not quote.", "Write straight quotes: \"...\" or '...'."
        elif "f" in prefix.lower():
            message = f"{prefix}'...' is not evaluated here."
            hint = (
                f"A value that starts with '=' is an expression of the notebook's Python: ={prefix}'...'."
                if inner
                else "Only pairs, such as variables=[(name, =expression)], have evaluated values. Write the text."
            )
        else:
            message = f"text in quotes takes no prefix {prefix}."
            hint = r"Write '...', with \\ for a backslash."
        self.faults.append(span.fault(PragmaSyntaxError, message, hint=hint, pragma=self.name))

    def _report_misplaced(self) -> None:
        message, hint = _MISPLACED[self._found.misplaced]
        if self._found.target.isidentifier() and "into" in self.shape.parameters:
            hint = _INTO
        hint = hint.format(name=self.name, target=self._found.target)
        self.faults.append(self.span.fault(PragmaSyntaxError, message, hint=hint, pragma=self.name))


def _text_of(key: Node, scanner: Scanner) -> TextNode:
    return key if isinstance(key, TextNode) else TextNode(text="", span=scanner.span(scanner.position))
