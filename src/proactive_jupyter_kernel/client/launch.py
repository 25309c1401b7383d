"""Starts the embedded scheduler as a detached process that outlives its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.client import crash_reports, lock_file
from proactive_jupyter_kernel.client.address_file import Address, address_file, find
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["EXIT_LOCKED", "start"]

#: The exit status of `scheduler serve` where another scheduler holds the data folder (EX_TEMPFAIL of sysexits.h).
EXIT_LOCKED = 75
#: Timeout in seconds until it listens; a loaded machine with a cold disk needs several.
START_TIMEOUT = 60.0
#: Timeout in seconds for a concurrent start to listen; a process that holds the folder longer is stuck.
LOCKED_TIMEOUT = 15.0
#: Polling interval in seconds for the address file.
LOOK_EVERY = 0.01
#: Seconds between two attempts to start on a folder that another process holds.
AGAIN_EVERY = 0.3
#: The file in the data folder for output before its own log is open.
STARTUP_LOG = "scheduler.out"
#: Maximum size in bytes of that file.
STARTUP_LOG_SIZE = 100_000
#: The number of lines of it in an error message.
QUOTED = 15

#: Environment variables that tasks must not inherit: the display settings of ipykernel would break plotting in tasks,
#: and passwords are secret.
PRIVATE = (
    "MPLBACKEND",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "PAGER",
    "GIT_PAGER",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "JPY_API_TOKEN",
    "JUPYTERHUB_API_TOKEN",
    "PYDEVD_USE_FRAME_EVAL",
    "PYDEVD_DISABLE_FILE_VALIDATION",
    "PROACTIVE_URL",
    "PROACTIVE_LOGIN",
    "PROACTIVE_PASSWORD",
)


def start(folder: Path, *, port: int = 0) -> Address:
    """Start a scheduler on a data folder and wait until it listens; if another one was faster, return that one.

    `port` 0 lets the system choose. Raises `EmbeddedSchedulerError`, with its output, if it ends or does not listen.
    """
    log = folder / STARTUP_LOG
    process: subprocess.Popen[bytes] | None = None
    refused = False
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        offset = _trim(log)
        begun, begun_at = time.monotonic(), time.time()
        deadline, held = begun + START_TIMEOUT, lock_file.holder(folder)
        while time.monotonic() < deadline:
            address = find(folder) if held or address_file(folder).exists() else None
            if address is not None:
                _end_if_surplus(process, address)
                return address
            ended = process.poll() if process else None
            if ended == EXIT_LOCKED:
                process, refused = None, True
                time.sleep(AGAIN_EVERY)
            elif ended is not None:
                break
            if process is None:
                held = lock_file.holder(folder)
                if held is None:
                    process = _spawn(folder, log, port)
                if held or refused:
                    # The holder is about to listen, or about to stop: then the next attempt succeeds.
                    deadline = min(deadline, begun + _patience(held))
                    time.sleep(AGAIN_EVERY if held else 0)
            time.sleep(LOOK_EVERY)
    except OSError as error:
        raise EmbeddedSchedulerError(
            f"The embedded scheduler cannot be started on {folder}: {error.strerror or error}.",
            hint="The folder must be writable; PROACTIVE_KERNEL_DATA_DIR names another one.",
        ) from error
    if held:
        message, hint = lock_file.unresponsive(folder, held)
        raise EmbeddedSchedulerError(message, hint=hint)
    raise _failure(folder, log, offset, begun_at, EXIT_LOCKED if refused else process.poll() if process else None)


def _end_if_surplus(process: subprocess.Popen[bytes] | None, address: Address) -> None:
    """End our process where another one was faster: it waits for the folder, and would take it when that one stops.

    On Windows the process of a virtual environment's interpreter has another id than the scheduler that it starts.
    """
    if process is not None and process.pid != address.pid and sys.platform != "win32":
        process.terminate()


def _patience(held: lock_file.Holder | None) -> float:
    """How many seconds the holder of the folder has from the beginning on."""
    if held is None:
        return LOCKED_TIMEOUT
    if held.pid is not None and lock_file.is_suspended(held.pid):
        return 0.0
    return START_TIMEOUT if held.state == "starting" else LOCKED_TIMEOUT


def _spawn(folder: Path, log: Path, port: int) -> subprocess.Popen[bytes]:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command_of(folder, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Not the folder of the notebook: a queue.py there would hide that of Python.
            cwd=folder,
            env=clean_environment(os.environ),
            **detached,
        )
    # The parent must wait for the process, or it becomes a zombie when it ends.
    threading.Thread(target=process.wait, name="embedded scheduler", daemon=True).start()
    return process


def command_of(folder: Path, port: int) -> list[str]:
    """The command line of a scheduler; port 0 means any."""
    command = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", "serve", "--data-dir", str(folder)]
    return [*command, "--port", str(port)] if port else command


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that tasks must not inherit."""
    return {name: value for name, value in environ.items() if name not in PRIVATE}


def _trim(log: Path) -> int:
    """The offset of the output of this start in the file; a file that is too long is truncated."""
    size = log.stat().st_size if log.exists() else 0
    if size <= STARTUP_LOG_SIZE:
        return size
    log.unlink()
    return 0


def _failure(folder: Path, log: Path, offset: int, begun_at: float, ended: int | None) -> EmbeddedSchedulerError:
    try:
        with log.open("rb") as file:
            file.seek(offset)
            # Repeated attempts write the same lines.
            lines = list(dict.fromkeys(file.read().decode("utf-8", "replace").strip().splitlines()))
    except OSError:
        lines = []
    if ended == EXIT_LOCKED:
        what = f"Another embedded scheduler uses the data folder {folder}, but does not answer."
    elif ended is None:
        what = f"The embedded scheduler on {folder} did not start to listen within {START_TIMEOUT:g} s."
    else:
        what = f"The embedded scheduler on {folder} exited at once, with exit status {ended}."
    said = "".join(f"\n  {line}" for line in lines[-QUOTED:])
    return EmbeddedSchedulerError(
        what + (f" Its output:{said}" if said else ""),
        hint=crash_reports.hint(folder, since=begun_at)
        or f"`proactive-kernel scheduler serve --data-dir {folder}` runs it in the foreground; {log} has its output.",
    )
