"""Jobs over REST: listings, results, logs, actions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt

FAILURE = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no", stack_trace="at <task B>, line 1")


def talk(attempt: ScriptedAttempt) -> Outcome:
    """Writes to both streams and leaves something everywhere."""
    attempt.say("hello")
    attempt.say("oops", error=True)
    return Outcome(value={"a": 1}, result_map={"k": 5}, variables_set={"V": "x"})


def fail(attempt: ScriptedAttempt) -> Outcome:
    return Outcome(failure=FAILURE)


class Gate:
    """Tasks that wait until somebody opens it."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self._open = asyncio.Event()

    async def __call__(self, attempt: ScriptedAttempt) -> Outcome:
        self.running.append(attempt.attempt.task_name)
        attempt.say("waiting")
        await self._open.wait()
        attempt.say("through")
        return Outcome(value=1)

    def open(self) -> None:
        self._open.set()


def test_a_job_from_submission_to_result(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Status, state and result agree, and the result is there as soon as the job has ended."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B", task='preciousResult="true"'))
        info = await scene.json(f"/scheduler/jobs/{job_id}/info")
        assert (info["status"], info["numberOfFinishedTasks"], info["resultMapPresent"]) == ("FINISHED", 2, True)
        state = await scene.json(f"/scheduler/jobs/{job_id}")
        assert state["jobInfo"] == info
        assert {key: task["taskInfo"]["taskStatus"] for key, task in state["tasks"].items()} == {
            "0": "FINISHED",
            "1": "FINISHED",
        }
        result = await scene.json(f"/scheduler/jobs/{job_id}/result")
        assert result["jobInfo"] == info
        assert list(result["allResults"]) == ["A", "B"]
        assert result["preciousResults"] == result["allResults"]
        assert (result["resultMap"], result["exceptionResults"]) == ({"k": "5"}, {})
        first = result["allResults"]["A"]
        assert (first["value"], first["output"]) == ("{a=1}", {"stdoutLogs": "hello\n", "stderrLogs": "oops\n"})
        assert first["propagatedVariables"]["V"] == "x"
        assert await scene.json(f"/scheduler/jobs/{job_id}/resultmap") == {"k": "5"}
        assert await scene.json(f"/scheduler/jobs/resultmap?jobsid={job_id}") == {str(job_id): {"k": "5"}}
        assert await scene.json(f"/scheduler/jobs/{job_id}/result/value") == {"A": "{a=1}", "B": "true"}
        names = await scene.json(f"/scheduler/jobs/result/precious/metadata?jobsid={job_id}")
        assert names == {str(job_id): ["A", "B"]}
        both = f"jobsid=999&jobsid={job_id}"
        assert await scene.json(f"/scheduler/jobs/result/precious/metadata?{both}") == names
        assert await scene.json(f"/scheduler/jobs/resultmap?{both}") == {str(job_id): {"k": "5"}}

    rest(scenario, scripted={"A": talk})


def test_a_faulty_task_is_among_the_exceptions(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Its child ran all the same; the job's values have its stack trace."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B", "C"))
        result = await scene.json(f"/scheduler/jobs/{job_id}/result")
        assert list(result["exceptionResults"]) == ["B"]
        assert result["exceptionResults"]["B"]["exceptionMessage"] == "no"
        values = await scene.json(f"/scheduler/jobs/{job_id}/result/value")
        assert values == {"A": "true", "B": "no\nat <task B>, line 1", "C": "true"}
        parent = scene.executor.attempts[-1].results[0]
        assert (parent.task_name, parent.failure) == ("B", FAILURE)

    rest(scenario, scripted={"B": fail})


def test_an_alive_job_has_no_result_yet(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """204 without a body, until it is killed; then what ran is listed."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", "B", "C"))
        await scene.until(lambda: scene.gate.running == ["B"])
        for path in ("result", "result/value"):
            answer = await scene.client.get(f"/scheduler/jobs/{job_id}/{path}")
            assert (answer.status_code, answer.content) == (204, b"")
        assert await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT") is True
        assert await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT") is False
        result = await scene.json(f"/scheduler/jobs/{job_id}/result")
        assert (result["jobInfo"]["status"], list(result["allResults"])) == ("KILLED", ["A"])
        state = await scene.json(f"/scheduler/jobs/{job_id}")
        statuses = [task["taskInfo"]["taskStatus"] for task in state["tasks"].values()]
        assert statuses == ["FINISHED", "ABORTED", "NOT_STARTED"]

    gated(rest, scenario, "B")


def gated(rest: Callable[..., None], scenario: Callable[..., Any], *names: str, **more: Any) -> None:
    """Run a scenario in which tasks of these names wait for `scene.gate`."""

    async def with_gate(scene: Any) -> None:
        scene.gate = Gate()
        scene.executor._scripted.update(dict.fromkeys(names, scene.gate))
        await scenario(scene)

    rest(with_gate, **more)


def test_pause_and_resume(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """What runs goes on, what waits waits; each answers whether it changed anything."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", "B"))
        await scene.until(lambda: scene.gate.running == ["A"])
        assert await scene.json(f"/scheduler/jobs/{job_id}/resume", "PUT") is False
        assert await scene.json(f"/scheduler/jobs/{job_id}/pause", "PUT") is True
        assert await scene.json(f"/scheduler/jobs/{job_id}/pause", "PUT") is False
        scene.gate.open()
        await scene.until(lambda: scene.store.results(job_id) != {})
        assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["status"] == "PAUSED"
        assert await scene.json(f"/scheduler/jobs/{job_id}/resume", "PUT") is True
        await scene.ended(job_id)

    gated(rest, scenario, "A")


def test_listings(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Ids, jobs and the revision; every filter of the official client is understood."""
    official = (
        "index=0&limit=1000&myjobs=false&pending=false&running=true&finished=false&withIssuesOnly=false&childJobs=true"
        "&sortParams=&status=&submittedTimeGreater=0&submittedTimeLessThan=0&startAtTimeGreater=0&startAtTimeLessThan=0"
    )

    async def scenario(scene: Any) -> None:
        empty = await scene.json("/scheduler/revisionjobsinfo")
        assert (empty["size"], list(empty["map"].values())) == (0, [[]])
        one = await scene.run(workflow("T", name="one"))
        two = await scene.submit(workflow("G", name="two"))
        await scene.until(lambda: scene.gate.running == ["G"])
        assert await scene.json("/scheduler/jobs") == {"size": 2, "list": [str(two), str(one)]}
        assert await scene.json("/scheduler/jobs?index=1&limit=1") == {"size": 2, "list": [str(one)]}
        jobs = await scene.json("/scheduler/jobsinfo?sortParams=ID_a")
        infos = [await scene.json(f"/scheduler/jobs/{job_id}/info") for job_id in (one, two)]
        entries = [{"jobid": str(info["jobId"]["id"]), "jobOwner": "ana", "jobInfo": info} for info in infos]
        assert jobs == {"size": 2, "list": entries}
        alive = await scene.json(f"/scheduler/revisionjobsinfo?{official}")
        assert (alive["size"], list(alive["map"].values())) == (1, [entries[1:]])
        assert list(alive["map"]) == [str(await scene.json("/scheduler/state/revision"))]
        assert await scene.json(f"/scheduler/jobsinfolist?jobsid={one}&jobsid=99") == entries[:1]
        assert await scene.json("/scheduler/jobsinfolist", "POST", json=[two, 99, one]) == entries
        queries = ("jobName=tw", "userName=ana&jobName=one", "myjobs=true&status=Finished", "sortParams=NAME_d")
        found = [(await scene.json(f"/scheduler/jobs?{query}"))["list"] for query in queries]
        assert found == [[str(two)], [str(one)], [str(one)], [str(two), str(one)]]

    gated(rest, scenario, "G")


@pytest.mark.parametrize("path", ["", "/info"])
def test_an_answer_waits_for_the_end_of_a_job(
    rest: Callable[..., None], workflow: Callable[..., str], path: str
) -> None:
    """As long as the client prefers to wait, and no longer than that; the answer says that it did."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("G"))

        async def ask(prefer: str) -> tuple[str, str]:
            headers = {"Prefer": prefer} if prefer else {}
            answer = await scene.client.get(f"/scheduler/jobs/{job_id}{path}", headers=headers)
            body = answer.json()
            return body.get("jobInfo", body)["status"], answer.headers.get("Preference-Applied", "")

        assert [await ask(prefer) for prefer in ("", "respond-async", "wait=nonsense")] == [("RUNNING", "")] * 3
        assert await ask("wait=0.001") == ("RUNNING", "wait")
        listeners = scene.service.listeners._listeners
        before = len(listeners)
        held = asyncio.ensure_future(ask("respond-async, wait=5"))
        await scene.until(lambda: len(listeners) > before)
        assert await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT") is True
        assert await held == ("KILLED", "wait")
        assert await ask("wait=5") == ("KILLED", "wait")
        answer = await scene.client.get(f"/scheduler/jobs/99{path}", headers={"Prefer": "wait=5"})
        assert answer.status_code == 404

    gated(rest, scenario, "G")


def test_the_revision_rises_with_every_change(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """And stands still while nothing happens."""

    async def scenario(scene: Any) -> None:
        before = await scene.json("/scheduler/state/revision")
        assert await scene.json("/scheduler/state/revision") == before
        await scene.run(workflow("T"))
        assert await scene.json("/scheduler/state/revision") > before

    rest(scenario)


def test_logs_of_a_job(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Every line has its prefix; tasks come in the order in which they ended."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B"))
        text = await scene.text(f"/scheduler/jobs/{job_id}/result/log/all")
        lines = [re.sub(r"\d\d:\d\d:\d\d(?=\])", "CLOCK", line) for line in text.split("\n")]
        prefix = f"[{job_id}t0@localhost;A;CLOCK] "
        assert lines == [prefix + "hello", prefix + "oops", ""]
        assert await scene.text(f"/scheduler/jobs/{job_id}/log/full") == text
        saved = await scene.client.get(f"/scheduler/jobs/{job_id}/log/full?destination=file")
        assert saved.headers["content-disposition"] == f"attachment; filename=job_{job_id}_logs.log"
        server = await scene.text(f"/scheduler/jobs/{job_id}/log/server")
        assert f"job {job_id} submitted: name 'job one', tasks '2', owner 'ana'" in server
        assert f"task {job_id}t1 (B) ended: Finished" in server

    rest(scenario, scripted={"A": talk})


def test_live_logs(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Each call has what came since the last one; with allLogs also what came before the first."""

    async def scenario(scene: Any) -> None:
        path = "/scheduler/jobs/1/livelog"
        await scene.submit(workflow("A", "B"))
        await scene.until(lambda: scene.gate.running == ["B"])
        assert await scene.json(f"{path}/available") == -1
        first = await scene.text(f"{path}?allLogs=true")
        assert [line.split("] ")[1] for line in first.splitlines()] == ["hello", "oops", "waiting"]
        assert await scene.text(f"{path}?allLogs=true") == ""
        scene.gate.open()
        await scene.ended(1)
        assert await scene.json(f"{path}/available") == 1
        assert (await scene.text(path)).split("] ")[1] == "through\n"
        assert await scene.text(path) == ""
        assert await scene.json(path, "DELETE") is True
        assert await scene.json(f"{path}/available") == -1
        assert await scene.text(path) == ""

    gated(rest, scenario, "B", scripted={"A": talk})


def test_a_logout_ends_live_logs(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Nothing is kept for a session that is gone."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A"))
        await scene.until(lambda: scene.gate.running == ["A"])
        await scene.text("/scheduler/jobs/1/livelog")
        assert scene.service.logs._captures != {}
        await scene.client.put("/scheduler/disconnect")
        assert scene.service.logs._captures == {}

    gated(rest, scenario, "A")


def test_a_flood_of_output_is_bounded_and_said_so(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """The last lines are kept; the first line tells how many are missing."""

    def flood(attempt: ScriptedAttempt) -> Outcome:
        for number in range(1000):
            attempt.say(f"line {number}")
        return Outcome(value=1)

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A"))
        lines = (await scene.text(f"/scheduler/jobs/{job_id}/tasks/A/result/log/all")).splitlines()
        assert len(lines) == 11
        assert "[990 earlier lines of output were dropped" in lines[0]
        assert lines[-1].endswith("] line 999")
        out = (await scene.json(f"/scheduler/jobs/{job_id}/tasks/A/result"))["output"]
        assert out["stdoutLogs"].startswith("line 990\n")

    rest(scenario, scripted={"A": flood}, log_lines=10)


def test_removal(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """One or several, ended or alive; nothing of them is left, and their ids are not used again."""

    async def scenario(scene: Any) -> None:
        for _ in range(4):
            await scene.run(workflow("T"))
        alive = await scene.submit(workflow("G"))
        await scene.until(lambda: scene.gate.running == ["G"])
        assert await scene.json("/scheduler/jobs/1", "DELETE") is True
        await scene.json("/scheduler/jobs/1", status=404)
        assert await scene.json("/scheduler/jobs?jobsid=2&jobsid=3", "DELETE") is True
        assert await scene.json(f"/scheduler/jobs/{alive}", "DELETE") is True
        assert await scene.json("/scheduler/jobs") == {"size": 1, "list": ["4"]}
        await asyncio.sleep(0.01)
        assert await scene.json("/scheduler/jobs?olderThan=1", "DELETE") is True
        assert await scene.json("/scheduler/jobs?olderThan=1", "DELETE") is False
        assert await scene.submit(workflow("T")) == 6

    gated(rest, scenario, "G")


def test_several_jobs_are_killed(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """True as on a server, also where they had ended."""

    async def scenario(scene: Any) -> None:
        jobs = [await scene.submit(workflow("G")) for _ in range(2)]
        query = "&".join(f"jobsid={job_id}" for job_id in jobs)
        assert await scene.json(f"/scheduler/jobs/kill?{query}", "PUT") is True
        statuses = [(await scene.json(f"/scheduler/jobs/{job_id}/info"))["status"] for job_id in jobs]
        assert statuses == ["KILLED", "KILLED"]
        assert await scene.json(f"/scheduler/jobs/kill?{query}", "PUT") is True

    gated(rest, scenario, "G")


def test_an_unknown_job_keeps_no_other_from_a_verb_on_several(
    rest: Callable[..., None], workflow: Callable[..., str]
) -> None:
    """Wherever it stands in the list, the verb is done to the others."""

    async def scenario(scene: Any) -> None:
        one, two = [await scene.submit(workflow("G")) for _ in range(2)]
        query = f"jobsid={one}&jobsid=99&jobsid={two}"
        moment = "2999-01-01T00:00:00Z"
        assert await scene.json(f"/scheduler/jobs/startat/{moment}", "PUT", json=[one, 99, two]) is False
        starts = [scene.service.ask.job(job_id).record.start_at for job_id in (one, two)]
        assert starts == [32_472_144_000_000] * 2
        assert len(await scene.json(f"/scheduler/jobs/resubmit?{query}", "POST")) == 2
        assert await scene.json(f"/scheduler/jobs/kill?{query}", "PUT") is True
        statuses = [(await scene.json(f"/scheduler/jobs/{job_id}/info"))["status"] for job_id in (one, two)]
        assert statuses == ["KILLED", "KILLED"]
        await scene.json(f"/scheduler/jobs?{query}", "DELETE")
        assert [scene.service.ask.knows(job_id) for job_id in (one, two)] == [False, False]

    gated(rest, scenario, "G")


def test_priorities(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """By name or number, 204."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("G"))
        for path, name in (("byname/highest", "HIGHEST"), ("byvalue/0", "IDLE")):
            answer = await scene.client.put(f"/scheduler/jobs/{job_id}/priority/{path}")
            assert (answer.status_code, answer.content) == (204, b"")
            assert (await scene.json(f"/scheduler/jobs/{job_id}/info"))["priority"] == name

    gated(rest, scenario, "G")


def test_a_start_can_be_put_off(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """To a time with zone, also where its plus sign became a blank."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("G"))
        for path in (f"{job_id}/startat/2100-01-01T00:00:00+01:00", f"{job_id}/startat/2100-01-01T00:00:00 02:00"):
            assert await scene.json(f"/scheduler/jobs/{path}", "PUT") is True
        answer = await scene.json(f"/scheduler/jobs/{job_id}/info")
        assert answer["startAt"] == 4102444800000 - 7_200_000
        assert await scene.json("/scheduler/jobs/startat/2101-01-01", "PUT", json=[job_id]) is True

    gated(rest, scenario, "G")


def test_the_picture_of_a_job(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Bare HTML under the content type of JSON, as a server sends it."""

    async def scenario(scene: Any) -> None:
        head = "<metadata><visualization><![CDATA[<b>é</b>]]></visualization></metadata>"
        xml = workflow("A").replace("</taskFlow>", f"</taskFlow>{head}")
        answer = await scene.client.get(f"/scheduler/jobs/{await scene.run(xml)}/html")
        assert (answer.content, answer.headers["content-type"]) == (
            "<b>é</b>".encode(),
            "application/json;charset=utf-8",
        )

    rest(scenario)
