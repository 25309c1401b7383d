"""A real Jupyter Server and a real browser for the tests in JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

CHROMIUM = shutil.which("chromium")
#: Milliseconds for anything that a page is to show.
PATIENCE = 60_000
#: Where the pictures of pages are left; build/ is not committed.
PICTURES = Path(__file__).parents[3] / "build" / "screenshots"
# No GPU, no sandbox and no traffic of its own, as in a container.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Jupyter Server that serves JupyterLab and Notebook 7 for one folder."""

    url: str
    folder: Path
    _settings: Path

    def write(self, name: str, cells: Iterable[str], *, failing: Iterable[int] = ()) -> None:
        """Write a notebook for this kernel; cells at `failing` may end in an error without ending Run All."""
        made = [nbformat.v4.new_code_cell(cell) for cell in cells]
        for number in failing:
            made[number].metadata["tags"] = ["raises-exception"]
        notebook = nbformat.v4.new_notebook(cells=made)
        notebook.metadata.kernelspec = {"name": "proactive", "display_name": "ProActive", "language": "python"}
        nbformat.write(notebook, self.folder / f"{name}.ipynb")

    def use_theme(self, theme: str) -> None:
        """Choose the theme of pages that are loaded from now on: light or dark."""
        self._set("themes", theme=_THEMES[theme])

    def _set(self, plugin: str, *, extension: str = "apputils", **values: str | int) -> None:
        folder = self._settings / "@jupyterlab" / f"{extension}-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")

    def ask_nothing(self) -> None:
        """Switch off the prompt for news."""
        self._set("notification", fetchNews="false")

    def wait_for_completion(self) -> None:
        """JupyterLab drops completions that take longer than a second, which they may on a machine with much to do."""
        self._set("manager", extension="completer", providerTimeout=PATIENCE)

    def lab(self, path: str = "?reset") -> str:
        return f"{self.url}/lab/workspaces/test{path}"

    def notebook(self, name: str) -> str:
        return f"{self.url}/notebooks/{name}.ipynb"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _until_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)


@contextmanager
def serve(home: Path) -> Iterator[Site]:
    """A server with an empty folder and nothing of this machine's user."""
    folder = home / "work"
    folder.mkdir()
    url = f"http://127.0.0.1:{_free_port()}"
    settings = home / "settings"
    options = [
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        f"--port={url.rpartition(':')[2]}",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.user_settings_dir={settings}",
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
        _until_answers(f"{url}/api", server)
        site = Site(url=url, folder=folder, _settings=settings)
        site.ask_nothing()
        site.wait_for_completion()
        yield site
    finally:
        server.terminate()
        server.wait(PATIENCE / 1000)


@contextmanager
def browse() -> Iterator[Any]:
    """A page of headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1100, "height": 1500})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def open_notebook(page: Any, address: str) -> Any:
    """Load a notebook and wait for its kernel; the code cells."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    # The indicator in the toolbar is idle before the session is ready.
    ready = '.jp-StatusBar-TextItem:text-is("ProActive | Idle"), .jp-NotebookKernelStatus-fade'
    page.locator(ready).first.wait_for(state="attached")
    until_idle(page)
    return page.locator(".jp-Notebook .jp-CodeCell")


def until_idle(page: Any) -> None:
    """Wait until the kernel has nothing to do."""
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()


def choose(page: Any, *path: str) -> None:
    """Choose an entry of a menu, such as Run, Run All Cells."""
    for name in path:
        page.get_by_role("menuitem", name=name, exact=True).click()


def take(page: Any, name: str) -> None:
    """Leave a picture of the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def outwait(page: Any) -> None:
    """Bring the animations of cards to their end, as if no update had come for their whole time."""
    page.evaluate("document.getAnimations().forEach(one => { try { one.finish() } catch { /* endless */ } })")
