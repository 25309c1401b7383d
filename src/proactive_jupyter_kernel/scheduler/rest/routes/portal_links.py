"""``/portal/links``: single-use links with which a browser gets into the portals. A ProActive server has none."""

from __future__ import annotations

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.access.portal_sessions import LINK_SECONDS
from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import JSON, Route

__all__ = ["ROUTES"]

#: In one request.
_MOST_LINKS = 20


async def links(call: Call) -> Response:
    """Single-use links to the page ``path``.

    ``origins`` are those who may show it in a frame, ``count`` is how many links are wanted, ``seconds`` how long they
    are good for.
    """
    body = await call.json()
    if not isinstance(body, dict) or not isinstance(body.get("path"), str):
        raise ValueError('The body must be a JSON object such as {"path": "/scheduler/", "origins": [], "count": 1}.')
    origins, count, seconds = body.get("origins", []), body.get("count", 1), body.get("seconds", LINK_SECONDS)
    if not isinstance(origins, list) or not all(isinstance(origin, str) for origin in origins):
        raise ValueError("'origins' must be a list of origins such as http://localhost:8888.")
    if type(count) is not int or not 1 <= count <= _MOST_LINKS:
        raise ValueError(f"'count' must be an integer from 1 to {_MOST_LINKS}, not {count!r}.")
    if type(seconds) not in (int, float) or not seconds > 0:
        raise ValueError(f"'seconds' must be a positive number, not {seconds!r}.")
    assert call.session is not None
    tokens = call.sessions.portal_links(call.session, path=body["path"], origins=origins, count=count, seconds=seconds)
    base = f"http://{call.header('host')}/portal/enter/"
    return json_answer({"links": [base + token for token in tokens]})


ROUTES = (Route("POST", "/portal/links", links, "Single-use links to a page of the portals.", takes=JSON),)
