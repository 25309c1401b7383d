"""File patterns of a notebook's tasks in the form in which a ProActive server chooses the same files.

A server matches patterns as Java does, but leaves out folders by the rules of Ant, which know ``**`` as a whole part of
a path alone: for ``**.csv`` it looks into no folder. With a brace in the pattern it looks into all of them. And the
folder of a task there holds files of the server's own, which ``**`` in output files would take along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from proactive_jupyter_kernel.workflow.globs import InvalidPattern, compile_pattern
from proactive_jupyter_kernel.workflow.model import FileSelector, Task

__all__ = ["for_server"]

#: A server's own files in a task's folder, and one that each pattern matches.
INTERNAL = {
    ".pa_nodes_*": ".pa_nodes_7t0",
    ".tasks-progress/**": ".tasks-progress/7t0",
    "*/TaskLogs-*.log": "7/TaskLogs-7-0.log",
}
_REGEX = "regex:"
#: A reference is replaced before the pattern is read: its braces are none of the pattern's.
_REFERENCE = re.compile(r"\$(?:\{[^{}]*\}|\w+)")
_BRACES = re.compile(r"(?<!\\)\{((?:[^{}\\]|\\.)*)\}")
_COMMA = re.compile(r"(?<!\\),")


def for_server(task: Task) -> Task:
    """The task with patterns for a server; the same object where they need no change."""
    inputs = tuple(replace(one, includes=_descending(one.includes)) for one in task.input_files)
    outputs = tuple(
        replace(one, includes=_descending(one.includes), excludes=_with_internal(one)) for one in task.output_files
    )
    if (inputs, outputs) == (task.input_files, task.output_files):
        return task
    return replace(task, input_files=inputs, output_files=outputs)


def _descending(pattern: str) -> str:
    """A pattern for which a server looks into the folders that it needs."""
    bare = _REFERENCE.sub("x", pattern)
    if pattern.startswith(_REGEX) or "{" in bare or "[" in bare:
        return pattern
    if not any("**" in part and part != "**" for part in bare.split("/")):
        return pattern
    return "{" + _COMMA.sub(r"\\,", pattern) + "}"


def _with_internal(selector: FileSelector) -> str:
    """What the selector leaves out, and those of the server's own files that it would choose."""
    try:
        include = compile_pattern(_REFERENCE.sub("*", selector.includes))
    except InvalidPattern:
        return selector.excludes  # the scheduler says what is wrong
    internal = [pattern for pattern, path in INTERNAL.items() if include.matches(path)]
    if not internal:
        return selector.excludes
    if not selector.excludes:
        return _either(internal)
    if selector.excludes.startswith(_REGEX):
        own = selector.excludes.removeprefix(_REGEX)
        return f"{_REGEX}(?:{own})|{'|'.join(_as_regex(pattern) for pattern in internal)}"
    return _either([*_alternatives(selector.excludes), *internal])


def _either(patterns: list[str]) -> str:
    return patterns[0] if len(patterns) == 1 else "{" + ",".join(patterns) + "}"


def _alternatives(glob: str) -> Iterator[str]:
    """The globs without braces that mean the same together; commas in them are escaped."""
    # The braces of a reference stay: what stands for it is put in later.
    found = next((each for each in _BRACES.finditer(glob) if not glob[: each.start()].endswith("$")), None)
    if found is None:
        yield _COMMA.sub(r"\\,", glob)
        return
    for inner in _COMMA.split(found[1]):
        start = _COMMA.sub(r"\\,", glob[: found.start()])
        yield from (start + inner + rest for rest in _alternatives(glob[found.end() :]))


def _as_regex(glob: str) -> str:
    return re.escape(glob).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
