"""The list of differences itself: how rows match, what makes one stale, and the page made of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance import difference_list
from tests.conformance.difference_list import Difference, DifferenceFile, Row, Verdict, judge, load, page

ROOT = Path(__file__).parents[2]
WORDS = {"kind": "kinder", "what": "Nulls", "server": "null", "ours": '""', "reason": "easier"}


def difference(differs: str = "null", place: str = "$.list[3].label", exchange: str = "list: GET /x?y=1") -> Difference:
    return Difference(differs=differs, exchange=exchange, place=place, detail='null -> ""')


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row for scenario 99-x, one for all."""
    own = Row(**WORDS, exchanges=["list", "gone"], differs=["null"], place=["$.list[].label", "$.other"])
    every = Row(**WORDS, exchanges=["*"], differs=["header"], seen_in="98-y")
    files = {"99-x": [own], "every": [every]}
    monkeypatch.setattr(
        difference_list, "load", lambda name: DifferenceFile(name=name, title="T", rows=files.get(name, []))
    )


@pytest.mark.usefixtures("listed")
def test_globs_that_match_nothing_are_stale() -> None:
    """A row explains what all its parts match; each glob of it must match something."""
    assert judge("99-x", [difference()]) == Verdict(
        unexplained=[],
        stale=["'Nulls': exchange 'gone' matches nothing", "'Nulls': place '$.other' matches nothing"],
    )


@pytest.mark.usefixtures("listed")
def test_what_no_row_matches_is_unexplained() -> None:
    """Another place or another sort of difference needs a row of its own; rows for all scenarios count, too."""
    others = [difference("type"), difference(place="$.label"), difference(exchange="another: GET /x")]
    assert judge("99-x", [*others, difference("header")]) == Verdict(
        unexplained=others, stale=["'Nulls' matches nothing"]
    )


@pytest.mark.usefixtures("listed")
def test_a_row_for_all_is_seen_in_its_scenario() -> None:
    """A row of every.toml is stale when the scenario that it names does not show it."""
    assert judge("98-y", []) == Verdict(unexplained=[], stale=["'Nulls' matches nothing"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind = 'nicer'", "kind must be one of"),
        ("kind = 'kinder'\nplaces = []", r"unknown keys \['places'\], missing keys \['differs', 'exchanges'\]"),
    ],
)
def test_a_broken_row_is_named(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which row of which file is at fault."""
    monkeypatch.setattr(difference_list, "FOLDER", tmp_path)
    common = "what = 'W'\nserver = 'S'\nours = 'O'\nreason = 'R'\n"
    both = "exchanges = ['*']\ndiffers = ['null']\n" if "nicer" in text else ""
    (tmp_path / "97-z.toml").write_text(f"title = 'T'\n[[difference]]\n{common}{both}{text}\n")
    with pytest.raises(ValueError, match=rf"97-z.toml, difference 1 \('W'\): {message}"):
        load.__wrapped__("97-z")


def test_the_page_is_current() -> None:
    """docs/reference/fidelity.md is what the list says."""
    assert (ROOT / "docs/reference/fidelity.md").read_text(encoding="utf-8") == page(), "run: make reference"


def test_unrecorded_differences_have_their_test() -> None:
    """What no recording shows is held by a test that exists."""
    for row in load("unrecorded").rows:
        file, _, name = row.test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8"), row.test
