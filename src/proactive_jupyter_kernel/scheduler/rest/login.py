"""Sessions: logging in, looking up, logging out (``/scheduler``, ``/common``, ``/rm`` and ``/studio`` alike).

A session is an opaque id, in memory only, as on a ProActive server: a restarted scheduler knows none, and clients log
in again. The password is the token of the address file; it is compared in constant time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.errors import LoginRefused
from proactive_jupyter_kernel.scheduler.rest.call import Call, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.errors import not_connected
from proactive_jupyter_kernel.scheduler.rest.routing import Route

__all__ = ["ROUTES", "Session", "Sessions"]


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
    ) -> None:
        """`clock` gives seconds of a steady clock, `now` milliseconds since the epoch; `timeout` is in seconds."""
        self._user = user
        self._token = token.encode()
        self._timeout = timeout
        self._clock = clock
        self._now = now
        self._ended = ended
        self._sessions: dict[str, Session] = {}

    def login(self, user: str, password: str) -> Session:
        """A new session with an id of its own; raises `LoginRefused`."""
        # Both are compared whatever the first says, so that the time tells nothing.
        right_user = secrets.compare_digest(_bare(user).encode("utf-8", "replace"), self._user.encode())
        right_password = secrets.compare_digest(password.encode("utf-8", "replace"), self._token)
        if not (right_user and right_password):
            raise LoginRefused(
                "The login or the password is wrong.",
                hint="The embedded scheduler takes the user and the token of its address file in Jupyter's runtime "
                "folder.",
            )
        self._sweep()
        session = Session(id=secrets.token_hex(16), user=self._user, renewed=self._clock(), connected_at=self._now())
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """The session of an id, None if it is unknown or over. Does not renew it."""
        session = self._sessions.get(session_id)
        if session is not None and self._clock() - session.renewed > self._timeout:
            self._drop(session_id)
            return None
        return session

    def renewed(self, session_id: str) -> Session | None:
        """As `find`, and the session lasts on."""
        session = self.find(session_id)
        if session is not None:
            session.renewed = self._clock()
        return session

    def required(self, session_id: str) -> Session:
        """As `renewed`; 401 if there is none."""
        session = self.renewed(session_id)
        if session is None:
            raise not_connected()
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


async def put_session(call: Call) -> Response:
    """Renew the session of the header if it lives, else log in."""
    known = call.sessions.renewed(call.header("sessionid"))
    if known is not None:
        return text_answer(call, known.id)
    return await login(call)


async def login(call: Call) -> Response:
    """Log in; the body of the answer is the bare session id."""
    fields = await call.form()
    if "credential" in fields:
        raise LoginRefused(
            "The embedded scheduler has no credential files.", hint="Log in with its user and token instead."
        )
    session = call.sessions.login(fields.get("username", ""), fields.get("password", ""))
    return text_answer(call, session.id)


async def logout(call: Call) -> Response:
    """End the session."""
    call.sessions.logout(call.header("sessionid"))
    return no_content()


async def is_connected(call: Call) -> Response:
    """``true``; without a session the route answers 401."""
    return json_answer(True)


async def connected(call: Call) -> Response:
    """Whether the session of the header lives; does not renew it."""
    return json_answer(call.sessions.find(call.header("sessionid")) is not None)


async def current_user(call: Call) -> Response:
    """The user's name; does not renew the session. Without one: empty (204)."""
    session = call.sessions.find(call.header("sessionid"))
    return no_content() if session is None else text_answer(call, session.user)


async def current_user_data(call: Call) -> Response:
    """What the user may do: everything, it is their own scheduler."""
    session = call.sessions.find(call.header("sessionid"))
    return no_content() if session is None else json_answer(user_data(session.user))


async def login_of(call: Call) -> Response:
    """The user of a session id, or the empty text."""
    session = call.sessions.find(call.params["session"])
    return text_answer(call, session.user if session else "")


async def user_data_of(call: Call) -> Response:
    """The user data of a session id, or 204."""
    session = call.sessions.find(call.params["session"])
    return no_content() if session is None else json_answer(user_data(session.user))


async def users(call: Call) -> Response:
    """Who is connected."""
    return json_answer([_user(session) for session in call.sessions.all()])


async def users_with_jobs(call: Call) -> Response:
    """Who has jobs: the one user there is, if there is a job."""
    from proactive_jupyter_kernel.scheduler.store.base import JobQuery

    jobs = call.service.ask.jobs(JobQuery(limit=0)).total
    newest = max(call.sessions.all(), key=lambda session: session.renewed, default=None)
    return json_answer([_user(newest)] if jobs and newest else [])


def _user(session: Session) -> dict[str, Any]:
    return {
        "hostName": "localhost",
        "groups": [],
        "tenant": None,
        "domain": None,
        "username": session.user,
        "connectionTime": session.connected_at,
        "lastSubmitTime": session.last_submit_at,
        "submitNumber": session.submissions,
        "myEventsOnly": False,
    }


_PERMISSIONS = (
    "allTenantPermission",
    "allJobPlannerPermission",
    "allCatalogPermission",
    "canCreateAssociationPermission",
    "roleReadPermission",
    "roleAdminPermission",
    "pcaAdminPermission",
    "notificationAdminPermission",
    "rmCoreAllPermission",
    "schedulerAdminPermission",
    "otherUsersJobReadPermission",
    "manageUsersPermission",
    "prioritiesPermission",
)


def user_data(user: str) -> dict[str, Any]:
    """UserData: one user, who owns the scheduler."""
    return {
        "userName": user,
        "groups": [],
        "tenant": None,
        "domain": None,
        "filterByTenant": False,
        **dict.fromkeys(_PERMISSIONS, True),
        "notificationAdminPermission": False,
        "handleOnlyMyJobsPermission": False,
        "changePasswordPermission": False,
        "portalAccessPermission": [],
        "portalAccessPermissionDisplay": [],
        "adminRoles": [],
    }


ROUTES = (
    Route("PUT", "/scheduler/session", put_session, "Renew the session or log in.", session=False),
    *(
        Route("POST", f"/{root}/login", login, "Log in.", session=False)
        for root in ("scheduler", "common", "rm", "studio")
    ),
    Route("PUT", "/scheduler/disconnect", logout, "Log out."),
    Route("POST", "/rm/disconnect", logout, "Log out."),
    Route("PUT", "/common/logout", logout, "Log out."),
    Route("PUT", "/studio/logout", logout, "Log out."),
    Route("GET", "/scheduler/isconnected", is_connected, "true, or 401."),
    Route("GET", "/common/connected", connected, "Whether the session lives, never 401.", session=False),
    Route("GET", "/studio/connected", connected, "Whether the session lives, never 401.", session=False),
    Route("GET", "/common/currentuser", current_user, "The session's user.", session=False),
    Route("GET", "/studio/currentuser", current_user, "The session's user.", session=False),
    Route("GET", "/common/currentuserdata", current_user_data, "What the user may do.", session=False),
    Route("GET", "/studio/currentuserdata", current_user_data, "What the user may do.", session=False),
    Route("GET", "/scheduler/logins/sessionid/{session}", login_of, "The user of a session.", session=False),
    Route(
        "GET", "/scheduler/logins/sessionid/{session}/userdata", user_data_of, "What that user may do.", session=False
    ),
    Route("GET", "/scheduler/users", users, "Connected users."),
    Route("GET", "/scheduler/userswithjobs", users_with_jobs, "Users having jobs."),
)
