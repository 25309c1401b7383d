"""Writes the elements of a workflow as XML, and reports what the schema version cannot represent."""

from __future__ import annotations

from collections.abc import Iterator

from proactive_jupyter_kernel.workflow.checks.problem import Problem
from proactive_jupyter_kernel.workflow.checks.structure import split_tag
from proactive_jupyter_kernel.workflow.elements import Element
from proactive_jupyter_kernel.workflow.formats.xml_text import XmlText
from proactive_jupyter_kernel.workflow.model import Task

__all__ = ["VERSIONS", "version_problems", "write"]

#: The schema versions that can be written, oldest first.
VERSIONS = ("3.12", "3.13", "3.14", "dev")
#: Attribute -> the first of those versions that has it.
_SINCE = {"tags": "3.14", "description": "3.13", "group": "3.13", "advanced": "3.13", "hidden": "3.13"}
_SCHEMA = "http://www.activeeon.com/public_content/schemas/proactive/jobdescriptor/{version}/schedulerjob.xsd"


def write(root: Element, version: str) -> str:
    """The text of a workflow whose values were already checked."""
    namespace = f"urn:proactive:jobdescriptor:{version}"
    head = [
        ("xmlns", namespace),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xsi:schemaLocation", f"{namespace} {_SCHEMA.format(version=version)}"),
    ]
    out = XmlText()
    _write(out, root, head)
    return str(out)


def _write(out: XmlText, element: Element, attributes: list[tuple[str, str]]) -> None:
    attributes += [(name, kind.write(value)) for name, value, kind in element.present()]
    if element.text is not None and element.cdata:
        out.cdata(element.tag, element.text, attributes)
    elif element.text is not None:
        namespace, name = split_tag(element.tag)
        out.text(name, element.text, [("xmlns", namespace)] if namespace else [])
    elif element.children:
        with out.element(element.tag, attributes):
            for child in element.children:
                _write(out, child, [])
    else:
        out.empty(element.tag, attributes)


def version_problems(element: Element, version: str, task: str = "") -> Iterator[Problem]:
    """The attributes that are not part of a schema version."""
    if isinstance(element.record, Task):
        task = element.record.name
    for name, _, _ in element.present():
        if name in _SINCE and VERSIONS.index(version) < VERSIONS.index(_SINCE[name]):
            explanation = f"Write {_SINCE[name]}, or remove it."
            message = f"schema {version} has no {name}"
            yield Problem(code="PA114", message=message, task=task, place=element.place, explanation=explanation)
    for child in element.children:
        yield from version_problems(child, version, task)
