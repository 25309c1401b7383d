"""`scheduler`: the embedded scheduler's process."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from proactive_jupyter_kernel.cli import scheduler_status
from proactive_jupyter_kernel.cli.common import (
    data_dir_option,
    examples,
    json_option,
    note,
    print_json,
    print_table,
    say,
)
from proactive_jupyter_kernel.cli.scheduler_log import LogReader
from proactive_jupyter_kernel.client import crash_reports, embedded
from proactive_jupyter_kernel.client.embedded import Status
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.user import user_name

__all__ = ["scheduler"]

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="P",
    help="Listen there; 0 or nothing: at the lasting port (`scheduler port`), else at any free one.",
)


def _checked_executor(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    from proactive_jupyter_kernel.scheduler.settings import executor_address

    try:
        return None if value is None else str(executor_address.read(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} must be {executor_address.FORMS}.") from None


executor_option = click.option(
    "--executor",
    metavar="E",
    callback=_checked_executor,
    help="What runs the tasks: local, dask (a cluster of its own on this machine), dask://local?workers=4, or "
    "dask://HOST:PORT of a Dask scheduler.",
)


@click.group(
    epilog=examples(
        "proactive-kernel scheduler status",
        "proactive-kernel scheduler start --port 8080",
        "proactive-kernel scheduler serve --data-dir ./jobs",
        "proactive-kernel scheduler log --follow",
        "proactive-kernel scheduler login",
    )
)
def scheduler() -> None:
    """Start, stop or inspect the embedded scheduler.

    It starts automatically when it is needed, and stops automatically when it is idle; there is one for each data
    folder. Jobs that have not ended continue when it is started again.
    """


@scheduler.command(
    epilog=examples(
        "proactive-kernel scheduler start",
        "proactive-kernel scheduler start --port 8080",
        "proactive-kernel scheduler start --executor dask://10.0.0.1:8786",
        "proactive-kernel scheduler start --executor 'dask://local?workers=4'",
        "proactive-kernel scheduler start --executor local",
    )
)
@port_option
@executor_option
@data_dir_option
@json_option
def start(port: int, executor: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Start it in the background, and wait until it answers.

    The executor lasts: later starts on this data folder use it, also automatic ones, until another one is chosen.
    The exit status is 1 if one was already running with another port or executor than asked for.
    """
    folder = embedded.data_dir(data_dir)
    is_other = False
    before = embedded.find(folder)
    if executor is not None:
        _keep_executor(folder, executor)
    address = embedded.ensure(folder, port=port)
    if before is not None and before.pid == address.pid:
        note(f"It was already running, as process {address.pid}.")
        if port and not address.url.endswith(f":{port}"):
            is_other = True
            note(f"It does not listen on port {port}: stop it first, then start it there.")
        if executor is not None and executor != address.executor:
            is_other = True
            note(f"It runs its tasks on {address.executor}: stop it, then start it again to run them on {executor}.")
    for notice in (*address.notices, *address.troubles):
        note(notice)
    if as_json:
        print_json(_facts(Status(data_dir=folder, address=address, pid=address.pid, state="running")))
    else:
        say(address.url)
    if before is None and (crash := crash_reports.hint(folder)):
        note(f"An earlier one ended without warning. {crash}")
    if is_other:
        raise click.exceptions.Exit(1)


def _keep_executor(folder: Path, executor: str) -> None:
    from proactive_jupyter_kernel.scheduler.access import lasting

    chosen = "" if executor == "local" else executor
    found = lasting.load(folder)
    if found.executor != chosen:
        lasting.save(folder, replace(found, executor=chosen))
    if (set_one := os.environ.get("PROACTIVE_KERNEL_EXECUTOR", "").strip()) and set_one != executor:
        note(f"PROACTIVE_KERNEL_EXECUTOR is set to {set_one}, which takes precedence. Unset it.")


@scheduler.command(epilog=examples("proactive-kernel scheduler stop"))
@data_dir_option
@json_option
def stop(data_dir: Path | None, as_json: bool) -> None:
    """Stop it; its jobs are kept and continue when it is started again."""
    folder = embedded.data_dir(data_dir)
    pid = embedded.stop(folder)
    if as_json:
        print_json(_facts(embedded.status(folder)))
    elif pid is None:
        note(f"No embedded scheduler is running on {folder}.")
    else:
        say(f"Stopped the embedded scheduler (process {pid}).")


@scheduler.command(epilog=examples("proactive-kernel scheduler status", "proactive-kernel scheduler status --json"))
@data_dir_option
@json_option
def status(data_dir: Path | None, as_json: bool) -> None:
    """Show whether it runs, where, and what it does: queue, nodes, rates, the size of its store."""
    found = embedded.status(embedded.data_dir(data_dir))
    # The same for every version, and without a login: a client replaces an idle scheduler of another version.
    overview = scheduler_status.overview(found.address.url) if found.address else None
    crash = crash_reports.newest(found.data_dir)
    if as_json:
        print_json({**_facts(found), "crash_report": str(crash) if crash else None, "overview": overview})
        return
    if found.address is None and found.state == "stopped":
        say(f"Not running. Data folder: {found.data_dir}")
    elif found.address is None:
        say(found.message)
        note(found.hint)
    else:
        say(f"Running as process {found.address.pid} at {found.address.url}, version {found.address.version}.")
        say(f"Data folder: {found.data_dir}")
        if found.address.executor != "local":
            say(f"Tasks run on: {found.address.executor}")
        for line in scheduler_status.lines(overview) if overview else ():
            say(line)
        for notice in found.address.notices:
            note(notice)
    if crash:
        note(crash_reports.hint(found.data_dir))


@scheduler.command(
    epilog=examples(
        "proactive-kernel scheduler log",
        "proactive-kernel scheduler log --job 7 --lines 200",
        "proactive-kernel scheduler log --follow",
    )
)
@click.option(
    "--lines", "-n", type=click.IntRange(1), default=50, show_default=True, help="How many of the last entries."
)
@click.option("--job", type=int, help="Only entries about this job.")
@click.option("--follow", "-f", is_flag=True, help="Wait for further entries, until it is interrupted.")
@data_dir_option
def log(lines: int, job: int | None, follow: bool, data_dir: Path | None) -> None:
    """Show what the scheduler itself wrote: starts and stops, jobs, failed attempts, faults.

    What tasks print is in the log of their job (`proactive-kernel logs`).
    """
    folder = embedded.data_dir(data_dir)
    reader = LogReader(folder, job=job)
    entries = reader.last(lines)
    for entry in entries:
        say(entry)
    if not reader.exists:
        note(f"There is no log yet in {folder}.")
    elif not entries and job is not None:
        note(f"The log has no entry about job {job}. `proactive-kernel logs {job}` shows what its tasks print.")
    if follow:
        for entry in reader.follow():
            say(entry)


@scheduler.command(epilog=examples("proactive-kernel scheduler serve --data-dir ./jobs --port 8080"))
@port_option
@executor_option
@data_dir_option
def serve(port: int, executor: str | None, data_dir: Path | None) -> None:
    """Run it in the foreground until it is interrupted. The executor counts for this time only."""
    from proactive_jupyter_kernel.client.launch import EXIT_LOCKED
    from proactive_jupyter_kernel.scheduler.daemon import process

    folder = embedded.data_dir(data_dir)
    if executor is not None:
        os.environ["PROACTIVE_KERNEL_EXECUTOR"] = executor
    try:
        process.serve(folder, port=port)
    except process.DataFolderInUse as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(EXIT_LOCKED) from None
    except OSError as error:
        raise EmbeddedSchedulerError(f"The scheduler cannot run on {folder}: {error}.") from error


@scheduler.command(epilog=examples("proactive-kernel scheduler settings", "proactive-kernel scheduler settings --json"))
@json_option
def settings(as_json: bool) -> None:
    """Show the settings and limits with which a scheduler would start now, and their environment variables.

    One that runs already keeps those with which it was started.
    """
    from proactive_jupyter_kernel.scheduler.settings import SETTINGS, load, misspelt, shown

    chosen, default = load(), load({})
    rows = [
        {
            "variable": setting.variable,
            "value": shown(getattr(chosen, setting.field)),
            "unit": setting.kind.unit,
            "default": shown(getattr(default, setting.field)),
            "meaning": setting.doc,
        }
        for setting in SETTINGS
    ]
    for name, near in misspelt().items():
        note(f"There is no setting {name}: the variable is ignored. Did you mean {near}?")
    if as_json:
        print_json(rows)
        return
    print_table(
        ("VARIABLE", "VALUE", "UNIT", "DEFAULT"),
        [(row["variable"], row["value"] or "-", row["unit"], row["default"] or "-") for row in rows],
    )
    note("What they mean: docs/reference/settings.md, or the option --json.")


@scheduler.command(epilog=examples("proactive-kernel scheduler port 8088", "proactive-kernel scheduler port 0"))
@click.argument("port", type=click.IntRange(0, 65535), required=False)
@data_dir_option
def port(port: int | None, data_dir: Path | None) -> None:
    """Set the port at which it listens after each start; 0: any free one. Without PORT: show it."""
    from proactive_jupyter_kernel.scheduler.access import lasting

    folder = embedded.data_dir(data_dir)
    found = lasting.load(folder)
    if port is None:
        say(str(found.port) if found.port else "No lasting port: each start takes a free one.")
        return
    lasting.save(folder, replace(found, port=port))
    say(f"The lasting port is {port}." if port else "Removed the lasting port: each start takes a free one.")
    running = embedded.find(folder)
    if running is not None and port and not running.url.endswith(f":{port}"):
        note(f"The scheduler that runs now listens at {running.url}: stop it, then start it again.")


@scheduler.command(
    epilog=examples(
        "proactive-kernel scheduler login",
        "proactive-kernel scheduler login ci --ask",
        "proactive-kernel scheduler login ci --remove",
        "proactive-kernel scheduler login --list",
    )
)
@click.argument("name", required=False)
@click.option("--ask", is_flag=True, help="Ask for the password instead of generating one; a pipe is read instead.")
@click.option("--remove", is_flag=True, help="Revoke the login; its sessions end at once.")
@click.option("--list", "list_names", is_flag=True, help="List the names of the lasting logins.")
@data_dir_option
@json_option
def login(name: str | None, ask: bool, remove: bool, list_names: bool, data_dir: Path | None, as_json: bool) -> None:
    """Make a lasting login for another client, such as ProActive's Python SDK.

    NAME is by default your own. The login survives restarts of the scheduler. A generated password is shown once,
    since only a hash of it is stored. Anyone who knows it can run programs under your account: jobs of all logins are
    yours.
    """
    from proactive_jupyter_kernel.scheduler.access import lasting

    if ask + remove + list_names > 1:
        raise click.UsageError("--ask, --remove and --list exclude each other.")
    folder = embedded.data_dir(data_dir)
    found = lasting.load(folder)
    names = [login.name for login in found.logins]
    if list_names:
        if as_json:
            print_json(names)
        else:
            say("\n".join(names) or "No lasting logins.")
        return
    chosen = name or user_name()
    if remove:
        if chosen not in names:
            known = f"The lasting logins: {', '.join(names)}." if names else "There are no lasting logins."
            raise EmbeddedSchedulerError(f"There is no lasting login {chosen!r}.", hint=known)
        lasting.save(folder, found.without_login(chosen))
        if as_json:
            print_json({"login": chosen, "removed": True})
        else:
            say(f"Revoked the login {chosen}.")
        return
    password = _asked_password(chosen) if ask else secrets.token_urlsafe(24)
    lasting.save(folder, found.with_login(lasting.made_login(chosen, password)))
    running = embedded.find(folder)
    url = running.url if running else f"http://127.0.0.1:{found.port}" if found.port else None
    if as_json:
        print_json({"url": url, "login": chosen, "password": None if ask else password})
    else:
        rows = [("URL", url), ("Login", chosen), ("Password", None if ask else password)]
        say("\n".join(f"{label:<10}{value}" for label, value in rows if value))
    _login_notes(chosen, replaced=chosen in names, lasting_port=bool(found.port), running=running is not None)


def _asked_password(name: str) -> str:
    """From the terminal, unseen and twice; else the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _login_notes(name: str, *, replaced: bool, lasting_port: bool, running: bool) -> None:
    if replaced:
        note(f"The login {name} existed: its former password is no longer valid, and its sessions ended.")
    if not lasting_port:
        note("The scheduler gets another port at each start; `proactive-kernel scheduler port 8088` keeps one.")
    if not running:
        note("It is not running: `proactive-kernel scheduler start` starts it.")


def _facts(found: Status) -> dict[str, Any]:
    address = found.address
    return {
        "running": found.running,
        "state": found.state,
        "pid": found.pid,
        "url": address.url if address else None,
        "data_dir": str(found.data_dir),
        "executor": address.executor if address else None,
    }


@scheduler.command("java-libraries", epilog=examples("proactive-kernel scheduler java-libraries"))
@data_dir_option
def java_libraries(data_dir: Path | None) -> None:
    """Install the Java libraries that scripts in Groovy and Scala may import: commons-io and Guava.

    Groovy fetches them from Maven Central, or from the mirror in ~/.groovy/grapeConfig.xml. Tasks that start from now
    on see them; the scheduler need not be started again.
    """
    from proactive_jupyter_kernel.scheduler import java_libraries as libraries

    folder = libraries.folder_of(embedded.data_dir(data_dir))
    libraries.install(folder, say)
    note(f"They are in {folder}.")
