"""The page that submits workflows: it works without a script, and takes nothing that REST would not take."""

from __future__ import annotations

import asyncio
import html
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.sources.studio import Studio
from proactive_jupyter_kernel.scheduler.store.base import JobQuery

Rest = Callable[..., None]

HERE = "/automation-dashboard/"
ORIGIN = {"origin": "http://127.0.0.1:8080"}
XML = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="weather" projectName="forecast">
  <variables>
    <variable name="STATIONS" value="40" model="PA:INTEGER[1,100]" group="Input" description="how many &lt;b&gt;"/>
    <variable name="TOKEN" value="swordfish" model="PA:HIDDEN"/>
    <variable name="REPORT" value="true" model="PA:BOOLEAN"/>
    <variable name="TEXT" value="&#10;a&#10;b"/>
    <variable name="SECRETLY" value="inner" hidden="true"/>
    <variable name="DEPTH" value="3" model="PA:INTEGER" advanced="true"/>
  </variables>
  <taskFlow><task name="load"><scriptExecutable><script>
    <code language="cpython">print(variables.get("STATIONS"))</code></script></scriptExecutable></task></taskFlow>
</job>"""


async def opened(scene: Any, content: str | bytes = XML, name: str = "weather.xml") -> str:
    """Choose a file as a browser does; the address of its form."""
    data = content.encode() if isinstance(content, str) else content
    answer = await scene.browser.post(HERE + "open", files=[("file", (name, data, "text/xml"))], headers=ORIGIN)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def values_of(scene: Any) -> dict[str, str]:
    """The variables of job 1, hidden ones as its tasks see them."""
    variables = scene.service.hidden.opened_variables(scene.service.ask.job(1).facts.variables)
    return {variable.name: variable.value for variable in variables}


def form_of(page: str) -> dict[str, str]:
    """What a browser would send for the form of a page that nobody has edited."""
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        at = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if at.get("type") != "file" and "name" in at and (at.get("type") != "checkbox" or " checked" in tag):
            fields[at["name"]] = at.get("value", "")
    for name, body in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        fields[name] = html.unescape(body.removeprefix("\n")).replace("\n", "\r\n")
    for name, body in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        fields[name] = re.findall(r'<option value="([^"]*)"(?: selected)?>', body)[0]
        for value in re.findall(r'<option value="([^"]*)" selected>', body):
            fields[name] = html.unescape(value)
    return fields


def test_file_becomes_a_form_with_its_picture_and_checks(rest: Rest) -> None:
    """Controls by model, descriptions, groups; hidden values are nowhere on the page."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        page = await scene.page(await opened(scene))
        assert "weather.xml" in page
        assert "1 task, 6 variables" in page
        assert "<legend>Input</legend>" in page
        assert "how many &lt;b&gt;; an integer from 1 to 100" in page
        assert 'src="data:image/svg+xml;base64,' in page
        assert "graph, names, scripts: in order" in page
        assert "swordfish" not in page
        assert 'name="v.SECRETLY"' not in page
        assert " style=" not in page
        assert form_of(page)["v.TEXT"] == "\r\na\r\nb"
        assert "<details><summary>Advanced" in page
        wrong = await scene.act(HERE + "check", **{**form_of(page), "v.DEPTH": "x"})
        assert "<details open><summary>Advanced" in wrong.text

    rest(scenario)


def test_form_is_submitted_as_rest_submits(rest: Rest) -> None:
    """With the answers; what nobody edited is what the file says, line breaks and hidden values included."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        answer = await scene.act(HERE + "submit", **{**fields, "v.STATIONS": "7"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/scheduler/jobs/1")
        await scene.ended(1)
        facts = scene.service.ask.job(1).facts
        assert values_of(scene) == {
            "STATIONS": "7",
            "TOKEN": "swordfish",
            "REPORT": "true",
            "TEXT": "\na\nb",
            "SECRETLY": "inner",
            "DEPTH": "3",
        }
        assert (facts.project, facts.mode, scene.service.ask.xml(1)) == ("forecast", "portal", XML)

    rest(scenario)


def test_settings_go_with_the_job(rest: Rest) -> None:
    """Priority, project, error policy, start time."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        changed = {
            "priority": "HIGH",
            "project": "other",
            "on_error": "CANCEL_JOB",
            "start_at": "2100-01-01T00:00",
            "offset": "60",
        }
        answer = await scene.act(HERE + "submit", **{**fields, **changed})
        assert answer.status_code == 303, answer.text
        row = scene.service.ask.job(1)
        workflow = scene.service.ask.workflow(1)
        assert (row.record.priority.name, row.facts.project, workflow.on_error.name) == ("HIGH", "other", "CANCEL_JOB")
        assert row.facts.generic_information["START_AT"] == "2100-01-01T00:00:00+01:00"
        await scene.service.kill_job(1)

    rest(scenario)


def test_refused_form_comes_back_with_what_was_typed(rest: Rest) -> None:
    """The problem leads to its field; nothing was submitted; a secret that was typed is kept but not shown."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        typed = {"v.STATIONS": "140", "v.TOKEN": "trout", "v.TEXT": "new", "project": "mine"}
        answer = await scene.act(HERE + "submit", **{**fields, **typed})
        assert answer.status_code == 422
        assert "1 problem</b>" in answer.text
        assert (
            '<a href="#v-0">STATIONS</a>: <span data-error-of="STATIONS">'
            "&#39;140&#39; is not in the range [1,100]</span>" in answer.text
        )
        assert 'aria-invalid="true"' in answer.text
        assert "the value that you typed is kept" in answer.text
        assert "trout" not in answer.text
        again = form_of(answer.text)
        assert (again["v.STATIONS"], again["v.TEXT"], again["project"], again["v.TOKEN"]) == ("140", "new", "mine", "")
        answer = await scene.act(HERE + "submit", **{**again, "v.STATIONS": "14"})
        assert answer.status_code == 303
        values = values_of(scene)
        assert (values["STATIONS"], values["TOKEN"], values["TEXT"]) == ("14", "trout", "new")

    rest(scenario)


def test_checks_are_answered_alone_while_one_types(rest: Rest) -> None:
    """For the script: the part with the verdict, and nothing is submitted."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        answer = await scene.act(HERE + "check?part=checks", **{**fields, "v.STATIONS": "x"})
        assert answer.text.startswith('<template data-part="checks">')
        assert 'data-valid="no"' in answer.text
        assert 'data-error-of="STATIONS"' in answer.text
        gone = await scene.act(HERE + "check?part=checks", draft="none")
        assert (gone.status_code, "Choose its file again." in gone.text) == (404, True)
        bad = await scene.act(HERE + "check", **{**fields, "start_at": "soon"})
        assert "The start time &#39;soon&#39; is not a date" in bad.text
        assert scene.service.measures.jobs_submitted == 0

    rest(scenario)


def test_only_the_last_question_is_answered(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of values that are edited already ends at once: others wait for the processes that check."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        examine, asked = scene.service.previews.examine, asyncio.Event()

        async def slow(xml: bytes, **more: Any) -> Any:
            if more["variables"].get("STATIONS") == "1":
                asked.set()
                await asyncio.sleep(60)
            return await examine(xml, **more)

        monkeypatch.setattr(scene.service.previews, "examine", slow)
        first = asyncio.ensure_future(scene.act(HERE + "check?part=checks", **{**fields, "v.STATIONS": "1"}))
        await asked.wait()
        second = await scene.act(HERE + "check?part=checks", **{**fields, "v.STATIONS": "12"})
        assert ((await first).status_code, second.status_code) == (409, 200)
        assert 'data-valid="yes"' in second.text

    rest(scenario)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weather.xml", b"<job", "Line 1, column 5: this is not well-formed XML"),
        ("bomb.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><job name="&b;"/>', "has a document type"),
        ("<b>.xml", b"<html/>", "&lt;b&gt;.xml cannot be opened."),
        ("x.exe", b"MZ", "Supported extensions: .xml, .json, .dot, .gv, .ipynb."),
        ("..\\..\\dir\\graph.dot", b"digraph {", "graph.dot cannot be opened."),
    ],
)
def test_file_that_is_no_workflow_says_why(rest: Rest, name: str, content: bytes, words: str) -> None:
    """What, where, and what is read."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        answer = await scene.browser.post(HERE + "open", files=[("file", (name, content, "x/y"))], headers=ORIGIN)
        assert answer.status_code == 422
        assert words in answer.text

    rest(scenario)


def test_invalid_file_lists_all_its_problems(rest: Rest) -> None:
    """Each on a line of its own."""
    xml = XML.replace('name="load"', 'name="lo#ad" walltime="x"')

    async def scenario(scene: Any) -> None:
        await scene.enter()
        data = [("file", ("weather.xml", xml.encode(), "text/xml"))]
        answer = await scene.browser.post(HERE + "open", files=data, headers=ORIGIN)
        assert answer.status_code == 422
        assert answer.text.count('<div class="line">') == 2

    rest(scenario)


def test_file_beyond_the_limit_is_refused(rest: Rest) -> None:
    """Before it is read, with the limit and its name."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        data = [("file", ("weather.xml", b" " * 20_000, "text/xml"))]
        answer = await scene.browser.post(HERE + "open", files=data, headers=ORIGIN)
        assert answer.status_code == 413
        assert "The file is too large." in answer.text
        assert "PROACTIVE_KERNEL_BODY_LIMIT" in answer.text
        assert answer.headers["connection"] == "close"
        none = await scene.browser.post(HERE + "open", files=[("file", ("", b"", "x/y"))], headers=ORIGIN)
        assert (none.status_code, "No file was chosen." in none.text) == (400, True)

    rest(scenario, body_limit=10_000)


def test_workflows_of_studio_catalog_and_jobs_can_be_opened(rest: Rest, tmp_path: Path) -> None:
    """The page lists them; a job is opened with the variables that it had."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        Studio(Path(scene.service.site.spaces["user"], "ana", "workflows")).add(
            {"name": "kept <1>", "xml": XML, "metadata": ""}
        )
        bucket = tmp_path / "catalog" / "basics"
        bucket.mkdir(parents=True)
        (bucket / "weather.xml").write_text(XML, encoding="utf-8")
        (bucket / "notes.txt").write_text("no workflow", encoding="utf-8")
        await scene.submit(XML)
        listed = await scene.page(HERE)
        assert "kept &lt;1&gt;" in listed
        assert "basics" in listed
        assert "notes" not in listed
        for source in ("studio=1", "catalog=basics/weather", "job=1"):
            answer = await scene.browser.get(f"{HERE}?{source}")
            assert answer.status_code == 303, answer.text
            assert 'name="v.STATIONS"' in await scene.page(answer.headers["location"])
        await scene.page(f"{HERE}?studio=7", 404)
        await scene.page(f"{HERE}?catalog=basics/none", 404)
        await scene.page(f"{HERE}?job=99", 404)

    rest(scenario)


def test_draft_of_another_user_or_time_is_not_found(rest: Rest) -> None:
    """The page says what to do."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        for path in (f"{HERE}?draft=none",):
            answer = await scene.browser.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, HERE)
        assert "The workflow is no longer open here" in await scene.page(HERE)
        for verb in ("submit", "check", "notebook"):
            assert (await scene.act(HERE + verb, draft="none")).headers["location"] == HERE
        where = await opened(scene)
        draft = where.partition("draft=")[2]
        assert scene.service.previews.drafts.find(draft, "somebody else") is None

    rest(scenario)


def test_scheduler_that_takes_no_jobs_says_so_on_the_form(rest: Rest) -> None:
    """The form stays as it is."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        await scene.service.control("stop")
        answer = await scene.act(HERE + "submit", **{**fields, "project": "mine"})
        assert answer.status_code == 409
        assert " no jobs." in answer.text
        assert form_of(answer.text)["project"] == "mine"

    rest(scenario)


def test_notebook_of_the_form_is_downloaded(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the values of the form, and without hidden ones."""
    seen: list[tuple[bytes, str]] = []

    async def scenario(scene: Any) -> None:
        async def notebook(xml: bytes, name: str) -> dict[str, bytes]:
            seen.append((xml, name))
            return {"weather.ipynb": b"{}", **({"weather.xml": xml} if len(seen) > 1 else {})}

        monkeypatch.setattr(scene.service.previews, "notebook", notebook)
        await scene.enter()
        fields = form_of(await scene.page(await opened(scene)))
        answer = await scene.act(HERE + "notebook", **{**fields, "v.STATIONS": "9", "v.TOKEN": "trout"})
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert answer.headers["content-disposition"].endswith("filename*=UTF-8''weather.ipynb")
        both = await scene.act(HERE + "notebook", **fields)
        assert both.headers["content-disposition"].endswith("filename*=UTF-8''weather.zip")
        assert zipfile.ZipFile(io.BytesIO(both.content)).namelist() == ["weather.ipynb", "weather.xml"]

    rest(scenario)
    (xml, name), _ = seen
    assert (name, b'value="9"' in xml, b"trout" in xml or b"swordfish" in xml) == ("weather", True, False)


def test_a_double_click_submits_once(rest: Rest) -> None:
    """Without a script, a browser sends the form twice."""

    async def scenario(scene: Any) -> None:
        await scene.enter()
        form = form_of(await scene.page(await opened(scene)))
        answers = [await scene.act(HERE + "submit", **form) for _ in range(2)]
        assert [answer.headers["location"] for answer in answers] == ["/scheduler/jobs/1"] * 2
        assert [row.record.job_id for row in scene.service.ask.jobs(JobQuery()).rows] == [1]

    rest(scenario)
