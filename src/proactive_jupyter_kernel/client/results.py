"""Converts results in the JSON of the scheduler: Java's serialized values become Python values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from proactive_jupyter_kernel.client.java_traces import message_of
from proactive_jupyter_kernel.client.json_records import text_map
from proactive_jupyter_kernel.client.records import JobResult, TaskResult
from proactive_jupyter_kernel.errors import SchedulerError
from proactive_jupyter_kernel.workflow.display import outputs

__all__ = ["job_result_of", "task_result_of", "variables_of"]


def task_result_of(data: Any, *, trace: str = "") -> TaskResult:
    """``TaskResultData``; `trace` is the text of ``…/result/value`` for a task that failed."""
    if not isinstance(data, dict):
        raise SchedulerError(f"The scheduler's answer is not a task's result: {str(data)[:200]}")
    ref = data.get("id") or {}
    text = _text(data.get("value"))
    failed = data.get("serializedException") is not None
    value, has_value = (None, False) if failed else _value(data.get("serializedValue"), bool(data.get("raw")), text)
    output = data.get("output") or {}
    metadata = text_map(data.get("metadata"))
    if outputs.without_result(metadata):
        value, has_value = None, False
    return TaskResult(
        id=int(ref.get("id", -1)),
        name=_text(ref.get("readableName")),
        carried=value,
        has_value=has_value,
        text="" if failed else text,
        failed=failed,
        failure=_failure(data, trace) if failed else "",
        trace=message_of(trace) if failed else "",
        stdout=_text(output.get("stdoutLogs")),
        stderr=_text(output.get("stderrLogs")),
        metadata=outputs.other_metadata(metadata),
        outputs=outputs.entries_of(metadata),
        output_of_result=outputs.output_of_result(metadata),
        variables=text_map(data.get("propagatedVariables")),
        serialized_variables=text_map(data.get("serializedPropagatedVariables")),
    )


def variables_of(result: TaskResult) -> dict[str, object]:
    """The variables that a task handed on; a null one is in the serialized map alone."""
    names = dict.fromkeys((*result.variables, *result.serialized_variables))
    return {
        name: _value(result.serialized_variables.get(name), False, result.variables.get(name, ""))[0] for name in names
    }


def job_result_of(data: Any) -> JobResult:
    """``JobResultData``."""
    if not isinstance(data, dict):
        raise SchedulerError(f"The scheduler's answer is not a job's result: {str(data)[:200]}")
    ref = data.get("id") or {}
    tasks = {name: task_result_of(result) for name, result in (data.get("allResults") or {}).items()}
    texts: Mapping[str, str] = text_map(data.get("resultMap"))
    serialized: Mapping[str, str] = data.get("serializedResultMap") or {}
    return JobResult(
        id=int(ref.get("id", -1)),
        name=_text(ref.get("readableName")),
        tasks=dict(sorted(tasks.items(), key=lambda item: item[1].id)),
        precious=tuple(data.get("preciousResults") or ()),
        carried_map={key: _value(serialized.get(key), False, text)[0] for key, text in texts.items()},
    )


def _value(serialized: str | None, raw: bool, text: str) -> tuple[object, bool]:
    """The value, and whether there is one. A value that cannot be decoded is replaced by its text."""
    if serialized is None:
        return (text, True) if text else (None, False)
    try:
        content = base64.b64decode(serialized)
    except (binascii.Error, ValueError):
        return text, True
    if raw:
        return content, True
    from proactive_jupyter_kernel.workflow.java import serialization

    try:
        return serialization.loads(content), True
    except ValueError:
        return text, True


def _failure(data: Mapping[str, Any], trace: str) -> str:
    """A short description of the failure: its message, else the first line of its stack trace."""
    message = message_of(_text(data.get("exceptionMessage")).strip())
    return message or next((line.strip() for line in trace.splitlines() if line.strip()), "") or "it failed"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
