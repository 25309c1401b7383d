"""URIs as ``java.net.URI`` reads them (RFC 2396, and IPv6 addresses), in linear time."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["is_uri"]

_ESCAPED = r"%[0-9A-Fa-f]{2}"
#: ``java.net.URI`` (RFC 2396) also takes characters beyond ASCII.
_OTHER = r"[^\x00-\x7f]"
_URIC = re.compile(rf"(?:[A-Za-z0-9\-_.!~*'();/?:@&=+$,\[\]]|{_OTHER}|{_ESCAPED})*")
_PATH = re.compile(rf"(?:[A-Za-z0-9\-_.!~*'();/:@&=+$,]|{_OTHER}|{_ESCAPED})*")
_AUTHORITY = re.compile(rf"(?:[A-Za-z0-9\-_.!~*'();:@&=+$,]|{_OTHER}|{_ESCAPED})+")
_IPV6 = re.compile(r"(?:[^\[\]@]*@)?\[([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9_.]+)?\](?::[0-9]*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


def is_uri(text: str) -> bool:
    """[scheme :] (//authority path | path | opaque) [? query] [# fragment]"""
    if any(character.isspace() for character in text):
        return False
    rest, _, fragment = text.partition("#")
    if not _URIC.fullmatch(fragment):
        return False
    scheme, colon, behind = rest.partition(":")
    if colon and not set("/?") & set(scheme):
        if not _SCHEME.fullmatch(scheme) or not behind:
            return False
        if not behind.startswith("/"):
            return _URIC.fullmatch(behind) is not None
        rest = behind
    hierarchy, _, query = rest.partition("?")
    path = hierarchy
    if hierarchy.startswith("//"):
        authority, slash, path = hierarchy[2:].partition("/")
        if not _is_authority(authority) and not (slash and not authority):
            return False
    return _PATH.fullmatch(path) is not None and _URIC.fullmatch(query) is not None


def _is_authority(text: str) -> bool:
    address = _IPV6.fullmatch(text)
    if address is None:
        return _AUTHORITY.fullmatch(text) is not None
    try:
        ipaddress.IPv6Address(address[1])
    except ValueError:
        return False
    return True
