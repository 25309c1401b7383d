"""The rows of the page that submits workflows. Its handlers read models of variables: loaded when somebody visits it,
not with the daemon."""

from __future__ import annotations

import asyncio
import importlib

from starlette.responses import Response

from proactive_jupyter_kernel.scheduler.portals.page import Handler, Page
from proactive_jupyter_kernel.scheduler.portals.visit import Visit

__all__ = ["PAGES"]

_HERE = "/automation-dashboard/"
_HANDLERS = "proactive_jupyter_kernel.scheduler.portals.submit.pages"


def _on_first_use(name: str) -> Handler:
    async def handler(visit: Visit) -> Response:
        module = await asyncio.to_thread(importlib.import_module, _HANDLERS)
        response: Response = await getattr(module, name)(visit)
        return response

    return handler


PAGES = (
    Page("GET", _HERE, _on_first_use("show"), "Opens a workflow and shows its form, its picture and its checks."),
    Page("POST", _HERE + "open", _on_first_use("open_file"), "Reads a workflow file that was chosen."),
    Page("POST", _HERE + "check", _on_first_use("check"), "Checks the form of a workflow."),
    Page("POST", _HERE + "submit", _on_first_use("submit"), "Submits the workflow."),
    Page("POST", _HERE + "notebook", _on_first_use("notebook"), "Makes a notebook of the workflow."),
)
