"""Colours, marks and words of pictures and cards: one table for all displays of a workflow or a job.

A state is recognizable by its word, the outline of its mark and its border, not only by its colour. Marks and bars have
a contrast of at least 3 on every usual background, texts at least 4.5 on theirs; a test computes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["DARK", "LIGHT", "MARKS", "STATES", "State", "Theme", "Tone", "contrast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """The three variants of one colour."""

    #: For text.
    text: str
    #: For marks, borders and bars.
    mark: str
    #: For the background of both.
    ground: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of a picture."""

    name: str
    #: The background of the picture and of boxes.
    ground: str
    #: Blocks and language marks.
    raised: str
    #: Thin lines, for decoration only.
    line: str
    #: Borders of boxes, and edges.
    edge: str
    #: Text.
    ink: str
    #: Secondary text.
    soft: str
    #: ``ok``, ``run``, ``bad``, ``attention``, ``off``.
    tones: Mapping[str, Tone]


LIGHT = Theme(
    name="light",
    ground="#ffffff",
    raised="#f6f7f9",
    line="#dde1e7",
    edge="#8d96a3",
    ink="#1f2430",
    soft="#596170",
    tones={
        "ok": Tone(text="#17713a", mark="#2f9e57", ground="#eaf6ee"),
        "run": Tone(text="#1557b0", mark="#3b82e6", ground="#e9f1fd"),
        "bad": Tone(text="#b3202c", mark="#d9434f", ground="#fdeeee"),
        "attention": Tone(text="#7a4f00", mark="#bd7d10", ground="#fcf4e2"),
        "off": Tone(text="#596170", mark="#8d96a3", ground="#f3f4f7"),
    },
)

DARK = Theme(
    name="dark",
    ground="#15171b",
    raised="#1d2025",
    line="#343a43",
    edge="#7b8593",
    ink="#e6e9ee",
    soft="#a5aebb",
    tones={
        "ok": Tone(text="#74d698", mark="#2f9e57", ground="#152a1d"),
        "run": Tone(text="#8fbcff", mark="#3b82e6", ground="#16263f"),
        "bad": Tone(text="#ff9da5", mark="#d9434f", ground="#381b1f"),
        "attention": Tone(text="#f2c469", mark="#bd7d10", ground="#32280f"),
        "off": Tone(text="#a5aebb", mark="#7b8593", ground="#22262c"),
    },
)

_DISC = "M8 1a7 7 0 1 0 0 14 7 7 0 1 0 0-14z"
_RING = _DISC + "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 1 1 0-11z"
_SQUARE = "M4 1h8q3 0 3 3v8q0 3-3 3H4q-3 0-3-3V4q0-3 3-3z"
_TRIANGLE = "M8.9 1.8l6 11.4q.5 1.3-.9 1.5H2q-1.4-.2-.9-1.5l6-11.4q.9-1.3 1.8 0z"

#: The marks, each one path in a square of 16, filled by the rule ``evenodd``.
MARKS: Mapping[str, str] = {
    "finished": _DISC + "M3.9 8.3l1.2-1.2 2 2 3.8-4 1.2 1.2-5 5.2z",
    "failed": _SQUARE + "M5.1 4l2.9 2.9L10.9 4 12 5.1 9.1 8l2.9 2.9L10.9 12 8 9.1 5.1 12 4 10.9 6.9 8 4 5.1z",
    "in_error": _TRIANGLE + "M7.2 5.6v4.6h1.6V5.6zM7.2 11.4V13h1.6v-1.6z",
    "running": _RING + "M6.3 4.9l5.2 3.1-5.2 3.1z",
    "waiting": "M8 2.2a5.8 5.8 0 1 0 0 11.6 5.8 5.8 0 1 0 0-11.6zM8 3.6a4.4 4.4 0 1 1 0 8.8 4.4 4.4 0 1 1 0-8.8z",
    "pending": _RING + "M7.3 4.3h1.4v3.4l2.4 1.7-.8 1.2-3-2.2z",
    "paused": _RING + "M5.7 5.2h1.6v5.6H5.7zM8.7 5.2h1.6v5.6H8.7z",
    "skipped": _RING + "M4.9 7.25h6.2v1.5H4.9z",
    "ended": _RING + "M4.5 10.4l5.9-5.9 1.1 1.1-5.9 5.9z",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The appearance of a status."""

    #: A key of `MARKS`.
    mark: str
    #: The mark in plain text, one character.
    glyph: str
    #: A key of `Theme.tones`.
    tone: str
    #: The word of the second line, and of families: "3 running".
    word: str
    #: The width of the border.
    border: float = 1.25
    #: True: it did not run; the border is dashed.
    dashed: bool = False
    #: The lowest rank of several tasks in one box determines the state of the box.
    rank: int = 5


STATES: Mapping[TaskStatus, State] = {
    TaskStatus.FAULTY: State(mark="failed", glyph="✗", tone="bad", word="failed", border=2, rank=1),
    TaskStatus.FAILED: State(mark="failed", glyph="✗", tone="bad", word="resource down", border=2, rank=1),
    TaskStatus.NOT_RESTARTED: State(mark="failed", glyph="✗", tone="bad", word="not restarted", border=2, rank=1),
    TaskStatus.IN_ERROR: State(mark="in_error", glyph="!", tone="bad", word="in error", border=2, rank=0),
    TaskStatus.WAITING_ON_ERROR: State(
        mark="in_error", glyph="!", tone="attention", word="waiting for a retry", rank=2
    ),
    TaskStatus.WAITING_ON_FAILURE: State(
        mark="in_error", glyph="!", tone="attention", word="node lost, waiting for a retry", rank=2
    ),
    TaskStatus.RUNNING: State(mark="running", glyph="▸", tone="run", word="running", border=1.75, rank=3),
    TaskStatus.PAUSED: State(mark="paused", glyph="‖", tone="attention", word="paused", rank=4),
    TaskStatus.PENDING: State(mark="pending", glyph="◔", tone="attention", word="waiting for a node", rank=5),
    TaskStatus.SUBMITTED: State(mark="waiting", glyph="○", tone="off", word="waiting", border=1, rank=6),
    TaskStatus.ABORTED: State(mark="ended", glyph="⊘", tone="off", word="aborted", border=1.25, rank=7),
    TaskStatus.NOT_STARTED: State(mark="ended", glyph="⊘", tone="off", word="not started", dashed=True, rank=7),
    TaskStatus.FINISHED: State(mark="finished", glyph="✓", tone="ok", word="finished", rank=8),
    TaskStatus.SKIPPED: State(mark="skipped", glyph="–", tone="off", word="skipped", dashed=True, rank=9),
}


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ``#rrggbb`` as WCAG 2 computes it, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
