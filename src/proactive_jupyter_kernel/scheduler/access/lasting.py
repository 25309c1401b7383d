"""The lasting port, executor and logins: how other clients reach the scheduler again after it was restarted.

They stand in one file of the data folder, for this user alone. It has a salted scrypt hash of each password, never the
password. The command line writes the file; the scheduler reads it again when it has changed, so that a login that was
added or revoked counts at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError
from proactive_jupyter_kernel.scheduler import private_files

__all__ = ["Access", "LastingLogin", "LastingLogins", "access_file", "load", "made_login", "save"]

_log = logging.getLogger(__name__)

#: RFC 7914's parameters for interactive logins: about 40 ms and 16 MiB for a check.
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
#: The number of bytes of salts and hashes.
_SALT, _HASH = 16, 32
_SHORTEST_PASSWORD = 8
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingLogin:
    """A name and the hash of its password."""

    name: str
    #: Hexadecimal; a new password comes with a new salt.
    salt: str
    #: Hexadecimal.
    hash: str

    def accepts(self, password: str) -> bool:
        """Whether this is the password; compared in constant time."""
        return secrets.compare_digest(_hash(password, self.salt), self.hash)


#: What an unknown name is compared with, so that the time does not tell which names exist.
_NOBODY = LastingLogin(name="", salt="00" * _SALT, hash="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The content of the file."""

    #: Where the scheduler listens when nothing else is asked for; 0: any free port.
    port: int = 0
    #: What runs the tasks when the setting EXECUTOR does not say (``executor_address.py``); empty: this machine.
    executor: str = ""
    logins: tuple[LastingLogin, ...] = ()

    def with_login(self, login: LastingLogin) -> Access:
        """With this login, in place of an earlier one of its name."""
        return replace(self, logins=(*self.without_login(login.name).logins, login))

    def without_login(self, name: str) -> Access:
        return replace(self, logins=tuple(login for login in self.logins if login.name != name))


def access_file(data_dir: Path) -> Path:
    return data_dir / "access.json"


def made_login(name: str, password: str) -> LastingLogin:
    """A login of that name and password; `EmbeddedSchedulerError` for one that clients cannot use."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable() or "\\" in name:
        raise EmbeddedSchedulerError(
            f"{name!r} cannot be the name of a login.",
            hint=f"A name has 1 to {_LONGEST_NAME} printable characters and no backslash.",
        )
    if len(password) < _SHORTEST_PASSWORD:
        raise EmbeddedSchedulerError(
            "The password is too short.", hint=f"It must have at least {_SHORTEST_PASSWORD} characters."
        )
    salt = secrets.token_hex(_SALT)
    return LastingLogin(name=name, salt=salt, hash=_hash(password, salt))


def load(data_dir: Path) -> Access:
    """What the file says; nothing lasting where there is none. `EmbeddedSchedulerError` where it cannot be read."""
    path = access_file(data_dir)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Access(
            port=_port(content["port"]),
            executor=str(content.get("executor", "")),
            logins=tuple(
                LastingLogin(
                    name=str(login["name"]), salt=_hexadecimal(login["salt"]), hash=_hexadecimal(login["hash"])
                )
                for login in content["logins"]
            ),
        )
    except FileNotFoundError:
        return Access()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddedSchedulerError(
            f"The file {path} with the lasting port and logins of the embedded scheduler cannot be read: {error}.",
            hint="Remove it; then set the port and the logins again with `proactive-kernel scheduler port` and "
            "`proactive-kernel scheduler login`.",
        ) from error


def save(data_dir: Path, access: Access) -> None:
    """Write the file, whole and for this user alone."""
    content = {
        "port": access.port,
        **({"executor": access.executor} if access.executor else {}),
        "logins": [{"name": login.name, "salt": login.salt, "hash": login.hash} for login in access.logins],
    }
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_files.write(access_file(data_dir), json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise EmbeddedSchedulerError(
            f"The file {access_file(data_dir)} cannot be written: {error.strerror or error}.",
            hint="Choose another folder with --data-dir or PROACTIVE_KERNEL_DATA_DIR.",
        ) from error


class LastingLogins:
    """The lasting logins of a running scheduler, as the file has them now."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._seen: tuple[int, ...] = ()
        self._logins: dict[str, LastingLogin] = {}

    def verified(self, name: str, password: str) -> LastingLogin | None:
        """The login of that name and password, None if there is none. Takes some 40 ms, unless no login exists."""
        logins = self._current()
        if not logins:
            return None
        login = logins.get(name, _NOBODY)
        return login if login.accepts(password) else None

    def holds(self, login: LastingLogin) -> bool:
        """Whether it was neither revoked nor given another password."""
        return self._current().get(login.name) == login

    def _current(self) -> dict[str, LastingLogin]:
        try:
            status = access_file(self._data_dir).stat()
            seen: tuple[int, ...] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            seen = ()
        if seen != self._seen:
            try:
                self._logins = {login.name: login for login in load(self._data_dir).logins} if seen else {}
            except EmbeddedSchedulerError as error:
                _log.warning("no lasting login is accepted: %s", error)
                self._logins = {}
            self._seen = seen
        return self._logins


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode("utf-8", "replace"),
        salt=bytes.fromhex(salt),
        n=_COST,
        r=_BLOCK,
        p=_PARALLEL,
        dklen=_HASH,
    ).hex()


def _hexadecimal(value: str) -> str:
    return bytes.fromhex(value).hex()


def _port(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError(f"{value!r} is not a port")
    return value
