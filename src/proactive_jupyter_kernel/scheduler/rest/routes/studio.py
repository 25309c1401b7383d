"""``/studio``: the workflows that a user keeps on the scheduler (``StudioInterface.java``)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, JSON, Route
from proactive_jupyter_kernel.scheduler.sources.studio import FIELDS, Studio

__all__ = ["ROUTES"]


def _studio(call: Call) -> Studio:
    return Studio(Path(call.service.site.spaces["user"], call.user, "workflows"))


async def _values(call: Call, *, whole: bool) -> dict[str, str]:
    body = await call.json()
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object with name, xml and metadata.")
    given = {field: body[field] for field in FIELDS if body.get(field) is not None}
    if not all(isinstance(value, str) for value in given.values()):
        raise ValueError("The name, xml and metadata of a workflow must be texts.")
    return {**dict.fromkeys(FIELDS, ""), **given} if whole else given


async def workflows(call: Call) -> Response:
    """All workflows."""
    return json_answer(await asyncio.to_thread(_studio(call).all))


async def create(call: Call) -> Response:
    """Keep a new one; answers it with its id."""
    return json_answer(await asyncio.to_thread(_studio(call).add, await _values(call, whole=True)))


async def workflow(call: Call) -> Response:
    """One workflow."""
    return json_answer(await asyncio.to_thread(_studio(call).read, call.params["id"]))


async def xml(call: Call) -> Response:
    """Its XML."""
    found = await asyncio.to_thread(_studio(call).read, call.params["id"])
    return Response(found["xml"].encode("utf-8"), media_type="application/xml")


async def update(call: Call) -> Response:
    """Change what the body names."""
    values = await _values(call, whole=False)
    return json_answer(await asyncio.to_thread(_studio(call).change, call.params["id"], values))


async def delete(call: Call) -> Response:
    """Delete one."""
    await asyncio.to_thread(_studio(call).delete, call.params["id"])
    return no_content()


async def delete_named(call: Call) -> Response:
    """Delete those of a name, which must be given."""
    name = call.text("workflowName")
    if not name:
        raise ValueError("The query parameter 'workflowName' must name what is to be deleted.")
    await asyncio.to_thread(_studio(call).delete_named, name)
    return no_content()


async def none(call: Call) -> Response:
    """Scripts and Java classes that were uploaded: none."""
    return json_answer([])


_ALL = "/studio/workflows"
_ONE = _ALL + "/{id}"

ROUTES = (
    Route("GET", _ALL, workflows, "Workflows kept in the studio."),
    Route("POST", _ALL, create, "Keep a workflow in the studio.", takes=JSON),
    Route("DELETE", _ALL, delete_named, "Delete the studio's workflows of a name.", gives=ANYTHING),
    Route("GET", _ONE, workflow, "A workflow of the studio."),
    Route("GET", _ONE + "/xml", xml, "Its XML.", gives=("application/xml",)),
    Route("PUT", _ONE, update, "Change a workflow of the studio.", takes=JSON),
    Route("DELETE", _ONE, delete, "Delete a workflow of the studio.", gives=ANYTHING),
    Route("GET", "/studio/scripts", none, "Scripts of the studio: none."),
    Route("GET", "/studio/classes", none, "Java classes of the studio: none."),
)
