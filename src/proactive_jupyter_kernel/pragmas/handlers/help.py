"""`#%help`: what can be written, from the registry."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.declarations.registry import (
    FAMILIES,
    PRAGMAS,
    BoundCall,
    Parameter,
    Pragma,
    pragma,
)
from proactive_jupyter_kernel.pragmas.declarations.values import Plain
from proactive_jupyter_kernel.pragmas.outputs import HelpIndex, HelpPage

#: What the index shows to begin with.
EXAMPLE = """#%task(name=Numbers)
result = [1, 2, 3]
#%task(name=Total, dep=[Numbers])
result = sum(results[0].value())
#%submit_job(wait=on, print_result=on)"""


@pragma(
    "help",
    Parameter(
        name="pragma",
        kind=Plain("a pragma's name", offers="pragmas"),
        doc="The pragma to explain: its usage, every parameter, an example.",
    ),
    family="help",
    summary="Lists all pragmas, or explains one.",
    example="#%help(pragma=task)",
)
def help_(context: Context, call: BoundCall) -> None:
    """Show one line for every pragma, or all about one."""
    name = call["pragma"]
    if name is None:
        context.frontend.show(index())
        return
    name = name.removeprefix("#%")
    if name not in PRAGMAS.names():
        raise call.fault(f"there is no pragma {name!r}.", parameter="pragma", hint=did_you_mean(name, PRAGMAS.names()))
    context.frontend.show(page_of(PRAGMAS[name]))


def index() -> HelpIndex:
    """All pragmas, by family."""
    families: dict[str, list[tuple[str, str]]] = {}
    for one in PRAGMAS.values():
        families.setdefault(FAMILIES[one.family], []).append((one.name, one.summary))
    return HelpIndex(families=families, example=EXAMPLE)


def page_of(found: Pragma) -> HelpPage:
    """Usage, parameters and example of one pragma."""
    return HelpPage(
        name=found.name,
        summary=found.summary,
        usage=found.usage,
        parameters=[parameter_row(parameter) for parameter in found.parameters],
        example=found.example,
        aliases=found.aliases,
    )


def parameter_row(parameter: Parameter) -> tuple[str, str, str, str]:
    """Name, kind, default and meaning, as help and the reference show them."""
    name = " or ".join((parameter.name, *parameter.aliases))
    default = "required" if parameter.required else parameter.shown_default
    return name, parameter.kind.description, default, parameter.doc
