"""Parses the dot language of Graphviz into nodes and edges. Independent of workflows.

Follows the grammar on graphviz.org ("DOT Language"): ``strict``, subgraphs as ends of edges, defaults by scope, ports,
HTML strings, joined strings, comments. Keywords are not case-sensitive. Errors have a line and a column.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from itertools import pairwise

from proactive_jupyter_kernel.errors import UnreadableWorkflow

__all__ = ["Edge", "Html", "ParsedGraph", "parse"]

_TOKENS = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/|(?:(?<=\n)|\A)\#[^\n]*)
      | (?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)
      | (?P<number>-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?))
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<operator>->|--|[{}\[\];,=:+])
      | (?P<html><)
    """,
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = ("strict", "graph", "digraph", "subgraph", "node", "edge")
#: Limits for nesting and for the edges between subgraphs, far above those of real files.
_MAX_DEPTH = 100
_MAX_EDGES = 1_000_000


class Html(str):
    """The content of an HTML string, ``<...>``."""


@dataclass(slots=True)
class Edge:
    """One edge."""

    tail: str
    head: str
    attributes: dict[str, str]
    line: int


@dataclass(slots=True)
class ParsedGraph:
    """The content of a file."""

    name: str = ""
    directed: bool = True
    strict: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    #: Name -> attributes, including the defaults of its scope, in the order of first use.
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    #: Name -> the line of its first use.
    lines: dict[str, int] = field(default_factory=dict)
    #: Whether another graph follows in the file.
    more: bool = False


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    start: int


@dataclass(slots=True)
class _Scope:
    """The defaults of a graph or subgraph, and its nodes."""

    node: dict[str, str] = field(default_factory=dict)
    edge: dict[str, str] = field(default_factory=dict)
    members: dict[str, None] = field(default_factory=dict)

    def inner(self) -> _Scope:
        return _Scope(dict(self.node), dict(self.edge))


def parse(text: str) -> ParsedGraph:
    """The first graph in `text`; raises UnreadableWorkflow if it is not dot."""
    return _Parser(text).graph()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.found = ParsedGraph()
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.subgraphs: dict[str, dict[str, None]] = {}
        self.seen: dict[tuple[str, str], Edge] = {}
        self.token = self.read()

    # --- tokens ---

    def fault(self, message: str, position: int | None = None) -> UnreadableWorkflow:
        position = self.token.start if position is None else position
        line = self.line(position)
        column = position - self.starts[line - 1] + 1
        shown = self.text[self.starts[line - 1] :].partition("\n")[0].strip()[:120]
        message = f"Line {line}, column {column}: {message}"
        return UnreadableWorkflow(f"{message}\n    {shown}" if shown else message)

    def line(self, position: int) -> int:
        return bisect.bisect_right(self.starts, position)

    def read(self) -> _Token:
        """The next token."""
        while self.position < len(self.text):
            start = self.position
            match = _TOKENS.match(self.text, start)
            if match is None:
                if self.text[start] == '"':
                    raise self.fault("this string is not terminated.", start)
                if self.text.startswith("/*", start):
                    raise self.fault("this comment is not terminated.", start)
                raise self.fault(f"{self.text[start]!r} is not expected here.", start)
            self.position = match.end()
            kind = match.lastgroup or ""
            if kind == "html":
                return _Token("html", self.html(start), start)
            if kind != "blank":
                return _Token(kind, match.group(), start)
        return _Token("end", "", len(self.text))

    def html(self, start: int) -> str:
        depth = 0
        for position in range(start, len(self.text)):
            depth += {"<": 1, ">": -1}.get(self.text[position], 0)
            if not depth:
                self.position = position + 1
                return self.text[start + 1 : position]
        raise self.fault("this HTML string is not terminated.", start)

    def keyword(self, *words: str) -> bool:
        return self.token.kind == "name" and self.token.text.lower() in words

    def operator(self, *texts: str) -> bool:
        return self.token.kind == "operator" and self.token.text in texts

    def next(self) -> _Token:
        token = self.token
        self.token = self.read()
        return token

    def expect(self, text: str) -> None:
        if not self.operator(text):
            raise self.fault(f"{text!r} is expected, not {self.shown()}.")
        self.next()

    def shown(self) -> str:
        return "the end of the file" if self.token.kind == "end" else repr(self.token.text[:40])

    @property
    def at_value(self) -> bool:
        return self.token.kind in ("number", "string", "html") or (
            self.token.kind == "name" and not self.keyword(*_KEYWORDS)
        )

    def value(self, what: str) -> str:
        if not self.at_value:
            raise self.fault(f"{what} is expected, not {self.shown()}.")
        token = self.next()
        if token.kind == "html":
            return Html(token.text)
        if token.kind != "string":
            return token.text
        text = _unquoted(token.text)
        while self.operator("+"):
            self.next()
            if self.token.kind != "string":
                raise self.fault(f"a string in quotes is expected after +, not {self.shown()}.")
            text += _unquoted(self.next().text)
        return text

    # --- the grammar ---

    def graph(self) -> ParsedGraph:
        """``[strict] (graph | digraph) [ID] '{' statements '}'``"""
        found = self.found
        if self.keyword("strict"):
            self.next()
            found.strict = True
        if not self.keyword("graph", "digraph"):
            raise self.fault(f"a dot file starts with 'digraph', not with {self.shown()}.")
        found.directed = self.next().text.lower() == "digraph"
        if self.at_value:
            found.name = self.value("a name")
        scope = _Scope()
        self.statements(scope, 0)
        found.more = self.token.kind != "end"
        return found

    def statements(self, scope: _Scope, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise self.fault(f"subgraphs are nested more than {_MAX_DEPTH} deep.")
        self.expect("{")
        while not self.operator("}"):
            if self.token.kind == "end":
                raise self.fault("the file ends, but a '}' is missing.")
            self.statement(scope, depth)
            while self.operator(";", ","):
                self.next()
        self.next()

    def statement(self, scope: _Scope, depth: int) -> None:
        """A default, an attribute of the graph, a node, an edge or a subgraph."""
        if self.keyword("graph", "node", "edge"):
            word = self.next().text.lower()
            attributes = self.attributes(required=True)
            if word == "graph":
                self.graph_attributes(attributes, depth)
            else:
                (scope.node if word == "node" else scope.edge).update(attributes)
            return
        line = self.line(self.token.start)
        if not self.operator("{") and not self.keyword("subgraph"):
            start = self.token.start
            name = self.value("a node")
            if self.operator("="):
                self.next()
                self.graph_attributes({name: self.value("a value")}, depth)
                return
            self.port()
            if not self.operator("->", "--"):
                self.node(name, scope, self.attributes(), start)
                return
            self.node(name, scope, {}, start)
            self.edges([name], scope, depth, line)
            return
        members = self.subgraph(scope, depth)
        if self.operator("->", "--"):
            self.edges(members, scope, depth, line)

    def graph_attributes(self, attributes: dict[str, str], depth: int) -> None:
        if not depth:
            self.found.attributes.update(attributes)

    def port(self) -> None:
        """``':' ID [':' compass]``: where an edge touches the drawing of the node."""
        for _ in range(2):
            if self.operator(":"):
                self.next()
                self.value("a port")

    def attributes(self, required: bool = False) -> dict[str, str]:
        """``('[' [ID ['=' ID] [; ,] ...] ']')*``"""
        if required and not self.operator("["):
            raise self.fault(f"'[' is expected, not {self.shown()}.")
        found: dict[str, str] = {}
        while self.operator("["):
            self.next()
            while not self.operator("]"):
                name = self.value("an attribute or ']'")
                found[name] = "true"
                if self.operator("="):
                    self.next()
                    found[name] = self.value("a value")
                while self.operator(";", ","):
                    self.next()
            self.next()
        return found

    def node(self, name: str, scope: _Scope, attributes: dict[str, str], start: int) -> None:
        known = self.found.nodes.get(name)
        if known is None:
            self.found.nodes[name] = {**scope.node, **attributes}
            self.found.lines[name] = self.line(start)
        else:
            known.update(attributes)
        scope.members[name] = None

    def subgraph(self, scope: _Scope, depth: int) -> list[str]:
        """``['subgraph' [ID]] '{' statements '}'``; a name alone refers to the subgraph of that name."""
        name = ""
        if self.keyword("subgraph"):
            self.next()
            if self.at_value:
                name = self.value("a name")
                if not self.operator("{"):
                    members = self.subgraphs.get(name, {})
                    scope.members.update(members)
                    return list(members)
        inner = scope.inner()
        self.statements(inner, depth + 1)
        scope.members.update(inner.members)
        if name:
            self.subgraphs.setdefault(name, {}).update(inner.members)
        return list(inner.members)

    def edges(self, tails: list[str], scope: _Scope, depth: int, line: int) -> None:
        """``(('->' | '--') (node | subgraph))+ [attributes]``"""
        ends = [tails]
        while self.operator("->", "--"):
            directed = self.token.text == "->"
            if directed != self.found.directed:
                right, kind = ("--", "a graph") if directed else ("->", "a digraph")
                raise self.fault(f"the edges of {kind} are written {right!r}, not {self.token.text!r}.")
            self.next()
            if self.operator("{") or self.keyword("subgraph"):
                ends.append(self.subgraph(scope, depth))
            else:
                start = self.token.start
                name = self.value("a node or '{'")
                self.port()
                self.node(name, scope, {}, start)
                ends.append([name])
        attributes = {**scope.edge, **self.attributes()}
        for left, right_ends in pairwise(ends):
            if len(self.found.edges) + len(left) * len(right_ends) > _MAX_EDGES:
                raise self.fault(f"the file has more than {_MAX_EDGES:,} edges.")
            for tail in left:
                for head in right_ends:
                    self.edge(Edge(tail, head, dict(attributes), line))

    def edge(self, edge: Edge) -> None:
        pair = (edge.tail, edge.head)
        if self.found.strict and pair in self.seen:
            self.seen[pair].attributes.update(edge.attributes)
            return
        self.seen[pair] = edge
        self.found.edges.append(edge)


_ESCAPE = re.compile(r'\\("|\\|\r?\n)')


def _unquoted(text: str) -> str:
    r"""In quotes, ``\"`` is a quote, and a backslash at the end of a line joins it to the next one."""
    keep = {'"': '"', "\\": "\\\\"}
    return _ESCAPE.sub(lambda match: keep.get(match.group(1), ""), text[1:-1])
