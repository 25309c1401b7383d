"""What IPython remembers of cells with pragmas: the cell as typed, its passwords masked.

IPython keeps each input as typed and as transformed, in ``In``, ``_i`` and the like, in ``history.sqlite`` and, after
``%logstart``, in a file. The transformed form of our cells would mean nothing tomorrow, the typed one holds passwords;
so both become the typed one without passwords, which ``%rerun`` and ``%save`` can use.
"""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.notebook.transformer import RUNNER, has_pragma

__all__ = ["History"]

#: What stands in the Python of a cell that is for the pragmas.
_CALL = f"get_ipython().{RUNNER}."


class History:
    """Stands between a shell and its history."""

    def __init__(self, shell: Any) -> None:
        self._manager = shell.history_manager
        self._logger = shell.logger
        self._store_inputs = self._manager.store_inputs if self._manager is not None else None
        self._log = self._logger.log

    def install(self) -> None:
        """Mask what is stored from now on, the running cell excepted: it is stored already."""
        if self._manager is not None:
            self._manager.store_inputs = self._store
        self._logger.log = self._write

    def remove(self) -> None:
        """Leave the history to IPython again."""
        if self._manager is not None:
            del self._manager.store_inputs
        del self._logger.log

    def _store(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        assert self._store_inputs is not None
        self._store_inputs(line_num, *_masked(source, source_raw))

    def _write(self, line_mod: str, line_ori: str) -> None:
        if self._logger.log_active:
            self._log(*_masked(line_mod, line_ori))


def _masked(source: str, raw: str | None) -> tuple[str, str]:
    typed = source if raw is None else raw
    if not has_pragma(typed):
        # A cell that `#%configure` made a task is kept as typed, too.
        return (typed if _CALL in source else source), typed
    from proactive_jupyter_kernel.pragmas.cells.plan import mask

    masked = mask(typed)
    return masked, masked
