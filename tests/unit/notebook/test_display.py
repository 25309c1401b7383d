"""Outputs become bundles that every front end can show."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest

from proactive_jupyter_kernel.notebook.card.styles import DARK_PAGES
from proactive_jupyter_kernel.notebook.display import MAX_TEXT, bundle_of
from proactive_jupyter_kernel.pragmas.outputs import Frame, Html, Notice, Output, Picture, Table, Text, Value
from proactive_jupyter_kernel.workflow.display import tables
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

PNG = b"\x89PNG\r\n\x1a\n\0"


def formatted(value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"text/plain": repr(value)}, {}


def data(output: Output) -> dict[str, Any]:
    return bundle_of(output, formatted).data


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Text(text="a\nb"), {"text/plain": "a\nb"}),
        (Notice(text="done otherwise"), {"text/plain": "Note: done otherwise"}),
        (Notice(text="mind this", warning=True), {"text/plain": "Warning: mind this"}),
        (Html(html="<b>x</b>", text="x"), {"text/plain": "x", "text/html": "<b>x</b>"}),
        (Value(value=42), {"text/plain": "42"}),
        (Value(value="é"), {"text/plain": "'é'"}),
        (Value(value=42, label="T1"), {"text/plain": "T1: 42"}),
        (
            Value(value="<b>x</b>", metadata={"content.type": "text/html; charset=utf-8"}, trusted=False),
            {"text/plain": "<b>x</b>"},
        ),
        (Value(value=b"*x*", metadata={"file.name": "x.md"}, trusted=False), {"text/plain": "*x*"}),
        (Value(value=b"\0\1"), {"text/plain": r"b'\x00\x01'"}),
        (Value(value={"a": {"b": 1}}), {"text/plain": "{'a': {'b': 1}}"}),
        (Value(value=[[1, [2]]]), {"text/plain": "[[1, [2]]]"}),
        (Value(value=[{"a": 1}, {"b": 1}]), {"text/plain": "[{'a': 1}, {'b': 1}]"}),
        (Value(value=b"caf\xc3\xa9", metadata={"content.type": "text/plain"}), {"text/plain": "café"}),
        (
            Value(value="<b>x</b>", metadata={"content.type": "text/html; charset=utf-8"}),
            {"text/plain": "<b>x</b>", "text/html": "<b>x</b>"},
        ),
        (
            Value(value=b"# Head", metadata={"file.extension": ".md"}, label="T1"),
            {"text/plain": "T1: # Head", "text/markdown": "**T1**\n\n# Head"},
        ),
        (
            Value(value='{"a": 1}', metadata={"content.type": "application/json"}),
            {"text/plain": '{\n  "a": 1\n}', "application/json": {"a": 1}},
        ),
        (Value(value="{", metadata={"content.type": "application/json"}), {"text/plain": "{"}),
    ],
)
def test_bundle(output: Output, expected: dict[str, Any]) -> None:
    """Every kind of output has its MIME types, and a plain text among them."""
    assert data(output) == expected


class Mute:
    """A value whose text raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def test_value_whose_text_cannot_be_made_is_named() -> None:
    """IPython leaves out a form whose method raised; the cell does not fail for it."""
    bundle = bundle_of(Value(value=Mute(), label="T"), lambda value: ({}, {}))
    assert bundle.data == {"text/plain": "T: <Mute whose text cannot be shown: RuntimeError>"}


def test_image_shows_as_an_image_with_its_name() -> None:
    """Bytes that the task called an image are shown as one, also in an untrusted notebook, with words for it."""
    found = data(Value(value=PNG, label="Plot", metadata={"content.type": "image/png"}))
    encoded = base64.b64encode(PNG).decode()
    assert found == {
        "text/plain": "Plot: <image of 9 bytes (image/png)>",
        "text/html": '<div><strong>Plot</strong></div><img alt="image of 9 bytes (image/png)" '
        f'src="data:image/png;base64,{encoded}">',
        "image/png": encoded,
    }


def test_image_of_a_vector_format_is_shown_by_html_alone() -> None:
    """SVG goes into an img, which the sanitiser keeps."""
    found = data(Value(value=b"<svg/>", metadata={"file.name": "plot.svg"}))
    assert set(found) == {"text/plain", "text/html"}
    assert found["text/html"].startswith("<img ")


def test_records_are_a_table() -> None:
    """A list of dicts with the same keys is a table with headings, numbers to the right."""
    found = data(Value(value=[{"name": "a<b", "n": 1}, {"name": "日本", "n": 20}]))
    assert found["text/plain"].split("\n") == ["name   n", "----  --", "a<b    1", "日本  20"]
    assert '<th style="text-align:right">n</th>' in found["text/html"]
    assert '<td style="text-align:left">a&lt;b</td>' in found["text/html"]


def test_rows_are_a_table_and_still_read_as_python() -> None:
    """A list of lists of one length is a table without headings; its text is Python's."""
    found = data(Value(value=[[1, 2], [3, 4]]))
    assert found["text/plain"] == "[[1, 2], [3, 4]]"
    assert "<thead>" not in found["text/html"]
    assert found["text/html"].count("<tr>") == 2


def test_huge_table_is_cut_and_says_so() -> None:
    """A table of many rows shows the first ones and how many there are more."""
    output = Table(headings=("n",), rows=[(number,) for number in range(tables.MAX_ROWS + 1500)])
    found = data(output)
    assert found["text/plain"].endswith("499\n… and 1,500 more rows")
    assert found["text/html"].count("<tr>") == tables.MAX_ROWS + 1
    assert "… and 1,500 more rows" in found["text/html"]


def test_huge_text_is_cut_and_says_so() -> None:
    """A result of megabytes does not freeze the front end."""
    found = data(Value(value=b"x" * (MAX_TEXT + 12_345), metadata={"content.type": "text/plain"}))
    assert found["text/plain"].endswith("x\n… (12,345 more characters are not shown)")


def test_bytes_of_no_known_type_are_cut() -> None:
    """Of plain bytes the beginning is shown, and how many there are."""
    assert data(Value(value=b"a" * 5000)) == {"text/plain": f"b'{'a' * 64}' … (5,000 bytes)"}


def test_table_of_handlers_escapes_and_keeps_its_caption() -> None:
    """Headings, cells and caption are text, whatever they hold."""
    found = data(Table(headings=("<h>",), rows=[("<c>\n2",), (None,), (["a", "b"],)], caption="<cap>"))
    assert found["text/plain"].split("\n") == ["<cap>", "<h>", "-----", "<c>⏎2", "", "a, b"]
    assert ">&lt;cap&gt;</caption>" in found["text/html"]
    assert "&lt;c&gt;\n2" in found["text/html"]


def test_empty_table_has_its_headings() -> None:
    """A table without rows is still a table."""
    assert data(Table(headings=("Id", "Name"), rows=()))["text/plain"].split("\n")[0] == "Id  Name"


def test_dict_of_columns_is_a_table() -> None:
    """Lists of one length below names are columns; other dicts are shown as Python shows them."""
    bundle = bundle_of(Value(value={"a": [1, 2], "b": ["x", None]}), lambda value: ({"text/plain": repr(value)}, {}))
    assert bundle.data["text/plain"] == "a  b\n-  -\n1  x\n2"
    assert bundle.data["text/html"].count("<tr>") == 3
    for other in ({}, {"a": []}, {"a": [1], "b": [1, 2]}, {"a": [1], "b": 2}, {"a": [[1]]}):
        assert bundle_of(Value(value=other), lambda value: ({"text/plain": repr(value)}, {})).data == {
            "text/plain": repr(other)
        }


def test_rendered_form_that_is_too_large_is_left_out() -> None:
    """Its text stays and says why."""
    huge = Value(value=1, label="A")
    bundle = bundle_of(huge, lambda _: ({"text/plain": "1", "text/html": "x" * 4_000_001}, {}))
    assert bundle.data == {
        "text/plain": "A:\n1\n(not rendered, too large for a notebook: text/html: 4,000,001 characters)"
    }


def test_a_picture_is_html_and_text_and_nothing_that_a_front_end_would_rather_show() -> None:
    """Untrusted notebooks refuse SVG, and Mermaid would be loaded from another host."""
    script = Script(language="cpython")
    workflow = Workflow(
        name="pair", tasks=(Task(name="A", executable=script), Task(name="B", executable=script, depends=("A",)))
    )
    found = data(Picture(workflow=workflow))
    assert sorted(found) == ["text/html", "text/plain"]
    assert found["text/html"].count("<img ") == 1
    assert found["text/plain"] == ("Workflow pair: 2 tasks\n\n┌───┐    ┌───┐\n│ A │───▶│ B │\n└───┘    └───┘")


FRAME = Frame(
    title="Scheduling portal",
    scheduler="the embedded scheduler",
    page="http://127.0.0.1:7/scheduler/",
    source='http://127.0.0.1:7/portal/enter/x?a="1&2',
    width="1200",
    height="80%",
    shown="26 Nov 2026, 10:43",
    pragma="#%show_scheduling_portal()",
    command="proactive-kernel portal jobs",
)


def test_frame() -> None:
    """The frame loads its source; without it, the text says what it was and how to see it again, with no login."""
    shown = data(FRAME)
    assert (
        'src="http://127.0.0.1:7/portal/enter/x?a=&quot;1&amp;2" title="Scheduling portal of the embedded scheduler"'
        ' width="1200" height="80%" style="width:1200px;height:80%;'
    ) in shown["text/html"]
    # As a notebook that is not trusted keeps it.
    rest = re.sub(r"<style>.*</style>|<iframe.*</iframe>", "", shown["text/html"])
    assert "/portal/enter/" not in rest + shown["text/plain"]
    assert html.unescape(re.sub(r"<[^>]*>", "", rest)) == (
        "Scheduling portal of the embedded scheduler: http://127.0.0.1:7/scheduler/Shown in a frame on 26 Nov 2026,"
        " 10:43; a saved notebook does not hold it. To see it again, run #%show_scheduling_portal(), or"
        " proactive-kernel portal jobs in a terminal."
    )
    assert shown["text/plain"] == (
        "Scheduling portal of the embedded scheduler, shown in a frame on 26 Nov 2026, 10:43:"
        " http://127.0.0.1:7/scheduler/\nTo see it again, run #%show_scheduling_portal(), or"
        " `proactive-kernel portal jobs` in a terminal."
    )


def test_a_frame_has_the_theme_of_the_notebook() -> None:
    """Not that of the operating system; without a script, which a saved notebook must not have."""
    shown = data(FRAME)["text/html"]
    name = re.search(r'<iframe class="([\w-]+)"', shown)
    assert name is not None
    dark = ",".join(f"{page} .{name[1]}" for page in DARK_PAGES)
    sheet = f"<style>.{name[1]}{{color-scheme:light}}{dark}{{color-scheme:dark}}</style>"
    assert (shown.count(sheet), "<script" in shown) == (1, False)
