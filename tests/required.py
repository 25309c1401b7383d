"""What a test needs besides this package: without it the test is skipped, or fails where nothing may be left out."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["skip_or_fail", "skip_without_recordings"]


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test; with ``PAJK_REQUIRE_ALL=1``, as in CI, fail."""
    if os.environ.get("PAJK_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def skip_without_recordings(reason: str) -> NoReturn:
    """The same for what is no part of the project, which ``PAJK_WITHOUT_RECORDINGS=1`` allows to be missing."""
    if os.environ.get("PAJK_WITHOUT_RECORDINGS") == "1":
        pytest.skip(reason)
    skip_or_fail(reason)
