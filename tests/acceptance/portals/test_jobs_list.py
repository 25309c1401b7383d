"""The list of jobs in a real browser, in both themes: search, keys, questions, updates, small screens, frames."""

from __future__ import annotations

import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.notebook.browser import CHROMIUM, PATIENCE, take

from proactive_jupyter_kernel.client import portals
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Script, Task, Workflow

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
Visit = Callable[..., None]
Faults = Callable[[], list[str]]

#: Runs until it is killed.
ENDLESS = "import time\nwhile True:\n    time.sleep(0.05)"


def workflow(name: str, code: str = "result = 1", **more: Any) -> Workflow:
    return Workflow(name=name, tasks=(Task(name="T", executable=Script(language="cpython", code=code)),), **more)


@pytest.fixture(scope="module")
def some_jobs(scheduler: Scheduler) -> list[int]:
    """One that failed, and one whose name is markup."""
    failing = workflow("weather", "raise ValueError('column mean has a hole')", on_error=ErrorPolicy.CONTINUE)
    jobs = [scheduler.submit(each) for each in (failing, workflow("<b>bold</b>"))]
    for job in jobs:
        job.wait()
    return [job.id for job in jobs]


@THEMES
def test_a_job_is_found_paused_and_killed_by_keys(
    scheduler: Scheduler, some_jobs: list[int], page: Any, visit: Visit, faults_of: Faults, theme: str
) -> None:
    """Without a mouse; the question before a kill has the focus on its safe answer, and stays while jobs change."""
    job = scheduler.submit(workflow(f"endless {theme}", ENDLESS))
    from playwright.sync_api import expect

    visit("/scheduler/", theme)
    row = page.locator(f"#job-{job.id}")
    row.get_by_text("Running", exact=True).wait_for()
    assert faults_of() == []
    take(page, f"portal-jobs-{theme}")

    page.keyboard.press("/")
    page.keyboard.type(f"LESS {theme}")
    page.wait_for_url(f"**/scheduler/?q=LESS+{theme}")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("p")
    row.get_by_text("Paused", exact=True).wait_for()
    assert (
        page.locator(".note.t-ok").inner_text()
        == f"Paused job {job.id}. Running tasks run to their end; no more tasks start."
    )
    page.keyboard.press("x")
    page.get_by_role("alertdialog").wait_for()
    other = scheduler.submit(workflow(f"endless {theme} too"))
    page.locator(f"#job-{other.id}").wait_for()
    assert page.evaluate("document.activeElement.textContent").startswith("Keep it running")
    assert faults_of() == []
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog").wait_for(state="detached")
    page.keyboard.press("x")
    page.get_by_role("button", name=f"Kill job {job.id}").click()
    row.get_by_text("Killed", exact=True).wait_for()
    assert page.url.endswith(f"?q=LESS+{theme}")


def test_a_key_is_heard_as_soon_as_the_list_shows_what_it_does(scheduler: Scheduler, page: Any, visit: Visit) -> None:
    """A job that is paused is resumed by the next key, although the page still waits for a later answer."""
    job = scheduler.submit(workflow("resumed at once", ENDLESS))
    visit("/scheduler/?q=resumed+at+once")
    row = page.locator(f"#job-{job.id}")
    row.get_by_text("Running", exact=True).wait_for()
    held: list[Any] = []

    def answer(route: Any) -> None:
        """Hold back all that the page asks for after it was told that the job is paused."""
        if held:
            held.append(route)
            return
        response = route.fetch()
        if "/do/resume" in response.text():
            held.append(None)
        route.fulfill(response=response)

    page.route("**/scheduler/?*part=*", answer)
    page.keyboard.press("j")
    page.keyboard.press("p")
    row.get_by_text("Paused", exact=True).wait_for()
    deadline = time.monotonic() + PATIENCE / 1000
    while len(held) < 2:
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    with page.expect_response(f"**/scheduler/jobs/{job.id}/do/resume?*"):
        page.keyboard.press("p")
    for route in held[1:]:
        route.continue_()
    page.unroute("**/scheduler/?*part=*", answer)
    row.get_by_text("Running", exact=True).wait_for()


def test_an_action_stays_with_the_last_search(scheduler: Scheduler, page: Any, visit: Visit) -> None:
    """A job is paused while the list still waits for the answer to a longer search: search and selection stay."""
    from playwright.sync_api import expect

    job = scheduler.submit(workflow("searched twice", ENDLESS))
    visit("/scheduler/?q=searched")
    row = page.locator(f"#job-{job.id}")
    row.get_by_text("Running", exact=True).wait_for()
    page.evaluate("window.untouched = true")
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/scheduler/?*part=*", hold)
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill("searched twice")
    page.wait_for_url("**/scheduler/?q=searched+twice")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    with page.expect_response(f"**/scheduler/jobs/{job.id}/do/pause?back=%2Fscheduler%2F%3Fq%3Dsearched"):
        page.keyboard.press("p")
    for route in held:
        route.continue_()
    page.unroute("**/scheduler/?*part=*", hold)
    row.get_by_text("Paused", exact=True).wait_for()
    expect(page.locator(".note.t-ok")).to_contain_text(f"Paused job {job.id}.")
    assert page.evaluate("window.untouched")
    assert page.url.endswith("/scheduler/?q=searched+twice")
    page.keyboard.press("p")
    row.get_by_text("Running", exact=True).wait_for()


def test_single_keys_can_be_switched_off(
    scheduler: Scheduler, some_jobs: list[int], page: Any, visit: Visit, faults_of: Faults
) -> None:
    """Visibly, also on a small screen, and for all pages from then on (WCAG 2.1.4)."""
    from playwright.sync_api import expect

    page.set_viewport_size({"width": 360, "height": 900})
    visit("/scheduler/")
    switch = page.get_by_label("Single-key shortcuts")
    expect(switch).to_be_checked()
    switch.uncheck()
    assert faults_of() == []
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("/")
    assert page.locator("[data-selected]").count() == 0
    assert page.evaluate("document.activeElement.name") is None
    page.goto(page.url.replace("/scheduler/", f"/scheduler/jobs/{some_jobs[0]}"))
    expect(switch).not_to_be_checked()
    expect(page.locator("kbd:visible")).to_have_count(0)
    page.keyboard.press("r")
    switch.check()
    page.locator("h1").click()
    page.keyboard.press("r")
    page.wait_for_url(f"**/scheduler/jobs/{some_jobs[0]}/again")


def test_an_open_menu_and_what_is_typed_stay_when_jobs_change(
    scheduler: Scheduler, some_jobs: list[int], page: Any, visit: Visit
) -> None:
    """New markup is merged into the page, which is not loaded anew."""
    visit("/scheduler/")
    page.evaluate("window.untouched = true")
    menu = page.locator(f"#job-{some_jobs[0]} details.menu")
    menu.locator("summary").click()
    job = scheduler.submit(workflow("newcomer"))
    page.locator(f"#job-{job.id}").get_by_text("Finished", exact=True).wait_for()
    assert menu.get_attribute("open") is not None
    assert page.evaluate("window.untouched")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


def test_reasons_and_markup_are_text(some_jobs: list[int], page: Any, visit: Visit) -> None:
    """The error of a task stands below its job's name, and a name is what was written."""
    failed, bold = some_jobs
    visit("/scheduler/")
    assert page.locator(f"#job-{failed} .reason").inner_text() == "T: ValueError: column mean has a hole"
    assert page.locator(f"#job-{bold} a b").first.inner_text() == "<b>bold</b>"
    page.locator(".chip", has_text="Failed").click()
    page.wait_for_url("**/scheduler/?state=failed")
    assert page.locator("[data-row]").all_inner_texts()[0].count("Finished, 1 failed") == 1


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1900, "dark")])
def test_the_list_fits_any_screen(
    some_jobs: list[int], page: Any, visit: Visit, faults_of: Faults, width: int, theme: str
) -> None:
    """From a telephone to a wide screen, without a bar for scrolling to the side."""
    page.set_viewport_size({"width": width, "height": 900})
    visit("/scheduler/", theme)
    page.locator("[data-row]").first.wait_for()
    assert faults_of() == []
    take(page, f"portal-jobs-{width}-{theme}")


def test_without_a_script_everything_is_a_form_or_a_link(scheduler: Scheduler, page: Any) -> None:
    """The pages change less by themselves, and do the same."""
    job = scheduler.submit(workflow("plain", ENDLESS))
    context = page.context.browser.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(portals.links(scheduler, "/scheduler/?q=plain")[0])
        plain.wait_for_url("**/scheduler/?q=plain")
        row = plain.locator(f"#job-{job.id}")
        row.locator("summary").click()
        row.get_by_text("Kill…").click()
        plain.get_by_role("button", name=f"Kill job {job.id}").click()
        plain.get_by_text(f"Killed job {job.id}.").wait_for()
        assert plain.url.endswith("/scheduler/?q=plain")
        assert re.search(r"Killed", row.inner_text())
    finally:
        context.close()


# --- frames ----------------------------------------------------------------------------------------------------------


class _Notebook(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<div id=out></div>")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Where a page stands that shows the portals in a frame; a notebook, say."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Notebook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ordinary(page: Any, tmp_path: Path) -> Iterator[Any]:
    """A browser that keeps data of frames, as all do unless somebody forbids it; this one forbids it by itself."""
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps({"profile": {"cookie_controls_mode": 0}}))
    context = page.context.browser.browser_type.launch_persistent_context(
        profile.parent, executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def show(page: Any, link: str) -> Any:
    """Put the link into a frame of the page; the frame."""
    page.evaluate("document.getElementById('out').innerHTML = '<iframe width=900 height=500></iframe>'")
    page.evaluate(f"document.querySelector('iframe').src = {json.dumps(link)}")
    return page.frame_locator("iframe")


def test_a_frame_acts_and_is_found_again_by_its_tab_alone(
    scheduler: Scheduler, some_jobs: list[int], ordinary: Any, port: int
) -> None:
    """It has no cookie. When it is put back, its link was used: its tab finds the page, another tab gets nothing."""
    origin = f"http://localhost:{port}"
    job = scheduler.submit(workflow("framed", ENDLESS))
    link = portals.links(scheduler, "/scheduler/", origins=[origin])[0]
    page = ordinary.new_page()
    page.goto(origin)
    frame = show(page, link)
    frame.locator("h1").click()
    row = frame.locator(f"#job-{job.id}")
    row.locator("summary").click()
    row.get_by_text("Pause").click()
    row.get_by_text("Paused", exact=True).wait_for()
    frame = show(page, link)
    frame.locator(f"#job-{job.id}").get_by_text("Paused", exact=True).wait_for()
    other = ordinary.new_page()
    other.goto(origin)
    show(other, link).get_by_text("This link was used already.").wait_for()
    job.kill()


def test_another_page_shows_no_frame(scheduler: Scheduler, page: Any, port: int) -> None:
    """Frames are for the origin that asked for the link."""
    link = portals.links(scheduler, "/scheduler/", origins=[f"http://localhost:{port}"])[0]
    context = page.context.browser.new_context()
    stranger = context.new_page()
    stranger.goto(f"http://127.0.0.1:{port}")
    show(stranger, link)
    deadline = time.monotonic() + PATIENCE / 1000
    while (found := [frame.url for frame in stranger.frames][1:]) != ["chrome-error://chromewebdata/"]:
        assert time.monotonic() < deadline, found
        stranger.wait_for_timeout(50)
    context.close()


def test_many_pages_are_open_at_the_same_time(scheduler: Scheduler, page: Any) -> None:
    """A browser has six connections to a host: eight pages all load, and all show a new job by themselves."""
    context = page.context.browser.new_context()
    try:
        pages = [context.new_page() for _ in range(8)]
        pages[0].goto(portals.links(scheduler, "/scheduler/")[0])
        pages[0].wait_for_url("**/scheduler/")
        for each in pages[1:]:
            each.goto(pages[0].url)
        job = scheduler.submit(workflow("seen by all"))
        for each in pages:
            each.locator(f"#job-{job.id}").wait_for()
        job.wait()
    finally:
        context.close()


def test_long_names_stay_in_a_narrow_window(scheduler: Scheduler, page: Any, visit: Visit, faults_of: Faults) -> None:
    """A name, a project and a task without any blank, in the list and on the pages of the job."""
    task = Task(name="t" * 200, executable=Script(language="cpython", code="result = 'z' * 9000"))
    job = scheduler.submit(Workflow(name="名" * 250, project="p" * 250, tasks=(task,)))
    job.wait()
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("/scheduler/", *(f"/scheduler/jobs/{job.id}{more}" for more in ("", "/again", "/results", "/xml"))):
        visit(path)
        assert (path, faults_of()) == (path, [])
