"""`#%help`: what can be written, from the registry."""

from __future__ import annotations

from proactive_jupyter_kernel.errors import did_you_mean
from proactive_jupyter_kernel.pragmas.context import Context
from proactive_jupyter_kernel.pragmas.outputs import Table, Text
from proactive_jupyter_kernel.pragmas.registry import FAMILIES, PRAGMAS, Bound, Parameter, Pragma, pragma
from proactive_jupyter_kernel.pragmas.values import Plain


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
def help_(context: Context, call: Bound) -> None:
    """Show one line for every pragma, or all about one."""
    name = call["pragma"]
    if name is None:
        rows = [(FAMILIES[one.family], f"#%{one.name}", one.summary) for one in PRAGMAS.values()]
        context.frontend.show(
            Table(
                headings=("", "Pragma", "What it does"),
                rows=[
                    (family if index == 0 or rows[index - 1][0] != family else "", pragma_name, summary)
                    for index, (family, pragma_name, summary) in enumerate(rows)
                ],
                caption="#%help(pragma=NAME) explains one of them.",
            )
        )
        return
    name = name.removeprefix("#%")
    if name not in PRAGMAS.names():
        raise call.fault(f"there is no pragma {name!r}.", parameter="pragma", hint=did_you_mean(name, PRAGMAS.names()))
    explain(context, PRAGMAS[name])


def explain(context: Context, found: Pragma) -> None:
    """Show usage, parameters and example of one pragma."""
    also = f"\nAlso called: {', '.join('#%' + alias for alias in found.aliases)}" if found.aliases else ""
    context.frontend.show(Text(text=f"{found.usage}\n\n{found.summary}{also}"))
    if found.parameters:
        context.frontend.show(
            Table(
                headings=("Parameter", "Is", "Default", "Meaning"),
                rows=[parameter_row(parameter) for parameter in found.parameters],
            )
        )
    context.frontend.show(Text(text=f"Example:\n\n{found.example}"))


def parameter_row(parameter: Parameter) -> tuple[str, str, str, str]:
    """Name, kind, default and meaning, as help and the reference show them."""
    name = " or ".join((parameter.name, *parameter.aliases))
    default = "required" if parameter.required else parameter.shown_default
    return name, parameter.kind.description, default, parameter.doc
