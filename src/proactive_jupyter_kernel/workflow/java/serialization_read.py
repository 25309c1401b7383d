"""Reads Java's serialization stream: its grammar, and the classes with an equivalent in Python.

A stream is not trusted: nothing in it is looked up or called, sizes are checked against the remaining bytes, and depth
is limited.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from proactive_jupyter_kernel.workflow.values import MAX_DEPTH, Opaque, text

__all__ = ["JavaObject", "Reader"]

_FIRST_HANDLE = 0x7E0000
#: Objects of other languages wrap their values in more objects, so this is more than `values.py` allows.
_MAX_NESTING = 2 * MAX_DEPTH
_SERIALIZABLE, _WRITES_MORE, _EXTERNALIZABLE, _BLOCKS = 2, 1, 4, 8
#: Primitive type -> its `struct` format.
_PRIMITIVES = {"B": "b", "C": "H", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}

#: Classes that are a number -> the type of their only field.
_NUMBERS = {"java.lang.Integer": "I", "java.lang.Long": "J", "java.lang.Double": "D"}
#: Bytes in front of an object of a class that is described already, and how many such objects are read together.
_LEAD, _MANY = 6, 256


class JavaObject(Opaque):
    """An object of a class without an equivalent in Python."""

    def __init__(self, class_name: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__("")
        self.class_name = class_name
        #: All fields, including those of the superclasses, by name.
        self.fields: Mapping[str, Any] = {} if fields is None else fields

    def __str__(self) -> str:
        """A description in one line: class and message of a throwable, the constant of an enum, else the class."""
        for name in ("detailMessage", "<name>"):
            if name in self.fields:
                message = self.fields[name]
                break
        else:
            return self.class_name
        if name == "<name>":
            return str(message)
        return f"{self.class_name}: {message}" if isinstance(message, str) else self.class_name

    def __repr__(self) -> str:
        return f"JavaObject({self.class_name!r}, fields: {', '.join(self.fields) or 'none'})"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _Block(bytes):
    """Custom data that a class wrote after its fields; not a value."""


class _Unfinished:
    """Placeholder for an object that is still being read."""


_UNFINISHED = _Unfinished()


@dataclass(slots=True, kw_only=True)
class _Class:
    name: str
    flags: int = 0
    #: (type, name) in the order of the stream.
    fields: list[tuple[str, str]] = field(default_factory=list)
    parent: _Class | None = None

    def lineage(self) -> list[_Class]:
        """The superclasses first, in the order of their data in the stream."""
        line: list[_Class] = []
        step: _Class | None = self
        while step is not None:
            line.append(step)
            if len(line) > MAX_DEPTH:
                raise ValueError("A class has too many super classes.")
            step = step.parent
        return line[::-1]


def _numbers_of(described: _Class) -> str:
    """The layout of objects of a class that are a number alone; empty for any other."""
    kind = _NUMBERS.get(described.name, "")
    parent = described.parent
    is_plain = described.fields == [(kind, "value")] and described.flags == _SERIALIZABLE
    if not is_plain or parent is None or parent.fields or parent.flags != _SERIALIZABLE or parent.parent is not None:
        return ""
    return _PRIMITIVES[kind]


class Reader:
    """Reads one stream from `position` on."""

    def __init__(self, stream: bytes, position: int) -> None:
        self.stream = stream
        self.position = position
        self.handles: list[Any] = []
        self.depth = 0
        self.contents: dict[int, Callable[[], Any]] = {
            0x70: lambda: None,
            0x71: self.reference,
            0x72: self.class_description,
            0x73: self.object,
            0x74: lambda: self.string(">H"),
            0x75: self.array,
            0x76: self.class_object,
            0x7C: lambda: self.string(">Q"),
            0x7D: self.proxy_description,
            0x7E: self.enum,
        }

    def value(self) -> Any:
        """The next value. Raises ValueError, IndexError or struct.error if there is none."""
        tag = self.stream[self.position]
        self.position += 1
        if tag not in self.contents:
            raise ValueError(f"Unexpected byte {tag:02X} at {self.position - 1} in a Java serialization stream.")
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise ValueError(f"The value lies more than {_MAX_NESTING} levels deep.")
        result = self.contents[tag]()
        self.depth -= 1
        return result

    def element(self) -> Any:
        """A value inside of a collection."""
        value = self.value()
        if value is _UNFINISHED:
            raise ValueError("A collection in the Java serialization stream contains itself.")
        return value

    # --- pieces ---

    def unpack(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self.stream, self.position)
        self.position += struct.calcsize(layout)
        return value

    def take(self, size: int) -> bytes:
        if size < 0 or size > len(self.stream) - self.position:
            raise IndexError(size)
        self.position += size
        return self.stream[self.position - size : self.position]

    def counted(self, layout: str = ">H") -> str:
        encoded = self.take(self.unpack(layout))
        decoded = encoded.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    def remember(self, value: Any) -> int:
        self.handles.append(value)
        return len(self.handles) - 1

    def reference(self) -> Any:
        index = self.unpack(">I") - _FIRST_HANDLE
        if not 0 <= index < len(self.handles):
            raise ValueError("A back reference in the Java serialization stream leads nowhere.")
        return self.handles[index]

    def string(self, layout: str) -> str:
        value = self.counted(layout)
        self.remember(value)
        return value

    # --- classes ---

    def class_description(self) -> _Class:
        described = _Class(name=self.counted())
        self.take(8)  # the serial version UID
        self.remember(described)
        described.flags = self.unpack(">B")
        for _ in range(self.unpack(">H")):
            kind = chr(self.unpack(">B"))
            described.fields.append((kind, self.counted()))
            if kind in "[L":
                self.value()  # the field's class
        self.annotation()
        described.parent = self.class_or_none()
        return described

    def proxy_description(self) -> _Class:
        described = _Class(name="$Proxy", flags=_SERIALIZABLE)
        self.remember(described)
        for _ in range(self.unpack(">I")):
            self.counted()
        self.annotation()
        described.parent = self.class_or_none()
        return described

    def class_or_none(self) -> _Class | None:
        described = self.value()
        if described is not None and not isinstance(described, _Class):
            raise ValueError("The Java serialization stream has a value where a class should be.")
        return described

    def a_class(self) -> _Class:
        described = self.class_or_none()
        if described is None:
            raise ValueError("The Java serialization stream has an object without a class.")
        return described

    def annotation(self) -> list[Any]:
        """The custom data of a class: blocks of bytes and values, up to the end mark."""
        items: list[Any] = []
        while True:
            tag = self.stream[self.position]
            if tag == 0x78:
                self.position += 1
                return items
            if tag in (0x77, 0x7A):
                self.position += 1
                items.append(_Block(self.take(self.unpack(">B" if tag == 0x77 else ">I"))))
            else:
                items.append(self.element())
                if tag == 0x73 and type(items[-1]) in (int, float):
                    while more := self.numbers():
                        items += more

    def numbers(self) -> tuple[int | float, ...]:
        """The next numbers if there are many of one class, one after the other; else none."""
        lead = self.stream[self.position : self.position + _LEAD]
        if lead[:2] != b"\x73\x71" or len(lead) < _LEAD:
            return ()
        index = struct.unpack(">I", lead[2:])[0] - _FIRST_HANDLE
        described = self.handles[index] if 0 <= index < len(self.handles) else None
        layout = _numbers_of(described) if isinstance(described, _Class) else ""
        if not layout:
            return ()
        size = struct.calcsize(">" + layout)
        step = _LEAD + size
        content = self.stream[self.position : self.position + _MANY * step]
        if len(content) < _MANY * step or any(content[at::step] != lead[at : at + 1] * _MANY for at in range(_LEAD)):
            return ()
        joined = bytearray(_MANY * size)
        for at in range(size):
            joined[at::size] = content[_LEAD + at :: step]
        found = struct.unpack(f">{_MANY}{layout}", joined)
        self.position += len(content)
        self.handles += found
        return found

    # --- objects ---

    def class_object(self) -> Any:
        described = self.a_class()
        result = JavaObject("java.lang.Class", {"<name>": described.name})
        self.remember(result)
        return result

    def enum(self) -> Any:
        described = self.a_class()
        index = self.remember(_UNFINISHED)
        self.handles[index] = JavaObject(described.name, {"<name>": self.value()})
        return self.handles[index]

    def array(self) -> Any:
        described = self.a_class()
        index = self.remember(_UNFINISHED)
        size = self.unpack(">I")
        kind = described.name[1:2]
        if kind == "B":
            value: Any = self.take(size)
        elif kind in _PRIMITIVES:
            self.check_count(size)
            layout = f">{size}{_PRIMITIVES[kind]}"
            value = list(struct.unpack(layout, self.take(struct.calcsize(layout))))
            value = "".join(map(chr, value)) if kind == "C" else value
        else:
            self.check_count(size)
            value = [self.element() for _ in range(size)]
        self.handles[index] = value
        return value

    def check_count(self, size: int) -> None:
        """An element has at least one byte, so a small stream cannot require a large list."""
        if size > len(self.stream) - self.position:
            raise IndexError(size)

    def object(self) -> Any:
        described = self.a_class()
        build = _KNOWN.get(described.name)
        unknown = JavaObject(described.name) if build is None else None
        index = self.remember(_UNFINISHED if unknown is None else unknown)
        fields: dict[str, Any] = {}
        items: list[Any] = []
        for part in described.lineage():
            if part.flags & _EXTERNALIZABLE and not part.flags & _BLOCKS:
                raise ValueError(f"Class {part.name} writes itself in a form that only Java can read.")
            if part.flags & _SERIALIZABLE:
                fields.update((name, self.field(kind)) for kind, name in part.fields)
            if part.flags & _WRITES_MORE or part.flags & _EXTERNALIZABLE:
                items += self.annotation()
        if unknown is not None:
            unknown.fields = fields
            return unknown
        assert build is not None
        self.handles[index] = build(fields, [item for item in items if not isinstance(item, _Block)])
        return self.handles[index]

    def field(self, kind: str) -> Any:
        if kind in "[L":
            value = self.value()
            # Java's synchronized wrappers name themselves as their lock.
            return Opaque("(the object itself)") if value is _UNFINISHED else value
        if kind not in _PRIMITIVES:
            raise ValueError(f"Unknown type of field in a Java serialization stream: {kind!r}.")
        value = self.unpack(">" + _PRIMITIVES[kind])
        return chr(value) if kind == "C" else value


# --- the classes with a Python form: (fields, own data) -> value --------------------------------------------------


def hashable(value: Any) -> Any:
    """`value` in hashable form, for a set or the key of a dict."""
    if isinstance(value, list):
        return tuple(hashable(item) for item in value)
    if isinstance(value, set):
        return frozenset(value)
    if isinstance(value, dict):
        return Opaque(text(value))
    return value


def _list(items: Iterable[Any] | None) -> list[Any]:
    return list(items or ())


def _set(items: Iterable[Any] | None) -> set[Any]:
    return {hashable(item) for item in items or ()}


def _dict(items: list[Any]) -> dict[Any, Any]:
    return {hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _concurrent_map(items: list[Any]) -> dict[Any, Any]:
    return _dict(items[:-2])  # two nulls end it


def _big_integer(fields: Mapping[str, Any]) -> int:
    return int.from_bytes(fields["magnitude"], "big") * (1 if fields["signum"] >= 0 else -1)


def _big_decimal(fields: Mapping[str, Any]) -> Decimal:
    unscaled = Decimal(fields["intVal"])
    return Decimal((int(unscaled.is_signed()), unscaled.as_tuple().digits, -fields["scale"]))


def _groovy_text(fields: Mapping[str, Any]) -> str:
    """Groovy's ``"… ${x} …"``: fixed texts with values between them."""
    values = [*map(text, fields["values"]), ""]
    return "".join(fixed + value for fixed, value in zip(fields["strings"], values, strict=False))


def _immutable(fields: Mapping[str, Any], items: list[Any]) -> Any:
    """``List.of``, ``Set.of``, ``Map.of`` (class ``java.util.CollSer``); the low byte of the tag tells which."""
    return {1: _list, 2: _set, 3: _dict, 4: _list}[fields["tag"] & 0xFF](items)


_Build = Callable[[Mapping[str, Any], list[Any]], Any]


def _from_field(name: str, convert: Callable[[Any], Any] = lambda value: value) -> _Build:
    return lambda fields, items: convert(fields[name])


def _from_items(convert: Callable[[list[Any]], Any]) -> _Build:
    return lambda fields, items: convert(items)


_KNOWN: dict[str, _Build] = {
    **{f"java.lang.{name}": _from_field("value") for name in ("Integer", "Long", "Short", "Byte")},
    **{f"java.lang.{name}": _from_field("value") for name in ("Double", "Float", "Boolean", "Character")},
    "java.math.BigInteger": lambda fields, items: _big_integer(fields),
    "java.math.BigDecimal": lambda fields, items: _big_decimal(fields),
    "java.util.ArrayList": _from_items(_list),
    "java.util.LinkedList": _from_items(_list),
    "java.util.Vector": lambda fields, items: fields["elementData"][: fields["elementCount"]],
    "java.util.Stack": lambda fields, items: fields["elementData"][: fields["elementCount"]],
    "java.util.Arrays$ArrayList": _from_field("a", _list),
    "java.util.ArrayDeque": _from_items(_list),
    "java.util.HashSet": _from_items(_set),
    "java.util.LinkedHashSet": _from_items(_set),
    "java.util.TreeSet": _from_items(lambda items: _set(items[1:])),  # the comparator comes first
    "java.util.HashMap": _from_items(_dict),
    "java.util.LinkedHashMap": _from_items(_dict),
    "java.util.Hashtable": _from_items(_dict),
    "java.util.Properties": _from_items(_dict),
    "java.util.TreeMap": _from_items(_dict),
    "java.util.concurrent.ConcurrentHashMap": _from_items(_concurrent_map),
    "java.util.CollSer": _immutable,
    "java.util.Collections$EmptyList": lambda fields, items: [],
    "java.util.Collections$EmptySet": lambda fields, items: set(),
    "java.util.Collections$EmptyMap": lambda fields, items: {},
    "java.util.Collections$SingletonList": lambda fields, items: [fields["element"]],
    "java.util.Collections$SingletonSet": lambda fields, items: _set([fields["element"]]),
    "java.util.Collections$SingletonMap": lambda fields, items: {hashable(fields["k"]): fields["v"]},
    **{
        f"java.util.Collections${kind}{name}": _from_field(inner, convert)
        for kind in ("Unmodifiable", "Synchronized")
        for name, inner, convert in (
            ("List", "list", _list),
            ("RandomAccessList", "list", _list),
            ("Set", "c", _set),
            ("Collection", "c", _list),
            ("Map", "m", dict),
        )
    },
    "org.codehaus.groovy.runtime.GStringImpl": lambda fields, items: _groovy_text(fields),
}
