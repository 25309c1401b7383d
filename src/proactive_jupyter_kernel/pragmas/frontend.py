"""What a handler may ask of the place where it runs: a seam with the notebook behind it, or a stand-in in tests."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol

from proactive_jupyter_kernel.pragmas.outputs import Output

__all__ = ["Frontend", "Updatable"]


class Updatable(Protocol):
    """A display that can be replaced in place, from any thread."""

    def update(self, output: Output) -> None: ...


class Frontend(Protocol):
    """A notebook as the handlers see it."""

    @property
    def namespace(self) -> MutableMapping[str, Any]:
        """The notebook's own Python variables."""
        ...

    @property
    def folder(self) -> Path:
        """Where relative paths start: the notebook's folder."""
        ...

    @property
    def notebook_name(self) -> str:
        """The notebook's file name without its ending; empty if the front end does not tell."""
        ...

    @property
    def cell_label(self) -> str:
        """How tracebacks name the cell that runs now, such as ``Cell In[3]``."""
        ...

    def show(self, output: Output) -> None:
        """Display once."""
        ...

    def show_updatable(self, output: Output) -> Updatable:
        """Display, and hand back what can replace it later, also after the cell has ended."""
        ...

    def write(self, text: str, *, error: bool = False) -> None:
        """Write to the cell's standard output or standard error."""
        ...

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """Ask the person; `SetupError` where nobody can be asked (a headless run)."""
        ...
