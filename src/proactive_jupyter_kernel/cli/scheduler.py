"""`scheduler`: the embedded scheduler's process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from proactive_jupyter_kernel.cli.common import data_dir_option, examples, json_option, note, print_json, say
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.embedded import Status
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["scheduler"]

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="P", help="Listen there; 0 or nothing: any free port."
)


@click.group(
    epilog=examples(
        "proactive-kernel scheduler status",
        "proactive-kernel scheduler start --port 8080",
        "proactive-kernel scheduler serve --data-dir ./jobs",
    )
)
def scheduler() -> None:
    """Start, stop or inspect the embedded scheduler.

    It starts automatically when it is needed, and stops automatically when it is idle; there is one for each data
    folder. Jobs that have not ended continue when it is started again.
    """


@scheduler.command(epilog=examples("proactive-kernel scheduler start", "proactive-kernel scheduler start --port 8080"))
@port_option
@data_dir_option
@json_option
def start(port: int, data_dir: Path | None, as_json: bool) -> None:
    """Start it in the background, and wait until it answers."""
    folder = embedded.data_dir(data_dir)
    before = embedded.find(folder)
    address = embedded.ensure(folder, port=port)
    if before is not None and before.pid == address.pid:
        note(f"It was already running, as process {address.pid}.")
        if port and not address.url.endswith(f":{port}"):
            note(f"It does not listen on port {port}: stop it first, then start it there.")
    if as_json:
        print_json(_facts(Status(data_dir=folder, address=address)))
    else:
        say(address.url)


@scheduler.command(epilog=examples("proactive-kernel scheduler stop"))
@data_dir_option
@json_option
def stop(data_dir: Path | None, as_json: bool) -> None:
    """Stop it; its jobs are kept and continue when it is started again."""
    folder = embedded.data_dir(data_dir)
    address = embedded.stop(folder)
    if as_json:
        print_json(_facts(embedded.status(folder)))
    elif address is None:
        note(f"No embedded scheduler is running on {folder}.")
    else:
        say(f"Stopped the embedded scheduler (process {address.pid}).")


@scheduler.command(epilog=examples("proactive-kernel scheduler status --json"))
@data_dir_option
@json_option
def status(data_dir: Path | None, as_json: bool) -> None:
    """Show whether it runs, and where."""
    found = embedded.status(embedded.data_dir(data_dir))
    if as_json:
        print_json(_facts(found))
    elif found.address is None:
        say(f"Not running. Data folder: {found.data_dir}")
    else:
        say(f"Running as process {found.address.pid} at {found.address.url}, version {found.address.version}.")
        say(f"Data folder: {found.data_dir}")


@scheduler.command(epilog=examples("proactive-kernel scheduler serve --data-dir ./jobs --port 8080"))
@port_option
@data_dir_option
def serve(port: int, data_dir: Path | None) -> None:
    """Run it in the foreground until it is interrupted."""
    from proactive_jupyter_kernel.client.launch import EXIT_LOCKED
    from proactive_jupyter_kernel.scheduler import daemon

    folder = embedded.data_dir(data_dir)
    try:
        daemon.serve(folder, port=port)
    except daemon.DataFolderInUse as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(EXIT_LOCKED) from None
    except OSError as error:
        raise EmbeddedSchedulerError(f"The scheduler cannot run on {folder}: {error}.") from error


def _facts(found: Status) -> dict[str, Any]:
    address = found.address
    return {
        "running": found.running,
        "pid": address.pid if address else None,
        "url": address.url if address else None,
        "data_dir": str(found.data_dir),
    }
