"""A test whose requirement is missing is skipped, or fails where nothing may be left out; all tests say it one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import required
from tests.conftest import LONG

TESTS = Path(__file__).parents[2]
#: How a test could be skipped although everything must be there.
AROUND = re.compile(
    r"importorskip|PAJK_REQUIRE_ALL|skipif\((?:(?!\ndef |\nclass |\n\n).)*?\b(?:which|find_spec|REQUIRED)\b", re.DOTALL
)
#: Other uses of the variable.
OWN = {"required.py", "conftest.py", "unit/project/test_required.py"}


@pytest.mark.parametrize(
    ("variable", "recordings", "outcome"),
    [
        ("", "", ("skipped", "skipped")),
        ("1", "", ("failed", "failed")),
        ("1", "1", ("failed", "skipped")),
    ],
)
def test_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, variable: str, recordings: str, outcome: object
) -> None:
    """Each way to ask for something skips, and fails in CI; only the recordings may be missing there on request."""
    monkeypatch.setenv("PAJK_REQUIRE_ALL", variable)
    monkeypatch.setenv("PAJK_WITHOUT_RECORDINGS", recordings)
    request.node.add_marker(pytest.mark.needs("no-such-program", modules=["no_such_module", "json"]))

    def ending(asked: Callable[[], object]) -> tuple[str, str]:
        try:
            asked()
        except pytest.skip.Exception as skipped:
            return "skipped", str(skipped)
        except pytest.fail.Exception as failed:
            return "failed", str(failed)
        return "passed", ""

    always, but_recordings = outcome
    assert [
        ending(lambda: required.need_marked(request.node)),
        ending(lambda: required.need_module("no_such_module.part")),
        ending(lambda: required.skip_without_recordings("there are none")),
        ending(lambda: required.need("sh", modules=["json"])),
    ] == [
        (always, "not installed: no-such-program, the module no_such_module"),
        (always, "not installed: the module no_such_module"),
        (but_recordings, "there are none"),
        ("passed", ""),
    ]


def test_no_test_goes_around_it() -> None:
    """Else it would be skipped in CI, and nobody would see it."""
    files = {path.relative_to(TESTS).as_posix(): path for path in TESTS.rglob("*.py")}
    assert [name for name, path in sorted(files.items()) if AROUND.search(path.read_text("utf-8"))] == sorted(OWN)


def test_long_files_exist() -> None:
    """A file that was moved would start last again, and keep one worker busy when the others have ended."""
    assert [name for name in LONG if not (TESTS / name).is_file()] == []
