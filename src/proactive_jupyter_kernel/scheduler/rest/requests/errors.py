"""Errors as ProActive's REST server writes them: one JSON shape, and a status that follows from the exception's class.

Clients go by ``exceptionClass`` first, so the classes are Java's. Some statuses surprise (a wrong password is 404, an
unknown task 500); they are the server's (``ExceptionMappers.java``), and clients written for it expect them.
"""

from __future__ import annotations

from typing import Any

from proactive_jupyter_kernel.errors import (
    InvalidWorkflow,
    LoginRefused,
    NotConnected,
    PermissionRefused,
    ProActiveError,
    SubmissionRefused,
    UnknownJob,
    UnknownTask,
    WorkflowError,
)
from proactive_jupyter_kernel.scheduler.http.errors import HttpError
from proactive_jupyter_kernel.scheduler.service.errors import (
    BadPriority,
    JobEnded,
    SignalRefused,
    SubmissionClosed,
    TaskNotRunning,
    UnknownChannel,
)
from proactive_jupyter_kernel.scheduler.service.value_files import ValueTooLarge
from proactive_jupyter_kernel.scheduler.sources.catalog import UnknownObject
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore

__all__ = [
    "NOT_ACCEPTABLE",
    "NOT_ALLOWED",
    "NOT_FOUND",
    "NOT_OFFERED",
    "NOT_SUPPORTED",
    "PORTAL",
    "RestError",
    "body",
    "not_connected",
    "of",
]

#: The package of the exceptions of the REST server.
PORTAL = "org.ow2.proactive_grid_cloud_portal.scheduler.exception."

#: Status and class of requests that do not fit their route. The server's mapper of runtime exceptions makes 500 of what
#: JAX-RS has 405, 415 and 406 for; no route, and a query parameter that is not a number, stay 404.
NOT_ALLOWED = (500, "javax.ws.rs.NotAllowedException")
NOT_SUPPORTED = (500, "javax.ws.rs.NotSupportedException")
NOT_ACCEPTABLE = (500, "javax.ws.rs.NotAcceptableException")
NOT_FOUND = (404, "javax.ws.rs.NotFoundException")
#: What only a ProActive server has.
NOT_OFFERED = (501, "java.lang.UnsupportedOperationException")


class RestError(HttpError):
    """An error that is answered with this status, this class and this message."""

    def __init__(self, status: int, exception_class: str, message: str) -> None:
        super().__init__(status, message)
        self.exception_class = exception_class


#: Our exception -> (status, Java class). The first row that fits counts: special ones stand above general ones.
TABLE: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownObject, 404, "java.io.IOException"),
    (UnknownJob, 404, PORTAL + "UnknownJobRestException"),
    (UnknownTask, 500, PORTAL + "UnknownTaskRestException"),
    (JobEnded, 500, PORTAL + "JobAlreadyFinishedRestException"),
    (TaskNotRunning, 500, "java.lang.IllegalStateException"),
    (BadPriority, 500, PORTAL + "BadJobPriorityRestException"),
    (SignalRefused, 500, PORTAL + "SignalApiRestException"),
    (SubmissionClosed, 404, PORTAL + "SubmissionClosedRestException"),
    (SubmissionRefused, 400, PORTAL + "JobCreationRestException"),
    (InvalidWorkflow, 400, PORTAL + "JobCreationRestException"),
    (WorkflowError, 400, PORTAL + "JobCreationRestException"),
    (NotConnected, 401, PORTAL + "NotConnectedRestException"),
    (LoginRefused, 404, "javax.security.auth.login.LoginException"),
    (PermissionRefused, 403, PORTAL + "PermissionRestException"),
    (UnknownChannel, 404, "org.ow2.proactive.scheduler.synchronization.InvalidChannelException"),
    (DamagedStore, 500, "org.ow2.proactive.db.DatabaseManagerException"),
    (ValueTooLarge, 500, PORTAL + "SchedulerRestException"),
    (ProActiveError, 404, PORTAL + "SchedulerRestException"),
    (ValueError, 400, "java.lang.IllegalArgumentException"),
)


def of(error: Exception) -> RestError:
    """The error that clients get for an exception; whatever the table does not name is a fault of ours, 500."""
    if isinstance(error, RestError):
        return error
    if isinstance(error, HttpError):
        return RestError(error.status, "javax.ws.rs.ClientErrorException", error.message)
    for kind, status, exception_class in TABLE:
        if isinstance(error, kind):
            return RestError(status, exception_class, str(error))
    return RestError(500, "java.lang.RuntimeException", f"The scheduler failed at this request: {error!r}")


def not_connected(path: str = "") -> RestError:
    """There is no session, or it is unknown or over. `path`: of the route, for the resource manager's own class."""
    exception_class = PORTAL + "NotConnectedRestException"
    if path.startswith("/rm/"):
        exception_class = "org.ow2.proactive.scheduler.common.exception.NotConnectedException"
    return RestError(401, exception_class, "You are not connected to the server, you should log on first")


def body(error: RestError) -> dict[str, Any]:
    """The JSON. Java clients up to 14.0 need ``exception`` to be an object, later ones do not mind."""
    return {
        "httpErrorCode": error.status,
        "errorMessage": error.message,
        "stackTrace": f"{error.exception_class}: {error.message}",
        "exception": {
            "cause": None,
            "stackTrace": [],
            "message": error.message,
            "localizedMessage": error.message,
            "suppressed": [],
        },
        "exceptionClass": error.exception_class,
    }
