"""Records of the model as plain values (dict, list, str, int, bool) and back, and the JSON schema of those values.

All three are derived from the type annotations of `model`, so that a new field of a record needs no change here. A
field with its default value is omitted.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.workflow.model import (
    Branch,
    JavaClass,
    Loop,
    NativeCommand,
    Priority,
    Reference,
    Replicate,
    Script,
)

__all__ = ["InvalidRecord", "TypeCodec", "record_shape", "shown_path"]

#: The path of a value: keys and indices from the root.
ValuePath = tuple[str | int, ...]

_REFERENCE = re.compile(r"\$\{(.*)\}", re.DOTALL)
#: ``type`` distinguishes the records of a union.
_TYPE_NAMES: Mapping[type, str] = {
    Script: "script",
    JavaClass: "java",
    NativeCommand: "native",
    Branch: "branch",
    Loop: "loop",
    Replicate: "replicate",
}


class InvalidRecord(ValueError):
    """A value does not have its type; the message is the rest of a sentence about the value at `path`."""

    def __init__(self, path: ValuePath, message: str) -> None:
        super().__init__(message)
        self.path = path


def shown_path(path: ValuePath) -> str:
    """``tasks[3].walltime``; empty for the root."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


@dataclass(frozen=True, slots=True)
class TypeCodec:
    """The encoder, decoder and schema of one type."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any, ValuePath], Any]
    #: The JSON schema; it refers to records with ``$ref``.
    schema: Mapping[str, Any]
    #: The type in messages: ``a text``.
    words: str


def _plain(kind: type, words: str, schema: Mapping[str, Any]) -> TypeCodec:
    def decode(value: Any, path: ValuePath) -> Any:
        if type(value) is not kind:
            raise InvalidRecord(path, f"must be {words}, not {_shown(value)}")
        return value

    return TypeCodec(lambda value: value, decode, schema, words)


def _shown(value: Any) -> str:
    for kind, words in ((dict, "an object"), (list, "a list"), (type(None), "null")):
        if isinstance(value, kind):
            return words
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


_PLAIN: Mapping[type, TypeCodec] = {
    str: _plain(str, "a text", {"type": "string"}),
    bool: _plain(bool, "true or false", {"type": "boolean"}),
    int: _plain(int, "an integer", {"type": "integer"}),
}


def _decode_reference(value: Any, path: ValuePath) -> Any:
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidRecord(path, "must be a reference such as ${NAME}")
    return Reference(match.group(1))


_REFERENCE_SHAPE = TypeCodec(
    str, _decode_reference, {"type": "string", "pattern": r"^\$\{.*\}$"}, "a reference ${NAME}"
)


def _enumeration(kind: type[enum.Enum]) -> TypeCodec:
    """Members by value; those of `Priority`, whose values are numbers, by their name in lower case."""

    def word(member: enum.Enum) -> str:
        return member.name.lower() if kind is Priority else str(member.value)

    members = {word(member): member for member in kind}

    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, str) or value not in members:
            near = did_you_mean(value, members) if isinstance(value, str) else ""
            raise InvalidRecord(path, f"must be one of {', '.join(members)}, not {_shown(value)}. {near}".rstrip(". "))
        return members[value]

    return TypeCodec(word, decode, {"enum": list(members)}, f"one of {', '.join(members)}")


def _list(item: TypeCodec) -> TypeCodec:
    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, list):
            raise InvalidRecord(path, f"must be a list, not {_shown(value)}")
        return tuple(item.decode(one, (*path, index)) for index, one in enumerate(value))

    return TypeCodec(
        lambda values: [item.encode(value) for value in values],
        decode,
        {"type": "array", "items": item.schema},
        "a list",
    )


def _pair(items: tuple[TypeCodec, ...]) -> TypeCodec:
    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, list) or len(value) != len(items):
            raise InvalidRecord(path, f"must be a list of {len(items)}, not {_shown(value)}")
        return tuple(
            item.decode(one, (*path, index)) for index, (item, one) in enumerate(zip(items, value, strict=True))
        )

    schema = {"type": "array", "prefixItems": [item.schema for item in items], "minItems": len(items), "items": False}
    return TypeCodec(
        lambda values: [item.encode(value) for item, value in zip(items, values, strict=True)], decode, schema, "a pair"
    )


def _mapping(item: TypeCodec) -> TypeCodec:
    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, dict):
            raise InvalidRecord(path, f"must be an object, not {_shown(value)}")
        return {key: item.decode(one, (*path, key)) for key, one in value.items()}

    return TypeCodec(
        lambda values: {key: item.encode(value) for key, value in values.items()},
        decode,
        {"type": "object", "additionalProperties": item.schema},
        "an object",
    )


def _with_reference(inner: TypeCodec) -> TypeCodec:
    """A type or a reference."""

    def encode(value: Any) -> Any:
        return str(value) if isinstance(value, Reference) else inner.encode(value)

    def decode(value: Any, path: ValuePath) -> Any:
        if isinstance(value, str) and _REFERENCE.fullmatch(value):
            return _decode_reference(value, path)
        return inner.decode(value, path)

    return TypeCodec(encode, decode, {"anyOf": [inner.schema, _REFERENCE_SHAPE.schema]}, inner.words)


def _one_of(records: tuple[type, ...]) -> TypeCodec:
    """A union of records, distinguished by ``type``."""
    by_word = {_TYPE_NAMES[record]: record for record in records}

    def encode(value: Any) -> Any:
        return {"type": _TYPE_NAMES[type(value)], **record_shape(cast(Any, type(value))).encode(value)}

    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, dict):
            raise InvalidRecord(path, f"must be an object, not {_shown(value)}")
        word = value.get("type")
        if word not in by_word:
            shown = "is missing" if word is None else f"is {_shown(word)}"
            raise InvalidRecord((*path, "type"), f"{shown}; it must be one of {', '.join(by_word)}")
        return record_shape(by_word[word]).decode({key: one for key, one in value.items() if key != "type"}, path)

    variants = [
        {
            "type": "object",
            "properties": {"type": {"const": word}, **_properties(record)},
            "required": ["type", *_required(record)],
            "additionalProperties": False,
        }
        for word, record in by_word.items()
    ]
    return TypeCodec(encode, decode, {"oneOf": variants}, f"one of {', '.join(by_word)}")


@functools.cache
def shape_of(annotation: Any) -> TypeCodec:
    """The shape of an annotation of the model. Raises TypeError for an unsupported type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enumeration(annotation)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return record_shape(cast(Any, annotation))
    if origin is tuple:
        items = tuple(shape_of(argument) for argument in arguments if argument is not Ellipsis)
        return _list(items[0]) if arguments[-1] is Ellipsis else _pair(items)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(shape_of(arguments[1]))
    if origin in (typing.Union, types.UnionType):
        return _union(tuple(argument for argument in arguments if argument is not type(None)))
    raise TypeError(f"no format knows how to write {annotation!r}")


def _union(members: tuple[Any, ...]) -> TypeCodec:
    others = tuple(member for member in members if member is not Reference)
    inner = shape_of(others[0]) if len(others) == 1 else _one_of(others)
    return inner if len(others) == len(members) else _with_reference(inner)


# --- records ---


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    shape: TypeCodec
    #: The value that is omitted; `dataclasses.MISSING` if the field is required.
    default: Any


@functools.cache
def _fields(record: type) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(record)
    return tuple(
        _Field(
            field.name,
            shape_of(hints[field.name]),
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
        )
        for field in dataclasses.fields(record)
    )


def _required(record: type) -> list[str]:
    return [field.name for field in _fields(record) if field.default is dataclasses.MISSING]


def _properties(record: type) -> dict[str, Any]:
    return {field.name: dict(field.shape.schema) for field in _fields(record)}


@functools.cache
def record_shape(record: Any) -> TypeCodec:
    """The shape of a record: an object with a key for each field whose value is not the default."""

    def encode(value: Any) -> Any:
        return {
            field.name: field.shape.encode(found)
            for field in _fields(record)
            if (found := getattr(value, field.name)) != field.default
        }

    def decode(value: Any, path: ValuePath) -> Any:
        if not isinstance(value, dict):
            raise InvalidRecord(path, f"must be an object, not {_shown(value)}")
        fields = {field.name: field for field in _fields(record)}
        for key in value:
            if key not in fields:
                known = [name for name in fields if name not in value]
                raise InvalidRecord((*path, key), f"is not known here. {did_you_mean(key, known)}".rstrip(". "))
        for name in _required(record):
            if name not in value:
                raise InvalidRecord(path, f"has no {name!r}, which is required")
        found = {key: fields[key].shape.decode(one, (*path, key)) for key, one in value.items() if one is not None}
        return record(**found)

    schema = {
        "type": "object",
        "properties": _properties(record),
        "required": _required(record),
        "additionalProperties": False,
    }
    return TypeCodec(encode, decode, schema, "an object")
