"""What carries the files of a task between its folder and the data spaces: the seam, and how it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Wire

__all__ = ["FileTransfers", "TransferFailed"]


class TransferFailed(Exception):
    """Files could not be carried in or out. The text is a finished message."""


class FileTransfers(Protocol):
    """Carries files between data spaces and the folder of a task. Called by the node that runs the task."""

    def fetch(self, attempt: Attempt, local: Path, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        """Carry `Attempt.input_files` in. `say` takes a line for the task's log.

        `stopped` tells that the task was killed, or has run into its walltime: come back soon. Raises `TransferFailed`.
        """

    def deliver(
        self,
        attempt: Attempt,
        local: Path,
        variables: Mapping[str, Wire],
        say: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Carry `Attempt.output_files` out; their patterns see the variables as the task left them."""
