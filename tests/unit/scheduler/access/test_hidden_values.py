"""Values of hidden variables: what is shown of them, and that it leads back to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues, is_hidden
from proactive_jupyter_kernel.workflow.model import Variable

HIDDEN = HiddenValues(b"k" * 32)


@given(st.text(st.characters()))
def test_a_shown_value_leads_back(value: str) -> None:
    """Whatever the value, it is not in what is shown, which is the same each time."""
    shown = HIDDEN.shown(value)
    assert re.fullmatch(r"ENC\([A-Za-z0-9+/=]+\)", shown)
    assert (HIDDEN.shown(value), HIDDEN.opened(shown), HIDDEN.opened(f" {shown} ")) == (shown, value, value)


@pytest.mark.parametrize("text", ["", "secret", "ENC()", "ENC(YWJj)", "ENC(====)", "ENC(abc", "enc(YWJj)"])
def test_other_texts_stay(text: str) -> None:
    """Nothing is read that was not shown by this scheduler."""
    assert HIDDEN.opened(text) == text


def test_another_key_reads_nothing() -> None:
    """A value that another scheduler shows, or that was changed, stays as it is."""
    foreign = HiddenValues(b"x" * 32).shown("secret")
    changed = HIDDEN.shown("secret").replace("ENC(", "ENC(AAAA")
    assert (HIDDEN.opened(foreign), HIDDEN.opened(changed)) == (foreign, changed)


def test_the_key_lasts(tmp_path: Path) -> None:
    """The next start of the scheduler reads what this one shows; no other user can read the key."""
    shown = HiddenValues.of(tmp_path).shown("secret")
    assert HiddenValues.of(tmp_path).opened(shown) == "secret"
    (key,) = tmp_path.iterdir()
    assert key.stat().st_mode & 0o077 == 0
    key.write_bytes(b"short")
    assert HiddenValues.of(tmp_path).opened(shown) == shown


@pytest.mark.parametrize(
    ("model", "hidden"), [("PA:HIDDEN", True), (" pa:hidden ", True), ("PA:INTEGER", False), ("", False)]
)
def test_which_variables_are_hidden(model: str, hidden: bool) -> None:
    """The model says so, in any case; the attribute `hidden` is about forms."""
    assert is_hidden(Variable(name="S", value="v", model=model, hidden=True)) is hidden
