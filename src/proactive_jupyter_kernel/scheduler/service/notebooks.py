"""Notebooks as workflow files, and workflows as notebooks: converted by the command line in a separate process.

Reading and writing pragmas belongs to the notebook's side, which the scheduler does not import. ``proactive-kernel
export`` reads the cells of a notebook and runs none of them. The process has the limits of a check.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from proactive_jupyter_kernel.errors import SubmissionRefused, UnreadableWorkflow
from proactive_jupyter_kernel.scheduler.settings import Settings
from proactive_jupyter_kernel.workflow.formats.loaded import MAX_BYTES

__all__ = ["NOTEBOOK", "is_notebook", "of_xml", "to_xml"]

#: The extension of notebooks.
NOTEBOOK = ".ipynb"
_NAME = re.compile(r"[^\w.-]+")
_NOTE = "Note: "
#: What the first cell of a notebook begins with that needs the XML.
_IMPORT = b'"#%import_xml('
#: Seconds for one notebook: much more than a large one takes.
_SECONDS = 60.0


def is_notebook(name: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return name.lower().endswith(NOTEBOOK)


async def to_xml(name: str, content: bytes, settings: Settings) -> tuple[bytes, tuple[str, ...]]:
    """The workflow that the pragmas of a notebook build, as XML, and what is to be said about it.

    Raises `UnreadableWorkflow` with the cell, and `SubmissionRefused` beyond a limit.
    """
    with tempfile.TemporaryDirectory(prefix="proactive-notebook-") as folder:
        source = Path(folder, f"{_plain(name)}{NOTEBOOK}")
        await asyncio.to_thread(source.write_bytes, content)
        return await _run(["export", source.name, "--to", "xml", "-o", "-"], folder, settings)


async def of_xml(xml: bytes, name: str, settings: Settings) -> dict[str, bytes]:
    """A notebook that builds the workflow, by the name of its file.

    Where pragmas cannot say something, its first cell imports the XML, which is then the second file.
    """
    with tempfile.TemporaryDirectory(prefix="proactive-notebook-") as folder:
        source = Path(folder, f"{_plain(name)}.xml")
        await asyncio.to_thread(source.write_bytes, xml)
        made, _ = await _run(["notebook", source.name, "-o", "-"], folder, settings)
        files = {f"{source.stem}{NOTEBOOK}": made}
        return files | {source.name: xml} if _IMPORT in made else files


def _plain(name: str) -> str:
    """The name of a file without its extension, as any system takes it."""
    return _NAME.sub("-", Path(name).stem).strip("-.")[:80] or "workflow"


async def _run(arguments: Sequence[str], folder: str, settings: Settings) -> tuple[bytes, tuple[str, ...]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "proactive_jupyter_kernel", *arguments),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    _limit_memory(process.pid, settings.check_memory)
    seconds = min(_SECONDS, settings.check_seconds)
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError:
        raise SubmissionRefused(
            f"The notebook was not converted: that took longer than {seconds:g} seconds.",
            hint="Export it with `proactive-kernel export NOTEBOOK --to xml`, and submit the XML.",
        ) from None
    finally:
        await _end(process)
    lines = err.decode("utf-8", "replace").splitlines()
    if process.returncode:
        raise UnreadableWorkflow(
            _error(lines) or f"The notebook could not be converted (exit code {process.returncode})."
        )
    if len(out) > MAX_BYTES:
        raise UnreadableWorkflow(
            f"The workflow of the notebook has {len(out):,} bytes; at most {MAX_BYTES:,} are read."
        )
    return out, tuple(line.removeprefix(_NOTE) for line in lines if line.startswith(_NOTE))


def _error(lines: Sequence[str]) -> str:
    """What the command line says about a failure; of a traceback, its last line."""
    start = next((index for index, line in enumerate(lines) if line.startswith("Error: ")), None)
    if start is None:
        return lines[-1] if lines else ""
    return "\n".join(lines[start:]).removeprefix("Error: ").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _limit_memory(pid: int, memory: int) -> None:
    if sys.platform != "linux" or not memory:
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))
