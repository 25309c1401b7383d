"""What is done with a batch that can never be stored: its parts are stored one by one, until the culprit is alone.

A part is all that a batch has about one job, or one channel of tasks. A row that cannot be stored is replaced by one
that says so; where even this cannot be stored, the row is left out, and the scheduler's log says which.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.service.errors import Unstorable
from proactive_jupyter_kernel.scheduler.store.base import Batch, ResultRow
from proactive_jupyter_kernel.scheduler.store.errors import StoreUnavailable
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["Key", "as_broken", "joined", "parts", "store_parts", "task_of_culprit"]

_log = logging.getLogger(__name__)

#: A job's id, or a channel's name.
Key: TypeAlias = int | str


def parts(batch: Batch) -> dict[Key, Batch]:
    """All that a batch has, by what it is about, in the order in which jobs and channels come up."""
    found: dict[Key, Batch] = {}

    def part(key: Key) -> Batch:
        return found.setdefault(key, Batch())

    for submission in batch.submissions:
        part(submission.job_id).submissions.append(submission)
    for job_id, job in batch.jobs.items():
        part(job_id).jobs[job_id] = job
    for key, task in batch.tasks.items():
        part(key[0]).tasks[key] = task
    for result in batch.results:
        part(result.job_id).results.append(result)
    for log in batch.logs:
        part(log.job_id).logs.append(log)
    for use in batch.node_uses:
        part(use.job_id).node_uses.append(use)
    for job_id, extras in batch.extras.items():
        part(job_id).extras[job_id] = extras
    for job_id in batch.forgotten:
        part(job_id).forgotten.append(job_id)
    for name, entries in batch.channels.items():
        part(name).channels[name] = entries
    return found


def joined(batches: Iterable[Batch]) -> Batch:
    """One batch of several, later rows in place of earlier ones."""
    whole = Batch()
    for batch in batches:
        for each in fields(Batch):
            if each.name == "revision":
                continue
            kept, new = getattr(whole, each.name), getattr(batch, each.name)
            kept.update(new) if isinstance(kept, dict) else kept.extend(new)
    return whole


def _rows(part: Batch) -> Iterator[Batch]:
    """The rows of a job's part, each as a separate batch: the job first."""
    for job_id, job in part.jobs.items():
        yield Batch(jobs={job_id: job})
    for key, task in part.tasks.items():
        yield Batch(tasks={key: task})
    for result in part.results:
        yield Batch(results=[result])
    for log in part.logs:
        yield Batch(logs=[log])
    for use in part.node_uses:
        yield Batch(node_uses=[use])
    for job_id, extras in part.extras.items():
        yield Batch(extras={job_id: extras})
    if part.forgotten:
        yield Batch(forgotten=list(part.forgotten))


def _stripped(row: Batch, message: str) -> Batch:
    """The row without what may be in the way: variables, values, times far away. Empty where nothing would be left."""
    return Batch(
        jobs={job_id: replace(job, start_at=None, remove_at=None) for job_id, job in row.jobs.items()},
        tasks={
            key: replace(task, propagated=None, private={}, start_at=None, failure=_failure(message))
            for key, task in row.tasks.items()
        },
        results=[
            ResultRow(
                job_id=result.job_id,
                task_id=result.task_id,
                attempt=result.attempt,
                finished_at=result.finished_at,
                duration=result.duration,
                host=result.host,
                source=result.source,
                nodes=result.nodes,
                failure=_failure(message),
            )
            for result in row.results
        ],
    )


def store_parts(
    write: Callable[[Batch], None],
    left: dict[Key, Batch],
    *,
    undo: Callable[[int], None],
    end_job: Callable[[int, Batch, str], Batch],
) -> dict[Key, Unstorable]:
    """Store part by part with `write`; what is stored leaves `left`. Returns what was refused, with the reason.

    A new job that cannot be stored is refused, and `undo` forgets it; of another one `end_job` gives the part with its
    end. Raises `StoreUnavailable` if the store cannot be written, or fails meanwhile.
    """
    try:
        write(Batch())
    except Exception as fault:
        # Not a row, but the store: a fault of ours. Everything waits, so that nothing is lost.
        raise StoreUnavailable(f"The scheduler failed to store what happened: {fault!r}.") from fault
    refused: dict[Key, Unstorable] = {}
    for key, part in list(left.items()):
        try:
            write(part)
        except StoreUnavailable:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            _log.error("what came of %s can never be stored", _name(key), exc_info=error)
            if isinstance(key, str):
                refused[key] = Unstorable(f"Channel {key!r} cannot be stored: {said}.")
            elif part.submissions:
                refused[key] = Unstorable(f"The job cannot be stored: {said}.")
                undo(key)
            else:
                message = f"The scheduler ended this job, because what came of it cannot be stored: {said}"
                left[key] = end_job(key, part, message)
                _store_rows(write, left, key, message)
        del left[key]
    return refused


def _store_rows(write: Callable[[Batch], None], left: dict[Key, Batch], key: int, message: str) -> None:
    """Store a job's part row by row, and without what can never be stored."""
    waiting = list(_rows(left[key]))
    while waiting:
        left[key] = joined(waiting)
        row = waiting.pop(0)
        for form in (row, _stripped(row, message)):
            try:
                write(form)
                break
            except StoreUnavailable:
                raise
            except Exception as error:
                _log.error("a row of %s was left out: %r", _name(key), error)


def _name(key: Key) -> str:
    return f"channel {key!r}" if isinstance(key, str) else f"job {key}"


def task_of_culprit(part: Batch) -> int | None:
    """The id of the task that a job's part tells most about: the one of the last result, else of the last row."""
    if part.results:
        return part.results[-1].task_id
    return next(reversed(part.tasks))[1] if part.tasks else None


def as_broken(part: Batch, message: str, task_id: int | None) -> Batch:
    """The part of a job that the machine holds no more, with the job FAILED and the task FAULTY."""
    jobs: dict[int, JobRecord] = {job_id: replace(job, status=JobStatus.FAILED) for job_id, job in part.jobs.items()}
    tasks: dict[tuple[int, int], TaskRecord] = {
        key: replace(task, status=TaskStatus.FAULTY, failure=_failure(message)) if key[1] == task_id else task
        for key, task in part.tasks.items()
    }
    return replace(part, jobs=jobs, tasks=tasks)


def _failure(message: str) -> Failure:
    return Failure(kind=FailureKind.ERROR, exception="TaskException", message=message)
