"""Routes: a table of methods and paths, and the look-up of a request in it.

ProActive's paths need more than an ordinary router gives: matrix parameters (``/submit;A=1``) of the last segment,
segments decoded only after the path was split (a task's name may hold ``%2F``), doubled slashes, and literal segments
that win over parameters whatever their order in the table (``taskstates/paginated`` over ``taskstates/{tag}``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from urllib.parse import unquote, unquote_plus

__all__ = ["Match", "MethodNotAllowed", "Router", "Row", "split_path"]


class Row(Protocol):
    """What a router needs of a row of its table."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


_Row = TypeVar("_Row", bound=Row)


@dataclass(frozen=True, slots=True)
class Match(Generic[_Row]):
    """A route and what the path says to it."""

    route: _Row
    #: Decoded segments by the names in the route's path.
    params: Mapping[str, str]
    #: Matrix parameters of the last segment.
    matrix: Mapping[str, str]


class MethodNotAllowed(Exception):
    """The path is known, but not with this method. `allowed` are the methods it has."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = sorted(allowed)


@dataclass(slots=True)
class _Node(Generic[_Row]):
    literals: dict[str, _Node[_Row]] = field(default_factory=dict)
    parameter: _Node[_Row] | None = None
    #: By method; a tail takes the rest of the path.
    routes: dict[str, _Row] = field(default_factory=dict)
    tails: dict[str, _Row] = field(default_factory=dict)


class Router(Generic[_Row]):
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[_Row]) -> None:
        self._root: _Node[_Row] = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: _Row) -> None:
        node = self._root
        for segment in _names(route.path):
            if segment.endswith("*}"):
                node.tails[route.method] = route
                return
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node[_Row]()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node[_Row]())
        if route.method in node.routes:
            raise ValueError(f"two routes for {route.method} {route.path}")
        node.routes[route.method] = route

    def methods(self, raw_path: str) -> list[str]:
        """The methods that a path has, in the order of a Java set, as the server lists them; none: no such path."""
        allowed: set[str] = set()
        self._walk(self._root, split_path(raw_path)[0], 0, "", allowed)
        known = {*allowed, "OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())
        return sorted(known, key=_JAVA_ORDER.index) if allowed else []

    def find(self, method: str, raw_path: str) -> Match[_Row] | None:
        """The route of an undecoded path, None if there is none; raises `MethodNotAllowed`."""
        segments, matrix = split_path(raw_path)
        allowed: set[str] = set()
        found = self._walk(self._root, segments, 0, "GET" if method == "HEAD" else method, allowed)
        if found is None:
            if allowed:
                raise MethodNotAllowed(allowed)
            return None
        return Match(found, _params(found.path, segments), matrix)

    def _walk(self, node: _Node[_Row], segments: list[str], place: int, method: str, allowed: set[str]) -> _Row | None:
        if place == len(segments):
            allowed.update(node.routes)
            return node.routes.get(method)
        literal = node.literals.get(segments[place])
        for child in (literal, node.parameter):
            if child is not None:
                found = self._walk(child, segments, place + 1, method, allowed)
                if found is not None:
                    return found
        allowed.update(node.tails)
        return node.tails.get(method)


_JAVA_ORDER = ("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT")


def split_path(raw_path: str) -> tuple[list[str], dict[str, str]]:
    """The decoded segments of a path without empty ones, and the matrix parameters of the last one.

    A key without a value has ``""``; empty keys are dropped (as a ProActive server does).
    """
    segments: list[str] = []
    matrix: dict[str, str] = {}
    for part in raw_path.split("/"):
        name, *pairs = part.split(";")
        matrix = {} if name else matrix
        for pair in pairs:
            key, _, value = pair.partition("=")
            if key:
                matrix[unquote_plus(key)] = unquote_plus(value)
        if name:
            segments.append(unquote(name))
    return segments, matrix


def _names(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _params(path: str, segments: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for place, segment in enumerate(_names(path)):
        if segment.endswith("*}"):
            params[segment[1:-2]] = "/".join(segments[place:])
        elif segment.startswith("{"):
            params[segment[1:-1]] = segments[place]
    return params
