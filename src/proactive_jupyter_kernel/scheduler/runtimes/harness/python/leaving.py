"""Ends a forked process as the interpreter would end it, without taking the interpreter down piece by piece.

Taking it down touches every object that the fork shares with its parent, and so copies all their memory; that would
take longer than all the rest of a small task. What a script can see of it is done: exit handlers, finalizers of its
objects, files that it left open, streams.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

__all__ = ["count", "learn", "leave", "rehearse"]

#: The code that Python ends with when the last output cannot be written.
_UNWRITTEN = 120
#: How many modules there were when all were known; 0: nobody has counted.
_known_modules = 0
#: What the harness shares with others.
_LIBRARIES = ("_proactive_tasks", "_proactive_values")
#: What ``site`` has imported, such as the hooks of editable installations, and packages that a template has.
_AT_START = {name.partition(".")[0] for name in sys.modules}


def count() -> None:
    """Count the modules of a template, which are all known."""
    global _known_modules
    if not _has_foreign_modules():
        _known_modules = len(sys.modules)


def leave(code: int) -> None:
    """End the process, if that can be done the short way; return if only the interpreter's own way will do."""
    if _has_foreign_modules():
        return
    atexit._run_exitfuncs()
    _clear_main()
    gc.collect()
    if not _flush():
        code = code or _UNWRITTEN
    os._exit(code)


def learn() -> None:
    """What is imported by now was there before the script, and holds nothing of it."""
    _AT_START.update(name.partition(".")[0] for name in sys.modules)


def rehearse() -> None:
    """Do what `leave` does, in a process that stays: what is done for the first time changes more of the memory."""
    _has_foreign_modules()
    _flush()


def _flush() -> bool:
    """Write what the streams hold; whether that was possible."""
    is_written = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            is_written = False
    return is_written


def _has_foreign_modules() -> bool:
    """Whether modules were imported that may hold things to be finalized: all that are not the standard library's."""
    if len(sys.modules) == _known_modules:
        return False
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is None:
        return True
    known = standard | {"__main__", "__mp_main__", "_proactive", *_LIBRARIES, *_AT_START}
    return any(name.partition(".")[0] not in known for name in list(sys.modules))


def _clear_main() -> None:
    """Let go of the script's globals in the order of the interpreter: private ones first, the rest as they came."""
    scope = vars(sys.modules["__main__"])
    for private in (True, False):
        for name in list(scope):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) == private:
                scope[name] = None
