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

__all__ = ["describe", "forget", "register", "say", "show", "standard", "text_of"]

_OURS = tuple(os.path.dirname(os.path.abspath(path)) + os.sep for path in (__file__, str(tagged.__file__)))
#: A longer traceback is cut in the report; on standard error it stands in full.
_LONGEST_TRACE = 100_000


def register(label: str, source: str) -> None:
    """Let tracebacks, warnings and `inspect` find the script's lines under its label."""
    linecache = standard("linecache")
    if "\r" not in source:
        lines = [line + "\n" for line in (source[:-1] if source.endswith("\n") else source).split("\n")]
        linecache.cache[label] = (len(source), None, lines, label)
        return
    io = standard("io")
    # As linecache itself reads a file: the compiler's line ends and no others, and a line end after the last line, on
    # which `traceback` counts where it places the carets.
    lines = io.StringIO(source if source.endswith("\n") else source + "\n", newline=None).readlines()
    linecache.cache[label] = (len(source), None, lines, label)


def forget(label: str) -> None:
    """Undo that."""
    sys.modules["linecache"].cache.pop(label, None)


def standard(name: str) -> Any:
    """A module of the standard library, also where a file of that name lies in the task's folder."""
    if name in sys.modules:
        return sys.modules[name]
    path = sys.path[:]
    try:
        sys.path[:] = [folder for folder in path if folder not in ("", os.getcwd())]
        __import__(name)
    finally:
        sys.path[:] = path
    return sys.modules[name]


def describe(error: BaseException) -> dict[str, str]:
    """The entry ``error`` of a report."""
    message = text_of(error)
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    remedy = _remedy(error)
    return {
        "type": name,
        "message": ". ".join(part for part in (message, remedy) if part),
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


def text_of(thing: object) -> str:
    """Its text; a sentence where its own code fails at that."""
    try:
        return str(thing)
    except Exception:
        return "its text cannot be shown"


def say(text: str) -> None:
    """Write to standard error, if there still is one."""
    try:
        if sys.stderr is not None and not sys.stderr.closed:
            sys.stderr.write(text)
            sys.stderr.flush()
        return
    except OSError:
        return  # the script closed the descriptor
    except Exception:  # it is something of the script's that is not a stream
        data = text.encode("utf-8", "backslashreplace")
    try:
        os.write(2, data)
    except OSError:
        return


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS) or filename == values.__file__


def _text(error: BaseException) -> str:
    try:
        return _traceback(error)
    except Exception as failed:
        # The script has replaced a part of `traceback` before it was needed here.
        return f"{type(error).__name__}: {text_of(error)}\n(Its traceback cannot be shown: {text_of(failed)})\n"


def _traceback(error: BaseException) -> str:
    traceback = standard("traceback")
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
    """What to do about a module or a file that is not there, or about memory."""
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return str(remedy(error))
    return ""


def _memory(error: Any) -> str:
    """How much the process had, which tells whether a task asked for too much at once or had too much already."""
    try:
        import resource
    except ImportError:
        return ""
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"The system gave the task no more memory; its process had {peak / 1024**2:,.0f} MiB at its peak."


def _file(error: Any) -> str:
    """A relative path that a script opens: what lies beside the notebook is not in the task's folder."""
    path = error.filename
    if not isinstance(path, str) or not path or os.path.isabs(path) or "://" in path or _is_program(error):
        return ""
    return (
        f"The task runs in its own working folder and found no {path!r} there. A file beside the notebook: send "
        f"it along with the task (input_files=[{path}]). A file that another task wrote: name it in the output_files "
        f"of that task and in the input_files of this one."
    )


def _is_program(error: BaseException) -> bool:
    """Whether it is a program that was not found."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and os.path.basename(trace.tb_frame.f_code.co_filename) == "subprocess.py"


def _module(error: Any) -> str:
    if not error.name:
        return ""
    name = error.name.partition(".")[0]
    if name == "cloudpickle":
        return (
            f"The code of the task is a function that its client pickled with cloudpickle, and {sys.executable}, which "
            f"runs the task, has no cloudpickle. Install it: {sys.executable} -m pip install cloudpickle, in the "
            f"version that the client has."
        )
    return (
        f"The task runs under {sys.executable}, in its own working folder, and found no module {name!r} there. "
        f"A package: install it for that interpreter. A file {name}.py beside the notebook: send it along with the "
        f"task (input_files), or add its code to the start of the tasks with #%import(path={name}.py)."
    )


def _pickle(error: Any) -> str:
    """What one cloudpickle wrote, an older one does not read."""
    if "<module 'cloudpickle" not in text_of(error):
        return ""
    version = getattr(sys.modules.get("cloudpickle"), "__version__", "another version")
    return (
        f"The code of the task is a function that its client pickled with a newer cloudpickle than that of "
        f"{sys.executable}, which runs the task ({version}). Install the client's version: {sys.executable} -m pip "
        f"install --upgrade cloudpickle."
    )


_REMEDIES: tuple[tuple[type[BaseException], Any], ...] = (
    (ModuleNotFoundError, _module),
    (FileNotFoundError, _file),
    (AttributeError, _pickle),
    (MemoryError, _memory),
)
