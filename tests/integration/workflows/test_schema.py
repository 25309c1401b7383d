"""The catalog against the schemas that ProActive publishes: its files are valid and leave nothing of the schema out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from tests.required import skip_without_recordings

from proactive_jupyter_kernel.workflow.formats import xml

CATALOG = Path(__file__).parents[2] / "data" / "workflows"
NAMES = sorted(path.stem for path in CATALOG.glob("*.xml"))
#: No part of this project, for their licence is another one.
SCHEMAS = Path(__file__).parents[4] / "shared" / "schemas"
NEWEST = "3.14"
XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture(scope="session")
def schema_trees() -> dict[str, etree._ElementTree]:
    """The schemas that are at hand, by version. Skips where there are none, unless nothing may be left out."""
    trees = {path.parent.name: etree.parse(path) for path in SCHEMAS.glob("*/schedulerjob.xsd")}
    if NEWEST not in trees:
        reason = f"ProActive's schemas are not in {SCHEMAS}"
        skip_without_recordings(reason)
    return trees


@pytest.fixture(scope="session")
def schemas(schema_trees) -> dict[str, etree.XMLSchema]:
    """The schemas as libxml2 takes them, which knows ``xsi:schemaLocation`` by itself."""

    def compiled(path: Path) -> etree.XMLSchema:
        tree = etree.parse(path)
        for node in [*tree.iter(f"{XS}import"), *tree.iter(f"{XS}attribute")]:
            if node.tag == f"{XS}import" or node.get("ref") == "xsi:schemaLocation":
                node.getparent().remove(node)
        return etree.XMLSchema(tree)

    return {version: compiled(SCHEMAS / version / "schedulerjob.xsd") for version in schema_trees}


@pytest.mark.parametrize("name", NAMES)
def test_workflow_is_written_as_it_was_read(catalog_entry, name):
    """A workflow that is read, written and read again is the same, and written again it is the same text."""
    workflow = catalog_entry(name).load().workflow
    text = xml.dumps(workflow)
    again = xml.loads(text).workflow
    assert again == workflow
    assert xml.dumps(again) == text


@pytest.mark.parametrize("name", NAMES)
def test_workflow_is_valid_by_the_schema(catalog_entry, schemas, name):
    """The file fits the schema of its version where that is at hand, and what is written of it fits the newest."""
    entry = catalog_entry(name)
    document = etree.parse(entry.path)
    version = etree.QName(document.getroot()).namespace.rpartition(":")[2]
    errors = []
    if version in schemas and not schemas[version].validate(document):
        errors += [str(error) for error in schemas[version].error_log]
    if not schemas[NEWEST].validate(etree.fromstring(xml.dumps(entry.load().workflow).encode())):
        errors += [f"written: {error}" for error in schemas[NEWEST].error_log]
    assert errors == []


def test_catalog_holds_all_that_the_schema_knows(schema_trees):
    """Every element of the newest schema under every parent it may have, and every attribute, occurs somewhere."""
    known = set(_allowed(schema_trees[NEWEST].getroot()))
    used = {place for name in NAMES for place in _used(etree.parse(CATALOG / f"{name}.xml").getroot())}
    assert sorted(known - used) == []


def _used(root: etree._Element) -> Iterator[str]:
    """Places in a document: ``pre/script``, ``pre/script@type``."""
    for element in root.iter(etree.Element):
        parent = element.getparent()
        place = f"{_local(parent) if parent is not None else ''}/{_local(element)}"
        yield place
        yield from (f"{place}@{etree.QName(name).localname}" for name in element.attrib)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _allowed(schema: etree._Element) -> Iterator[str]:
    """The same places, of all documents that the schema allows."""
    named = {(node.tag.removeprefix(XS), node.get("name")): node for node in schema if node.get("name")}
    stand_ins = [node.get("name") for node in schema if node.get("substitutionGroup") == "jd:executable"]
    seen: set[tuple[str, etree._Element]] = set()

    def element(node: etree._Element, parent: str) -> Iterator[str]:
        if (parent, node) in seen:
            return
        seen.add((parent, node))
        place = f"{parent}/{node.get('name')}"
        yield place
        kind = named.get(("complexType", (node.get("type") or "").removeprefix("jd:")))
        for part in (node, kind):
            yield from () if part is None else inside(part, place)

    def inside(node: etree._Element, place: str) -> Iterator[str]:
        for child in node.iterchildren(etree.Element):
            tag, reference = child.tag.removeprefix(XS), (child.get("ref") or "").rpartition(":")[2]
            if tag == "attribute":
                yield f"{place}@{child.get('name') or reference}"
            elif tag == "element":
                parent = place.rpartition("/")[2]
                for name in stand_ins if reference == "executable" else [reference]:
                    yield from element(named["element", name] if name else child, parent)
            elif tag in ("group", "attributeGroup") and reference:
                yield from inside(named[tag, reference], place)
            else:
                yield from inside(child, place)

    return element(named["element", "job"], "")
