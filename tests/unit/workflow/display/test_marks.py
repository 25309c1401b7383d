"""Tests of the tables of marks and words."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.display.marks import GLYPHS, RANK, TONES, Mark, job_mark, task_mark, task_word
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus


def test_tables_of_marks_know_every_status() -> None:
    """No status is without a mark, a word, a glyph, a tone and a place in the order."""
    marks = {task_mark(status) for status in TaskStatus} | {job_mark(status) for status in JobStatus}
    assert all(task_word(status) for status in TaskStatus)
    assert set(GLYPHS) == set(TONES) == set(RANK) == set(Mark) == marks


def test_job_with_a_failed_task_is_not_shown_as_a_good_one() -> None:
    """Finished is not enough for a good mark, and a job that waits for its time waits for no node."""
    assert [
        job_mark(JobStatus.FINISHED),
        job_mark(JobStatus.FINISHED, wrong=True),
        job_mark(JobStatus.PENDING),
        job_mark(JobStatus.PENDING, ready=False),
    ] == [Mark.GOOD, Mark.BAD, Mark.HELD, Mark.WAITING]
