"""The scheduler's own log: what an entry says, in both forms, and what the command shows of it."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from proactive_jupyter_kernel.cli import scheduler_log
from proactive_jupyter_kernel.cli.scheduler_log import LogReader
from proactive_jupyter_kernel.scheduler.monitoring import own_log
from proactive_jupyter_kernel.scheduler.monitoring.own_log import about, writing

_log = logging.getLogger("proactive_jupyter_kernel.scheduler.test")


def entries(folder: Path, form: str) -> None:
    """A plain entry, one about an attempt, and one with a traceback about another job."""
    with writing(folder, form):
        _log.info("began")
        _log.info("attempt failed, %s", "lost", extra=about(7, 3, 1, "local-0"))
        try:
            raise ValueError("of a test")
        except ValueError:
            _log.exception("broken", extra=about(71))


def test_a_line_ends_with_what_it_is_about(tmp_path: Path) -> None:
    """In a fixed order, so that it can be searched."""
    entries(tmp_path, "text")
    lines = (tmp_path / "scheduler.log").read_text().splitlines()
    assert [line.partition(" proactive")[0].split()[-1] for line in lines if ": " in line][:2] == ["INFO", "INFO"]
    assert lines[1].endswith("scheduler.test: attempt failed, lost job=7 task=3 attempt=1 node=local-0")
    assert lines[2].endswith("broken job=71")
    assert lines[-1] == "ValueError: of a test"


def test_json_has_an_object_a_line(tmp_path: Path) -> None:
    """With the fields as numbers, and the traceback in its place."""
    entries(tmp_path, "json")
    found = [json.loads(line) for line in (tmp_path / "scheduler.log").read_text().splitlines()]
    assert [one["message"] for one in found] == ["began", "attempt failed, lost", "broken"]
    assert {name: found[1][name] for name in ("level", "job", "task", "attempt", "node")} == {
        "level": "INFO",
        "job": 7,
        "task": 3,
        "attempt": 1,
        "node": "local-0",
    }
    assert found[2]["exception"].endswith("ValueError: of a test")
    assert found[0]["time"].endswith("+00:00")


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_reader_finds_the_entries_of_a_job(tmp_path: Path, form: str) -> None:
    """Whole entries, over the rotation of files, and not those of a job whose number begins alike."""
    entries(tmp_path, form)
    (tmp_path / "scheduler.log").rename(tmp_path / "scheduler.log.1")
    entries(tmp_path, form)
    assert len(LogReader(tmp_path).last(100)) == 6
    of_seven = LogReader(tmp_path, job=7).last(100)
    assert [("attempt failed" in one, "broken" in one) for one in of_seven] == [(True, False)] * 2
    (of_other,) = LogReader(tmp_path, job=71).last(1)
    assert "ValueError: of a test" in of_other


def test_the_reader_follows_over_a_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missed and nothing comes twice."""
    monkeypatch.setattr(scheduler_log, "_LOOK_EVERY", 0.01)
    entries(tmp_path, "text")
    reader = LogReader(tmp_path, job=7)
    assert len(reader.last(10)) == 1
    following = reader.follow()

    def more() -> None:
        (tmp_path / "scheduler.log").rename(tmp_path / "scheduler.log.1")
        entries(tmp_path, "text")

    timer = threading.Timer(0.05, more)
    timer.start()
    assert "attempt failed" in next(following)
    timer.join()


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest file goes."""
    monkeypatch.setattr(own_log, "_SIZE", 2_000)
    with writing(tmp_path):
        for number in range(200):
            _log.info("entry %s with some words to fill the file", number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["scheduler.log", "scheduler.log.1", "scheduler.log.2", "scheduler.log.3"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 8_000
    assert "entry 199 " in LogReader(tmp_path).last(1)[0]
