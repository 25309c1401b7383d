"""``/scheduler/``: the list of jobs, with counts by state, a search and the reason why a job failed or waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.engine.waiting import WaitingTasks
from proactive_jupyter_kernel.scheduler.portals.job_lines import job_line
from proactive_jupyter_kernel.scheduler.portals.page import Page
from proactive_jupyter_kernel.scheduler.portals.page_request import PageRequest
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.base import JobRow
from proactive_jupyter_kernel.scheduler.store.listing import JobGroup, group_of
from proactive_jupyter_kernel.scheduler.store.query import JobQuery
from proactive_jupyter_kernel.workflow.display.marks import Mark
from proactive_jupyter_kernel.workflow.display.times import clock_time
from proactive_jupyter_kernel.workflow.model import Priority
from proactive_jupyter_kernel.workflow.status import JOB_ALIVE

__all__ = ["PAGES", "Found", "Wish", "find", "wish"]

_PAGE_SIZE = 25
#: Characters of a search, and names that a choice offers.
_LONGEST_SEARCH, _MOST_CHOICES = 200, 200
#: Seconds between two looks at a list with jobs that run: their times grow without any event.
_EVERY = 2

#: The chips: group, its word, its mark.
_CHIPS: tuple[tuple[JobGroup | None, str, Mark | None], ...] = (
    (None, "All", None),
    (JobGroup.RUNNING, "Running", Mark.RUNNING),
    (JobGroup.WAITING, "Waiting", Mark.HELD),
    (JobGroup.NEEDS_YOU, "Needs you", Mark.IN_ERROR),
    (JobGroup.FAILED, "Failed", Mark.BAD),
    (JobGroup.FINISHED, "Finished", Mark.GOOD),
    (JobGroup.KILLED, "Killed", Mark.NOT_RUN),
)
#: Groups whose jobs may wait for a node.
_MAY_WAIT = frozenset({JobGroup.WAITING, JobGroup.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which jobs the reader wants to see, as the address says."""

    text: str
    group: JobGroup | None
    project: str
    owner: str
    #: From 1 on.
    page: int

    @property
    def query(self) -> JobQuery:
        """The same for the store, without the group."""
        return JobQuery(
            text=self.text,
            in_project=self.project,
            owner=self.owner,
            sort=(("alive", True), ("job_id", True)),
        )

    def address(self, **changes: object) -> dict[str, object]:
        """The query parameters of this list, or of one that differs."""
        own = {
            "q": self.text,
            "state": self.group.value if self.group else "",
            "project": self.project,
            "owner": self.owner,
            "page": self.page if self.page > 1 else "",
        }
        return own | changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the store has."""

    counts: Mapping[JobGroup, int]
    rows: tuple[JobRow, ...]
    failed: Mapping[int, TaskRecord]
    projects: tuple[str, ...]
    owners: tuple[str, ...]
    #: The page that is shown; the last one where there are not so many.
    page: int
    total: int


def wish(given: Mapping[str, str]) -> Wish:
    """What the query of an address asks for; what it cannot mean is left out."""
    number = given.get("page", "")
    return Wish(
        text=given.get("q", "").strip()[:_LONGEST_SEARCH],
        group=next((group for group in JobGroup if group.value == given.get("state")), None),
        project=given.get("project", ""),
        owner=given.get("owner", ""),
        page=max(int(number), 1) if number.isascii() and number.isdecimal() and len(number) < 10 else 1,
    )


def find(ask: Questions, wanted: Wish) -> Found:
    """A page of jobs with all that stands around it, from the store alone."""
    query = wanted.query
    counts = ask.job_groups(query)
    total = sum(counts.values()) if wanted.group is None else counts.get(wanted.group, 0)
    page = min(wanted.page, max(-(-total // _PAGE_SIZE), 1))
    found = ask.jobs(replace(query, group=wanted.group, limit=_PAGE_SIZE, offset=(page - 1) * _PAGE_SIZE))
    wrong = [row.record.job_id for row in found.rows if row.record.faulty + row.record.failed + row.record.in_error]
    return Found(
        counts=counts,
        rows=found.rows,
        failed=ask.first_failures(wrong),
        projects=ask.projects(_MOST_CHOICES),
        owners=ask.owners(_MOST_CHOICES),
        page=page,
        total=total,
    )


async def show(request: PageRequest) -> Response:
    """A page of jobs: those that are alive first, then the newest."""
    wanted = wish(request.query)
    found = await request.read(lambda ask: find(ask, wanted))
    wanted = replace(wanted, page=found.page)
    waiting = _waiting(request, found.rows)
    lines = [
        job_line(
            row, request.now, failed=found.failed.get(row.record.job_id), waiting=waiting.get(row.record.job_id, ())
        )
        for row in found.rows
    ]
    first = (found.page - 1) * _PAGE_SIZE
    return request.render(
        "jobs.html",
        wish=wanted,
        chips=[(group, word, mark, _count(found.counts, group)) for group, word, mark in _CHIPS],
        lines=lines,
        total=found.total,
        everything=sum(found.counts.values()),
        first=first + 1,
        last=first + len(lines),
        projects=_choices(found.projects, wanted.project),
        owners=_choices(found.owners, wanted.owner),
        priorities=[priority.name for priority in sorted(Priority, reverse=True)],
        refreshed=clock_time(request.now),
        every=_EVERY if any(row.record.status in JOB_ALIVE for row in found.rows) else 0,
        filtered=bool(wanted.text or wanted.project or wanted.owner or wanted.group),
    )


def _count(counts: Mapping[JobGroup, int], group: JobGroup | None) -> int:
    return sum(counts.values()) if group is None else counts.get(group, 0)


def _choices(known: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """What can be chosen, with what is chosen."""
    return known if not chosen or chosen in known else (*known, chosen)


def _waiting(request: PageRequest, rows: tuple[JobRow, ...]) -> dict[int, list[WaitingTasks]]:
    """The tasks that wait for a node, of the jobs on the page that seem to have some."""
    wanted = {
        row.record.job_id for row in rows if group_of(row.record.status, False) in _MAY_WAIT and not row.record.running
    }
    found: dict[int, list[WaitingTasks]] = {}
    if wanted:
        for tasks in request.service.resources.waiting()[0]:
            if tasks.job_id in wanted:
                found.setdefault(tasks.job_id, []).append(tasks)
    return found


PAGES = (Page("GET", "/scheduler/", show, "The list of jobs: counts by state, search, reasons, actions."),)
