"""What a handler shows: values that any front end can turn into messages. Every one has a plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Html", "Notice", "Output", "Table", "Text", "Value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text, shown as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence about something that the reader should know: done in another way than expected, or worth a warning."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Html:
    """Markup, and the same in plain text. Survives the sanitiser of an untrusted notebook: no svg, script or iframe."""

    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A task's value, shown as IPython shows a Python value of that type."""

    value: object
    #: Said before it, such as the task's name.
    label: str = ""
    #: ``content.type`` and others of the result's metadata; bytes of an image type are shown as that image.
    metadata: Mapping[str, str] = field(default_factory=dict)


Output = Text | Notice | Html | Table | Value
