"""The OpenAPI description of the REST API: made from the table of routes, so that it says what is answered.

``make reference`` writes it to docs/reference/openapi.json; a scheduler answers it at ``/rest/openapi.json``.

Paths, methods, sessions, media types and what each route does come from its row. Query parameters are found in the
handlers, which ask for them by name: ``call.text("includes")``, ``call.number("index", 0)``.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.rest.requests.call import Call, json_answer
from proactive_jupyter_kernel.scheduler.rest.requests.route import Route
from proactive_jupyter_kernel.version import __version__

__all__ = ["ROUTES", "document", "parameters"]

_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "integer", "format": "int64"},
    "flag": {"type": "boolean"},
    "numbers": {"type": "array", "items": {"type": "integer", "format": "int64"}},
}
_ASKED = re.compile(r"\bcall\.(text|number|flag|numbers)\(\s*\"(\w+)\"")
#: ``_patterns(call, "includes")``: a helper that asks for it.
_GIVEN = re.compile(r"\b_?[a-z]\w*\(call, \"(\w+)\"")
#: A helper that gets the call, and so may ask it, too.
_HELPER = re.compile(r"\b(\w+)\(\s*call\b")
_NUMBERS = {"job"}
#: Whatever a handler gets wrong is answered in this form.
_ERROR = {
    "type": "object",
    "required": ["httpErrorCode", "errorMessage", "stackTrace", "exception", "exceptionClass"],
    "properties": {
        "httpErrorCode": {"type": "integer"},
        "errorMessage": {"type": ["string", "null"]},
        "stackTrace": {"type": ["string", "null"]},
        "exception": {"type": ["object", "null"]},
        "exceptionClass": {"type": "string"},
    },
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The description of these routes, which lie under ``/rest``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = re.sub(r"\{(\w+)\*\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "REST API of the embedded scheduler",
            "version": __version__,
            "description": "The paths of a ProActive Scheduler's REST API that the embedded scheduler answers.",
        },
        "servers": [{"url": "/rest"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"session": {"type": "apiKey", "in": "header", "name": "sessionid"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    inside = [_in_path(name) for name in re.findall(r"\{(\w+)\*?\}", route.path)]
    query = [{"name": name, "in": "query", "schema": _SCHEMAS[kind]} for name, kind in parameters(route.handler)]
    content: dict[str, Any] = {kind: {} for kind in route.gives or ("*/*",)}
    operation: dict[str, Any] = {
        "summary": route.doc,
        "tags": [route.path.split("/")[1]],
        "responses": {
            "200": {"description": "Done.", "content": content},
            "default": {
                "description": "Refused; the class of the exception says why.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if inside or query:
        operation["parameters"] = inside + query
    if route.takes:
        operation["requestBody"] = {"content": {kind: {} for kind in route.takes}}
    operation["security"] = [{"session": []}] if route.session else []
    return operation


def _in_path(name: str) -> dict[str, Any]:
    schema = _SCHEMAS["number" if name in _NUMBERS else "text"]
    return {"name": name, "in": "path", "required": True, "schema": schema}


def parameters(handler: Callable[..., Any]) -> list[tuple[str, str]]:
    """The query parameters that a handler and its helpers ask for: name and method of `Call`, by name."""
    found: dict[str, str] = {}
    seen: set[object] = set()
    for function in _with_helpers(handler, seen):
        for kind, name in _ASKED.findall(_source(function)):
            found.setdefault(name, kind)
        for name in _GIVEN.findall(_source(function)):
            found.setdefault(name, "text")
    return sorted(found.items())


def _with_helpers(function: Callable[..., Any], seen: set[object]) -> Iterator[FunctionType]:
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    yield function
    for name in _HELPER.findall(_source(function)):
        helper = function.__globals__.get(name)
        if helper is not None:
            yield from _with_helpers(helper, seen)
    for cell in function.__closure__ or ():
        # Handlers that a factory made: what they were made of may ask as well.
        if callable(cell.cell_contents):
            yield from _with_helpers(cell.cell_contents, seen)


def _source(function: FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except OSError:
        return ""


@functools.cache
def _everything() -> dict[str, Any]:
    from proactive_jupyter_kernel.scheduler.rest import routes

    return document(routes.ROUTES)


async def describe(call: Call) -> Response:
    """This description."""
    return json_answer(await asyncio.to_thread(_everything))


ROUTES = (Route("GET", "/openapi.json", describe, "This description of the REST API.", session=False),)


def main() -> None:
    """Write the description to standard output."""
    json.dump(_everything(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
