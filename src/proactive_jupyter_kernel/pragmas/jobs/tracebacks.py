"""Finds the error in what a task wrote: the last Python traceback, with the causes that it is chained to."""

from __future__ import annotations

import re

__all__ = ["last_traceback"]

_HEAD = re.compile(r"[ \t]*(?:\+ Exception Group )?Traceback \(most recent call last\):\s*$")
_LINK = re.compile(
    r"(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\s*$"
)
#: What Python writes where a script does not even compile.
_SYNTAX = re.compile(
    r'^[ \t]+File "[^"\n]+", line \d+\n(?:[ \t]+[^\n]*\n)+\w*(?:Syntax|Indentation|Tab)Error:[^\n]*', re.MULTILINE
)


def last_traceback(text: str, *, is_whole: bool = False) -> str:
    """The last traceback of the text, or the last syntax error; empty where there is neither.

    `is_whole`: the text is that of one error, so that all that follows its last line belongs to its message.
    """
    lines = text.rstrip("\n").split("\n")
    heads = [number for number, line in enumerate(lines) if _HEAD.match(line)]
    if not heads:
        found = list(_SYNTAX.finditer(text))
        return found[-1].group() if found else ""
    first = heads.pop()
    end = len(lines) if is_whole else _end(lines, first)
    while heads and _is_linked(lines, heads[-1], first):
        first = heads.pop()
    return "\n".join(lines[first:end]) + "\n"


def _end(lines: list[str], head: int) -> int:
    """One past the line that names the exception: the first that is not indented. A group is indented to its end."""
    is_group = "+ Exception Group" in lines[head]
    number = head + 1
    while number < len(lines) and (not lines[number] or lines[number][0] in " \t"):
        number += 1
    return number if is_group else min(number + 1, len(lines))


def _is_linked(lines: list[str], head: int, following: int) -> bool:
    """Whether a sentence between two tracebacks says that the one led to the other."""
    before = [line for line in lines[head + 1 : following] if line.strip()]
    return bool(before) and _LINK.match(before[-1]) is not None
