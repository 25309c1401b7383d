"""Colours of a light and of a dark page, and the outlines of the marks."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DARK", "ICONS", "LIGHT", "SHAPES"]

#: Marks and bars have the same colour on both: at least 3:1 on each ground.
SHAPES: Mapping[str, str] = {
    "ok": "#2f9e57",
    "run": "#3b82e6",
    "bad": "#d9434f",
    "attention": "#bd7d10",
    "off": "#808894",
}

LIGHT: Mapping[str, str] = {
    "bg": "#ffffff",
    "raise": "#f6f7f9",
    "line": "#dde1e7",
    "ink": "#1f2430",
    "soft": "#596170",
    "ok": "#17713a",
    "run": "#1557b0",
    "run-s": "#3b82e6",
    "bad": "#b3202c",
    "bad-t": "#fdeeee",
    "attention": "#7a4f00",
    "attention-t": "#fcf4e2",
    "off": "#596170",
    "off-t": "#f3f4f7",
}
DARK: Mapping[str, str] = {
    "bg": "#15171b",
    "raise": "#1d2025",
    "line": "#343a43",
    "ink": "#e6e9ee",
    "soft": "#a5aebb",
    "ok": "#74d698",
    "run": "#8fbcff",
    "run-s": "#3b82e6",
    "bad": "#ff9da5",
    "bad-t": "#381b1f",
    "attention": "#f2c469",
    "attention-t": "#32280f",
    "off": "#a5aebb",
    "off-t": "#22262c",
}

_DISC = "M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14z"
_RING = f"{_DISC}M8 2.4a5.6 5.6 0 1 0 0 11.2a5.6 5.6 0 1 0 0-11.2z"
#: Outlines on a ground of 16 by 16, filled by the even-odd rule.
ICONS: Mapping[str, str] = {
    "finished": f"{_DISC}M4.2 8.2l1.1-1.1 1.8 1.8 3.6-3.6 1.1 1.1-4.7 4.7z",
    "failed": "M4 1.2h8q2.8 0 2.8 2.8v8q0 2.8-2.8 2.8h-8q-2.8 0-2.8-2.8v-8q0-2.8 2.8-2.8z"
    "M5 6.1L6.1 5 8 6.9 9.9 5 11 6.1 9.1 8 11 9.9 9.9 11 8 9.1 6.1 11 5 9.9 6.9 8z",
    "running": f"{_RING}M6.4 4.9l5.1 3.1-5.1 3.1z",
    "waiting": "M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6zM8 3.6a4.4 4.4 0 1 0 0 8.8a4.4 4.4 0 1 0 0-8.8z",
    "pending": f"{_RING}M7.3 4.3h1.4v3.4l2.3 1.7-.8 1.1-2.9-2.1z",
    "paused": f"{_RING}M5.7 5.2h1.6v5.6h-1.6zM8.7 5.2h1.6v5.6h-1.6z",
    "in_error": "M7.1 1.9a1 1 0 0 1 1.8 0l6.1 11.3a1 1 0 0 1-.9 1.5h-12.2a1 1 0 0 1-.9-1.5z"
    "M7.25 5.8v4.2h1.5v-4.2zM7.25 11.2v1.6h1.5v-1.6z",
    "skipped": f"{_RING}M5 7.3h6v1.4h-6z",
    "ended": f"{_RING}M4.6 10.4l5.8-5.8 1 1-5.8 5.8z",
}
