"""What kept an answer away, in words, with what to do: the errors of httpx2 as `SchedulerUnreachable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proactive_jupyter_kernel.errors import SchedulerUnreachable

if TYPE_CHECKING:
    import httpx2

    from proactive_jupyter_kernel.client.proxies import Proxy

__all__ = ["is_broken", "unreachable"]

#: Text in an error of OpenSSL -> what it means, what to do.
_TLS = (
    ("certificate has expired", "its certificate has expired", "Ask the administrator of the server to renew it; "),
    (
        "Hostname mismatch",
        "its certificate is for another host",
        "Write the host as the certificate names it; ",
    ),
    ("IP address mismatch", "its certificate is for another host", "Write the host's name and not its IP address; "),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "this machine does not trust its certificate",
        "Inside a company, ask for the certificate of its authority and give that file: verify=FILE. "
        "To accept any certificate, ",
    ),
)
#: Text in an error of the operating system -> what it means.
_SYSTEM = (
    ("Connection refused", "nothing listens on that port"),
    ("actively refused", "nothing listens on that port"),
    ("Name or service not known", "there is no host of that name"),
    ("nodename nor servname", "there is no host of that name"),
    ("getaddrinfo failed", "there is no host of that name"),
    ("Temporary failure in name resolution", "the name of the host was not found, or this machine has no network"),
)
_ACCEPT = "to accept it anyway, use verify=off."


def is_broken(error: httpx2.RequestError) -> bool:
    """Whether a connection that existed broke, so that the request may succeed on another one."""
    import httpx2

    return isinstance(error, (httpx2.ReadError, httpx2.WriteError, httpx2.CloseError, httpx2.RemoteProtocolError))


def unreachable(
    error: httpx2.RequestError,
    root: str,
    *,
    connect: float,
    answer: float,
    proxy: Proxy | None,
    source: str,
    answered: bool,
) -> SchedulerUnreachable:
    """The error to raise.

    `connect` and `answer` are timeouts in seconds, `source` is where the address is from, and `answered` is whether
    the server has answered before.
    """
    import httpx2

    through = f" through {proxy.shown}" if proxy else ""
    tried = f"address from {source}; tried {root}/rest" if source else f"tried {root}/rest"
    reason, hint = _explained(error, root, connect, answer, answered)
    sent = not isinstance(
        error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.ProxyError)
    )
    if isinstance(error, httpx2.ProxyError) and proxy:
        reason = f"{proxy.shown} refused the connection: {error}"
        hint = "Check the proxy, its login, and NO_PROXY, which names hosts that need no proxy."
        through = ""
    return SchedulerUnreachable(
        f"Cannot reach the scheduler at {root}{through} ({tried}): {reason}.",
        hint=hint,
        in_doubt=sent,
    )


def _explained(error: httpx2.RequestError, root: str, connect: float, answer: float, answered: bool) -> tuple[str, str]:
    """The reason and a hint."""
    import httpx2

    reason = str(error).rstrip(".") or type(error).__name__
    hint = "Check the address, the network and any proxy, and that the server is up."
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection within {connect:g} s", hint
    if isinstance(error, httpx2.TimeoutException):
        return f"no answer within {answer:g} s", hint
    if isinstance(error, httpx2.UnsupportedProtocol):
        return reason, "An address starts with http:// or https://."
    for sign, words in _SYSTEM:
        if sign in reason:
            return f"{words} ({reason})", hint
    for sign, words, advice in _TLS:
        if sign in reason:
            return words, f"{advice}{'use verify=off.' if advice.endswith('certificate, ') else _ACCEPT}"
    if any(sign in reason for sign in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")):
        return "the port does not speak https", f"Try http://{root.partition('://')[2]}."
    if isinstance(error, httpx2.RemoteProtocolError) and "illegal" in reason.lower():
        other = f"https://{root.partition('://')[2]}" if root.startswith("http://") else ""
        return "what answers there does not speak http", f"Try {other}." if other else hint
    if isinstance(error, httpx2.RemoteProtocolError) and "without sending complete" in reason:
        return "the answer was cut off", "The network or a gateway on the way broke the connection. Try again."
    if is_broken(error):
        advice = "The network, a gateway on the way or the server broke it. Try again."
        if not answered and root.startswith("http://"):
            advice = f"Perhaps the port speaks https: try https://{root.partition('://')[2]}. {hint}"
        return f"the connection broke ({reason})", advice
    return reason, hint
