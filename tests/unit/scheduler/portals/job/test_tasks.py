"""The list of tasks on the page of a job."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.portals.job.tasks import PER_PAGE, TaskFilter, listing_of, task_page
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

from .conftest import NOW, Sight, replicas, task


def test_what_failed_or_runs_has_a_row_and_many_that_finished_share_one(snapshot: Sight) -> None:
    """Failed tasks stand first, then running ones; 139 finished replicas are one row that leads to them."""
    page = task_page(snapshot(replicas(150, failed=(78, 119), running=8)), TaskFilter())
    rows = [(row.name, row.more, row.word, row.node, row.took) for row in page.rows]
    assert rows[:3] == [
        ("work*78", "", "Faulty", "local-0", "100 ms"),
        ("work*119", "", "Faulty", "local-0", "100 ms"),
        ("work*142", "", "Running", "local-0", "5.0 s"),
    ]
    assert rows[10:] == [
        ("split", "", "Finished", "local-0", "100 ms"),
        ("work", "and 139 more replicas", "Finished", "local-0", "100 ms"),
        ("merge", "", "Waits for work", "", ""),
    ]
    assert page.rows[11].query == {"family": "work", "state": "finished"}
    assert (page.pages, page.squares, page.found) == (1, True, "")


def test_chips_count_the_states_that_occur(snapshot: Sight) -> None:
    """All tasks, then each state with its number; the chosen one is there also with none."""
    page = task_page(snapshot(replicas(150, failed=(78, 119), running=8)), TaskFilter(state="paused"))
    assert [(chip.state, chip.number, chip.chosen) for chip in page.chips] == [
        ("", 152, False),
        ("failed", 2, False),
        ("running", 8, False),
        ("paused", 0, True),
        ("finished", 141, False),
        ("waiting", 1, False),
    ]
    assert (page.rows, page.found) == ((), "0 of 152 tasks")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (TaskFilter(search="WORK*1", state="failed"), ["work*119"]),
        (TaskFilter(family="work", state="failed"), ["work*78", "work*119"]),
        (TaskFilter(search="merge"), ["merge"]),
    ],
)
def test_tasks_are_found_by_state_family_and_name(snapshot: Sight, wanted: TaskFilter, names: list[str]) -> None:
    """Conditions add up, and a filtered list folds nothing."""
    assert [row.name for row in task_page(snapshot(replicas(150, failed=(78, 119))), wanted).rows] == names


def test_a_large_list_has_pages(snapshot: Sight) -> None:
    """A page has a bounded number of rows; one beyond the end is the last one."""
    job = snapshot(replicas(10_000, read=False))
    second = listing_of(job, TaskFilter(family="work", page=2))
    beyond = listing_of(job, TaskFilter(family="work", page=10_000))
    assert (second.total, second.pages, len(second.groups)) == (10_000, 200, PER_PAGE)
    assert second.groups[0][0].name == f"work*{PER_PAGE}"
    assert (beyond.page, beyond.groups[-1][0].name) == (200, "work*9999")


def test_a_job_with_very_many_tasks_has_bars_of_its_families(snapshot: Sight) -> None:
    """Above four thousand tasks no square is drawn for each."""
    page = task_page(snapshot(replicas(5_000, failed=(3,), read=False)), TaskFilter())
    assert not page.squares
    assert [(name, number) for name, number, _ in page.families] == [("work", 5_000)]


def test_times_and_nodes_of_a_family_are_shown_where_they_are_known(snapshot: Sight) -> None:
    """From the shortest to the longest; nothing where the records were not read."""
    tasks = [task(n, f"work*{n}", TaskStatus.FINISHED, duration=100 + n, node=f"n-{n % 5}") for n in range(20)]
    known = task_page(snapshot(tuple(tasks)), TaskFilter()).rows[0]
    unknown = task_page(snapshot(replicas(20, read=False)), TaskFilter()).rows[1]
    assert (known.node, known.took) == ("5 nodes", "100 to 120 ms")
    assert (unknown.name, unknown.node, unknown.took) == ("work", "", "")


def test_a_failed_task_has_its_error_line_and_a_running_one_its_progress(snapshot: Sight) -> None:
    """The line that matters, not the traceback."""
    trace = 'Traceback (most recent call last):\n  File "<script>", line 3, in <module>\nValueError: tile is empty\n'
    failure = Failure(kind=FailureKind.ERROR, exception="TaskException", message="failed", stack_trace=trace)
    job = snapshot(
        (
            task(0, "a", TaskStatus.FAULTY, failure=failure),
            task(1, "b", TaskStatus.RUNNING, progress=60, started_at=NOW - 1_400),
        )
    )
    rows = task_page(job, TaskFilter(), chosen="b").rows
    assert [(row.error, row.word, row.progress, row.chosen) for row in rows] == [
        ("ValueError: tile is empty", "Faulty", None, False),
        ("", "Running, 60 %", 60, True),
    ]


def test_actions_of_a_task_are_those_that_its_state_allows(snapshot: Sight) -> None:
    """Nothing can be done to a task that has ended, or in a job that has."""
    tasks = (
        task(0, "a", TaskStatus.IN_ERROR),
        task(1, "b", TaskStatus.RUNNING),
        task(2, "c", TaskStatus.PENDING),
        task(3, "d", TaskStatus.FINISHED),
    )
    alive = {row.name: row.actions for row in task_page(snapshot(tasks), TaskFilter()).rows}
    ended = {row.actions for row in task_page(snapshot(tasks, JobStatus.KILLED), TaskFilter()).rows}
    assert alive == {
        "a": ("restart-in-error", "finish-in-error", "kill-task"),
        "b": ("restart-task", "kill-task"),
        "c": ("kill-task",),
        "d": (),
    }
    assert ended == {()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, TaskFilter()),
        ({"state": "nonsense", "page": "-1", "q": "  x "}, TaskFilter(search="x")),
        ({"state": "in-error", "family": "work", "page": "3"}, TaskFilter(state="in-error", family="work", page=3)),
        ({"page": "9" * 30}, TaskFilter()),
    ],
)
def test_an_address_that_makes_no_sense_shows_all_tasks(query: dict[str, str], expected: TaskFilter) -> None:
    """Addresses are typed and shortened by people."""
    assert TaskFilter.of(query) == expected
