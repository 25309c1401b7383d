"""A job's XML as a server sends it back: what was submitted, with the variables and generic information of the job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues, is_hidden_model
from proactive_jupyter_kernel.scheduler.store.base import JobFacts
from proactive_jupyter_kernel.workflow.model import Variable

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["job_xml"]

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
#: The attributes of the root that name the schema.
_NAMES = re.compile(r'\b(?:xmlns(?::[\w.-]+)?|(?:[\w.-]+:)?schemaLocation)="[^"]*"')
_VERSION = re.compile(r"(jobdescriptor[:/])(?:3\.\d+|dev)\b")
_JOB = re.compile(r"<(?:[\w.-]+:)?job\b[^>]*>")
#: What XML cannot hold.
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Elements of a job in the order of the schema, as far as one of ours may have to follow them.
_BEFORE = {"variables": (), "genericInformation": ("variables", "description")}


def job_xml(text: str, facts: JobFacts, hidden: HiddenValues) -> str:
    """The submitted `text` with the job's variables and generic information, hidden values not readable.

    The rest of the text stays as it was written.
    """
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8", strip_cdata=False, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        # The reader of submissions takes other encodings, too; such a text is sent back as it is.
        return text
    _replace(root, "variables", "variable", map(_attributes, facts.variables))
    information = ({"name": name, "value": value} for name, value in facts.generic_information.items())
    _replace(root, "genericInformation", "info", information)
    for variable in root.iterfind("{*}taskFlow/{*}task/{*}variables/{*}variable"):
        if is_hidden_model(variable.get("model", "")):
            variable.set("value", hidden.shown(hidden.opened(variable.get("value", ""))))
    written = etree.tostring(root.getroottree(), encoding="unicode")
    return _DECLARATION + _JOB.sub(lambda job: _NAMES.sub(_newest, job[0]), written, count=1)


def _newest(attribute: re.Match[str]) -> str:
    """Name the newest schema, as a server does for every submitted text."""
    return _VERSION.sub(r"\1dev", attribute[0])


def _attributes(variable: Variable) -> dict[str, str]:
    """As a server writes them: name and value, and what else is set."""
    texts = {name: getattr(variable, name) for name in ("model", "description", "group")}
    flags = {name: "true" for name in ("advanced", "hidden") if getattr(variable, name)}
    return {
        "name": variable.name,
        "value": variable.value,
        **{name: text for name, text in texts.items() if text},
        **flags,
    }


def _replace(root: etree._Element, name: str, item: str, rows: Iterable[Mapping[str, str]]) -> None:
    """Put these rows into the element of the job; it is made where there are rows and none was."""
    from lxml import etree

    prefix = root.tag.rpartition("}")[0] + "}" if "}" in root.tag else ""
    rows = list(rows)
    element = root.find(prefix + name)
    if element is None:
        if not rows:
            return
        element = etree.Element(prefix + name)
        before = [child for each in _BEFORE[name] for child in root.iterfind(prefix + each)]
        root.insert(root.index(before[-1]) + 1 if before else 0, element)
    for child in list(element):
        element.remove(child)
    element.text = "\n    " if rows else None
    for number, row in enumerate(rows, start=1):
        child = etree.SubElement(element, prefix + item, {key: _INVALID.sub("?", value) for key, value in row.items()})
        child.tail = "\n    " if number < len(rows) else "\n  "
