"""What a card asks of a scheduler, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proactive_jupyter_kernel.client.jobs import Snapshot
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.notebook.card import Following
from proactive_jupyter_kernel.notebook.job_reader import JobReader
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

SUBMITTED_AT = 1_700_000_000_000
REASON = {"T": "No node has the token 'gpu'."}


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
    context: Any = SimpleNamespace(connection=SimpleNamespace(name="the embedded scheduler"))
    snapshot = Snapshot(job=job, seen_at=SUBMITTED_AT + waited)
    facts = JobReader(context, submitted).facts(snapshot, Following.LIVE, output=False)
    assert facts.reasons == expected
