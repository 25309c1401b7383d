"""Which scheduler to use, and how to log in: arguments, configuration file, environment, defaults.

The configuration file is ``proactive_config.ini``: ``[proactive_server]`` with ``host``, ``port``, ``protocol`` or
``url``, and ``[user]`` with ``login`` and ``password``. Values are used literally.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import SetupError

__all__ = [
    "CONFIG_FILE",
    "EMBEDDED",
    "NOTEBOOKS",
    "TRIAL_URL",
    "Settings",
    "address_without_login",
    "data_dir",
    "discover",
    "from_environment",
    "read_config",
    "url_of",
]

CONFIG_FILE = "proactive_config.ini"
#: The public trial platform, used for a login without an address.
TRIAL_URL = "https://try.activeeon.com:8443"
#: The value of `host` for the embedded scheduler.
LOCAL_NAMES = frozenset({"local", "embedded"})
#: Ports on which a ProActive server, or a web server before it, speaks TLS.
TLS_PORTS = frozenset({443, 8443})
DEFAULT_PORT = 8080

ENV_URL = "PROACTIVE_URL"
ENV_LOGIN = "PROACTIVE_LOGIN"
ENV_PASSWORD = "PROACTIVE_PASSWORD"

ENV_DATA_DIR = "PROACTIVE_KERNEL_DATA_DIR"
#: The subfolder of the data folder with the state of notebooks that survives a kernel restart.
NOTEBOOKS = "notebooks"

NO_SECRET = Secret("")
#: A host, perhaps with a port and a path, without the scheme.
_BARE_ADDRESS = re.compile(r"[A-Za-z0-9][\w.-]*(?::(\d{1,5}))?(?:/[\w./-]*)?", re.ASCII)
_ADDRESS_HINT = "An address looks like https://HOST:8443."

#: Words of a switch, in lower case, in files and in pragmas.
SWITCH_WORDS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}

#: An IPv6 address has more than one colon.
_HOST_AND_PORT = re.compile(r"[^:/\[\]]*:\d+|\[[^\]]*\]:\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which scheduler, and who logs in. Without `url` it is the embedded one, which needs no more."""

    url: str = ""
    #: Empty: the user is asked.
    login: str = ""
    password: Secret = NO_SECRET
    #: Whether a TLS certificate is checked; a text is the path of a file of trusted certificates.
    verify: bool | str = True
    #: The source of the settings, for messages: the path of a file, ``the environment``; empty: the defaults.
    source: str = ""

    @property
    def embedded(self) -> bool:
        """Whether these are the settings of the embedded scheduler."""
        return not self.url

    @property
    def name(self) -> str:
        """The name of the scheduler in messages."""
        return self.url or "the embedded scheduler"

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.embedded or bool(self.login and self.password)


EMBEDDED = Settings()


def url_of(*, url: str = "", host: str = "", port: int | str | None = None, protocol: str = "") -> str:
    """The root URL of the server; empty for the embedded scheduler. Raises `SetupError` for an invalid address.

    A `url` is used literally and excludes the others. A `host` alone is ``http://HOST:8080``; with port 443 or 8443 it
    is https, unless `protocol` is given.
    """
    url, host, protocol = url.strip(), host.strip(), protocol.strip().lower()
    if url and host:
        shown = address_without_login(url)
        raise SetupError(f"Both the address {shown!r} and the host {host!r} are given.", hint="Give one of the two.")
    if not url:
        if not host or host.lower() in LOCAL_NAMES:
            return ""
        number = _port(port)
        scheme = protocol or ("https" if number in TLS_PORTS else "http")
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{number}"
    if "@" in host:
        # It may hold a password: the message does not repeat it.
        raise SetupError("The host contains a login.", hint="Give login and password separately.")
    if host and _HOST_AND_PORT.fullmatch(host):
        name, _, after = host.rpartition(":")
        raise SetupError(
            f"The host {host!r} contains a port.", hint=f"Give them separately: host={name}, port={after}."
        )
    if "://" in host:
        host = address_without_login(host)
        raise SetupError(f"The host {host!r} is a complete address.", hint=f"Write url={_with_port(host, port)}.")
    shown = address_without_login(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        # The error may quote the address.
        reason = "" if "@" in url else f": {error}"
        raise SetupError(f"{shown!r} is not the address of a scheduler{reason}.", hint=_ADDRESS_HINT) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        bare = _BARE_ADDRESS.fullmatch(url)
        scheme = "https" if bare and bare[1] and int(bare[1]) in TLS_PORTS else "http"
        hint = f"Write url={scheme}://{url}." if bare else _ADDRESS_HINT
        raise SetupError(f"{shown!r} is not the address of a scheduler.", hint=hint)
    if parts.username or parts.password:
        raise SetupError(
            f"The address of {parts.hostname!r} contains a login.", hint="Give login and password separately."
        )
    if parts.query or parts.fragment:
        # It may hold a password: the message does not repeat it.
        raise SetupError(
            f"The address of {parts.hostname!r} has a '?' or '#' in it.",
            hint=f"Write url={parts.scheme}://{parts.netloc}. An address ends after the port, or a gateway's path.",
        )
    return url.rstrip("/").removesuffix("/rest")


def _with_port(address: str, port: int | str | None) -> str:
    """A complete address with the port that was given beside it, unless it has one."""
    has_port = re.search(r":\d+(?:/|$)", address.partition("://")[2])
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return address if has_port or port is None else f"{scheme}://{host}:{_port(port)}{slash}{path}"


def address_without_login(url: str) -> str:
    """An address for messages: without the login and password that it may hold."""
    scheme, sign, rest = url.rpartition("://")
    return f"{scheme}{sign}{rest.rpartition('@')[2]}" if "@" in rest else url


def read_config(path: Path) -> Settings:
    """The settings in a file; raises `SetupError` if it is missing, malformed or incomplete.

    The message never quotes the file: the line at fault may hold the password.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"The configuration file {path} cannot be read: {_reason(error)}.") from None
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise SetupError(
            f"The configuration file {path} is broken: {_fault(error)}.",
            hint="It has the sections [proactive_server] (host and port, or url) and [user] (login, password).",
        ) from None
    server = parser["proactive_server"] if parser.has_section("proactive_server") else {}
    user = parser["user"] if parser.has_section("user") else {}
    try:
        url = url_of(
            url=server.get("url") or "",
            host=server.get("host") or "",
            port=server.get("port"),
            protocol=server.get("protocol") or "",
        )
    except SetupError as error:
        raise SetupError(f"The configuration file {path} is broken: {error.message}", hint=error.hint) from None
    login, password = user.get("login") or "", Secret(user.get("password") or "")
    if not url and not server.get("host") and login:
        url = TRIAL_URL
    verify = _verify(server.get("verify"), path)
    return Settings(url=url, login=login, password=password, verify=verify, source=str(path))


def _verify(text: str | None, path: Path) -> bool | str:
    """`verify` of a file: a switch, or a file of certificates beside it."""
    word = (text or "").strip()
    if not word or word.lower() in SWITCH_WORDS:
        return SWITCH_WORDS.get(word.lower(), True)
    return str(path.parent / Path(word).expanduser())


def from_environment(environ: Mapping[str, str] | None = None) -> Settings | None:
    """The settings in ``PROACTIVE_URL``, ``PROACTIVE_LOGIN`` and ``PROACTIVE_PASSWORD``; None without the first.

    ``PROACTIVE_URL=local`` means the embedded scheduler.
    """
    environ = os.environ if environ is None else environ
    address = environ.get(ENV_URL, "").strip()
    if not address:
        return None
    url = "" if address.lower() in LOCAL_NAMES else url_of(url=address)
    return completed(Settings(url=url, source=f"the environment variable {ENV_URL}"), environ)


def completed(settings: Settings, environ: Mapping[str, str] | None = None) -> Settings:
    """The same settings with a missing login or password taken from the environment, if it has them.

    The password there is that of the login there; without one, that of any login.
    """
    environ = os.environ if environ is None else environ
    if settings.embedded:
        return settings
    login = settings.login or environ.get(ENV_LOGIN, "")
    if not settings.password and environ.get(ENV_LOGIN, "") in (login, ""):
        return replace(settings, login=login, password=Secret(environ.get(ENV_PASSWORD, "")))
    return replace(settings, login=login)


def discover(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The default settings: the environment, else the folder's file, else the embedded scheduler.

    Raises `SetupError` if the file is malformed.
    """
    found = from_environment(environ)
    if found is None and (folder / CONFIG_FILE).is_file():
        found = completed(read_config(folder / CONFIG_FILE), environ)
    return found or EMBEDDED


def _port(port: int | str | None) -> int:
    text = str(port if port is not None else "").strip() or str(DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SetupError(f"{text!r} is not a port.", hint="A port is a number from 1 to 65535, such as 8080.")
    return int(text)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"


def _fault(error: configparser.Error) -> str:
    """The problem, without quoting the file."""
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno} comes before the first [section]"
    if isinstance(error, configparser.ParsingError):
        lines = ", ".join(str(line) for line, _ in error.errors)
        return f"line {lines} is neither a [section] nor of the form name = value"
    if isinstance(error, (configparser.DuplicateOptionError, configparser.DuplicateSectionError)):
        return f"line {error.lineno} repeats an earlier section or name"
    return type(error).__name__


def data_dir(named: Path | str | None = None) -> Path:
    """The data folder: the named one, else that of the environment, else the user's of this platform."""
    chosen = str(named) if named else os.environ.get(ENV_DATA_DIR, "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("proactive-jupyter-kernel", appauthor=False))
