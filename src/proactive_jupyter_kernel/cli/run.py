"""`run`: executes a notebook and prints its outputs as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import click
import nbformat
import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from proactive_jupyter_kernel.cli.app import EXIT_INTERRUPTED, EXIT_PROBLEM, EXIT_TERMINATED
from proactive_jupyter_kernel.cli.common import examples, note
from proactive_jupyter_kernel.errors import ProActiveError, SetupError

__all__ = ["run"]

#: The kernel of a notebook that names none, or one that is not here.
KERNEL = "proactive"
#: Grace period in seconds for the running cell after SIGTERM; the sender often sends SIGKILL after ten.
GRACE = 5.0
#: Terminal colours in tracebacks.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@click.command(
    epilog=examples(
        "proactive-kernel run analysis.ipynb",
        "proactive-kernel run analysis.ipynb --output executed.ipynb",
    )
)
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where to write the result."
)
@click.option("--kernel", default="", metavar="NAME", help="The kernel to use instead of the notebook's own.")
def run(notebook: Path, output: Path | None, kernel: str) -> None:
    """Execute NOTEBOOK, from its folder, and stop at the first error with exit status 1.

    The file itself stays as it is; --output writes the executed notebook, also one that stopped at an error.
    """
    node = _read(notebook)
    client = _Client(
        node,
        kernel_name=_kernel_of(node, kernel),
        timeout=None,
        config=_encrypted(),
        resources={"metadata": {"path": str(notebook.absolute().parent)}},
    )
    try:
        # Where a front end tells a kernel which notebook it serves.
        client.execute(env={**os.environ, "JPY_SESSION_NAME": str(notebook.absolute())})
    except CellExecutionError:
        note(f"{notebook} stopped at an error in cell {client.reached}.")
        raise click.exceptions.Exit(client.cut or EXIT_PROBLEM) from None
    except _Interrupted:
        note("Interrupted.")
        raise click.exceptions.Exit(client.cut) from None
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        if client.cut:
            note("Interrupted.")
            raise click.exceptions.Exit(client.cut) from None
        raise ProActiveError(f"The kernel died in cell {client.reached} of {notebook}: {error}") from error
    finally:
        if output is not None:
            _write(node, output)


class _Interrupted(Exception):
    """A signal came while no cell ran."""


class _Client(NotebookClient):
    """Prints what the notebook shows. SIGINT and SIGTERM interrupt the running cell, a second one kills the kernel.

    After SIGTERM the kernel is killed as well where the cell does not end within a grace period.
    """

    def __init__(self, node: NotebookNode, **options: Any) -> None:
        super().__init__(node, **options)
        #: The exit status that a signal asks for; 0 without one.
        self.cut = 0
        #: The number of the code cell that was started last, from 1, as a reader counts.
        self.reached = 0
        self._shown: dict[str, str] = {}
        self._updates: dict[str, str] = {}
        self._is_ready = False
        self.on_notebook_start = self._started
        self.on_cell_execute = self._count

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        _PRINTERS.get(msg["msg_type"], _Client._ignore)(self, msg["content"])
        try:
            result: NotebookNode | None = super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            self._show_updates()
            raise
        return result

    def _count(self, cell: NotebookNode, cell_index: int) -> None:
        if self.cut:
            raise _Interrupted
        self.reached += 1

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        self._catch_interrupts()
        await super().async_start_new_kernel(**kwargs)

    def _started(self, notebook: NotebookNode) -> None:
        self._is_ready = True

    def _catch_interrupts(self) -> None:
        # The library's own handlers would drop the kernel, and with it what the running cell has to say.
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, self._interrupt, EXIT_INTERRUPTED)
            loop.add_signal_handler(signal.SIGTERM, self._interrupt, EXIT_TERMINATED)

    def _interrupt(self, status: int) -> None:
        # The loop keeps only weak references to its tasks.
        self._asking = asyncio.ensure_future(self._pass_on(again=bool(self.cut), status=status))
        self.cut = self.cut or status

    async def _pass_on(self, *, again: bool, status: int) -> None:
        if self.km is None:
            return
        if not self._is_ready:
            # There is nothing to interrupt yet; the wait for the kernel ends when it is gone.
            self.log.disabled = True
        elif not again:
            await ensure_async(self.km.interrupt_kernel())
            if status != EXIT_TERMINATED:
                return
            await asyncio.sleep(GRACE)
        await ensure_async(self.km.shutdown_kernel(now=True))

    def _ignore(self, content: dict[str, Any]) -> None:
        """A message without anything to read."""

    def _print_stream(self, content: dict[str, Any]) -> None:
        click.echo(content["text"], nl=False, err=content["name"] == "stderr")

    def _print_data(self, content: dict[str, Any]) -> None:
        text = _text(content)
        name = (content.get("transient") or {}).get("display_id")
        if name:
            self._shown[name] = text
        if text:
            click.echo(text)

    def _keep_update(self, content: dict[str, Any]) -> None:
        self._updates[(content.get("transient") or {}).get("display_id", "")] = _text(content)

    def _show_updates(self) -> None:
        """What was replaced in place while the cell ran is printed once, as it is now."""
        for name, text in self._updates.items():
            if text and text != self._shown.get(name):
                self._shown[name] = text
                click.echo(text)
        self._updates.clear()

    def _print_error(self, content: dict[str, Any]) -> None:
        text = "\n".join(content["traceback"]) or f"{content['ename']}: {content['evalue']}"
        click.echo(text if sys.stderr.isatty() else COLOURS.sub("", text), err=True)


_PRINTERS = {
    "stream": _Client._print_stream,
    "execute_result": _Client._print_data,
    "display_data": _Client._print_data,
    "update_display_data": _Client._keep_update,
    "error": _Client._print_error,
}


def _text(content: dict[str, Any]) -> str:
    return str(content["data"].get("text/plain", ""))


def _encrypted() -> Config:
    """Encrypted talk with kernels that can, where this Jupyter can: others on the machine could listen otherwise."""
    config = Config()
    if "transport_encryption" in KernelManager.class_trait_names() and zmq.has("curve"):
        config.KernelManager.transport_encryption = "auto"
    return config


def _read(path: Path) -> NotebookNode:
    try:
        node: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        return node
    except OSError as error:
        raise SetupError(f"The notebook {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise SetupError(f"{path} is not a notebook.", hint="A notebook is a JSON file in Jupyter's format.") from error


def _write(node: NotebookNode, path: Path) -> None:
    try:
        nbformat.write(node, path)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise SetupError(f"The executed notebook cannot be written to {path}: {error.strerror or error}.") from error


def _kernel_of(node: NotebookNode, wanted: str) -> str:
    """The kernel to run it with: the one asked for, the notebook's own, or ours."""
    known = KernelSpecManager().find_kernel_specs()
    own = str(node.metadata.get("kernelspec", {}).get("name", ""))
    for name in (wanted,) if wanted else (own, KERNEL):
        if name in known:
            if own and name != own and not wanted:
                note(f"Jupyter knows no kernel {own!r}; {name!r} runs the notebook.")
            return name
    raise SetupError(
        f"Jupyter knows no kernel {wanted or own or KERNEL!r}.", hint="`proactive-kernel install` adds this one."
    )
