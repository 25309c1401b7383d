"""Answers with the results of many tasks, task by task, so that they are never in memory all at once.

Results of an ended job do not change: each is read and rendered in a transaction of its own while the answer is sent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse

from proactive_jupyter_kernel.scheduler.rest.dto import records, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.store.base import JobRow

__all__ = ["job_result", "values"]

#: Bytes of values that are rendered at once; an answer with more values, or more tasks, is sent in parts.
_PART = 1024 * 1024
#: Tasks of a part, however small their values are.
_MOST_OF_A_PART = 256

#: What is answered of one task.
_Render = Callable[[Questions, TaskResult], Any]


def values(call: Call, ask: Questions, job_id: int) -> Response:
    """The text of each task's value, by name."""
    outcomes = ask.outcomes(job_id)
    if _is_one_part(outcomes):
        return json_answer({outcome.task.name: records.value_text(outcome) for outcome in outcomes})
    return _streamed(_object(call, outcomes, lambda ask, outcome: records.value_text(outcome)))


def job_result(call: Call, ask: Questions, row: JobRow) -> Response:
    """JobResultData."""
    outcomes = ask.outcomes(row.record.job_id)
    if _is_one_part(outcomes):
        return json_answer(views.job_result(ask, row))
    precious = views.precious_names(row, outcomes)
    parts: dict[str, Iterable[TaskResult]] = {
        "allResults": outcomes,
        "preciousResults": [outcome for outcome in outcomes if outcome.task.name in precious],
        "exceptionResults": [outcome for outcome in outcomes if outcome.failure is not None],
    }
    return _streamed(_job_result(call, records.job_result(row, {}, views.result_map(outcomes), set()), parts))


async def _job_result(
    call: Call, frame: Mapping[str, Any], parts: Mapping[str, Iterable[TaskResult]]
) -> AsyncIterator[bytes]:
    opening = b"{"
    for key, value in frame.items():
        yield opening + _json(key) + b":"
        opening = b","
        if key in parts:
            async for piece in _object(call, parts[key], views.task_result):
                yield piece
        else:
            yield _json(value)
    yield b"}"


async def _object(call: Call, outcomes: Iterable[TaskResult], render: _Render) -> AsyncIterator[bytes]:
    """A JSON object of what is rendered of each task, by its name."""
    opening = b"{"
    for part in _parts(outcomes):

        def rendered(ask: Questions, part: list[TaskResult] = part) -> bytes:
            return b",".join(_json(each.task.name) + b":" + _json(render(ask, each)) for each in part)

        yield opening + await call.read(rendered)
        opening = b","
    yield b"{}" if opening == b"{" else b"}"


def _parts(outcomes: Iterable[TaskResult]) -> Iterator[list[TaskResult]]:
    part: list[TaskResult] = []
    for outcome in outcomes:
        part.append(outcome)
        if _size(part) > _PART or len(part) >= _MOST_OF_A_PART:
            yield part
            part = []
    if part:
        yield part


def _is_one_part(outcomes: Collection[TaskResult]) -> bool:
    return len(outcomes) <= _MOST_OF_A_PART and _size(outcomes) <= _PART


def _size(outcomes: Iterable[TaskResult]) -> int:
    return sum(outcome.value.size for outcome in outcomes)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _streamed(pieces: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(pieces, media_type="application/json")
