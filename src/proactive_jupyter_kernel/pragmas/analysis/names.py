"""Which names a piece of Python reads from outside, and which it leaves set at module level.

The analysis follows the code in the order of execution and never runs it. It errs on the side of silence: a name that
may have been set by then counts as set. A read is *certain* unless something in the code shows that its author expects
the name to be missing (``try ... except NameError``), or the code looks names up dynamically (``globals()``, ``exec``).
"""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from proactive_jupyter_kernel.pragmas.analysis.scopes import (
    ComprehensionNode,
    FunctionNode,
    Scope,
    annotations_of,
    bound_in,
    defaults_of,
    reads_of,
)

__all__ = ["Binding", "NameUse", "Read", "name_use"]

#: Names that every module has.
_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__builtins__", "__spec__", "__loader__", "__package__"})
#: IPython adds a name of its own, which tasks do not have.
_BUILTINS = (frozenset(dir(builtins)) | _MODULE_NAMES | {"__annotations__", "__class__", "__debug__"}) - {"get_ipython"}
#: Calls after which the defined names are unknown.
_DYNAMIC = frozenset({"globals", "locals", "vars", "exec", "eval"})
#: Exceptions whose handler shows that a name may be missing.
_EXPECTED_MISSING = frozenset({"NameError", "Exception", "BaseException"})


class Binding(enum.Enum):
    """What a module-level name is bound to, as far as the code shows."""

    VALUE = "value"
    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The first place where a name is read that the code itself has not set."""

    name: str
    #: Line from 1 and column from 0, in characters.
    line: int
    column: int
    #: False: the author seems to expect that the name may be missing.
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """The names that cross the border of a piece of code."""

    #: By name, in the order of the first read.
    reads: Mapping[str, Read] = field(default_factory=dict)
    #: Module-level names that are set when the code has ended.
    sets: Mapping[str, Binding] = field(default_factory=dict)
    #: Statements that import modules, by the name that they bind, as source text.
    imports: Mapping[str, str] = field(default_factory=dict)
    #: The source text of functions and classes defined at module level, decorators included.
    definitions: Mapping[str, str] = field(default_factory=dict)
    #: Whether names may come from ``import *``, ``exec`` and the like.
    dynamic: bool = False


@functools.lru_cache(maxsize=2048)
def name_use(code: str) -> NameUse:
    """The names that the code reads from outside and sets; nothing for code that is not Python (or not of this one)."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return NameUse(dynamic=True)
    walker = _Walker(code)
    try:
        walker.block(tree.body)
        walker.finish()
    except RecursionError:
        return NameUse(dynamic=True)
    reads = walker.reads
    if walker.dynamic:
        reads = {name: replace(read, certain=False) for name, read in reads.items()}
    return NameUse(
        reads=reads,
        sets=walker.sets,
        imports=walker.imports,
        definitions=walker.definitions,
        dynamic=walker.dynamic,
    )


class _Walker:
    """Follows module-level code in the order of execution."""

    def __init__(self, code: str) -> None:
        self._lines = code.split("\n")
        self.reads: dict[str, Read] = {}
        self.sets: dict[str, Binding] = {}
        self.imports: dict[str, str] = {}
        self.definitions: dict[str, str] = {}
        self.dynamic = False
        #: Names that loops around the present statement set further down.
        self._later: list[frozenset[str]] = []
        #: Names that the code has set so far, also those deleted since.
        self._ever: set[str] = set()
        #: Depth of ``try`` blocks whose handlers expect a missing name.
        self._guarded = 0
        #: Reads inside functions, judged when the whole module is known.
        self._deferred: list[ast.Name] = []
        self._depth = 0

    # -- statements

    def block(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def finish(self) -> None:
        """Judge the names that functions read: the module may set them before it calls the function."""
        for node in self._deferred:
            if node.id not in self._ever:
                self._note(node, certain=True)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._expressions([*node.decorator_list, *defaults_of(node.args), *annotations_of(node)])
                self._function(node)
                self._define(node, Binding.FUNCTION)
            case ast.ClassDef():
                self._expressions([*node.decorator_list, *node.bases, *(word.value for word in node.keywords)])
                self._class(node)
                self._define(node, Binding.CLASS)
            case ast.Assign():
                self._expression(node.value)
                for target in node.targets:
                    self._target(target)
            case ast.AugAssign():
                if isinstance(node.target, ast.Name):
                    self._read(node.target)
                self._expression(node.value)
                self._target(node.target)
            case ast.AnnAssign():
                if node.value is not None:
                    self._expression(node.value)
                    self._target(node.target)
            case ast.Delete():
                for target in node.targets:
                    self._delete(target)
            case ast.If():
                self._expression(node.test)
                self.block(node.body)
                self.block(node.orelse)
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter)
                self._target(node.target)
                self._loop(node.body)
                self.block(node.orelse)
            case ast.While():
                self._expression(node.test)
                self._loop(node.body)
                self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expression(item.context_expr)
                    if item.optional_vars is not None:
                        self._target(item.optional_vars)
                self.block(node.body)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match():
                self._expression(node.subject)
                for case in node.cases:
                    self._pattern(case.pattern)
                    if case.guard is not None:
                        self._expression(case.guard)
                    self.block(case.body)
            case ast.Global() | ast.Nonlocal():
                pass
            case _:
                self._expressions(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.dynamic = True
                continue
            name = alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
            self._bind(name, Binding.MODULE)
            single = (
                ast.Import(names=[alias])
                if isinstance(node, ast.Import)
                else ast.ImportFrom(module=node.module, names=[alias], level=node.level)
            )
            self.imports[name] = ast.unparse(single)

    def _loop(self, body: list[ast.stmt]) -> None:
        self._later.append(frozenset(bound_in(body)))
        self.block(body)
        self._later.pop()

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        expected = any(_expects_missing(handler) for handler in node.handlers)
        self._guarded += expected
        self.block(node.body)
        self._guarded -= expected
        for handler in node.handlers:
            if handler.type is not None:
                self._expression(handler.type)
            if handler.name:
                self._bind(handler.name, Binding.VALUE)
            self.block(handler.body)
            if handler.name:
                self.sets.pop(handler.name, None)
        self.block(node.orelse)
        self.block(node.finalbody)

    # -- names

    def _bind(self, name: str, binding: Binding) -> None:
        self.sets[name] = binding
        self._ever.add(name)
        if binding is not Binding.MODULE:
            self.imports.pop(name, None)
        self.definitions.pop(name, None)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, binding: Binding) -> None:
        self._bind(node.name, binding)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        self.definitions[node.name] = textwrap.dedent("\n".join(self._lines[first - 1 : node.end_lineno]))

    def _target(self, node: ast.expr) -> None:
        """Names that an assignment sets; an index or an attribute reads what it belongs to."""
        match node:
            case ast.Name():
                self._bind(node.id, Binding.VALUE)
            case ast.Tuple() | ast.List():
                for item in node.elts:
                    self._target(item)
            case ast.Starred():
                self._target(node.value)
            case _:
                self._expression(node)

    def _pattern(self, node: ast.pattern) -> None:
        for part in ast.walk(node):
            match part:
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                    self._bind(name, Binding.VALUE)
                case ast.MatchValue(value=value):
                    self._expression(value)
                case ast.MatchClass(cls=value):
                    self._expression(value)

    def _delete(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                if node.id not in self._ever:
                    self._read(node)
                for known in (self.sets, self.imports, self.definitions):
                    known.pop(node.id, None)
            case ast.Tuple() | ast.List():
                for item in node.elts:
                    self._delete(item)
            case _:
                self._expression(node)

    def _read(self, node: ast.Name) -> None:
        """A name read at module level, now."""
        if node.id in self._ever:
            return
        later = any(node.id in names for names in self._later)
        self._note(node, certain=not later and not self._guarded)

    def _note(self, node: ast.Name, *, certain: bool) -> None:
        if node.id in _DYNAMIC:
            self.dynamic = True
        if node.id in _BUILTINS:
            return
        known = self.reads.get(node.id)
        if known is None:
            column = len(self._lines[node.lineno - 1].encode("utf-8")[: node.col_offset].decode("utf-8", "replace"))
            self.reads[node.id] = Read(name=node.id, line=node.lineno, column=column, certain=certain)
        elif certain and not known.certain:
            self.reads[node.id] = replace(known, certain=True)

    # -- expressions and inner scopes

    def _expressions(self, nodes: Iterable[ast.expr]) -> None:
        for node in nodes:
            self._expression(node)

    def _expression(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load):
                    self._read(node)
            case ast.NamedExpr():
                self._expression(node.value)
                self._target(node.target)
            case ast.Lambda():
                self._expressions(defaults_of(node.args))
                self._function(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expression(child)
                    elif isinstance(child, ast.keyword):
                        self._expression(child.value)

    def _comprehension(self, node: ComprehensionNode) -> None:
        """The first iterable is evaluated outside; the rest sees the comprehension's own names."""
        own = Scope.of_comprehension(node)
        for number, generator in enumerate(node.generators):
            self._inner(generator.iter, own if number else Scope(), now=True)
            for condition in generator.ifs:
                self._inner(condition, own, now=True)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for part in parts:
            self._inner(part, own, now=True)
        for name in own.outer:
            self._bind(name, Binding.VALUE)

    def _function(self, node: FunctionNode) -> None:
        scope = Scope.of_function(node)
        for name in scope.sets_global:
            self._ever.add(name)
            self.sets[name] = Binding.VALUE
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for part in body:
            self._inner(part, scope, now=False)

    def _class(self, node: ast.ClassDef) -> None:
        """A class body runs now; its own names are not seen by its functions."""
        own = Scope(names=frozenset(bound_in(node.body)))
        for statement in node.body:
            self._inner(statement, own, now=True, is_class=True)

    def _inner(self, node: ast.AST, scope: Scope, *, now: bool, is_class: bool = False) -> None:
        """Names that an inner scope reads from the module; `now`: the code runs here and not when called."""
        for part, names in reads_of(node, scope.names, is_class=is_class):
            if part.id in names:
                continue
            if part.id in _DYNAMIC:
                self.dynamic = True
            if now:
                self._read(part)
            else:
                self._deferred.append(part)
        for function in ast.walk(node):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in Scope.of_function(function).sets_global:
                    self._ever.add(name)
                    self.sets[name] = Binding.VALUE


def _expects_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(part, ast.Name) and part.id in _EXPECTED_MISSING for part in ast.walk(handler.type))
