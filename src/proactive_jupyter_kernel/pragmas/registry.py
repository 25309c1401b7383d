"""The registry of pragmas: one declaration each, from which validation, help, completion and the reference come.

A handler module declares its pragmas with `@pragma`; `PRAGMAS` holds them all by name and alias, and imports the
handler modules when it is first asked. `bind` turns a call as typed into values that fit the declaration.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from proactive_jupyter_kernel.errors import BadValue, PragmaError, UnknownParameter, UnknownPragma, did_you_mean
from proactive_jupyter_kernel.pragmas.dialect import Dialect, Shape
from proactive_jupyter_kernel.pragmas.kinds import Kind, Unfit
from proactive_jupyter_kernel.pragmas.syntax import Argument, Call
from proactive_jupyter_kernel.pragmas.tokens import Place

__all__ = ["FAMILIES", "PRAGMAS", "Bound", "Handler", "Parameter", "Pragma", "Registry", "bind", "pragma"]

#: Is called with the notebook's context, which knows this module and must not be known by it, and the call.
Handler: TypeAlias = "Callable[[Any, Bound], None]"
Check: TypeAlias = "Callable[[Bound], None]"

#: The families, in the order of the help, and what each is for.
FAMILIES = {
    "help": "Getting around",
    "connection": "Connecting",
    "tasks": "Tasks",
    "scripts": "Scripts around a task",
    "controls": "Controls: branch, loop, replicate",
    "jobs": "Jobs",
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
    #: True: a value without a name is this parameter, though it is not required.
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
    def positional(self) -> Parameter | None:
        """The parameter that a value without a name is: the one required, or the only one, or one declared so."""
        required = [parameter for parameter in self.parameters if parameter.required or parameter.nameless]
        if len(required) == 1:
            return required[0]
        return self.parameters[0] if len(self.parameters) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A call whose every value fits the declaration; ``bound["name"]`` is a value, the default where none is given."""

    pragma: Pragma
    call: Call
    values: Mapping[str, Any]
    #: Where each parameter that was given has its value.
    places: Mapping[str, Place]
    #: The pragmas that follow in the same cell.
    later: tuple[Bound, ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def given(self, name: str) -> bool:
        """Whether the parameter stands in the call."""
        return name in self.places

    @property
    def code(self) -> str:
        """The code that belongs to the pragma; empty where it takes none."""
        return self.call.code if self.pragma.takes_code else ""

    def fault(self, message: str, *, parameter: str = "", hint: str = "") -> PragmaError:
        """A `BadValue` that points at the parameter's value, or at the pragma."""
        place = self.places.get(parameter, self.call.place)
        return place.fault(BadValue, message, hint=hint, pragma=self.call.name)


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
        return iter([one.name for one in sorted(self._named, key=lambda one: order.index(one.family))])

    def __len__(self) -> int:
        self._load()
        return len(self._named)

    def names(self) -> tuple[str, ...]:
        """Every name that works, aliases included."""
        self._load()
        return tuple(self._by_name)

    def of(self, call: Call) -> Pragma:
        """The pragma that a call means; `UnknownPragma` with the nearest name."""
        self._load()
        found = self._by_name.get(call.name.lower())
        if found is None:
            hint = f"{did_you_mean(call.name, self._by_name)} #%help() lists all pragmas.".strip()
            raise call.place.fault(UnknownPragma, f"There is no pragma #%{call.name}.", hint=hint)
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
        """Every name of a parameter of any pragma, and whether its values are secret."""
        self._load()
        every = (parameter for pragma in self._named for parameter in pragma.parameters)
        return {name: one.kind.secret for one in every for name in (one.name, *one.aliases)}

    def _load(self) -> None:
        if self._loaded:
            return
        with self._lock:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._loaded = True


def _shape(name: str, found: Pragma) -> Shape:
    names = (name for parameter in found.parameters for name in (parameter.name, *parameter.aliases))
    language = found.parameter("language")
    return Shape(
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
                check=check,
            )
        )
        return handler

    return declare


def bind(call: Call, registry: Registry = PRAGMAS) -> Bound:
    """Give every argument to its parameter and read its value; `PragmaError` for the first that does not fit."""
    found = registry.of(call)
    arguments: dict[str, Argument] = {}
    for argument in call.arguments:
        parameter = _parameter_of(found, call, argument)
        if parameter.name in arguments:
            raise argument.place.fault(UnknownParameter, f"{parameter.name} is given twice.", pragma=call.name)
        arguments[parameter.name] = argument
    missing = [one.name for one in found.parameters if one.required and one.name not in arguments]
    if missing:
        raise call.place.fault(
            UnknownParameter,
            f"{' and '.join(missing)} must be given.",
            hint=f"Usage: {found.usage}",
            pragma=call.name,
        )
    values = {
        parameter.name: _read(call, parameter, arguments[parameter.name])
        if parameter.name in arguments
        else parameter.default
        for parameter in found.parameters
    }
    places = {name: argument.value.place for name, argument in arguments.items()}
    bound = Bound(pragma=found, call=call, values=values, places=places)
    if found.check:
        found.check(bound)
    return bound


def _parameter_of(found: Pragma, call: Call, argument: Argument) -> Parameter:
    if not argument.name:
        if found.positional:
            return found.positional
        raise argument.place.fault(
            UnknownParameter,
            "takes no value without a name." if found.parameters else "takes no parameters.",
            hint=f"Usage: {found.usage}",
            pragma=call.name,
        )
    parameter = found.parameter(argument.name)
    if parameter is None:
        known = [one.name for one in found.parameters]
        raise argument.place.fault(
            UnknownParameter,
            f"there is no parameter {argument.name}.",
            hint=f"{did_you_mean(argument.name, known)}\nUsage: {found.usage}".strip(),
            pragma=call.name,
        )
    return parameter


def _read(call: Call, parameter: Parameter, argument: Argument) -> Any:
    try:
        return parameter.kind.parse(argument.value)
    except Unfit as unfit:
        raise unfit.node.place.fault(
            BadValue, f"{parameter.name} {unfit.reason}", hint=unfit.hint, pragma=call.name
        ) from None
