"""What a card asks of a scheduler, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proactive_jupyter_kernel.client.jobs import Snapshot, TaskLine
from proactive_jupyter_kernel.client.logs import LogLine
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.notebook.card import FollowState
from proactive_jupyter_kernel.notebook.job_reader import JobReader, _without
from proactive_jupyter_kernel.workflow.display.records import Failure
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SUBMITTED_AT = 1_700_000_000_000
REASON = {"T": "No node has the token 'gpu'."}


SERVER = SimpleNamespace(
    name="http://pa:8080",
    embedded=False,
    is_server=True,
    scheduler=SimpleNamespace(address="http://pa:8080"),
)


@pytest.mark.parametrize(("waited", "expected"), [(20, {}), (3_000, REASON)])
def test_first_look_at_a_job_tells_why_it_waits(waited: int, expected: dict[str, str]) -> None:
    """A run without a person keeps the first state. A job that was just submitted usually starts at once."""
    job = Job(
        info=JobInfo(id=1, name="Jobs", status=JobStatus.PENDING, submitted_at=SUBMITTED_AT),
        tasks=(TaskState(id=0, name="T", status=TaskStatus.PENDING),),
    )
    submitted: Any = SimpleNamespace(
        output_reader=lambda **_: None, workflow=lambda: None, waiting_reasons=lambda _: REASON
    )
    context: Any = SimpleNamespace(connection=SERVER)
    snapshot = Snapshot(job=job, seen_at=SUBMITTED_AT + waited)
    facts = JobReader(context, submitted).facts(snapshot, FollowState.LIVE, output=False)
    assert (facts.reasons, facts.portal) == (expected, "http://pa:8080/scheduler/")


@pytest.mark.parametrize(
    ("live", "stored", "expected"),
    [
        (["1", "2"], ["[6 earlier lines of output were dropped: ...]", "7", "8"], 8),
        (["1", "2"], ["7", "8", "[6 earlier lines of output were dropped: ...]"], 8),
        ([], ["2", "3", "[1 earlier line of output was dropped: ...]"], 3),
        (["1", "2", "3", "4", "5", "6"], ["[5 earlier lines of output were dropped: ...]", "7", "8"], 8),
        (["1"], ["2"], 2),
    ],
)
def test_lines_that_a_log_dropped_count(live: list[str], stored: list[str], expected: int) -> None:
    """Whether or not they were read while the task ran."""
    task = TaskState(id=0, name="T", status=TaskStatus.FINISHED)
    job = Job(info=JobInfo(id=1, name="Jobs", status=JobStatus.FINISHED), tasks=(task,))
    batches = [[TaskLine(task="T", line=LogLine(text=text)) for text in texts] for texts in (live, stored)]
    submitted: Any = SimpleNamespace(
        output_reader=lambda **_: SimpleNamespace(fresh=lambda _: batches.pop(0)), workflow=lambda: None
    )
    context: Any = SimpleNamespace(connection=SERVER, translate=lambda job_id, name, text: text)
    reader = JobReader(context, submitted)
    for _ in range(2):
        facts = reader.facts(Snapshot(job=job, seen_at=0), FollowState.LIVE, output=True)
    assert facts.dropped + len(facts.output) == expected


TRACE = "Traceback (most recent call last):\n  Cell In[1]\nKeyError: 1\n\nDuring that, another error:\n\nOSError: no"
SENTENCE = "Failed to execute task: Python process execution has failed with exit code 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRACE.replace("\n\n", "\n") + f"\n{SENTENCE}", ""),
        (f"before\n{TRACE}\n{SENTENCE}: OSError: no\nafter", "before\n\nafter"),
        (f"another error\n{SENTENCE}", f"another error\n{SENTENCE}"),
    ],
)
def test_a_failure_that_stands_above_is_not_output(text: str, expected: str) -> None:
    """Its traceback, though a log has no blank lines, and the sentence that schedulers add; other lines stay."""
    assert _without(Failure(task="T", trace=TRACE), text) == expected
