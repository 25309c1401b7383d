"""What a scheduler's refusals become."""

from __future__ import annotations

import json

import pytest

from proactive_jupyter_kernel.client.error_mapping import is_session_lost, raise_error
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

REST = "org.ow2.proactive_grid_cloud_portal.scheduler.exception."


def refusal(status: int, kind: str | None, message: str | None = "why") -> Response:
    body = {"httpErrorCode": status, "errorMessage": message, "exceptionClass": kind, "exception": None}
    return Response(status=status, body=json.dumps(body).encode(), headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (404, REST + "UnknownJobRestException", UnknownJob),
        (500, REST + "UnknownTaskRestException", UnknownTask),
        (404, "org.ow2.proactive.scheduler.common.exception.UnknownTaskException", UnknownTask),
        (400, REST + "JobCreationRestException", SubmissionRefused),
        (404, REST + "SubmissionClosedRestException", SubmissionRefused),
        (404, "javax.security.auth.login.LoginException", LoginRefused),
        (401, REST + "NotConnectedRestException", NotConnected),
        (401, "org.ow2.proactive.scheduler.common.exception.NotConnectedException", NotConnected),
        (403, REST + "PermissionRestException", PermissionRefused),
        (500, REST + "SchedulerRestException", SchedulerError),
        (401, None, NotConnected),
        (403, None, PermissionRefused),
        (404, None, SchedulerError),
        (413, None, SubmissionRefused),
    ],
)
def test_the_class_decides_before_the_status(status: int, kind: str | None, expected: type[Exception]) -> None:
    """A wrong password comes as 404 and an unknown task as 500; the exception's class knows better."""
    with pytest.raises(expected) as caught:
        raise_error(refusal(status, kind), "do it")
    assert type(caught.value) is expected


def test_the_message_is_freed_of_javas_class_names() -> None:
    """A person reads the reason, not the exceptions it was wrapped in."""
    with pytest.raises(SchedulerError) as caught:
        raise_error(refusal(400, REST + "JobCreationRestException", "a.b.CException: d.e.FError: no script"), "take it")
    assert caught.value.message == "The scheduler refused to take it: no script"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (refusal(500, None, None), "it answered with HTTP status 500 and no explanation."),
        (Response(status=502, body=b"<html>", headers={"content-type": "text/html"}), "HTTP status 502"),
        (Response(status=500, body=b"plain words", headers={"content-type": "text/plain"}), "plain words"),
        (Response(status=500, body=b"[]"), "[]"),
    ],
)
def test_there_is_always_a_reason(response: Response, reason: str) -> None:
    """Answers of any form give a message worth reading."""
    with pytest.raises(SchedulerError) as caught:
        raise_error(response, "do it")
    assert reason in caught.value.message


def test_a_lost_session_is_recognised() -> None:
    """Only a refusal of the session itself asks for a new one."""
    assert is_session_lost(refusal(401, REST + "NotConnectedRestException"))
    assert is_session_lost(Response(status=401))
    assert not is_session_lost(refusal(404, REST + "UnknownJobRestException"))
    assert not is_session_lost(Response(status=200))
