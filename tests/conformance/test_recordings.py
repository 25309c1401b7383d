"""The embedded scheduler beside a ProActive server: recorded exchanges, played one scenario a test.

`difference_list.py` says how to write a row about a difference that is meant.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance import difference_list, recordings
from tests.required import skip_without_recordings


@pytest.fixture(scope="module", autouse=True)
def _recordings_exist() -> None:
    if not recordings.RECORDINGS.is_dir():
        reason = f"the recordings of a ProActive server are not in {recordings.RECORDINGS}"
        skip_without_recordings(reason)


def test_every_scenario_has_its_list() -> None:
    """No recorded scenario is left out, and no list is about a scenario that is gone."""
    assert difference_list.scenarios() == recordings.recorded_scenarios()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("scenario", difference_list.scenarios())
def test_every_difference_is_explained(scenario: str, tmp_path: Path) -> None:
    """Whatever differs from the server's answers has a row with its reason, and every row has its difference."""
    verdict = recordings.verdict(scenario, tmp_path)
    assert not verdict.unexplained, verdict
    assert not verdict.stale, verdict
