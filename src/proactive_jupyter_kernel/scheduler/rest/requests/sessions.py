"""Sessions: one for each login, in memory only.

A session is an opaque id, as on a ProActive server: a restarted scheduler knows none, and clients log in again. The
password is the token of the address file, compared in constant time, or that of a lasting login (`access/lasting.py`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proactive_jupyter_kernel.errors import LoginRefused
from proactive_jupyter_kernel.scheduler.access.lasting import LastingLogin, LastingLogins
from proactive_jupyter_kernel.scheduler.access.portal_sessions import PortalSessions
from proactive_jupyter_kernel.scheduler.rest.requests.errors import not_connected

__all__ = ["Session", "Sessions"]


@dataclass(slots=True, kw_only=True)
class Session:
    """One login."""

    id: str
    user: str
    #: Seconds of the clock of `Sessions`.
    renewed: float
    #: Milliseconds since the epoch.
    connected_at: int
    last_submit_at: int = -1
    submissions: int = 0
    #: The lasting login that it was made with; it ends with it. None: made with the token.
    lasting: LastingLogin | None = None


#: Tokens that are kept; a portal asks for one a link.
_MOST_TOKENS = 1000


class Sessions:
    """All logins. `ended` is called with the id of a session that is over."""

    def __init__(
        self,
        *,
        user: str,
        token: str,
        timeout: float,
        clock: Callable[[], float],
        now: Callable[[], int],
        ended: Callable[[str], None],
        lasting: LastingLogins | None = None,
    ) -> None:
        """`clock` gives seconds of a steady clock, `now` milliseconds since the epoch; `timeout` is in seconds."""
        self._lasting = lasting
        # One at a time: a check of a lasting password takes time and memory, and any client may ask for one.
        self._checking = asyncio.Lock()
        self._user = user
        self._token = token.encode()
        self._timeout = timeout
        self._clock = clock
        self._now = now
        self._ended = ended
        self._sessions: dict[str, Session] = {}
        #: Links to portals, and the sessions of browsers that followed them.
        self.portals = PortalSessions(clock=clock, timeout=timeout)
        #: Single-use tokens for links -> the session of each.
        self._tokens: dict[str, str] = {}

    def tokens(self, session: Session, number: int) -> list[str]:
        """New tokens, each good for one request in the session's name; the oldest of very many are forgotten."""
        fresh = [secrets.token_hex(16) for _ in range(number)]
        self._tokens.update(dict.fromkeys(fresh, session.id))
        for token in list(self._tokens)[: max(len(self._tokens) - _MOST_TOKENS, 0)]:
            del self._tokens[token]
        return fresh

    def portal_links(
        self, session: Session, *, path: str, origins: Sequence[str], count: int, seconds: float
    ) -> list[str]:
        """Tokens for single-use links to a page of the portals; they outlive the session, but not its lasting login."""
        return self.portals.links(
            path=path,
            origins=origins,
            user=session.user,
            stands=lambda: not self._revoked(session),
            count=count,
            seconds=seconds,
        )

    def redeem(self, token: str) -> str:
        """The session's id for a token, which ends with that; empty for an unknown one."""
        return self._tokens.pop(token, "")

    async def login(self, user: str, password: str) -> Session:
        """Create a session; raises `LoginRefused`."""
        # Both are always compared, so that the time does not tell which one is wrong.
        right_user = secrets.compare_digest(_bare(user).encode("utf-8", "replace"), self._user.encode())
        right_password = secrets.compare_digest(password.encode("utf-8", "replace"), self._token)
        lasting = None
        if not (right_user and right_password):
            lasting = await self._verified(_bare(user), password)
            if lasting is None:
                raise LoginRefused(
                    "The login or the password is wrong.",
                    hint="The embedded scheduler takes the user and the token of its address file in Jupyter's runtime "
                    "folder, and the logins that `proactive-kernel scheduler login` makes.",
                )
        self._sweep()
        session = Session(
            id=secrets.token_hex(16),
            user=self._user,
            renewed=self._clock(),
            connected_at=self._now(),
            lasting=lasting,
        )
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """The session of an id, None if it is unknown or over. Does not renew it."""
        session = self._sessions.get(session_id)
        if session is not None and (self._clock() - session.renewed > self._timeout or self._revoked(session)):
            self._drop(session_id)
            return None
        return session

    def renewed(self, session_id: str) -> Session | None:
        """As `find`, and renews the session."""
        session = self.find(session_id)
        if session is not None:
            session.renewed = self._clock()
        return session

    def required(self, session_id: str, *, path: str = "") -> Session:
        """As `renewed`; 401 if there is none. `path`: of the route, which decides about the class of the error."""
        session = self.renewed(session_id)
        if session is None:
            raise not_connected(path)
        return session

    def logout(self, session_id: str) -> None:
        """End a session; 401 if there is none."""
        if self.find(session_id) is None:
            raise not_connected()
        self._drop(session_id)

    def all(self) -> list[Session]:
        """The sessions that are not over."""
        self._sweep()
        return list(self._sessions.values())

    async def _verified(self, name: str, password: str) -> LastingLogin | None:
        if self._lasting is None:
            return None
        async with self._checking:
            return await asyncio.to_thread(self._lasting.verified, name, password)

    def _revoked(self, session: Session) -> bool:
        """Whether the lasting login of the session ended."""
        return session.lasting is not None and not (self._lasting and self._lasting.holds(session.lasting))

    def _sweep(self) -> None:
        """Drop what is over; done at each login, so that an idle scheduler needs no timer for it."""
        for session_id in list(self._sessions):
            self.find(session_id)

    def _drop(self, session_id: str) -> None:
        del self._sessions[session_id]
        self._ended(session_id)


def _bare(user: str) -> str:
    """The name without a Windows domain (``DOMAIN\\user``)."""
    return user.rpartition("\\")[2]
