"""The output of running tasks on its way to the store and to listeners."""

from __future__ import annotations

import time

import pytest

from proactive_jupyter_kernel.scheduler.omitted_lines import notice
from proactive_jupyter_kernel.scheduler.service.logs import Logs, LogSource, dropped_notice, formatted, lines_of
from proactive_jupyter_kernel.scheduler.store.logs import LogLine, LogPart, LogText


def line(text: str, *, error: bool = False, attempt: int = 1) -> LogLine:
    return LogLine(error=error, at=1_700_000_000_000, text=text, attempt=attempt)


def source(job_id: int, task_id: int) -> LogSource:
    return LogSource(job_id=job_id, task_id=task_id, task_name="T", host="h")


def buffers(max_lines: int = 3, max_bytes: int = 100) -> Logs:
    return Logs(max_lines=max_lines, max_bytes=max_bytes, on_first=lambda: None)


def test_lines_are_handed_over_by_task_and_attempt() -> None:
    """Once; afterwards the buffers are empty."""
    logs = buffers()
    for task_id, attempt in ((0, 1), (1, 1), (0, 2), (0, 1)):
        logs.append(source(7, task_id), line("x", attempt=attempt))
    assert logs.drain() == [
        LogPart(job_id=7, task_id=0, lines=(line("x"), line("x"))),
        LogPart(job_id=7, task_id=1, lines=(line("x"),)),
        LogPart(job_id=7, task_id=0, lines=(line("x", attempt=2),)),
    ]
    assert logs.drain() == []


def test_a_flood_is_bounded_and_counted() -> None:
    """The last lines stay, in number and in size; how many went is known."""
    logs = buffers()
    for number in range(10):
        logs.append(source(7, 0), line(str(number)))
    assert logs.drain() == [LogPart(job_id=7, task_id=0, lines=(line("7"), line("8"), line("9")), skipped=7)]
    for letter in "abc":
        logs.append(source(7, 0), line(letter * 60))
    assert logs.drain() == [LogPart(job_id=7, task_id=0, lines=(line("c" * 60),), skipped=2)]


def test_lines_that_came_too_fast_count_as_all_of_them() -> None:
    """When the line that stands for them is dropped."""
    logs = buffers()
    for text in ("a", notice(500, 9_000), "b", "c", "d"):
        logs.append(source(7, 0), line(text))
    assert logs.drain() == [LogPart(job_id=7, task_id=0, lines=(line("b"), line("c"), line("d")), skipped=501)]


def test_an_endless_line_is_cut() -> None:
    """And says so."""
    logs = Logs(max_lines=10, max_bytes=10**9, on_first=lambda: None)
    logs.append(source(7, 0), line("x" * (1024 * 1024 + 5)))
    assert logs.drain()[0].lines[0].text.endswith("x [5 more characters cut]")


def test_the_first_line_calls_for_storing() -> None:
    """Later ones come along."""
    calls: list[int] = []
    logs = Logs(max_lines=3, max_bytes=100, on_first=lambda: calls.append(1))
    for _ in range(3):
        logs.append(source(7, 0), line("x"))
    logs.drain()
    logs.append(source(7, 0), line("x"))
    assert len(calls) == 2


def test_a_listener_reads_what_came_since_it_read_last() -> None:
    """Each has its own place; without capture there is nothing."""
    logs = buffers()
    logs.append(source(7, 0), line("before"))
    assert logs.unread(7, "s") == -1
    logs.capture(7, "s", complete=False)
    logs.prepend(7, "s", ["earlier\n"])
    logs.capture(7, "other")
    logs.append(source(7, 0), line("a"))
    logs.append(source(8, 0), line("another job"))
    expected = formatted(source(7, 0), line("a"))
    assert logs.unread(7, "s") == 2
    assert (logs.read(7, "s"), logs.read(7, "s")) == ("earlier\n" + expected, "")
    assert logs.read(7, "other") == expected


def test_a_listener_that_does_not_read_loses_the_oldest_lines() -> None:
    """And is told how many."""
    logs = buffers()
    logs.capture(7, "s")
    for number in range(5):
        logs.append(source(7, 0), line(str(number)))
    text = logs.read(7, "s")
    assert text.startswith("[2 lines were not read in time")
    assert text.endswith(formatted(source(7, 0), line("4")))


def test_a_listener_that_goes_leaves_nothing() -> None:
    """One job, or all of a session's."""
    logs = buffers()
    for job_id in (7, 8):
        logs.capture(job_id, "s")
    logs.release(7, "s")
    assert (logs.unread(7, "s"), logs.unread(8, "s")) == (-1, 0)
    logs.release_all("s")
    assert logs.unread(8, "s") == -1


def test_a_removed_job_leaves_nothing() -> None:
    """Neither lines on their way nor captures."""
    logs = buffers()
    logs.capture(7, "s")
    logs.append(source(7, 0), line("x"))
    logs.forget(7)
    assert (logs.drain(), logs.unread(7, "s")) == ([], -1)


def test_a_line_has_proactives_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Job, task, host and local time; blanks at the end are cut, the pattern's own blank stays."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    assert formatted(source(12, 3), line("hello \t")) == "[12t3@h;T;23:13:20] hello\n"
    monkeypatch.undo()
    time.tzset()


def test_lines_that_are_gone_are_reported_first() -> None:
    """On standard error, as a line of the scheduler's own."""
    log = LogText(lines=(line("x"),), dropped=5)
    notice = dropped_notice(log)
    assert notice is not None
    assert notice.text.startswith("[5 earlier lines of output were dropped")
    assert lines_of(log, {False: True, True: True}) == [notice, line("x")]
    assert lines_of(log, {False: True, True: False}) == [line("x")]
    assert dropped_notice(LogText(lines=(line("x"),))) is None
