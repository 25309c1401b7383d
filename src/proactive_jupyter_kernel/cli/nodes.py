"""`nodes`: where tasks can run."""

from __future__ import annotations

from typing import Any

import click

from proactive_jupyter_kernel.cli.common import examples, json_option, note, print_json, print_table, scheduler_options
from proactive_jupyter_kernel.client.resources import Node
from proactive_jupyter_kernel.client.scheduler import Scheduler

__all__ = ["nodes"]


@click.command(epilog=examples("proactive-kernel nodes", "proactive-kernel nodes --json"))
@json_option
@scheduler_options
def nodes(scheduler: Scheduler, as_json: bool) -> None:
    """List the nodes: node source, host, state, access tokens, and what runs there.

    `submit --node-source NAME`, `--host NAME` and `--token NAME` run a job on some of them.
    """
    found = scheduler.nodes()
    if as_json:
        print_json([_facts(node) for node in found])
        return
    print_table(
        ("SOURCE", "HOST", "NODE", "STATE", "TOKENS", "RUNS"),
        [(node.source, node.host, node.name, node.shown_state, ", ".join(node.tokens), node.usage) for node in found],
    )
    note(f"{sum(node.is_free for node in found)} of {len(found)} nodes are free.")


def _facts(node: Node) -> dict[str, Any]:
    return {
        "source": node.source,
        "host": node.host,
        "name": node.name,
        "url": node.url,
        "state": node.state,
        "locked": node.locked,
        "tokens": list(node.tokens),
        "usage": node.usage,
    }
