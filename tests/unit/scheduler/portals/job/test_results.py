"""Results as the page of a job shows them."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.portals.job.results import (
    DECODED,
    Block,
    charset,
    content_of,
    extension,
    result_view,
)
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.scheduler.service.results import TaskResult
from proactive_jupyter_kernel.workflow.python_tasks import tagged
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT, PREFIX, RESULT
from proactive_jupyter_kernel.workflow.status import TaskStatus
from proactive_jupyter_kernel.workflow.values import to_wire

PNG = "iVBORw0KGgo="


def outcome(value: object, **metadata: str) -> TaskResult:
    """The result of a task; keys of metadata with underscores for dots."""
    return TaskResult(
        task=TaskRecord(job_id=1, task_id=4, name="T", base_name="T", status=TaskStatus.FINISHED),
        known=True,
        value=RawValue.of(to_wire(value)),
        metadata={key.replace("_", "."): text for key, text in metadata.items()},
    )


def displayed(*bundles: dict[str, Any], **more: str) -> TaskResult:
    entries = {f"{PREFIX}{number}": json.dumps({"data": data}) for number, data in enumerate(bundles, 1)}
    return TaskResult(
        task=TaskRecord(job_id=1, task_id=4, name="T", base_name="T", status=TaskStatus.FINISHED),
        known=True,
        value=RawValue.of(True),
        metadata=entries | more,
    )


@pytest.mark.parametrize(
    ("value", "kind", "short"),
    [
        (1204, "int", "1204"),
        (True, "bool", "True"),
        (None, "none", "None"),
        ("plain", "text", "plain"),
        ([1, 2], "list of 2", "[1, 2]"),
        (b"\x00\x01", "bytes, 2 bytes", "b'\\x00\\x01'"),
    ],
)
def test_a_short_value_stands_beside_its_kind(value: object, kind: str, short: str) -> None:
    """One line for one number."""
    view = result_view(outcome(value), longest=500)
    assert (view.kind, view.short, view.blocks) == (kind, short, ())


def test_records_are_a_table() -> None:
    """With numbers to the right; the cells are texts."""
    view = result_view(outcome([{"name": "<b>", "n": 1.5}, {"name": "y", "n": None}]), longest=500)
    assert (view.kind, view.short) == ("list of 2", "")
    assert view.blocks == (
        Block(kind="table", headings=("name", "n"), rows=(("<b>", "1.5"), ("y", "")), right=frozenset({1}), rest=0),
    )


def test_a_long_text_is_cut() -> None:
    """The page says how much is missing."""
    view = result_view(outcome("x" * 600), longest=500)
    assert view.blocks == (Block(kind="text", text="x" * 500 + "… (100 more characters)"),)


def test_a_large_value_is_not_decoded() -> None:
    """Only its size is shown; it can be downloaded."""
    view = result_view(outcome("x" * DECODED), longest=500)
    assert (view.kind, view.short, view.download) == ("512 KiB", "Too large to show here. Download it.", True)


def test_a_value_of_a_python_type_is_described_and_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening it could run code, and loads libraries."""
    monkeypatch.setattr(tagged, "decode", lambda *arguments: pytest.fail("opened"))
    view = result_view(outcome(tagged.encode(datetime.date(2026, 1, 2))), longest=500)
    assert (view.kind, view.short) == ("datetime.date", "2026-01-02")


@pytest.mark.parametrize(
    ("value", "media_type", "block"),
    [
        (b"\x89PNG", "image/png", Block(kind="image", text="image of 4 bytes")),
        ("<svg/>", "image/svg+xml", Block(kind="image", text="SVG image")),
        ("<b>x</b>", "text/html", Block(kind="frame", text="HTML")),
        (b"line\nline", "text/csv", Block(kind="text", text="line\nline")),
    ],
)
def test_a_value_is_shown_as_the_type_that_its_task_named(value: object, media_type: str, block: Block) -> None:
    """Images and documents come from addresses of their own."""
    view = result_view(outcome(value, content_type=media_type), longest=500)
    assert (view.kind, view.blocks) == (media_type, (block,))


def test_figures_and_displayed_objects_are_shown_in_order() -> None:
    """An image before HTML before text, as a notebook chooses; nothing of a task that returned nothing."""
    view = result_view(
        displayed(
            {"text/plain": "<Figure>", "image/png": PNG},
            {"text/plain": "a table", "text/html": "<table/>"},
            {"text/plain": "only text"},
            **{NO_RESULT: "1"},
        ),
        longest=500,
    )
    assert view.blocks == (
        Block(kind="image", text="<Figure>", number=1),
        Block(kind="frame", text="a table", number=2),
        Block(kind="text", text="only text", number=3),
    )
    assert (view.kind, view.download) == ("", False)


def test_a_displayed_result_is_not_shown_twice() -> None:
    """The value of the last expression stands as it was displayed."""
    view = result_view(displayed({"text/plain": "shown", "image/png": PNG}, **{RESULT: "1"}), longest=500)
    assert (view.kind, view.short, [block.kind for block in view.blocks]) == ("bool", "", ["image"])


def test_contents_have_the_bytes_and_the_type() -> None:
    """The value is number 0, outputs follow; what is not there is nothing."""
    shown = displayed({"text/plain": "f", "image/png": PNG}, {"text/plain": "h", "text/html": "<b>ü</b>"})
    found = [content_of(shown, number) for number in range(4)]
    assert [(one.media_type, one.content) if one else None for one in found] == [
        ("application/json", b"true"),
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("text/html", "<b>ü</b>".encode()),
        None,
    ]
    broken = displayed({"text/plain": "", "image/png": "a"})
    assert content_of(broken, 1) is None


def test_a_type_that_is_none_is_bytes() -> None:
    """A task may name anything, also a line break for the headers."""
    assert charset("text/html\r\nSet-Cookie: x") == "application/octet-stream"
    assert charset("text/csv") == "text/csv; charset=utf-8"
    assert (extension("application/pdf"), extension("nonsense")) == (".pdf", "")


@pytest.mark.parametrize("number", ["²", "٣", "01", "0", "-1", "9" * 5000, ""])
def test_metadata_of_a_script_that_look_like_outputs_are_none(number: str) -> None:
    """A task may write any metadata; its job's page is shown all the same."""
    seen = result_view(displayed(**{f"{PREFIX}{number}": '{"data": {}}', RESULT: number}), longest=100)
    assert (seen.kind, seen.short) == ("bool", "True")


def test_an_output_that_is_nested_too_deep_is_none() -> None:
    """Neither the page nor the address of the output fails."""
    deep = displayed(**{f"{PREFIX}1": "[" * 100_000})
    assert (result_view(deep, longest=100).short, content_of(deep, 1)) == ("True", None)
