"""A foreign workflow is written back as it was read: every element, attribute and text, empty ones included."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from strategies import workflows

from proactive_jupyter_kernel.workflow.formats.json import dumps as dumps_json
from proactive_jupyter_kernel.workflow.formats.json import loads as loads_json
from proactive_jupyter_kernel.workflow.formats.xml import dumps, loads
from proactive_jupyter_kernel.workflow.model import Workflow

_NS = "{urn:proactive:jobdescriptor:3.14}"
#: (element, attribute) -> its texts with the default meaning, which a file may give or omit.
_OPTIONAL = {
    **{(f"{_NS}variables/{_NS}variable", name): "" for name in ("model", "description", "group")},
    **{(f"{_NS}variables/{_NS}variable", name): "false" for name in ("advanced", "hidden")},
    (f"{_NS}task/{_NS}variables/{_NS}variable", "inherited"): "false",
    ("", "projectName"): "",
    ("", "tags"): "",
    **{(f"{_NS}taskFlow/{_NS}task", name): "false" for name in ("runAsMe", "preciousResult", "preciousLogs")},
    (f"{_NS}forkEnvironment", "workingDir"): "",
    (f"{_NS}forkEnvironment", "javaHome"): "",
    (f"{_NS}if", "continuation"): "",
    (f"{_NS}controlFlow", "block"): "none",
}


def tree(element: Any) -> Any:
    """An element without its formatting: the order of attributes, and blanks between elements."""
    if not isinstance(element.tag, str):
        return None
    children = [found for child in element if (found := tree(child)) is not None]
    text = "" if children else element.text or ""
    return element.tag, dict(element.attrib), text if text.strip() or not children else "", children


@given(workflow=workflows(2), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_xml_to_model_to_xml_is_the_identity(workflow: Workflow, seed: int) -> None:
    """Attributes with the default value, which a writer may omit, stay where a file gives them."""
    chosen = random.Random(seed)
    root = etree.fromstring(dumps(workflow).encode())
    for (path, name), text in _OPTIONAL.items():
        for element in root.iterfind(f".//{path}") if path else [root]:
            if name not in element.attrib and chosen.random() < 0.5:
                element.set(name, text)

    written = dumps(loads(etree.tostring(root, encoding="unicode")).workflow)

    assert tree(etree.fromstring(written.encode())) == tree(root)


EMPTY = """<job xmlns="urn:proactive:jobdescriptor:3.14" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
     xsi:schemaLocation="urn:proactive:jobdescriptor:3.14 http://www.activeeon.com/public_content/schemas/\
proactive/jobdescriptor/3.14/schedulerjob.xsd" name="foreign" priority="normal" projectName="" tags="">
  <variables>
    <variable name="A" value="" model="" description="" group="" advanced="false" hidden="false"/>
    <variable name="B" value="1" model=""/>
    <variable name="C" value="1"/>
  </variables>
  <description></description>
  <inputSpace url=""/>
  <taskFlow>
    <task name="T" runAsMe="false" preciousResult="false">
      <description/>
      <variables><variable name="A" value="" inherited="false" model="" group=""/></variables>
      <parallel numberOfNodes="1"/>
      <forkEnvironment workingDir="" javaHome=""/>
      <scriptExecutable><script><code language="bash"/></script></scriptExecutable>
      <controlFlow block="none"/>
      <metadata/>
    </task>
    <task name="U">
      <scriptExecutable><script><code language="bash">true</code></script></scriptExecutable>
      <controlFlow/>
    </task>
  </taskFlow>
  <metadata><visualization/></metadata>
</job>
""".replace("\\\n", "")


@pytest.mark.parametrize("through", ["xml", "json"])
def test_what_is_empty_stays_empty(through: str) -> None:
    """Every attribute and element that a studio writes empty is written back, also after a way through JSON."""
    workflow = loads(EMPTY).workflow
    if through == "json":
        workflow = loads_json(dumps_json(workflow)).workflow

    assert tree(etree.fromstring(dumps(workflow).encode())) == tree(etree.fromstring(EMPTY.encode()))
