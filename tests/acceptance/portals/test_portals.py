"""A person's way through the portals in a real browser, in both themes; pictures are left in build/screenshots."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.notebook.browser import take

from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Task, Variable, Workflow

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
Visit = Callable[..., None]
Faults = Callable[[], list[str]]


def python(name: str, code: str) -> Task:
    return Task(name=name, executable=Script(language="cpython", code=code), max_executions=2)


def gated(gate: Path, name: str = "gated") -> Workflow:
    """A job whose first task writes and then waits for a file."""
    wait = f"import time\nfrom pathlib import Path\ngate = Path({str(gate)!r})\n"
    wait += "with gate.with_suffix('.runs').open('a') as runs:\n    runs.write('x')\nprint('first line', flush=True)\n"
    wait += "while not gate.exists():\n    time.sleep(0.02)\nprint('second line', flush=True)\nresult = 7"
    return Workflow(name=name, tasks=(python("wait", wait), python("other", "result = '<b>bold</b>'")))


def state(page: Any, word: str) -> None:
    """Wait until the head of a job's page says so, without a reload."""
    page.locator("[data-part=summary]").get_by_text(word, exact=True).wait_for()


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
    """From the menu of its row, after a question; it runs again, which counts as one of its executions."""
    job = scheduler.submit(gated(tmp_path / "gate"))
    visit(f"/scheduler/jobs/{job.id}")
    page.get_by_role("log").get_by_text("first line", exact=True).wait_for()
    page.get_by_label("Actions of task wait").click()
    page.locator("details.menu[open]").get_by_text(re.compile("^Restart")).click()
    page.get_by_role("alertdialog").get_by_role("button", name=re.compile("^Restart")).click()
    end = time.monotonic() + 60
    while (tmp_path / "gate.runs").read_text() != "xx" and time.monotonic() < end:
        time.sleep(0.05)
    (tmp_path / "gate").touch()
    state(page, "Finished")
    assert (tmp_path / "gate.runs").read_text() == "xx"
    assert [line.text for line in scheduler.task_log(job.id, "wait")].count("second line") == 1


def test_the_list_by_keys(scheduler: Scheduler, page: Any, visit: Visit, faults_of: Faults, tmp_path: Path) -> None:
    """Search, move, pause, resume, a question that is left, open: nothing of it needs a pointer."""
    gate = tmp_path / "gate"
    job = scheduler.submit(gated(gate, "by keys"))
    scheduler.submit(Workflow(name="another", tasks=(python("only", "result = 1"),))).wait()
    visit("/scheduler/", "dark")
    page.keyboard.press("/")
    page.keyboard.type("by keys")
    page.locator("tr[data-row]", has_text="another").wait_for(state="detached")
    page.keyboard.press("Escape")
    row = page.locator("tr[data-row]", has_text="by keys")
    page.keyboard.press("j")
    row.and_(page.locator("[data-selected]")).wait_for()
    page.keyboard.press("p")
    row.get_by_text("Paused").wait_for()
    page.keyboard.press("p")
    row.get_by_text("Running", exact=True).wait_for()
    page.keyboard.press("x")
    question = page.get_by_role("alertdialog")
    question.wait_for()
    assert faults_of() == []
    page.keyboard.press("Enter")
    question.wait_for(state="detached")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/scheduler/jobs/{job.id}")
    gate.touch()
    state(page, "Finished")


@THEMES
def test_nodes_and_a_narrow_window(
    scheduler: Scheduler, page: Any, visit: Visit, faults_of: Faults, tmp_path: Path, theme: str
) -> None:
    """What runs where; a locked host takes no more tasks; all pages fit into 360 pixels."""
    gate = tmp_path / "gate"
    job = scheduler.submit(gated(gate))
    visit("/rm/", theme)
    page.locator(".tile.busy", has_text="wait").wait_for()
    page.get_by_role("button", name=re.compile("^Lock ")).click()
    page.get_by_role("button", name=re.compile("^Unlock ")).wait_for()
    assert faults_of() == []
    page.get_by_role("button", name=re.compile("^Unlock ")).click()
    page.get_by_role("button", name=re.compile("^Lock ")).wait_for()
    page.set_viewport_size({"width": 360, "height": 700})
    found = {"/rm/": faults_of()}
    root = page.url.removesuffix("/rm/")
    for path in ("/scheduler/", f"/scheduler/jobs/{job.id}", "/automation-dashboard/"):
        page.goto(root + path)
        found[path] = faults_of()
    gate.touch()
    job.wait()
    assert [path for path, faults in found.items() if faults] == [], found


def test_an_error_of_a_script_is_reported_and_the_page_still_refreshes(
    scheduler: Scheduler, page: Any, visit: Visit, script_errors: list[str], tmp_path: Path
) -> None:
    """It is not taken for a scheduler that does not answer, and the change after it is shown."""
    gate = tmp_path / "gate"
    job = scheduler.submit(gated(gate))
    visit(f"/scheduler/jobs/{job.id}")
    state(page, "Running")
    page.evaluate("() => { window.escape_ = CSS.escape; CSS.escape = () => { throw new Error('broken'); }; }")
    with page.expect_event("pageerror"):
        scheduler.pause(job.id)
    assert page.locator("#offline").is_hidden()
    assert {error for error in script_errors if "broken" not in error} == set()
    page.evaluate("CSS.escape = window.escape_")
    script_errors.clear()
    scheduler.resume(job.id)
    gate.touch()
    state(page, "Finished")


def test_values_of_a_job_that_runs_again_are_checked_while_the_user_types(
    scheduler: Scheduler, page: Any, visit: Visit
) -> None:
    """The error stands beside its field, and goes when the value is right."""
    variables = (Variable(name="N", value="1", model="PA:INTEGER"),)
    job = scheduler.submit(Workflow(name="typed", variables=variables, tasks=(python("only", "result = 1"),)))
    job.wait()
    visit(f"/scheduler/jobs/{job.id}/again")
    field = page.locator("[name='variable:N']")
    field.fill("many")
    page.locator("#again [aria-invalid=true]").wait_for()
    assert "many" in page.locator("#again .problem:not(:empty)").first.text_content()
    field.fill("7")
    page.locator("#again [aria-invalid=true]").wait_for(state="detached")
    page.get_by_role("button", name="Run again").click()
    page.get_by_text(f"which is job {job.id} again").wait_for()


def test_axe_finds_what_is_wrong(page: Any, visit: Visit, faults_of: Faults) -> None:
    """The eye that all these tests trust is open."""
    visit("/scheduler/")
    page.evaluate("document.querySelector('main').innerHTML = '<input><button></button>'")
    assert sorted(one.partition(":")[0] for one in faults_of()) == ["button-name", "label"]


@THEMES
def test_a_workflow_is_submitted_by_its_form(
    scheduler: Scheduler, page: Any, visit: Visit, faults_of: Faults, tmp_path: Path, theme: str
) -> None:
    """A file becomes a form and a picture; a value is checked while it is typed; the job runs with it."""
    file = tmp_path / "form.xml"
    count = Variable(name="COUNT", value="3", model="PA:INTEGER[1,10]")
    task = python("only", "result = int(variables['COUNT']) * 2")
    file.write_text(xml.dumps(Workflow(name="by form", variables=(count,), tasks=(task,))), encoding="utf-8")
    visit("/automation-dashboard/", theme)
    page.locator("#file").set_input_files(file)
    field = page.get_by_label("COUNT")
    field.wait_for()
    page.get_by_role("img").first.wait_for(state="attached")
    checks = page.locator("[data-part=checks] .head")
    checks.and_(page.locator("[data-valid=yes]")).wait_for()
    assert faults_of() == []

    field.fill("eleven")
    checks.and_(page.locator("[data-valid=no]")).wait_for()
    assert faults_of() == []
    take(page, f"portal-submit-{theme}")
    field.fill("7")
    checks.and_(page.locator("[data-valid=yes]")).wait_for()
    page.get_by_role("button", name=re.compile("^Submit")).click()
    page.wait_for_url("**/scheduler/jobs/*")
    state(page, "Finished")
    page.locator("[data-part=results]").get_by_text("14", exact=True).wait_for()
