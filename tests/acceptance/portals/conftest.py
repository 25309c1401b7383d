"""A browser that is logged in to the portals of an embedded scheduler, and axe-core to look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.notebook.browser import browse
from tests.required import need

from proactive_jupyter_kernel.client import portals
from proactive_jupyter_kernel.client.scheduler import Scheduler


@pytest.fixture(scope="module")
def scheduler(home: Path) -> Iterator[Scheduler]:
    """The embedded scheduler of this module; it is stopped with its home."""
    need("chromium", modules=["playwright", "axe_playwright_python"])
    with Scheduler.embedded() as scheduler:
        yield scheduler


@pytest.fixture(scope="module")
def browser_page(scheduler: Scheduler) -> Iterator[Any]:
    with browse() as page:
        yield page


@pytest.fixture
def script_errors() -> list[str]:
    """What scripts of the page failed with, and what its policy forbade; a test that expects some clears the list."""
    return []


@pytest.fixture
def page(browser_page: Any, script_errors: list[str]) -> Iterator[Any]:
    """A page of the browser; a script that fails, or something that its policy forbids, fails the test."""
    faults = script_errors

    def hear(message: Any) -> None:
        # A page that is not there is asked for on purpose.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def fail(error: Any) -> None:
        faults.append(str(error))

    browser_page.on("console", hear)
    browser_page.on("pageerror", fail)
    browser_page.set_viewport_size({"width": 1100, "height": 900})
    yield browser_page
    browser_page.remove_listener("console", hear)
    browser_page.remove_listener("pageerror", fail)
    assert faults == []


@pytest.fixture(autouse=True)
def no_job_is_left(scheduler: Scheduler) -> Iterator[None]:
    """The next test has all slots, however this one ends."""
    yield
    for info in scheduler.jobs(alive_only=True):
        scheduler.kill(info.id)


@pytest.fixture
def visit(page: Any, scheduler: Scheduler) -> Callable[..., None]:
    """Opens a page of the portals, logged in, in a theme."""

    def go(path: str, theme: str = "light") -> None:
        page.emulate_media(color_scheme=theme)
        page.goto(portals.links(scheduler, path)[0])
        page.wait_for_url(f"**{path}")

    return go


@pytest.fixture
def faults_of(page: Any) -> Callable[[], list[str]]:
    """What axe-core calls serious or critical in the page as it stands, and a page that is wider than its window."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def look() -> list[str]:
        found = [
            f"{one['id']}: {node['target']}"
            for one in axe.run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return found + ["wider than the window"] * wide

    return look
