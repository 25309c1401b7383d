"""JavaScript: scripts of the engine ``javascript``, in the idiom of Nashorn, the engine that ProActive runs them with.

Flow scripts are JavaScript unless they say otherwise, so it must run everywhere and start at once: the QuickJS engine
runs inside a process of the scheduler's own Python. Where there is no QuickJS, as inside a container, Node.js does it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Wire
from proactive_jupyter_kernel.scheduler.runtimes.base import HARNESS
from proactive_jupyter_kernel.scheduler.runtimes.script_engine import ScriptEngineRuntime
from proactive_jupyter_kernel.scheduler.runtimes.stage import Launch, Stage

__all__ = ["RUNTIMES", "JavaScript"]

_FOLDER = HARNESS / "javascript"
#: ``Number.MAX_SAFE_INTEGER``: beyond it a number of JavaScript is not exact.
_LARGEST = 2**53 - 1


class JavaScript(ScriptEngineRuntime):
    """Scripts of the engine ``javascript``."""

    engine = "javascript"
    programs = ("node", "nodejs")
    install = "install Node.js; outside of containers, pip install quickjs-ng for the scheduler's Python does as well"

    def candidates(self, stage: Stage) -> tuple[str, ...]:
        """The scheduler's own Python, if it has QuickJS and is there; else Node.js."""
        return (sys.executable,) if _runs_in_python(stage) else self.programs

    def launch(self, stage: Stage) -> Launch:
        """``python run.py FOLDER``, or ``node host.js FOLDER``; a template of that Python may fork instead."""
        programs = self.program(stage)
        script = self.write_script(stage)
        if not _runs_in_python(stage):
            return self._by_node(stage, programs, script)
        told = self.tell(stage, script, driver=str(_FOLDER / "host.py"))
        run = HARNESS / "python" / "run.py"
        return Launch(
            programs=programs,
            arguments=(str(run), str(stage.folder)),
            masks={str(script): stage.label},
            request=told,
        )

    def _by_node(self, stage: Stage, programs: tuple[str, ...], script: Path) -> Launch:
        folder = self.harness_folder(stage, "javascript")
        self.write_request(stage, script)
        return Launch(
            programs=programs,
            arguments=(str(folder / "host.js"), str(stage.folder)),
            masks={str(script): stage.label},
        )

    def request(self, stage: Stage, script: Path | None = None, **more: Wire) -> dict[str, Wire]:
        """As any request, with the integers that JavaScript has no exact number for in tagged form."""
        request: dict[str, Wire] = _tag_longs(super().request(stage, script, **more))
        return request


def _runs_in_python(stage: Stage) -> bool:
    return not stage.in_container and importlib.util.find_spec("_quickjs") is not None


def _tag_longs(wire: Wire) -> Wire:
    if isinstance(wire, dict):
        return {key: _tag_longs(item) for key, item in wire.items()}
    if isinstance(wire, list):
        return [_tag_longs(item) for item in wire]
    if isinstance(wire, int) and not isinstance(wire, bool) and abs(wire) > _LARGEST:
        return {"$type": "long", "value": str(wire)}
    return wire


RUNTIMES = (JavaScript(),)
