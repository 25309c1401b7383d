"""The command ``proactive-kernel``: workflows and the embedded scheduler without a notebook.

One file a family of commands; each is imported when it is called, so that none pays for another's libraries.
"""

from proactive_jupyter_kernel.cli.app import main

__all__ = ["main"]
