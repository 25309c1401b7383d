"""What an embedded scheduler left that crashed: the file to attach when the fault is reported."""

from __future__ import annotations

import time
from pathlib import Path

from proactive_jupyter_kernel.client import lock_file

__all__ = ["FOLDER", "LOG_FILE", "hint", "newest"]

#: In the data folder; ``crash-TIME-PID.txt``, or ``running-PID.txt`` of one that ended before it could rename it.
FOLDER = "crashes"
LOG_FILE = "scheduler.log"
#: Seconds for which a crash is worth a word.
_RECENT = 24 * 3600.0


def newest(data_dir: Path, *, since: float | None = None) -> Path | None:
    """The report of the last crash, of the last day or `since` (seconds since the epoch); None: there was none."""
    oldest = time.time() - _RECENT if since is None else since
    try:
        found = [(path.stat().st_mtime, path) for path in (data_dir / FOLDER).glob("*.txt")]
    except OSError:
        return None
    recent = [(at, path) for at, path in found if at >= oldest and _is_report(path)]
    return max(recent)[1] if recent else None


def hint(data_dir: Path, *, since: float | None = None) -> str:
    """What to do about a crash; empty if there was none."""
    report = newest(data_dir, since=since)
    if report is None:
        return ""
    return f"It crashed: attach {report} and {data_dir / LOG_FILE} when you report the fault."


def _is_report(path: Path) -> bool:
    if not path.stem.startswith("running-"):
        return path.stem.startswith("crash-")
    pid = path.stem.removeprefix("running-")
    return pid.isdecimal() and lock_file.has_ended(int(pid))
