"""The kinds of values that settings have: how each is read from text, and what a message says of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "FILE",
    "FOLDER",
    "GIBIBYTE",
    "KIBIBYTE",
    "MEBIBYTE",
    "NODE_SOURCES",
    "SECONDS",
    "SOME_SECONDS",
    "SWITCH",
    "NodeSource",
    "SettingKind",
    "count",
    "one_of",
    "size",
]

KIBIBYTE, MEBIBYTE, GIBIBYTE = 1024, 1024**2, 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingKind:
    """A kind of value."""

    #: What `read` accepts, after "it must be".
    text: str
    #: Reads a value; ValueError for any other text.
    read: Callable[[str], Any]
    #: Empty where values have none.
    unit: str = ""


def count(least: int, unit: str, *, most: int = 10**9) -> SettingKind:
    """An integer, between the two."""

    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return SettingKind(text=f"an integer of at least {least}, at most {most}", read=read, unit=unit)


def one_of(*words: str) -> SettingKind:
    """One of some words, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return SettingKind(text=" or ".join(words), read=read)


#: ``2 GiB``, ``512M``, ``64 kB``: the letter counts, in powers of 1,024.
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<power>[kmgt]?)(?:i?b)?", re.IGNORECASE)


def size(least: int, *, unlimited: bool = False) -> SettingKind:
    """Bytes, at least so many; with `unlimited` also 0, which means no limit."""

    def read(text: str) -> int:
        match = _SIZE.fullmatch(text)
        if match is None:
            raise ValueError(text)
        value = int(float(match["number"]) * 1024 ** " kmgt".index(match["power"].lower() or " "))
        if value < least and not (unlimited and value == 0):
            raise ValueError(text)
        return value

    bytes_ = f"bytes, at least {least}, such as 67108864 or 64 MiB"
    return SettingKind(text=f"0, or {bytes_}" if unlimited else bytes_, read=read, unit="bytes")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _some_seconds(text: str) -> float:
    value = _seconds(text)
    if not value:
        raise ValueError(text)
    return value


SECONDS = SettingKind(text="seconds, 0 or more", read=_seconds, unit="seconds")
SOME_SECONDS = SettingKind(text="seconds, more than 0", read=_some_seconds, unit="seconds")

_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


SWITCH = SettingKind(text="on or off", read=_switch)

FOLDER = SettingKind(text="a folder", read=str)
FILE = SettingKind(text="a file", read=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSource:
    """A node source beside `DEFAULT_SOURCE`."""

    name: str
    #: How many nodes it has.
    nodes: int
    #: The access tokens of each of its nodes.
    tokens: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}={self.nodes}" + (f":{','.join(self.tokens)}" if self.tokens else "")


#: ``NAME=NODES``, and the access tokens of its nodes: ``gpu=2:cuda,team``. Names as ProActive's models list them.
_NODE_SOURCE = re.compile(r"(?P<name>[\w.-]+)=(?P<nodes>\d{1,4})(?::(?P<tokens>[\w.-]+(?:,[\w.-]+)*))?")
#: The slots of `DEFAULT_SOURCE` are called local-0 and so on.
_RESERVED = ("default", "local")


def _node_sources(text: str) -> tuple[NodeSource, ...]:
    found: dict[str, NodeSource] = {}
    for part in text.split():
        match = _NODE_SOURCE.fullmatch(part)
        name = match["name"] if match else ""
        if match is None or name.lower() in _RESERVED or name in found or not int(match["nodes"]):
            raise ValueError(text)
        tokens = tuple(dict.fromkeys((match["tokens"] or "").split(","))) if match["tokens"] else ()
        found[name] = NodeSource(name=name, nodes=int(match["nodes"]), tokens=tokens)
    return tuple(found.values())


NODE_SOURCES = SettingKind(
    text="NAME=NODES or NAME=NODES:TOKEN,TOKEN, several with blanks between them, such as 'big=1 gpu=2:cuda,team'; the "
    "names Default and local are taken",
    read=_node_sources,
    unit="nodes",
)
