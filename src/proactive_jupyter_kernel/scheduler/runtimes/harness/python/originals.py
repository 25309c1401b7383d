"""What of the standard library the harness itself needs, as it was before the script could replace it.

A script may set `builtins.open`, `json.dumps` or `os.path.join` to something else. That is its own business until it
ends; but then the harness has to show its error and write its report.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

__all__ = ["InPlace", "restore", "take", "taken"]

#: Modules whose names are put back; those that are not imported yet at the beginning are left alone.
_MODULES = (
    "builtins",
    "codecs",
    "importlib",
    "io",
    "json",
    "json.encoder",
    "linecache",
    "ntpath",
    "os",
    "posixpath",
    "threading",
    "tokenize",
    "traceback",
)
_taken: list[tuple[dict[str, Any], dict[str, Any]]] = []
_modules: dict[str, Any] = {}


def take() -> None:
    """Remember how everything is now."""
    _modules.update(sys.modules)
    _taken[:] = [(vars(sys.modules[name]), dict(vars(sys.modules[name]))) for name in _MODULES if name in sys.modules]


def taken() -> bool:
    """Whether that was done, here or in the template."""
    return bool(_taken)


def restore() -> None:
    """Put everything back for good: the script and its threads have ended."""
    for names, taken in _taken:
        names.update(taken)
    for name, module in _modules.items():
        if name not in sys.modules:
            sys.modules[name] = module


class InPlace:
    """Puts everything back for a while, as a context manager; the script's threads may still count on its changes."""

    def __init__(self) -> None:
        self._changed: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def __enter__(self) -> None:
        for names, taken in _taken:
            changed = {name: names[name] for name in taken if name in names and names[name] is not taken[name]}
            self._changed.append((names, changed))
            names.update(taken)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for names, changed in self._changed:
            names.update(changed)
