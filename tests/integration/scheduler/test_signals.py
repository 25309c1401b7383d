"""Tasks that wait for signals, and those who send them: REST, another task, the Python API and the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

WAITING = """
import org.ow2.proactive.scheduler.common.job.JobVariable
signalapi.readyForSignal("go")
println "${signalapi.getJobSignals()} ${signalapi.isReceived('go')} ${signalapi.checkForSignals(['go', 'rate'])}"
signalapi.readyForSignal("rate", [new JobVariable("RATE", "1", "PA:INTEGER")])
def first = signalapi.waitForAny(["go", "never"])
result = [first.name, signalapi.waitFor("rate")]
"""


def is_shown(daemon: Any, job_id: int, *signals: str) -> Callable[[], bool]:
    return lambda: set(daemon.get(f"/scheduler/jobs/{job_id}/info")["signals"]) == set(signals)


def test_a_task_waits_for_signals_with_variables(
    lasting: Any, workflow: Callable[..., str], until: Callable[[Callable[[], Any]], None]
) -> None:
    """It gets the values that were sent; values that do not fit the model are refused, and nothing is sent."""
    job_id = lasting.submit(workflow(("T", "groovy", WAITING)))
    until(is_shown(lasting, job_id, "ready_go", "ready_rate"))
    path = f"/scheduler/job/{job_id}/signals"
    refused = lasting.client.post(path, params={"signal": "rate"}, json={"RATE": "much"})
    assert (refused.status_code, "RATE" in refused.json()["errorMessage"]) == (500, True)
    assert set(lasting.client.post(path, params={"signal": "rate"}, json={"RATE": "7"}).json()) == {"ready_go", "rate"}
    assert set(lasting.client.post(path, params={"signal": "go"}, json={}).json()) == {"go", "rate"}
    assert lasting.ended(job_id) == "FINISHED"
    task = lasting.get(f"/scheduler/jobs/{job_id}/tasks/T/result")
    assert (task["value"], task["output"]["stdoutLogs"]) == (
        "[go, {RATE=7}]",
        "[ready_go] false [:]\n",
    )


def test_a_task_of_python_waits_and_another_one_sends(lasting: Any) -> None:
    """Both in Python, in the same job; what was sent is gone after `removeSignal`."""
    waits = 'signalapi.readyForSignal("go", [{"name": "N", "value": "1"}])\nresult = signalapi.waitFor("go")'
    sends = """
import time
while "ready_go" not in signalapi.getJobSignals():
    time.sleep(0.02)
try:
    signalapi.sendSignal("other")
except Exception as error:
    print(type(error).__name__)
signalapi.sendSignal("go", {"N": 5})
before = signalapi.isReceived("go")
signalapi.removeSignal("go")
result = [before, signalapi.isReceived("go")]
"""
    tasks = "".join(
        f'<task name="{name}"><scriptExecutable><script><code language="cpython"><![CDATA[{code}]]></code></script>'
        "</scriptExecutable></task>"
        for name, code in (("waits", waits), ("sends", sends))
    )
    job_id = lasting.submit(
        f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="two"><taskFlow>{tasks}</taskFlow></job>'
    )
    assert lasting.ended(job_id) in ("FINISHED", "KILLED")
    results = lasting.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert {name: result["value"] for name, result in results.items()} == {
        "waits": "{N=5}",
        "sends": "[true, false]",
    }
    assert results["sends"]["output"]["stdoutLogs"] == "SignalRefused\n"


def test_the_command_line_sends_a_signal(
    lasting: Any, workflow: Callable[..., str], until: Callable[[Callable[[], Any]], None]
) -> None:
    """With values; one that no task waits for is refused with what the job is ready for."""
    code = 'signalapi.readyForSignal("go", [{"name": "N", "value": ""}])\nresult = signalapi.waitFor("go")["N"]'
    job_id = lasting.submit(workflow(("T", "cpython", code)))
    until(is_shown(lasting, job_id, "ready_go"))

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "proactive_jupyter_kernel", "signal", str(job_id), *words]
        done = subprocess.run(command, env=lasting.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code_of_other, said = run("other")
    assert (code_of_other, "It is ready for: go." in said) == (1, True), said
    assert run("go", "--var", "N=3") == (0, f"Job {job_id} 'a job' received the signal 'go'.\n")
    assert lasting.ended(job_id) == "FINISHED"
    assert lasting.get(f"/scheduler/jobs/{job_id}/tasks/T/result")["value"] == "3"
