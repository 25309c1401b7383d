"""Results on the page of a job, as a notebook shows them: text, tables, images. Pure.

What a task returned comes from anybody's code. It becomes text, or an image of a type that runs nothing; HTML and
SVG are only shown from an address of their own, whose policy makes them a document without scripts and without an
origin. No tagged value is opened: that could run code, and would load libraries into the scheduler.
"""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any

from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.display import tables
from proactive_jupyter_kernel.workflow.display.lines import shortened
from proactive_jupyter_kernel.workflow.display.numbers import size_text
from proactive_jupyter_kernel.workflow.display.outputs import (
    MimeBundle,
    bundle_of,
    content_type,
    entries_of,
    other_metadata,
    output_of_result,
    without_result,
)
from proactive_jupyter_kernel.workflow.display.value_text import summary
from proactive_jupyter_kernel.workflow.python_tasks import tagged

__all__ = [
    "SHOWN",
    "Block",
    "Content",
    "ResultView",
    "charset",
    "content_of",
    "extension",
    "result_view",
    "write_value",
]

#: Bytes of a value that is decoded for the page; of a larger one only the size is shown.
DECODED = 512 * 1024
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
#: Rows of a table that the page shows.
ROWS = 100

#: Images that browsers draw without running anything.
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_SVG, _HTML = "image/svg+xml", "text/html"
#: Types that are shown as an image, from an address of their own.
_DRAWN = (*sorted(_IMAGES), _SVG)
#: Types that browsers show at an address of their own, in a sandbox; all others are saved.
SHOWN = frozenset({*_DRAWN, _HTML})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One thing that is shown of a result."""

    #: ``text``, ``table``, ``image`` or ``frame``: a separate document.
    kind: str
    text: str = ""
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    #: Columns of numbers.
    right: frozenset[int] = frozenset()
    #: Rows that are left out.
    rest: int = 0
    #: The number of the content, see `content_of`.
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """What a task returned and displayed."""

    task: str
    task_id: int
    #: ``list of 150``, ``int``, ``image/png``.
    kind: str
    blocks: tuple[Block, ...]
    #: Whether the value can be downloaded.
    download: bool = True
    #: The words of a text of one line that stands beside the kind; then there is no block for it.
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of one document of a result."""

    media_type: str
    content: bytes
    #: For a download.
    name: str


def result_view(outcome: TaskResult, *, longest: int) -> ResultView:
    """What is shown; texts of at most `longest` characters."""
    metadata = outcome.metadata
    entries = entries_of(metadata)
    of_result = output_of_result(metadata)
    blocks: list[Block] = []
    kind, short, download = "", "", True
    if without_result(metadata):
        kind, download = "no result", False
    elif of_result:
        kind = _kind_of(outcome)
    else:
        kind, found = _value(outcome, longest)
        if len(found) == 1 and found[0].kind == "text" and "\n" not in found[0].text and len(found[0].text) <= 80:
            short = found[0].text
        else:
            blocks += found
    for number, entry in enumerate(entries, 1):
        bundle = bundle_of(entry)
        if bundle is not None:
            blocks += _displayed(bundle, number, longest)
    if kind == "no result" and blocks:
        kind = ""
    return ResultView(
        task=outcome.task.name,
        task_id=outcome.task.task_id,
        kind=kind,
        blocks=tuple(blocks),
        download=download,
        short=short,
    )


def content_of(outcome: TaskResult, number: int) -> Content | None:
    """The value itself (0), or the output of that number, as the page shows it or lets it be saved."""
    if number == 0:
        return _content_of_value(outcome)
    entries = entries_of(outcome.metadata)
    bundle = bundle_of(entries[number - 1]) if number <= len(entries) else None
    if bundle is None:
        return None
    name = f"{outcome.task.name}-{number}"
    for media_type in _DRAWN:
        if media_type in bundle.data:
            content = _bytes_of(media_type, bundle.data[media_type])
            return Content(media_type=media_type, content=content, name=name) if content is not None else None
    if _HTML in bundle.data:
        return Content(media_type=_HTML, content=str(bundle.data[_HTML]).encode("utf-8", "replace"), name=name)
    return Content(
        media_type="text/plain", content=str(bundle.data["text/plain"]).encode("utf-8", "replace"), name=name
    )


def _bytes_of(media_type: str, content: Any) -> bytes | None:
    if media_type == _SVG:
        return str(content).encode("utf-8", "replace")
    try:
        return base64.b64decode(str(content))
    except (binascii.Error, ValueError):
        return None


# --- the value -------------------------------------------------------------------------------------------------------


def _decoded(outcome: TaskResult) -> Any:
    return values.from_wire(outcome.value.decoded())


def _kind_of(outcome: TaskResult) -> str:
    if outcome.value.size > DECODED:
        return size_text(outcome.value.size)
    try:
        return _kind(_decoded(outcome))
    except ValueError:
        return ""


def _value(outcome: TaskResult, longest: int) -> tuple[str, list[Block]]:
    """The words for its type, and what is shown of it."""
    if outcome.value.size > DECODED:
        return size_text(outcome.value.size), [Block(kind="text", text="Too large to show here. Download it.")]
    try:
        value = _decoded(outcome)
    except ValueError as error:
        return "", [Block(kind="text", text=f"The value cannot be read: {error}")]
    media_type = content_type(other_metadata(outcome.metadata))
    if isinstance(value, (bytes, str)) and media_type:
        return media_type, [_typed(value, media_type, longest)]
    if tagged.is_tagged(value):
        return _tagged(value, longest)
    found = tables.records(value)
    if found and found[0]:
        return _kind(value), [_table(*found)]
    text = value if isinstance(value, str) else summary(value)
    return _kind(value), [Block(kind="text", text=shortened(text, longest))]


def _typed(value: bytes | str, media_type: str, longest: int) -> Block:
    """A result whose task named its type."""
    if media_type in _IMAGES and isinstance(value, bytes):
        return Block(kind="image", text=f"image of {len(value):,} bytes")
    if media_type == _SVG:
        return Block(kind="image", text="SVG image")
    if media_type == _HTML:
        return Block(kind="frame", text="HTML")
    if isinstance(value, bytes) and not media_type.startswith("text/") and media_type != "application/json":
        return Block(kind="text", text=size_text(len(value)))
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return Block(kind="text", text=shortened(text, longest))


def _tagged(value: bytes, longest: int) -> tuple[str, list[Block]]:
    """A value with a type of Python: its image if it is one, else its text or a description."""
    try:
        header = tagged.header_of(value)
    except tagged.Unreadable as error:
        return "", [Block(kind="text", text=str(error))]
    if header["kind"] == "png":
        return header["type"], [Block(kind="image", text=tagged.describe(value))]
    text = header["text"] if header["text"] is not None else tagged.describe(value)
    return header["type"], [Block(kind="text", text=shortened(text, longest))]


def write_value(value: RawValue, target: IO[bytes], *, outcome: TaskResult) -> str | None:
    """Write the content of a large value, without which `outcome` comes; returns its media type if it has one."""
    found = _content_of_value(replace(outcome, value=value))
    target.write(found.content if found else b"")
    return found.media_type if found else None


def _content_of_value(outcome: TaskResult) -> Content | None:
    name = outcome.task.name
    try:
        value = _decoded(outcome)
    except ValueError:
        return None
    media_type = content_type(other_metadata(outcome.metadata))
    if isinstance(value, bytes):
        if tagged.is_tagged(value):
            return _content_of_tagged(value, name)
        return Content(media_type=media_type or "application/octet-stream", content=value, name=name)
    if isinstance(value, str):
        return Content(media_type=media_type or "text/plain", content=value.encode("utf-8", "replace"), name=name)
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False)
    except (TypeError, ValueError):
        return Content(media_type="text/plain", content=summary(value).encode("utf-8", "replace"), name=name)
    return Content(media_type="application/json", content=text.encode("utf-8", "replace"), name=name)


def _content_of_tagged(value: bytes, name: str) -> Content:
    try:
        header, payload = tagged.split(value)
    except tagged.Unreadable:
        return Content(media_type="application/octet-stream", content=value, name=name)
    if header["kind"] == "png":
        return Content(media_type="image/png", content=payload, name=name)
    if header["text"] is not None:
        return Content(media_type="text/plain", content=str(header["text"]).encode("utf-8", "replace"), name=name)
    return Content(media_type="application/octet-stream", content=payload, name=name)


def _kind(value: object) -> str:
    if value is None:
        return "none"
    if tagged.is_tagged(value):
        try:
            return str(tagged.header_of(value)["type"])  # type: ignore[arg-type]
        except tagged.Unreadable:
            return "bytes"
    name = {"str": "text"}.get(type(value).__name__, type(value).__name__)
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return f"{name} of {len(value):,}"
    if isinstance(value, bytes):
        return f"{name}, {size_text(len(value))}"
    return name


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Block:
    shown = rows[:ROWS]
    return Block(
        kind="table",
        headings=tuple(headings),
        rows=tuple(tuple(tables.cell_text(cell) for cell in row) for row in shown),
        right=tables.numeric_columns(shown),
        rest=len(rows) - len(shown),
    )


# --- what it displayed -----------------------------------------------------------------------------------------------


def _displayed(bundle: MimeBundle, number: int, longest: int) -> list[Block]:
    """One output: an image, else HTML in a frame, else its text."""
    data: Mapping[str, Any] = bundle.data
    text = str(data["text/plain"])
    if any(media_type in data for media_type in _DRAWN):
        return [Block(kind="image", text=text or "image", number=number)]
    if _HTML in data:
        return [Block(kind="frame", text=text or "HTML", number=number)]
    for media_type in ("text/markdown", "text/latex", "application/json"):
        if media_type in data and not text:
            source = data[media_type]
            text = source if isinstance(source, str) else json.dumps(source, indent=1, ensure_ascii=False)
    return [Block(kind="text", text=shortened(text, longest), number=number)] if text else []


def extension(media_type: str) -> str:
    """The extension of a file of that type."""
    return mimetypes.guess_extension(media_type) or ""


def charset(media_type: str) -> str:
    """The header for content of that type; a type that is none is bytes."""
    if not _MEDIA_TYPE.fullmatch(media_type):
        return "application/octet-stream"
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
