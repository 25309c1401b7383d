"""Shift+Tab in a pragma: its usage, a parameter's meaning, what is known of a task. Terminals have nothing like it."""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.notebook.runner import Runner
from proactive_jupyter_kernel.notebook.transformer import has_pragma

__all__ = ["Inspection"]


class Inspection:
    """Answers a kernel's inspection of pragmas; the kernel answers for all else."""

    def __init__(self, shell: Any, runner: Runner) -> None:
        self._shell = shell
        self._kernel = getattr(shell, "kernel", None)
        self._runner = runner
        self._ask_kernel = getattr(self._kernel, "do_inspect", None)

    def install(self) -> None:
        if self._kernel is not None:
            self._kernel.do_inspect = self.do_inspect

    def remove(self) -> None:
        if self._kernel is not None:
            del self._kernel.do_inspect

    def do_inspect(self, code: str, cursor_pos: int | None = None, *arguments: Any, **keywords: Any) -> Any:
        """The kernel's method of this name, with whatever arguments ipykernel gives it by now."""
        cursor = len(code) if cursor_pos is None else cursor_pos
        found = self._found(code, cursor) if has_pragma(code) else None
        if found is not None:
            return found
        assert self._ask_kernel is not None
        return self._ask_kernel(code, cursor, *arguments, **keywords)

    def _found(self, code: str, cursor: int) -> dict[str, Any] | None:
        from proactive_jupyter_kernel.pragmas.assist.inspection import inspect

        told = inspect(code, cursor, self._runner.started)
        if told is None:
            return None
        data = {"text/plain": told.text}
        if self._shell.enable_html_pager:
            data["text/html"] = told.html
        return {"status": "ok", "found": True, "data": data, "metadata": {}}
