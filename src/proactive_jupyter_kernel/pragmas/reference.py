"""The reference page of the pragmas, written from the registry.

``python -m proactive_jupyter_kernel.pragmas.reference`` prints it; docs/reference/pragmas.md is that print.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.pragmas.handlers.help import parameter_row
from proactive_jupyter_kernel.pragmas.registry import FAMILIES, PRAGMAS, Pragma

__all__ = ["page"]

_HEAD = """# Pragmas

<!-- Written by `python -m proactive_jupyter_kernel.pragmas.reference`; edit the declarations, not this page. -->

A pragma is a line `#%name(key=value, ...)` in a cell. `#%help()` lists all pragmas in the notebook,
`#%help(pragma=NAME)` explains one; Tab and Shift+Tab work in every part of one.

## How pragmas are written

- A line whose first characters after blanks are `#%` and a letter is a pragma. `#%name` and `#%name()` mean the same.
- The lines below a pragma, up to the next one or the end of the cell, are its code if it takes code; else they run in
  the notebook's own Python after it. Lines above the first pragma run before it. Several pragmas in a cell run from top
  to bottom; the first that fails stops the cell. A cell that cannot be read as a whole changes nothing.
- While a bracket is open a pragma goes on over further lines, which may start with `#%`, `#` or nothing.
- A value is bare text up to the next comma or closing bracket (`url=https://host:8443/path?a=b`), or text in quotes,
  with Python's escapes, where it holds a comma, a bracket or outer blanks.
- Lists are `[a, b]`; one item alone is a list of one. Pairs are `[(name, value), (name, value)]` or `{name: value}`.
  Switches are `on` and `off`, `true` and `false`, `yes` and `no`.
- In pairs, a bare value that starts with `=` is a formula: `variables=[(count, =len(names))]` takes what the notebook's
  own Python makes of `len(names)` when the pragma runs. Text in quotes is never a formula.
- One value without a name is the one parameter that is required: `#%task(T1)`. An argument in square brackets, as usage
  lines write it, is that argument: `[port=8080]`. `import[a, b]` is `import=[a, b]`.
- Names of tasks, variables and generic information hold letters, digits, `_`, `-` and `.`, and start with a letter or
  `_`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for family, title in FAMILIES.items():
        found = [pragma for pragma in PRAGMAS.values() if pragma.family == family]
        if found:
            yield f"## {title}\n"
        for pragma in found:
            yield from _pragma(pragma)


def _pragma(pragma: Pragma) -> Iterator[str]:
    yield f"### {pragma.name}\n"
    yield f"```\n{pragma.usage}\n```\n"
    yield pragma.summary + "\n"
    if pragma.aliases:
        yield f"Also called: {', '.join(f'`#%{alias}`' for alias in pragma.aliases)}.\n"
    if pragma.parameters:
        yield "| parameter | is | default | meaning |\n|---|---|---|---|"
        for parameter in pragma.parameters:
            name, kind, default, meaning = (_cell(text) for text in parameter_row(parameter))
            shown = f"`{default}`" if default and not parameter.required else default
            yield f"| `{name}` | {kind} | {shown} | {meaning} |"
        yield ""
    yield f"```\n{pragma.example}\n```\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
