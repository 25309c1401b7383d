"""Maps error responses of the scheduler to exceptions of this package.

The scheduler describes an error in three ways that can differ; the Java class in ``exceptionClass`` is the most
specific, the HTTP status the least (a wrong password is 404, an unknown task 500).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import (
    LoginRefused,
    NotConnected,
    PermissionRefused,
    SchedulerError,
    SubmissionRefused,
    UnknownJob,
    UnknownTask,
)

__all__ = ["is_session_lost", "raise_error"]

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
BY_STATUS: dict[int, type[SchedulerError]] = {401: NotConnected, 403: PermissionRefused}

HINTS: dict[type[SchedulerError], str] = {
    LoginRefused: "Check login and password, and that the account exists on this server.",
    NotConnected: "Connect again.",
    PermissionRefused: "Ask the owner of the job or an administrator of the server.",
}

#: The class of the Java exception that the server writes before its message.
JAVA_PREFIX = re.compile(r"^(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error): *")


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
    if not message and not fault and "html" not in response.headers.get("content-type", ""):
        message = response.text.strip()[:500]
    return message or f"it answered with HTTP status {response.status} and no explanation."
