"""Tagged bytes: how values that only Python can represent travel between tasks and into the notebook.

A ProActive server supports None, booleans, numbers, texts, bytes, lists, sets and dicts. Any other Python value travels
as bytes that describe themselves::

    MAGIC (11 bytes) | length of the header (4 bytes, big endian) | header (JSON, ASCII) | payload

The header has ``kind`` (``npy``, ``arrow``, ``png``, ``pickle``), ``type`` (the class, such as
``pandas.DataFrame``), ``python`` (``3.11``), ``library`` (``pandas 3.1.1``, or empty), ``about`` (a few words on size
and shape), and sometimes ``text`` (what tasks of other languages read) and ``by_value`` (see `writing`).
docs/guides/values.md documents the format.

Runs inside tasks, under Python 3.6 or later; see the package's docstring for what that means.
"""

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "LONGEST_TEXT",
    "MAGIC",
    "PYTHON",
    "NotSerializable",
    "PngImage",
    "Travelled",
    "Unreadable",
    "Untrusted",
    "decode",
    "describe",
    "encode",
    "header_of",
    "holds_tagged",
    "is_tagged",
    "join",
    "opened",
    "split",
    "takes",
]

#: Not the start of a text or of a known file format; the last byte is the version of this format.
MAGIC = b"\x93ProActive\x01"
_SIZE = len(MAGIC) + 4
#: The version of this Python.
PYTHON = ".".join(str(number) for number in sys.version_info[:2])
#: Longer descriptions of values and errors are truncated.
LONGEST_TEXT = 200


class NotSerializable(ValueError):
    """A value cannot be serialized. `args` are the reason and what to do instead, which may be ''."""


class Unreadable(ValueError):
    """A tagged value cannot be opened here; the message says what it is, why, and what to do."""


class Untrusted(Unreadable):
    """Opening the value could run code of its author, and the author is not trusted."""


Unreadable.__module__ = Untrusted.__module__ = NotSerializable.__module__ = "builtins"


class PngImage(bytes):
    """The bytes of a PNG image, which a notebook displays as an image."""

    def _repr_png_(self) -> "bytes":
        return bytes(self)

    def __repr__(self) -> "str":
        return f"<PNG image, {len(self):,} bytes>"

    def __reduce__(self) -> "Any":
        return bytes, (bytes(self),)


class Travelled:
    """What `encode` gives for an entry of ``results``: its value as it came, tagged bytes and all."""

    def __init__(self, value: "Any") -> "None":
        self.value = value


# --- the header --------------------------------------------------------------------------------------------------


def is_tagged(value: "Any") -> "bool":
    """Whether these are tagged bytes."""
    return isinstance(value, bytes) and value[: len(MAGIC)] == MAGIC


def header_of(data: "bytes") -> "dict[str, Any]":
    """The header; missing texts are empty. Raises `Unreadable`."""
    return split(data)[0]


def split(data: "bytes") -> "tuple[dict[str, Any], bytes]":
    """The header and the payload. Raises `Unreadable`."""
    size = int.from_bytes(data[len(MAGIC) : _SIZE], "big")
    try:
        if not is_tagged(data) or len(data) < _SIZE + size:
            raise ValueError("they are incomplete")
        found = json.loads(data[_SIZE : _SIZE + size].decode("ascii"))
        header: dict[str, Any] = {
            name: str(found.get(name) or "") for name in ("kind", "type", "python", "library", "about")
        }
        header["text"] = None if found.get("text") is None else str(found["text"])
        header["by_value"] = None if found.get("by_value") is None else int(found["by_value"])
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise Unreadable(f"These bytes begin like a tagged Python value, but are not one ({error}).") from None
    header["size"] = len(data) - _SIZE - size
    return header, data[_SIZE + size :]


def describe(data: "bytes") -> "str":
    """A value in a few words: ``numpy.ndarray, float64 (3, 4), 96 bytes``."""
    header = header_of(data)
    parts = [header["type"] or header["kind"], header["about"], "{:,} bytes".format(header["size"])]
    return ", ".join(part for part in parts if part)


def join(header: "dict[str, Any]", payload: "bytes") -> "bytes":
    """Tagged bytes; entries of the header that are None are omitted."""
    kept = {name: found for name, found in header.items() if found is not None}
    written = json.dumps(kept, separators=(",", ":")).encode("ascii")
    return b"".join((MAGIC, len(written).to_bytes(4, "big"), written, payload))


# --- whole values ----------------------------------------------------------------------------------------


def holds_tagged(value: "Any") -> "bool":
    """Whether a value is or contains tagged bytes."""
    if isinstance(value, bytes):
        return is_tagged(value)
    if isinstance(value, dict):
        return any(holds_tagged(key) or holds_tagged(item) for key, item in value.items())
    return isinstance(value, (list, tuple, set, frozenset)) and any(holds_tagged(item) for item in value)


def opened(
    value: "Any", where: "str", trust: "bool" = True, instead: "Callable[[bytes, Unreadable], Any] | None" = None
) -> "Any":
    """The value with all tagged parts opened; messages call it `where`.

    Raises `Unreadable`; with `instead`, its return value replaces what cannot be opened.
    """
    if not holds_tagged(value):
        return value
    if isinstance(value, bytes):
        try:
            return decode(value, where, trust)
        except Unreadable as error:
            if instead is None:
                raise
            return instead(value, error)
    if isinstance(value, dict):
        return {
            opened(key, where, trust, instead): opened(item, f"{where}[{key!r}]", trust, instead)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [opened(item, f"{where}[{index}]", trust, instead) for index, item in enumerate(value)]
    return type(value)(opened(item, where, trust, instead) for item in value)


# --- reading and writing, imported on first use ------------------------------------------------------------------


def takes(value: "Any") -> "bool":
    """Whether a value travels tagged although it has a plain form."""
    from . import writing

    return writing.takes(value)


def encode(value: "Any", plain: "bool" = False) -> "Any":
    """The serialized form of a value that only Python can represent: tagged bytes, or a number for a NumPy scalar.

    With `plain`, lists, records, numbers and texts that tasks of any language can read, if possible: they may contain
    more values to encode. An entry of ``results`` gives its value, as `Travelled`. Raises `NotSerializable`.
    """
    from . import writing

    return writing.encode(value, plain)


def decode(data: "bytes", where: "str" = "The value", trust: "bool" = True) -> "Any":
    """The value of tagged bytes. Without `trust`, a pickle may contain only plain data.

    Raises `Untrusted`, or `Unreadable` if a required library is missing.
    """
    from . import reading

    return reading.decode(data, where, trust)
