"""Runs a JavaScript stage in this Python process, by the QuickJS engine of the package ``quickjs-ng``."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["run"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_FILES = ("values.js", "java.js", "bindings.js", "life.js")
#: The engine calls all code ``<input>``; ours begins where the script has no lines, nor a text that it evaluates. The
#: engine reads each line before it, so they are not many.
_OURS = 10_000
#: Takes the frames of our own code out of a stack, and names the script in the others.
_FRAMES = """
function frameOf(line) {
  const place = /^    at (?:(.*) \\()?<input>:(\\d+)(:\\d+)?\\)?$/.exec(line);
  if (!place || Number(place[2]) > %(ours)d) return "";
  const where = Number(place[2]) > request.lines ? `${request.label}:${request.lines}`
    : `${request.label}:${place[2]}${place[3] ?? ""}`;
  return !place[1] || place[1] === "<eval>" ? `    at ${where}` : `    at ${place[1]} (${where})`;
}
"""
_CALLS = """
return (text) => {
  if (text === null) return finish();
  start(text);
  run(host("script"), (code) => (0, eval)(code));
};
"""


def run(request: Mapping[str, Any]) -> int:
    """Run the stage and return the exit code of its process."""
    # The extension module itself, without the threads that its package starts.
    context = importlib.import_module("_quickjs").Context()
    context.set_max_stack_size(_stack_size())
    context.add_callable("__proactive", _Host(request).call)
    with open(request["script"], encoding="utf-8", errors="replace", newline="") as file:
        lines = file.read().count("\n") + 1
    harness = context.eval(_harness(max(_OURS, lines)))
    harness(json.dumps({**request, "lines": lines}))
    while context.execute_pending_job():
        pass
    code: int = harness(None)
    return code


def _harness(before: int) -> str:
    """The text of the harness, after so many lines."""
    parts = []
    for name in _FILES:
        with open(os.path.join(_HERE, name), encoding="utf-8") as file:
            parts.append(file.read())
    body = "".join(parts) + _FRAMES % {"ours": before} + _CALLS
    taken = "const call = globalThis.__proactive; delete globalThis.__proactive;"
    return "\n" * before + '(function () { "use strict"; ' + taken + body + "})()"


def _stack_size() -> int:
    """Half of what the system gives this thread, so that deep recursion ends in an error and not in a crash."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    except ImportError:
        limit = 1024 * 1024  # Windows
    return min(limit if limit > 0 else 8 * 1024 * 1024, 64 * 1024 * 1024) // 2


class _Host:
    """What the harness asks of the system: JSON in and out, since texts cross the border only without NUL."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request

    def call(self, text: str) -> str:
        """Carry out ``[name, argument…]``; returns ``[true, answer]`` or ``[false, message]``. Never raises."""
        try:
            name, *given = json.loads(text)
            answer = _CALLS_BY_NAME[name](self._request, *given)
        except Exception as error:
            return json.dumps([False, f"{type(error).__name__}: {error}"])
        return json.dumps([True, answer])


def _print(request: Mapping[str, Any], stream: str, text: str) -> None:
    target = sys.stderr if stream == "err" else sys.stdout
    target.write(text.encode("utf-8", "replace").decode("utf-8"))
    target.flush()


def _read(request: Mapping[str, Any], path: str) -> str:
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return file.read()


def _write(request: Mapping[str, Any], path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _report(request: Mapping[str, Any], text: str) -> None:
    half = request["report"] + ".part"
    with open(half, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(half, request["report"])


def _end(request: Mapping[str, Any], code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _property(request: Mapping[str, Any], name: str) -> str | None:
    """A property of ``java.lang.System``, as Java would name it here."""
    import platform

    machine = platform.machine()
    return {
        "os.name": {"Darwin": "Mac OS X"}.get(platform.system(), platform.system()),
        "os.arch": {"x86_64": "amd64", "AMD64": "amd64", "arm64": "aarch64"}.get(machine, machine),
        "os.version": platform.release(),
        "host": platform.node(),
        "user.name": os.environ.get("USER") or os.environ.get("USERNAME"),
        "user.home": os.path.expanduser("~"),
        "user.dir": os.getcwd(),
        "java.io.tmpdir": os.environ.get("TMPDIR", "/tmp"),
        "file.separator": os.sep,
        "path.separator": os.pathsep,
        "line.separator": os.linesep,
        **request["nodeProperties"],
    }.get(name)


def _program(request: Mapping[str, Any], name: str) -> bool:
    import shutil

    return shutil.which(name) is not None


def _space(request: Mapping[str, Any], path: str) -> int:
    import shutil

    return shutil.disk_usage(path).free


def _memory(request: Mapping[str, Any]) -> int:
    """Bytes of free memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0


_CALLS_BY_NAME: dict[str, Callable[..., Any]] = {
    "script": lambda request: _read(request, request["script"]),
    "print": _print,
    "read": _read,
    "write": _write,
    "report": _report,
    "end": _end,
    "sleep": lambda request, milliseconds: time.sleep(milliseconds / 1000),
    "environment": lambda request: dict(os.environ),
    "property": _property,
    "program": _program,
    "exists": lambda request, path: os.path.exists(path),
    "memory": _memory,
    "space": _space,
}
