"""The forms of a large value in answers, written into a file by the process of ``service/value_files.py``.

They are those of `records`, which makes those of small values.
"""

from __future__ import annotations

import base64
import json
from typing import IO, Any

from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.rest.dto.records import raw_text
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.java import serialization

__all__ = ["json_stream", "json_text", "own_text", "stream", "task_members", "text"]

#: Bytes that become base64 at once; a multiple of three, so that no padding is inside.
_PART = 3 * 64 * 1024


def stream(value: RawValue, target: IO[bytes]) -> bool:
    """The Java stream, or the bytes themselves if it is raw; returns whether it is."""
    content, is_raw = _content(_decoded(value))
    target.write(content)
    return is_raw


def own_text(value: RawValue, target: IO[bytes]) -> bool:
    """The bytes of a raw value, of any other its text; returns whether it is raw."""
    decoded = _decoded(value)
    if isinstance(decoded, bytes):
        target.write(decoded)
        return True
    target.write(_text(value, decoded).encode("utf-8", "replace"))
    return False


def text(value: RawValue, target: IO[bytes]) -> None:
    """The text."""
    target.write(_text(value).encode("utf-8", "replace"))


def json_text(value: RawValue, target: IO[bytes]) -> None:
    """The text as JSON."""
    target.write(json.dumps(_text(value)).encode("ascii"))


def json_stream(value: RawValue, target: IO[bytes]) -> None:
    """What `stream` writes, as base64 in JSON."""
    _write_base64(_content(_decoded(value))[0], target)


def task_members(value: RawValue, target: IO[bytes]) -> bool:
    """``"serializedValue":…,"value":…`` of TaskResultData; returns whether the value is raw."""
    decoded = _decoded(value)
    content, is_raw = _content(decoded)
    target.write(b'"serializedValue":')
    _write_base64(content, target)
    del content
    target.write(b',"value":')
    target.write(json.dumps(_text(value, decoded)).encode("ascii"))
    return is_raw


def _decoded(value: RawValue) -> Any:
    return values.from_wire(json.loads(value.text))


def _content(decoded: Any) -> tuple[bytes, bool]:
    is_raw = isinstance(decoded, bytes)
    return (decoded if is_raw else serialization.dumps(decoded)), is_raw


def _text(value: RawValue, decoded: Any = None) -> str:
    found = raw_text(value)
    if found is None:
        found = values.text(_decoded(value) if decoded is None else decoded)
    return found


def _write_base64(content: bytes, target: IO[bytes]) -> None:
    target.write(b'"')
    for begin in range(0, len(content), _PART):
        target.write(base64.b64encode(content[begin : begin + _PART]))
    target.write(b'"')
