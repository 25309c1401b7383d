"""What keeps other pages of the same browser out: who may ask, what a page may load, who may show it in a frame."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = ["forwarded_prefix", "headers_of", "is_own_request"]

#: A path as proxies write it, without what would end the path of a cookie; anything else is ignored.
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+=:@%-]+)+/?")
#: No inline script or style, nothing from other hosts. Pictures may be data URIs. Documents in frames are our own
#: answers with a policy of theirs, which gives them no origin.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


def forwarded_prefix(headers: Mapping[str, str]) -> str:
    """The path below which a proxy (jupyter-server-proxy) shows the portals; empty without a proxy."""
    prefix = headers.get("x-forwarded-prefix", "")
    return prefix.rstrip("/") if _PREFIX.fullmatch(prefix) else ""


def headers_of(origins: Collection[str], *, framed: bool) -> dict[str, str]:
    """The headers of every page. Only a page of a session in a frame may be shown in one, by these origins."""
    ancestors = " ".join(("'self'", *origins)) if framed and origins else "'none'"
    headers = {
        "Content-Security-Policy": _POLICY.format(ancestors=ancestors),
        "X-Content-Type-Options": "nosniff",
        # The path may hold a key: other sites get none of it. Without any referrer, forms would have no origin.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
    if ancestors == "'none'":
        headers |= {"X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin"}
    return headers


def is_own_request(headers: Mapping[str, str], origins: Collection[str]) -> bool:
    """Whether a request that changes something comes from a page of the portals.

    Browsers name the origin of every form and script that posts. Behind a proxy that is the notebook's own origin,
    one of those for which the link was made; no other page of it knows the key or gets the cookie.
    """
    origin = headers.get("origin", "")
    if origin:
        return origin == f"http://{headers.get('host', '').lower()}" or origin in origins
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
