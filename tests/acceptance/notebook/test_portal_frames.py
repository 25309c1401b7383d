"""The portal in a frame of a real JupyterLab: live in the open notebook, and nothing to log in with in its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import nbformat
import pytest
from tests.acceptance.notebook.browser import Site, browse, choose, open_notebook, serve, take, until_idle

pytestmark = pytest.mark.needs("chromium", modules=["playwright"])

CELLS = (
    "#%task(name=only)\nprint('hello')\nresult = 1\n#%submit_job(name=shown_in_a_frame, wait=on)",
    "#%show_scheduling_portal(height=420)",
)
FRAME = "iframe[title^='Scheduling portal']"


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Site]:
    with serve(home) as site:
        yield site


def save(page: Any) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")


def test_a_portal_in_a_notebook(site: Site) -> None:
    """The frame is logged in, and leads to the same page in a tab; from then on the link of a card works as well.

    No link in the saved file opens a session, and without the frame the file says what it was.
    """
    # JupyterLab at localhost and the scheduler at 127.0.0.1 are different sites for a browser.
    lab = site.lab("/tree/portal.ipynb?reset").replace("127.0.0.1", "localhost")
    site.use_theme("light")
    site.write("portal", CELLS)
    with browse() as page:
        cells = open_notebook(page, lab)
        choose(page, "Run", "Run All Cells")
        portal = page.frame_locator(FRAME)
        portal.get_by_role("link", name="shown_in_a_frame").wait_for()
        take(page, "lab-portal")

        # The frame follows JupyterLab's theme while it is open, whatever the operating system prefers.
        page.emulate_media(color_scheme="null")
        for light in ("false", "true"):
            page.evaluate("light => { document.body.dataset.jpThemeLight = light; }", light)
            frame = page.locator(FRAME).element_handle().content_frame()
            frame.wait_for_function(f"matchMedia('(prefers-color-scheme: light)').matches === {light}")

        until_idle(page)
        save(page)
        text = (site.folder / "portal.ipynb").read_text("utf-8")
        links = re.findall(r"http://127\.0\.0\.1:\d+/portal/[\w/-]+", text)
        assert [httpx2.get(link).status_code for link in links] == [403]

        with page.expect_popup() as opened:
            portal.get_by_role("link", name="Open in a tab").click()
        opened.value.get_by_role("link", name="shown_in_a_frame").wait_for()
        assert opened.value.url.endswith("/scheduler/")
        with page.expect_popup() as followed:
            cells.nth(0).get_by_role("link", name=re.compile("^Open job")).click()
        followed.value.get_by_role("heading", name="shown_in_a_frame").wait_for()
        opened.value.close()
        followed.value.close()

        foreign = nbformat.reads(text, as_version=4)
        foreign.cells[0].source += "\n"
        nbformat.write(foreign, site.folder / "foreign.ipynb")
        site.use_theme("dark")
        cells = open_notebook(page, lab.replace("portal.ipynb", "foreign.ipynb"))
        words = cells.nth(1).locator(".jp-Cell-outputArea").inner_text()
        assert (page.locator(FRAME).count(), "To see it again, run #%show_scheduling_portal()" in words) == (0, True)
        take(page, "lab-portal-foreign-dark")
