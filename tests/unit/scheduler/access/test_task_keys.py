"""Keys of running tasks."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.access.task_keys import checked, key_of

SECRET = b"s" * 32


def test_a_key_names_its_task() -> None:
    """The scheduler that made a key reads job and task from it."""
    assert checked(SECRET, key_of(SECRET, 12, 3)) == (12, 3)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "12t3",
        "12t3." + "0" * 32,
        key_of(b"another", 12, 3),
        key_of(SECRET, 12, 3).replace("12t3", "13t3"),
        key_of(SECRET, 12, 3) + "0",
        "１２t3." + "0" * 32,
    ],
)
def test_another_key_is_none(key: str) -> None:
    """What was not made for that task by that scheduler names nothing."""
    assert checked(SECRET, key) is None


def test_without_a_secret_no_key_is_valid() -> None:
    """A scheduler that gives no keys accepts none."""
    assert checked(b"", key_of(b"", 1, 1)) is None
