"""Who may see the portals: single-use links, and the sessions of browsers that followed one.

A REST client that is logged in asks for links. A link is good once, for minutes; who follows it gets a portal
session with a key of its own, never the id of the REST session. The key is in a cookie or, in a frame, where browsers
keep cookies back, in the path. All of it is in memory: a restarted scheduler knows no key.

Tokens of links have 192 random bits and keys of sessions 256, so guessing needs no limit of attempts. They are looked
up by their digests: how long a look-up takes says nothing about a token that is nearly right.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from asyncio import Future
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ROOTS", "Link", "LinkRefused", "Message", "PortalSession", "PortalSessions", "Sent"]

#: The first parts of paths of pages; a link leads to one of them.
ROOTS = ("scheduler", "rm", "automation-dashboard")
#: Seconds that a link is good for, unless the client asks for more, and the most that it may ask for.
LINK_SECONDS, MOST_LINK_SECONDS = 300.0, 3600.0
#: Links that are kept, used ones as well, so that the page of one that is used can say so; the oldest go first.
_MOST_LINKS = 1000
#: Sessions of browsers at the same time; the one that was not used for longest goes first.
_MOST_SESSIONS = 200
_MOST_ORIGINS = 20
#: ``http://localhost:8888``, ``https://hub.example.org``. The pages and web views of an editor have schemes of their
#: own, and the name of a web view is not known in advance.
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?|vscode-(?:webview|file):")
_PATH = re.compile(r"/[!-\[\]-~]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What came of an action, for the next page of the session."""

    text: str
    #: A name in the table of tokens: ``ok``, ``bad``, ``attention``.
    tone: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that was sent, and what it does."""

    #: The page and the fields.
    given: object
    #: Milliseconds since the epoch until which the same form is this one.
    until: int
    doing: Future[Any]


@dataclass(slots=True, kw_only=True)
class PortalSession:
    """One browser that followed a link."""

    key: str
    user: str
    #: Who may show it in a frame, and send its forms.
    origins: tuple[str, ...]
    #: Whether the key stands in the path. A key of a frame is not good as a cookie, nor the other way round.
    framed: bool
    #: Whether the login that the link was made with still stands.
    stands: Callable[[], bool]
    #: Seconds of the clock of `PortalSessions`.
    used: float
    #: To be shown with the next page.
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=5))
    #: The last form that submitted something.
    sent: Sent | None = None


@dataclass(slots=True, kw_only=True)
class Link:
    """A single-use link."""

    path: str
    origins: tuple[str, ...]
    user: str
    stands: Callable[[], bool]
    #: Seconds of the clock of `PortalSessions`.
    expires: float
    used: bool = False


class LinkRefused(Exception):
    """A link leads nowhere: it is unknown, was used or has expired."""

    def __init__(self, reason: str, origins: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        #: Who may show the refusal in a frame.
        self.origins = origins


class PortalSessions:
    """All links and sessions of portals."""

    def __init__(self, *, clock: Callable[[], float], timeout: float) -> None:
        """`clock` gives seconds of a steady clock; `timeout` is how many of them a session lasts without a request."""
        self._clock = clock
        self._timeout = timeout
        #: Digest of a token -> the link.
        self._links: dict[bytes, Link] = {}
        #: Held while a link is used up: of two who follow it at the same moment, in whatever thread, one gets in.
        self._using = threading.Lock()
        #: Digest of a key -> the session.
        self._sessions: dict[bytes, PortalSession] = {}
        #: Digest of the key of a session in a frame that is over -> who may show that it is.
        self._over: dict[bytes, tuple[str, ...]] = {}

    def links(
        self,
        *,
        path: str,
        origins: Sequence[str],
        user: str,
        stands: Callable[[], bool],
        count: int = 1,
        seconds: float = LINK_SECONDS,
    ) -> list[str]:
        """Tokens for new links to a page; ValueError for a path or an origin that cannot be one."""
        if not _PATH.fullmatch(path) or path[1:].partition("?")[0].partition("/")[0] not in ROOTS:
            known = ", ".join(f"/{root}/" for root in ROOTS)
            raise ValueError(f"'path' must be the path of a portal's page, below {known}; not {path[:80]!r}.")
        if len(origins) > _MOST_ORIGINS:
            raise ValueError(f"'origins' must name at most {_MOST_ORIGINS} origins, not {len(origins)}.")
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"'origins' must be like http://localhost:8888, not {origin[:80]!r}.")
        tokens = [secrets.token_urlsafe(24) for _ in range(count)]
        expires = self._clock() + min(seconds, MOST_LINK_SECONDS)
        for token in tokens:
            self._links[_digest(token)] = Link(
                path=path, origins=tuple(origins), user=user, stands=stands, expires=expires
            )
        for digest in list(self._links)[: max(len(self._links) - _MOST_LINKS, 0)]:
            del self._links[digest]
        return tokens

    def enter(self, token: str, *, framed: bool) -> tuple[PortalSession, str]:
        """A new session for who follows a link, and the path that the link leads to; `LinkRefused`."""
        link = self._links.get(_digest(token))
        if link is None:
            raise LinkRefused("This link is not known to the scheduler. It may be from before its last start.")
        with self._using:
            if link.used:
                raise LinkRefused("This link was used already. Each link is good once.", link.origins)
            if self._clock() > link.expires or not link.stands():
                raise LinkRefused("This link has expired.", link.origins)
            link.used = True
            session = PortalSession(
                key=secrets.token_urlsafe(32),
                user=link.user,
                origins=link.origins,
                framed=framed,
                stands=link.stands,
                used=self._clock(),
            )
            self._sweep()
            self._sessions[_digest(session.key)] = session
        return session, link.path

    def find(self, key: str, *, framed: bool) -> PortalSession | None:
        """The session of a key, which lasts on; None if it is unknown or over."""
        session = self._sessions.get(_digest(key))
        if session is None or session.framed is not framed:
            return None
        if not self._lasts(session):
            self.end(session)
            return None
        session.used = self._clock()
        return session

    def lasts(self, session: PortalSession) -> bool:
        """Whether the session is not over; does not renew it."""
        return _digest(session.key) in self._sessions and self._lasts(session)

    def end(self, session: PortalSession) -> None:
        """Log out."""
        digest = _digest(session.key)
        if self._sessions.pop(digest, None) is not None and session.framed:
            self._over[digest] = session.origins
            for oldest in list(self._over)[: max(len(self._over) - _MOST_SESSIONS, 0)]:
                del self._over[oldest]

    def origins_of_ended(self, key: str) -> tuple[str, ...]:
        """The origins that may frame the message that the session of this key has ended; none for an unknown key."""
        return self._over.get(_digest(key), ())

    def _lasts(self, session: PortalSession) -> bool:
        return self._clock() - session.used <= self._timeout and session.stands()

    def _sweep(self) -> None:
        for session in [each for each in self._sessions.values() if not self._lasts(each)]:
            self.end(session)
        by_use = sorted(self._sessions.values(), key=lambda session: session.used)
        for session in by_use[: max(len(by_use) - _MOST_SESSIONS + 1, 0)]:
            self.end(session)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
