"""Tasks over REST: states, results, logs, actions."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Failure, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.executors.memory import ScriptedAttempt
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.java import serialization

FAILURE = Failure(kind=FailureKind.ERROR, exception="TaskException", message="no", stack_trace="at <task B>, line 1")


def fail(attempt: ScriptedAttempt) -> Outcome:
    attempt.say("oops", error=True)
    return Outcome(failure=FAILURE)


def give(value: Any, **metadata: str) -> Callable[[ScriptedAttempt], Outcome]:
    names = {name.replace("_", "."): text for name, text in metadata.items()}
    return lambda attempt: Outcome(value=values.to_wire(value), metadata=names)


async def forever(attempt: ScriptedAttempt) -> Outcome:
    attempt.progress(40)
    await asyncio.Event().wait()
    return Outcome()


def test_one_task(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """As it is in the job's state."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B"))
        state = await scene.json(f"/scheduler/jobs/{job_id}/tasks/B")
        assert state == (await scene.json(f"/scheduler/jobs/{job_id}"))["tasks"]["1"]
        assert state["taskInfo"]["executionHostName"] == "localhost (local-0)"

    rest(scenario)


def test_results_of_every_kind(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Text, bytes, null and failure, in each of their forms."""
    expected = {
        "T": ("é", serialization.dumps("é")),
        "R": ("[B@", b"\x89PNG"),
        "N": (None, serialization.dumps(None)),
        "F": ("no\nat <task B>, line 1", None),
    }

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow(*expected))
        for name, (text, content) in expected.items():
            path = f"/scheduler/jobs/{job_id}/tasks/{name}/result"
            shown = await scene.client.get(f"{path}/value")
            assert shown.status_code == (204 if text is None else 200)
            assert shown.text.startswith(text or "")
            sent = await scene.client.get(f"{path}/serializedvalue")
            assert (sent.status_code, sent.content) == (204 if content is None else 200, content or b"")
        raw = await scene.json(f"/scheduler/jobs/{job_id}/tasks/R/result")
        assert raw["raw"] is True

    rest(scenario, scripted={"T": give("é"), "R": give(b"\x89PNG"), "N": give(None), "F": fail})


def test_a_task_without_result_yet(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """An empty record, 200; its text is 204."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A"))
        await scene.until(lambda: scene.executor.attempts)
        result = await scene.json(f"/scheduler/jobs/{job_id}/tasks/A/result")
        assert (result["id"], result["serializedValue"], result["serializedException"]) == (
            {"id": 0, "readableName": "A"},
            None,
            None,
        )
        for path in ("value", "serializedvalue", "download"):
            answer = await scene.client.get(f"/scheduler/jobs/{job_id}/tasks/A/result/{path}")
            assert answer.status_code == 204

    rest(scenario, scripted={"A": forever})


def test_progress_is_shown(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """As the task tells it."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A"))
        await scene.until(lambda: (scene.store.task(1, 0)).progress == 40)
        assert (await scene.json("/scheduler/jobs/1/tasks/A"))["taskInfo"]["progress"] == 40

    rest(scenario, scripted={"A": forever})


def test_a_result_can_be_downloaded(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """With the type and name that its metadata tell."""
    picture = give(b"\x89PNG", content_type=" image/png ", file_name="é.png")

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("P", "T"))
        path = f"/scheduler/jobs/{job_id}/tasks"
        shown = await scene.client.get(f"{path}/P/result/download?destination=browser")
        assert (shown.content, shown.headers["content-type"]) == (b"\x89PNG", "image/png")
        assert "content-disposition" not in shown.headers
        saved = await scene.client.get(f"{path}/P/result/download?destination=file")
        assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9.png"
        plain = await scene.client.get(f"{path}/T/result/download?destination=file")
        assert (plain.text, plain.headers["content-type"]) == ("[1, 2]", "text/plain; charset=utf-8")
        assert plain.headers["content-disposition"] == "attachment; filename*=UTF-8''T_result"
        assert await scene.json(f"{path}/P/result/metadata") == {"content.type": " image/png ", "file.name": "é.png"}

    rest(scenario, scripted={"P": picture, "T": give([1, 2])})


@pytest.mark.parametrize("content_type", ["text/plain\r\nX-Other: 1", "image/png\n", "текст/plain"])
def test_a_content_type_that_is_not_a_header_is_refused(
    rest: Callable[..., None], workflow: Callable[..., str], content_type: str
) -> None:
    """With an error that a client can read; the value is still to be had, and a name may be of any alphabet."""

    def typed(attempt: ScriptedAttempt) -> Outcome:
        return Outcome(value=1, metadata={"content.type": content_type, "file.name": "日本\r\n.txt"})

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A"))
        path = f"/scheduler/jobs/{job_id}/tasks/A/result"
        assert "content.type" in (await scene.json(f"{path}/download", status=400))["errorMessage"]
        assert await scene.text(f"{path}/value") == "1"

    rest(scenario, scripted={"A": typed})


def test_the_log_tells_what_clean_scripts_said(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Their output and why they failed, in the scheduler's log of the task alone, until the job is removed."""

    def cleaned(attempt: ScriptedAttempt) -> Outcome:
        return Outcome(value=1, clean_output=("gone: a", "gone: b"), clean_failure="Failed to execute clean script: no")

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A"))
        log = await scene.text(f"/scheduler/jobs/{job_id}/tasks/A/log/server")
        told = [line.partition(" [o.o.p.s.t.TaskLauncher] ") for line in log.splitlines() if "clean script" in line]
        assert [(before.split()[2], text) for before, _, text in told] == [
            ("INFO", f"task {job_id}t0 (A) clean script wrote on node local-0: gone: a"),
            ("INFO", f"task {job_id}t0 (A) clean script wrote on node local-0: gone: b"),
            ("WARN", f"task {job_id}t0 (A) clean script failed on node local-0: Failed to execute clean script: no"),
        ]
        assert "clean" not in await scene.text(f"/scheduler/jobs/{job_id}/tasks/A/result/log/all")
        await scene.client.delete(f"/scheduler/jobs/{job_id}")
        assert scene.service.selections.cleanings(job_id, 0) == ()

    rest(scenario, scripted={"A": cleaned})


def test_a_task_that_did_not_run_says_so(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """In standard error of its result, as on a server; its log is empty, and Java clients get the exception."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A"))
        await scene.json(f"/scheduler/jobs/{job_id}/kill", "PUT")
        path = f"/scheduler/jobs/{job_id}/tasks/A/result"
        result = await scene.json(path)
        message = "The task could not start due to dependency failure"
        exception = "org.ow2.proactive.scheduler.common.exception.TaskCouldNotStartException"
        assert result["output"] == {"stdoutLogs": "", "stderrLogs": message}
        assert result["exceptionMessage"] == await scene.text(f"{path}/value") == f"{exception}: {message}"
        assert exception.encode() in base64.b64decode(result["serializedException"])
        assert await scene.text(f"{path}/log/all") == ""

    rest(scenario, slots=0)


def test_logs_by_stream(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """All, output, errors; the two make up the whole, without blank lines and blanks at the end."""

    def talk(attempt: ScriptedAttempt) -> Outcome:
        attempt.say("out  ")
        attempt.say("err", error=True)
        attempt.say("")
        return Outcome(value=1)

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B"))
        texts = []
        for stream in ("all", "full", "out", "err"):
            text = await scene.text(f"/scheduler/jobs/{job_id}/tasks/A/result/log/{stream}")
            texts.append([line.split("]", 1)[1] for line in text.splitlines()])
        assert texts == [[" out", " err"], [" out", " err"], [" out"], [" err"]]
        # One that ran without output has an empty line, as on a server.
        assert await scene.text(f"/scheduler/jobs/{job_id}/tasks/B/result/log/all") == "\n"
        server = await scene.text(f"/scheduler/jobs/{job_id}/tasks/A/log/server")
        assert "(A) started on localhost (node: local-0), execution 1" in server

    rest(scenario, scripted={"A": talk})


def test_lists_of_tasks(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Names and states, whole, by page, by status, by tag, in sums."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(workflow("A", "B", "C"))
        base = f"/scheduler/jobs/{job_id}"
        states = list((await scene.json(base))["tasks"].values())
        assert await scene.json(f"{base}/tasks") == {"size": 3, "list": ["A", "B", "C"]}
        assert await scene.json(f"{base}/tasks/paginated?offset=1&limit=1") == {"size": 3, "list": ["B"]}
        assert await scene.json(f"{base}/taskstates") == {"size": 3, "list": states}
        assert await scene.json(f"{base}/taskstates/visualization") == []
        assert await scene.json(f"{base}/taskstates/paginated?limit=-1") == {"size": 3, "list": states}
        errors = f"{base}/taskstates/filtered/paginated?statusFilter=error"
        assert await scene.json(errors) == {"size": 1, "list": states[1:2]}
        for query in ("statusFilter=nonsense", "statusFilter=", "statusFilter=pending;submitted", ""):
            nothing = await scene.json(f"{base}/taskstates/filtered/paginated?{query}")
            assert nothing == {"size": 0, "list": []}
        summaries = (await scene.json(f"{base}/taskstates/aggregated"))["list"]
        assert [(each["name"], each["count"], each["countErrors"], each["taskStatus"]) for each in summaries] == [
            ("A", 1, 0, "FINISHED"),
            ("B", 1, 1, "FAULTY"),
            ("C", 1, 0, "FINISHED"),
        ]
        for path in ("tasks/tag/none", "taskstates/none", "taskstates/none/paginated", "taskstates/x/error/paginated"):
            assert await scene.json(f"{base}/{path}") == {"size": 0, "list": []}
        assert await scene.json(f"{base}/tasks/tags") == []
        assert await scene.json(f"{base}/tasks/tag/none/result") == []
        for what in ("value", "serializedvalue", "metadata"):
            assert await scene.json(f"{base}/tasks/tag/none/result/{what}") == {}
        assert await scene.text(f"{base}/tasks/tag/none/result/log/all") == ""
        assert await scene.json(f"{base}/tasks/results/precious/metadata") == []
        assert await scene.json("/scheduler/tasks?limit=2") == {"size": 3, "list": ["A", "B"]}
        assert await scene.json("/scheduler/taskstates?mytasks=true") == {"size": 3, "list": states}

    rest(scenario, scripted={"B": fail})


REPLICATE = (
    '<job xmlns="urn:proactive:jobdescriptor:3.14" name="copies"><taskFlow>'
    '<task name="S"><scriptExecutable><script><code language="bash">1</code></script></scriptExecutable>'
    '<controlFlow><replicate><script><code language="groovy">runs = 2</code></script></replicate></controlFlow></task>'
    '<task name="W"><depends><task ref="S"/></depends>'
    '<scriptExecutable><script><code language="bash">1</code></script></scriptExecutable></task>'
    '<task name="M"><depends><task ref="W"/></depends>'
    '<scriptExecutable><script><code language="bash">1</code></script></scriptExecutable></task>'
    "</taskFlow></job>"
)


def test_copies_have_names_and_tags(rest: Callable[..., None]) -> None:
    """A name with a star is found in a path, encoded or not."""

    def split(attempt: ScriptedAttempt) -> Outcome:
        return Outcome(value=1, flow=2, flow_decided=True)

    async def scenario(scene: Any) -> None:
        job_id = await scene.run(REPLICATE)
        base = f"/scheduler/jobs/{job_id}"
        assert (await scene.json(f"{base}/tasks"))["list"] == ["S", "W", "M", "W*1"]
        for name in ("W*1", "W%2A1"):
            state = await scene.json(f"{base}/tasks/{name}")
            assert (state["name"], state["replicationIndex"], state["tag"]) == ("W*1", 1, "REPLICATE-S-1")
        assert await scene.json(f"{base}/tasks/tags") == ["REPLICATE-S-1"]
        assert await scene.json(f"{base}/tasks/tags/startsWith/LOOP") == []
        assert await scene.json(f"{base}/tasks/tag/REPLICATE-S-1") == {"size": 1, "list": ["W*1"]}
        assert await scene.json(f"{base}/tasks/tag/REPLICATE-S-1/result/value") == {"W*1": "true"}
        assert await scene.json(f"{base}/tasks/tag/REPLICATE-S-1/result/metadata") == {"W*1": {}}
        streams = await scene.json(f"{base}/tasks/tag/REPLICATE-S-1/result/serializedvalue")
        assert streams == {"W*1": base64.b64encode(serialization.dumps(True)).decode()}
        (result,) = await scene.json(f"{base}/tasks/tag/REPLICATE-S-1/result")
        assert result["id"]["readableName"] == "W*1"
        merged = scene.executor.attempts[-1]
        assert [parent.task_name for parent in merged.results] == ["W", "W*1"]

    rest(scenario, scripted={"S": split})


def test_a_task_is_killed(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """Its child runs all the same; its result says what happened."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", "B"))
        await scene.until(lambda: scene.executor.attempts)
        path = f"/scheduler/jobs/{job_id}/tasks/A"
        assert await scene.json(f"{path}/kill", "PUT") is True
        await scene.ended(job_id)
        assert (await scene.json(path))["taskInfo"]["taskStatus"] == "ABORTED"
        assert "The task has been manually killed." in await scene.text(f"{path}/result/log/err")
        assert "killed" in await scene.text(f"{path}/result/value")
        assert list((await scene.json(f"/scheduler/jobs/{job_id}/result"))["allResults"]) == ["A", "B"]

    rest(scenario, scripted={"A": forever})


@pytest.mark.parametrize(("verb", "left"), [("restart", 1), ("preempt", 2)])
def test_a_task_is_sent_back(rest: Callable[..., None], workflow: Callable[..., str], verb: str, left: int) -> None:
    """A restart costs an execution, a preemption none."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", task='maxNumberOfExecution="2"'))
        await scene.until(lambda: scene.executor.attempts)
        path = f"/scheduler/jobs/{job_id}/tasks/A"
        assert await scene.json(f"{path}/{verb}", "PUT") is True
        info = (await scene.json(path))["taskInfo"]
        assert info["taskStatus"] != "RUNNING"
        assert info["numberOfExecutionLeft"] == left

    rest(scenario, scripted={"A": forever})


def test_only_a_running_task_is_sent_back(rest: Callable[..., None], workflow: Callable[..., str]) -> None:
    """One that waits or is in error is refused as on a server; one that has ended is none to act on."""

    async def scenario(scene: Any) -> None:
        await scene.submit(workflow("A", "B", task='onTaskError="suspendTask"'))
        await scene.until(lambda: scene.store.task(1, 0).status.value == "IN_ERROR")
        for name, number in (("A", 0), ("B", 1)):
            for verb in ("restart", "preempt"):
                answer = await scene.json(f"/scheduler/jobs/1/tasks/{name}/{verb}", "PUT", status=500)
                assert answer["exceptionClass"] == "java.lang.IllegalStateException"
                assert answer["errorMessage"].startswith(f"Task 1t{number} is not running.")
        assert "oops" in await scene.text("/scheduler/jobs/1/log/full")
        assert await scene.text("/scheduler/jobs/1/result/log/all") == ""
        assert await scene.json("/scheduler/jobs/1/kill", "PUT") is True
        never = await scene.json("/scheduler/jobs/1/tasks/B/result")
        assert never["output"]["stderrLogs"] == "The task could not start due to dependency failure"
        info = await scene.json("/scheduler/jobs/1/info")
        assert (info["numberOfRunningTasks"], info["numberOfInErrorTasks"], info["inErrorTime"] > 0) == (0, 1, True)

    rest(scenario, scripted={"A": fail})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("tasks/A/finishInErrorTask", "FINISHED"),
        ("tasks/A/restartInErrorTask", "IN_ERROR"),
        ("restartAllInErrorTasks", "IN_ERROR"),
    ],
)
def test_a_task_in_error_waits_for_a_decision(
    rest: Callable[..., None], workflow: Callable[..., str], path: str, status: str
) -> None:
    """Finish it with an empty result, or try again."""

    async def scenario(scene: Any) -> None:
        job_id = await scene.submit(workflow("A", task='onTaskError="suspendTask"'))
        base = f"/scheduler/jobs/{job_id}"
        await scene.until(lambda: scene.store.task(1, 0).status.value == "IN_ERROR")
        info = await scene.json(f"{base}/info")
        counts = (info["status"], info["numberOfRunningTasks"], info["numberOfInErrorTasks"])
        assert (*counts, info["inErrorTime"] > 0) == ("IN_ERROR", 1, 1, True)
        assert await scene.json(f"{base}/{path}", "PUT") is True
        wanted = 1 if status == "FINISHED" else 2
        await scene.until(lambda: len(scene.executor.attempts) == wanted)
        await scene.until(lambda: scene.store.task(1, 0).status.value == status)
        result = await scene.json(f"{base}/tasks/A/result")
        assert (result["serializedException"] is None) == (status == "FINISHED")
        times = [(await scene.json(f"{base}/info"))["inErrorTime"]]
        times.append((await scene.json(f"{base}/tasks/A"))["taskInfo"]["inErrorTime"])
        assert [time == -1 for time in times] == [status == "FINISHED"] * 2

    rest(scenario, scripted={"A": fail})
