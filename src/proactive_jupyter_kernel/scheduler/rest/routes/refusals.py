"""What a server offers and one user on one machine does not need: each answered with an error that says so.

501 and a class that clients turn into their own exception, instead of 404, which would look like a wrong address. The
rows are P3 of the reference of the REST API: analytics, labels, administration, the job planner, remote visualization.
"""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import NOT_OFFERED, RestError
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, Handler, Route

__all__ = ["OUTSIDE", "ROUTES", "refusal"]


def refusal(what: str) -> Handler:
    """A handler that refuses; `what` is the subject of its message."""

    async def handler(call: Call) -> Response:
        raise RestError(*NOT_OFFERED, f"The embedded scheduler has no {what}. Use a ProActive server for it.")

    return handler


async def no_labels(call: Call) -> Response:
    """The labels that an administrator made: none."""
    return json_answer([])


_JOB = "/scheduler/jobs/{job}"
_ANALYTICS = "analytics of workflows"
_USAGE = "accounting of usage"
_LABELS = "labels of jobs"
_ADMINISTRATION = "administration of users and permissions"
_LOGGERS = "settings of loggers over REST"
_PLANNER = "job planner"
_STUDIO = "uploaded scripts and classes of the studio"
_SERVICES = "services (cloud automation)"

_METHODS = ("GET", "POST", "PUT", "DELETE")

#: What is refused: (method, path, what there is not).
_REFUSED = (
    ("POST", "/scheduler/createcredential", "credential files"),
    ("GET", "/scheduler/usage/myaccount", _USAGE),
    ("GET", "/scheduler/usage/account", _USAGE),
    *(
        ("GET", f"/scheduler/stats/{name}", _ANALYTICS)
        for name in (
            "filters",
            "topWorkflowsWithIssues",
            "topWorkflowsCumulatedCoreTime",
            "topWorkflowsNumberOfNodes",
            "topWorkflowsWithExecutionTime",
            "topExecutionTimeWorkflows",
            "topPendingTimeWorkflows",
            "submittedFromCount",
            "completedJobs",
            "completedTasks",
        )
    ),
    ("GET", "/scheduler/submissionModeValues", _ANALYTICS),
    ("POST", "/scheduler/labels", _LABELS),
    ("POST", "/scheduler/labels/set", _LABELS),
    ("PUT", "/scheduler/labels/{id}", _LABELS),
    ("DELETE", "/scheduler/labels/{id}", _LABELS),
    ("PUT", "/scheduler/labels/jobs/setlabel", _LABELS),
    ("PUT", "/scheduler/labels/jobs/removelabel", _LABELS),
    ("POST", "/scheduler/logo", "logo to change"),
    ("POST", "/scheduler/plannings", _PLANNER),
    ("POST", "/studio/plannings", _PLANNER),
    *(("POST", path, _STUDIO) for path in ("/studio/scripts", "/studio/classes")),
    *((method, "/common/logger", _LOGGERS) for method in ("GET", "POST", "PUT")),
    *(
        (method, f"{root}/{{rest*}}", what)
        for root, what in (
            ("/studio/scripts", _STUDIO),
            ("/studio/classes", _STUDIO),
            ("/studio/visualizations", "visualizations of the studio"),
            ("/common/manager", _ADMINISTRATION),
            ("/common/permissions", _ADMINISTRATION),
            ("/common/logger", _LOGGERS),
        )
        for method in _METHODS
    ),
    ("POST", _JOB + "/services", _SERVICES),
    ("DELETE", _JOB + "/services", _SERVICES),
    ("PUT", _JOB + "/tasks/{task}/visu", "remote visualization"),
)

ROUTES = (
    Route("GET", "/scheduler/labels", no_labels, "Labels of jobs: none."),
    *(
        Route(method, path, refusal(what), f"Refused; only a ProActive server has {what}.", gives=ANYTHING)
        for method, path, what in _REFUSED
    ),
)

#: Services beside ``/rest``, under the server's root.
_BESIDE = {
    "/cloud-automation-service": _SERVICES,
    "/job-planner": _PLANNER,
    "/notification-service": "notifications",
    "/scheduling-api": "GraphQL queries",
    "/job-analytics": _ANALYTICS,
    "/connector-iaas": "nodes of clouds",
    "/proactive-cloud-watch": "event orchestration",
}

#: The same for all that they have.
OUTSIDE = tuple(
    Route(method, root + "/{rest*}", refusal(what), f"Refused; only a ProActive server has {what}.", gives=ANYTHING)
    for root, what in _BESIDE.items()
    for method in _METHODS
)
