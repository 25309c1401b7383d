"""Templates: Python processes that are ready and forked for each Python stage, one for each interpreter in use.

They belong to one node (``runtimes/harness/python/warm.py``), so whatever is left below them is left by its attempt.
POSIX only.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Mapping

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.processes import Spawner, StartFailed
from proactive_jupyter_kernel.scheduler.nodes.template import Template

__all__ = ["Templates"]

#: An interpreter that has not come up is left cold for so many seconds.
_COLD_FOR = 60.0
#: Packages that cannot be imported by a template are tried again after so many seconds, and so many templates of a
#: node have imported some.
_REFUSED_FOR = 3600.0
_MOST_IMPORTING = 2
#: Stands between interpreter and packages in the name of a template.
_BETWEEN = "\0"
_LOGGER = logging.getLogger(__name__)


class Templates:
    """The templates of a node; keeps them as long as they are used now and then."""

    def __init__(
        self,
        loop: Loop,
        spawner: Spawner,
        base: Mapping[str, str],
        *,
        idle: float,
        most: int,
        knows_waiting: bool = False,
    ) -> None:
        """`idle`: seconds that one lives without use; `most`: how many interpreters are kept warm; `knows_waiting`:
        whether `waiting_pids` is complete."""
        self._loop = loop
        self._spawner = spawner
        self._base = base
        self._idle = idle
        self._most = most
        self._knows_waiting = knows_waiting
        self._found: dict[str, Template] = {}
        self._cold: dict[str, float] = {}

    def warm_up(self) -> None:
        """Begin to start the template of the node's own interpreter, which most tasks will use."""
        with contextlib.suppress(StartFailed):
            self._open(sys.executable)

    @property
    def pids(self) -> list[int]:
        """Of those that live."""
        return [template.pid for template in self._found.values()]

    @property
    def waiting_pids(self) -> list[int]:
        """Of those that live, and of their forks that wait for a stage."""
        return self.pids + [template.waiting for template in self._found.values() if template.waiting]

    def get(self, interpreter: str) -> Template | None:
        """The template of an interpreter, ready; None where it cannot be had."""
        found = self._found.get(interpreter)
        if found is not None and (found.dead or found.is_stale()):
            self.retire(interpreter)
            found = None
        try:
            if found is None and self._cold.get(interpreter, 0.0) <= time.monotonic():
                found = self._open(interpreter)
            if found is not None:
                found.ready()
                found.used = time.monotonic()
        except StartFailed as error:
            _LOGGER.info("%s; its tasks are started anew each time", error)
            self._cold[interpreter] = time.monotonic() + _COLD_FOR
            if interpreter in self._found:
                self.retire(interpreter)
            return None
        return found

    def importing(self, interpreter: str, packages: tuple[str, ...]) -> Template | None:
        """A template that has imported these packages; None where there is none that is ready."""
        key = _key(interpreter, packages)
        found = self._found.get(key)
        if found is None or not (found.is_ready or found.dead):
            return None
        if found.dead or found.is_stale():
            if not found.is_ready:
                # The packages leave threads behind, or are not there.
                self._cold[key] = time.monotonic() + _REFUSED_FOR
            self.retire(key)
            return None
        found.used = time.monotonic()
        return found

    def prepare(self, interpreter: str, packages: tuple[str, ...]) -> None:
        """A stage has imported them: begin to start a template for those that will."""
        key = _key(interpreter, packages)
        if key in self._found or self._cold.get(key, 0.0) > time.monotonic():
            return
        others = sorted((found.used, name) for name, found in self._found.items() if _BETWEEN in name)
        for _, name in others[: max(len(others) + 1 - _MOST_IMPORTING, 0)]:
            self.retire(name)
        with contextlib.suppress(StartFailed):
            self._open(interpreter, packages)

    def _open(self, interpreter: str, packages: tuple[str, ...] = ()) -> Template:
        self._make_room()
        found = self._found[_key(interpreter, packages)] = Template(self._loop, interpreter, self._base, packages)
        self._spawner.adopt(found.pid)
        if self._knows_waiting:
            found.tell_waiting()
        return found

    def _make_room(self) -> None:
        """Let go of the interpreters that were not used for longest."""
        resting = sorted((found.used, name) for name, found in self._found.items() if name != sys.executable)
        for _, name in resting[: max(len(self._found) + 1 - self._most, 0)]:
            self.retire(name)

    def retire(self, interpreter: str) -> None:
        """End one. No stage runs in it."""
        found = self._found.pop(interpreter)
        found.close()
        self._spawner.disown(found.pid)

    def retire_idle(self) -> None:
        """End those that were not used for a while, but the node's own interpreter: that one ends with the node."""
        now = time.monotonic()
        for name, found in list(self._found.items()):
            if name != sys.executable and now - found.used >= self._idle:
                self.retire(name)

    def release(self) -> None:
        """End all, and let live what they look after."""
        for found in self._found.values():
            found.release()
            self._spawner.disown(found.pid)
        self._found.clear()

    def close(self) -> None:
        """End all."""
        for name in list(self._found):
            self.retire(name)


def _key(interpreter: str, packages: tuple[str, ...]) -> str:
    return _BETWEEN.join((interpreter, *packages))
