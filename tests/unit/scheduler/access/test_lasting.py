"""The file of the lasting port and the lasting logins."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler.access.lasting import (
    Access,
    LastingLogins,
    access_file,
    load,
    made_login,
    save,
)

PASSWORD = "p@ss=w0rd! żółw"


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """The port and the logins; without a file there is neither."""
    folder = tmp_path / "new"
    access = Access(port=8088, logins=(made_login("ada", PASSWORD), made_login("ci.1@host", PASSWORD)))
    before = load(folder)
    save(folder, access)
    assert (before, load(folder)) == (Access(), access)


def test_the_file_holds_no_password_and_is_for_this_user_alone(tmp_path: Path) -> None:
    """Neither in plain text nor the same hash twice."""
    save(tmp_path, Access(logins=(made_login("ada", PASSWORD), made_login("bob", PASSWORD))))
    text = access_file(tmp_path).read_text(encoding="utf-8")
    first, second = load(tmp_path).logins
    assert (PASSWORD in text, first.hash == second.hash) == (False, False)
    if sys.platform != "win32":
        assert stat.S_IMODE(access_file(tmp_path).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["access.json"]


def test_logins_are_those_of_the_file_now(tmp_path: Path) -> None:
    """Added, replaced and revoked while the scheduler runs."""
    logins = LastingLogins(tmp_path)
    assert logins.verified("ada", PASSWORD) is None
    ada = made_login("ada", PASSWORD)
    save(tmp_path, Access().with_login(ada))
    assert [logins.verified(*pair) for pair in (("ada", PASSWORD), ("ada", "other pass"), ("bob", PASSWORD))] == [
        ada,
        None,
        None,
    ]
    renewed = made_login("ada", "another password")
    save(tmp_path, load(tmp_path).with_login(renewed))
    assert (logins.holds(ada), logins.holds(renewed), logins.verified("ada", PASSWORD)) == (False, True, None)
    save(tmp_path, load(tmp_path).without_login("ada"))
    assert (logins.holds(renewed), logins.verified("ada", "another password")) == (False, None)


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("", PASSWORD, "cannot be the name"),
        ("a\\b", PASSWORD, "cannot be the name"),
        ("a\nb", PASSWORD, "cannot be the name"),
        ("a" * 65, PASSWORD, "cannot be the name"),
        ("ada", "short", "too short"),
    ],
)
def test_a_login_that_no_client_could_use_is_refused(name: str, password: str, reason: str) -> None:
    """A backslash separates a Windows domain from the name."""
    with pytest.raises(EmbeddedSchedulerError, match=reason):
        made_login(name, password)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"port": 70000, "logins": []}', '{"port": 1, "logins": [{"name": "a", "salt": "x", "hash": ""}]}'],
)
def test_a_damaged_file_is_named_and_accepts_no_login(tmp_path: Path, content: str) -> None:
    """The message says what to do; a running scheduler continues without lasting logins."""
    access_file(tmp_path).write_text(content, encoding="utf-8")
    with pytest.raises(EmbeddedSchedulerError, match=r"access\.json") as refused:
        load(tmp_path)
    assert "scheduler login" in str(refused.value.hint)
    assert LastingLogins(tmp_path).verified("a", "") is None
