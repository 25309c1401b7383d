"""The registry of the formats for workflows. Each format is loaded on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from proactive_jupyter_kernel.errors import UnreadableWorkflow, did_you_mean
from proactive_jupyter_kernel.workflow.formats.loaded import Loaded, ReadFile
from proactive_jupyter_kernel.workflow.formats.xml_versions import NEWEST as NEWEST_XML
from proactive_jupyter_kernel.workflow.formats.xml_versions import VERSIONS as XML_VERSIONS
from proactive_jupyter_kernel.workflow.model import Workflow

__all__ = ["FORMATS", "NEWEST_XML", "XML_VERSIONS", "Format", "Loaded", "ReadFile", "by_extension", "by_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format."""

    name: str
    #: The name in messages: ``Imported ... from ProActive XML``.
    title: str
    #: File extensions with the dot, in lower case, the usual one first.
    extensions: tuple[str, ...]
    media_type: str
    #: Writes a workflow: ``dumps(workflow)``. Text is UTF-8 in a file. XML also takes a schema version and a `notice`.
    dumps: Callable[..., str | bytes]
    #: Reads a workflow: ``loads(text, read_file=None)``; may raise UnreadableWorkflow or InvalidWorkflow. None: no.
    loads: Callable[..., Loaded] | None = None
    #: Sentences about the parts of a workflow that the format cannot represent.
    losses: Callable[[Workflow], tuple[str, ...]] = lambda workflow: ()


def _on_first_use(module: str, name: str) -> Callable[..., Any]:
    """A function whose module is imported on the first call: importing lxml takes 100 ms."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        return getattr(importlib.import_module(f"proactive_jupyter_kernel.workflow.{module}"), name)(
            *arguments, **keywords
        )

    return call


def _png(workflow: Workflow) -> bytes:
    image = _on_first_use("picture", "png")(_on_first_use("picture", "draw")(workflow))
    assert isinstance(image, bytes)
    return image


def _picture_losses(workflow: Workflow) -> tuple[str, ...]:
    return ("A picture contains only the graph of the workflow and cannot be imported.",)


_ROWS = (
    Format(
        name="xml",
        title="ProActive XML",
        extensions=(".xml",),
        media_type="application/xml",
        dumps=_on_first_use("formats.xml", "dumps"),
        loads=_on_first_use("formats.xml", "loads"),
    ),
    Format(
        name="json",
        title="JSON",
        extensions=(".json",),
        media_type="application/json",
        dumps=_on_first_use("formats.json", "dumps"),
        loads=_on_first_use("formats.json", "loads"),
    ),
    Format(
        name="dot",
        title="dot",
        extensions=(".dot", ".gv"),
        media_type="text/vnd.graphviz",
        dumps=_on_first_use("formats.dot", "dumps"),
        loads=_on_first_use("formats.dot", "loads"),
    ),
    Format(
        name="mermaid",
        title="Mermaid",
        extensions=(".mmd", ".mermaid"),
        media_type="text/vnd.mermaid",
        dumps=_on_first_use("formats.mermaid", "dumps"),
        losses=_picture_losses,
    ),
    Format(
        name="svg",
        title="SVG",
        extensions=(".svg",),
        media_type="image/svg+xml",
        dumps=_on_first_use("picture", "draw"),
        losses=_picture_losses,
    ),
    Format(
        name="png",
        title="PNG",
        extensions=(".png",),
        media_type="image/png",
        dumps=_png,
        losses=_picture_losses,
    ),
)

#: Name -> format.
FORMATS: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})


def by_name(name: str) -> Format:
    """The format of that name, ignoring case; raises ValueError, which lists the names, if there is none."""
    found = FORMATS.get(name.lower())
    if found is None:
        near = did_you_mean(name, FORMATS)
        raise ValueError(f"There is no format {name!r}; known: {', '.join(FORMATS)}. {near}".rstrip())
    return found


def by_extension(path: str) -> Format:
    """The readable format for the extension of a file; raises UnreadableWorkflow, which lists the extensions."""
    lower = path.lower()
    for row in FORMATS.values():
        if lower.endswith(row.extensions):
            if row.loads is None:
                raise UnreadableWorkflow(
                    f"{path} cannot be read: {row.title} can be exported, but not imported.",
                    hint=f"Supported extensions: {_readable()}.",
                )
            return row
    raise UnreadableWorkflow(
        f"{path} does not have the extension of a workflow format.", hint=f"Supported extensions: {_readable()}."
    )


def _readable() -> str:
    return ", ".join(extension for row in FORMATS.values() if row.loads for extension in row.extensions)
