"""The notebook as the handlers see it: `Frontend` of the pragmas, made of an IPython shell."""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import MutableMapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from proactive_jupyter_kernel.errors import SetupError
from proactive_jupyter_kernel.notebook.display import Bundle, Formatter, bundle_of
from proactive_jupyter_kernel.notebook.requests import Requests
from proactive_jupyter_kernel.pragmas.outputs import Notice, Output, Text

__all__ = ["NotebookDisplay", "NotebookFrontend"]


class NotebookFrontend:
    """Shows, writes and asks through the shell that runs the cells."""

    def __init__(self, shell: Any, requests: Requests) -> None:
        self._shell = shell
        self._requests = requests
        self._wrote_error = False
        #: The notebook's folder: a later change of the working directory does not change it.
        self._start = Path.cwd()

    @property
    def requests(self) -> Requests:
        """Which cell runs, and when cells end."""
        return self._requests

    @property
    def format_value(self) -> Formatter:
        """IPython's formatting of Python values."""
        formatter: Formatter = self._shell.display_formatter.format
        return formatter

    @property
    def namespace(self) -> MutableMapping[str, Any]:
        namespace: MutableMapping[str, Any] = self._shell.user_ns
        return namespace

    @property
    def folder(self) -> Path:
        # Jupyter starts a kernel in the notebook's folder; who changes directory means the new one.
        return Path.cwd()

    @property
    def notebook_path(self) -> str:
        told = self._told
        if not self.notebook_name:
            return ""
        return told if Path(told).is_absolute() else str(self._start / Path(told).name)

    @property
    def _told(self) -> str:
        """The path that VS Code or Jupyter Server give; nbclient gives none."""
        told = self.namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
        return told if isinstance(told, str) else ""

    @property
    def notebook_name(self) -> str:
        told = self._told
        name = PureWindowsPath(told).name if "\\" in told else PurePosixPath(told).name
        # Jupyter Server may give the random name of a session instead (jupyter_server issue 1059).
        return name.removesuffix(".ipynb") if name.endswith(".ipynb") else ""

    @property
    def cell_label(self) -> str:
        return self._requests.here.label

    @property
    def cell_id(self) -> str:
        return self._requests.here.id

    @property
    def cell_text(self) -> str:
        return self._requests.here.text

    @property
    def cell_run(self) -> int:
        return self._requests.here.run

    @property
    def headless(self) -> bool:
        return self._requests.here.headless

    def show(self, output: Output) -> None:
        if isinstance(output, Text):
            # Texts that follow each other become one output.
            self.write(output.text + "\n")
        elif isinstance(output, Notice):
            self.write(self._bundle(output).text + "\n", error=output.warning)
        else:
            bundle = self._bundle(output)
            self._shell.display_pub.publish(bundle.data, bundle.metadata)

    def show_updatable(self, output: Output) -> NotebookDisplay:
        return NotebookDisplay(self._shell, self._requests, self._bundle(output))

    def write(self, text: str, *, error: bool = False) -> None:
        if error or self._wrote_error:
            # Each stream is sent in separate blocks: what was written to the other one before must not come later.
            (sys.stdout if error else sys.stderr).flush()
        self._wrote_error = error
        (sys.stderr if error else sys.stdout).write(text)

    def offer_cell(self, text: str) -> None:
        # JupyterLab, Notebook and VS Code add a cell; a terminal begins the next input with it; nbclient ignores it.
        self._shell.set_next_input(text)

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        import getpass

        try:
            # ipykernel puts its own functions here, which ask the front end.
            return getpass.getpass(prompt) if secret else input(prompt)
        except (EOFError, NotImplementedError) as error:
            # The second is the base of ipykernel's refusal when the client said that it cannot ask.
            from proactive_jupyter_kernel.client.config import CONFIG_FILE, ENV_LOGIN, ENV_PASSWORD

            raise SetupError(
                f"{prompt.strip().rstrip(':')} is needed, but cannot be asked for in this run",
                hint=f"Give it in #%connect, in {CONFIG_FILE} beside the notebook, or in the environment variables"
                f" {ENV_LOGIN} and {ENV_PASSWORD}.",
            ) from error

    def _bundle(self, output: Output) -> Bundle:
        return bundle_of(output, self._shell.display_formatter.format)


class NotebookDisplay:
    """One display that is replaced in place.

    A terminal cannot replace what it has printed: there the first form and those called final are printed, one below
    the other.
    """

    def __init__(self, shell: Any, requests: Requests, bundle: Bundle) -> None:
        self._shell = shell
        self._requests = requests
        self._transient = {"display_id": uuid.uuid4().hex}
        self._shown = bundle
        self._cell = requests.here
        self._lock = threading.Lock()
        shell.display_pub.publish(bundle.data, bundle.metadata, transient=self._transient)

    def update(self, output: Output, *, final: bool = True) -> None:
        """Replace what is shown; nothing is sent where it would be the same. For any thread, also after the cell."""
        bundle = bundle_of(output, self._shell.display_formatter.format)
        with self._lock:
            if bundle == self._shown:
                return
            self._shown = bundle
        if self._cell.header:
            self._send()
        elif final:
            self._shell.display_pub.publish(bundle.data, bundle.metadata, transient=self._transient)

    def _send(self) -> None:
        from ipykernel.jsonutil import json_clean

        parent = self._requests.parent(self._cell)
        if parent is None:
            # A front end with a person shows it now; a headless run keeps only what comes while a cell runs.
            self._requests.when_running(self._send)
        publisher, bundle = self._shell.display_pub, self._shown
        content = {"data": bundle.data, "metadata": bundle.metadata, "transient": self._transient}
        message = publisher.session.msg(
            "update_display_data",
            json_clean(content),  # type: ignore[no-untyped-call]
            parent=self._cell.header if parent is None else parent,
        )
        publisher.session.send(publisher.pub_socket, message, ident=publisher.topic)
