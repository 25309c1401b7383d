"""Which proxy a request goes through, from the environment as curl reads it."""

from __future__ import annotations

import importlib.util

import pytest

from proactive_jupyter_kernel.client.proxies import proxy_of
from proactive_jupyter_kernel.client.transport import HttpTransport
from proactive_jupyter_kernel.errors import SchedulerUnreachable, SetupError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("http://h:8080", {}, ""),
        ("http://h:8080", {"http_proxy": "http://p:3128"}, "http://p:3128"),
        ("https://h:8443", {"HTTP_PROXY": "http://p:3128"}, ""),
        ("https://h:8443", {"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ("https://h:8443", {"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ("http://localhost:8080", {"HTTP_PROXY": "http://p:3128"}, ""),
        ("http://127.0.0.1:8080", {"HTTP_PROXY": "http://p:3128"}, ""),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str], expected: str
) -> None:
    """By the scheme of the address; never for this machine."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = proxy_of(url)
    assert (found.url if found else "") == expected


@pytest.mark.parametrize(
    ("url", "exceptions", "direct"),
    [
        ("http://pro.example.org:8080", "example.org", True),
        ("http://pro.example.org:8080", ".example.org", True),
        ("http://pro.example.org:8080", "*.example.org", True),
        ("http://example.org:8080", ".example.org", True),
        ("http://notexample.org:8080", "example.org", False),
        ("http://pro.example.org:8080", "other, PRO.example.org:8080", True),
        ("http://pro.example.org:8080", "pro.example.org:9090", False),
        ("http://10.1.2.3:8080", "10.0.0.0/8", True),
        ("http://11.1.2.3:8080", "10.0.0.0/8", False),
        ("http://10.1.2.3:8080", "10.1.2.3", True),
        ("http://[fd00::7]:8080", "fd00::/16", True),
        ("http://h:8080", "*", True),
        ("http://h:8080", " , ", False),
        ("http://h:8080", "h:x,10.0.0.0/99", False),
    ],
)
def test_no_proxy_names_what_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, url: str, exceptions: str, direct: bool
) -> None:
    """Names, domains, ports, addresses and networks; what cannot be read means no host."""
    monkeypatch.setenv("HTTP_PROXY", "http://p:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (proxy_of(url) is None) is direct


@pytest.mark.parametrize("value", ["ftp://p:1", "http://", "http://bob:SECRET@p:port", "http://[x"])
def test_a_proxy_that_is_none_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The variable is named."""
    monkeypatch.setenv("HTTP_PROXY", value)
    with pytest.raises(SetupError, match="HTTP_PROXY is not the address of a proxy") as caught:
        HttpTransport("http://h:8080").request("GET", "/x")
    assert "SECRET" not in str(caught.value)


def test_a_socks_proxy_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with how to install it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://bob:SECRET@p:1080")
    with pytest.raises(SetupError, match=r"The proxy socks5://p:1080 \(ALL_PROXY\) speaks SOCKS") as caught:
        proxy_of("http://h:8080")
    assert "pip install socksio" in caught.value.hint


def test_a_proxy_that_does_not_answer_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user may not know that there is one."""
    monkeypatch.setenv("HTTP_PROXY", "http://bob:SECRET@127.0.0.1:1")
    transport = HttpTransport("http://pro.example.org:8080", timeout=5)
    with pytest.raises(SchedulerUnreachable, match=r"through the proxy http://127\.0\.0\.1:1 \(HTTP_PROXY\)") as caught:
        transport.request("GET", "/x")
    transport.close()
    assert "SECRET" not in f"{caught.value!r} {caught.value} {proxy_of('http://h:8080')!r}"
