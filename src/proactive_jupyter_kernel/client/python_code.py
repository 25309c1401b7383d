"""Python tasks for a ProActive server: the code that the kernel adds around the code of a task, so that values travel.

The harness of the embedded scheduler contains the same code, so tasks are sent to it unchanged.
"""

from __future__ import annotations

import ast
import base64
import functools
import io
import json
import tokenize
import zlib
from pathlib import Path

from proactive_jupyter_kernel.workflow import python_tasks
from proactive_jupyter_kernel.workflow.python_tasks import rich_outputs

__all__ = ["FILE", "as_written", "epilogue", "prologue", "with_last_kept"]

#: The file name of this code in tracebacks.
FILE = "<proactive-kernel values>"
#: The call around a script's last expression.
_LAST, _AFTER = "_proactive_last((", "))"
_MODULES = ("tagged", "writing", "reading", "rich_outputs", "server")
_NOTE = (
    "# The next line lets values such as arrays, tables and figures travel between tasks. It is part of the ProActive\n"
    "# Jupyter kernel: the package proactive_jupyter_kernel.workflow.python_tasks, compressed."
)
#: Makes a package of the modules, and wraps the script's globals.
_LOADER = """
import json, sys, types
def load(sources):
    package = types.ModuleType("_proactive_tasks")
    package.__path__ = []
    sys.modules["_proactive_tasks"] = package
    for name, source in sources:
        module = types.ModuleType("_proactive_tasks." + name)
        module.__package__ = "_proactive_tasks"
        module.__file__ = {file!r}
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(compile(source, {file!r}, "exec"), module.__dict__)
    return sys.modules["_proactive_tasks.server"]
load(json.loads({sources!r})).begin(scope)
"""


@functools.cache
def prologue() -> str:
    """The three lines to add before the code of a task; the last one is long."""
    folder = Path(python_tasks.__file__).parent
    sources = [(name, _shortened((folder / f"{name}.py").read_text("utf-8"))) for name in _MODULES]
    code = _LOADER.format(file=FILE, sources=json.dumps(sources)).encode("utf-8")
    packed = base64.b85encode(zlib.compress(code, 9)).decode("ascii")
    unpack = f'__import__("zlib").decompress(__import__("base64").b85decode("{packed}")).decode("utf-8")'
    return f'{_NOTE}\nexec(compile({unpack}, "{FILE}", "exec"), {{"scope": globals()}})'


def epilogue(*, is_main: bool = True) -> str:
    """The line to add after it; `is_main` is False for a script before or behind the task's own."""
    return f"_proactive_task.end({'' if is_main else 'False'})"


def with_last_kept(code: str) -> str:
    """The code with a call around its last expression, if it ends with one; as many lines as before."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return code  # for another Python version, or invalid: the Python of the task reports it
    if not body or not isinstance(body[-1], ast.Expr) or code.rstrip().endswith(";"):
        return code
    last = body[-1].value
    if rich_outputs.is_effect(last):
        return code
    assert last.end_lineno is not None
    assert last.end_col_offset is not None
    lines = code.split("\n")
    # Offsets count bytes; the end first, because both may be on one line.
    for number, column, text in ((last.end_lineno, last.end_col_offset, _AFTER), (last.lineno, last.col_offset, _LAST)):
        line = lines[number - 1].encode("utf-8")
        lines[number - 1] = (line[:column] + text.encode("ascii") + line[column:]).decode("utf-8")
    return "\n".join(lines)


def as_written(line: str) -> str:
    """A line of a script without the call that `with_last_kept` added."""
    start, found, rest = line.partition(_LAST)
    if not found:
        return line
    written, _, after = rest.rpartition(_AFTER)
    return start + (written + after if written else rest)


def _shortened(source: str) -> str:
    """The source without comments and docstrings."""
    dropped: set[int] = set()
    passes: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) or ast.get_docstring(node) is None:
            continue
        text = node.body[0]
        dropped.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
        if len(node.body) == 1:
            passes.add(text.lineno)
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = lines[number - 1][:column]
    kept = []
    for number, line in enumerate(lines, 1):
        if number in passes:
            kept.append(line[: len(line) - len(line.lstrip())] + "pass")
        elif number not in dropped and line.strip():
            kept.append(line.rstrip())
    return "\n".join(kept) + "\n"
