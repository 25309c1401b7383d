"""The table of colours and marks: it can be read by everybody."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.workflow.picture.tokens import DARK, LIGHT, MARKS, STATES, Theme, contrast
from proactive_jupyter_kernel.workflow.status import TaskStatus

THEMES = [LIGHT, DARK]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_text_reads_on_its_grounds(theme: Theme) -> None:
    """Texts have a contrast of at least 4.5 on the ground, on blocks, and on the tint of their state."""
    pairs = {(text, ground) for text in (theme.ink, theme.soft) for ground in (theme.ground, theme.raised)}
    for tone in theme.tones.values():
        pairs |= {
            (tone.text, theme.ground),
            (tone.text, tone.ground),
            (theme.ink, tone.ground),
            (theme.soft, tone.ground),
        }
    pairs.add((theme.ground, theme.ink))
    assert [(text, ground) for text, ground in pairs if contrast(text, ground) < 4.5] == []


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_mark_and_line_shows(theme: Theme) -> None:
    """Borders, edges, bars and marks have a contrast of about 3 on the ground."""
    colours = {theme.edge, *(tone.mark for tone in theme.tones.values())}
    assert [colour for colour in colours if round(contrast(colour, theme.ground), 1) < 3] == []


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21, a colour on itself 1, and the grey that everybody quotes 4.54."""
    assert [
        round(contrast(*pair), 2) for pair in (("#000000", "#ffffff"), ("#123456", "#123456"), ("#767676", "#ffffff"))
    ] == [
        21.0,
        1.0,
        4.54,
    ]


def test_every_status_has_a_look_and_no_two_tones_share_a_mark() -> None:
    """Colour is never the only sign: a mark has one shape in the text and one in the picture."""
    assert set(STATES) == set(TaskStatus)
    assert {state.mark for state in STATES.values()} == set(MARKS)
    assert {(state.mark, state.glyph) for state in STATES.values()} == {
        ("failed", "✗"),
        ("in_error", "!"),
        ("running", "▸"),
        ("paused", "‖"),
        ("pending", "◔"),
        ("waiting", "○"),
        ("ended", "⊘"),
        ("finished", "✓"),
        ("skipped", "–"),
    }
