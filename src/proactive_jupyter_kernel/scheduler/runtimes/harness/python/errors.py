"""Shows the script's errors as Python would, with the script's own lines and without a frame of ours."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from proactive_jupyter_kernel.workflow import values
    from proactive_jupyter_kernel.workflow.python_tasks import tagged
else:
    values, tagged = sys.modules["_proactive_values"], sys.modules["_proactive_tasks.tagged"]

__all__ = ["describe", "register", "say", "show"]

_OURS = tuple(os.path.dirname(os.path.abspath(path)) + os.sep for path in (__file__, str(tagged.__file__)))
#: A longer traceback is cut in the report; on standard error it stands in full.
_LONGEST_TRACE = 100_000


def register(label: str, source: str) -> None:
    """Let tracebacks, warnings and `inspect` find the script's lines under its label."""
    import io
    import linecache

    # As linecache itself reads a file: the compiler's line ends and no others, and a line end after the last line, on
    # which `traceback` counts where it places the carets.
    lines = io.StringIO(source if source.endswith("\n") else source + "\n", newline=None).readlines()
    linecache.cache[label] = (len(source), None, lines, label)


def describe(error: BaseException) -> dict[str, str]:
    """The entry ``error`` of a report."""
    try:
        message = str(error)
    except Exception:
        message = "its text cannot be shown"
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    remedy = _remedy(error)
    return {
        "type": name,
        "message": f"{message}. {remedy}" if remedy else message,
        "trace": _text(error)[-_LONGEST_TRACE:],
    }


def show(error: BaseException) -> None:
    """Print the traceback to standard error; a hook that the script installed does it its own way."""
    if sys.excepthook is not sys.__excepthook__:
        error.__traceback__ = _without_ours(error.__traceback__)
        try:
            sys.excepthook(type(error), error, error.__traceback__)
            return
        except Exception as failed:
            say(f"The script's sys.excepthook failed ({failed!r}); the error was:\n")
    remedy = _remedy(error)
    say(f"{_text(error)}{remedy}\n" if remedy else _text(error))


def say(text: str) -> None:
    """Write to standard error, if there still is one."""
    if sys.stderr is None or sys.stderr.closed:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return  # the script closed the descriptor


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS) or filename == values.__file__


def _text(error: BaseException) -> str:
    import traceback

    shown = traceback.TracebackException(type(error), error, _without_ours(error.__traceback__))
    _clean(shown, set())
    text = "".join(shown.format())
    head = "Traceback (most recent call last):\n"
    # A syntax error of the script has no frames, so Python shows it without that line.
    return text[len(head) :] if not shown.stack and text.startswith(head) else text


def _clean(shown: Any, seen: set[int]) -> None:
    """Take our frames out of the traceback and of all those it is chained with."""
    if shown is None or id(shown) in seen:
        return
    seen.add(id(shown))
    shown.stack[:] = [frame for frame in shown.stack if not _is_ours(frame.filename)]
    for other in (shown.__cause__, shown.__context__, *(getattr(shown, "exceptions", None) or ())):
        _clean(other, seen)


def _remedy(error: BaseException) -> str:
    """What to do about a module that is not there."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    name = error.name.partition(".")[0]
    return (
        f"The task runs under {sys.executable}, in a working folder of its own, and found no module {name!r} there. "
        f"A package: install it for that interpreter. A file {name}.py beside the notebook: send it along with the "
        f"task (input_files), or put its code in front of the tasks with #%import(path={name}.py)."
    )
