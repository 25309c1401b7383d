"""Request bodies that hold several parts: multipart and urlencoded forms, whole in memory.

Starlette's own reading of forms forgets the media type of parts without a file name, which a submission must know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

__all__ = ["BadForm", "Part", "read"]


class BadForm(ValueError):
    """The body is not the form that its content type promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form."""

    name: str
    content: bytes
    #: Lower case, without parameters; empty where the part does not say.
    media_type: str = ""
    #: The name of a file, as the browser gives it; empty: not a file.
    file_name: str = ""


def read(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body in their order; raises `BadForm`."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return _multipart(content_type, body)
    if media_type in ("application/x-www-form-urlencoded", ""):
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return [Part(name=name, content=value.encode("utf-8")) for name, value in pairs]
    raise BadForm(f"The body must be a form (multipart/form-data or urlencoded), not {media_type!r}.")


class _Collector:
    """Receives the parser's callbacks."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._headers: dict[str, str] = {}
        self._field = self._value = self._data = b""
        self._chunks: list[bytes] = []

    def on_part_begin(self) -> None:
        self._headers, self._chunks = {}, []

    def on_header_begin(self) -> None:
        self._field = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(data[start:end])

    def on_end(self) -> None:
        self.complete = True

    def on_part_end(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        media_type = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        parameters = _parameters(disposition)
        self.parts.append(
            Part(
                name=parameters.get("name", ""),
                content=b"".join(self._chunks),
                media_type=media_type,
                file_name=parameters.get("filename", ""),
            )
        )


def _parameters(header: str) -> Mapping[str, str]:
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(header.encode("utf-8"))
    return {key.decode("latin-1"): value.decode("utf-8", "replace") for key, value in options.items()}


def _multipart(content_type: str, body: bytes) -> list[Part]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    boundary = _parameters(content_type).get("boundary", "")
    if not boundary:
        raise BadForm("The multipart body has no boundary in its content type.")
    collector = _Collector()
    callbacks = {name: getattr(collector, name) for name in dir(collector) if name.startswith("on_")}
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BadForm(f"The multipart body cannot be read: {error}.") from error
    if not collector.complete:
        raise BadForm("The multipart body cannot be read: it ends before its last boundary.")
    return collector.parts
