"""Which slow packages a Python script imports before it does anything else.

A template may have imported those already (``harness/python/imported.py``). What a script does before an import may
count for it, an environment variable or another path for modules; therefore only the imports at its very beginning are
read, and only as long as all of them are of the standard library or in the table.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

__all__ = ["at_the_beginning", "may_be_shadowed"]

#: Packages that do not look at the folder of a task when they are imported.
PACKAGES = frozenset({"numpy", "pandas"})
#: A line without any statement, or with one import; several in one line are separated by semicolons.
_NOTHING = re.compile(r"\s*(#.*)?")
_IMPORT = re.compile(r"import\s+([\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*)\s*")
_FROM = re.compile(r"from\s+([\w.]+)\s+import\s+\(?([\w\s,]+?)\)?\s*")


def at_the_beginning(code: str) -> tuple[str, ...]:
    """The names of modules, and of members as ``module:member``, sorted, each once; empty: none of `PACKAGES`."""
    found: set[str] = set()
    if not any(name in code for name in PACKAGES):
        return ()
    for line in code.split("\n"):
        if _NOTHING.fullmatch(line):
            continue
        for statement in line.partition("#")[0].rstrip().rstrip(";").split(";"):
            names = _imported(statement if statement == line.split(";")[0] else statement.lstrip())
            if names is None:
                return _minimal(found)
            found.update(name for name in names if name.partition(":")[0].partition(".")[0] in PACKAGES)
    return _minimal(found)


def _imported(statement: str) -> list[str] | None:
    """What an import imports; None where it is another statement, or takes a module that may do anything."""
    if match := _IMPORT.fullmatch(statement):
        modules = names = [name.split()[0] for name in match[1].split(",")]
    elif match := _FROM.fullmatch(statement):
        modules = [match[1]]
        names = [f"{match[1]}:{name.split()[0]}" for name in match[2].split(",") if name.strip()]
    else:
        return None
    known = PACKAGES | sys.stdlib_module_names
    return names if all(name.partition(".")[0] in known for name in modules) else None


def _minimal(found: set[str]) -> tuple[str, ...]:
    """Without what another one imports as well."""
    if any(name.startswith("pandas") for name in found):
        found = found - {"numpy"}
    return tuple(sorted(found))


def may_be_shadowed(folder: Path) -> bool:
    """Whether a script that runs there may find something else under these names, or what they import."""
    with os.scandir(folder) as entries:
        return any(entry.name.endswith((".py", ".pyc", ".so")) or entry.is_dir() for entry in entries)
