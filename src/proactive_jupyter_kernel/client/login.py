"""A session on a scheduler: opened by the first call, and renewed once, silently, when it has expired."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.client.error_mapping import check_answered, is_session_lost, raise_error
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import Part, Response, Transport
from proactive_jupyter_kernel.errors import LoginRefused, NotConnected, SchedulerError, SchedulerUnreachable

__all__ = ["WRONG_ADDRESS", "Credentials", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login name, used literally (also ``DOMAIN\\user``), and its password."""

    login: str
    password: Secret


WRONG_ADDRESS = (
    "Check host, port and path: the scheduler's web address is usually http://HOST:8080, and behind a gateway it may "
    "have a path: url=https://HOST/PATH."
)


#: What a session id may be; a web page or a record of another service does not match.
_SESSION = re.compile(r"[\w.:+/=~-]{1,500}", re.ASCII)


class Session:
    """Calls to one scheduler in one login; safe to use from several threads.

    `credentials` is called for each login, since the embedded scheduler has a new token after each start.
    """

    def __init__(self, transport: Transport, credentials: Callable[[], Credentials], *, source: str = "") -> None:
        """`source`: where the address is from, for messages."""
        self.transport = transport
        self._source = source
        self._credentials = credentials
        self._id = ""
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Secret] | None = None,
        parts: Sequence[Part] = (),
        content: bytes | None = None,
    ) -> Response:
        """The response to a successful request (status below 400).

        `doing` completes "The scheduler refused to …". Raises the subclass of `SchedulerError` for the error response;
        `NotConnected` only if a new session is refused, too.
        """

        def attempt(session: str) -> Response:
            return self.transport.request(
                method,
                path,
                query=query,
                headers={**(headers or {}), "sessionid": session},
                form=form,
                parts=parts,
                content=content,
            )

        used = self._current()
        try:
            response = attempt(used)
        except SchedulerUnreachable as error:
            # A server whose session ended may close the connection in the middle of an upload, without an answer.
            if not (error.in_doubt and content and path.startswith("/data/") and self._is_lost(used)):
                raise
            response = attempt(self._renewed(used))
        if is_session_lost(response):
            response = attempt(self._renewed(used))
        check_answered(response, self.transport.address, page=path.startswith("/data/"))
        if response.status >= 400:
            raise_error(response, doing)
        return response

    @property
    def id(self) -> str:
        """The session id; empty before the first call."""
        return self._id

    @property
    def _named(self) -> str:
        """The server in messages: its address, and where that is from."""
        return f"{self.transport.address} (address from {self._source})" if self._source else self.transport.address

    def open(self) -> None:
        """Log in now, unless a session is open. Raises `LoginRefused` or `SchedulerUnreachable`."""
        self._current()

    def close(self) -> None:
        """Log out, if logged in; errors of a scheduler that is down or has dropped the session are ignored."""
        with self._lock:
            session, self._id = self._id, ""
        if session:
            with contextlib.suppress(SchedulerError):
                self.transport.request("PUT", "/scheduler/disconnect", headers={"sessionid": session})
        self.transport.close()

    def _current(self) -> str:
        with self._lock:
            if not self._id:
                self._id = self._login()
            return self._id

    def _is_lost(self, session: str) -> bool:
        """Whether the scheduler says that the session ended."""
        return is_session_lost(self.transport.request("GET", "/scheduler/isconnected", headers={"sessionid": session}))

    def _renewed(self, lost: str) -> str:
        """A session other than the lost one; another thread may have renewed it already."""
        with self._lock:
            if self._id == lost:
                self._id = ""
                self._id = self._login()
            return self._id

    def _login(self) -> str:
        credentials = self._credentials()
        response = self.transport.request(
            "POST", "/scheduler/login", form={"username": credentials.login, "password": credentials.password}
        )
        address = self.transport.address
        check_answered(response, address, page=True)
        if response.status >= 400:
            # A server, or a gateway before it, may repeat what was sent.
            said = credentials.password.masked_in(response.text).encode()
            _refused(
                Response(status=response.status, body=said, headers=response.headers),
                f"log in {credentials.login!r} at {self._named}",
                address,
            )
        session = response.text.strip()
        if not _SESSION.fullmatch(session):
            raise NotConnected(
                f"The server at {self._named} is not a ProActive scheduler: its login returned no session id.",
                hint=WRONG_ADDRESS,
            )
        return session


def _refused(response: Response, doing: str, address: str) -> None:
    """Raise the error for a refused login: wrong credentials have their own class, any other 404 is an unknown path."""
    try:
        raise_error(response, doing)
    except LoginRefused:
        raise
    except SchedulerError as error:
        if response.status == 404 and b"exceptionClass" not in response.body:
            raise NotConnected(
                f"The server at {address} is not a ProActive scheduler: it has no {address}/rest/scheduler/login.",
                hint=WRONG_ADDRESS,
            ) from error
        if response.status == 401:
            raise LoginRefused(error.message, hint="Check login and password.") from error
        raise
