"""The tables of statuses."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.engine.transitions import (
    JOB_MOVES,
    TASK_MOVES,
    IllegalTransition,
    check_job_move,
    check_task_move,
)
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus


def test_every_status_is_in_its_table():
    """Each status has its moves, those of an end have none, and each move has a reason."""
    assert set(TASK_MOVES) == set(TaskStatus)
    assert set(JOB_MOVES) == set(JobStatus)
    assert {status for status, moves in TASK_MOVES.items() if not moves} == TASK_ENDED
    assert {status for status, moves in JOB_MOVES.items() if not moves} == JOB_ENDED
    assert all(reason for table in (TASK_MOVES, JOB_MOVES) for moves in table.values() for reason in moves.values())


def test_every_status_can_be_reached():
    """From submission there is a way to each status."""
    for table, first in ((TASK_MOVES, TaskStatus.SUBMITTED), (JOB_MOVES, JobStatus.PENDING)):
        reached, todo = {first}, [first]
        while todo:
            new = set(table[todo.pop()]) - reached
            reached |= new
            todo += new
        assert reached == set(table)


def test_illegal_move_tells_the_story():
    """A move that the table does not know fails with what happened before."""
    with pytest.raises(IllegalTransition) as raised:
        check_task_move("Task 'A'", TaskStatus.FINISHED, TaskStatus.RUNNING, ["SUBMITTED", "PENDING", "RUNNING"])
    assert str(raised.value) == (
        "Task 'A' cannot go from FINISHED to RUNNING. It went through: SUBMITTED; PENDING; RUNNING."
    )
    with pytest.raises(IllegalTransition, match=r"Job 1 cannot go from KILLED to RUNNING. It went through: nothing\."):
        check_job_move("Job 1", JobStatus.KILLED, JobStatus.RUNNING, [])
