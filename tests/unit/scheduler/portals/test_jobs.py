"""Tests of the list of jobs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Outcome
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt
from proactive_jupyter_kernel.scheduler.portals.job_lines import job_line
from proactive_jupyter_kernel.scheduler.store.base import JobFacts, JobRow
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.records import Count
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JobStatus

Rest = Callable[..., None]

NOW = 1_764_108_300_000


def words(markup: str) -> str:
    """The text of a page, its pieces divided by single blanks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def rows(page: str) -> dict[int, str]:
    """The text of each row, by the job's id."""
    found = re.findall(r'<tr id="job-(\d+)".*?</tr>', page, re.S)
    parts = re.split(r'<tr id="job-\d+"', page)[1:]
    return {
        int(job_id): words(part.partition("<details")[0].partition(">")[2])
        for job_id, part in zip(found, parts, strict=True)
    }


def fail(attempt: ScriptedAttempt) -> Outcome:
    raise ValueError("column mean has a hole")


async def forever(attempt: ScriptedAttempt) -> Outcome:
    await asyncio.sleep(3600)
    raise AssertionError


def row(status: JobStatus, **changes: Any) -> JobRow:
    given: dict[str, Any] = {"submitted_at": NOW - 20_000, "started_at": NOW - 10_000, "total": 5} | changes
    record = JobRecord(job_id=7, name="weather", owner="ana", status=status, priority=Priority.NORMAL, **given)
    return JobRow(record=record, facts=JobFacts(project="forecast"))


@pytest.mark.parametrize(
    ("given", "mark", "state", "counts", "took"),
    [
        (
            row(JobStatus.RUNNING, total=152, finished=143, faulty=2, running=8),
            Mark.RUNNING,
            "Running",
            ["143 of 152 done", "2 failed", "8 running"],
            "10 s",
        ),
        (row(JobStatus.PENDING, started_at=-1), Mark.HELD, "Pending", ["0 of 5 done"], ""),
        (
            row(JobStatus.IN_ERROR, finished=2, in_error=1),
            Mark.IN_ERROR,
            "In error",
            ["2 of 5 done", "1 in error"],
            "10 s",
        ),
        (
            row(JobStatus.PAUSED, finished=2, running=1),
            Mark.PAUSED,
            "Paused",
            ["2 of 5 done", "1 runs to its end"],
            "10 s",
        ),
        (
            row(JobStatus.FINISHED, finished=5, faulty=1, finished_at=NOW - 1000),
            Mark.BAD,
            "Finished, 1 failed",
            ["5 of 5 done", "1 failed"],
            "9.0 s",
        ),
        (
            row(JobStatus.CANCELED, finished=3, faulty=1, finished_at=NOW - 9_962),
            Mark.BAD,
            "Canceled, 1 failed",
            ["3 of 5 done", "1 failed", "2 not started"],
            "38 ms",
        ),
        (row(JobStatus.FINISHED, finished=5, finished_at=NOW), Mark.GOOD, "Finished", ["5 tasks"], "10 s"),
        (
            row(JobStatus.KILLED, finished=1, finished_at=NOW),
            Mark.NOT_RUN,
            "Killed",
            ["1 of 5 done", "4 not started"],
            "10 s",
        ),
    ],
)
def test_a_row_says_how_a_job_is(given: JobRow, mark: Mark, state: str, counts: list[str], took: str) -> None:
    """State, progress and time; a job with a failed task has no good mark."""
    line = job_line(given, NOW)
    assert (line.mark, line.state, [count.text for count in line.counts], line.took) == (mark, state, counts, took)


def test_a_job_for_later_says_when() -> None:
    """It waits for no node."""
    line = job_line(row(JobStatus.PENDING, started_at=-1, start_at=NOW + 5000), NOW)
    assert (line.mark, line.counts[0]) == (Mark.WAITING, Count("0 of 5 done"))
    assert re.fullmatch(r"starts at \d\d:\d\d:\d\d", line.counts[1].text)


def test_bars_never_exceed_their_width() -> None:
    """Tasks that wait for another attempt count as faulty and as not finished."""
    line = job_line(row(JobStatus.RUNNING, finished=1, faulty=4, running=1), NOW)
    assert [(piece.tone, piece.start, piece.width) for piece in line.bar] == [("bad", 0, 20), ("run", 20, 20)]


def test_the_list_has_counts_reasons_and_actions(rest: Rest, workflow: Callable[..., str]) -> None:
    """What failed says why below its name, what waits says for what; alive jobs come first."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("A", name="good"))
        await scene.run(workflow("F", name="bad", attributes='onTaskError="continueJobExecution"'))
        token = '<genericInformation><info name="NODE_ACCESS_TOKEN" value="GPU"/></genericInformation>'
        await scene.submit(workflow("A", name="waits", head=token))
        await scene.submit(workflow("R", name="runs"))
        await scene.until(lambda: len(scene.executor.attempts) == 3)
        await scene.enter()
        page = await scene.page("/scheduler/")
        found = rows(page)
        assert list(found) == [4, 3, 2, 1]
        assert "runs 4 Running 0 of 1 done, 1 running" in found[4]
        assert "waits 3 A waits: no node of the scheduler has the token 'GPU'" in found[3]
        assert "bad 2 F: ValueError: column mean has a hole Finished, 1 failed 1 of 1 done, 1 failed" in found[2]
        assert "good 1 Finished 1 task today" in found[1]
        chips = re.search(r'<ul class="chips">.*?</ul>', page, re.S)
        assert chips is not None
        assert words(chips[0]) == "All 4 Running 1 Waiting 1 Needs you 0 Failed 1 Finished 1 Killed 0"
        assert "/scheduler/jobs/4/do/pause?back=%2Fscheduler%2F" in page
        assert "/scheduler/jobs/1/do/pause" not in page

    rest(scenario, scripted={"F": fail, "R": forever})


def test_chips_search_and_pages_are_addresses(rest: Rest, workflow: Callable[..., str]) -> None:
    """Each keeps the others, so that a list can be bookmarked; a page that is not there is the last one."""

    async def scenario(scene: Any) -> None:
        for number in range(30):
            await scene.submit(workflow("A", name=f"job {number}", attributes='projectName="p&amp;q"'))
        await scene.submit(workflow("A", name="other"))
        await scene.until(lambda: not scene.service.busy)
        await scene.enter()
        page = unescape(await scene.page("/scheduler/?project=p%26q&state=finished&q=JOB"))
        assert "1 to 25 of 30" in page
        assert 'href="/scheduler/?q=JOB&state=finished&project=p%26q&page=2" rel="next"' in page
        assert 'href="/scheduler/?q=JOB&state=killed&project=p%26q"' in page
        assert "<option selected>p&q</option>" in page
        assert "26 to 30 of 30" in await scene.page("/scheduler/?project=p%26q&page=99")
        assert list(rows(await scene.page("/scheduler/?q=31"))) == [31]
        assert "No job is like that." in await scene.page("/scheduler/?q=nothing")

    rest(scenario)


def test_an_empty_list_says_how_to_begin(rest: Rest) -> None:
    """Nobody starts with jobs."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        assert "There are no jobs yet." in await scene.page("/scheduler/")

    rest(scenario)


def test_a_list_without_running_jobs_is_not_refreshed(rest: Rest, workflow: Callable[..., str]) -> None:
    """Nothing in it changes without an event."""

    async def scenario(scene: Any) -> None:
        await scene.run(workflow("A"))
        await scene.enter()
        assert "data-every" not in await scene.page("/scheduler/")
        await scene.submit(workflow("R"))
        assert 'data-every="2"' in await scene.page("/scheduler/")

    rest(scenario, scripted={"R": forever})
