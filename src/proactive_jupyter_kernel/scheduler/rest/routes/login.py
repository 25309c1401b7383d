"""Logging in, looking up, logging out (``/scheduler``, ``/common``, ``/rm`` and ``/studio`` alike)."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.dto.users import user_data, user_record, user_with_jobs
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, FORM, JSON, TEXT, Route
from proactive_jupyter_kernel.scheduler.store.query import JobQuery

__all__ = ["ROUTES"]


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
        raise RestError(
            404,
            "java.security.KeyException",
            "The embedded scheduler takes no credential files. Log in with its user and token instead.",
        )
    session = await call.sessions.login(fields.get("username", ""), fields.get("password", ""))
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
    return json_answer([user_record(session) for session in call.sessions.all()])


async def users_with_jobs(call: Call) -> Response:
    """Who has jobs: the one user there is, if there is a job."""
    jobs = await call.read(lambda ask: ask.jobs(JobQuery(limit=1, sort=(("submitted_at", True),))))
    if not jobs.rows:
        return json_answer([])
    latest = jobs.rows[0].record
    return json_answer([user_with_jobs(latest.owner, submitted_at=latest.submitted_at, jobs=jobs.total)])


#: The type of names and ids: the studio's are unquoted JSON.
_TEXT_OF = {"scheduler": TEXT, "common": TEXT, "rm": TEXT, "studio": JSON}
_WHOSE = "/logins/sessionid/{session}"

ROUTES = (
    Route(
        "PUT", "/scheduler/session", put_session, "Renew the session or log in.", session=False, gives=TEXT, takes=FORM
    ),
    *(
        Route("POST", f"/{root}/login", login, "Log in.", session=False, gives=kinds, takes=FORM)
        for root, kinds in _TEXT_OF.items()
    ),
    Route("PUT", "/scheduler/disconnect", logout, "Log out.", gives=ANYTHING),
    Route("POST", "/rm/disconnect", logout, "Log out.", gives=ANYTHING),
    Route("PUT", "/common/logout", logout, "Log out.", gives=ANYTHING),
    Route("PUT", "/studio/logout", logout, "Log out.", gives=ANYTHING),
    Route("GET", "/scheduler/isconnected", is_connected, "true, or 401."),
    *(
        Route("GET", f"/{root}/connected", connected, "Whether the session lives, never 401.", session=False)
        for root in ("common", "studio")
    ),
    *(
        Route("GET", f"/{root}/currentuser", current_user, "The session's user.", session=False, gives=_TEXT_OF[root])
        for root in ("common", "studio")
    ),
    *(
        Route("GET", f"/{root}/currentuserdata", current_user_data, "What the user may do.", session=False)
        for root in ("common", "studio")
    ),
    *(
        Route("GET", f"/{root}{_WHOSE}", login_of, "The user of a session.", session=False, gives=TEXT)
        for root in ("scheduler", "rm")
    ),
    *(
        Route("GET", f"/{root}{_WHOSE}/userdata", user_data_of, "What that user may do.", session=False)
        for root in ("scheduler", "rm")
    ),
    Route("GET", "/scheduler/users", users, "Connected users."),
    Route("GET", "/scheduler/userswithjobs", users_with_jobs, "Users having jobs."),
)
