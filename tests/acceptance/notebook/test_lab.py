"""A person's way through JupyterLab and Notebook 7 in a real browser; pictures are left in build/screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.acceptance.notebook.browser import (
    Site,
    browse,
    choose,
    open_notebook,
    outwait,
    serve,
    take,
    until_idle,
)

pytestmark = pytest.mark.needs("chromium", modules=["playwright"])

WEATHER = (
    "#%task(name=load)\nresult = {'Oslo': [8.2, 9.9], 'Vienna': [17.1, 21.0]}\nprint(len(result), 'stations')",
    "#%task(name=check, dep=[load], language=Linux_Bash)\necho checked",
    # Runs until the test has seen it run.
    "#%task(name=train, dep=[load])\nimport time\nfrom pathlib import Path\nfor epoch in range(3):\n"
    "    print('epoch', epoch, flush=True)\nwhile not Path('GATE').exists():\n    time.sleep(0.05)",
    "#%task(name=report, dep=[check, train, load])\n"
    "result = [{'city': city, 'mean': sum(days) / len(days)} for city, days in results[2].value().items()]",
    "#%draw_job()",
    "#%submit_job(name=weather)",
    "#%get_job_result()",
    "#%new_job()\n#%task(name=split)\nresult = [3, 0]\n#%task(name=divide, dep=[split])\n"
    "top, bottom = results[0].value()\nresult = top / bottom\n#%task(name=mail, dep=[divide])\nprint('sent')\n"
    "#%submit_job(name=broken, wait=on)",
    "#%unheard_of()",
)
DRAWN, WATCHED, RESULT, BROKEN, WRONG = range(4, 9)
LONG = (
    "#%task(name=wait)\nimport time\nprint('started', flush=True)\ntime.sleep(120)\n#%submit_job(name=long)",
    "#%job_status(job_name=long)",
    "#%kill_job(job_name=long)",
)
#: Names of Python that have no place in a pragma.
BUILTINS = {"abs", "print", "ArithmeticError", "True", "%timeit"}


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Site]:
    with serve(home) as site:
        yield site


@pytest.fixture(scope="module")
def page(site: Site) -> Iterator[Any]:
    with browse() as page:
        yield page


def write_weather(site: Site, name: str) -> Path:
    """Write the notebook; the file that lets its job end."""
    gate = site.folder / f"{name}.gate"
    site.write(name, [cell.replace("GATE", str(gate)) for cell in WEATHER], failing=(BROKEN, WRONG))
    return gate


def outputs(cells: Any, number: int) -> Any:
    return cells.nth(number).locator(".jp-Cell-outputArea")


def card(cells: Any, number: int) -> Any:
    """The card of a job below a cell."""
    return outputs(cells, number).locator("[role=group][aria-label^=Job]")


def until_card(cells: Any, number: int, state: str) -> None:
    outputs(cells, number).locator(f"[role=group][aria-label$=': {state}']").wait_for()


def save(page: Any) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.locator(".jp-Document:not(.lm-mod-hidden)").first.wait_for()
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")


def see_again_in_the_dark(site: Site, page: Any) -> None:
    """Without trust and without styles states, pictures and errors still show; the dark theme has its own colours."""
    saved = nbformat.read(site.folder / "weather.ipynb", as_version=4)
    saved.cells[0].source += "\n"
    nbformat.write(saved, site.folder / "foreign.ipynb")
    site.use_theme("dark")
    for name in ("weather", "foreign"):
        cells = open_notebook(page, site.lab(f"/tree/{name}.ipynb?reset"))
        page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
        outputs(cells, WATCHED).get_by_text("Finished", exact=True).first.wait_for()
        outputs(cells, BROKEN).get_by_text("ZeroDivisionError: division by zero").first.wait_for()
        assert outputs(cells, DRAWN).locator("img").evaluate("image => image.decode().then(() => true)")
        # Styles are removed from what is not trusted: structure and words are there all the same.
        assert bool(outputs(cells, WATCHED).locator("style").count()) == (name == "weather")
        outputs(cells, WATCHED).locator("summary").first.click()
        take(page, f"lab-dark-{name}")


def test_launcher_has_the_kernel(site: Site, page: Any) -> None:
    """The kernel has its card, with its picture, in the launcher of JupyterLab and in the menu of Notebook."""
    page.goto(site.lab())
    picture = page.locator(".jp-LauncherCard[title=ProActive] img").first
    picture.wait_for()
    assert "kernelspecs/proactive/logo-svg.svg" in picture.get_attribute("src")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    take(page, "lab-launcher")


def test_lab_from_the_first_cell_to_the_result(site: Site, page: Any) -> None:
    """The picture is drawn, cards change in place and reach their end, a failure is shown first, errors show."""
    site.use_theme("light")
    gate = write_weather(site, "weather")
    cells = open_notebook(page, site.lab("/tree/weather.ipynb?reset"))
    choose(page, "Run", "Run All Cells")
    drawn = outputs(cells, DRAWN).locator("img")
    drawn.wait_for()
    assert "4 tasks" in drawn.get_attribute("alt")
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth > 200)")
    until_card(cells, WATCHED, "Running")
    card(cells, WATCHED).get_by_text("epoch 2", exact=True).wait_for()
    take(page, "lab-running")
    gate.touch()
    until_card(cells, WATCHED, "Finished")
    assert card(cells, WATCHED).count() == 1
    assert "4 tasks in " in card(cells, WATCHED).inner_text()
    outputs(cells, RESULT).locator("td", has_text="Vienna").wait_for()
    until_card(cells, BROKEN, "Finished, 1 task failed")
    told = card(cells, BROKEN).inner_text()
    assert told.index("ZeroDivisionError: division by zero") < told.index("mail")
    outputs(cells, WRONG).get_by_text("There is no pragma #%unheard_of.").wait_for()
    until_idle(page)
    card(cells, WATCHED).locator("summary").first.click()
    take(page, "lab-finished")
    save(page)
    see_again_in_the_dark(site, page)


def test_lab_completes_and_explains_pragmas(site: Site, page: Any) -> None:
    """Tab offers a pragma's parameters and nothing of Python's; Shift+Tab shows the pragma's help."""
    site.use_theme("light")
    site.write("typed", [""])
    cells = open_notebook(page, site.lab("/tree/typed.ipynb?reset"))
    cells.first.locator(".cm-content").click()
    page.keyboard.type("#%submit_job(")
    page.keyboard.press("Tab")
    offered = page.locator(".jp-Completer:visible .jp-Completer-match")
    offered.first.wait_for()
    names = {name.removesuffix("=") for name in offered.all_inner_texts()}
    take(page, "lab-completion")
    assert {"name", "wait", "variables"} <= names
    assert names & BUILTINS == set()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    page.locator(".jp-Tooltip", has_text="Submits the job").wait_for()
    take(page, "lab-inspection")
    page.keyboard.press("Escape")


def test_lab_card_after_a_reload_and_a_restart(site: Site, page: Any) -> None:
    """A card that gets no update any more says so; job_status follows the job again, and its card does so after a
    restart."""
    site.use_theme("light")
    site.write("long", LONG)
    cells = open_notebook(page, site.lab("/tree/long.ipynb?reset"))
    cells.nth(0).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    until_card(cells, 0, "Running")
    save(page)

    cells = open_notebook(page, site.lab("/tree/long.ipynb"))
    notice = card(cells, 0).get_by_text("This display is no longer updated")
    notice.wait_for(state="attached")
    outwait(page)
    notice.wait_for()
    assert "#%job_status(job_id=" in card(cells, 0).inner_text()
    take(page, "lab-reloaded")
    cells.nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    until_card(cells, 1, "Running")
    assert card(cells, 1).get_by_text("This display is no longer updated").is_hidden()

    choose(page, "Kernel")
    page.locator('.lm-Menu-item[data-command="kernelmenu:restart"]').click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    card(cells, 1).get_by_text("This display is no longer updated").wait_for()
    until_idle(page)
    take(page, "lab-restarted")
    cells.nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    card(cells, 1).get_by_text("This display is no longer updated").wait_for(state="hidden")
    until_card(cells, 1, "Running")
    cells.nth(2).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    until_card(cells, 1, "Killed")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_notebook_7_runs_to_the_end(site: Site, page: Any, theme: str) -> None:
    """Notebook 7 shows the same as JupyterLab."""
    site.use_theme(theme)
    gate = write_weather(site, f"seven-{theme}")
    cells = open_notebook(page, site.notebook(f"seven-{theme}"))
    choose(page, "Run", "Run All Cells")
    until_card(cells, WATCHED, "Running")
    gate.touch()
    until_card(cells, WATCHED, "Finished")
    until_card(cells, BROKEN, "Finished, 1 task failed")
    outputs(cells, WRONG).get_by_text("There is no pragma #%unheard_of.").wait_for()
    take(page, f"notebook-{theme}")
