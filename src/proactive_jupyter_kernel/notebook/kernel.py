"""The kernel: IPython's own, with the extension of this project already loaded.

Whatever it can do with pragmas, any IPython kernel can do after ``%load_ext proactive_jupyter_kernel``; here stands
only what a kernel says about itself.
"""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from IPython.core import release

from proactive_jupyter_kernel.version import __version__

__all__ = ["ProActiveKernel"]

_EXTENSION = "proactive_jupyter_kernel"
_DISTRIBUTION = "proactive-jupyter-kernel"
#: About the scheduler. What this project has in the help menu comes from its metadata.
_SCHEDULER_LINK = {"text": "ProActive Documentation", "url": "https://doc.activeeon.com"}


def _project_links() -> list[dict[str, str]]:
    """The addresses of this project, as ``[project.urls]`` in pyproject.toml names them, the only place that does."""
    try:
        entries = metadata.metadata(_DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        # Run from its sources, without an installation.
        return []
    split = (entry.partition(", ") for entry in entries)
    return [{"text": f"ProActive Kernel: {label}", "url": url} for label, _, url in split]


class ProActiveKernel(IPythonKernel):
    """A Python kernel whose cells may hold pragmas."""

    implementation = "proactive"
    implementation_version = __version__

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        # The first links of the menu are about what this kernel adds; IPython's follow.
        self.help_links = [*_project_links(), _SCHEDULER_LINK, *self.help_links]
        assert self.shell is not None
        # As %load_ext does it, so that IPython knows and a notebook may ask for it again.
        self.shell.extension_manager.load_extension(_EXTENSION)

    @property
    def banner(self) -> str:  # type: ignore[override]
        """What a console shows before its first prompt."""
        return (
            f"ProActive kernel {__version__} (Python {platform.python_version()}, IPython {release.version})\n"
            "Cells are Python; #%help() lists the pragmas that turn them into the tasks of a workflow.\n"
        )

    def do_shutdown(self, restart: bool) -> Any:
        """As IPython's, after the cards of running jobs have been marked as no longer followed."""
        from proactive_jupyter_kernel.notebook.extension import shell_ends

        shell_ends(self.shell, f"the kernel was {'restarted' if restart else 'shut down'}")
        return super().do_shutdown(restart)  # type: ignore[no-untyped-call]

    def do_history(
        self, hist_access_type: Any, output: Any, raw: Any, session: Any = 0, *place: Any, **more: Any
    ) -> Any:
        """As IPython's, but an entry of the running session has the requested number.

        IPython calls that session 0 in its answer to a range, which no client would know (``get_range``).
        """
        reply = super().do_history(hist_access_type, output, raw, session, *place, **more)  # type: ignore[no-untyped-call]
        if hist_access_type == "range" and session and session > 0:
            reply["history"] = [(session, *entry[1:]) for entry in reply["history"]]
        return reply
