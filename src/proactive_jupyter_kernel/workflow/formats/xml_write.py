"""Writes the elements of a workflow as XML."""

from __future__ import annotations

from proactive_jupyter_kernel.workflow.checks.structure import split_tag
from proactive_jupyter_kernel.workflow.elements import Element
from proactive_jupyter_kernel.workflow.formats.xml_text import XmlText

__all__ = ["write"]

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
