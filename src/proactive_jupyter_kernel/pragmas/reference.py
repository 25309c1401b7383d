"""The reference page of the pragmas, written from the registry.

``python -m proactive_jupyter_kernel.pragmas.reference`` prints it; docs/reference/pragmas.md is that print.
"""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.pragmas.declarations.registry import FAMILIES, PRAGMAS, Pragma
from proactive_jupyter_kernel.pragmas.handlers.help import parameter_row

__all__ = ["page"]

_HEAD = r"""# Pragmas

<!-- Written by `python -m proactive_jupyter_kernel.pragmas.reference`; edit the declarations, not this page. -->

A pragma is a line `#%name(key=value, ...)` in a cell. `#%help()` lists all pragmas in the notebook,
`#%help(pragma=NAME)` explains one; Tab and Shift+Tab work in every part of one.

## How pragmas are written

**Which lines are pragmas.** A pragma is a Python comment on a separate line that calls a pragma by its name:
`#%task(name=T1)`. The case of the name and the blanks around the signs do not matter, so `# %task(name=T1)`, as
code formatters write it, `#% Task(T1)` and `#%%task(T1)` are pragmas. `#%name` and `#%name()` mean the same. An
unknown name that is called, such as `#%tsk(name=T1)`, is an error. All other comments are comments: `#%%`,
`#%matplotlib inline`, `#%timeit f(x)`, `#%TODO: ...`.

- A line inside a string or an open bracket of Python code, or inside a here-document or a multi-line string of
  another language, is not a pragma. A line that starts with `\#%` stands for `#%` in the code.
- A pragma inside an indented block is an error: it cannot be conditional. A cell that is indented as a whole, or
  that has prompts (`>>> `, `In [1]: `), is read without them.

**What a cell does.** The lines below a pragma, up to the next one or the end of the cell, are its code if it takes
code. Otherwise they run in the notebook's own Python after it. Lines above the first pragma run before it. Several
pragmas in a cell run from top to bottom; the first that fails stops the cell. If any pragma of a cell cannot be
read, nothing of the cell is done.

**Several lines.** A pragma continues on the next lines while a bracket is open. These lines may start with `#%`, `#
%`, `#` or nothing. If they start with nothing, a line that starts with `#` is a comment:

```
#%task(
    name=Score,
    # dep=[Load],
    retries=2,
)
```

**Values.**

- Bare text ends at the next comma or closing bracket (`url=https://host:8443/path?a=b`). Text that holds a comma, a
  bracket or outer blanks is written in quotes, with Python's escapes. Prefixes (`f"..."`, `r"..."`) and curly
  quotes are errors. So is bare text that contains ` PARAMETER=` of the same pragma: a comma is missing there.
- Lists are `[a, b]`; one item alone is a list of one. Pairs are `[(name, value), (name, value)]` or `{name:
  value}`. Switches are `on` and `off`, `true` and `false`, `yes` and `no`.
- In pairs, a bare value that starts with `=` is an expression: `variables=[(count, =len(names))]` takes what
  `len(names)` gives in the notebook's own Python when the pragma runs. Text in quotes is never an expression.
- A variable of a job or a task may have a model as its third item: `variables=[(n, 5, PA:INTEGER)]`. The value is
  checked at once.
- One value may be given without its name: the one required parameter (`#%task(T1)`), or the one that one would type:
  `#%submit_job(nightly)`, `#%kill_job(7)`, `#%get_job_result(nightly)`. For a job, a number is its id and a text
  its name.
- An argument in square brackets, as usage lines write it, is that argument: `[port=8080]`. `import[a, b]` is
  `import=[a, b]`.
- Names of tasks, variables and generic information hold letters, digits, `_`, `-` and `.`, and start with a letter
  or `_`.
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
