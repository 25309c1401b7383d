"""What `scheduler status` shows of a running scheduler: its ``/status``, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import ProxyHandler, build_opener

from proactive_jupyter_kernel.workflow.display.numbers import counted, size_text

__all__ = ["lines", "overview"]

#: Seconds within which a process on this machine answers.
_TIMEOUT = 5.0


def overview(url: str) -> dict[str, Any] | None:
    """The scheduler at a glance; None if it does not answer, or is too old to have it."""
    try:
        # Not through a proxy, whatever the environment says: it is this machine.
        with build_opener(ProxyHandler({})).open(f"{url}/status", timeout=_TIMEOUT) as answer:
            found = json.load(answer)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "tasks_pending" in found else None


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The overview in words."""
    yield f"Status: {found['status']}, up for {_duration(found['uptime_seconds'])}."
    alive = found["jobs_alive"]
    by_status = ", ".join(f"{count} {status.lower().replace('_', ' ')}" for status, count in sorted(alive.items()))
    yield f"Jobs: {sum(alive.values())} alive{f' ({by_status})' if by_status else ''}."
    in_error = f", {found['tasks_in_error']} in error" if found["tasks_in_error"] else ""
    yield f"Tasks: {found['tasks_running']} running, {found['tasks_pending']} waiting{in_error}."
    nodes = found["nodes"]
    total, free = (sum(counts[part] for counts in nodes.values()) for part in ("total", "free"))
    sources = ", ".join(f"{counts['total']} in {source}" for source, counts in nodes.items())
    yield f"Nodes: {free} of {total} free{f'; {sources}' if sources else ''}."
    # A scheduler of an earlier version does not say it.
    for trouble in found.get("troubles", ()):
        yield f"  {trouble}"
    yield (
        f"Last minute: {counted(found['jobs_submitted_per_minute'], 'job')} submitted, "
        f"{counted(found['tasks_ended_per_minute'], 'task')} ended."
    )
    # A scheduler of an earlier version says nothing about its disk.
    free = found.get("disk_free_bytes", -1)
    yield f"Store: {size_text(found['store_bytes'])}{f'; {size_text(free)} free on its disk' if free >= 0 else ''}."
    if found.get("disk_low"):
        yield "The disk is nearly full: when it is full, tasks wait and nothing is stored. Make room, or remove jobs."


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"
