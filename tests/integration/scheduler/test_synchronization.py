"""Tasks that share channels, in Groovy and in Python, on a real scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

GROOVY = """
def job = variables.get("PA_JOB_ID")
def before = synchronizationapi.waitUntilThen(job, "free", "{k, x -> x > 0}", "{k, x -> x - 1}")
def inside = synchronizationapi.compute(job, "inside", "{k, x -> (x ?: 0) + 1}")
Thread.sleep(50)
synchronizationapi.compute(job, "inside", "{k, x -> x - 1}")
synchronizationapi.compute(job, "free", "{k, x -> x + 1}")
result = [before, inside]
"""
PYTHON = """
import time
job = variables.get("PA_JOB_ID")
before = synchronizationapi.waitUntilThen(job, "free", "{k, x -> x > 0}", "{k, x -> x - 1}")
inside = synchronizationapi.merge(job, "inside", 1, "{old, one -> old + one}")
time.sleep(0.05)
synchronizationapi.compute(job, "inside", "{k, x -> x - 1}")
synchronizationapi.compute(job, "free", "{k, x -> x + 1}")
result = [before, inside]
"""


def job_of(*tasks: tuple[str, str, str, str]) -> str:
    """XML of tasks as (name, language, code, parent)."""
    text = "".join(
        f'<task name="{name}">'
        + (f'<depends><task ref="{parent}"/></depends>' if parent else "")
        + f'<scriptExecutable><script><code language="{language}"><![CDATA[{code}]]></code></script></scriptExecutable>'
        "</task>"
        for name, language, code, parent in tasks
    )
    return f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="a job"><taskFlow>{text}</taskFlow></job>'


def test_tasks_of_two_languages_enter_a_section_one_at_a_time(lasting: Any) -> None:
    """A channel is a lock between tasks that run at the same time; no change of one is lost by another."""
    prepare = (
        'job = variables.get("PA_JOB_ID")\n'
        "result = [synchronizationapi.createChannelIfAbsent(job, False), "
        "synchronizationapi.createChannelIfAbsent(job, False), synchronizationapi.put(job, 'free', 1)]"
    )
    workers = [(f"G{number}", "groovy", GROOVY, "prepare") for number in range(2)]
    workers += [(f"P{number}", "cpython", PYTHON, "prepare") for number in range(3)]
    job_id = lasting.submit(job_of(("prepare", "cpython", prepare, ""), *workers))
    assert lasting.ended(job_id) == "FINISHED"
    results = lasting.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert {name: result["value"] for name, result in results.items()} == {
        "prepare": "[true, false, null]",
        **{name: "[1, 1]" for name, *_ in workers},
    }


def test_faults_of_a_channel_have_names_and_say_what_to_do(daemon: Any) -> None:
    """In Groovy under the names of ProActive's classes, in Python as exceptions of Python."""
    groovy = """
import org.ow2.proactive.scheduler.synchronization.InvalidChannelException
import java.util.concurrent.TimeoutException
try { synchronizationapi.get("absent", "x") } catch (InvalidChannelException e) { println e.message }
synchronizationapi.createChannel("c", false)
try { synchronizationapi.waitUntil("c", "x", 10, "{k, x -> x}") } catch (TimeoutException e) { println e.message }
try { synchronizationapi.compute("c", "x", "not a closure") } catch (IllegalArgumentException e) { println e.class }
"""
    python = """
for use in (
    lambda: synchronizationapi.get("absent", "x"),
    lambda: synchronizationapi.waitUntil("c", "x", 10, "{k, x -> x}"),
    lambda: synchronizationapi.compute("c", "x", "not a closure"),
):
    try:
        use()
    except Exception as error:
        print(type(error).__name__)
"""
    daemon.start()
    job_id = daemon.submit(job_of(("G", "groovy", groovy, ""), ("P", "cpython", python, "G")))
    assert daemon.ended(job_id) == "FINISHED"
    results = daemon.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert {name: result["output"]["stdoutLogs"].splitlines() for name, result in results.items()} == {
        "G": [
            "There is no channel 'absent'.",
            "Create it first: synchronizationapi.createChannelIfAbsent('absent', false). Channels: none.",
            "The key 'x' of the channel 'c' was not what {k, x -> x} asks for within 10 ms",
            "class java.lang.IllegalArgumentException",
        ],
        "P": ["InvalidChannel", "TimeoutError", "ValueError"],
    }


def test_channels_in_jython_and_scala(lasting: Any) -> None:
    """Both have the bindings; closures need the Groovy of this machine."""
    jython = (
        'synchronizationapi.createChannelIfAbsent("j", False)\n'
        'result = [synchronizationapi.compute("j", "n", "{k, x -> (x ?: 0) + 1}"), len(signalapi.getJobSignals())]'
    )
    scala = (
        'synchronizationapi.createChannelIfAbsent("s", false)\n'
        'result = List(synchronizationapi.compute("s", "n", "{k, x -> (x ?: 0) + 1}"), signalapi.getJobSignals().size)'
    )
    job_id = lasting.submit(job_of(("J", "python", jython, ""), ("S", "scalaw", scala, "")))
    assert lasting.ended(job_id) == "FINISHED"
    results = lasting.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert {name: result["value"] for name, result in results.items()} == {"J": "[1, 0]", "S": "[1, 0]"}


def test_wrong_arguments_in_groovy(lasting: Any) -> None:
    """A closure that is not a text, one that does not compile and a wait for nothing are errors that say so."""
    code = """
synchronizationapi.createChannel("w", false)
for (use in [
    { synchronizationapi.compute("w", "n", {k, x -> 1}) }, { synchronizationapi.compute("w", "n", "{k, x -> ") },
    { signalapi.waitFor() }, { signalapi.waitForAny([]) }, { signalapi.readyForSignal("") },
]) try { use() } catch (Throwable e) { println e.message }
"""
    job_id = lasting.submit(job_of(("G", "groovy", code, "")))
    assert lasting.ended(job_id) == "FINISHED"
    results = lasting.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert results["G"]["output"]["stdoutLogs"].splitlines() == [
        'A closure is handed over as text here, because it may run elsewhere; put it in quotes: "{k, x -> x + 1}"',
        "{k, x ->  is not a closure of Groovy: unexpected token: )",
        "the name of a signal is a text, not null",
        "waitForAny needs the name of a signal: nothing would ever end the wait",
        "The name of a signal is a text that does not begin with ready_, not ''.",
    ]


def test_a_persistent_channel_outlives_the_scheduler(daemon: Any, workflow: Callable[..., str]) -> None:
    """After a restart it has its entries; another channel is gone."""
    write = (
        "for name, kept in (('kept', True), ('brief', False)):\n"
        "    synchronizationapi.createChannel(name, kept)\n"
        "    synchronizationapi.put(name, 'key', [1, 'x', None])"
    )
    read = "result = [synchronizationapi.channelExists('brief'), synchronizationapi.get('kept', 'key')]"
    daemon.start()
    assert daemon.ended(daemon.submit(workflow(("W", "cpython", write)))) == "FINISHED"
    assert daemon.stop() == 0
    daemon.start()
    job_id = daemon.submit(workflow(("R", "cpython", read)))
    assert daemon.ended(job_id) == "FINISHED"
    assert daemon.get(f"/scheduler/jobs/{job_id}/tasks/R/result")["value"] == "[false, [1, x, null]]"


def test_a_key_of_a_task_opens_nothing_else(lasting: Any, workflow: Callable[..., str]) -> None:
    """Neither without a key nor after the job's end does anybody read a channel; a key is no session."""
    show = "synchronizationapi.channelExists('x')\nresult = synchronizationapi._client._scheduler._key"
    job_id = lasting.submit(workflow(("K", "cpython", show)))
    assert lasting.ended(job_id) == "FINISHED"
    key = lasting.get(f"/scheduler/jobs/{job_id}/tasks/K/result")["value"]
    stranger = lasting.new_client()
    answers = [
        stranger.post("/task/channels/names", json={}),
        stranger.post("/task/channels/names", json={}, headers={"task-key": key}),
        stranger.get("/scheduler/jobs", headers={"sessionid": key}),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 401]
