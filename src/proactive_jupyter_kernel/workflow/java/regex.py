"""Converts Java's regular expressions, which variable models and Spring expressions use, to Python's.

Most of the syntax is the same; this file rewrites the differences (named groups, POSIX and Unicode classes, quoting,
the meaning of the dot and of ``\\d``) and reports constructs that Python does not have.
"""

from __future__ import annotations

import re

__all__ = ["UnsupportedRegex", "compile_java"]

_DOT = r"[^\n\r\x85\u2028\u2029]"
#: Java's classes by name, as the body of a Python character class; ASCII only, as in Java without a flag.
_CLASSES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
}
#: Escapes with a different meaning outside of a character class.
_ESCAPES = {
    "R": r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])",
    "z": r"\Z",
    "Z": r"(?=(?:\r\n|[\n\r\x85\u2028\u2029])?\Z)",
    "h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "e": r"\x1b",
}
_SAME = set("dDwWsSbBAtnrf0123456789xu")
_NAMED_CLASS = re.compile(r"\{(?:Is|java)?(\w+)\}")
_COUNT = re.compile(r"\{\d+(,\d*)?\}")
_GROUP = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_FLAGS = re.compile(r"\(\?([A-Za-z]*)(?:-([A-Za-z]*))?([:)])")


class UnsupportedRegex(ValueError):
    """A pattern is not valid in Java, or uses an unsupported construct; the message is the rest of a sentence."""


def compile_java(pattern: str) -> re.Pattern[str]:
    """The Python equivalent of Java's `pattern`; raises UnsupportedRegex."""
    translated = _Translator(pattern).run()
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnsupportedRegex(f"{pattern!r} is not a regular expression: {error}") from error


class _Translator:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.parts: list[str] = []
        self.dot_matches_all = False

    def run(self) -> str:
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            step = {"\\": self.escape, "[": self.character_class, "(": self.group, "{": self.count}.get(character)
            if step is not None:
                step()
            else:
                self.take(1, _DOT if character == "." and not self.dot_matches_all else character)
        return "".join(self.parts)

    def take(self, length: int, text: str) -> None:
        self.position += length
        self.parts.append(text)

    def refuse(self, construct: str) -> UnsupportedRegex:
        return UnsupportedRegex(f"{self.pattern!r} uses {construct}, which is not supported here")

    def count(self) -> None:
        """``{n}``, ``{n,}``, ``{n,m}``; Java has no plain brace."""
        match = _COUNT.match(self.pattern, self.position)
        if not match:
            raise UnsupportedRegex(f"{self.pattern!r} is not a regular expression: illegal repetition {{")
        self.take(len(match.group()), match.group())

    def group(self) -> None:
        named = _GROUP.match(self.pattern, self.position)
        flags = _FLAGS.match(self.pattern, self.position)
        if named:
            self.take(len(named.group()), f"(?P<{named.group(1)}>")
        elif flags and flags.group() != "(?:":
            on, off, _ = flags.groups(default="")
            if set(on + off) - set("imsx"):
                raise self.refuse(f"the flags {flags.group()}")
            self.dot_matches_all = self.dot_matches_all or "s" in on
            self.take(len(flags.group()), flags.group())
        else:
            self.take(1, "(")

    def escape(self) -> None:
        following = self.pattern[self.position + 1 : self.position + 2]
        if following == "Q":
            self.quote()
        elif following in ("p", "P") and following:
            inside = self.named_class(following)
            self.parts.append(f"[{'^' if following == 'P' else ''}{inside}]")
        elif following == "k":
            match = re.compile(r"\\k<(\w+)>").match(self.pattern, self.position)
            if not match:
                raise UnsupportedRegex(f"{self.pattern!r} is not a regular expression: \\k needs a group's name")
            self.take(len(match.group()), f"(?P={match.group(1)})")
        elif following in _ESCAPES and following:
            self.take(2, _ESCAPES[following])
        else:
            self.plain_escape(following)

    def plain_escape(self, following: str) -> None:
        """An escape that is the same in both dialects."""
        if not following:
            raise UnsupportedRegex(f"{self.pattern!r} is not a regular expression: it ends with a backslash")
        if following.isascii() and following.isalpha() and following not in _SAME:
            raise self.refuse(f"\\{following}")
        self.take(2, re.escape(following) if not following.isalnum() else f"\\{following}")

    def quote(self) -> None:
        r"""``\Q … \E``: the text as it is."""
        end = self.pattern.find("\\E", self.position)
        end = len(self.pattern) if end < 0 else end
        self.parts.append(re.escape(self.pattern[self.position + 2 : end]))
        self.position = min(end + 2, len(self.pattern))

    def named_class(self, letter: str) -> str:
        r"""``\p{Alpha}``, ``\p{IsAlpha}``; the body of a character class."""
        match = _NAMED_CLASS.match(self.pattern, self.position + 2)
        name = match.group(1) if match else self.pattern[self.position + 2 : self.position + 3]
        if name not in _CLASSES:
            raise self.refuse(f"the class \\{letter}{{{name}}}")
        self.position += 2 + (len(match.group()) if match else 1)
        return _CLASSES[name]

    def character_class(self) -> None:
        """``[…]``; unions, intersections and Python's own set operators are distinguished."""
        self.take(1, "[")
        if self.pattern.startswith("^", self.position):
            self.take(1, "^")
        first = True
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if character == "]" and not first:
                self.take(1, "]")
                return
            first = False
            self.class_member(character)
        raise UnsupportedRegex(f"{self.pattern!r} is not a regular expression: a character class is not closed")

    def class_member(self, character: str) -> None:
        if character == "[":
            raise self.refuse("a class inside of a class")
        if self.pattern.startswith("&&", self.position):
            raise self.refuse("an intersection of classes (&&)")
        if character == "\\":
            following = self.pattern[self.position + 1 : self.position + 2]
            if following == "p":
                self.parts.append(self.named_class(following))
            elif following == "h":
                self.take(2, _ESCAPES["h"][1:-1])
            else:
                self.plain_escape(following)
        elif character == "-" and self.parts[-1] == "-":
            self.take(1, r"\-")
        else:
            self.take(1, f"\\{character}" if character in "|~&]" else character)
