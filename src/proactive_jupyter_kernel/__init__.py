"""A Jupyter kernel that turns notebook cells into ProActive workflows."""

from typing import Any

from proactive_jupyter_kernel.version import __version__

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext proactive_jupyter_kernel``: pragmas in the cells of this IPython."""
    from proactive_jupyter_kernel.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext proactive_jupyter_kernel``: its cells are plain Python again; jobs run on."""
    from proactive_jupyter_kernel.notebook.extension import unload

    unload(shell)
