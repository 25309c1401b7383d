"""Take the pictures of the documentation from real runs in JupyterLab and in the portals.

Each in a light and a dark theme.

    python tools/docs_pictures.py [NAME ...]

Needs JupyterLab, playwright, Pillow and Debian's chromium. Writes docs/images/NAME.png and NAME-dark.png; the
pages name the first, and the site shows the one of its theme.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from notebook_picture import ARGUMENTS, own_jupyterlab
from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
PATIENCE = 120_000
SCALE = 1.5
#: What the pictures do without.
HIDDEN = """
.Toastify, .jp-Toolbar, .jp-cell-toolbar, .jp-Notebook-footer { display: none !important }
.jp-Collapser { visibility: hidden !important }
.jp-Notebook .jp-Cell { border-color: transparent !important; outline: none !important }
.jp-Notebook .jp-Cell:before, .jp-Notebook .jp-Cell:after { display: none !important }
"""


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """The cells of a picture, and which of them it shows."""

    cells: tuple[str, ...]
    #: What is in the output of the last cell when it has run: a selector.
    until: str
    #: The first cell in the picture.
    first: int = 0
    #: Whether the card of the last cells is unfolded.
    unfold: bool = False
    width: int = 1000


NOTEBOOKS = {
    "first-notebook": Notebook(
        cells=(
            "#%task(name=numbers, export=[unit])\nunit = 'km'\nresult = [3, 1, 2]",
            "#%task(name=total, dep=[numbers], import=[unit])\nprint('adding up')\n"
            "result = f'{sum(results[0].value())} {unit}'",
            "#%submit_job(wait=on, print_result=on, name=sums)",
        ),
        until="text=6 km",
        unfold=True,
    ),
    "failed-task": Notebook(
        cells=(
            "#%task(name=load)\nresult = [{'city': 'Oslo', 'celsius': 8.2}, {'city': 'Rome'}]",
            "#%task(name=mean, dep=[load], on_error=cancel)\nrows = results[0].value()\n"
            "result = sum(row['celsius'] for row in rows) / len(rows)",
            "#%task(name=report, dep=[mean])\nprint(results[0].value())",
            "#%submit_job(wait=on, name=weather)",
        ),
        first=1,
        until="text=JobFailed",
    ),
    "controls": Notebook(
        cells=(
            "#%split(name=deal)\nresult = [2, 3, 5]\n#%runs()\nruns = 3\n#%process(name=square)\nresult = 4\n"
            "#%merge(name=total)\nresult = 1",
            "#%branch(name=weigh, dep=[total])\n#%condition()\nbranch = 'if'\n#%if(name=heavy)\nresult = 1\n"
            "#%else(name=light)\nresult = 2\n#%continuation(name=send)\nprint('sent')",
            "#%draw_job(name=delivery)",
        ),
        first=2,
        until="img",
    ),
    "many-tasks": Notebook(
        cells=(
            "#%configure(propagate=auto)\n#%job(name=stations, generic_info=[(PYTHON_COMMAND, python3)])\n"
            "#%task(name=load)\nitems = list(range(150))\n"
            "#%task(name=score, dep=[load], foreach=item in items)\n"
            "if item % 60 == 7:\n    raise ValueError('no such station')\nresult = item ** 2\n"
            "#%task(name=report, dep=[score])\nprint(len(results), 'results')",
            "#%submit_job(wait=on)",
        ),
        first=1,
        until="text=JobFailed",
    ),
    "completion": Notebook(cells=("#%help(submit_job)",), until="text=submit_job"),
}


#: Pictures of portals: what `proactive-kernel portal` opens, and the height of the window.
PORTALS = {
    "portal-jobs": ("", 560),
    "portal-job": ("stations", 1000),
    "portal-nodes": ("nodes", 640),
    "portal-submit": ("submit", 1000),
}
#: What has run before, and what runs, when they are taken.
BEFORE = ("first-notebook", "failed-task", "many-tasks")
RUNNING = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="night"><taskFlow><task name="train">
<scriptExecutable><script><code language="bash">
echo epoch 1; sleep 600</code></script></scriptExecutable></task></taskFlow></job>"""

#: What the form for a workflow file shows.
FORM = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="Ride"><variables>
<variable name="RIDER" value="Ada" description="Who rides"/>
<variable name="KILOMETRES" value="60" model="PA:INTEGER[1,300]"/>
<variable name="BICYCLE" value="gravel" model="PA:LIST(city,gravel,road)"/>
<variable name="HELMET" value="true" model="PA:BOOLEAN"/></variables><taskFlow>
<task name="plan"><scriptExecutable><script><code language="cpython">x = 3</code></script></scriptExecutable></task>
<task name="ride"><depends><task ref="plan"/></depends><scriptExecutable><script><code language="bash">
echo "$variables_RIDER rides"</code></script></scriptExecutable></task></taskFlow></job>"""


def main() -> None:
    asked = sys.argv[1:] or [*NOTEBOOKS, *PORTALS]
    chosen = [name for name in asked if name in NOTEBOOKS]
    portals = [name for name in asked if name in PORTALS]
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for theme in THEMES:
            with jupyterlab(theme, [*chosen, *BEFORE]) as (url, home, environment):
                for name in chosen:
                    page = browser.new_page(
                        viewport={"width": NOTEBOOKS[name].width, "height": 1800},
                        device_scale_factor=SCALE,
                        color_scheme=theme,
                    )
                    page.set_default_timeout(PATIENCE)
                    save(notebook(page, f"{url}/lab/workspaces/{name}/tree/{name}.ipynb", NOTEBOOKS[name]), name, theme)
                    page.close()
                if not portals:
                    continue
                run_jobs(home, environment)
                context = browser.new_context(
                    viewport={"width": 1200, "height": 800}, device_scale_factor=SCALE, color_scheme=theme
                )
                for name in portals:
                    argument, height = PORTALS[name]
                    link = command(home, environment, "portal", *argument.split(), "--print")
                    page = context.new_page()
                    page.set_viewport_size({"width": 1200, "height": height})
                    page.goto(link.split()[-1])
                    if argument == "submit":
                        page.set_input_files("#file", home / "ride.xml")
                        page.locator("#form").wait_for()
                    page.wait_for_timeout(2000)
                    save(page.screenshot(), name, theme)
        browser.close()


def command(home: Path, environment: dict[str, str], *arguments: str) -> str:
    """What `proactive-kernel` prints; that a job in it fails is part of the picture."""
    line = [sys.executable, "-m", "proactive_jupyter_kernel", *arguments]
    return subprocess.run(line, cwd=home, env=environment, capture_output=True, text=True, check=False).stdout


def run_jobs(home: Path, environment: dict[str, str]) -> None:
    """Fill the scheduler with jobs that ended well, badly, and one that runs."""
    for name in BEFORE:
        command(home, environment, "run", f"{name}.ipynb")
    (home / "night.xml").write_text(RUNNING)
    (home / "ride.xml").write_text(FORM)
    command(home, environment, "submit", "night.xml")
    time.sleep(2)


@contextmanager
def jupyterlab(theme: str, names: list[str]) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """A JupyterLab in this theme with these notebooks: its address, folder and environment; stopped at the end."""
    cells = {name: NOTEBOOKS[name].cells for name in names}
    with own_jupyterlab(cells, theme=THEMES[theme]) as found:
        yield found


def notebook(page: Page, url: str, wanted: Notebook) -> bytes:
    """Run the notebook, and take the picture of its cells from the first that is wanted to the last."""
    page.goto(url)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("ProActive | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-OutputArea").locator(wanted.until).first.wait_for()
    page.get_by_text("ProActive | Idle").wait_for()
    page.add_style_tag(content=HIDDEN)
    if wanted.unfold:
        page.locator(".jp-Notebook summary").first.click()
    page.locator(".jp-Notebook").evaluate("notebook => notebook.scrollTo(0, 0)")
    # Cells are measured once the card has its last size.
    page.wait_for_timeout(1500)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    first, last = cells.nth(wanted.first).bounding_box(), cells.last.bounding_box()
    if first is None or last is None:
        raise SystemExit("The cells are not there.")
    height = last["y"] + last["height"] - first["y"]
    return page.screenshot(clip={**first, "height": height})


def save(picture: bytes, name: str, theme: str) -> None:
    """As a PNG with few colours, which is a quarter of the size."""
    target = FOLDER / f"{name}{'-dark' if theme == 'dark' else ''}.png"
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}  {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
