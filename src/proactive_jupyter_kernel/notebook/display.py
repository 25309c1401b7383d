"""Outputs as the bundles of Jupyter's display messages.

Every bundle has ``text/plain``. The HTML keeps to what the sanitiser of an untrusted notebook leaves in place, and
takes its colours from the front end, so that it reads on a dark theme as on a light one.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.notebook import frame_page, help_page
from proactive_jupyter_kernel.pragmas.outputs import (
    Frame,
    HelpIndex,
    HelpPage,
    Html,
    Mime,
    Notice,
    Output,
    Picture,
    Table,
    Text,
    Value,
)
from proactive_jupyter_kernel.workflow.display import tables
from proactive_jupyter_kernel.workflow.display.outputs import content_type as content_type_of
from proactive_jupyter_kernel.workflow.python_tasks.tagged import PngImage

__all__ = ["Bundle", "Formatter", "bundle_of", "fits_markup", "markup_of"]

#: Characters of one text that are shown; a front end that gets a hundred times more stands still for seconds.
MAX_TEXT = 100_000
#: Characters of a rendered form (HTML, JSON, an image in base64) that are sent; of a larger one only the text is.
MAX_RENDERED = 4_000_000
#: Bytes of a result of no known type that are shown.
MAX_BYTES = 64

#: IPython's formatting of a Python value: MIME types with their data, and their metadata.
Formatter = Callable[[object], tuple[dict[str, Any], dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The content of a display message."""

    data: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return str(self.data.get("text/plain", ""))


def bundle_of(output: Output, formatter: Formatter) -> Bundle:
    """The message content for an output; `formatter` is asked for Python values that nothing better is known for."""
    if isinstance(output, Value):
        return _labelled(output.label, _limited(_value(output, formatter)))
    if isinstance(output, Mime):
        return _labelled(output.label, _limited(Bundle(data=dict(output.data), metadata=dict(output.metadata))))
    return _BUNDLES[type(output)](output)


def _limited(bundle: Bundle) -> Bundle:
    """The bundle without forms that would make a notebook too large to open; the text says so."""
    large = {kind for kind, content in bundle.data.items() if _size(content) > MAX_RENDERED and kind != "text/plain"}
    if not large:
        return bundle
    sizes = ", ".join(f"{kind}: {_size(bundle.data[kind]):,} characters" for kind in sorted(large))
    text = f"{_bounded(bundle.text)}\n(not rendered, too large for a notebook: {sizes})"
    kept = {kind: content for kind, content in bundle.data.items() if kind not in large}
    return Bundle(data={**kept, "text/plain": text}, metadata=bundle.metadata)


def _size(content: object) -> int:
    return len(content) if isinstance(content, str) else len(json.dumps(content, default=str))


def fits_markup(bundle: Bundle) -> bool:
    """Whether all content is kept when it is shown as HTML or text in a larger display."""
    kinds = bundle.data.keys() - {"text/plain"}
    return not kinds or bool(kinds & {"text/html", "image/svg+xml", *_RASTER})


def markup_of(bundle: Bundle) -> str:
    """The content as HTML for a place in a larger display; empty where it is plain text."""
    data = bundle.data
    if "text/html" in data:
        return str(data["text/html"])
    for content_type in _RASTER:
        if content_type in data:
            words = html.escape(bundle.text or content_type)
            return f'<img alt="{words}" src="data:{content_type};base64,{str(data[content_type]).strip()}">'
    if "image/svg+xml" in data:
        encoded = base64.b64encode(str(data["image/svg+xml"]).encode("utf-8")).decode("ascii")
        return f'<img alt="{html.escape(bundle.text)}" src="data:image/svg+xml;base64,{encoded}">'
    return ""


def _text(output: Text) -> Bundle:
    return Bundle(data={"text/plain": _bounded(output.text)})


def _notice(output: Notice) -> Bundle:
    word = "Warning" if output.warning else "Note"
    return Bundle(data={"text/plain": f"{word}: {output.text}"})


def _html(output: Html) -> Bundle:
    return Bundle(data={"text/plain": output.text, "text/html": output.html})


def _table(output: Table) -> Bundle:
    arguments = (output.headings, output.rows, output.caption)
    return Bundle(data={"text/plain": tables.as_text(*arguments), "text/html": tables.as_html(*arguments)})


def _picture(output: Picture) -> Bundle:
    """No ``image/svg+xml``: an untrusted notebook refuses it, and a PDF export needs another program for it."""
    from proactive_jupyter_kernel.workflow import picture

    arguments = (output.workflow, output.summaries)
    return Bundle(data={"text/plain": _bounded(picture.text(*arguments)), "text/html": picture.html(*arguments)})


def _help_index(output: HelpIndex) -> Bundle:
    return Bundle(data={"text/plain": output.text, "text/html": help_page.index_html(output)})


def _help_page(output: HelpPage) -> Bundle:
    return Bundle(data={"text/plain": output.text, "text/html": help_page.page_html(output)})


def _frame(output: Frame) -> Bundle:
    return Bundle(data={"text/plain": output.text, "text/html": frame_page.frame_html(output)})


_BUNDLES: dict[type, Callable[[Any], Bundle]] = {
    Picture: _picture,
    Text: _text,
    Notice: _notice,
    Html: _html,
    Table: _table,
    HelpIndex: _help_index,
    HelpPage: _help_page,
    Frame: _frame,
}


def _value(output: Value, formatter: Formatter) -> Bundle:
    value = output.value
    content_type = content_type_of(output.metadata)
    if not output.trusted and content_type in _MARKUP:
        content_type = "text/plain"
    if isinstance(value, bytes | bytearray) and not isinstance(value, PngImage):
        return _bytes(bytes(value), content_type)
    if isinstance(value, str) and content_type in _TEXTS:
        return _TEXTS[content_type](value)
    found = tables.records(value)
    if found:
        headings, rows = found
        plain = tables.as_text(headings, rows) if headings else _formatted(value, formatter).text
        return Bundle(data={"text/plain": _bounded(plain), "text/html": tables.as_html(headings, rows)})
    return _formatted(value, formatter)


def _formatted(value: object, formatter: Formatter) -> Bundle:
    data, metadata = formatter(value)
    # IPython leaves out the form whose method failed.
    text = data["text/plain"] if "text/plain" in data else _text_of(value)
    return Bundle(data={**data, "text/plain": _bounded(str(text))}, metadata=metadata)


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # Any code of the task's author.
        return f"<{type(value).__name__} whose text cannot be shown: {type(error).__name__}>"


def _bytes(value: bytes, content_type: str) -> Bundle:
    """Bytes by the type that the task gave them."""
    if content_type.startswith("image/"):
        return _image(value, content_type)
    if content_type.startswith("text/") or content_type in _TEXTS:
        text = value.decode("utf-8", "replace")
        return _TEXTS.get(content_type, _plain)(text)
    shown = repr(value[:MAX_BYTES])
    rest = f" … ({len(value):,} bytes)" if len(value) > MAX_BYTES else ""
    return Bundle(data={"text/plain": shown + rest})


def _image(value: bytes, content_type: str) -> Bundle:
    encoded = base64.b64encode(value).decode("ascii")
    words = f"image of {len(value):,} bytes ({content_type})"
    data = {"text/plain": f"<{words}>", "text/html": _image_tag(html.escape(words), html.escape(content_type), encoded)}
    if content_type in _RASTER:
        data[content_type] = encoded
    return Bundle(data=data)


def _image_tag(words: str, content_type: str, encoded: str) -> str:
    return f'<img alt="{words}" src="data:{content_type};base64,{encoded.strip()}">'


#: Images that Jupyter's messages carry in base64 under their own type; others show through the HTML alone.
_RASTER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def _plain(text: str) -> Bundle:
    return Bundle(data={"text/plain": _bounded(text)})


def _markup(text: str) -> Bundle:
    return Bundle(data={"text/plain": _bounded(text), "text/html": text})


def _markdown(text: str) -> Bundle:
    return Bundle(data={"text/plain": _bounded(text), "text/markdown": text})


def _json(text: str) -> Bundle:
    try:
        data = json.loads(text)
    except ValueError:
        return _plain(text)
    bundle: dict[str, Any] = {"text/plain": _bounded(json.dumps(data, indent=2, ensure_ascii=False))}
    if isinstance(data, dict | list):
        bundle["application/json"] = data
    return Bundle(data=bundle)


#: Shown as plain text if their author is not trusted.
_MARKUP = frozenset({"text/html", "text/markdown"})
#: Results of these types are texts that a front end can render.
_TEXTS: dict[str, Callable[[str], Bundle]] = {
    "text/plain": _plain,
    "text/html": _markup,
    "text/markdown": _markdown,
    "application/json": _json,
}


def _labelled(label: str, bundle: Bundle) -> Bundle:
    """The bundle with a name before it, in the types that can take one."""
    if not label:
        return bundle
    text = bundle.text
    data = dict(bundle.data)
    data["text/plain"] = f"{label}:\n{text}" if "\n" in text else f"{label}: {text}"
    heading = f"<div><strong>{html.escape(label)}</strong></div>"
    if "text/html" in data:
        data["text/html"] = heading + str(data["text/html"])
    elif "text/markdown" in data:
        data["text/markdown"] = f"**{label}**\n\n{data['text/markdown']}"
    elif len(data) > 1:
        # The front end would show the other type alone, and the name would be lost.
        image = next((kind for kind in sorted(_RASTER) if kind in data), "")
        if image:
            data["text/html"] = f"{heading}{_image_tag(html.escape(text), image, str(data[image]))}"
            return Bundle(data=data, metadata=bundle.metadata)
        data["text/html"] = f"{heading}<pre>{html.escape(text)}</pre>"
    return Bundle(data=data, metadata=bundle.metadata)


def _bounded(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}\n… ({len(text) - MAX_TEXT:,} more characters are not shown)"
