"""A person's way through JupyterLab in a real browser: launcher, cells, the live picture of a job, Tab, Shift+Tab."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

CHROMIUM = shutil.which("chromium")
REQUIRED = os.environ.get("PAJK_REQUIRE_ALL") == "1"
# No GPU, no sandbox and no traffic of its own, as in a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000

pytestmark = pytest.mark.skipif(
    not REQUIRED and (CHROMIUM is None or importlib.util.find_spec("playwright") is None),
    reason="needs chromium and playwright",
)

CELLS = (
    "#%task(name=Squares)\nimport time\nfor n in range(20):\n    print('round', n, flush=True)\n    time.sleep(0.1)\n"
    "result = [{'n': n, 'square': n * n} for n in range(3)]\n#%submit_job(name=InLab)",
    "#%get_job_result()",
    "#%unheard_of()",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def until_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def lab(home: Path) -> Iterator[str]:
    """A JupyterLab with one notebook, and nothing of this machine's user; its address."""
    folder = home / "work"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata.kernelspec = {"name": "proactive", "display_name": "ProActive", "language": "python"}
    nbformat.write(notebook, folder / "demo.ipynb")
    port = free_port()
    options = [
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        f"--port={port}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    try:
        address = f"http://127.0.0.1:{port}/lab"
        until_answers(f"http://127.0.0.1:{port}/api", server)
        yield address
    finally:
        server.terminate()
        server.wait(PATIENCE / 1000)


@pytest.fixture
def page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 1400})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def test_from_the_launcher_to_a_result(lab: str, page: Any) -> None:
    """The kernel has its card; a job's display changes in place; results, errors, completion and help show."""
    page.goto(f"{lab}/workspaces/test?reset")
    card = page.locator(".jp-LauncherCard[title=ProActive] img").first
    card.wait_for()
    assert "kernelspecs/proactive/logo-svg.svg" in card.get_attribute("src")

    page.goto(f"{lab}/workspaces/test/tree/demo.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("ProActive | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    cells = page.locator(".jp-Notebook .jp-CodeCell")

    submitted, waiting, wrong = (cells.nth(number).locator(".jp-Cell-outputArea") for number in range(3))
    submitted.get_by_text("Running", exact=True).first.wait_for()
    waiting.locator("td", has_text="round 3").first.wait_for(state="attached")
    submitted.get_by_text("1 task in ").wait_for()
    assert submitted.get_by_text("Running", exact=True).count() == 0
    waiting.locator("td", has_text=re.compile("^4$")).wait_for()
    wrong.get_by_text("There is no pragma #%unheard_of.").wait_for()

    editor = cells.nth(2).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("#%submit_job(wa")
    page.keyboard.press("Shift+Tab")
    page.locator(".jp-Tooltip", has_text="Submits the job").wait_for()
    page.keyboard.press("Escape")
    editor.click()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    # One match is put in at once, several are offered.
    page.wait_for_function(
        "() => document.body.innerText.includes('wait=') "
        "|| document.querySelector('.jp-Completer')?.innerText.includes('wait=')"
    )
