"""A Jupyter kernel that turns notebook cells into ProActive workflows."""

from proactive_jupyter_kernel.version import __version__

__all__ = ["__version__"]
