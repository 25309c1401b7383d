"""The OpenAPI description says what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.scheduler.rest.routes import ROUTES
from proactive_jupyter_kernel.scheduler.rest.routes.openapi import document, parameters

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "openapi.json"


def test_the_page_is_current(rest: Callable[..., None]) -> None:
    """docs/reference/openapi.json is what the table of routes says, and what a scheduler answers."""

    async def scenario(scene: Any) -> None:
        assert await scene.json("/openapi.json", headers={"sessionid": ""}) == page

    page = json.loads(PAGE.read_text(encoding="utf-8"))
    assert page == document(ROUTES), "run: make reference"
    rest(scenario)


def test_every_route_is_described() -> None:
    """With its path, its method, its parameters in the path, and whether it asks for a session."""
    described = document(ROUTES)["paths"]
    for route in ROUTES:
        operation = described[re.sub(r"\*\}", "}", route.path)][route.method.lower()]
        inside = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"]
        assert inside == re.findall(r"\{(\w+)\*?\}", route.path)
        assert operation["summary"] == route.doc
        assert bool(operation["security"]) == route.session


def test_query_parameters_are_those_that_handlers_ask_for() -> None:
    """Also where a helper asks, with their types."""
    handlers = {(route.method, route.path): route.handler for route in ROUTES}
    assert dict(parameters(handlers["GET", "/rm/model/hosts"])) == {"name": "text", "noEmpty": "flag"}
    listing = dict(parameters(handlers["GET", "/scheduler/jobsinfo"]))
    assert {name: listing[name] for name in ("index", "childJobs", "jobName")} == {
        "index": "number",
        "childJobs": "flag",
        "jobName": "text",
    }
    assert dict(parameters(handlers["DELETE", "/scheduler/jobs"]))["jobsid"] == "numbers"
