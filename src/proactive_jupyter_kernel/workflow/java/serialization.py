"""Values as Java's serialization stream, which ProActive's REST API uses for results and variables.

`dumps` writes what a task can produce (see ``values.py``) as the classes that ProActive's Python engine produces:
Integer, Long, Double, ArrayList, HashMap … `loads` reads those and the values of tasks in other languages; an object of
any other class becomes a `JavaObject`. The grammar is that of the "Java Object Serialization Specification", chapter 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from proactive_jupyter_kernel.workflow.java.serialization_read import JavaObject, Reader
from proactive_jupyter_kernel.workflow.values import MAX_DEPTH, NotPortableValue, Opaque

__all__ = ["JavaObject", "dumps", "loads"]

_MAGIC = bytes.fromhex("aced0005")
_NUMBER = ("java.lang.Number", "86ac951d0b94e08b", 2, (), "")
#: Class -> (name, serial version UID, flags, fields as (type, name, class of the field), super class).
#: Flags: 2 is serializable, 3 also writes data of its own.
_CLASSES: dict[str, tuple[str, str, int, tuple[tuple[str, str, str], ...], str]] = {
    "Number": _NUMBER,
    "Integer": ("java.lang.Integer", "12e2a0a4f7818738", 2, (("I", "value", ""),), "Number"),
    "Long": ("java.lang.Long", "3b8be490cc8f23df", 2, (("J", "value", ""),), "Number"),
    "Double": ("java.lang.Double", "80b3c24a296bfb04", 2, (("D", "value", ""),), "Number"),
    "Boolean": ("java.lang.Boolean", "cd207280d59cfaee", 2, (("Z", "value", ""),), ""),
    "byte[]": ("[B", "acf317f8060854e0", 2, (), ""),
    "ArrayList": ("java.util.ArrayList", "7881d21d99c7619d", 3, (("I", "size", ""),), ""),
    "HashSet": ("java.util.HashSet", "ba44859596b8b734", 3, (), ""),
    "HashMap": (
        "java.util.HashMap",
        "0507dac1c31660d1",
        3,
        (("F", "loadFactor", ""), ("I", "threshold", "")),
        "",
    ),
    "BigInteger": (
        "java.math.BigInteger",
        "8cfc9f1fa93bfb1d",
        3,
        (
            ("I", "bitCount", ""),
            ("I", "bitLength", ""),
            ("I", "firstNonzeroByteNum", ""),
            ("I", "lowestSetBit", ""),
            ("I", "signum", ""),
            ("[", "magnitude", "[B"),
        ),
        "Number",
    ),
    "BigDecimal": (
        "java.math.BigDecimal",
        "54c71557f981284f",
        3,
        (("I", "scale", ""), ("L", "intVal", "Ljava/math/BigInteger;")),
        "Number",
    ),
}
_LOAD_FACTOR = 0.75
#: Elements of a list that are written together.
_MANY = 1_000


def dumps(value: Any) -> bytes:
    """The stream for a portable value. Raises ValueError (`NotPortableValue`) for any other."""
    writer = _Writer()
    writer.write(value, 0)
    return _MAGIC + b"".join(writer.parts)


def loads(stream: bytes) -> Any:
    """The value in a stream. Raises ValueError if the bytes are not a complete stream.

    Lists, sets and maps of any class become list, set and dict; numbers int, float or Decimal; arrays lists, but
    byte[] bytes. Anything else is a `JavaObject`.
    """
    if stream[:4] != _MAGIC:
        raise ValueError("Not a Java serialization stream: it does not start with AC ED 00 05.")
    try:
        return Reader(stream, 4).value()
    except (IndexError, struct.error) as error:
        raise ValueError("The Java serialization stream ends too early.") from error
    except (TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"The Java serialization stream is damaged: {error!r}.") from error


def modified_utf8(text: str) -> bytes:
    """Java's modified UTF-8: NUL as two bytes, characters beyond the first plane as two surrogates of three bytes."""
    plain = text.encode("utf-8", "surrogatepass")
    if "\0" not in text and (len(plain) == len(text) or max(text) <= "\uffff"):
        return plain
    units = text.encode("utf-16-be", "surrogatepass")
    parts = [chr(high << 8 | low) for high, low in zip(units[::2], units[1::2], strict=True)]
    return b"".join(b"\xc0\x80" if part == "\0" else part.encode("utf-8", "surrogatepass") for part in parts)


class _Writer:
    """One stream. Class descriptions are written once and then referenced by their handle."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        #: Handles: the stream numbers class descriptions, objects, arrays and strings in their order.
        self.next_handle = 0x7E0000
        self.described: dict[str, int] = {}
        self.writers: dict[type, Callable[[Any, int], None]] = {
            type(None): lambda value, depth: self.emit(b"\x70"),
            bool: lambda value, depth: self.plain_object("Boolean", ">?", value),
            int: lambda value, depth: self.integer(value),
            float: lambda value, depth: self.plain_object("Double", ">d", value),
            str: lambda value, depth: self.string(value),
            bytes: lambda value, depth: self.byte_array(value),
            Decimal: lambda value, depth: self.decimal(value),
            list: self.list,
            tuple: self.list,
            set: self.set,
            frozenset: self.set,
            dict: self.map,
        }

    def emit(self, part: bytes) -> None:
        self.parts.append(part)

    def handle(self) -> int:
        self.next_handle += 1
        return self.next_handle - 1

    def write(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ValueError(f"The value lies more than {MAX_DEPTH} levels deep.")
        writer = self.writers.get(type(value))
        if writer is not None:
            writer(value, depth)
        elif isinstance(value, Opaque):
            self.string(str(value))
        else:
            kind = type(value).__qualname__
            raise NotPortableValue("value", kind, "no Java class stands for it", "call values.portable first")

    def describe(self, name: str) -> None:
        """The class description, or a reference to an earlier one."""
        if not name:
            self.emit(b"\x70")
            return
        if name in self.described:
            self.emit(b"\x71" + struct.pack(">I", self.described[name]))
            return
        full_name, uid, flags, fields, parent = _CLASSES[name]
        self.emit(b"\x72" + _counted(full_name) + bytes.fromhex(uid))
        self.described[name] = self.handle()
        self.emit(struct.pack(">BH", flags, len(fields)))
        for kind, field, field_class in fields:
            self.emit(kind.encode() + _counted(field))
            if field_class:
                self.string(field_class)
        self.emit(b"\x78")
        self.describe(parent)

    def begin(self, name: str, tag: bytes = b"\x73") -> None:
        self.emit(tag)
        self.describe(name)
        self.handle()

    def plain_object(self, name: str, layout: str, value: Any) -> None:
        self.begin(name)
        self.emit(struct.pack(layout, value))

    def integer(self, value: int) -> None:
        if -(2**31) <= value < 2**31:
            self.plain_object("Integer", ">i", value)
        elif -(2**63) <= value < 2**63:
            self.plain_object("Long", ">q", value)
        else:
            raise NotPortableValue("value", "int", "it needs more than 64 bits", "use str(…) or float(…)")

    def string(self, value: str) -> None:
        encoded = modified_utf8(value)
        if len(encoded) <= 0xFFFF:
            self.emit(b"\x74" + struct.pack(">H", len(encoded)) + encoded)
        else:
            self.emit(b"\x7c" + struct.pack(">Q", len(encoded)) + encoded)
        self.handle()

    def byte_array(self, value: bytes) -> None:
        self.begin("byte[]", b"\x75")
        self.emit(struct.pack(">I", len(value)) + value)

    def decimal(self, value: Decimal) -> None:
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise NotPortableValue("value", "Decimal", f"it is {value}", "use float(…) or str(…)")
        self.begin("BigDecimal")
        self.emit(struct.pack(">i", -exponent))
        magnitude = int("".join(map(str, digits)) or "0")
        self.big_integer(-magnitude if sign else magnitude)
        self.emit(b"\x78")

    def big_integer(self, value: int) -> None:
        self.begin("BigInteger")
        sign = (value > 0) - (value < 0)
        # The first four are caches of older Java versions; these are the values that mean "not computed".
        self.emit(struct.pack(">5i", -1, -1, -2, -2, sign))
        size = (abs(value).bit_length() + 7) // 8
        self.byte_array(abs(value).to_bytes(size, "big"))
        self.emit(b"\x78")

    def elements(self, items: Iterable[Any], depth: int) -> None:
        for item in items:
            self.write(item, depth + 1)
        self.emit(b"\x78")

    def numbers(self, name: str, layout: str, items: list[Any]) -> None:
        """Objects of one class of numbers that is described already: many at once."""
        lead = b"\x73\x71" + struct.pack(">I", self.described[name])
        content = struct.pack(f">{len(items)}{layout}", *items)
        size = struct.calcsize(f">{layout}")
        self.emit(lead + lead.join([content[at : at + size] for at in range(0, len(content), size)]))
        self.next_handle += len(items)

    def long_list(self, value: list[Any], depth: int) -> None:
        """The elements of a long list, those that are all small integers or all floats many at once."""
        for begin in range(0, len(value), _MANY):
            part = value[begin : begin + _MANY]
            (kind, *others) = {type(item) for item in part}
            is_small = kind is int and not others and min(part) >= -(2**31) and max(part) < 2**31
            if not others and (is_small or kind is float):
                name = "Integer" if is_small else "Double"
                if name not in self.described:
                    self.write(part.pop(0), depth + 1)
                if part:
                    self.numbers(name, "i" if is_small else "d", part)
            else:
                for item in part:
                    self.write(item, depth + 1)
        self.emit(b"\x78")

    def list(self, value: list[Any], depth: int) -> None:
        self.begin("ArrayList")
        self.emit(struct.pack(">i2si", len(value), b"\x77\x04", len(value)))
        if len(value) > _MANY and depth < MAX_DEPTH:
            self.long_list(list(value), depth)
        else:
            self.elements(value, depth)

    def set(self, value: set[Any], depth: int) -> None:
        self.begin("HashSet")
        self.emit(struct.pack(">2sifi", b"\x77\x0c", _capacity(len(value)), _LOAD_FACTOR, len(value)))
        self.elements(value, depth)

    def map(self, value: dict[Any, Any], depth: int) -> None:
        self.begin("HashMap")
        capacity = _capacity(len(value))
        self.emit(struct.pack(">fi2sii", _LOAD_FACTOR, capacity * 3 // 4, b"\x77\x08", capacity, len(value)))
        self.elements((part for pair in value.items() for part in pair), depth)


def _capacity(size: int) -> int:
    """The number of buckets of a Java hash table for so many entries: a power of two, at most three quarters full."""
    capacity = 16
    while capacity * 3 // 4 < size:
        capacity *= 2
    return capacity


def _counted(text: str) -> bytes:
    encoded = modified_utf8(text)
    return struct.pack(">H", len(encoded)) + encoded
