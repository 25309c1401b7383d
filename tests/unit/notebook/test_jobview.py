"""A job as text and as HTML."""

from __future__ import annotations

import re

import pytest

from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.notebook.jobview import MAX_TASKS, View, duration_text, render
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

START = 1_700_000_000_000


def job(status: JobStatus, *tasks: TaskState, started_at: int = START, finished_at: int = -1) -> Job:
    info = JobInfo(id=7, name="A & B", status=status, started_at=started_at, finished_at=finished_at)
    return Job(info=info, tasks=tasks)


def task(number: int, name: str, status: TaskStatus, **more: int) -> TaskState:
    return TaskState(id=number, name=name, status=status, **more)


RUNNING = job(
    JobStatus.RUNNING,
    task(0, "load", TaskStatus.FINISHED, started_at=START, finished_at=START + 800, duration=800),
    task(1, "train*2", TaskStatus.RUNNING, started_at=START + 1000, progress=40, replication=2),
    task(2, "plot", TaskStatus.SUBMITTED),
)


def test_text_of_a_running_job() -> None:
    """Words, shapes and times stand one task a line, the tail below."""
    view = View(job=RUNNING, now=START + 13_000, tail=["epoch 1", "epoch <2>"], remark="Trying again.")
    assert render(view).text.split("\n") == [
        "Job 7 'A & B': ▶ Running, 1 of 3 tasks ended, 13 s",
        "  ✓ load     Finished  0.8 s",
        "  ▶ train*2  Running 40 %  12 s",
        "  ○ plot     Submitted",
        "  | epoch 1",
        "  | epoch <2>",
        "Trying again.",
    ]


def test_view_without_a_time_stands_still() -> None:
    """In the background nothing changes while nothing happens: no running clock."""
    assert render(View(job=RUNNING)).text.split("\n")[0] == "Job 7 'A & B': ▶ Running, 1 of 3 tasks ended"


def test_html_survives_the_sanitiser_and_escapes() -> None:
    """Only tags that an untrusted notebook keeps, and names as text."""
    html = render(View(job=RUNNING, tail=["<script>"])).html
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"div", "strong", "em", "span", "progress", "table", "thead", "tbody", "tr", "th", "td", "pre"}
    assert "A &amp; B" in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("status", JobStatus)
def test_every_job_status_has_word_and_shape(status: JobStatus) -> None:
    """No status is told by colour alone."""
    text = render(View(job=job(status))).text
    assert re.search(rf": [○▶‖✓✗!⊘] {status.label}", text)


@pytest.mark.parametrize("status", TaskStatus)
def test_every_task_status_has_word_and_shape(status: TaskStatus) -> None:
    """No status of a task is told by colour alone."""
    text = render(View(job=job(JobStatus.RUNNING, task(0, "T", status)))).text
    assert re.search(rf"[○▶‖✓✗!⊘] T  {re.escape(status.label)}", text)


def test_finished_job_with_faulty_task_does_not_look_well() -> None:
    """ProActive calls a job finished whose tasks failed; the shape says that not all is well."""
    found = job(JobStatus.FINISHED, task(0, "T", TaskStatus.FAULTY), finished_at=START + 2000)
    assert render(View(job=found)).text.startswith("Job 7 'A & B': ✗ Finished, 1 of 1 task ended, 1 faulty, 2.0 s")
    assert "<progress" not in render(View(job=found)).html


def test_large_job_lists_what_matters_and_counts_the_rest() -> None:
    """Of thousands of tasks those that failed or run are listed by name."""
    tasks = [task(number, f"T*{number}", TaskStatus.FINISHED, replication=number) for number in range(1, 1500)]
    tasks += [task(1500, "bad", TaskStatus.FAULTY), task(1501, "busy", TaskStatus.RUNNING)]
    tasks += [task(number, f"W{number}", TaskStatus.SUBMITTED) for number in range(1502, 2000)]
    lines = render(View(job=job(JobStatus.RUNNING, *tasks))).text.split("\n")
    assert len(lines) == MAX_TASKS + 2
    assert any("✗ bad" in line for line in lines)
    assert any("▶ busy" in line for line in lines)
    assert lines[-1] == "  and 1,959 more tasks: 1,461 Finished, 498 Submitted"


def test_chosen_tasks_are_shown_with_their_copies() -> None:
    """Who waits for a task sees that task and its replicas."""
    lines = render(View(job=RUNNING, tasks=frozenset({"train"}))).text.split("\n")
    assert [line.split()[1] for line in lines[1:]] == ["train*2"]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (-5, "0.0 s"),
        (840, "0.8 s"),
        (9_949, "9.9 s"),
        (42_300, "42 s"),
        (185_000, "3 min 05 s"),
        (7_620_000, "2 h 07 min"),
    ],
)
def test_durations(milliseconds: int, words: str) -> None:
    """A duration is told as people say it."""
    assert duration_text(milliseconds) == words
