"""The public names of the workflow house, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from proactive_jupyter_kernel import workflow


@pytest.mark.parametrize("name", workflow.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """What the house exports can be imported from it."""
    assert getattr(workflow, name).__module__.startswith("proactive_jupyter_kernel.workflow")


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Loading on demand hides no mistake."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = workflow.nothing


def test_neither_the_house_nor_its_checks_load_lxml() -> None:
    """A kernel starts without the XML library; only reading XML needs it."""
    modules = "workflow, workflow.checks, workflow.references, workflow.java.serialization, workflow.variable_models"
    imports = [f"import proactive_jupyter_kernel.{name}" for name in modules.split(", ")]
    found = "print(sorted(name for name in sys.modules if name.split('.')[0] == 'lxml'))"
    code = "\n".join([*imports, "import sys", found])

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
