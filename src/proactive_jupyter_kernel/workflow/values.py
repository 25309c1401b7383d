"""The values that travel between tasks: the supported Python types, their JSON form, and their text in Java.

The table is that of ProActive's Python engine (``jsr223-cpython``): what it can pass to Java, and what it returns. The
embedded scheduler uses the same table, so that a task behaves the same here and on a ProActive server. Other values
travel as tagged bytes (``python_tasks/tagged.py``) if the writer asks for that.

Task processes load this file by its path, under any interpreter: it must need only the standard library and
``tagged.py``, and must run on Python 3.8.
"""

from __future__ import annotations

import base64
import collections
import math
import sys
import types
import zlib
from decimal import Decimal

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any
if TYPE_CHECKING or __name__ != "_proactive_values":
    from proactive_jupyter_kernel.workflow.python_tasks import tagged
else:
    tagged = sys.modules["_proactive_tasks.tagged"]  # in a task's process, where both are loaded by their paths

__all__ = [
    "MAX_DEPTH",
    "MAX_ITEMS",
    "TAG",
    "NotPortableValue",
    "Opaque",
    "for_other_languages",
    "from_wire",
    "portable",
    "text",
    "to_wire",
]

#: The key that marks a tagged value in wire form.
TAG = "$type"
#: The maximum nesting depth of lists and dicts; well below Python's own recursion limit.
MAX_DEPTH = 100
#: The maximum number of items in one value. Larger data belongs in a file; the limit also stops the conversion of
#: values whose shared parts would expand exponentially.
MAX_ITEMS = 5_000_000
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
#: How tagged bytes start in wire form; nine bytes are twelve letters in base64.
_TAGGED_START = base64.b64encode(tagged.MAGIC[:9]).decode("ascii")
#: ``BigDecimal`` stores its scale in 32 bits.
_SCALE_LIMIT = 2**31 - 1

_ITERATORS: tuple[Any, ...] = (
    tuple,
    list,
    range,
    collections.deque,
    collections.UserList,
    types.GeneratorType,
    map,
    filter,
    zip,
    enumerate,
    reversed,
    type({}.values()),
    type({}.items()),
    type(iter([])),
)
_SETS: tuple[Any, ...] = (set, frozenset, type({}.keys()))
_CONTAINERS = (list, dict, set)
_MAPPINGS = (dict, types.MappingProxyType, collections.UserDict, collections.ChainMap)

#: Class -> what to do instead; looked up for the class and its bases by module and name, so that nothing is imported.
_REMEDIES: dict[tuple[str, str], str] = {
    ("builtins", "memoryview"): "use bytes(…)",
    ("builtins", "function"): "define or import it in the task that calls it, or install cloudpickle",
    ("builtins", "builtin_function_or_method"): "import it in the task that calls it",
    ("builtins", "method"): "a method belongs to its object: pass the data it needs",
    ("builtins", "module"): "import it in the task that needs it",
    ("builtins", "type"): "define or import the class in the task that needs it, or install cloudpickle",
    ("builtins", "coroutine"): "await it, and pass what it returns",
    ("builtins", "async_generator"): "pass a list of its items",
    ("_io", "_IOBase"): "pass the file's name, or its contents",
    ("_thread", "lock"): "create the lock in the task that needs it",
    ("_thread", "RLock"): "create the lock in the task that needs it",
    ("threading", "Thread"): "pass what the thread computes",
    ("_socket", "socket"): "pass the address, and connect in the task that needs it",
    ("sqlite3", "Connection"): "pass the database's file name, and connect in the task that needs it",
    ("sqlite3", "Cursor"): "pass a list of its rows",
    ("subprocess", "Popen"): "pass what the process wrote",
}
_GENERAL_REMEDY = (
    "pass the data that it is built of (numbers, texts, lists, dicts, arrays, tables), or write a file"
    " and pass its name"
)


class NotPortableValue(ValueError):
    """A value cannot travel between tasks; the message says which, where it is, and what to do instead."""

    def __init__(self, path: str, type_name: str, reason: str, remedy: str = "") -> None:
        self.path = path
        #: The type as people write it: ``datetime.date``.
        self.type_name = type_name
        self.reason = reason
        self.remedy = remedy
        message = f"{path} ({type_name}) cannot travel between tasks: {reason}"
        super().__init__(f"{message}; {remedy}" if remedy else message)

    def __reduce__(self) -> Any:
        return type(self), (self.path, self.type_name, self.reason, self.remedy)


class Opaque:
    """An object of another language that Python cannot represent; only its text is known."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Opaque({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str(other) == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def portable(value: Any, name: str = "result", *, tags: bool = False, plain: bool = False) -> Any:
    """`value` converted to None, bool, int, float, str, bytes, Decimal, list, set, dict and Opaque only.

    Tuples, ranges and generators become lists, bytearrays become bytes, subclasses become their base type. In sets and
    keys of dicts, which cannot contain a list, they become tuples and frozensets. With `tags`, anything else becomes
    tagged bytes; with `plain` as well, lists, records, numbers and texts if possible. Messages call the value `name`.
    Raises `NotPortableValue` if a part cannot travel.
    """
    return _Converter(tags, plain).convert(value, _ValuePath(name), False)


class _ValuePath:
    """The path of a value, such as ``result['a'][3]``, formatted only when a message needs it."""

    __slots__ = ("depth", "key", "parent")

    def __init__(self, key: Any, parent: _ValuePath | None = None) -> None:
        self.key = key
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0

    def __str__(self) -> str:
        keys: list[str] = []
        place: _ValuePath = self
        while place.parent is not None:
            keys.append(f"[{_short(place.key)}]")
            place = place.parent
        steps = keys[::-1]
        if len(steps) > 8:
            steps = [*steps[:6], "…"]
        return str(place.key) + "".join(steps)


def _short(key: Any) -> str:
    shown = repr(key)
    return shown if len(shown) <= 40 else shown[:39] + "…"


class _Converter:
    """One conversion; it tracks the enclosing containers and the number of items."""

    def __init__(self, tags: bool, plain: bool) -> None:
        self.tags = tags
        self.as_plain = plain
        self.inside: set[int] = set()
        self.items = 0
        #: Inside a value that has travelled: its tagged bytes are what they say, not bytes of a script.
        self.has_travelled = False

    def convert(self, value: Any, place: _ValuePath, hashable: bool) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is str:
            return self.leaf(_checked_text, value, place, hashable)
        if kind is int:
            return self.leaf(_checked_int, value, place, hashable)
        if kind is bytes and not (self.tags and tagged.is_tagged(value) and not self.has_travelled):
            return value
        if isinstance(value, Opaque):
            return value
        return self.other(value, place, hashable)

    def leaf(self, check: Callable[[Any, _ValuePath], Any], value: Any, place: _ValuePath, hashable: bool) -> Any:
        """The converted value; a value that cannot be converted becomes tagged bytes."""
        if not self.tags:
            return check(value, place)
        try:
            return check(value, place)
        except NotPortableValue:
            return self.carry(value, place, hashable)

    def carry(self, value: Any, place: _ValuePath, hashable: bool) -> Any:
        """The value as tagged bytes, or in a plain form."""
        try:
            found = tagged.encode(value, self.as_plain)
        except tagged.NotSerializable as problem:
            reason, remedy = problem.args
            raise NotPortableValue(str(place), _type_name(value), reason, remedy or _remedy(value)) from None
        if isinstance(found, tagged.Travelled):
            before, self.has_travelled = self.has_travelled, True
            try:
                return self.convert(found.value, place, hashable)
            finally:
                self.has_travelled = before
        if type(found) in _CONTAINERS:
            # One level at a time, to detect cycles and excessive depth.
            return self.container(value, place, lambda _, below: self.convert(found, _ValuePath("", below), hashable))
        return found

    def other(self, value: Any, place: _ValuePath, hashable: bool) -> Any:
        """Containers, subclasses, and unsupported values."""
        if self.tags and tagged.takes(value):
            return self.carry(value, place, hashable)
        if isinstance(value, _MAPPINGS) and not hashable:
            return self.container(value, place, self.mapping)
        if isinstance(value, _SETS):
            return self.container(value, place, self.frozenset_of if hashable else self.set_of)
        if isinstance(value, _ITERATORS):
            return self.container(value, place, self.tuple_of if hashable else self.list_of)
        return self.leaf(_plain, value, place, hashable)

    def container(self, value: Any, place: _ValuePath, convert: Callable[[Any, _ValuePath], Any]) -> Any:
        if id(value) in self.inside:
            raise NotPortableValue(str(place), _type_name(value), "it contains itself", "remove the cycle")
        if place.depth >= MAX_DEPTH:
            reason = f"it lies more than {MAX_DEPTH} levels deep"
            raise NotPortableValue(str(place), _type_name(value), reason, "flatten it, or pass json.dumps(…) as text")
        self.inside.add(id(value))
        try:
            return convert(value, place)
        finally:
            self.inside.discard(id(value))

    def count(self, place: _ValuePath) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            reason = f"it holds more than {MAX_ITEMS:,} values"
            raise NotPortableValue(str(place), "too much", reason, "write a file and pass its name")

    def list_of(self, value: Iterable[Any], place: _ValuePath) -> list[Any]:
        result = []
        for index, item in enumerate(value):
            self.count(place)
            result.append(self.convert(item, _ValuePath(index, place), False))
        return result

    def tuple_of(self, value: Iterable[Any], place: _ValuePath) -> tuple[Any, ...]:
        result = []
        for index, item in enumerate(value):
            self.count(place)
            result.append(self.convert(item, _ValuePath(index, place), True))
        return tuple(result)

    def set_of(self, value: Iterable[Any], place: _ValuePath) -> set[Any]:
        result = set()
        for item in value:
            self.count(place)
            result.add(self.convert(item, _ValuePath(item, place), True))
        return result

    def frozenset_of(self, value: Iterable[Any], place: _ValuePath) -> frozenset[Any]:
        return frozenset(self.set_of(value, place))

    def mapping(self, value: Any, place: _ValuePath) -> dict[Any, Any]:
        result = {}
        for key in value:
            self.count(place)
            below = _ValuePath(key, place)
            result[self.convert(key, below, True)] = self.convert(value[key], below, False)
        return result


def _plain(value: Any, place: _ValuePath) -> Any:
    """The value of an instance of a subclass as its base type; raises if there is none."""
    if isinstance(value, str):
        return _checked_text(str.__str__(value), place)
    if isinstance(value, int):
        return _checked_int(int.__index__(value), place)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, collections.UserString):
        return _checked_text(str(value), place)
    if isinstance(value, Decimal):
        return _checked_decimal(value, place)
    raise _refusal(value, place)


def _checked_text(value: str, place: _ValuePath) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        remedy = "use .encode('utf-8', 'surrogateescape') and pass the bytes"
        raise NotPortableValue(str(place), "str", "it contains half of a surrogate pair", remedy) from None
    return value


def _checked_int(value: int, place: _ValuePath) -> int:
    if _LONG_MIN <= value <= _LONG_MAX:
        return value
    raise NotPortableValue(str(place), "int", "it needs more than 64 bits", "use str(…) or float(…)")


def _checked_decimal(value: Decimal, place: _ValuePath) -> Decimal:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise NotPortableValue(str(place), "Decimal", f"it is {value}", "use float(…) or str(…)")
    if abs(exponent) > _SCALE_LIMIT:
        raise NotPortableValue(str(place), "Decimal", "its exponent needs more than 32 bits", "use str(…)")
    return value.copy_abs() if not value else Decimal(value)


def _refusal(value: Any, place: _ValuePath) -> NotPortableValue:
    """The error for a value of an unsupported class."""
    return NotPortableValue(str(place), _type_name(value), "the other languages have no such type", _remedy(value))


def _remedy(value: Any) -> str:
    """What to do instead for a value that cannot travel."""
    for base in type(value).__mro__:
        for module in (_module(base), base.__module__):
            if (module, base.__name__) in _REMEDIES:
                return _REMEDIES[module, base.__name__]
    return _GENERAL_REMEDY


def _module(kind: type) -> str:
    return str(kind.__module__).split(".", 1)[0]


def _type_name(value: Any) -> str:
    kind = type(value)
    module = str(kind.__module__)
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


# --- wire form ---------------------------------------------------------------------------------------------------


def to_wire(value: Any) -> Any:
    """A portable value in JSON: itself if JSON has the type, else ``{"$type": …, "value": …}``.

    Call `portable` first; raises `NotPortableValue` for values that it rejects.
    """
    kind = type(value)
    if value is None or kind is bool or kind is int or kind is str:
        return value
    if kind is float:
        return value if math.isfinite(value) else _tagged("float", _double_text(value))
    if kind is list or kind is tuple:
        return [to_wire(item) for item in value]
    if kind is dict:
        if TAG not in value and all(type(key) is str for key in value):
            return {key: to_wire(item) for key, item in value.items()}
        return _tagged("dict", [[to_wire(key), to_wire(item)] for key, item in value.items()])
    if kind is bytes:
        return _tagged("bytes", _to_base64(value))
    if kind is set or kind is frozenset:
        # Sorted, because the order of a set of texts differs between processes.
        return _tagged("set", sorted((to_wire(item) for item in value), key=repr))
    if kind is Decimal:
        return _tagged("decimal", str(value))
    if isinstance(value, Opaque):
        return _tagged("object", str(value))
    raise _refusal(value, _ValuePath("value"))


def from_wire(wire: Any) -> Any:
    """The inverse of `to_wire`. Raises ValueError for what is not in wire form."""
    return _from_wire(wire, False, 0)


def for_other_languages(wire: Any) -> Any:
    """A wire value, or a structure of them, with a text for each tagged value that has one, such as a date."""
    if isinstance(wire, dict):
        if wire.get(TAG) == "bytes" and str(wire.get("value")).startswith(_TAGGED_START):
            return _text_or_bytes(wire)
        return {key: for_other_languages(item) for key, item in wire.items()}
    return [for_other_languages(item) for item in wire] if isinstance(wire, list) else wire


def _text_or_bytes(wire: dict[str, Any]) -> Any:
    try:
        found = tagged.header_of(_from_base64(wire["value"]))["text"]
    except ValueError:  # other bytes with the same start
        return wire
    return wire if found is None else found


def _from_wire(wire: Any, hashable: bool, depth: int) -> Any:
    if depth > MAX_DEPTH + 1:
        raise ValueError(f"The value lies more than {MAX_DEPTH} levels deep.")
    if wire is None or isinstance(wire, (bool, int, float, str)):
        return wire
    if isinstance(wire, list):
        items = [_from_wire(item, hashable, depth + 1) for item in wire]
        return tuple(items) if hashable else items
    if not isinstance(wire, dict):
        raise ValueError(f"{_type_name(wire)} is not a value in wire form.")
    if TAG not in wire:
        return {key: _from_wire(item, False, depth + 1) for key, item in wire.items()}
    return _from_tagged(wire, hashable, depth)


def _from_tagged(wire: dict[str, Any], hashable: bool, depth: int) -> Any:
    tag = wire[TAG]
    inner: Any = wire.get("value")
    try:
        if tag == "bytes":
            return _from_base64(inner)
        if tag == "float":
            return float(inner)
        if tag == "decimal":
            return Decimal(inner)
        if tag == "object":
            return Opaque(str(inner))
        if tag == "set":
            items = [_from_wire(item, True, depth + 1) for item in inner]
            return frozenset(items) if hashable else set(items)
        if tag == "dict":
            return {_from_wire(key, True, depth + 1): _from_wire(item, False, depth + 1) for key, item in inner}
    except (TypeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"Not a value in wire form: {tag} ({error}).") from error
    raise ValueError(f"Unknown kind of value in wire form: {tag!r}.")


def _tagged(kind: str, value: Any) -> dict[str, Any]:
    return {TAG: kind, "value": value}


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _from_base64(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


# --- text --------------------------------------------------------------------------------------------------------


def text(value: Any) -> str:
    """The value as Java's ``toString()`` prints it: ``true``, ``1.0``, ``[1, 2]``, ``{a=1}``, ``null``."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double_text(value)
    if tagged.is_tagged(value):
        return _tagged_text(value)
    if isinstance(value, (bytes, bytearray)):
        # Java prints the identity of an array, which is not known here; at least equal bytes have equal texts.
        return f"[B@{zlib.crc32(bytes(value)):x}"
    if isinstance(value, dict):
        return "{" + ", ".join(text(key) + "=" + text(item) for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return str(value)


def _tagged_text(value: bytes) -> str:
    """The text of a tagged value if it has one, else its description."""
    try:
        found: str | None = tagged.header_of(value)["text"]
        return f"<{tagged.describe(value)}>" if found is None else found
    except tagged.Unreadable:
        return f"[B@{zlib.crc32(value):x}"


def _double_text(value: float) -> str:
    """``Double.toString``: plain between 0.001 and 10,000,000, else with a decimal exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = repr(value)
        return plain if "e" not in plain else format(Decimal(plain), "f")
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) - 1 + int(exponent)
    return "{}{}.{}E{}".format("-" if sign else "", shown[0], shown[1:] or "0", power)
