"""What the tests of the workflow house share: the strategies and ProActive's schemas."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from tests.required import skip_without_recordings

# The helper modules of this folder are imported by name, also by tests of other houses that add this folder.
sys.path.insert(0, str(Path(__file__).parent))

_XS = "{http://www.w3.org/2001/XMLSchema}"
_SCHEMAS = Path(__file__).parents[4] / "shared" / "schemas"


def _load(path: Path) -> etree.XMLSchema:
    """The schema without its import of ``xsi.xsd``, which libxml2 does not need and cannot have."""
    tree = etree.parse(path)
    for node in [*tree.iter(_XS + "import"), *tree.iter(_XS + "attribute")]:
        if node.tag == _XS + "import" or node.get("ref") == "xsi:schemaLocation":
            parent = node.getparent()
            assert parent is not None
            parent.remove(node)
    return etree.XMLSchema(tree)


@pytest.fixture(scope="session")
def schema_errors() -> Callable[[str, str], list[str]]:
    """What ProActive's own schema of a version says against a text; skipped where the schemas are not at hand."""
    if not _SCHEMAS.is_dir():
        reason = f"ProActive's schemas are not at {_SCHEMAS}"
        skip_without_recordings(reason)
    schemas: dict[str, etree.XMLSchema] = {}

    def errors(text: str, version: str = "3.14") -> list[str]:
        if version not in schemas:
            schemas[version] = _load(_SCHEMAS / version / "schedulerjob.xsd")
        schema = schemas[version]
        schema.validate(etree.fromstring(text.encode()))
        return [str(error) for error in schema.error_log]

    return errors
