"""How each script language takes a variable in and hands one on: the lines put around a task's code. A table.

A language whose engine gives scripts a copy of the variables to read, and takes none back, has no `send`: the shells,
Perl and compose files (execution semantics of ProActive's ``jsr223-nativeshell`` and ``jsr223-perl``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

__all__ = ["IDIOMS", "Idiom", "put_in_front"]

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """One language's way. Templates hold ``$name`` for the variable and ``$task`` for the task."""

    #: One line that binds a variable; empty: the engine has bound it already.
    take: str
    #: Lines that hand a variable on, and fail with a sentence where it was never set; empty: not possible.
    send: str = ""
    #: Lines that `send` needs once, before it.
    send_first: str = ""
    #: What a variable can be called.
    names: re.Pattern[str] = _WORD

    def taking(self, names: Sequence[str]) -> str:
        """The lines that bind these variables."""
        return "\n".join(Template(self.take).substitute(name=name) for name in names) if self.take else ""

    def sending(self, names: Sequence[str], task: str) -> str:
        """The lines that hand these variables on."""
        lines = [Template(self.send).substitute(name=name, task=task) for name in names]
        return "\n".join([self.send_first, *lines] if self.send_first else lines)


_PYTHON_NAMES = re.compile(r"[^\W\d]\w*")

# The check repeats, in short, what the embedded scheduler does anyway: on a ProActive server a value that cannot travel
# would end in an error that names neither it nor a remedy. Runs under the Python of the task, 3.6 or later.
_PYTHON_CHECK = """
def _proactive_check(value, place, depth=0):
    from decimal import Decimal
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes, bytearray, Decimal, range):
        return
    if kind is int and -2 ** 63 <= value < 2 ** 63:
        return
    if kind in (list, tuple, set, dict) and depth < 100:
        for number, item in enumerate(value):
            _proactive_check(item, "%s[%r]" % (place, item if kind is dict else number), depth + 1)
            if kind is dict:
                _proactive_check(value[item], "%s[%r]" % (place, item), depth + 1)
        return
    import types
    if kind is types.GeneratorType:
        return
    name = kind.__name__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__name__
    remedies = (("isoformat", "use .isoformat()"), ("to_dict", "use .to_dict()"), ("tolist", "use .tolist()"))
    found = [remedy for method, remedy in remedies if hasattr(value, method)]
    remedy = found[0] if found else "build it of None, bool, int, float, str, bytes, list, dict, set, or use a file"
    raise TypeError("The exported variable %s (%s) cannot travel between tasks; %s." % (place, name, remedy))
""".strip("\n")

_PYTHON_SEND = """
try:
    $name
except NameError:
    raise NameError("Task '$task' exports the variable '$name', but its code never sets it.") from None
_proactive_check($name, "$name")
variables.put("$name", $name)
""".strip("\n")

_NEVER_SET = "Task '$task' exports the variable '$name', but its code never sets it."

#: Engine name -> its idiom.
IDIOMS: Mapping[str, Idiom] = {
    "cpython": Idiom(
        take='$name = variables.get("$name")', send=_PYTHON_SEND, send_first=_PYTHON_CHECK, names=_PYTHON_NAMES
    ),
    "python": Idiom(
        take='$name = variables.get("$name")',
        send=f'try:\n    $name\nexcept NameError:\n    raise NameError("{_NEVER_SET}")\nvariables.put("$name", $name)',
    ),
    "groovy": Idiom(
        take='$name = variables.get("$name")',
        send=(
            'try { variables.put("$name", $name) } catch (MissingPropertyException missing) '
            f'{{ throw new IllegalStateException("{_NEVER_SET}") }}'
        ),
    ),
    "javascript": Idiom(
        take='var $name = variables.get("$name");',
        send=(
            f'if (typeof $name === "undefined") {{ throw new Error("{_NEVER_SET}"); }}\nvariables.put("$name", $name);'
        ),
    ),
    "ruby": Idiom(
        take='$name = $$variables.get("$name")',
        send=f'raise NameError, "{_NEVER_SET}" unless defined?($name)\n$$variables.put("$name", $name)',
    ),
    "R": Idiom(
        take='$name <- variables[["$name"]]',
        send=f'if (!exists("$name")) stop("{_NEVER_SET}")\nvariables[["$name"]] <- $name',
        names=re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[\w.]*", re.ASCII),
    ),
    "powershell": Idiom(
        take="$$$name = $$variables['$name']",
        send=(f"if (-not (Test-Path variable:$name)) {{ throw \"{_NEVER_SET}\" }}\n$$variables['$name'] = $$$name"),
    ),
    # A name that was never set does not compile, and the compiler names it.
    "scalaw": Idiom(
        take='var $name: Any = variables.get("$name")',
        send='variables.put("$name", $name.asInstanceOf[Object])',
    ),
    "bash": Idiom(take='$name="$$variables_$name"'),
    "cmd": Idiom(take='set "$name=%variables_$name%"'),
    "perl": Idiom(take='our $$$name = $$ENV{"variables_$name"};'),
    "docker-compose": Idiom(take=""),
}


def put_in_front(engine: str, code: str) -> int:
    """How many lines of the code must stay in front of what is put in front of it."""
    keeper = _KEEPERS.get(engine)
    return keeper(code) if keeper else 0


def _python_head(code: str) -> int:
    """Python wants ``from __future__`` first, with nothing but a docstring and comments before it."""
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


_KEEPERS: Mapping[str, Callable[[str], int]] = {"cpython": _python_head}
