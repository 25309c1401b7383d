"""`install`, `uninstall`: the kernel in Jupyter's list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from proactive_jupyter_kernel.cli.common import examples, note, say
from proactive_jupyter_kernel.notebook import kernelspec

__all__ = ["install", "uninstall"]


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where a kernelspec is; at most one of them."""
    for option in (
        click.option("--prefix", type=click.Path(path_type=Path), metavar="P", help="In share/jupyter under P."),
        click.option("--sys-prefix", is_flag=True, help="In the environment of this interpreter."),
        click.option("--user", is_flag=True, help="For your user, in every environment."),
        click.option("--name", default=kernelspec.NAME, show_default=True, metavar="N", help="The kernelspec's name."),
    ):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "proactive-kernel install --user",
        "proactive-kernel install --sys-prefix --name proactive-dev --display-name 'ProActive (dev)'",
    )
)
@place_options
@click.option("--display-name", metavar="D", help="The name that the launcher shows.")
def install(user: bool, sys_prefix: bool, prefix: Path | None, name: str, display_name: str | None) -> None:
    """Install the kernelspec for this interpreter.

    Installing the package has done so already for a Jupyter in the same environment.
    """
    installed = kernelspec.install(
        user=user, sys_prefix=sys_prefix, prefix=prefix, name=name, display_name=display_name
    )
    say(f"Installed the kernelspec {name!r} in {installed.path}")
    if not installed.visible:
        note("Jupyter in this environment does not search this folder; add it to JUPYTER_PATH.")


@click.command(epilog=examples("proactive-kernel uninstall", "proactive-kernel uninstall --user --name proactive-dev"))
@place_options
def uninstall(user: bool, sys_prefix: bool, prefix: Path | None, name: str) -> None:
    """Remove the kernel from Jupyter's list: from the place named, else wherever Jupyter finds it."""
    for path in kernelspec.uninstall(user=user, sys_prefix=sys_prefix, prefix=prefix, name=name):
        say(f"Removed {path}")
