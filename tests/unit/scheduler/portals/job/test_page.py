"""The page of a job and what stands at addresses of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt
from proactive_jupyter_kernel.scheduler.portals.job import documents
from proactive_jupyter_kernel.scheduler.service.questions import Questions
from proactive_jupyter_kernel.scheduler.store.errors import DamagedStore
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

Rest = Callable[..., None]
Write = Callable[..., str]

EVIL = "<script>alert(1)</script>"
FAILURE = Failure(
    kind=FailureKind.ERROR,
    exception="TaskException",
    message=f"Failed: {EVIL}",
    stack_trace=f'Traceback (most recent call last):\n  File "<task a>", line 3, in <module>\nValueError: {EVIL}\n',
)


async def endless(attempt: ScriptedAttempt) -> Outcome:
    attempt.say("begun")
    await asyncio.Event().wait()
    return Outcome()


def returning(value: object, **metadata: str) -> Callable[[ScriptedAttempt], Outcome]:
    return lambda attempt: Outcome(
        value=value, metadata={key.replace("_", "."): text for key, text in metadata.items()}
    )


def test_what_tasks_say_is_text(rest: Rest, workflow: Write) -> None:
    """Names, output, errors and results of a job are never markup of the page."""

    def fail(attempt: ScriptedAttempt) -> Outcome:
        attempt.say(EVIL)
        return Outcome(failure=FAILURE)

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(
            workflow("a", "b", name=EVIL.replace("<", "&lt;"), attributes='onTaskError="continueJobExecution"')
        )
        page = await scene.page(f"/scheduler/jobs/{job}")
        assert "<script>alert" not in page + await scene.page(f"/scheduler/jobs/{job}/results")
        assert page.count("ValueError: &lt;script&gt;alert(1)&lt;/script&gt;") >= 2
        assert "Finished, 1 task failed" in page
        assert f'<span class="text">{EVIL.replace("<", "&lt;").replace(">", "&gt;")}</span>' in page

    rest(scenario, scripted={"a": fail, "b": returning(EVIL)})


def test_no_style_or_script_is_inline(rest: Rest, workflow: Write) -> None:
    """The policy of the portals allows none, so a page that had one would look broken."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", "b"))
        for path in ("", "/results", "/xml", "/ask/remove"):
            page = await scene.page(f"/scheduler/jobs/{job}{path}")
            assert re.findall(r"\sstyle=|\son[a-z]+=|<style|<script>", page) == []

    rest(scenario)


def test_a_job_is_killed_after_a_question(rest: Rest, workflow: Write) -> None:
    """The question names what is lost, its safe answer has the focus, and the answer leads back to the page."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.submit(workflow("a", "b"))
        await scene.until(lambda: scene.service.ask.task(job, "a").status is TaskStatus.RUNNING)
        asked = await scene.page(f"/scheduler/jobs/{job}/ask/kill?back=/scheduler/jobs/{job}%3Fstate%3Drunning")
        assert f"Kill job {job}?" in asked
        assert "1 running task stops at once. 1 task will not run." in asked
        assert re.search(r"<a[^>]*autofocus>Keep it running", asked)
        action = re.search(r'action="(/scheduler/[^"]+)"', asked)
        assert action is not None
        answer = await scene.act(action[1].replace("&amp;", "&"))
        assert (answer.status_code, answer.headers["location"]) == (303, f"/scheduler/jobs/{job}?state=running")
        page = await scene.page(answer.headers["location"])
        assert f"Killed job {job}." in page
        assert scene.service.ask.job(job).record.status is JobStatus.KILLED

    rest(scenario, scripted={"a": endless})


def test_a_job_is_paused_resumed_and_given_another_priority(rest: Rest, workflow: Write) -> None:
    """What loses nothing is done at once; what changes nothing says so."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.submit(workflow("a", "b"))
        path = f"/scheduler/jobs/{job}"
        for action, said in (
            ("pause", f"Paused job {job}."),
            ("pause", f"Job {job} was not paused"),
            ("resume", f"Resumed job {job}."),
        ):
            await scene.act(f"{path}/do/{action}")
            assert said in await scene.page(path)
        await scene.act(f"{path}/do/priority", priority="HIGH")
        assert scene.service.ask.job(job).record.priority.name == "HIGH"
        assert '<option value="HIGH" selected>' in await scene.page(path)
        assert (await scene.act(f"{path}/do/priority", priority="x")).status_code == 400

    rest(scenario, scripted={"a": endless})


def test_tasks_in_error_are_restarted_or_finished(rest: Rest, workflow: Write) -> None:
    """From the band of the error or the menu of the task."""
    runs: list[int] = []

    def fail(attempt: ScriptedAttempt) -> Outcome:
        runs.append(attempt.attempt.number)
        return Outcome(failure=FAILURE)

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.submit(workflow("a", "b", attributes='onTaskError="suspendTask"'))
        path = f"/scheduler/jobs/{job}"

        def in_error() -> bool:
            return bool(scene.service.ask.task(job, "a").status is TaskStatus.IN_ERROR)

        await scene.until(in_error)
        assert "The job waits for a decision (on_error=suspend)." in await scene.page(path)
        await scene.act(f"{path}/do/restart-in-error?task=a")
        await scene.until(lambda: len(runs) == 2 and in_error())
        await scene.act(f"{path}/do/restart-task?task=a")
        assert "Task a was not restarted: it does not run." in await scene.page(path)
        await scene.act(f"{path}/do/finish-in-error?task=a")
        await scene.ended(job)
        assert "Marked task a as finished." in await scene.page(path)

    rest(scenario, scripted={"a": fail})


def test_a_removed_job_leads_to_the_list(rest: Rest, workflow: Write) -> None:
    """Its page is gone."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a"))
        answer = await scene.act(f"/scheduler/jobs/{job}/do/remove")
        assert answer.headers["location"] == "/scheduler/"
        await scene.page(f"/scheduler/jobs/{job}", 404)

    rest(scenario)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ask/pause", 404),
        ("GET", "/ask/kill-task?task=nobody", 404),
        ("POST", "/do/nonsense", 404),
        ("POST", "/do/kill?task=a", 404),
        ("POST", "/do/kill-task", 404),
        ("GET", "/do/kill", 405),
        ("GET", "/output?after=x", 400),
        ("GET", "/output?task=nobody", 404),
        ("GET", "/results/99/0", 404),
        ("GET", "/results/0/7", 404),
        ("GET", "/results/a/b", 404),
    ],
)
def test_what_does_not_exist_is_an_error_page(rest: Rest, workflow: Write, method: str, path: str, status: int) -> None:
    """Nothing is done, and nothing fails with a fault of the scheduler."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a"))
        at = f"/scheduler/jobs/{job}{path}"
        answer = await (scene.act(at) if method == "POST" else scene.browser.get(at))
        assert answer.status_code == status

    rest(scenario)


def test_output_is_followed_from_a_position(rest: Rest, workflow: Write) -> None:
    """The page has the last lines and a position; the script asks for what came since, of one task or all."""
    go = asyncio.Event()

    async def speak(attempt: ScriptedAttempt) -> Outcome:
        attempt.say("first")
        await go.wait()
        attempt.say("second", error=True)
        return Outcome()

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.submit(workflow("a", "b"))
        await scene.until(lambda: scene.service.logs.waiting)
        page = await scene.page(f"/scheduler/jobs/{job}")
        position = re.search(r'data-position="(\d+)"', page)
        assert position is not None
        assert '<span class="text">first</span>' in page
        go.set()
        await scene.ended(job)
        news = json.loads(await scene.page(f"/scheduler/jobs/{job}/output?after={position[1]}"))
        other = json.loads(await scene.page(f"/scheduler/jobs/{job}/output?task=b"))
        assert [line[1:] for line in news["lines"]] == [["a", "second", True]]
        assert (news["alive"], other["lines"]) == (False, [])
        whole = await scene.browser.get(f"/scheduler/jobs/{job}/output.log")
        assert re.sub(r"\d\d:\d\d:\d\d", "00:00:00", whole.text) == (
            f"[{job}t0@localhost;a;00:00:00] first\n[{job}t0@localhost;a;00:00:00] second\n"
        )
        assert f'filename="job-{job}.log"' in whole.headers["content-disposition"]

    rest(scenario, scripted={"a": speak})


def test_output_that_is_not_unicode_is_shown(rest: Rest, workflow: Write) -> None:
    """A file name of another encoding, say: the page and the script get something in its place."""

    def speak(attempt: ScriptedAttempt) -> Outcome:
        attempt.say("name: a\udcffb")
        return Outcome()

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a"))
        assert "name: a?b" in await scene.page(f"/scheduler/jobs/{job}")
        assert json.loads(await scene.page(f"/scheduler/jobs/{job}/output"))["lines"][0][2] == "name: a\udcffb"
        assert "name: a?b" in await scene.page(f"/scheduler/jobs/{job}/output.log")

    rest(scenario, scripted={"a": speak})


def test_a_job_whose_workflow_is_damaged_has_a_page(
    rest: Rest, workflow: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its picture; the tasks, their output and results are there."""

    def damaged(*arguments: object) -> None:
        raise DamagedStore("its checksum is another")

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", "b"))
        monkeypatch.setattr(Questions, "workflow", damaged)
        page = await scene.page(f"/scheduler/jobs/{job}")
        assert "cannot be drawn: what is stored of it is damaged" in page
        assert page.count("<tr data-row") == 2

    rest(scenario)


def test_documents_of_tasks_have_no_origin(rest: Rest, workflow: Write) -> None:
    """HTML and SVG that a task returned stand in a sandbox, at an address of their own; other types are saved."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", "b", "c"))
        results = await scene.page(f"/scheduler/jobs/{job}/results")
        html, svg, pdf = [await scene.browser.get(f"/scheduler/jobs/{job}/results/{n}/0") for n in range(3)]
        assert 'sandbox loading="lazy" src="/scheduler/jobs/' in results
        for answer, media_type in ((html, "text/html; charset=utf-8"), (svg, "image/svg+xml")):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("sandbox; default-src 'none';")
            assert "script" not in policy
            assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (media_type, "nosniff")
        assert pdf.headers["content-disposition"].startswith('attachment; filename="c.pdf"')
        # In the frame of a notebook, the notebook is an ancestor as well.
        link = await scene.link(f"/scheduler/jobs/{job}", origins=["http://localhost:8888"])
        page = (await scene.browser.get(link, headers={"sec-fetch-dest": "iframe"})).headers["location"]
        framed = await scene.browser.get(f"{page}/results/0/0")
        assert framed.headers["content-security-policy"].endswith("frame-ancestors 'self' http://localhost:8888")

    rest(
        scenario,
        scripted={
            "a": returning(EVIL, content_type="text/html"),
            "b": returning("<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/svg+xml"),
            "c": returning("%PDF", content_type="application/pdf"),
        },
    )


def test_a_large_result_is_saved_like_a_small_one(rest: Rest, workflow: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same headers, whatever it is; its content is made in a process of its own."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", "b"))

        async def saved() -> list[Any]:
            found = [await scene.browser.get(f"/scheduler/jobs/{job}/results/{n}/0") for n in range(2)]
            return [(each.status_code, dict(each.headers), each.content) for each in found]

        elsewhere = await saved()
        monkeypatch.setattr(documents, "LARGE", 100_000_000)
        assert elsewhere == await saved()

    rest(
        scenario,
        scripted={"a": returning("<p>" * 400_000, content_type="text/html"), "b": returning(list(range(300_000)))},
    )


def test_hidden_values_are_nowhere_on_the_pages(rest: Rest, workflow: Write) -> None:
    """Not among the variables, in the XML, or in what it may be downloaded as."""
    head = '<variables><variable name="TOKEN" value="geheimnis" model="PA:HIDDEN"/></variables>'

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.run(workflow("a", head=head))
        pages = [await scene.page(f"/scheduler/jobs/{job}{path}") for path in ("", "/xml", "/workflow.xml", "/results")]
        assert "geheimnis" not in "".join(pages)
        assert '<code>TOKEN</code></th><td><span class="quiet">hidden</span>' in pages[0]

    rest(scenario)


def test_a_picture_has_an_address_for_each_state(rest: Rest, workflow: Write) -> None:
    """So browsers fetch it again only where it has changed; it has no script and no style."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        job = await scene.submit(workflow("a"))
        path = f"/scheduler/jobs/{job}"
        await scene.until(lambda: scene.service.ask.task(job, "a").status is TaskStatus.RUNNING)
        before, again = [re.findall(r"picture\.svg[^\"]+", await scene.page(path)) for _ in range(2)]
        await scene.service.kill_job(job)
        after = re.findall(r"picture\.svg[^\"]+", await scene.page(path))
        assert before == again != after
        dark = await scene.page(f"{path}/picture.svg?theme=dark")
        assert "#15171b" in dark
        assert "<script" not in dark

    rest(scenario, scripted={"a": endless})


def test_a_reason_for_waiting_is_shown(rest: Rest, workflow: Write) -> None:
    """A task that no node can run says which condition is not met."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        task = '<genericInformation><info name="NODE_ACCESS_TOKEN" value="gpu"/></genericInformation>'
        job = await scene.submit(workflow("a").replace("<scriptExecutable>", task + "<scriptExecutable>"))
        await scene.until(lambda: scene.service.ask.task(job, "a").status is TaskStatus.PENDING)
        page = await scene.page(f"/scheduler/jobs/{job}")
        assert "a waits: no node of the scheduler has the token &#39;gpu&#39; (NODE_ACCESS_TOKEN)." in page

    rest(scenario)
