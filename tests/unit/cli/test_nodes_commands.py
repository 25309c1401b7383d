"""`nodes`, and the nodes of a submission."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, memory_node

Run = Callable[..., Result]
NODES = [memory_node("local-0", state="BUSY"), memory_node("gpu-0", source="gpu", tokens=("cuda", "team"))]


def test_nodes_are_listed(run: Run, memory: MemoryScheduler) -> None:
    """As a table, with how many are free; or as JSON."""
    memory.nodes = NODES
    table = run("nodes")
    assert table.stdout.splitlines() == [
        "SOURCE   HOST  NODE     STATE  TOKENS      RUNS",
        "Default  mars  local-0  Busy",
        "gpu      mars  gpu-0    Free   cuda, team",
    ]
    assert table.stderr == "1 of 2 nodes are free.\n"
    assert json.loads(run("nodes", "--json").stdout)[1] == {
        "source": "gpu",
        "host": "mars",
        "name": "gpu-0",
        "url": "http://memory/gpu-0",
        "state": "FREE",
        "locked": False,
        "tokens": ["cuda", "team"],
        "usage": "",
    }


def test_a_job_runs_on_the_nodes_that_are_named(run: Run, memory: MemoryScheduler, workflow: Path) -> None:
    """The workflow gets the generic information and the selection script for them."""
    memory.nodes = NODES
    done = run("submit", str(workflow), "--node-source", "gpu", "--host", "mars", "--token", "cuda")
    assert done.exit_code == 0, done.output
    xml = memory.jobs[1].xml
    assert [text in xml for text in ('"NODESOURCENAME" value="gpu"', '"NODE_ACCESS_TOKEN" value="cuda"')] == [
        True,
        True,
    ]
    assert xml.count("nodehost.toLowerCase() == 'mars'") == 2


def test_an_unknown_node_source_is_refused(run: Run, memory: MemoryScheduler, workflow: Path) -> None:
    """Nothing is submitted."""
    memory.nodes = NODES
    refused = run("submit", str(workflow), "--node-source", "gpus")
    assert (refused.exit_code, memory.jobs) == (1, {})
    assert refused.stderr == (
        "Error: The scheduler has no node source 'gpus'. Its node sources: Default, gpu.\nDid you mean 'gpu'?\n"
    )
