"""Runs a compose file: starts its containers, waits for them, takes them down again; in a process of our own Python."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["run"]


def run(request: Mapping[str, Any]) -> int:
    """``up``, and whatever comes of it, ``down``. Returns the exit code of the first."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = _call(request["up"])
    finally:
        # Containers are no children of ours: who is told to stop takes them along.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _call(request["down"])
    return code


def _stop(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def _call(command: list[str]) -> int:
    code = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    return code if code >= 0 else 128 - code
