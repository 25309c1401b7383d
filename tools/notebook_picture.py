"""Take the picture of a notebook that README.md shows, from a real JupyterLab.

    python tools/notebook_picture.py

Needs JupyterLab, playwright and Debian's chromium; writes docs/images/notebook.png.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "notebook.png"
CELLS = (
    "#%task(name=stations)\nresult = {'Vienna': [17.1, 19.4, 21.0], 'Oslo': [8.2, 9.9, 9.0]}",
    "#%task(name=means, dep=[stations])\nstations = results[0].value()\nprint('averaging', len(stations), 'stations')\n"
    "result = [{'city': city, 'mean': round(sum(days) / len(days), 1)}\n"
    "          for city, days in sorted(stations.items())]",
    '#%task(name=note, dep=[stations], language=Linux_Bash)\necho "written by job $variables_PA_JOB_ID"',
    "#%submit_job(wait=on, name=weather)",
    "#%get_task_result(task_name=means)",
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PATIENCE = 60_000
#: What the picture does without.
HIDDEN = """
.Toastify, .jp-Toolbar, .jp-cell-toolbar, .jp-Notebook-footer { display: none !important }
.jp-Collapser { visibility: hidden !important }
.jp-Notebook .jp-Cell { border-color: transparent !important; outline: none !important }
.jp-Notebook .jp-Cell:before, .jp-Notebook .jp-Cell:after { display: none !important }
"""


def main() -> None:
    with jupyterlab("weather", CELLS) as url:
        take(url)


@contextmanager
def jupyterlab(name: str, cells: Iterable[str]) -> Iterator[str]:
    """The address of a notebook in a JupyterLab of its own."""
    with own_jupyterlab({name: cells}) as (url, _, _):
        yield f"{url}/lab/tree/{name}.ipynb"


@contextmanager
def own_jupyterlab(
    notebooks: Mapping[str, Iterable[str]], *, theme: str = ""
) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """A JupyterLab with these notebooks and nothing of this machine's user: its address, folder and environment.

    `theme`: as JupyterLab names it; empty: the usual one. The server and its scheduler are stopped at the end.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, cells in notebooks.items():
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            notebook.metadata.kernelspec = {"name": "proactive", "display_name": "ProActive", "language": "python"}
            nbformat.write(notebook, home / f"{name}.ipynb")
        if theme:
            settings = home / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
            settings.parent.mkdir(parents=True)
            settings.write_text(json.dumps({"theme": theme}))
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        environment = {
            **os.environ,
            "HOME": folder,
            "JUPYTER_CONFIG_DIR": f"{folder}/config",
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
            "JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings",
            "PROACTIVE_KERNEL_DATA_DIR": f"{folder}/data",
        }
        options = [
            "--no-browser",
            "--allow-root",
            "--IdentityProvider.token=",
            f"--port={port}",
            "--LabApp.news_url=None",
        ]
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], cwd=home, env=environment, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/api")
            yield f"http://127.0.0.1:{port}", home, environment
        finally:
            server.terminate()
            server.wait(60)
            stop = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", "stop"]
            subprocess.run(stop, env=environment, check=False)


def wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("JupyterLab does not answer.")


def take(url: str) -> None:
    TARGET.parent.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1150, "height": 1500}, device_scale_factor=1.5)
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("ProActive | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.locator(".jp-Notebook td", has_text="Vienna").wait_for()
        page.add_style_tag(content=HIDDEN)
        page.locator(".jp-Notebook summary").first.click()
        page.locator(".jp-Notebook").evaluate("notebook => notebook.scrollTo(0, 0)")
        page.wait_for_timeout(500)
        first, last = (page.locator(".jp-Notebook .jp-CodeCell").nth(number).bounding_box() for number in (0, -1))
        height = last["y"] + last["height"] - first["y"]
        page.screenshot(path=TARGET, clip={**first, "height": height})
        browser.close()


if __name__ == "__main__":
    main()
