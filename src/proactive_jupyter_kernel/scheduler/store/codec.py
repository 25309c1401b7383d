"""Frozen dataclasses to JSON and back, by their type hints, so that rows keep every field without a list of them here.

Fields that have their default are left out: rows stay small, and a row of an older version reads as if the new field
had its default. Unions of dataclasses carry the class's name under ``"$class"``. Fields typed ``Wire`` (that is,
``Any``) are wire values already and pass unchanged.

Each text ends with its checksum: SQLite has none, and a disk that lost some bytes must not change what a job came to.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import json
import operator
import types
import typing
import zlib
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["OWN_COLUMN", "Damaged", "checksum", "dumps", "from_json", "loads", "plain", "sealed", "to_json", "unsealed"]

#: In the metadata of a field: the table has a column for it, and the record's text leaves it out.
OWN_COLUMN = "own column"

_Record = TypeVar("_Record")
_CLASS = "$class"
_Convert = Callable[[Any], Any]
_ENCODER = json.JSONEncoder(separators=(",", ":"))
#: Between a text and the eight digits of its checksum. No JSON and no XML ends with it, so what was written without one
#: is known, and read as it is.
_SEAL = "\x1f"
_SEALED = 9


class Damaged(Exception):
    """A stored text was changed or is incomplete."""


def sealed(text: str) -> str:
    """The text with its checksum."""
    return f"{text}{_SEAL}{_checksum(text)}"


def unsealed(text: str) -> str:
    """The text without its checksum; raises `Damaged` if they do not match."""
    if text[-_SEALED : 1 - _SEALED] != _SEAL:
        return text
    content = text[:-_SEALED]
    if _checksum(content) != text[1 - _SEALED :]:
        raise Damaged("its checksum differs")
    return content


def _checksum(text: str) -> str:
    return f"{checksum(text.encode('utf-8', 'surrogatepass')):08x}"


def checksum(content: bytes) -> int:
    """The checksum of what is stored without a seal, beside it."""
    return zlib.crc32(content)


def dumps(record: Any) -> str:
    """The JSON text of a record. ASCII, so that lone surrogates (from odd file names, say) can be stored, too."""
    return sealed(_ENCODER.encode(to_json(record)))


def loads(kind: type[_Record], text: str) -> _Record:
    """The record of class `kind` that `dumps` wrote; raises `Damaged` for any other text."""
    content = unsealed(text)
    try:
        return from_json(kind, json.loads(content))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Damaged(f"it is not a {kind.__name__}: {error}") from error


def plain(text: str) -> Any:
    """The JSON value that was sealed; raises `Damaged` for any other text."""
    content = unsealed(text)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Damaged(str(error)) from error


def to_json(record: Any) -> dict[str, Any]:
    """What ``json`` can hold of a record."""
    kind: Any = type(record)
    values, encoders = _encoders(kind)
    return {
        name: value if encode is _same else encode(value)
        for (name, encode, default), value in zip(encoders, values(record), strict=True)
        if value is not default and value != default
    }


def from_json(kind: type[_Record], data: dict[str, Any]) -> _Record:
    """The record of class `kind` that `to_json` gave; fields that the class does not know are left out."""
    hashable: Any = kind
    decoders = _decoders(hashable)
    return kind(**{name: decoders[name](value) for name, value in data.items() if name in decoders})


_NO_DEFAULT = object()


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _NO_DEFAULT


@functools.cache
def _encoders(kind: Hashable) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[tuple[str, _Convert, Any], ...]]:
    """What reads all fields of a record of that class, and of each field the name, the encoder and the default."""
    record = cast("Any", kind)
    hints = typing.get_type_hints(record)
    found = tuple((field.name, _encoder(hints[field.name]), _default(field)) for field in _fields(record))
    names = [name for name, _, _ in found]
    values = operator.attrgetter(*names) if len(names) > 1 else lambda each: tuple(getattr(each, one) for one in names)
    return values, found


@functools.cache
def _decoders(kind: Hashable) -> dict[str, _Convert]:
    record = cast("Any", kind)
    hints = typing.get_type_hints(record)
    return {field.name: _decoder(hints[field.name]) for field in _fields(record)}


def _fields(record: Any) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(record) if OWN_COLUMN not in field.metadata]


def _same(value: Any) -> Any:
    return value


def _members(hint: Any) -> tuple[Any, ...]:
    """The members of a union but None; empty for any other hint."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(member for member in typing.get_args(hint) if member is not types.NoneType)
    return ()


def _encoder(hint: Any) -> _Convert:
    if members := _members(hint):
        return _union_encoder(members)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return to_json
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        inner = [_encoder(argument) for argument in arguments if argument is not Ellipsis]
        if arguments[-1] is Ellipsis:
            return functools.partial(_map, inner[0], list)
        return lambda value: [encode(item) for encode, item in zip(inner, value, strict=True)]
    if origin is collections.abc.Mapping:
        encode = _encoder(arguments[1])
        return dict if encode is _same else functools.partial(_map_values, encode)
    return _same


def _union_encoder(members: tuple[Any, ...]) -> _Convert:
    if len(members) == 1:
        encode = _encoder(members[0])
        return encode if encode is _same else lambda value: None if value is None else encode(value)
    by_class = {member: _encoder(member) for member in members}

    def encode_union(value: Any) -> Any:
        if value is None:
            return None
        encoded = by_class.get(type(value), _same)(value)
        return {_CLASS: type(value).__name__, **encoded} if dataclasses.is_dataclass(value) else encoded

    return encode_union


def _decoder(hint: Any) -> _Convert:
    if members := _members(hint):
        return _union_decoder(members)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return functools.partial(from_json, hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        inner = [_decoder(argument) for argument in arguments if argument is not Ellipsis]
        if arguments[-1] is Ellipsis:
            return functools.partial(_map, inner[0], tuple)
        return lambda value: tuple(decode(item) for decode, item in zip(inner, value, strict=True))
    if origin is collections.abc.Mapping:
        decode = _decoder(arguments[1])
        return _same if decode is _same else functools.partial(_map_values, decode)
    return _same


def _union_decoder(members: tuple[Any, ...]) -> _Convert:
    if len(members) == 1:
        decode = _decoder(members[0])
        return decode if decode is _same else lambda value: None if value is None else decode(value)
    classes = [member for member in members if isinstance(member, type) and dataclasses.is_dataclass(member)]
    records = {member.__name__: _decoder(member) for member in classes}
    enums = [member for member in members if isinstance(member, type) and issubclass(member, enum.Enum)]

    def decode_union(value: Any) -> Any:
        if isinstance(value, dict):
            return records[value[_CLASS]](value)
        # A union holds at most one enumeration; its other members (bool, int, str) are JSON themselves.
        return enums[0](value) if enums and value is not None else value

    return decode_union


def _enum_value(value: enum.Enum) -> Any:
    return value.value


def _map(convert: _Convert, container: _Convert, values: Any) -> Any:
    return container(values if convert is _same else map(convert, values))


def _map_values(convert: _Convert, values: Any) -> Any:
    return {key: convert(value) for key, value in values.items()}
