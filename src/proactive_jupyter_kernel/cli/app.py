"""The command and its table of subcommands; where every problem becomes a message and an exit status."""

from __future__ import annotations

import difflib
import importlib
import io
import sys
from typing import Any, NoReturn

import click

from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    ProActiveError,
    SubmissionRefused,
    UnreadableWorkflow,
)
from proactive_jupyter_kernel.version import __version__

__all__ = ["EXIT_INTERRUPTED", "EXIT_PROBLEM", "EXIT_REFUSED", "EXIT_TERMINATED", "app", "main"]

EXIT_PROBLEM = 1
#: The workflow was not accepted, or the command line itself is wrong.
EXIT_REFUSED = 2
#: 128 and the number of SIGINT, as shells have it.
EXIT_INTERRUPTED = 130
#: 128 and the number of SIGTERM.
EXIT_TERMINATED = 143

REFUSALS = (InvalidWorkflow, UnreadableWorkflow, SubmissionRefused)

#: Each command, the file of this folder that has it, and its line in the list of commands.
COMMANDS: dict[str, tuple[str, str]] = {
    "submit": ("submit", "Submit a workflow file; wait for it with --wait."),
    "jobs": ("jobs", "List jobs, the newest first."),
    "status": ("jobs", "Show a job and its tasks."),
    "results": ("jobs", "Show the results of a job's tasks."),
    "wait": ("wait", "Wait for a job, printing its output; fetch its output files."),
    "fetch": ("wait", "Fetch the output files of a job that has ended."),
    "logs": ("logs", "Show the output of a job's tasks."),
    "kill": ("actions", "Kill a job."),
    "pause": ("actions", "Start no more tasks of a job."),
    "resume": ("actions", "Resume a paused job."),
    "restart": ("actions", "Run a task again that is In-Error or running."),
    "finish": ("actions", "End an In-Error task, so that the tasks after it run."),
    "priority": ("actions", "Change the priority of a job."),
    "nodes": ("nodes", "List the nodes that tasks can run on."),
    "signal": ("actions", "Send a signal that a task of a job waits for."),
    "run": ("run", "Execute a notebook and print its outputs as they arrive."),
    "export": ("exchange", "Write a notebook's or a file's workflow as XML, JSON, dot, SVG, PNG or Mermaid."),
    "notebook": ("exchange", "Convert a workflow file to a notebook."),
    "portal": ("portal", "Open a portal of the scheduler in the browser."),
    "scheduler": ("scheduler", "Start, stop or inspect the embedded scheduler."),
    "install": ("kernelspec", "Install the kernelspec, so that Jupyter lists the kernel."),
    "uninstall": ("kernelspec", "Remove the kernel from Jupyter's list."),
}


class App(click.Group):
    """Imports a command when it is called, and turns what goes wrong into a message on standard error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"proactive_jupyter_kernel.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0].lower(), COMMANDS, n=1)
            if near:
                message = f"There is no command {args[0]!r}. Did you mean {near[0]!r}?"
                raise click.UsageError(message, ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ProActiveError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(EXIT_REFUSED if isinstance(error, REFUSALS) else EXIT_PROBLEM)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(EXIT_INTERRUPTED)


@click.command(
    "proactive-kernel",
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`proactive-kernel COMMAND --help` explains a command, with examples.",
)
@click.version_option(__version__, "-V", "--version", prog_name="proactive-kernel")
def app() -> None:
    """Run ProActive workflows from the shell, on the embedded scheduler or any ProActive server.

    Which scheduler: --url, else PROACTIVE_URL (with PROACTIVE_LOGIN and PROACTIVE_PASSWORD), else a
    proactive_config.ini in this folder, else the embedded scheduler, which starts automatically.

    Exit status: 0 for success; 2 for a refused workflow or a wrong command line; 130 or 143 for a wait
    that SIGINT or SIGTERM ended; 1 for everything else.
    """


def main() -> NoReturn:
    """Run the command with the arguments of the process, and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name or an output that the terminal's encoding cannot represent must not be an error.
            stream.reconfigure(errors="backslashreplace")
    app.main(prog_name="proactive-kernel")
    raise SystemExit(0)
