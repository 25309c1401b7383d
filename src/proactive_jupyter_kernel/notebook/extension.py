"""The IPython extension: pragmas in any IPython, be it a kernel or a terminal.

Everything hangs on hooks of the one shell that loads it, and comes off again. Nothing of the pragmas is imported before
the first cell that has one.
"""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.notebook.cell_changes import CellChanges
from proactive_jupyter_kernel.notebook.completeness import Completeness
from proactive_jupyter_kernel.notebook.completion import Completion
from proactive_jupyter_kernel.notebook.history import History
from proactive_jupyter_kernel.notebook.inspection import Inspection
from proactive_jupyter_kernel.notebook.requests import Requests
from proactive_jupyter_kernel.notebook.runner import Runner
from proactive_jupyter_kernel.notebook.transformer import RUNNER, Cells

if TYPE_CHECKING:
    from proactive_jupyter_kernel.pragmas.cells.plan import Plan

__all__ = ["Extension", "load", "shell_ends", "unload"]


class Extension:
    """What one shell has of this project."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.requests = Requests(shell)
        self.cells = Cells(self._plain)
        self.runner = Runner(shell, self.cells, self.requests)
        self._hooks = (
            History(shell),
            Completeness(shell, self.cells),
            Completion(shell, self.runner),
            Inspection(shell, self.runner),
            CellChanges(shell, self.runner, self.requests),
        )

    def install(self) -> None:
        """Hang everything in."""
        self.requests.listen()
        # Before IPython's own: none of them is to see code in other languages.
        self.shell.input_transformer_manager.cleanup_transforms.insert(0, self.cells)
        setattr(self.shell, RUNNER, self.runner)
        for hook in self._hooks:
            hook.install()
        atexit.register(self.runner.close)

    def remove(self) -> None:
        """Take everything out again; jobs run on."""
        atexit.unregister(self.runner.close)
        for hook in reversed(self._hooks):
            hook.remove()
        delattr(self.shell, RUNNER)
        self.shell.input_transformer_manager.cleanup_transforms.remove(self.cells)
        self.requests.close()
        self.runner.close()

    def _plain(self, text: str) -> Plan | None:
        """What a cell without a pragma asks for, as `#%configure` says; code that a front end runs unseen is let be."""
        context = self.runner.started
        if context is None or context.cell_mode == "local" or self._is_silent():
            return None
        from proactive_jupyter_kernel.pragmas.cells.blocks import plan_of_plain_cell

        return plan_of_plain_cell(context, text)

    def _is_silent(self) -> bool:
        """Does the request that is being served want no trace of itself?"""
        parent = self.shell.get_parent() if hasattr(self.shell, "get_parent") else {}
        return bool(parent.get("content", {}).get("silent"))


#: The one extension of a shell, under the shell's identity.
_LOADED: dict[int, Extension] = {}


def load(shell: Any) -> None:
    """Give a shell the pragmas; nothing happens where it has them."""
    if id(shell) not in _LOADED:
        extension = _LOADED[id(shell)] = Extension(shell)
        extension.install()


def shell_ends(shell: Any, why: str) -> None:
    """Mark the cards as no longer updated, while the front end still listens."""
    extension = _LOADED.get(id(shell))
    if extension is not None:
        extension.runner.stop_following(why)


def unload(shell: Any) -> None:
    """Take them away."""
    extension = _LOADED.pop(id(shell), None)
    if extension is not None:
        extension.remove()
