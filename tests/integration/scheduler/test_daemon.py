"""The scheduler as a process: found, used, stopped, killed, refused."""

from __future__ import annotations

import json
import os
import resource
import socket
import stat
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from websockets.sync.client import connect

from proactive_jupyter_kernel.version import __version__

#: `sysexits.h`: try again later.
LOCKED = 75


def test_a_workflow_runs_from_xml_to_result(running: Any, workflow: Callable[..., str]) -> None:
    """Python and bash, variables, results, both streams, through the real REST interface."""
    python = (
        "import sys\nprint('hello é', variables['PA_JOB_ID'])\nprint('oops', file=sys.stderr)\n"
        "variables['V'] = 'x'\nresult = {'a': [1, 2.5]}"
    )
    job_id = running.submit(
        workflow(("A", "cpython", python), ("B", "bash", 'echo "$variables_V $results_0 $variables_PA_USER"'))
    )
    assert running.ended(job_id) == "FINISHED"
    results = running.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert {name: (result["value"], result["output"]) for name, result in results.items()} == {
        "A": ("{a=[1, 2.5]}", {"stdoutLogs": f"hello é {job_id}\n", "stderrLogs": "oops\n"}),
        "B": ("0", {"stdoutLogs": f"x {{a=[1, 2.5]}} {running.address['user']}\n", "stderrLogs": ""}),
    }


def test_the_address_file_is_private_and_complete(daemon: Any) -> None:
    """Only the user can read it; so it is with the data folder. It goes with the scheduler."""
    daemon.start()
    path = daemon.address_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(daemon.data_dir.stat().st_mode) == 0o700
    address = json.loads(path.read_text())
    assert set(address) == {"url", "token", "pid", "version", "data_dir", "user", "notices", "troubles", "executor"}
    assert (address["pid"], address["version"], address["data_dir"]) == (
        daemon.pid,
        __version__,
        str(daemon.data_dir),
    )
    assert daemon.stop() == 0
    assert not path.exists()


def test_it_listens_on_this_machine_alone(running: Any) -> None:
    """At 127.0.0.1, and to no other name."""
    listening = [
        each.laddr.ip for each in psutil.Process(running.pid).net_connections() if each.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
    answer = running.client.get("/scheduler/version", headers={"Host": "evil.example"})
    assert answer.status_code == 403


def test_a_second_one_on_the_same_folder_is_refused(running: Any) -> None:
    """It names the first one's process, and the first one goes on."""
    second = running.spawn()
    _, said = second.communicate(timeout=60)
    assert second.returncode == LOCKED
    assert f"(process {running.pid}) runs on the data folder {running.data_dir}" in said
    assert "Traceback" not in said
    assert running.get("/scheduler/status") == "STARTED"


def test_a_port_in_use_is_reported(daemon: Any) -> None:
    """With the port and what to do; no traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = daemon.spawn("--port", str(port))
        _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, LOCKED)
    assert f"cannot listen at port {port}" in said
    assert "--port" in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_reported(daemon: Any) -> None:
    """The variable, its value and what it must be."""
    process = daemon.spawn(PROACTIVE_KERNEL_SLOTS="many")
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "PROACTIVE_KERNEL_SLOTS is 'many', but it must be an integer of at least 1" in said


@pytest.mark.local_only("it looks into the folder of nodes of this machine")
def test_a_stop_is_kind_and_leaves_nothing(daemon: Any, workflow: Callable[..., str], until: Any) -> None:
    """Running tasks are ended with their children, scratch folders removed; the job goes on at the next start."""
    code = "echo begun; sleep 600 & sleep 600 & wait"
    daemon.start()
    job_id = daemon.submit(workflow(("A", "cpython", "result = 1"), ("B", "bash", code)))
    until(lambda: "begun" in daemon.text(f"/scheduler/jobs/{job_id}/tasks/B/result/log/out"))
    assert daemon.stop() == 0
    assert daemon.leftovers() == []
    assert list((daemon.data_dir / "scratch").iterdir()) == []
    daemon.start()
    until(lambda: daemon.task_statuses(job_id)["B"] == "RUNNING")
    task = daemon.get(f"/scheduler/jobs/{job_id}/tasks/B")
    assert task["taskInfo"]["numberOfExecutionLeft"] == 1
    assert daemon.client.put(f"/scheduler/jobs/{job_id}/kill").json() is True
    assert daemon.task_statuses(job_id) == {"A": "FINISHED", "B": "ABORTED"}


def without_addresses(result: Any) -> Any:
    """A result without the variables that name the scheduler's port, which a new process has anew."""
    maps = ("propagatedVariables", "serializedPropagatedVariables")
    return {**result, **{key: {k: v for k, v in result[key].items() if "URL" not in k} for key in maps}}


def test_nothing_is_lost_by_a_crash(daemon: Any, workflow: Callable[..., str], until: Any, tmp_path: Any) -> None:
    """kill -9 in mid-job: what had ended keeps result and output and is not run again, what ran runs again."""
    marks = tmp_path / "marks"
    marks.mkdir()
    gate = tmp_path / "gate"
    first = f"import os\nopen('{marks}/A' + str(os.getpid()), 'w').close()\nprint('from A')\nresult = 5"
    second = f'touch "{marks}/B$$"; echo "pid $$"; while [ ! -e "{gate}" ]; do sleep 0.02; done; echo "got $results_0"'
    daemon.start()
    job_id = daemon.submit(workflow(("A", "cpython", first), ("B", "bash", second), ("C", "cpython", "result = 7")))
    until(lambda: "pid" in daemon.text(f"/scheduler/jobs/{job_id}/tasks/B/result/log/out"))
    before = without_addresses(daemon.get(f"/scheduler/jobs/{job_id}/tasks/A/result"))
    daemon.process.kill()
    daemon.process.wait()
    # The address file of the dead one is still there, as after every crash.
    assert daemon.address_file.exists()
    daemon.start()
    assert without_addresses(daemon.get(f"/scheduler/jobs/{job_id}/tasks/A/result")) == before
    until(lambda: len(list(marks.glob("B*"))) == 2)
    gate.touch()
    assert daemon.ended(job_id) == "FINISHED"
    assert len(list(marks.glob("A*"))) == 1
    results = daemon.get(f"/scheduler/jobs/{job_id}/result")["allResults"]
    assert [results[name]["value"] for name in "ABC"] == ["5", "0", "7"]
    assert results["A"]["output"]["stdoutLogs"] == "from A\n"
    assert results["B"]["output"]["stdoutLogs"].endswith("got 5\n")
    assert daemon.submit(workflow(("A", "bash", "true"))) == job_id + 1


@pytest.mark.local_only("the workers of a Dask cluster are asked for")
def test_an_idle_one_costs_nothing(daemon: Any, workflow: Callable[..., str]) -> None:
    """After it has worked: no wake-ups, little memory."""
    daemon.start()
    daemon.ended(daemon.submit(workflow(("A", "cpython", "result = 1"))))
    process = psutil.Process(daemon.pid)

    def rests() -> bool:
        """Whether it does nothing for two seconds."""
        before, switches = process.cpu_times(), process.num_ctx_switches().voluntary
        time.sleep(2.0)
        after = process.cpu_times()
        still = (after.user, after.system) == (before.user, before.system)
        return still and process.num_ctx_switches().voluntary - switches <= 2

    # Lines and connections of the job just done have their last timers, which come late on a machine with much to do.
    time.sleep(1.0)
    assert any(rests() for _ in range(5))
    assert process.memory_info().rss < 80e6


def test_it_stops_by_itself_when_it_is_idle(daemon: Any, workflow: Callable[..., str]) -> None:
    """After the set time without an alive job and without a request; not while a job is alive."""
    daemon.start(PROACTIVE_KERNEL_IDLE_STOP="3")
    daemon.submit(workflow(("A", "bash", "sleep 1")))
    assert daemon.process.wait(60) == 0
    assert not daemon.address_file.exists()
    daemon.start()
    assert daemon.get("/scheduler/jobs/1/info")["status"] == "FINISHED"


def test_a_disk_that_is_full_for_a_while(daemon: Any, workflow: Callable[..., str], until: Any, tmp_path: Any) -> None:
    """Submissions are refused with the reason, the scheduler goes on, a task's result waits until there is room."""
    gate = tmp_path / "gate"
    daemon.start()
    waiting = f"echo begun; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo through"
    job_id = daemon.submit(workflow(("A", "bash", waiting), ("B", "bash", "echo after")))
    until(lambda: "begun" in daemon.text(f"/scheduler/jobs/{job_id}/tasks/A/result/log/out"))
    process = psutil.Process(daemon.pid)
    process.rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    refused = daemon.post_xml(workflow(("A", "bash", "true"), name="refused"))
    assert refused.status_code == 400
    assert f"{daemon.data_dir}/scheduler.db cannot be written" in refused.json()["errorMessage"]
    gate.touch()
    until(lambda: daemon.get("/scheduler/status") == "FROZEN")
    assert daemon.task_statuses(job_id)["B"] == "SUBMITTED"
    process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert daemon.ended(job_id) == "FINISHED"
    assert daemon.get("/scheduler/status") == "STARTED"
    texts = [daemon.text(f"/scheduler/jobs/{job_id}/tasks/{name}/result/log/out") for name in "AB"]
    assert [text.split("] ")[-1] for text in texts] == ["through\n", "after\n"]
    assert daemon.get("/scheduler/jobs")["list"] == [str(job_id)]


def test_a_folder_that_cannot_be_used_is_reported(daemon: Any) -> None:
    """As where a file is in its place."""
    daemon.data_dir.write_text("in the way")
    daemon.data_dir /= "below"
    process = daemon.spawn()
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"The data folder {daemon.data_dir} cannot be used" in said
    assert "Traceback" not in said


def test_events_come_through_a_real_web_socket(running: Any, workflow: Callable[..., str]) -> None:
    """The upgrade is answered, the subscription obeyed."""
    url = running.address["url"].replace("http", "ws") + "/rest/scheduler/events"
    with connect(url, additional_headers={"sessionid": running.client.headers["sessionid"]}, proxy=None) as socket_:
        socket_.send(json.dumps({"events": ["TASK_RUNNING_TO_FINISHED"]}))
        assert json.loads(socket_.recv(timeout=60))["action"] == "NONE"
        running.submit(workflow(("A", "bash", "true")))
        frame = json.loads(socket_.recv(timeout=60))
        assert (frame["action"], frame["data"]["taskStatus"]) == ("TASK_STATE_UPDATED", "FINISHED")


def test_long_events_come_in_fragments(running: Any, workflow: Callable[..., str]) -> None:
    """Of 8 KiB at most: a longer frame makes the official Java client reconnect, and it loses events."""
    url = running.address["url"].replace("http", "ws") + "/rest/scheduler/events"
    headers = {"sessionid": running.client.headers["sessionid"]}
    with connect(url, additional_headers=headers, proxy=None, compression=None) as socket_:
        socket_.send(json.dumps({"events": ["JOB_SUBMITTED"]}))
        assert json.loads(socket_.recv(timeout=60))["action"] == "NONE"
        running.submit(workflow(*((f"T{number}", "bash", "true") for number in range(20))))
        fragments = list(socket_.recv_streaming())
        assert len(json.loads("".join(fragments))["data"]["tasks"]) == 20
        assert len(fragments) > 1
        assert max(map(len, fragments)) <= 8 * 1024


def test_a_large_request_is_refused_on_the_wire(running: Any, workflow: Callable[..., str]) -> None:
    """With a message; the next request is answered."""
    answer = running.post_xml(workflow(("A", "bash", "#" * 20000)))
    assert answer.status_code == 413
    assert "PROACTIVE_KERNEL_BODY_LIMIT" in answer.json()["errorMessage"]
    assert running.ended(running.submit(workflow(("A", "bash", "true")))) == "FINISHED"


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_other_signals_stop_it_as_well(daemon: Any, name: str) -> None:
    """Of a terminal that is closed or says Ctrl-C. Its log says when it came, where it listened, when it went."""
    import signal

    daemon.start()
    os.kill(daemon.pid, getattr(signal, name))
    assert daemon.process.wait(60) == 0
    assert not daemon.address_file.exists()
    log = (daemon.data_dir / "scheduler.log").read_text()
    assert f"listens at {daemon.address['url']}, process {daemon.pid}" in log
    assert log.rstrip().endswith("stopped")
