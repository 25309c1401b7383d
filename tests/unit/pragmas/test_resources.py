"""The nodes of a scheduler in a notebook: lists, and jobs that ask for some."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.pragmas.assist.completion import complete
from proactive_jupyter_kernel.pragmas.outputs import Table
from proactive_jupyter_kernel.testing.memory_scheduler import memory_node

NODES = [
    memory_node("local-0", usageInfo={"JOB_ID": "3", "TASK_NAME": "T"}, state="BUSY"),
    memory_node("local-1"),
    memory_node("gpu-0", source="gpu", host="venus", tokens=("cuda",)),
]


@pytest.mark.parametrize(
    ("pragma", "headings", "rows"),
    [
        ("list_nodesources", ("Node source", "Nodes", "Free"), [("Default", 2, 1), ("gpu", 1, 1)]),
        ("list_hosts", ("Host", "Nodes", "Free"), [("mars", 2, 1), ("venus", 1, 1)]),
        ("list_tokens", ("Token", "Nodes", "Free"), [("cuda", 1, 1)]),
        (
            "list_resources",
            ("Node source", "Host", "Node", "State", "Tokens", "Runs"),
            [
                ("Default", "mars", "local-0", "Busy", "", "job 3, task T"),
                ("Default", "mars", "local-1", "Free", "", ""),
                ("gpu", "venus", "gpu-0", "Free", "cuda", ""),
            ],
        ),
    ],
)
def test_lists(notebook, pragma: str, headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Tables of names with how many nodes there are of each, or of the nodes."""
    notebook.server.nodes = NODES
    notebook.run(f"#%{pragma}()")
    (table,) = notebook.frontend.tables
    assert (table.headings, list(table.rows)) == (headings, rows)


def test_no_tokens(notebook) -> None:
    """A sentence instead of an empty table."""
    (text,) = notebook.run("#%list_tokens()")
    assert text.startswith("No node has an access token on ")


def test_a_node_source_without_nodes_is_listed(notebook) -> None:
    """As `Default` of many servers."""
    notebook.server.nodes = NODES[2:]
    notebook.run("#%list_resources()")
    (table,) = notebook.frontend.tables
    assert table.rows[-1] == ("Default", "", "", "No nodes", "", "")


def test_a_job_for_certain_nodes(notebook) -> None:
    """What it asks for goes with this submission alone; a task that asks for others keeps them, with a notice."""
    notebook.server.nodes = NODES
    texts = notebook.run(
        "#%task(A)\nresult = 1\n#%task(B, generic_info=[(NODE_SOURCE, Default)])\nresult = 2\n"
        "#%submit_job(nodesource=gpu, host=venus, token=cuda, draw=off)"
    )
    assert "* Task B keeps its own node source 'Default' (NODE_SOURCE)." in texts
    xml = notebook.server.jobs[1].xml
    assert xml.count("nodehost.toLowerCase() == 'venus'") == 2
    information = notebook.context.scheduler.info(1).generic_information
    assert {name: information[name] for name in ("NODESOURCENAME", "NODE_ACCESS_TOKEN")} == {
        "NODESOURCENAME": "gpu",
        "NODE_ACCESS_TOKEN": "cuda",
    }
    notebook.run("#%submit_job(draw=off)")
    assert "nodehost" not in notebook.server.jobs[2].xml


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("nodesource=gpus", "The scheduler has no node source 'gpus'. Its node sources: Default, gpu."),
        ("host=pluto", "The scheduler has no host 'pluto'. Its hosts: mars, venus."),
        ("token=gold", "The scheduler has no access token 'gold'. Its access tokens: cuda."),
    ],
)
def test_unknown_nodes_are_refused(notebook, argument: str, message: str) -> None:
    """Before anything is sent, with the names that there are."""
    notebook.server.nodes = NODES
    with pytest.raises(PragmaError) as caught:
        notebook.run(f"#%task(A)\nresult = 1\n#%submit_job({argument})")
    assert message in str(caught.value)
    assert notebook.server.jobs == {}


def test_completion_offers_the_names(notebook) -> None:
    """Once the scheduler was used; never by waiting for it."""
    notebook.server.nodes = NODES
    notebook.context.resource_listing.listed()
    notebook.context.resource_listing.wait(30)
    found = {}
    for cell in ("#%submit_job(nodesource=", "#%submit_job(host=", "#%submit_job(token=c"):
        completions = complete(cell, len(cell), notebook.context)
        assert completions is not None
        found[cell.rpartition("(")[2]] = [match.text for match in completions.matches]
    assert found == {"nodesource=": ["Default", "gpu"], "host=": ["mars", "venus"], "token=c": ["cuda"]}


def test_tables_have_a_text(notebook) -> None:
    """The captions name the pragma that uses the names."""
    notebook.run("#%list_hosts()")
    (table,) = notebook.frontend.tables
    assert isinstance(table, Table)
    assert table.caption == "#%submit_job(host=NAME) runs a job on one of them; without it, it runs on any."
