"""The name of the user."""

from __future__ import annotations

import getpass
import os

import pytest

from proactive_jupyter_kernel.user import user_name


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 12345"), OSError("No username set")])
def test_user_without_a_name(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as users that the system does not know."""

    def unknown() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(os, "getuid", lambda: 12345, raising=False)
    assert user_name() == "uid-12345"
