"""Packages that a template has imported for its forks, because they take long and tasks of its node use them."""

from __future__ import annotations

import importlib
import os
import sys

from . import leaving

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["load", "renew"]

_THREADS = "/proc/self/task"
#: Threads of libraries that let their process fork all the same, because they prepare for it (``pthread_atfork``).
_PREPARED = {"jemalloc_bg_thd"}


def load(names: Sequence[str]) -> bool:
    """Import modules, and members ``module:member``; whether this process may still fork."""
    try:
        for name in names:
            module, _, member = name.partition(":")
            importlib.import_module(module)
            if member:
                __import__(module, fromlist=[member])
        if "pandas" in sys.modules:
            # The first table of a process imports the rest of what tables need.
            sys.modules["pandas"].DataFrame({"a": [1]})
    except BaseException:  # the script says so, when it imports them itself
        return False
    leaving.learn()
    return _may_fork()


def _may_fork() -> bool:
    """Whether all threads but this one are gone after a fork, as those of OpenBLAS are until they have work again."""
    if not os.path.isdir(_THREADS):
        return False
    if _threads():
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return not _threads()


def _threads() -> set[str]:
    """The names of the threads that do not prepare for a fork."""
    found = set()
    for number in os.listdir(_THREADS):
        if int(number) != os.getpid():
            try:
                with open(f"{_THREADS}/{number}/comm", encoding="utf-8", errors="replace") as file:
                    found.add(file.read().strip())
            except OSError:
                continue  # it has ended
    return found - _PREPARED


def renew() -> None:
    """In a fork: what must differ from process to process."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
