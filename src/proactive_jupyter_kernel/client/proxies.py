"""The proxy for an address: from the environment, or from the settings of Windows and macOS.

``HTTP_PROXY``, ``HTTPS_PROXY`` and ``ALL_PROXY`` name it, ``NO_PROXY`` the hosts that need none: names, domains,
addresses and networks such as ``10.0.0.0/8``. Names in lower case come first, as in curl.
"""

from __future__ import annotations

import importlib.util
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from proactive_jupyter_kernel.client.config import address_without_login
from proactive_jupyter_kernel.errors import SetupError

__all__ = ["Proxy", "proxy_of"]

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_KINDS = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy. Its address may hold a password, so that only `shown` is for messages."""

    url: str = field(repr=False)
    #: What names it, such as ``HTTPS_PROXY``.
    source: str

    @property
    def shown(self) -> str:
        """The proxy in messages."""
        return f"the proxy {address_without_login(self.url)} ({self.source})"


def proxy_of(url: str) -> Proxy | None:
    """The proxy for requests to this address; None for a direct connection, as always to this machine.

    Raises `SetupError` for a proxy that cannot be used.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    # A proxy would send the token of the embedded scheduler elsewhere.
    if host in LOCAL_HOSTS:
        return None
    import urllib.request  # with it come http.client and ssl, which a notebook without a server needs not

    known = urllib.request.getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if known.get(kind)), "")
    if not kind or _is_excepted(host, parts.port or (443 if parts.scheme == "https" else 80), known.get("no", "")):
        return None
    address = known[kind] if "://" in known[kind] else f"http://{known[kind]}"
    proxy = Proxy(url=address, source=f"{kind.upper()}_PROXY")
    _check(proxy)
    return proxy


def _check(proxy: Proxy) -> None:
    hint = f"{proxy.source} looks like http://HOST:PORT. NO_PROXY names hosts that need no proxy."
    try:
        parts = urlsplit(proxy.url)
        valid = parts.scheme in _KINDS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise SetupError(f"{proxy.source} is not the address of a proxy: {proxy.shown}.", hint=hint)
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise SetupError(
            f"{proxy.shown[0].upper()}{proxy.shown[1:]} speaks SOCKS, and the package socksio is not installed.",
            hint="Install it: pip install socksio. Or name an HTTP proxy.",
        )


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    return any(_matches(entry.strip().lower(), host.lower(), port, address) for entry in exceptions.split(","))


def _matches(entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    """Whether an entry of ``NO_PROXY`` means this host."""
    if entry in ("", "*"):
        return entry == "*"
    entry = entry.rpartition("://")[2]
    try:
        if address is not None:
            return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and "]" not in number:
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return bool(entry) and (host == entry or host.endswith("." + entry))
