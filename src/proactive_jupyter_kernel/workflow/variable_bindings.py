"""How a script language imports and exports variables: the lines that are added before and after the code of a task.

`languages.LANGUAGES` has one `VariableBinding` in the row of each language of the pragmas. A language whose engine
gives scripts a read-only copy of the variables has no `export_lines`: the shells, Perl and compose
files (ProActive's ``jsr223-nativeshell`` and ``jsr223-perl``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Template

__all__ = ["NEVER_SET", "PYTHON", "VariableBinding"]

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _no_head(code: str) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableBinding:
    """The templates of one language, with ``$name`` for the variable and ``$task`` for the task."""

    #: One line that binds a variable; empty: the engine binds it already.
    import_line: str
    #: Lines that export a variable, and fail with a message if it was never set; empty: not possible.
    export_lines: str = ""
    #: The valid names of a variable.
    names: re.Pattern[str] = _WORD
    #: The number of lines that must stay at the top of a script when lines are added.
    head_lines: Callable[[str], int] = _no_head

    @property
    def can_export(self) -> bool:
        """Whether a task in this language can export variables."""
        return bool(self.export_lines)

    def imports(self, names: Sequence[str]) -> str:
        """The lines that bind these variables."""
        if not self.import_line:
            return ""
        return "\n".join(Template(self.import_line).substitute(name=name) for name in names)

    def exports(self, names: Sequence[str], task: str) -> str:
        """The lines that export these variables."""
        return "\n".join(Template(self.export_lines).substitute(name=name, task=task) for name in names)


_PYTHON_NAMES = re.compile(r"[^\W\d]\w*")

# A statement, not an expression: the value of the last expression is the result of a task that sets none.
_PYTHON_EXPORT = """
try:
    $name
except NameError:
    raise NameError("Task '$task' exports the variable '$name', but its code never sets it.") from None
else:
    variables.put("$name", $name)
""".strip("\n")

#: The message for an export of a variable that was never set; a template like the others.
NEVER_SET = "Task '$task' exports the variable '$name', but its code never sets it."


def _python_head(code: str) -> int:
    """``from __future__`` must come first; only a docstring and comments may precede it."""
    if "__future__" not in code:
        return 0
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return 0
    ends = [
        statement.end_lineno or 0
        for statement in body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    ]
    return max(ends, default=0)


#: The binding of Python, which is too long for a row of the table.
PYTHON = VariableBinding(
    import_line='$name = variables.get("$name")',
    export_lines=_PYTHON_EXPORT,
    names=_PYTHON_NAMES,
    head_lines=_python_head,
)
