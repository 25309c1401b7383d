"""A Jupyter kernel that turns notebook cells into ProActive workflows, and a Python API for any ProActive scheduler."""

from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.version import __version__

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.jobs import SubmittedJob
    from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["Scheduler", "SubmittedJob", "__version__", "load_ipython_extension", "unload_ipython_extension"]

#: Loaded when it is first used: a kernel starts without it.
_LATER = {"Scheduler": "client.scheduler", "SubmittedJob": "client.jobs"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext proactive_jupyter_kernel``: pragmas in the cells of this IPython."""
    from proactive_jupyter_kernel.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext proactive_jupyter_kernel``: its cells are plain Python again; jobs continue."""
    from proactive_jupyter_kernel.notebook.extension import unload

    unload(shell)
