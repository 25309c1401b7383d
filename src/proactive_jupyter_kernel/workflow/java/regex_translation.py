r"""The translation of Java's regular expressions to the syntax of the package ``regex`` (its version 1).

Only what Java knows is let through: the extensions of that package (fuzzy matching, recursion, verbs) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.workflow.java.regex_classes import SETS, UNICODE_SETS, class_body

__all__ = ["UnsupportedRegex", "translated"]

#: Counted repetitions are expanded when a pattern is compiled; this is the limit for their product.
_MAX_ELEMENTS = 10_000
_MAX_DEPTH = 60

_LINE_ENDS = r"\n\r\x85\u2028\u2029"
_CHARACTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
#: Escapes outside of a class that are neither a character nor a set.
_ANCHORS = {
    "b": r"\b",
    "B": r"\B",
    "A": r"\A",
    "z": r"\Z",
    "Z": rf"(?=(?:\r\n|[{_LINE_ENDS}])?\Z)",
    "G": r"\G",
    "R": r"(?>\r\n|[\n\x0b\f\r\x85\u2028\u2029])",
    "X": r"\X",
}
_COUNT = re.compile(r"\{(\d{1,9})(?:(,)(\d{0,9}))?\}")
_GROUP = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_PLAIN_GROUP = re.compile(r"\((?:\?(?::|=|!|>|<=|<!))?(?![?*])")
_FLAGS = re.compile(r"\(\?([A-Za-z]*)(?:-([A-Za-z]*))?([:)])")
_NAMED = re.compile(r"\{\^?([^{}]*)\}")
_CODE = re.compile(r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|0([0-3]?[0-7]{1,2})|c(.)", re.DOTALL)


class UnsupportedRegex(ValueError):
    """A pattern is not valid in Java, or uses an unsupported construct; the message is the rest of a sentence."""


@dataclass(frozen=True, slots=True)
class _Flags:
    """The flags that are valid at a position."""

    case: bool = False
    unicode_case: bool = False
    lines: bool = False
    dot_all: bool = False
    comments: bool = False
    unix_lines: bool = False
    unicode: bool = False


_FLAG_NAMES = {
    "i": "case",
    "u": "unicode_case",
    "m": "lines",
    "s": "dot_all",
    "x": "comments",
    "d": "unix_lines",
    "U": "unicode",
}


def translated(pattern: str) -> str:
    """`pattern` in the syntax of ``regex``; raises UnsupportedRegex."""
    return _Translator(pattern).run()


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.parts: list[str] = []
        self.flags = _Flags()
        #: For each open group: the flags outside of it, and what it has to close.
        self.open: list[tuple[_Flags, str]] = []
        self.groups = 0
        #: How many elements each open group and the last element expand to.
        self.sizes = [0]
        self.last = 0

    def run(self) -> str:
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if self.flags.comments and (character.isspace() or character == "#"):
                self.comment(character)
            else:
                _STEPS.get(character, _Translator.character)(self)
        if self.open:
            raise self.wrong("a parenthesis is not closed")
        return "".join(self.parts)

    def wrong(self, why: str) -> UnsupportedRegex:
        return UnsupportedRegex(f"{_short(self.pattern)} is not a regular expression: {why}")

    def refuse(self, construct: str) -> UnsupportedRegex:
        return UnsupportedRegex(f"{_short(self.pattern)} uses {construct}, which is not supported here")

    def take(self, length: int, text: str, size: int = 0) -> None:
        self.position += length
        self.parts.append(text)
        self.last = size
        self.grow(size)

    def grow(self, size: int) -> None:
        self.sizes[-1] += size
        if self.sizes[-1] > _MAX_ELEMENTS:
            raise self.wrong(f"its counted repetitions expand to more than {_MAX_ELEMENTS:,} elements")

    # --- outside of a class ---

    def comment(self, character: str) -> None:
        """With the flag x, blanks and comments count for nothing."""
        end = self.pattern.find("\n", self.position) if character == "#" else self.position
        self.position = len(self.pattern) if end < 0 else end + 1

    def character(self) -> None:
        self.take(1, _literal(self.pattern[self.position]), 1)

    def quantifier(self) -> None:
        if not self.last:
            raise self.wrong(f"there is nothing to repeat before {self.pattern[self.position]!r}")
        self.quantified(1, self.pattern[self.position])

    def count(self) -> None:
        """``{n}``, ``{n,}``, ``{n,m}``; Java has no plain brace."""
        match = _COUNT.match(self.pattern, self.position)
        if not match or not self.last:
            raise self.wrong("illegal repetition {")
        least, most = int(match[1]), int(match[3] or match[1])
        if match[3] and most < least:
            raise self.wrong(f"illegal repetition range {match.group()}")
        self.grow(self.last * (max(least, most, 1) - 1))
        self.quantified(len(match.group()), f"{{{least}{match[2] or ''}{most if match[3] else ''}}}")

    def quantified(self, length: int, text: str) -> None:
        self.position += length
        if self.pattern[self.position : self.position + 1] in ("?", "+"):
            text += self.pattern[self.position]
            self.position += 1
        self.parts.append(text)
        self.last = 0

    def dot(self) -> None:
        if self.flags.dot_all:
            self.take(1, "(?s:.)", 1)
        else:
            self.take(1, r"[^\n]" if self.flags.unix_lines else f"[^{_LINE_ENDS}]", 1)

    def start(self) -> None:
        ends = r"\n" if self.flags.unix_lines else r"\n\x85\u2028\u2029"
        later = rf"(?:(?<=[{ends}])" + ("" if self.flags.unix_lines else r"|(?<=\r)(?!\n)") + r")(?!\Z)"
        self.take(1, rf"(?:\A|{later})" if self.flags.lines else r"\A", 1)

    def end(self) -> None:
        if self.flags.unix_lines:
            self.take(1, r"(?=\n|\Z)" if self.flags.lines else r"(?=\n?\Z)", 1)
        elif self.flags.lines:
            self.take(1, rf"(?=[{_LINE_ENDS}]|\Z)(?<!\r(?=\n))", 1)
        else:
            self.take(1, _ANCHORS["Z"], 1)

    def alternative(self) -> None:
        self.take(1, "|")

    def group(self) -> None:
        named = _GROUP.match(self.pattern, self.position)
        plain = _PLAIN_GROUP.match(self.pattern, self.position)
        flags = _FLAGS.match(self.pattern, self.position)
        if len(self.open) >= _MAX_DEPTH:
            raise self.wrong("it is nested too deep")
        if named:
            self.enter(len(named.group()), f"(?P<{named.group(1)}>", capturing=True)
        elif plain:
            self.enter(len(plain.group()), plain.group(), capturing=plain.group() == "(")
        elif flags:
            self.change_flags(flags)
        else:
            shown = self.pattern[self.position : self.position + 4]
            raise self.wrong(f"unknown group {shown!r}")

    def enter(self, length: int, text: str, *, capturing: bool = False, flags: _Flags | None = None) -> None:
        self.groups += capturing
        self.open.append((self.flags, ")"))
        self.flags = flags or self.flags
        self.sizes.append(0)
        self.position += length
        self.parts.append(text)
        self.last = 0

    def change_flags(self, match: re.Match[str]) -> None:
        on, off, closing = match.groups(default="")
        unknown = set(on + off) - set(_FLAG_NAMES)
        if unknown:
            raise self.refuse(f"the flags {match.group()}")
        changed = replace(
            self.flags,
            **{_FLAG_NAMES[letter]: True for letter in on},
            **{_FLAG_NAMES[letter]: False for letter in off},
        )
        insensitive = "(?i-f" if changed.case else "(?-if"
        if closing == ":":
            self.enter(len(match.group()), f"{insensitive}:", flags=changed)
            return
        self.take(len(match.group()), f"{insensitive})")
        self.flags = changed

    def close(self) -> None:
        if not self.open:
            raise self.wrong("a closing parenthesis has no opening one")
        self.flags, text = self.open.pop()
        size = self.sizes.pop() + 1
        self.take(1, text, size)

    def escape(self) -> None:
        following = self.pattern[self.position + 1 : self.position + 2]
        if following == "Q":
            for character in self.quoted():
                self.take(0, _literal(character), 1)
        elif following == "k":
            match = re.compile(r"\\k<(\w+)>").match(self.pattern, self.position)
            if not match:
                raise self.wrong("\\k needs a group's name")
            self.take(len(match.group()), f"(?P={match.group(1)})", 1)
        elif following in "123456789" and following:
            self.back_reference()
        elif following in _ANCHORS and following:
            self.take(2, _ANCHORS[following], 1)
        else:
            members, is_set = self.escaped_member()
            self.take(0, f"[{members}]" if is_set else members, 1)

    def back_reference(self) -> None:
        """As many digits as there are groups so far."""
        number, end = int(self.pattern[self.position + 1]), self.position + 2
        while end < len(self.pattern) and self.pattern[end] in "0123456789":
            if 10 * number + int(self.pattern[end]) > self.groups:
                break
            number, end = 10 * number + int(self.pattern[end]), end + 1
        self.take(end - self.position, rf"\g<{number}>" if number <= self.groups else "(?!)", 1)

    def quoted(self) -> str:
        r"""``\Q … \E``: the text as it is."""
        end = self.pattern.find("\\E", self.position)
        end = len(self.pattern) if end < 0 else end
        text = self.pattern[self.position + 2 : end]
        self.position = min(end + 2, len(self.pattern))
        return text

    # --- inside and outside of a class ---

    def escaped_member(self) -> tuple[str, bool]:
        """An escape as the body of a class, and whether it is a set of characters; the position is behind it."""
        following = self.pattern[self.position + 1 : self.position + 2]
        if not following:
            raise self.wrong("it ends with a backslash")
        if following in "pP":
            return self.named_class(following), True
        if following.lower() in SETS:
            self.position += 2
            body = UNICODE_SETS.get(following.lower()) if self.flags.unicode else None
            body = body or SETS[following.lower()]
            return (f"[^{body}]" if following.isupper() else body), True
        if following in _CHARACTERS:
            self.position += 2
            return _literal(_CHARACTERS[following]), False
        code = _CODE.match(self.pattern, self.position + 1)
        if code:
            self.position += 1 + len(code.group())
            return _literal(self.coded(code)), False
        if following.isascii() and following.isalnum():
            raise self.refuse(f"\\{following}")
        self.position += 2
        return _literal(following), False

    def coded(self, code: re.Match[str]) -> str:
        two, braced, four, octal, control = code.groups()
        if control is not None:
            return chr(ord(control) ^ 64)
        number = int(octal, 8) if octal is not None else int(two or braced or four, 16)
        if number > 0x10FFFF:
            raise self.wrong(f"there is no character \\{code.group()}")
        return chr(number)

    def named_class(self, letter: str) -> str:
        r"""``\p{Alpha}``, ``\p{L}``, ``\p{IsLatin}``; the body of a character class."""
        match = _NAMED.match(self.pattern, self.position + 2)
        name = match.group(1) if match else self.pattern[self.position + 2 : self.position + 3]
        body = class_body(name)
        if body is None:
            raise self.refuse(f"the class \\{letter}{{{_short(name)[1:-1]}}}")
        self.position += 2 + (len(match.group()) if match else 1)
        return f"[^{body}]" if letter == "P" else body

    def character_class(self) -> None:
        self.take(0, self.class_at(0), 1)

    def class_at(self, depth: int) -> str:
        """``[…]``, with unions (a class inside of a class) and intersections (``&&``)."""
        if depth > _MAX_DEPTH:
            raise self.wrong("it is nested too deep")
        self.position += 1
        opening = "["
        if self.pattern.startswith("^", self.position):
            self.position += 1
            opening = "[^"
        sides: list[list[str]] = [[]]
        first = True
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if character == "]" and not first:
                self.position += 1
                filled = ["".join(side) for side in sides if side]
                if not filled:
                    raise self.wrong("a character class is empty")
                return opening + "&&".join(f"[{side}]" for side in filled) + "]"
            if self.pattern.startswith("&&", self.position):
                self.position += 2
                sides.append([])
            elif self.flags.comments and character.isspace():
                self.position += 1
            else:
                sides[-1].append(self.class_at(depth + 1) if character == "[" else self.class_member())
            first = False
        raise self.wrong("a character class is not closed")

    def class_member(self) -> str:
        """A character, a range, or a set."""
        if self.pattern.startswith("\\Q", self.position):
            return "".join(map(_literal, self.quoted()))
        low, is_set = self.class_atom()
        after = self.pattern[self.position + 1 : self.position + 2]
        if is_set or self.pattern[self.position : self.position + 1] != "-" or after in ("", "]", "["):
            return low
        self.position += 1
        high, is_set = self.class_atom()
        if is_set:
            return rf"{low}\-{high}"
        if _plain(high) < _plain(low):
            raise self.wrong("a range of characters is in the wrong order")
        return f"{low}-{high}"

    def class_atom(self) -> tuple[str, bool]:
        character = self.pattern[self.position]
        if character == "\\":
            return self.escaped_member()
        self.position += 1
        return _literal(character), False


def _literal(character: str) -> str:
    """A character that has no meaning, inside and outside of a class."""
    if character.isalnum() or ord(character) > 127:
        return character
    return f"\\x{ord(character):02x}"


def _plain(literal: str) -> str:
    return chr(int(literal[2:], 16)) if literal.startswith("\\x") else literal


def _short(text: str) -> str:
    return repr(text) if len(text) <= 80 else repr(text[:79] + "…")


_STEPS: dict[str, Callable[[_Translator], None]] = {
    "\\": _Translator.escape,
    "[": _Translator.character_class,
    "(": _Translator.group,
    ")": _Translator.close,
    "{": _Translator.count,
    "*": _Translator.quantifier,
    "+": _Translator.quantifier,
    "?": _Translator.quantifier,
    ".": _Translator.dot,
    "^": _Translator.start,
    "$": _Translator.end,
    "|": _Translator.alternative,
}
