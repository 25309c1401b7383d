"""A person's way through the portals in a real browser, in both themes; pictures are left in build/screenshots."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.notebook.browser import take

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

# One browser serves the tests of one worker.
pytestmark = pytest.mark.xdist_group("portals")

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
Visit = Callable[..., None]
Faults = Callable[[], list[str]]


def python(name: str, code: str) -> Task:
    return Task(name=name, executable=Script(language="cpython", code=code))


def gated(gate: Path, name: str = "gated") -> Workflow:
    """A job whose first task writes and then waits for a file."""
    wait = f"import time\nfrom pathlib import Path\nprint('first line', flush=True)\ngate = Path({str(gate)!r})\n"
    wait += "while not gate.exists():\n    time.sleep(0.02)\nprint('second line', flush=True)\nresult = 7"
    return Workflow(name=name, tasks=(python("wait", wait), python("other", "result = '<b>bold</b>'")))


def state(page: Any, word: str) -> None:
    """Wait until the head of a job's page says so, without a reload."""
    page.locator("main").get_by_text(word, exact=True).first.wait_for()


@THEMES
def test_a_job_is_watched_and_killed(
    scheduler: Scheduler, page: Any, visit: Visit, faults_of: Faults, tmp_path: Path, theme: str
) -> None:
    """Output and states come by themselves; before a kill there is a question, whose safe answer has the focus."""
    gate = tmp_path / "gate"
    job = scheduler.submit(gated(gate))
    visit(f"/scheduler/jobs/{job.id}", theme)
    page.evaluate("window.untouched = true")
    log = page.get_by_role("log")
    log.get_by_text("first line", exact=True).wait_for()
    state(page, "Running")
    assert faults_of() == []
    take(page, f"portal-job-running-{theme}")

    page.keyboard.press("x")
    question = page.get_by_role("alertdialog")
    question.wait_for()
    assert page.evaluate("document.activeElement.textContent").startswith("Keep it running")
    assert faults_of() == []
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    gate.touch()
    log.get_by_text("second line", exact=True).wait_for()
    state(page, "Finished")
    page.locator(".chips").get_by_text(re.compile(r"^finished\s+2$")).wait_for()
    assert page.evaluate("window.untouched"), "the page was loaded anew"
    assert page.get_by_text("<b>bold</b>", exact=True).first.is_visible()
    assert faults_of() == []

    gate.unlink()
    second = scheduler.submit(gated(gate))
    visit(f"/scheduler/jobs/{second.id}", theme)
    log.get_by_text("first line", exact=True).wait_for()
    page.keyboard.press("x")
    page.get_by_role("alertdialog").get_by_role("button", name="Kill").click()
    state(page, "Killed")
    assert scheduler.job(second.id).status_label == "Killed"


def test_a_task_is_restarted(scheduler: Scheduler, page: Any, visit: Visit, tmp_path: Path) -> None:
    """From the menu of its row; it runs again."""
    job = scheduler.submit(gated(tmp_path / "gate"))
    visit(f"/scheduler/jobs/{job.id}")
    page.get_by_role("log").get_by_text("first line", exact=True).wait_for()
    page.get_by_label("Actions of task wait").click()
    page.locator("details.menu[open]").get_by_text(re.compile("^Restart")).click()
    question = page.get_by_role("alertdialog")
    if question.count():
        question.get_by_role("button", name=re.compile("^Restart")).click()
    (tmp_path / "gate").touch()
    state(page, "Finished")
    assert [line.text for line in scheduler.task_log(job.id, "wait")].count("second line") == 1
