"""Sessions: opened when needed, renewed once, never telling the password."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from proactive_jupyter_kernel.client.login import Credentials, Session
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import LoginRefused, NotConnected, SchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

LISTING = "/scheduler/revisionjobsinfo"


class Canned:
    """A transport that gives one answer to everything."""

    address = "http://canned"

    def __init__(self, response: Response) -> None:
        self.response = response
        self.closed = False

    def request(self, method: str, path: str, **_: Any) -> Response:
        return self.response

    def close(self) -> None:
        self.closed = True


def session(memory: MemoryScheduler) -> Session:
    return Session(memory.transport(), memory.credentials)


def test_the_first_call_logs_in(memory: MemoryScheduler) -> None:
    """A session is opened by need."""
    opened = session(memory)
    assert memory.requests == []
    opened.call("GET", LISTING, doing="list")
    opened.call("GET", LISTING, doing="list")
    assert memory.requests == ["POST /scheduler/login", f"GET {LISTING}", f"GET {LISTING}"]


def test_a_lost_session_is_renewed_once_and_silently(memory: MemoryScheduler) -> None:
    """After an expiry the call is made again in a new session."""
    opened = session(memory)
    opened.call("GET", LISTING, doing="list")
    memory.forget_sessions()
    assert opened.call("GET", LISTING, doing="list").status == 200
    assert memory.requests.count("POST /scheduler/login") == 2


def test_a_changed_password_ends_in_a_refused_login(memory: MemoryScheduler) -> None:
    """If the renewal is refused, the reason is reported and there is no further attempt."""
    credentials = memory.credentials()
    opened = Session(memory.transport(), lambda: credentials)
    opened.open()
    memory.forget_sessions()
    memory.password = "other"
    with pytest.raises(LoginRefused, match=f"log in 'user' at {memory.address}"):
        opened.call("GET", LISTING, doing="list")


def test_a_wrong_password_is_reported_without_showing_it(memory: MemoryScheduler) -> None:
    """The server's 404 for a wrong password is a refused login."""
    opened = Session(memory.transport(), lambda: Credentials(login="user", password=Secret("hunter2")))
    with pytest.raises(LoginRefused) as caught:
        opened.open()
    assert "hunter2" not in str(caught.value)
    assert "Check login and password" in caught.value.hint


@pytest.mark.parametrize(
    "response",
    [
        Response(status=404, body=b"<html>nothing here</html>", headers={"content-type": "text/html"}),
        Response(status=200, body=b"<html>welcome</html>"),
        Response(status=200),
    ],
)
def test_what_is_not_a_scheduler_is_recognized(response: Response) -> None:
    """A web site that knows no login is no scheduler, and no wrong password."""
    with pytest.raises(NotConnected, match="The server at http://canned is not a ProActive scheduler"):
        Session(Canned(response), lambda: Credentials(login="u", password=Secret("p"))).open()


def test_a_server_in_trouble_is_neither(memory: MemoryScheduler) -> None:
    """Another failure of the login is given in the server's words."""
    response = Response(status=503, body=b"starting", headers={"content-type": "text/plain"})
    with pytest.raises(
        SchedulerUnreachable, match=r"http://canned does not answer: a gateway .* '503 Service Unavailable: starting'"
    ):
        Session(Canned(response), lambda: Credentials(login="u", password=Secret("p"))).open()


def test_closing_logs_out_and_forgives_a_dead_server(memory: MemoryScheduler) -> None:
    """Leaving is no occasion for errors."""
    opened = session(memory)
    opened.open()
    opened.close()
    assert memory.requests[-1] == "PUT /scheduler/disconnect"
    opened.open()
    memory.reachable = False
    opened.close()


def test_closing_ends_the_connections_though_nobody_had_logged_in() -> None:
    """They may be open from a login that was refused."""
    transport = Canned(Response(status=404))
    Session(transport, lambda: Credentials(login="u", password=Secret("p"))).close()
    assert transport.closed


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_is_no_answer(memory: MemoryScheduler, status: int) -> None:
    """From 400 on."""
    opened = session(memory)
    opened.open()
    body = b'{"httpErrorCode": 1, "errorMessage": "no", "exceptionClass": "java.lang.IllegalArgumentException"}'
    opened.transport = Canned(Response(status=status, body=body, headers={"content-type": "application/json"}))
    with pytest.raises(SchedulerError, match="no"):
        opened.call("GET", LISTING, doing="list")


def test_a_secret_shows_nowhere() -> None:
    """Its text is not in any of its forms, and it cannot be pickled."""
    secret = Secret("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", repr(Credentials(login="u", password=secret))]
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"
    assert (secret == Secret("hunter2"), secret == "hunter2", bool(Secret(""))) == (True, False, False)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_two_threads_do_not_renew_twice(memory: MemoryScheduler) -> None:
    """A session that somebody else renewed in the meantime is taken as it is."""
    opened = session(memory)
    opened.open()
    first = opened._id
    memory.forget_sessions()
    assert opened._renewed(first) == opened._renewed(first)
    assert memory.requests.count("POST /scheduler/login") == 2


@pytest.mark.parametrize("body", ['{"a": 1}', "<html>", "", "two words", "x" * 501])
def test_an_answer_that_is_not_a_session_id(body: str) -> None:
    """What answers there is no scheduler, although it says 200."""
    opened = Session(Canned(Response(status=200, body=body.encode())), MemoryScheduler().credentials)
    with pytest.raises(NotConnected, match="its login returned no session id"):
        opened.open()
