"""Inner scopes of Python code: which names a function, a class or a comprehension binds, and which it reads. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "ComprehensionNode",
    "FunctionNode",
    "Scope",
    "annotations_of",
    "bound_in",
    "defaults_of",
    "reads_of",
]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ComprehensionNode: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of an inner scope."""

    names: frozenset[str] = frozenset()
    #: Declared ``global`` and assigned.
    sets_global: frozenset[str] = frozenset()
    #: Set by ``:=`` in a comprehension, which binds outside of it.
    outer: frozenset[str] = frozenset()

    @classmethod
    def of_function(cls, node: FunctionNode) -> Scope:
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        names = {argument.arg for argument in every}
        names |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
        if isinstance(node, ast.Lambda):
            return cls(names=frozenset(names))
        bound = set(bound_in(node.body))
        declared = {name for one in _own_nodes(node.body) if isinstance(one, ast.Global) for name in one.names}
        return cls(names=frozenset((names | bound) - declared), sets_global=frozenset(bound & declared))

    @classmethod
    def of_comprehension(cls, node: ComprehensionNode) -> Scope:
        names = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        }
        outer = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
        return cls(names=frozenset(names | outer), outer=frozenset(outer))


def reads_of(
    node: ast.AST, names: frozenset[str], *, is_class: bool = False
) -> Iterator[tuple[ast.Name, frozenset[str]]]:
    """Every name that is read below a node, with the names that its scopes inside of the module have."""
    match node:
        case ast.Name():
            if isinstance(node.ctx, ast.Load):
                yield node, names
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            outside = defaults_of(node.args)
            if not isinstance(node, ast.Lambda):
                outside += [*node.decorator_list, *annotations_of(node)]
            for expression in outside:
                yield from reads_of(expression, names)
            # A function does not see the names of the class that it stands in.
            inner = Scope.of_function(node).names | (frozenset() if is_class else names)
            for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
                yield from reads_of(part, inner)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            inner = names | Scope.of_comprehension(node).names
            for child in ast.iter_child_nodes(node):
                yield from reads_of(child, inner)
        case ast.ClassDef():
            for part in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
                yield from reads_of(part, names)
            inner = names | frozenset(bound_in(node.body))
            for statement in node.body:
                yield from reads_of(statement, inner, is_class=True)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from reads_of(child, names, is_class=is_class)


def bound_in(body: Iterable[ast.AST]) -> Iterator[str]:
    """The names that statements bind in their own scope."""
    for node in _own_nodes(body):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield node.id
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import():
                yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
            case ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


def _own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of statements, without those of inner functions, classes and lambdas; targets of ``:=`` included."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ComprehensionNode):
            waiting += [part.target for part in ast.walk(node) if isinstance(part, ast.NamedExpr)]
            continue
        waiting += ast.iter_child_nodes(node)


def defaults_of(arguments: ast.arguments) -> list[ast.expr]:
    """The default values of parameters, which are evaluated outside of the function."""
    return [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of parameters and result."""
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    found = [one.annotation for one in every if one is not None and one.annotation is not None]
    return [*found, node.returns] if node.returns is not None else found
