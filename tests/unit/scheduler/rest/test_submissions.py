"""Submission and validation: what comes in, what is refused, and how."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAD = '<variables><variable name="A" value="1"/><variable name="B" value="b-${A}"/></variables>'
INFO = '<genericInformation><info name="K" value="xml"/><info name="L" value="${A}"/></genericInformation>'


def form(xml: str, variables: str, *, name: str = "file", kind: str = "application/xml") -> list[Any]:
    return [("variables", (None, variables, "application/json")), (name, (None, xml.encode(), kind))]


async def shown(scene: Any, job_id: int) -> tuple[Any, Any]:
    info = await scene.json(f"/scheduler/jobs/{job_id}/info")
    return info["variables"], info["genericInformation"]


def test_a_submission_answers_id_and_name(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Ids rise from 1."""

    async def scenario(scene: Any) -> None:
        for job_id in (1, 2):
            answer = await scene.post_xml(workflow("T", name="ü job"))
            assert (answer.status_code, answer.json()) == (200, {"id": job_id, "readableName": "ü job"})

    rest(scenario)


def test_variables_come_in_three_places(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The part wins over matrix parameters, these win over the XML; new ones are added, references resolved."""

    async def scenario(scene: Any) -> None:
        xml = workflow("T", head=HEAD)
        answer = await scene.client.post(
            "/scheduler/submit;A=matrix;C=%C3%BC%20x;=no", files=form(xml, '{"A":"b c","é":"ü&=","n":5}')
        )
        assert answer.status_code == 200, answer.text
        variables, _ = await shown(scene, answer.json()["id"])
        assert variables == {"A": "b c", "B": "b-b c", "C": "ü x", "é": "ü&=", "n": "5"}

    rest(scenario)


def test_query_parameters_are_generic_information(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The first value of each; they win over the XML's. The server adds how the job came."""

    async def scenario(scene: Any) -> None:
        xml = workflow("T", head=HEAD + INFO)
        job_id = await scene.submit(xml, params=[("K", "query"), ("K", "again"), ("M", "${A}")])
        _, information = await shown(scene, job_id)
        assert information == {"K": "query", "L": "1", "M": "1", "submission.mode": "rest-api"}
        session = scene.client.headers["sessionid"]
        ids = {"sessionid": session, "sessionToken": session}
        job_id = await scene.submit(xml, params={"submission.mode": "workflow-api", **ids})
        _, information = await shown(scene, job_id)
        assert {name for name in information if "session" in name} == set()
        assert information["submission.mode"] == "workflow-api"

    rest(scenario)


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "application/xml; charset=utf-8"])
def test_any_part_but_the_variables_is_the_workflow(
    rest: Callable[..., None], workflow: Callable[..., str], kind: str
) -> None:
    """Whatever its name, as long as it is XML by its type."""

    async def scenario(scene: Any) -> None:
        answer = await scene.client.post("/scheduler/submit", files=form(workflow("T"), "", name="job.xml", kind=kind))
        assert answer.status_code == 200, answer.text

    rest(scenario)


def test_another_type_is_refused(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """As job archives are."""

    async def scenario(scene: Any) -> None:
        files = form(workflow("T"), "{}", kind="application/octet-stream")
        answer = await scene.json("/scheduler/submit", "POST", 400, files=files)
        assert "Unknown job descriptor type: application/octet-stream" in answer["errorMessage"]

    rest(scenario)


JAVA = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="java"><taskFlow><task name="T">'
    '<javaExecutable class="org.example.Main"/></task></taskFlow></job>'
)
MODEL = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="model"><variables><variable name="N" value="many" '
    'model="PA:INTEGER"/></variables><taskFlow><task name="T"><nativeExecutable><staticCommand value="ls"/>'
    "</nativeExecutable></task></taskFlow></job>"
)
REFUSED = [
    ("<job", "XML"),
    ("<job/>", "not a ProActive workflow"),
    ('<job xmlns="urn:proactive:jobdescriptor:99" name="x"/>', "99"),
    (JAVA, "Task 'T': it is the Java class org.example.Main"),
    (MODEL, "PA:INTEGER"),
    ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><job>&x;</job>', "DOCTYPE"),
]


@pytest.mark.parametrize(("xml", "message"), REFUSED)
def test_a_bad_workflow_gets_no_id(
    rest: Callable[..., None], workflow: Callable[..., str], xml: str, message: str
) -> None:
    """It is refused with the reason, and the next good one is number 1."""

    async def scenario(scene: Any) -> None:
        answer = await scene.post_xml(xml)
        assert answer.status_code == 400
        assert answer.json()["exceptionClass"].endswith(".JobCreationRestException")
        assert message in answer.json()["errorMessage"]
        assert await scene.submit(workflow("T")) == 1

    rest(scenario)


BAD_VARIABLES = [("[1]", "must be a JSON object"), ('{"A', "not JSON"), ('{"A":"\\ud800"}', "not Unicode")]


@pytest.mark.parametrize(("variables", "message"), BAD_VARIABLES)
def test_bad_variables_are_refused(
    rest: Callable[..., None], workflow: Callable[..., str], variables: str, message: str
) -> None:
    """Before anything is stored, with the reason."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/submit", "POST", 400, files=form(workflow("T"), variables))
        assert message in answer["errorMessage"]

    rest(scenario)


def test_all_problems_are_reported(rest: Callable[..., None]) -> None:
    """Java class and flow error alike, each with its task."""
    xml = JAVA.replace(
        "</taskFlow>",
        '<task name="U"><scriptExecutable><script><code language="bash">1</code></script></scriptExecutable>'
        '<controlFlow><loop target="nobody"><script><code language="bash">1</code></script></loop></controlFlow>'
        "</task></taskFlow>",
    )

    async def scenario(scene: Any) -> None:
        message = (await scene.post_xml(xml)).json()["errorMessage"]
        assert "Task 'T': it is the Java class" in message
        assert "nobody" in message

    rest(scenario)


def test_an_unknown_language_is_accepted(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """It fails when it runs, as on a server."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("T").replace("cpython", "klingon"))

    rest(scenario)


def test_a_full_disk_refuses_submissions_with_the_reason(
    rest: Callable[..., None], workflow: Callable[..., str]
) -> None:
    """Nothing is half there, the scheduler goes on, and later it takes jobs again."""

    async def scenario(scene: Any) -> None:
        scene.store.unavailable = "the disk is full"
        answer = await scene.post_xml(workflow("T"))
        assert answer.status_code == 400
        assert "not accepted: the disk is full" in answer.json()["errorMessage"]
        assert await scene.json("/scheduler/jobs") == {"size": 0, "list": []}
        scene.store.unavailable = ""
        await scene.run(workflow("T"))

    rest(scenario)


def test_a_stopped_scheduler_takes_no_jobs(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Until it is started again."""

    async def scenario(scene: Any) -> None:
        assert await scene.json("/scheduler/stop", "PUT") is True
        assert await scene.json("/scheduler/stop", "PUT") is False
        assert await scene.json("/scheduler/status") == "STOPPED"
        answer = await scene.post_xml(workflow("T"))
        assert answer.status_code == 404
        assert answer.json()["exceptionClass"].endswith(".SubmissionClosedRestException")
        assert await scene.json("/scheduler/start", "PUT") is True
        await scene.submit(workflow("T"))

    rest(scenario)


def test_a_workflow_may_be_at_a_url(
    rest: Callable[..., None], workflow: Callable[..., str], tmp_path: Path, web: Callable[[str], str]
) -> None:
    """With variables as the body, in a form, or none; matrix parameters count on the last segment alone."""
    path = tmp_path / "wf.xml"
    path.write_text(workflow("T", head=HEAD), encoding="utf-8")
    link = {"link": web(path.name)}

    async def scenario(scene: Any) -> None:
        bodies: list[dict[str, Any]] = [
            {"url": "/scheduler/jobs;A=m/body", "content": "null"},
            {"url": "/scheduler/jobs;A=m/body", "content": '{"A":"body"}'},
            {"url": "/scheduler/jobs;A=m"},
            {"url": "/scheduler/jobs", "files": [("variables", (None, '{"A":"form"}', "application/json"))]},
        ]
        values = []
        for body in bodies:
            answer = await scene.client.post(headers=link, **body)
            assert answer.status_code == 200, answer.text
            variables, _ = await shown(scene, answer.json()["id"])
            values.append(variables["A"])
        assert values == ["1", "body", "m", "form"]
        answer = await scene.json("/scheduler/jobs/body/sync", "POST", headers=link, content="{}")
        assert answer["allResults"]["T"]["value"] == "true"

    rest(scenario)


def test_several_urls_get_a_verdict_each(
    rest: Callable[..., None], workflow: Callable[..., str], tmp_path: Path, web: Callable[[str], str]
) -> None:
    """A bad one does not keep the others from being submitted."""
    path = tmp_path / "wf.xml"
    path.write_text(workflow("T", head=HEAD), encoding="utf-8")
    entries = [{"workflowUrl": web(path.name), "variables": {"A": "x"}}, {"workflowUrl": "ftp://x"}]

    async def scenario(scene: Any) -> None:
        good, bad = await scene.json("/scheduler/jobs/body/multi", "POST", json=entries)
        assert good == {
            "id": 1,
            "readableName": "job one",
            "errorMessage": None,
            "stackTrace": None,
            "error": False,
            "fetchError": False,
        }
        assert (bad["id"], bad["readableName"], bad["error"], bad["fetchError"]) == (-1, "NOT SET", True, True)
        assert "must begin with http" in bad["errorMessage"]
        for body in ("5", "[null]", '{"a": "b"}', "null", "[[]]"):
            headers = {"Content-Type": "application/json"}
            await scene.json("/scheduler/jobs/body/multi", "POST", 400, content=body, headers=headers)

    rest(scenario)


LINKS = [
    ("file:///nowhere/wf.xml", 404, "java.net.MalformedURLException", "must begin with http: or https:"),
    ("http://127.0.0.1:9/wf.xml", 500, "javax.ws.rs.ProcessingException", "cannot be fetched from http://127.0.0.1:9"),
    ("nonsense", 404, "java.net.MalformedURLException", "must begin with http"),
    ("http://[", 404, "java.net.MalformedURLException", "must begin with http"),
    ("", 400, ".JobCreationRestException", "must name the URL"),
]


@pytest.mark.parametrize(("link", "status", "exception", "message"), LINKS)
def test_a_link_that_leads_nowhere_is_refused(
    rest: Callable[..., None], link: str, status: int, exception: str, message: str
) -> None:
    """With the status and the class of a server, and words that say what is wrong with it."""

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/jobs", "POST", status, headers={"link": link})
        assert answer["exceptionClass"].endswith(exception)
        assert message in answer["errorMessage"]

    rest(scenario)


def test_a_link_is_read_within_limits(rest: Callable[..., None], tmp_path: Path, web: Callable[[str], str]) -> None:
    """What is too large is a refusal that says so."""
    path = tmp_path / "wf.xml"
    path.write_text("x" * 2000)

    async def scenario(scene: Any) -> None:
        answer = await scene.json("/scheduler/jobs", "POST", 400, headers={"link": web(path.name)})
        assert "larger than 1500 bytes" in answer["errorMessage"]

    rest(scenario, body_limit=1500)


def test_nothing_is_added_to_what_came_by_a_link(
    rest: Callable[..., None], workflow: Callable[..., str], tmp_path: Path, web: Callable[[str], str]
) -> None:
    """No ``submission.mode``, unless the request says one."""
    path = tmp_path / "wf.xml"
    path.write_text(workflow("T"), encoding="utf-8")

    async def scenario(scene: Any) -> None:
        modes = []
        for query in ("", "?submission.mode=cli"):
            job = await scene.json(f"/scheduler/jobs{query}", "POST", headers={"link": web(path.name)})
            info = await scene.json(f"/scheduler/jobs/{job['id']}/info")
            modes.append((info["submissionMode"], "submission.mode" in info["genericInformation"]))
        assert modes[0] == (None, False)
        assert modes[1][0] == "cli"

    rest(scenario)


def test_a_wait_for_a_result_has_an_end(
    rest: Callable[..., None], workflow: Callable[..., str], tmp_path: Path, web: Callable[[str], str]
) -> None:
    """404 with the job's number, which lives on; a timeout that is no number is refused before the submission."""
    path = tmp_path / "wf.xml"
    head = '<genericInformation><info name="START_AT" value="2999-01-01T00:00:00Z"/></genericInformation>'
    path.write_text(workflow("T", head=head), encoding="utf-8")

    async def scenario(scene: Any) -> None:
        def ask(timeout: str, status: int) -> Any:
            headers = {"link": web(path.name), "timeout": timeout}
            return scene.json("/scheduler/jobs/body/sync", "POST", status, headers=headers, json={})

        answer = await ask("10", 404)
        assert answer["exceptionClass"].endswith(".SchedulerRestException")
        assert answer["errorMessage"] == "Job 1 is not finished after 10 milliseconds. It is still running."
        for timeout in ("soon", "-1", "9" * 400):
            await ask(timeout, 400)
        assert (await scene.json("/scheduler/jobs"))["list"] == ["1"]

    rest(scenario)


def test_flat_jobs_have_a_task_a_line(rest: Callable[..., None]) -> None:
    """Comments and blank lines are none; a selection script goes with every task."""

    async def scenario(scene: Any) -> None:
        commands = "echo 'a b' c\n\n# not this\nls"
        fields = {
            "commandFileContent": commands,
            "jobName": "flat",
            "selectionScriptContent": "selected = True",
            "selectionScriptExtension": "python",
        }
        job = await scene.json("/scheduler/submitflat", "POST", data=fields)
        assert job["readableName"] == "flat"
        tasks = scene.service.ask.workflow(job["id"]).tasks
        assert [(task.name, task.executable.command, task.executable.arguments) for task in tasks] == [
            ("task_1", "echo", ("a b", "c")),
            ("task_2", "ls", ()),
        ]
        assert {task.selection[0].script.code for task in tasks} == {"selected = True"}
        for wrong in ("", "# nothing", "echo 'open"):
            await scene.json("/scheduler/submitflat", "POST", 400, data={"commandFileContent": wrong})

    rest(scenario)


def test_a_job_can_be_submitted_again(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """With the variables it had, or others."""

    async def scenario(scene: Any) -> None:
        first = await scene.submit(workflow("T", head=HEAD))
        session = scene.client.headers["sessionid"]
        query = f"K=v&sessionid={session}&sessionToken={session}"
        again = await scene.json(f"/scheduler/jobs/{first}/resubmit;A=2?{query}")
        variables, information = await shown(scene, again["id"])
        assert (variables["A"], information["K"], session in information.values()) == ("2", "v", False)
        body = await scene.json(f"/scheduler/jobs/{first}/resubmit/body", "POST", json={"A": "3"})
        assert (await shown(scene, body["id"]))[0]["A"] == "3"
        both = await scene.json(f"/scheduler/jobs/resubmit?jobsid={first}&jobsid={again['id']}", "POST")
        assert [(await shown(scene, each["id"]))[0]["A"] for each in both] == ["1", "2"]

    rest(scenario)


VALID = {
    "valid": True,
    "taskName": None,
    "errorMessage": None,
    "stackTrace": None,
    "updatedVariables": {"A": "5", "T:X": "x-5"},
    "updatedModels": {"A": None, "T:X": "PA:NOT_EMPTY_STRING"},
    "updatedDescriptions": {"A": None, "T:X": None},
    "updatedGroups": {"A": None, "T:X": None},
    "updatedAdvanced": {"A": False, "T:X": False},
    "updatedHidden": {"A": False, "T:X": False},
}


def test_validation_tells_the_resolved_variables(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Those of tasks under the task's name; without session, too, but not with a wrong one."""
    own = '<variables><variable name="X" value="x-${A}" model="PA:NOT_EMPTY_STRING"/></variables>'
    xml = workflow("T", head='<variables><variable name="A" value="1"/></variables>')
    xml = xml.replace("<scriptExecutable>", own + "<scriptExecutable>")

    async def scenario(scene: Any) -> None:
        files = form(xml, '{"A":"5"}')
        assert await scene.json("/scheduler/validate", "POST", files=files) == VALID
        assert await scene.json("/studio/validate", "POST", files=files) == VALID
        await scene.json("/studio/validate", "POST", 401, files=files, headers={"sessionid": ""})
        await scene.json("/scheduler/validate", "POST", 401, files=files, headers={"sessionid": "wrong"})

    rest(scenario)


def test_validation_answers_also_what_is_wrong(
    rest: Callable[..., None], tmp_path: Path, web: Callable[[str], str]
) -> None:
    """Always 200; the first task at fault is named."""
    path = tmp_path / "bad.xml"
    path.write_text(JAVA)

    async def scenario(scene: Any) -> None:
        violated = JAVA.replace(
            "<taskFlow>", '<variables><variable name="N" value="x" model="PA:INTEGER"/></variables><taskFlow>'
        )
        for xml, variables in ((JAVA, {}), ("<job/>", None), (violated, {"N": "x"})):
            answer = (await scene.post_xml(xml, "/scheduler/validate")).json()
            assert (answer["valid"], answer["updatedVariables"]) == (False, variables)
            assert answer["errorMessage"]
        octets = [("file", (None, JAVA.encode(), "application/octet-stream"))]
        assert "Java class" in (await scene.json("/scheduler/validate", "POST", files=octets))["errorMessage"]
        by_link = await scene.json("/scheduler/validateurl", "POST", headers={"link": web(path.name)})
        assert by_link["valid"] is False

    rest(scenario)


def test_a_jobs_workflow_can_be_validated_again(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """With other variables."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("T", head=HEAD))
        answer = await scene.json(f"/scheduler/jobs/{job_id}/validate", "POST", content=json.dumps({"A": "9"}))
        assert (answer["valid"], answer["updatedVariables"]) == (True, {"A": "9", "B": "b-9"})

    rest(scenario)
