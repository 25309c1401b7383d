"""The scheduler's own log as it is read: from the end, and as it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from proactive_jupyter_kernel.cli import scheduler_log
from proactive_jupyter_kernel.cli.scheduler_log import LogReader

AT = "2026-11-26 10:00:0"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_log.time, "sleep", lambda seconds: None)


def test_an_entry_with_invalid_bytes_is_followed_once(tmp_path: Path) -> None:
    """Offsets count bytes: a byte that is not UTF-8 is shown as three bytes of text."""
    path = tmp_path / "scheduler.log"
    path.write_bytes(f"{AT}0 a\n".encode() + b"\xff\xfe\n")
    reader = LogReader(tmp_path)
    assert reader.last(5) == [f"{AT}0 a\n\ufffd\ufffd"]
    entries = reader.follow()
    for number, content in ((1, b"\xff\xff\xff"), (2, b"b"), (3, "é".encode())):
        with path.open("ab") as file:
            file.write(f"{AT}{number} ".encode() + content + b"\n")
        assert next(entries) == f"{AT}{number} {content.decode('utf-8', 'replace')}"


def test_what_was_written_before_a_rotation_is_followed_too(tmp_path: Path) -> None:
    """The rest of the old file comes before the new one."""
    path = tmp_path / "scheduler.log"
    path.write_text(f"{AT}0 a\n")
    reader = LogReader(tmp_path)
    reader.last(5)
    entries = reader.follow()
    with path.open("a") as file:
        file.write(f"{AT}1 b\n")
    assert next(entries) == f"{AT}1 b"
    with path.open("a") as file:
        file.write(f"{AT}2 c\n")
    path.rename(tmp_path / "scheduler.log.1")
    path.write_text(f"{AT}3 d\n")
    assert [next(entries), next(entries)] == [f"{AT}2 c", f"{AT}3 d"]
