"""Real kernels, notebooks and an embedded scheduler, all in folders of one test module and gone after it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from proactive_jupyter_kernel.notebook import kernelspec

TIMEOUT = 60.0


@dataclass
class Reply:
    """What came of one cell."""

    content: dict[str, Any]
    #: Messages on iopub: kind and content.
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.content["status"])

    def stream(self, name: str = "stdout") -> str:
        return "".join(
            content["text"] for kind, content in self.messages if kind == "stream" and content["name"] == name
        )

    def data(self, mime: str = "text/plain") -> list[str]:
        """Of displays and results, in order, updates in the place of what they replace."""
        shown: dict[object, str] = {}
        for kind, content in self.messages:
            if kind in ("display_data", "update_display_data", "execute_result") and mime in content["data"]:
                shown[content.get("transient", {}).get("display_id", object())] = content["data"][mime]
        return list(shown.values())


@dataclass
class Kernel:
    """A running kernel and a client of it."""

    manager: KernelManager
    client: BlockingKernelClient

    def send(
        self,
        code: str,
        *,
        subshell: str | None = None,
        allow_stdin: bool = False,
        cell: str = "",
        deleted: Sequence[str] = (),
    ) -> str:
        """Ask for a cell to be run; the request's id. `cell` and `deleted` are sent as JupyterLab sends them."""
        message = self.client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": allow_stdin,
                "stop_on_error": True,
            },
        )
        if cell:
            message["metadata"] = {"cellId": cell, "deletedCells": list(deleted)}
        if subshell:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def reply(self, request: str) -> Reply:
        """The answer to a request and what was sent for it up to the kernel's being idle again."""
        end = time.monotonic() + TIMEOUT
        while True:
            message = self.client.get_shell_msg(timeout=end - time.monotonic())
            if message["parent_header"].get("msg_id") == request:
                break
        reply = Reply(content=message["content"])
        while True:
            message = self.client.get_iopub_msg(timeout=end - time.monotonic())
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return reply
            reply.messages.append((message["msg_type"], message["content"]))

    def run(self, code: str, *, cell: str = "", deleted: Sequence[str] = ()) -> Reply:
        return self.reply(self.send(code, cell=cell, deleted=deleted))

    def control(self, kind: str, **content: Any) -> dict[str, Any]:
        """A request on the control channel and its answer."""
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        answer: dict[str, Any] = self.client.get_control_msg(timeout=TIMEOUT)["content"]
        return answer

    def wait_for(self, found: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message on iopub that is meant."""
        end = time.monotonic() + TIMEOUT
        while True:
            message = self.client.get_iopub_msg(timeout=end - time.monotonic())
            if found(message["msg_type"], message["content"]):
                content: dict[str, Any] = message["content"]
                return content

    def restart(self) -> None:
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=TIMEOUT)


@pytest.fixture(scope="module")
def start_kernel(home: Path) -> Iterator[Callable[..., Kernel]]:
    """Starts kernels, which are shut down at the end of the module."""
    kernels: list[Kernel] = []

    def start(name: str = kernelspec.NAME) -> Kernel:
        manager = KernelManager(kernel_name=name)
        manager.start_kernel(cwd=str(home), stderr=os.open(os.devnull, os.O_WRONLY))
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        kernels.append(Kernel(manager=manager, client=client))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.manager.cleanup_resources()


@pytest.fixture(scope="module")
def kernel(start_kernel: Callable[..., Kernel]) -> Kernel:
    """The kernel that most tests of a module share."""
    return start_kernel()


@pytest.fixture
def run_notebook(home: Path) -> Callable[..., nbformat.NotebookNode]:
    """Runs cells as a notebook without a person, with nbclient, and gives the notebook as it would be saved."""

    def run(*cells: str, kernel_name: str = kernelspec.NAME, **options: Any) -> nbformat.NotebookNode:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        client = NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name=kernel_name, resources={"metadata": {"path": str(home)}}, **options
        )
        client.execute(stderr=os.open(os.devnull, os.O_WRONLY))
        return notebook

    return run
