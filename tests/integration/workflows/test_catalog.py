"""Every workflow of the catalog comes out as ProActive's rules say. What its files hold is told in `conftest.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.required import skip_or_fail

CATALOG = Path(__file__).parents[2] / "data" / "workflows"
NAMES = sorted(path.stem for path in CATALOG.glob("*.xml"))


@pytest.mark.parametrize("name", NAMES)
def test_workflow_comes_out_as_expected(catalog_run, name):
    """Job, tasks, statuses, dependencies, tags, results and logs are as expected, at every step."""
    entry = catalog_run.entry(name)
    expected = entry.expected
    if entry.missing:
        reason = f"{', '.join(entry.missing)}: not on this machine"
        skip_or_fail(reason)
    if expected["status"] == "REFUSED":
        refusal = catalog_run.refusals.get(name, "accepted")
        assert [part for part in expected["problems"] if part not in refusal] == [], refusal
        return
    assert name not in catalog_run.refusals, catalog_run.refusals[name]
    for step in entry.steps:
        if "do" in step:
            catalog_run.act(entry, step["do"])
        found = catalog_run.at_rest(entry, step)
        wanted = {"status": step["status"], "tasks": step["tasks"]}
        for other in step.get("or", ()):
            if found["tasks"] == other["tasks"]:
                wanted = {**wanted, "tasks": other["tasks"]}
        assert found == wanted
    facts = catalog_run.job_facts(entry)
    assert facts == {fact: expected[fact] for fact in facts}
