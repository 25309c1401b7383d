"""Maps error responses of the scheduler to exceptions of this package.

The scheduler describes an error in three ways that can differ; the Java class in ``exceptionClass`` is the most
specific, the HTTP status the least (a wrong password is 404, an unknown task 500).
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import (
    LoginRefused,
    NotConnected,
    PermissionRefused,
    SchedulerError,
    SchedulerUnreachable,
    SubmissionRefused,
    UnknownJob,
    UnknownTask,
)

__all__ = ["check_answered", "is_session_lost", "raise_error"]

#: By the simple name of ``exceptionClass``, without the ``Rest`` in names of the REST layer.
BY_CLASS: dict[str, type[SchedulerError]] = {
    "NotConnectedException": NotConnected,
    "LoginException": LoginRefused,
    "KeyException": LoginRefused,
    "PermissionException": PermissionRefused,
    "UnknownJobException": UnknownJob,
    "UnknownTaskException": UnknownTask,
    "JobCreationException": SubmissionRefused,
    "SubmissionClosedException": SubmissionRefused,
}
#: 413: a workflow, or a file for its job, is larger than the scheduler or a gateway before it takes.
BY_STATUS: dict[int, type[SchedulerError]] = {401: NotConnected, 403: PermissionRefused, 413: SubmissionRefused}

HINTS: dict[type[SchedulerError], str] = {
    LoginRefused: "Check login and password, and that the account exists on this server.",
    NotConnected: "Connect again.",
    PermissionRefused: "Ask the owner of the job or an administrator of the server.",
}

#: The class of the Java exception that the server writes before its message.
JAVA_PREFIX = re.compile(r"^(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error): *")


#: Statuses with which a gateway or a starting server answers in place of the scheduler.
GATEWAY = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
#: What the address of a login page has in it.
_LOGIN = re.compile(r"log-?in|sign-?in|oauth|saml|sso|auth", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
#: Where in a page its title is looked for.
_HEAD = 8_000


def check_answered(response: Response, address: str, *, page: bool = False) -> None:
    """Raise if something other than the scheduler answered: a gateway, a login page, an address that moved.

    `page`: an HTML page may be what was asked for.
    """
    location = response.headers.get("location", "")
    if response.status in REDIRECTIONS and location:
        _raise_moved(address, location)
    if response.status == 407:
        raise NotConnected(
            f"The proxy on the way to {address} wants a login (HTTP status 407).",
            hint="Write it into the environment variable that names the proxy: http://LOGIN:PASSWORD@HOST:PORT.",
        )
    if response.status in GATEWAY and "exceptionClass" not in _decoded(response):
        said = _page_title(response) or f"{response.status} {GATEWAY[response.status]}"
        if not _is_page(response) and (text := " ".join(response.text.split())[:200]):
            said += f": {text}"
        raise SchedulerUnreachable(
            f"The scheduler at {address} does not answer: a gateway before it, or the server while it starts, said "
            f"{said!r}.",
            hint="Try again in a while; if that does not help, ask the administrator of the server.",
            in_doubt=True,
        )
    if response.status < 400 and not page and _is_page(response):
        title = _page_title(response)
        raise NotConnected(
            f"A web page answered in place of the scheduler at {address}{f': {title!r}' if title else ''}.",
            hint="Check the address and its path. If it is the login page of a gateway, ask its administrator for an "
            "address for programs.",
        )


def _raise_moved(address: str, location: str) -> NoReturn:
    """Logins are not sent to an address that only a redirection names."""
    target = urlsplit(urljoin(address + "/", location))
    root = f"{target.scheme}://{target.netloc.rpartition('@')[2]}"
    path, rest, _ = target.path.partition("/rest/")
    if rest and target.hostname == urlsplit(address).hostname:
        raise NotConnected(
            f"The server at {address} redirects to {root}{path}.", hint=f"Connect there: url={root}{path}."
        )
    if _LOGIN.search(location):
        raise NotConnected(
            f"The server at {address} redirects to a login page at {root}, which only a browser can use.",
            hint="Ask the administrator of the gateway for an address for programs.",
        )
    raise NotConnected(
        f"The server at {address} redirects to {root}{path}.",
        hint="Check the address; if the scheduler is there, connect to it there.",
    )


def _is_page(response: Response) -> bool:
    return response.body[:200].lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))


def _page_title(response: Response) -> str:
    found = _TITLE.search(response.body[:_HEAD]) if _is_page(response) else None
    return " ".join(html.unescape(found[1].decode("utf-8", "replace")).split()) if found else ""


def raise_error(response: Response, doing: str) -> NoReturn:
    """Raise the exception for an error response. `doing` completes "The scheduler refused to …": ``submit 'demo'``."""
    fault = _decoded(response)
    kind = _kind(response, fault)
    reason = _reason(response, fault)
    raise kind(f"The scheduler refused to {doing}: {reason}", hint=HINTS.get(kind, ""))


def is_session_lost(response: Response) -> bool:
    """Whether the response says that the session is unknown or expired."""
    return response.status >= 400 and _kind(response, _decoded(response)) is NotConnected


def _kind(response: Response, fault: dict[str, Any]) -> type[SchedulerError]:
    name = str(fault.get("exceptionClass") or "").rpartition(".")[2].replace("RestException", "Exception")
    return BY_CLASS.get(name) or BY_STATUS.get(response.status, SchedulerError)


def _decoded(response: Response) -> dict[str, Any]:
    try:
        fault = json.loads(response.body)
    except ValueError:
        return {}
    return fault if isinstance(fault, dict) else {}


def _reason(response: Response, fault: dict[str, Any]) -> str:
    message = str(fault.get("errorMessage") or "").strip()
    while (shorter := JAVA_PREFIX.sub("", message)) != message:
        message = shorter
    if not message and (title := _page_title(response)):
        message = f"a web page answered with HTTP status {response.status}: {title}"
    if not message and not fault and "html" not in response.headers.get("content-type", "") and not _is_page(response):
        message = response.text.strip()[:500]
    return message or f"it answered with HTTP status {response.status} and no explanation."
