"""The settings of the embedded scheduler: `table` has a row for each, `kinds` says how their values are read."""

from __future__ import annotations

from proactive_jupyter_kernel.scheduler.settings.table import (
    PREFIX,
    SETTINGS,
    NodeSource,
    Setting,
    Settings,
    load,
    misspelt,
    reference,
    shown,
)

__all__ = ["PREFIX", "SETTINGS", "NodeSource", "Setting", "Settings", "load", "misspelt", "reference", "shown"]
