"""``/scheduler`` itself: version, status, life cycle, spaces."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, text_answer
from proactive_jupyter_kernel.scheduler.rest.requests.errors import not_connected
from proactive_jupyter_kernel.scheduler.rest.requests.route import TEXT, Handler, Route
from proactive_jupyter_kernel.version import __version__

__all__ = ["API_VERSION", "ROUTES"]


#: The ProActive server whose REST API and workflows this one understands. Clients choose by it what they send: to an
#: older one, workflows of an older schema.
API_VERSION = "14.2.0"


def _version(part: str) -> Handler:
    async def handler(call: Call) -> Response:
        versions = f'{{ "{part}" : "{API_VERSION}", "rest" : "{API_VERSION}", "embedded" : "{__version__}"}}'
        return text_answer(call, versions)

    return handler


async def status(call: Call) -> Response:
    """What the scheduler does."""
    return json_answer(call.service.status.value)


async def url(call: Call) -> Response:
    """Where it is."""
    return text_answer(call, call.service.site.url)


async def domains(call: Call) -> Response:
    """Windows domains for a login form: none."""
    return json_answer([])


async def no_socket(call: Call) -> Response:
    """Events come through a WebSocket alone; a server answers 401 to other requests, whatever their session."""
    raise not_connected()


async def link_manager(call: Call) -> Response:
    """False: the scheduler has its own resource manager, and is linked to no other."""
    return json_answer(False)


def _space(kind: str) -> Handler:
    async def handler(call: Call) -> Response:
        folder = Path(call.service.site.spaces[kind])
        # The slash is the server's: clients join paths to it.
        return json_answer([folder.as_uri() + "/" if kind == "global" else (folder / call.user).as_uri()])

    return handler


def _control(verb: str) -> Handler:
    async def handler(call: Call) -> Response:
        return json_answer(await call.service.control(verb))

    return handler


_VERBS = {
    "start": "Take submissions again.",
    "stop": "Take no submissions.",
    "pause": "Start no task of a job that has not started.",
    "freeze": "Start no task.",
    "resume": "End a pause or freeze.",
    "kill": "End all jobs and run nothing more.",
    "shutdown": "Let running jobs end, start no others.",
}

ROUTES = (
    Route("GET", "/scheduler/events", no_socket, "Refused: events need a WebSocket."),
    Route("POST", "/scheduler/events", no_socket, "Refused: events need a WebSocket."),
    Route("GET", "/scheduler/version", _version("scheduler"), "Version of the scheduler.", session=False),
    Route("GET", "/rm/version", _version("rm"), "Version of the resource manager.", session=False, gives=TEXT),
    Route("GET", "/scheduler/status", status, "What the scheduler does."),
    Route("GET", "/scheduler/url", url, "Where it is.", session=False, gives=TEXT),
    *(
        Route("GET", f"/{root}/domains", domains, "Windows domains.", session=False)
        for root in ("scheduler", "rm", "studio")
    ),
    Route("POST", "/scheduler/linkrm", link_manager, "Link another resource manager: never done."),
    Route("GET", "/scheduler/userspace", _space("user"), "URIs of the user space."),
    Route("GET", "/scheduler/globalspace", _space("global"), "URIs of the global space."),
    *(Route("PUT", f"/scheduler/{verb}", _control(verb), doc) for verb, doc in _VERBS.items()),
)
