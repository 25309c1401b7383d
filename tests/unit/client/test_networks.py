"""Slow, cut and lossy networks, gateways with pages of their own, and certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.faulty_proxy import TLS, Fault, FaultyProxy

from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.login import Credentials, Session
from proactive_jupyter_kernel.client.scheduler import Scheduler, reach
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import (
    LoginRefused,
    NotConnected,
    SchedulerError,
    SchedulerUnreachable,
    SetupError,
)
from proactive_jupyter_kernel.testing.memory_jobs import ScriptedOutcome
from standin import StandIn

pytestmark = pytest.mark.usefixtures("no_proxy_of_the_machine")

XML = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="demo"><taskFlow>'
    '<task name="A"><scriptExecutable><script><code language="bash"><![CDATA[true]]></code></script></scriptExecutable>'
    "</task></taskFlow></job>"
)
PAGE = b"<!DOCTYPE html><html><head><title>%b</title></head><body>no</body></html>"


@pytest.fixture
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(outcomes={"A": ScriptedOutcome(result=1, lines=(("out", "hello"),))}) as found:
        yield found


class Client(Protocol):
    """Makes a scheduler at an address."""

    def __call__(
        self, url: str, *, verify: bool | str = True, timeout: float = 10.0, source: str = "", password: str = "secret"
    ) -> Scheduler: ...


@pytest.fixture
def client() -> Iterator[Client]:
    transports: list[HttpTransport] = []

    def make(
        url: str, *, verify: bool | str = True, timeout: float = 10.0, source: str = "", password: str = "secret"
    ) -> Scheduler:
        transports.append(HttpTransport(url, verify=verify, timeout=timeout, source=source, sleep=lambda seconds: None))
        credentials = Credentials(login="user", password=Secret(password))
        return Scheduler(Session(transports[-1], lambda: credentials, source=source), sleep=lambda seconds: None)

    yield make
    for transport in transports:
        transport.close()


BREAKS = {
    "no answer": Fault(to="/info", times=2, close=True),
    "half an answer": Fault(to="/info", times=2, cut_after=20),
    "lost after it was done": Fault(to="/info", times=2, close=True, cut_after=0),
}


@pytest.mark.parametrize("fault", BREAKS.values(), ids=BREAKS)
def test_what_only_asks_is_asked_again(server: StandIn, client: Client, fault: Fault) -> None:
    """A connection that breaks twice is not noticed."""
    with FaultyProxy(server.url, fault) as proxy:
        scheduler = client(proxy.url)
        job = scheduler.submit(XML)
        assert scheduler.info(job.id).name == "demo"
        assert len([one for one in proxy.requests if one.endswith("/info")]) == 3


def test_a_connection_that_always_breaks_is_an_error(server: StandIn, client: Client) -> None:
    """After two repetitions, with the address."""
    with FaultyProxy(server.url, Fault(to="/info", cut_after=3)) as proxy:
        with pytest.raises(SchedulerUnreachable, match=r": the (answer was cut off|connection broke)"):
            client(proxy.url).info(1)
        assert len([one for one in proxy.requests if one.endswith("/info")]) == 3


LOST = {
    "not delivered": Fault(to="/submit", close=True),
    "answer lost": Fault(to="/submit", close=True, cut_after=0),
    "half an answer": Fault(to="/submit", cut_after=5),
    "bad gateway": Fault(to="/submit", status=502, body=PAGE % b"502 Bad Gateway"),
    "too slow": Fault(to="/submit", delay=1.0),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_submission_is_never_sent_twice(server: StandIn, client: Client, fault: Fault) -> None:
    """Its answer is lost: that is said, with where to look."""
    with FaultyProxy(server.url, fault) as proxy:
        with pytest.raises(SchedulerUnreachable) as caught:
            client(proxy.url, timeout=0.5 if fault.delay else 10.0).submit(XML)
        assert len([one for one in proxy.requests if "/submit" in one]) == 1
        assert caught.value.in_doubt
        assert "It is not known whether the job was submitted." in caught.value.message
        assert "#%list_submitted_jobs()" in caught.value.hint


def test_a_submission_after_the_session_ended_is_sent_again(server: StandIn, client: Client) -> None:
    """The server refused the first one, so that there is one job."""
    scheduler = client(server.url)
    scheduler.log_in()
    server.forget_sessions()
    job = scheduler.submit(XML)
    assert [info.id for info in scheduler.jobs()] == [job.id]


def test_a_job_is_followed_over_a_restart_of_the_server(server: StandIn, client: Client) -> None:
    """The gateway says 503 for a while, then the session is unknown."""
    with FaultyProxy(server.url) as proxy:
        scheduler = client(proxy.url)
        job = scheduler.submit(XML)
        server.forget_sessions()
        proxy.faults.append(Fault(to="/", times=5, status=503, body=PAGE % b"Service Unavailable"))
        ended = job.wait(patience=60)
        assert (ended.ended, [task.name for task in ended.tasks]) == (True, ["A"])


def test_files_are_sent_again_where_the_connection_breaks(server: StandIn, client: Client, tmp_path: Path) -> None:
    """An upload stores the same files; a lost session closes the connection in its middle."""
    (tmp_path / "a.txt").write_text("a")
    with FaultyProxy(server.url, Fault(to="PUT /rest/data/", times=4, close=True)) as proxy:
        scheduler = client(proxy.url)
        scheduler.log_in()
        server.forget_sessions()
        assert scheduler.space().upload("f", [("a.txt", tmp_path / "a.txt")]) == 1
        assert scheduler.space().download("f", tmp_path / "back") == (tmp_path / "back" / "a.txt",)


GATEWAYS = {
    "502": (502, {}, PAGE % b"502 Bad Gateway", "does not answer: a gateway before it, .*'502 Bad Gateway'"),
    "503": (503, {"content-type": "text/plain"}, b"starting", "'503 Service Unavailable: starting'"),
    "504": (504, {}, b"", "'504 Gateway Timeout'"),
    "login page": (200, {}, PAGE % b"Sign in", "A web page answered in place of the scheduler at .*'Sign in'"),
    "to https": (301, {"location": "https://h:8443/rest/x"}, b"", r"redirects to https://h:8443\.$"),
    "to a login": (302, {"location": "https://sso.example/login?to=x"}, b"", "to a login page at https://sso.example,"),
    "proxy login": (407, {}, PAGE % b"Proxy", r"wants a login \(HTTP status 407\)"),
    "forbidden page": (
        403,
        {},
        PAGE % b"Access &amp; denied",
        "a web page answered with HTTP status 403: Access & denied",
    ),
    "error page": (500, {}, PAGE % b"Oops", "a web page answered with HTTP status 500: Oops"),
}


@pytest.mark.parametrize(("status", "headers", "body", "said"), GATEWAYS.values(), ids=GATEWAYS)
def test_what_a_gateway_says_is_not_taken_for_an_answer(
    server: StandIn, client: Client, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    """Its page is named, its redirection is not followed."""
    with FaultyProxy(server.url, Fault(to="/info", status=status, headers=headers, body=body)) as proxy:
        with pytest.raises(SchedulerError) as caught:
            client(proxy.url).info(1)
        assert re.search(said, caught.value.message), caught.value.message
        assert caught.value.hint or status in (500,)


def test_a_redirection_to_https_of_the_same_host_says_what_to_write(server: StandIn, client: Client) -> None:
    """The login is not sent there by itself."""
    fault = Fault(to="/login", status=301, headers={"location": "https://127.0.0.1:8443/rest/scheduler/login"})
    with FaultyProxy(server.url, fault) as proxy, pytest.raises(NotConnected) as caught:
        client(proxy.url).log_in()
    assert caught.value.hint == "Connect there: url=https://127.0.0.1:8443."


def test_a_base_path_is_used_and_a_wrong_one_is_reported(server: StandIn, client: Client) -> None:
    """Behind a gateway a server may have a path."""
    with FaultyProxy(server.url, path="/pro/active") as proxy:
        assert client(f"{proxy.url}/rest").submit(XML).name == "demo"
    with FaultyProxy(server.url, Fault(to="/", status=404, body=PAGE % b"Not Found")) as proxy:
        with pytest.raises(NotConnected, match="is not a ProActive scheduler") as caught:
            client(f"{proxy.url}/wrong").log_in()
        assert "url=https://HOST/PATH" in caught.value.hint


def test_a_server_is_looked_for_before_anybody_types_a_password(server: StandIn) -> None:
    """The version needs no login; where the address is from is in the message."""
    reach(Settings(url=server.url))
    said = r"\(address from /x/proactive_config.ini\) is not a ProActive"
    fault = Fault(to="/", status=404, body=PAGE % b"Not Found")
    with FaultyProxy(server.url, fault) as proxy, pytest.raises(NotConnected, match=said):
        reach(Settings(url=proxy.url, source="/x/proactive_config.ini"))
    with pytest.raises(SchedulerUnreachable, match=r"\(address from my\.ini; tried http://127\.0\.0\.1:1/rest\)"):
        reach(Settings(url="http://127.0.0.1:1", source="my.ini"))


@pytest.mark.parametrize("form", ["plain", "encoded", "json", "html"])
def test_a_login_error_that_repeats_the_form_shows_no_password(server: StandIn, client: Client, form: str) -> None:
    """However the server, or a gateway before it, writes it."""
    echoed = {
        "plain": b"bad form: username=user&password=p<w/0rd+1",
        "encoded": b"bad form: username=user&password=p%3Cw%2F0rd%2B1",
        "json": b'{"errorMessage": "no user for p<w/0rd+1", "exceptionClass": "x.LoginException"}',
        "html": PAGE % b"no p&lt;w/0rd+1",
    }[form]
    fault = Fault(to="/login", status=400, body=echoed)
    with FaultyProxy(server.url, fault) as proxy, pytest.raises(SchedulerError) as caught:
        client(proxy.url, password="p<w/0rd+1").log_in()
    assert "***" in str(caught.value)
    assert "0rd" not in str(caught.value)


def test_a_wrong_password_names_the_file_of_the_address(server: StandIn, client: Client) -> None:
    """Where a password is from is not always where one looks."""
    server.password = "another"
    with pytest.raises(LoginRefused, match=r"\(address from /x/proactive_config\.ini\)"):
        client(server.url, source="/x/proactive_config.ini").log_in()


def test_a_very_slow_server_is_given_up_with_the_time(server: StandIn, client: Client) -> None:
    """And a question is not asked again: it would take as long."""
    with FaultyProxy(server.url, Fault(to="/info", delay=5.0)) as proxy:
        with pytest.raises(SchedulerUnreachable, match=r"no answer within 1 s"):
            client(proxy.url, timeout=1).info(1)
        assert [request.rpartition("/")[2] for request in proxy.requests].count("info") == 1


# -- certificates

AUTHORITY = str(TLS / "authority.pem")


def test_a_file_of_certificates_is_trusted(server: StandIn, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given with the connection, or in the variables of other programs."""
    with FaultyProxy(server.url, certificate="localhost.pem") as proxy:
        assert client(proxy.url, verify=AUTHORITY).submit(XML).name == "demo"
        assert client(proxy.url, verify=False).submit(XML).name == "demo"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", AUTHORITY)
        assert client(proxy.url).submit(XML).name == "demo"


CERTIFICATES = {
    "localhost.pem": (True, "this machine does not trust its certificate", "verify=FILE"),
    "expired.pem": (AUTHORITY, "its certificate has expired", "verify=off"),
    "other.pem": (AUTHORITY, "its certificate is for another host", "Write the host as the certificate names it"),
}


@pytest.mark.parametrize("certificate", CERTIFICATES)
def test_a_bad_certificate_is_reported_with_advice(server: StandIn, client: Client, certificate: str) -> None:
    """Nothing is sent to such a server."""
    verify, said, hint = CERTIFICATES[certificate]
    with FaultyProxy(server.url, certificate=certificate) as proxy:
        with pytest.raises(SchedulerUnreachable) as caught:
            client(proxy.url, verify=verify).log_in()
        assert (said in caught.value.message, hint in caught.value.hint, caught.value.in_doubt) == (True, True, False)
        assert proxy.requests == []


def test_http_and_https_mixed_up_are_reported(server: StandIn, client: Client) -> None:
    """The port speaks the other one."""
    with FaultyProxy(server.url, certificate="localhost.pem") as proxy:
        with pytest.raises(SchedulerUnreachable) as caught:
            client(f"http://127.0.0.1:{proxy.port}").log_in()
        assert f"https://127.0.0.1:{proxy.port}" in caught.value.hint
    with pytest.raises(SchedulerUnreachable, match="the port does not speak https") as caught:
        client(server.url.replace("http://", "https://")).log_in()
    assert caught.value.hint == f"Try {server.url}."


def test_a_file_without_certificates_is_named(client: Client, tmp_path: Path) -> None:
    """Before anything is sent."""
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(SetupError, match=r"x\.pem, which verify names, cannot be used: it holds no certificate"):
        client("https://localhost:1", verify=str(tmp_path / "x.pem")).log_in()
    with pytest.raises(SetupError, match="No such file"):
        client("https://localhost:1", verify=str(tmp_path / "none.pem")).log_in()
