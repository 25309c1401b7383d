"""A page that is open while its scheduler stops and starts again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proactive_jupyter_kernel.client import embedded, portals
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow


def test_a_scheduler_restarts_under_an_open_page(scheduler: Scheduler, page: Any, visit: Callable[..., None]) -> None:
    """The page says so, keeps what it showed, and says how to get in again; there it shows the stored jobs."""
    task = Task(name="T", executable=Script(language="cpython", code="result = 1"))
    scheduler.submit(Workflow(name="before the restart", tasks=(task,))).wait()
    visit("/scheduler/")
    row = page.get_by_role("link", name="before the restart")
    row.wait_for()
    port = int(scheduler.address.rpartition(":")[2])
    embedded.stop()
    page.get_by_text("The scheduler does not answer.").wait_for()
    assert row.is_visible()

    embedded.ensure(port=port)
    page.get_by_text("Run `proactive-kernel portal` in a terminal.").wait_for()
    assert row.is_visible()
    with Scheduler.embedded() as again:
        page.goto(portals.links(again, "/scheduler/")[0])
        row.wait_for()
