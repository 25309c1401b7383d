"""The lexical types of the workflow XML: conversion between the text of an attribute and its value.

Each type is a pair of functions: `read` parses the text of the attribute and raises ValueError with the rest of a
sentence ("must be …") if it does not have the type; `write` returns the text of a value.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.workflow.model import Block, ErrorPolicy, Priority, Reference, RestartMode
from proactive_jupyter_kernel.workflow.names import ncname_problem

__all__ = [
    "ACCESS_IN",
    "ACCESS_OUT",
    "BLOCK",
    "BOOLEAN",
    "CLASS_NAME",
    "COUNT",
    "DURATION",
    "FILES",
    "FLAG",
    "JOB_NAME",
    "MICROSECONDS",
    "NAME",
    "NOT_EMPTY",
    "POLICY",
    "PRIORITY",
    "RESTART",
    "SELECTION_TYPE",
    "TAGS",
    "TEXT",
    "URI",
    "Lexical",
    "characters_problem",
    "uri_problem",
]

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9._]+)\}")
_DURATION = re.compile(r"0*[1-9][0-9]*(:[0-5][0-9]){0,2}")
_COUNT = re.compile(r"\+?[0-9]+|-0+")
_CLASS = re.compile(r"([A-Za-z_$][A-Za-z_0-9$]*\.)*[A-Za-z_$][A-Za-z_0-9$]*")
_TAG = re.compile(r"[A-Za-z_0-9-]+([ \t\n\r]+[A-Za-z_0-9-]+)*")
#: Characters that XML 1.0 cannot contain (section 2.2), not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: RFC 2396 as libxml2 and Java read it: an optional scheme, no blank, two hexadecimal digits after a percent sign.
_URI = re.compile(
    r"""(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?\#]*:))   # a scheme, or no colon before the path's first slash
        (?:[^\x00-\x20\x7f%\#\[\]]|%[0-9A-Fa-f]{2})*       # authority, path and query
        (?:\#(?:[^\x00-\x20\x7f%\#\[\]]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)
#: The server keeps milliseconds in 64 bits.
MAX_SECONDS = (2**63 - 1) // 1000
#: The server keeps counts in 32 bits.
MAX_COUNT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Lexical:
    """A type of attribute."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def characters_problem(text: str) -> str:
    """Which character of `text` XML cannot contain, as the rest of a sentence; empty if there is none."""
    fault = _ILLEGAL.search(text)
    if fault is None:
        return ""
    line = text.count("\n", 0, fault.start()) + 1
    where = f" in line {line}" if "\n" in text else ""
    return f"holds the character U+{ord(fault.group()):04X}{where}, which XML cannot carry; remove or escape it"


def uri_problem(text: str) -> str:
    """Why `text` is not a URI or reference, as the rest of a sentence; empty if it is one."""
    if _URI.fullmatch(text) or _REFERENCE.fullmatch(text):
        return ""
    if " " in text:
        return "must be a URI; write %20 for a blank"
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return "must be a URI; write %25 for a percent sign"
    return "must be a URI, such as a path or https://host/path"


def _with_reference(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same type, which also accepts a single ``${NAME}``."""

    def read_or_refer(text: str) -> Any:
        reference = _REFERENCE.fullmatch(text)
        return Reference(reference.group(1)) if reference else read(text)

    return read_or_refer


def _reference_problem(reference: Reference) -> str:
    if _REFERENCE.fullmatch(str(reference)):
        return ""
    return f"must be a reference like ${{NAME}} with letters, digits, '.' and '_' only, not {reference}"


def _write(write: Callable[[Any], str]) -> Callable[[Any], str]:
    def write_or_refer(value: Any) -> str:
        if not isinstance(value, Reference):
            return write(value)
        problem = _reference_problem(value)
        if problem:
            raise ValueError(problem)
        return str(value)

    return write_or_refer


def _read_boolean(text: str) -> bool:
    """As the server's parser does: "true" in any case is true, anything else is false."""
    if text.strip().lower() not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return text.strip().lower() == "true"


def _write_boolean(value: Any) -> str:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return "true" if value else "false"


def _read_count(lowest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.strip()
        if not _COUNT.fullmatch(plain) or len(plain) > 20 or not lowest <= int(plain) <= MAX_COUNT:
            raise ValueError(f"must be an integer of at least {lowest}")
        return int(plain)

    return read


def _write_count(lowest: int) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= MAX_COUNT:
            raise ValueError(f"must be an integer of at least {lowest}, not {value!r}")
        return str(value)

    return write


_DURATION_HINT = "must be a time such as 90, 1:30 or 1:00:00, and its first part must not be zero"


def _read_duration(text: str) -> int:
    if not _DURATION.fullmatch(text) or len(text) > 30:
        raise ValueError(_DURATION_HINT)
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part)
    if seconds > MAX_SECONDS:
        raise ValueError("is longer than the scheduler can represent")
    return seconds


def _write_duration(value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_SECONDS:
        raise ValueError(f"must be a time of whole seconds, at least 1, not {value!r}")
    minutes, seconds = divmod(value, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}" if minutes else str(seconds)


def _enumeration(kind: type[enum.Enum]) -> Lexical:
    """A type whose texts are the values of the members."""
    by_text = {str(member.value): member for member in kind}

    def read(text: str) -> Any:
        if text.strip() not in by_text:
            raise ValueError(f"must be one of {', '.join(by_text)}")
        return by_text[text.strip()]

    def write(value: Any) -> str:
        if not isinstance(value, kind):
            raise ValueError(f"must be one of {', '.join(by_text)}, not {value!r}")
        return str(value.value)

    return Lexical(read, write)


_PRIORITIES = {priority.name.lower(): priority for priority in Priority}


def _read_priority(text: str) -> Priority:
    name = text.strip()
    if name not in _PRIORITIES or name == "idle":
        raise ValueError("must be one of highest, high, normal, low, lowest")
    return _PRIORITIES[name]


def _write_priority(value: Any) -> str:
    if not isinstance(value, Priority):
        raise ValueError(f"must be one of highest, high, normal, low, lowest, not {value!r}")
    if value is Priority.IDLE:
        raise ValueError("'idle' cannot be written: the schema has no such priority; use 'lowest'")
    return value.name.lower()


def _read_name(text: str) -> str:
    problem = ncname_problem(text.strip())
    if problem:
        raise ValueError(f"{text!r} {problem}")
    return text.strip()


def _write_name(value: Any) -> str:
    problem = ncname_problem(value)
    if problem:
        raise ValueError(f"{value!r} {problem}")
    return str(value)


def _read_matching(pattern: re.Pattern[str], demand: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(demand)
        return text

    return read


def _text_type(read: Callable[[str], str]) -> Lexical:
    """A type whose value is its text, references included as they are."""
    return Lexical(read, read)


def _read_choice(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.strip() not in words and not _REFERENCE.fullmatch(text):
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.strip()

    return read


def _read_uri(text: str) -> str:
    """Accepts blanks and brackets, as the server's schema language does; XML Schema does not, so none are written."""
    problem = uri_problem(re.sub(r"[ \[\]]", "_", text.strip()))
    if problem:
        raise ValueError(problem)
    return text.strip()


def _write_uri(value: str) -> str:
    problem = uri_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def _read_tags(text: str) -> tuple[str, ...]:
    tags = tuple(tag.strip() for tag in text.split(",")) if text.strip() else ()
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise ValueError(f"must be tags of letters, digits, '_', '-' and blanks between commas; {tag!r} is not")
    return tags


def _write_tags(tags: tuple[str, ...]) -> str:
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise ValueError(f"{tag!r} is not a tag: use letters, digits, '_', '-', and blanks between them only")
    return ",".join(tags)


def _class_or_reference(text: str) -> str:
    if not _CLASS.fullmatch(text) and not _REFERENCE.fullmatch(text):
        raise ValueError("must be the full name of a Java class")
    return text


_SPACES = ("InputSpace", "OutputSpace", "GlobalSpace", "UserSpace")

TEXT = _text_type(str)
NOT_EMPTY = _text_type(_read_matching(re.compile(".+", re.DOTALL), "must not be empty"))
JOB_NAME = _text_type(_read_matching(re.compile(".{2,}", re.DOTALL), "must have at least 2 characters"))
NAME = Lexical(_read_name, _write_name)
URI = Lexical(_read_uri, _write_uri)
CLASS_NAME = _text_type(_class_or_reference)
FILES = _text_type(_read_matching(re.compile("[^\n\r]+"), "must be a file pattern on one line and must not be empty"))
ACCESS_IN = _text_type(
    _read_choice((*(f"{verb}From{space}" for verb in ("transfer", "cache") for space in _SPACES), "none"))
)
ACCESS_OUT = _text_type(_read_choice((*(f"transferTo{space}" for space in _SPACES[1:]), "none")))
SELECTION_TYPE = _text_type(_read_choice(("dynamic", "static")))
TAGS = Lexical(_read_tags, _write_tags)
BOOLEAN = Lexical(_read_boolean, _write_boolean)
FLAG = Lexical(_with_reference(_read_boolean), _write(_write_boolean))
#: At least 1: the schema also allows 0, but the server's parser does not.
COUNT = Lexical(_with_reference(_read_count(1)), _write(_write_count(1)))
MICROSECONDS = Lexical(_read_count(0), _write_count(0))
DURATION = Lexical(_with_reference(_read_duration), _write(_write_duration))
_POLICY = _enumeration(ErrorPolicy)
POLICY = Lexical(_with_reference(_POLICY.read), _write(_POLICY.write))
_RESTART = _enumeration(RestartMode)
RESTART = Lexical(_with_reference(_RESTART.read), _write(_RESTART.write))
PRIORITY = Lexical(_with_reference(_read_priority), _write(_write_priority))
BLOCK = _enumeration(Block)
