"""`#%connect` and `#%configure`: which scheduler, and the settings of the notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proactive_jupyter_kernel.client.config import (
    LOCAL_NAMES,
    TRIAL_URL,
    Settings,
    completed,
    discover,
    read_config,
    url_of,
)
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import ProActiveError, SetupError
from proactive_jupyter_kernel.pragmas.context import CELL_MODES, Context
from proactive_jupyter_kernel.pragmas.declarations.parameters import SWITCH
from proactive_jupyter_kernel.pragmas.declarations.registry import BoundCall, Parameter, pragma
from proactive_jupyter_kernel.pragmas.declarations.values import (
    Choice,
    FilePath,
    Integer,
    Password,
    Plain,
    SwitchOrFile,
)
from proactive_jupyter_kernel.pragmas.outputs import Notice, Text
from proactive_jupyter_kernel.pragmas.paths import path_of
from proactive_jupyter_kernel.user import user_name


def check_connect(call: BoundCall) -> None:
    """Refuse arguments that would have no effect: a misunderstanding must not send a password elsewhere."""
    others = [name for name in call.spans if name != "path"]
    if call["path"] and others:
        raise call.fault(
            f"with path, the file says everything: remove {', '.join(others)}, or path.", parameter=others[0]
        )
    if call["token"] and (call["login"] or call["password"]):
        raise call.fault("token replaces login and password: give one or the other.", parameter="token")
    if call["path"]:
        return
    addressed = call["url"] or (call["host"] and call["host"].strip().lower() not in LOCAL_NAMES)
    trial = not call["host"] and (call["login"] or call["password"])
    if call.given("port") and call["url"]:
        raise call.fault("the port belongs into the url.", parameter="port", hint="Write url=https://HOST:PORT.")
    useless = ("port", "token") if trial else ("port", "token", "login", "password", "verify")
    for name in () if addressed else useless:
        if call.given(name):
            message = (
                f"the embedded scheduler takes no {name}" if call["host"] else f"{name} needs the server it is for"
            )
            raise call.fault(f"{message}.", parameter=name, hint=f"Write host=HOST, {name}=..., or url=ADDRESS.")
    try:
        url_of(url=call["url"] or "", host=call["host"] or "", port=call["port"])
    except SetupError as error:
        raise call.fault(error.message, parameter=_at_fault(call), hint=error.hint) from None


@pragma(
    "connect",
    Parameter(
        name="host",
        nameless=True,
        kind=Plain("a host's name or address"),
        doc="The server's host; `local` means the embedded scheduler.",
    ),
    Parameter(
        name="port",
        kind=Integer(minimum=1, maximum=65535),
        default=8080,
        doc="The server's port; 443 and 8443 mean https.",
    ),
    Parameter(name="url", kind=Plain("an address"), doc="The server's address, in place of host and port."),
    Parameter(name="login", kind=Plain("a login"), doc="The login name; the kernel asks for it if it is missing."),
    Parameter(name="password", kind=Password(), doc="The kernel asks for it without echo if it is missing."),
    Parameter(
        name="path", kind=FilePath(), doc="A configuration file, such as proactive_config.ini, with these settings."
    ),
    Parameter(
        name="token",
        kind=Password(),
        doc="The token of an embedded scheduler that is reached by its address, in place of login and password.",
    ),
    Parameter(
        name="verify",
        kind=SwitchOrFile("a file of certificates"),
        default=True,
        doc="Whether the certificate of an https server is checked; or the file of the certificates to trust, such as "
        "that of the authority of a company.",
    ),
    family="connection",
    summary="Connects to a ProActive server or to the embedded scheduler.",
    example="#%connect(host=try.activeeon.com, port=8443, login=ada)",
    check=check_connect,
)
def connect(context: Context, call: BoundCall) -> None:
    """Log in to another scheduler; the present connection stays if that fails."""
    settings = _settings(context, call)
    try:
        connection = context.connect(settings)
    except ProActiveError:
        # In a notebook that is run cell by cell, the next job would go somewhere unexpected.
        context.frontend.show(Notice(text=f"Not connected: the notebook still uses {context.used}.", warning=True))
        raise
    who = f" as {connection.settings.login}" if connection.settings.login else ""
    source = f", address from {connection.settings.source}" if connection.settings.source else ""
    text = f"Connected to {connection.name}{who} (version {connection.scheduler.version}{source})."
    context.frontend.show(Text(text=text))


def _settings(context: Context, call: BoundCall) -> Settings:
    try:
        if not call.spans:
            return discover(context.frontend.folder)
        found = read_config(path_of(context, call, "path")) if call["path"] else _from_arguments(context, call)
    except SetupError as error:
        raise call.fault(error.message, parameter=_at_fault(call), hint=error.hint) from None
    return completed(found)


def _from_arguments(context: Context, call: BoundCall) -> Settings:
    login, password = call["login"] or "", call["password"] or Secret("")
    if call["token"]:
        login, password = user_name(), call["token"]
    url = url_of(url=call["url"] or "", host=call["host"] or "", port=call["port"])
    if not url and not call["host"] and (login or password):
        url = TRIAL_URL
    verify = call["verify"]
    if isinstance(verify, str):
        place = path_of(context, call, "verify")
        if not place.exists():
            raise call.fault(
                f"there is no file {place}.", parameter="verify", hint="Write on, off or the path of a file."
            )
        verify = str(place)
    return Settings(url=url, login=login, password=password, verify=verify)


def _at_fault(call: BoundCall) -> str:
    return next((name for name in ("path", "url", "host", "port") if call.given(name)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """One setting of the notebook."""

    parameter: Parameter
    set: Callable[[Context, Any], None]
    #: The setting as a sentence.
    describe: Callable[[Context], str]


def _set_cell_mode(context: Context, mode: str) -> None:
    context.cell_mode = mode


def _set_journal(context: Context, on: bool) -> None:
    if on and not context.journal.possible:
        text = "A journal is not possible here: the front end does not provide the path of the notebook."
        context.frontend.show(Notice(text=text, warning=True))
        return
    context.journal.on = on
    if not on:
        context.journal.clear()


#: What `propagate` can be.
_PROPAGATION = {
    "off": "a task gets what its import names",
    "auto": "a task also gets the names that its code reads and that a task before it sets",
}


def _set_propagation(context: Context, word: str) -> None:
    context.draft.propagates = word == "auto"


#: What `#%configure` sets, in the order in which it shows it.
_SETTINGS = (
    _Setting(
        parameter=Parameter(
            name="task",
            kind=Choice(tuple(CELL_MODES)),
            nameless=True,
            doc="What a cell without a pragma does: "
            + "; ".join(f"{word}: {does}" for word, does in CELL_MODES.items())
            + ".",
        ),
        set=_set_cell_mode,
        describe=lambda context: f"A cell without a pragma: {CELL_MODES[context.cell_mode]}.",
    ),
    _Setting(
        parameter=Parameter(
            name="journal",
            kind=SWITCH,
            doc="Whether the cells of the draft are kept in the data folder and offered after a kernel restart.",
        ),
        set=_set_journal,
        describe=lambda context: f"The journal of the draft is {'on' if context.journal.on else 'off'}.",
    ),
    _Setting(
        parameter=Parameter(
            name="propagate",
            kind=Choice(tuple(_PROPAGATION)),
            doc="Whether exports and imports that the code of Python tasks needs are added by themselves: "
            + "; ".join(f"{word}: {does}" for word, does in _PROPAGATION.items())
            + ".",
        ),
        set=_set_propagation,
        describe=lambda context: f"Names between tasks: {_PROPAGATION['auto' if context.draft.propagates else 'off']}.",
    ),
)


@pragma(
    "configure",
    *(setting.parameter for setting in _SETTINGS),
    family="help",
    summary="Changes settings of this notebook; without arguments, shows them.",
    example="#%configure(task=block)",
    changes_draft=True,
)
def configure(context: Context, call: BoundCall) -> None:
    """Set what is given."""
    given = [setting for setting in _SETTINGS if call[setting.parameter.name] is not None]
    for setting in given:
        setting.set(context, call[setting.parameter.name])
    for setting in given or _SETTINGS:
        context.frontend.show(Text(text=setting.describe(context)))
