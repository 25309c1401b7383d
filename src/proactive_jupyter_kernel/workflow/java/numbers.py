"""Numbers as Java's ``parseInt``, ``parseLong``, ``parseDouble`` and ``parseFloat`` read them, in linear time."""

from __future__ import annotations

import math
import re
import struct

__all__ = ["parse_double", "parse_float", "parse_whole", "to_float", "wrapped"]

#: No number that a workflow needs is longer; Python takes quadratic time for long ones.
_MAX_LENGTH = 1_000
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?")
#: A hexadecimal number must have its binary exponent.
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
#: What ``String.trim()`` removes.
_BLANKS = "".join(map(chr, range(33)))


def parse_whole(text: str, bits: int) -> int:
    """Java's Short, Integer or Long. Raises ValueError, whose message is a clause."""
    if len(text) > _MAX_LENGTH or not _WHOLE.fullmatch(text):
        raise ValueError(f"{_short(text)} is not an integer")
    value = int(text)
    if value != wrapped(value, bits):
        raise ValueError(f"{_short(text)} is not an integer of {bits} bits")
    return value


def parse_double(text: str) -> float:
    """Surrounding blanks, an exponent, a suffix f or d, hexadecimal numbers such as ``0x1p3``, NaN and Infinity."""
    plain = text.strip(_BLANKS)
    if plain in _SPECIAL:
        return _SPECIAL[plain]
    if len(plain) <= _MAX_LENGTH and _DECIMAL.fullmatch(plain):
        return float(plain.rstrip("fFdD"))
    if len(plain) <= _MAX_LENGTH and _HEXADECIMAL.fullmatch(plain):
        try:
            return float.fromhex(plain.rstrip("fFdD"))
        except OverflowError:
            return -math.inf if plain.startswith("-") else math.inf
    raise ValueError(f"{_short(text)} is not a number")


def parse_float(text: str) -> float:
    """The same with 32 bits: 1e50 is infinite."""
    return to_float(parse_double(text))


def to_float(value: float) -> float:
    """The nearest number of 32 bits."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def wrapped(value: int, bits: int) -> int:
    """The value after an overflow of an integer of this size."""
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else repr(text[:59] + "…")


def power(base: float, exponent: float) -> float:
    """``Math.pow`` of Java, which differs from C at zero, at one and in overflows."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    is_odd = math.isfinite(exponent) and exponent % 2 == 1
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and is_odd else math.inf
    except ValueError:
        if base != 0:
            return math.nan
        return math.copysign(math.inf, base) if is_odd else math.inf
