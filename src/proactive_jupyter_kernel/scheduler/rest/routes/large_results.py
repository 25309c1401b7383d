"""Answers with the results of many tasks, or with large values, so that these are never in memory all at once.

Results of an ended task do not change: each part of an answer is read and rendered in a transaction of its own while
the answer is sent, and a large value in a process of its own (``service/value_files.py``).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response, StreamingResponse

from proactive_jupyter_kernel.scheduler.raw_value import NULL
from proactive_jupyter_kernel.scheduler.rest.dto import records, value_forms, views
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.scheduler.service.value_files import LARGE, ValueFile, ValueTooLarge
from proactive_jupyter_kernel.scheduler.store.base import JobRow

__all__ = [
    "STREAMS",
    "TASKS",
    "TEXTS",
    "Form",
    "file_answer",
    "is_large",
    "job_result",
    "listed",
    "named",
    "task_result",
    "values",
]

#: Bytes of values that are rendered at once; an answer with more values, or more tasks, is sent in parts.
_PART = LARGE
#: Tasks of a part, however small their values are.
_MOST_OF_A_PART = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is answered of one task."""

    #: Where the value is small.
    small: Callable[[Questions, TaskResult], Any]
    #: The pieces of its JSON where the value is large.
    large: Callable[[Call, TaskResult], AsyncIterator[bytes]]


def is_large(outcome: TaskResult) -> bool:
    """Whether the value of a task is one whose forms are made in a process of their own."""
    return outcome.failure is None and outcome.value.size > LARGE


# --- one task --------------------------------------------------------------------------------------------------------


async def task_result(call: Call, outcome: TaskResult) -> Response:
    """TaskResultData of a task with a large value."""
    head, made, tail = await _parts_of_task(call, outcome)

    def pieces() -> Iterator[bytes]:
        yield head
        yield from made.pieces()
        yield tail

    length = len(head) + made.size + len(tail)
    return StreamingResponse(pieces(), media_type="application/json", headers={"Content-Length": str(length)})


def file_answer(made: ValueFile, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """A form of a value by itself."""
    length = {"Content-Length": str(made.size)}
    return StreamingResponse(made.pieces(), media_type=media_type, headers={**(headers or {}), **length})


async def _parts_of_task(call: Call, outcome: TaskResult) -> tuple[bytes, ValueFile, bytes]:
    without = replace(outcome, value=NULL)
    frame = await call.read(lambda ask: views.task_result(ask, without))
    made = await call.service.value_files.make(outcome.value, value_forms.task_members)
    rest = {name: each for name, each in frame.items() if name not in ("serializedValue", "value")}
    return _json({**rest, "raw": made.said})[:-1] + b",", made, b"}"


async def _large_task(call: Call, outcome: TaskResult) -> AsyncIterator[bytes]:
    try:
        head, made, tail = await _parts_of_task(call, outcome)
    except ValueTooLarge as error:
        # The answer has begun: the text says why there is no value.
        without = replace(outcome, value=NULL)
        yield _json({**await call.read(lambda ask: views.task_result(ask, without)), "value": str(error)})
        return
    yield head
    for piece in made.pieces():
        yield piece
    yield tail


def _large(write: Callable[..., Any]) -> Callable[[Call, TaskResult], AsyncIterator[bytes]]:
    async def pieces(call: Call, outcome: TaskResult) -> AsyncIterator[bytes]:
        try:
            made = await call.service.value_files.make(outcome.value, write)
        except ValueTooLarge as error:
            yield _json(str(error))
            return
        for piece in made.pieces():
            yield piece

    return pieces


TASKS = Form(small=views.task_result, large=_large_task)
TEXTS = Form(small=lambda ask, outcome: records.value_text(outcome), large=_large(value_forms.json_text))
STREAMS = Form(small=lambda ask, outcome: records.serialized_text(outcome), large=_large(value_forms.json_stream))


# --- many tasks ------------------------------------------------------------------------------------------------------


def values(call: Call, ask: Questions, job_id: int) -> Response:
    """The text of each task's value, by name."""
    return named(call, ask, ask.outcomes(job_id), TEXTS)


def named(call: Call, ask: Questions, outcomes: Collection[TaskResult], form: Form) -> Response:
    """A form of each result, by the name of its task."""
    if _is_one_part(outcomes):
        return json_answer({outcome.task.name: form.small(ask, outcome) for outcome in outcomes})
    return _streamed(_object(call, outcomes, form))


def listed(call: Call, ask: Questions, outcomes: Collection[TaskResult], form: Form) -> Response:
    """A form of each result, in a list."""
    if _is_one_part(outcomes):
        return json_answer([form.small(ask, outcome) for outcome in outcomes])
    return _streamed(_object(call, outcomes, form, marks=(b"[", b"]")))


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
            async for piece in _object(call, parts[key], TASKS):
                yield piece
        else:
            yield _json(value)
    yield b"}"


async def _object(
    call: Call, outcomes: Iterable[TaskResult], form: Form, marks: tuple[bytes, bytes] = (b"{", b"}")
) -> AsyncIterator[bytes]:
    """A JSON object of a form of each result, by the name of its task; with other marks a list."""

    def name(outcome: TaskResult) -> bytes:
        return _json(outcome.task.name) + b":" if marks[0] == b"{" else b""

    opening = marks[0]
    for part in _parts(outcomes):
        if is_large(part[0]):
            yield opening + name(part[0])
            async with aclosing(form.large(call, part[0])) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    yield piece
        else:

            def rendered(ask: Questions, part: list[TaskResult] = part) -> bytes:
                return b",".join(name(each) + _json(form.small(ask, each)) for each in part)

            yield opening + await call.read(rendered)
        opening = b","
    yield b"".join(marks) if opening == marks[0] else marks[1]


def _parts(outcomes: Iterable[TaskResult]) -> Iterator[list[TaskResult]]:
    """Some results at a time; one with a large value is alone."""
    part: list[TaskResult] = []
    for outcome in outcomes:
        if is_large(outcome) and part:
            yield part
            part = []
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
