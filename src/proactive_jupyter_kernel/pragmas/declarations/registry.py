"""The registry of pragmas: one declaration each, from which validation, help, completion and the reference come.

A handler module declares its pragmas with `@pragma`; `PRAGMAS` holds them all by name and alias, and imports the
handler modules when it is first asked. `binding.bind` turns a call as typed into values that fit the declaration.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from proactive_jupyter_kernel.errors import BadValue, PragmaError, UnknownPragma
from proactive_jupyter_kernel.pragmas.declarations.kinds import Kind
from proactive_jupyter_kernel.pragmas.declarations.later import CalledPragmas, Later
from proactive_jupyter_kernel.pragmas.declarations.proposals import PRAGMA_SYNONYMS, propose
from proactive_jupyter_kernel.pragmas.grammar.dialect import Dialect, PragmaShape
from proactive_jupyter_kernel.pragmas.grammar.syntax import Call, ListNode, Node, TextNode
from proactive_jupyter_kernel.pragmas.grammar.tokens import Span

__all__ = [
    "FAMILIES",
    "PRAGMAS",
    "BoundCall",
    "Handler",
    "Parameter",
    "Pragma",
    "Registry",
    "pragma",
]

#: Is called with the notebook's context, which knows this module and must not be known by it, and the call.
Handler: TypeAlias = "Callable[[Any, BoundCall], None]"
Check: TypeAlias = "Callable[[BoundCall], None]"

#: The families, in the order of the help, and what each is for.
FAMILIES = {
    "help": "Getting around",
    "connection": "Connecting",
    "tasks": "Tasks",
    "scripts": "Scripts around a task",
    "controls": "Controls: branch, loop, replicate",
    "jobs": "Jobs",
    "nodes": "Nodes",
    "portals": "Portals",
    "results": "Results and output",
    "exchange": "Workflow files",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a pragma."""

    name: str
    kind: Kind
    #: One sentence for help, inspection and the reference.
    doc: str
    default: Any = None
    required: bool = False
    #: Other names that mean the same.
    aliases: tuple[str, ...] = ()
    #: The value where none is given, from the values of the others; None: the default.
    derive: Callable[[Mapping[str, Any]], Any] | None = None
    #: True: a value without a name is this parameter, though it is not required; of several, the first that claims it.
    nameless: bool = False

    @property
    def shown_default(self) -> str:
        """The default as one would type it; empty where there is none."""
        return "" if self.default is None or self.default == () else self.kind.unparse(self.default)

    @property
    def usage(self) -> str:
        """``name=NAME`` or ``[language=Python]``: works as it stands once its words are filled in."""
        shown = f"{self.name}={self.shown_default or self.name.upper()}"
        return shown if self.required else f"[{shown}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pragma:
    """One pragma: what it takes and what it does."""

    name: str
    family: str
    #: One sentence.
    summary: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    #: A cell that works, more than one line where the code matters.
    example: str = ""
    #: Further names of the same pragma.
    aliases: tuple[str, ...] = ()
    #: True: the lines below belong to it; False: they run in the notebook's own Python.
    takes_code: bool = False
    #: True: it defines the task that its parameter `name` names.
    defines_task: bool = False
    #: True: it changes the draft, one such pragma at a time.
    changes_draft: bool = False
    #: True: it removes or ends something; it is not proposed for a word that only looks like its name.
    destructive: bool = False
    #: What must hold before anything of the cell is done; raises `PragmaError`.
    check: Check | None = None

    @property
    def usage(self) -> str:
        """The line to copy and fill in."""
        return f"#%{self.name}({', '.join(parameter.usage for parameter in self.parameters)})"

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name or alias."""
        for parameter in self.parameters:
            if name == parameter.name or name in parameter.aliases:
                return parameter
        return None

    @property
    def positionals(self) -> tuple[Parameter, ...]:
        """What a value without a name may be: the one required parameter, the only one, or those declared so."""
        required = tuple(parameter for parameter in self.parameters if parameter.required)
        if len(required) == 1:
            return required
        if len(self.parameters) == 1:
            return self.parameters
        return tuple(parameter for parameter in self.parameters if parameter.nameless)

    def nameless(self, value: Node) -> Parameter | None:
        """The parameter that this value is where it stands without a name."""
        return next((parameter for parameter in self.positionals if parameter.kind.claims(value)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCall:
    """A call whose every value fits the declaration; ``bound["name"]`` is a value, the default where none is given."""

    pragma: Pragma
    call: Call
    values: Mapping[str, Any]
    #: Where each parameter that was given has its value.
    spans: Mapping[str, Span]
    #: What each parameter that was given has as its value, as typed.
    nodes: Mapping[str, Node] = field(default_factory=dict, repr=False)
    #: The pragmas that follow in the same cell.
    later: Later = field(default_factory=lambda: Later(CalledPragmas()), repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def given(self, name: str) -> bool:
        """Whether the parameter stands in the call."""
        return name in self.spans

    @property
    def code(self) -> str:
        """The code that belongs to the pragma; empty where it takes none."""
        return self.call.code if self.pragma.takes_code else ""

    def fault(self, message: str, *, parameter: str = "", item: str = "", hint: str = "") -> PragmaError:
        """A `BadValue` that points at the parameter's value, at one item or key of it, or at the pragma."""
        span = self.spans.get(parameter, self.call.span)
        if item and parameter in self.nodes:
            span = next((one.span for one in _items(self.nodes[parameter]) if one.text.strip() == item), span)
        return span.fault(BadValue, message, hint=hint, pragma=self.call.name)


class Registry(Mapping[str, Pragma]):
    """Pragmas by name and alias; iterates over the names alone, in the order of families and declaration."""

    def __init__(self, package: str = "") -> None:
        """`package`: its modules are imported, once, when the registry is first read."""
        self._package = package
        self._loaded = not package
        self._lock = threading.RLock()
        self._by_name: dict[str, Pragma] = {}
        self._named: list[Pragma] = []
        self._dialect: Dialect | None = None

    def add(self, pragma: Pragma) -> None:
        """Declare one more; ValueError if a name is taken or the family unknown."""
        names = (pragma.name, *pragma.aliases)
        if taken := [name for name in names if name in self._by_name]:
            raise ValueError(f"two pragmas are called {taken[0]}")
        if pragma.family not in FAMILIES:
            raise ValueError(f"#%{pragma.name}: there is no family {pragma.family}")
        self._by_name |= dict.fromkeys(names, pragma)
        self._named.append(pragma)
        self._dialect = None

    def __getitem__(self, name: str) -> Pragma:
        self._load()
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        order = list(FAMILIES)
        # Not in the order of the imports, which depends on what was imported first.
        named = sorted(self._named, key=lambda one: (order.index(one.family), one.handler.__module__))
        return iter([one.name for one in named])

    def __len__(self) -> int:
        self._load()
        return len(self._named)

    def names(self) -> tuple[str, ...]:
        """Every name that works, aliases included."""
        self._load()
        return tuple(self._by_name)

    def proposal(self, word: str) -> str:
        """The pragma that an unknown word most likely means; empty where none is near."""
        self._load()
        guarded = (name for name, one in self._by_name.items() if one.destructive)
        return propose(word, self._by_name, PRAGMA_SYNONYMS, guarded=guarded)

    def of(self, call: Call) -> Pragma:
        """The pragma that a call means; `UnknownPragma` with the nearest name."""
        self._load()
        found = self._by_name.get(call.name.lower())
        if found is None:
            meant = self.proposal(call.name)
            hint = f"Did you mean #%{meant}? #%help() lists all pragmas." if meant else "#%help() lists all pragmas."
            raise call.span.fault(UnknownPragma, f"There is no pragma #%{call.name}.", hint=hint)
        return found

    @property
    def dialect(self) -> Dialect:
        """What the grammar has to know of the pragmas; the same object until one more is declared."""
        self._load()
        if self._dialect is None:
            self._dialect = Dialect(shapes={name: _shape(name, one) for name, one in self._by_name.items()})
        return self._dialect

    @property
    def parameters(self) -> Mapping[str, bool]:
        """Every name of a parameter of any pragma, and whether its values are secret in one of them."""
        self._load()
        found: dict[str, bool] = {}
        for one in (parameter for pragma in self._named for parameter in pragma.parameters):
            for name in (one.name, *one.aliases):
                found[name] = found.get(name, False) or one.kind.secret
        return found

    def _load(self) -> None:
        if self._loaded:
            return
        with self._lock:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._loaded = True


def _items(node: Node) -> Iterator[TextNode]:
    """The texts of a value, each item before the keys and values inside it."""
    if isinstance(node, TextNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _items(item)
    else:
        for key, value in node.rows:
            yield from (key, *_items(value))


def _shape(name: str, found: Pragma) -> PragmaShape:
    names = (name for parameter in found.parameters for name in (parameter.name, *parameter.aliases))
    language = found.parameter("language")
    return PragmaShape(
        name=name,
        parameters=frozenset(names),
        takes_code=found.takes_code,
        engine=getattr(language.default, "engine", "") if language else "",
    )


PRAGMAS = Registry("proactive_jupyter_kernel.pragmas.handlers")


def pragma(
    name: str,
    *parameters: Parameter,
    family: str,
    summary: str,
    example: str,
    aliases: tuple[str, ...] = (),
    takes_code: bool = False,
    defines_task: bool = False,
    changes_draft: bool = False,
    destructive: bool = False,
    check: Check | None = None,
    registry: Registry = PRAGMAS,
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as the handler of a pragma."""

    def declare(handler: Handler) -> Handler:
        registry.add(
            Pragma(
                name=name,
                family=family,
                summary=summary,
                handler=handler,
                parameters=parameters,
                example=example,
                aliases=aliases,
                takes_code=takes_code,
                defines_task=defines_task,
                changes_draft=changes_draft,
                destructive=destructive,
                check=check,
            )
        )
        return handler

    return declare
