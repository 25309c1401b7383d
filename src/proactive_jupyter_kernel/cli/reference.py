"""The reference page of the command line, written from the commands.

``python -m proactive_jupyter_kernel.cli.reference`` prints it; docs/reference/cli.md is that print.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from proactive_jupyter_kernel.cli.app import app

__all__ = ["page"]

NAME = "proactive-kernel"
_HEAD = f"""# Command line

<!-- Written by `python -m proactive_jupyter_kernel.cli.reference`; edit the commands, not this page. -->

`{NAME}` submits and controls jobs without a notebook, and manages the embedded scheduler and the kernel. The guide
[The command line](../guides/command-line.md) shows how the commands work together. `{NAME} COMMAND --help` prints what
this page says about a command.
"""


def page() -> str:
    """The whole page, in Markdown."""
    context = click.Context(app, info_name=NAME)
    return "\n".join([_HEAD, *_description(app), *_commands(app, context)])


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        within = click.Context(command, parent=context, info_name=name)
        yield f"## {within.command_path}\n"
        usage = " ".join(command.collect_usage_pieces(within))
        yield f"```text\n{within.command_path} {usage}\n```\n"
        yield from _description(command)
        yield from _parameters(command, within)
        yield from _examples(command)
        if isinstance(command, click.Group):
            yield from _commands(command, within)


def _description(command: click.Command) -> Iterator[str]:
    for paragraph in inspect.cleandoc(command.help or "").replace("\f", "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield f"```text\n{paragraph.removeprefix(chr(8)).strip(chr(10))}\n```\n"
        else:
            yield _words(paragraph) + "\n"


def _parameters(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [
        each for each in command.get_params(context) if isinstance(each, click.Option) and "--help" not in each.opts
    ]
    rows = [record for each in options if (record := each.get_help_record(context))]
    if rows:
        yield "| option | meaning |\n| --- | --- |"
        for names, meaning in rows:
            yield f"| `{names}` | {_words(meaning)} |"
        yield ""


def _examples(command: click.Command) -> Iterator[str]:
    lines = [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    if lines:
        yield "```bash\n" + "\n".join(lines) + "\n```\n"


def _words(text: str) -> str:
    """The text in Markdown: options as code, no sign that would be taken for markup."""
    joined = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return re.sub(r"(?<![\w`-])(--?[a-z][a-z-]*)(?![\w`])", r"`\1`", joined)


if __name__ == "__main__":
    print(page(), end="")
