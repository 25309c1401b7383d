"""Requests of a running task to its scheduler: what ``synchronizationapi`` and ``signalapi`` share."""

from __future__ import annotations

import http.client
import json
import urllib.parse

TYPE_CHECKING = False  # importing `typing` would take longer than a small task
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["LONG_POLL", "InvalidChannel", "SchedulerRequests", "SignalRefused"]

#: The scheduler answers a request that waits after this time in seconds, if nothing has happened.
LONG_POLL = 20
_TIMEOUT = LONG_POLL + 40


class InvalidChannel(LookupError):
    """There is no channel of that name."""


class SignalRefused(RuntimeError):
    """The job does not take that signal."""


# Tracebacks name them without a module: the one that they have is none of the script's business.
InvalidChannel.__module__ = SignalRefused.__module__ = "builtins"
_REFUSALS = {"InvalidChannelException": InvalidChannel, "SignalApiRestException": SignalRefused}


class SchedulerRequests:
    """Requests of a running task to its scheduler."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._url = urllib.parse.urlsplit(services["url"])
        self._key = services["key"]

    def call(self, operation: str, **body: Any) -> Any:
        """The answer to a JSON body."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=_TIMEOUT)
        try:
            headers = {"Content-Type": "application/json", "task-key": self._key}
            connection.request("POST", f"{self._url.path}/{operation}", json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConnectionError(
                f"The scheduler does not answer at {self._url.geturl()} ({error}). A task in a container needs the "
                "network of its host for synchronizationapi and signalapi."
            ) from None
        finally:
            connection.close()
        if response.status >= 400:
            kind = str(answer.get("exceptionClass", "")).rpartition(".")[2]
            raise _REFUSALS.get(kind, RuntimeError)(answer.get("errorMessage", ""))
        return answer
