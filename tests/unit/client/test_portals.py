"""Addresses of portals, and links that log in."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.client import portals
from proactive_jupyter_kernel.client.api import SchedulerApi
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError, SetupError
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("try.activeeon.com", "https://try.activeeon.com"),
        (" try.activeeon.com:8443 ", "https://try.activeeon.com:8443"),
        ("gateway.example.org/proactive/", "https://gateway.example.org/proactive"),
        ("http://pa:8080/rest", "http://pa:8080"),
        ("https://pa:8443", "https://pa:8443"),
        ("[fe80::7]:8443", "https://[fe80::7]:8443"),
    ],
)
def test_root_of(host: str, root: str) -> None:
    """A host stands for its https address, as in the reference kernel; an address for itself."""
    assert portals.root_of(host) == root


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("a b", "'a b' is not a host."),
        ("ftp://pa", "'ftp://pa' is not a host."),
        ("pa:port", "'pa:port' is not a host."),
        ("javascript:alert(1)", "'javascript:alert(1)' is not a host."),
        ("https://ada:secret@pa", "The host contains a login."),
    ],
)
def test_no_host(host: str, message: str) -> None:
    """What is no host is refused, and a password is not repeated."""
    with pytest.raises(SetupError) as caught:
        portals.root_of(host)
    assert caught.value.message == message


def test_links() -> None:
    """One request for all; each is at the address that the client has for the scheduler."""
    server = MemoryScheduler()
    scheduler = SchedulerApi(Session(server.transport(), server.credentials))
    found = portals.links(scheduler, "/rm/", origins=["http://localhost:8888"], count=2)
    assert len(set(found)) == 2
    assert all(link.startswith("http://memory/portal/enter/token") for link in found)
    assert server.link_requests == [{"path": "/rm/", "origins": ["http://localhost:8888"], "count": 2}]


class Tunnel:
    """A scheduler that is reached at another address than its own."""

    address = "http://127.0.0.1:9999/behind"

    def __init__(self, body: bytes) -> None:
        self.body = body

    def post_json(self, path: str, data: object, *, doing: str) -> Response:
        return Response(status=200, body=self.body)


def test_a_link_is_at_the_address_of_the_client() -> None:
    """The scheduler knows its own address alone."""
    tunnel = Tunnel(b'{"links": ["http://127.0.0.1:41231/portal/enter/abc?to=%2Frm%2F"]}')
    assert portals.links(tunnel, "/rm/") == ["http://127.0.0.1:9999/behind/portal/enter/abc?to=%2Frm%2F"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"links": []}', b'{"links": [7]}'])
def test_no_links(body: bytes) -> None:
    """Another answer is an error, not a frame with nothing in it."""
    with pytest.raises(SchedulerError, match="has no portal that this kernel can open"):
        portals.links(Tunnel(body), "/rm/")
