"""``/scheduler/credentials``: the user's third-party credentials. Their values are not given out."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer, no_content
from proactive_jupyter_kernel.scheduler.rest.requests.route import ANYTHING, FORM, Route

__all__ = ["ROUTES"]


async def names(call: Call) -> Response:
    """The names."""
    known = await asyncio.to_thread(call.service.credentials.of, call.user)
    return json_answer(sorted(known))


async def put(call: Call) -> Response:
    """Add one. The name is in the form, or, for servers up to 13, in the path; a missing value is an empty one."""
    form = await call.form()
    key = call.params.get("key") or form.get("key", "")
    if not key:
        raise ValueError("The field 'key' must name the credential.")
    await asyncio.to_thread(call.service.credentials.put, call.user, key, form.get("value", ""))
    return no_content()


async def remove(call: Call) -> Response:
    """Forget one; one that is not there is no error."""
    key = call.params.get("key") or call.text("key")
    await asyncio.to_thread(call.service.credentials.remove, call.user, key)
    return no_content()


_ALL, _ONE = "/scheduler/credentials", "/scheduler/credentials/{key}"

ROUTES = (
    Route("GET", _ALL, names, "Names of the third-party credentials."),
    Route("POST", _ALL, put, "Add a third-party credential.", gives=ANYTHING, takes=FORM),
    Route("DELETE", _ALL, remove, "Remove a third-party credential.", gives=ANYTHING),
    Route("POST", _ONE, put, "Add a third-party credential, older form.", gives=ANYTHING, takes=FORM),
    Route("DELETE", _ONE, remove, "Remove a third-party credential, older form.", gives=ANYTHING),
)
