"""Prints ``docs/reference/settings.md`` (``make docs``)."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.settings import reference

print(reference(), end="")
