"""The HTTP form of a transport, against httpx2's own stand-in for the wire."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import httpx2
import pytest

from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport, Part, Response, path_of
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable

Handler = Callable[[httpx2.Request], httpx2.Response]


def transport(handler: Handler, url: str = "http://host:8080") -> HttpTransport:
    return HttpTransport(url, inner=httpx2.MockTransport(handler))


def failing(error: Exception) -> Handler:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise error

    return handler


def test_a_request_goes_below_rest_with_path_and_query_as_given() -> None:
    """Encoded names stay encoded once, and a query may hold any text."""
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, text="yes")

    path = path_of("scheduler", "jobs", 7, "tasks", "é#1*2/x")
    answer = transport(handler).request("GET", path, query=[("a b", "c&=é")], headers={"sessionid": "s"})
    assert str(seen[0].url) == ("http://host:8080/rest/scheduler/jobs/7/tasks/%C3%A9%231%2A2%2Fx?a+b=c%26%3D%C3%A9")
    assert seen[0].headers["sessionid"] == "s"
    assert (answer.status, answer.text) == (200, "yes")


@pytest.mark.parametrize(
    "url", ["http://host:8080", "http://host:8080/", "http://host:8080/rest", "http://host:8080/rest/"]
)
def test_the_address_may_end_in_rest(url: str) -> None:
    """The server's root and its REST address mean the same."""
    assert HttpTransport(url).address == "http://host:8080"


def test_parts_have_a_type_and_no_file_name() -> None:
    """The scheduler tells the workflow from the variables by name and type alone."""
    seen: list[bytes] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.read())
        return httpx2.Response(200)

    parts = [
        Part(name="file", content="<é/>".encode(), content_type="application/xml"),
        Part(name="variables", content=b"{}", content_type="application/json"),
    ]
    transport(handler).request("POST", "/scheduler/submit", parts=parts)
    assert b'name="file"\r\nContent-Type: application/xml\r\n\r\n<\xc3\xa9/>' in seen[0]
    assert b'name="variables"\r\nContent-Type: application/json' in seen[0]
    assert b"filename" not in seen[0]


def test_a_form_carries_secrets_to_the_letter() -> None:
    """Passwords with every sign arrive as they are, with the length told."""
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        request.read()
        seen.append(request)
        return httpx2.Response(200)

    form = {"username": "DOM\\user@x", "password": Secret("p@ss=w0rd!&% é+")}
    transport(handler).request("POST", "/scheduler/login", form=form)
    assert httpx2.QueryParams(seen[0].content.decode()) == httpx2.QueryParams(
        {"username": "DOM\\user@x", "password": "p@ss=w0rd!&% é+"}
    )
    assert seen[0].headers["content-length"] == str(len(seen[0].content))


def test_no_answer_names_the_address_and_what_was_tried() -> None:
    """A refused connection is an error with the address, and surely had no effect."""
    with pytest.raises(
        SchedulerUnreachable, match=r"http://host:8080 \(tried http://host:8080/rest\): refused"
    ) as caught:
        transport(failing(httpx2.ConnectError("refused"))).request("GET", "/x")
    assert not caught.value.in_doubt


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ReadTimeout("x"), "no answer within 60 s"),
        (httpx2.ConnectTimeout("x"), "no connection within 10 s"),
        (httpx2.RemoteProtocolError("Server disconnected"), "Server disconnected"),
        (httpx2.ConnectError("[Errno 111] Connection refused"), "nothing listens on that port ([Errno 111]"),
        (httpx2.ConnectError("[Errno -2] Name or service not known"), "there is no host of that name"),
        (httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "verify=off"),
    ],
)
def test_what_kept_the_answer_away_is_reported(error: Exception, said: str) -> None:
    """Each way of not answering has its own words."""
    with pytest.raises(SchedulerUnreachable) as caught:
        transport(failing(error)).request("POST", "/x")
    assert said in str(caught.value)


def test_a_lost_answer_leaves_the_request_in_doubt() -> None:
    """After the request was sent it is unknown whether it was executed."""
    with pytest.raises(SchedulerUnreachable) as caught:
        transport(failing(httpx2.ReadError("reset"))).request("POST", "/x")
    assert caught.value.in_doubt


def test_a_failed_login_keeps_the_password_out_of_the_traceback() -> None:
    """Neither the message nor the locals of any frame hold the password."""
    try:
        transport(failing(httpx2.ConnectError("refused"))).request(
            "POST", "/scheduler/login", form={"username": "u", "password": Secret("hunter2")}
        )
    except SchedulerUnreachable as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert "hunter2" not in "".join(shown.format())
    else:
        pytest.fail("no error")


def test_a_wrong_address_is_an_error_of_ours() -> None:
    """An address without a scheme is unreachable, with the remedy."""
    with pytest.raises(SchedulerUnreachable, match="An address starts with http"):
        HttpTransport("host:8080x").request("GET", "/x")


def test_an_answer_that_is_not_json_is_named() -> None:
    """What a proxy answers in the scheduler's place is shown, with a hint."""
    with pytest.raises(SchedulerError, match="not JSON: '<html>'"):
        Response(status=200, body=b"<html>").json()
    assert Response(status=204).json() is None


def test_closing_lets_go_and_the_next_request_opens_again() -> None:
    """A closed transport can be used again."""
    carrier = transport(lambda request: httpx2.Response(200))
    carrier.request("GET", "/x")
    carrier.close()
    assert carrier.request("GET", "/x").status == 200


def test_a_proxy_is_never_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded scheduler's token stays on the machine whatever the environment says."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(SchedulerUnreachable) as caught:
        HttpTransport("http://127.0.0.1:1", timeout=2).request("GET", "/x")
    assert "refused" in str(caught.value).lower()
