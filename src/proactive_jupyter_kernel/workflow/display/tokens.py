"""Colours of a light and of a dark page, and the outlines of the marks: those of the pictures, for style sheets."""

from __future__ import annotations

from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.picture import tokens
from proactive_jupyter_kernel.workflow.picture.tokens import MARKS, Theme

__all__ = ["DARK", "LIGHT", "MARKS", "SHAPES"]


def _variables(theme: Theme) -> dict[str, str]:
    """Name of a style sheet's variable -> colour: ``ok`` for text, ``ok-t`` for the ground below it."""
    found = {
        "bg": theme.ground,
        "raise": theme.raised,
        "line": theme.line,
        "ink": theme.ink,
        "soft": theme.soft,
        "focus": theme.tones["run"].mark,
    }
    for name, tone in theme.tones.items():
        found |= {name: tone.text, f"{name}-t": tone.ground}
    return found


LIGHT: Mapping[str, str] = _variables(tokens.LIGHT)
DARK: Mapping[str, str] = _variables(tokens.DARK)

#: Tone -> colour of marks and bars, the same on both pages: a contrast of 3 or more on each.
SHAPES: Mapping[str, str] = {name: tone.mark for name, tone in tokens.DARK.tones.items()}
