r"""The named classes and sets of characters of Java's regular expressions: ``\p{Alpha}``, ``\p{L}``, ``\d``.

Each is the body of a class in the syntax of the package ``regex``.
"""

from __future__ import annotations

import re

__all__ = ["SETS", "UNICODE_SETS", "class_body"]

#: Java's classes by name, as the body of a class; ASCII only, as in Java without a flag.
_CLASSES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-\/\:-\@\[-`\{-\~",
    "Graph": r"\!-\~",
    "Print": r"\ -\~",
    "Blank": r"\ \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r"\ \t\n\x0b\f\r",
    "L1": r"\x00-\xff",
    "LD": r"\p{L}\p{Nd}",
    "all": r"\x00-\U0010ffff",
    "javaLowerCase": r"\p{Lowercase}",
    "javaUpperCase": r"\p{Uppercase}",
    "javaTitleCase": r"\p{Lt}",
    "javaAlphabetic": r"\p{Alphabetic}",
    "javaIdeographic": r"\p{Ideographic}",
    "javaDigit": r"\p{Nd}",
    "javaLetter": r"\p{L}",
    "javaLetterOrDigit": r"\p{L}\p{Nd}",
    "javaSpaceChar": r"\p{Z}",
    "javaWhitespace": r"\ \t-\r\x1c-\x1f\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000",
    "IsPunctuation": r"\p{P}",
    "IsControl": r"\p{Cc}",
    "IsLetter": r"\p{L}",
    "IsDigit": r"\p{Nd}",
}
_CATEGORY = re.compile(
    r"(?:Is|gc=|general_category=)?(L[ulmtoC]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfson]?)"
)
_PROPERTY = re.compile(r"(?:Is|In|sc=|script=|blk=|block=)[A-Za-z][A-Za-z0-9_ -]*")
#: Escapes for sets of characters, as the body of a class; the capital letter is the complement.
SETS = {
    "d": "0-9",
    "w": "a-zA-Z_0-9",
    "s": _CLASSES["Space"],
    "h": r"\ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\x0b\f\r\x85\u2028\u2029",
}
UNICODE_SETS = {"d": r"\p{Nd}", "w": r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d", "s": r"\p{White_Space}"}


def class_body(name: str) -> str | None:
    r"""The class ``\p{name}``; None if Java has no such class."""
    plain = name.removeprefix("Is")
    body = _CLASSES.get(name) or _CLASSES.get(plain)
    if body is not None:
        return body
    if category := _CATEGORY.fullmatch(name):
        return rf"\p{{{category.group(1)}}}"
    if not _PROPERTY.fullmatch(name):
        return None
    found = rf"\p{{{name if name.startswith('In') else plain}}}"
    return found if _is_property(found) else None


def _is_property(body: str) -> bool:
    import regex

    try:
        regex.compile(body)
    except regex.error:
        return False
    return True
