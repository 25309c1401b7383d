"""A session on a scheduler: opened by the first call, renewed once and silently when the scheduler forgot it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.client.error_mapping import is_session_lost, raise_error
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import Part, Response, Transport
from proactive_jupyter_kernel.errors import LoginRefused, NotConnected, SchedulerError

__all__ = ["Credentials", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login name, to the letter (``DOMAIN\\user`` too), and its password."""

    login: str
    password: Secret


class Session:
    """Calls to one scheduler in one login; safe to use from several threads.

    `credentials` is asked at each login, since the embedded scheduler has a new token after each start.
    """

    def __init__(self, transport: Transport, credentials: Callable[[], Credentials]) -> None:
        self.transport = transport
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
        """The answer of a request that was obeyed (status below 400).

        `doing` completes "The scheduler refused to …". Raises a `SchedulerError` of the kind that the scheduler's
        refusal means; `NotConnected` only where a fresh session is refused, too.
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
        response = attempt(used)
        if is_session_lost(response):
            response = attempt(self._renewed(used))
        if response.status >= 400:
            raise_error(response, doing)
        return response

    def open(self) -> None:
        """Log in now; nothing where a session is open. Raises `LoginRefused` or `SchedulerUnreachable`."""
        self._current()

    def close(self) -> None:
        """Log out, if logged in; a scheduler that is away or has forgotten us is no reason to complain."""
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

    def _renewed(self, lost: str) -> str:
        """A session other than the lost one: somebody else's thread may have renewed it already."""
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
        if response.status >= 400:
            _refused(response, f"log in {credentials.login!r} at {address}", address)
        session = response.text.strip()
        if not session or len(session) > 500 or "<" in session:
            raise NotConnected(
                f"What answers at {address} is not a ProActive scheduler: its login gave no session id.",
                hint="Check host and port; the scheduler's web address is usually http://HOST:8080.",
            )
        return session


def _refused(response: Response, doing: str, address: str) -> None:
    """A refused login: wrong credentials have a class of their own, any other 404 means an unknown path."""
    try:
        raise_error(response, doing)
    except LoginRefused:
        raise
    except SchedulerError as error:
        if response.status == 404 and b"exceptionClass" not in response.body:
            raise NotConnected(
                f"What answers at {address} is not a ProActive scheduler: it has no {address}/rest/scheduler/login.",
                hint="Check host and port; the scheduler's web address is usually http://HOST:8080.",
            ) from error
        if response.status == 401:
            raise LoginRefused(error.message, hint="Check login and password.") from error
        raise
