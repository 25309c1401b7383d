"""What commands share: their options, the scheduler they talk to, how they print."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from proactive_jupyter_kernel.client import config
from proactive_jupyter_kernel.client.config import EMBEDDED, Settings
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.keyring_passwords import with_password
from proactive_jupyter_kernel.client.scheduler import Scheduler, reach
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import SetupError, UnknownJob

__all__ = [
    "assignments",
    "data_dir_option",
    "examples",
    "job_id_of",
    "json_option",
    "note",
    "print_json",
    "print_table",
    "say",
    "scheduler_options",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON alone on standard output.")

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="The embedded scheduler's data folder; by default PROACTIVE_KERNEL_DATA_DIR, else your own.",
)


_CA_FILE = click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True)


def examples(*lines: str) -> str:
    """An epilog that keeps its lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """The values of repeated options ``--var NAME=VALUE``, by name."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.", param_hint="--var")
        pairs[name] = value
    return pairs


def scheduler_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that select the scheduler; the command gets it as its first argument."""

    @click.option("--url", metavar="URL", default="", help="A ProActive server; 'local' for the embedded scheduler.")
    @click.option("--login", metavar="NAME", default="", help="The login there; PROACTIVE_PASSWORD has the password.")
    @click.option("--ca-file", type=_CA_FILE, metavar="FILE", help="Trust the TLS certificates that FILE (PEM) signs.")
    @click.option("--no-verify", is_flag=True, help="Accept any TLS certificate.")
    @data_dir_option
    @functools.wraps(command)
    def with_scheduler(
        *args: Any,
        url: str,
        login: str,
        ca_file: Path | None,
        no_verify: bool,
        data_dir: Path | None,
        **options: Any,
    ) -> Any:
        verify = False if no_verify else str(ca_file) if ca_file else None
        settings = chosen_settings(url=url, login=login, verify=verify, data_dir=data_dir)
        connection = Connection(completed(settings), data_dir=data_dir)
        try:
            return command(connection.scheduler, *args, **options)
        finally:
            connection.close()

    return with_scheduler


def chosen_settings(*, url: str, login: str, verify: bool | str | None, data_dir: Path | None) -> Settings:
    """The settings that options, environment and configuration file make; the options first.

    `verify` is False for any certificate, a file of certificates, or None where no option says anything.
    """
    if url:
        address = "" if url.lower() in config.LOCAL_NAMES else config.url_of(url=url)
        settings = Settings(url=address)
    elif data_dir is not None:
        settings = EMBEDDED
    else:
        settings = config.discover(Path.cwd())
    if settings.embedded and (login or verify is not None):
        raise SetupError(
            "--login, --ca-file and --no-verify apply to a ProActive server, but the embedded scheduler was selected.",
            hint="Add --url.",
        )
    if data_dir is not None and not settings.embedded:
        raise SetupError(f"--data-dir applies to the embedded scheduler, but {settings.url} was selected.")
    password = settings.password if login in ("", settings.login) else Secret("")
    return Settings(
        url=settings.url,
        login=login or settings.login,
        password=password,
        verify=settings.verify if verify is None else verify,
        source=settings.source,
    )


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def completed(settings: Settings) -> Settings:
    """The settings, completed from the environment or by prompting at a terminal."""
    settings = with_password(config.completed(settings))
    if settings.complete or not _is_terminal():
        return settings
    # The user is asked for a password only if a server answers.
    reach(settings)
    login = settings.login or click.prompt(f"Login at {settings.url}", err=True)
    password = settings.password or Secret(click.prompt(f"Password of {login}", hide_input=True, err=True))
    return Settings(url=settings.url, login=login, password=password, verify=settings.verify, source=settings.source)


def job_id_of(scheduler: Scheduler, named: str) -> int:
    """The job of that id; else the newest of that name."""
    if named.isascii() and named.isdigit():
        try:
            return scheduler.info(int(named)).id
        except UnknownJob as unknown:
            try:
                return scheduler.find(named)
            except UnknownJob:
                raise unknown from None
    return scheduler.find(named)


def say(text: str = "") -> None:
    """Print data on standard output."""
    click.echo(text)


def note(text: str) -> None:
    """Print a notice on standard error."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output, in letters that its encoding has."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(value, ensure_ascii=not readable, indent=2, allow_nan=False))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell, except the last one."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (headings, *cells):
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        click.echo("  ".join([*padded, row[-1]]).rstrip())
