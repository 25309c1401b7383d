"""The embedded scheduler's process from the shell: started, found, stopped, raced for, crashed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from proactive_jupyter_kernel.client import embedded, lock_file
from proactive_jupyter_kernel.client.launch import EXIT_LOCKED

if TYPE_CHECKING:
    from .conftest import Shell

WORKFLOW = (
    '<task name="T1"><scriptExecutable><script><code language="bash">echo kept; {}</code></script>'
    "</scriptExecutable></task>"
)


def test_start_status_stop(fresh_shell: Shell) -> None:
    """Each tells what is there, as a person reads it and as JSON."""
    shell, folder = fresh_shell, str(fresh_shell.home / "data")
    stopped = {"running": False, "state": "stopped", "pid": None, "url": None, "data_dir": folder, "executor": None}
    assert shell.facts("scheduler", "status") == {**stopped, "crash_report": None, "overview": None}
    started = shell("scheduler", "start")
    assert started.returncode == 0, started.stderr
    facts = shell.facts("scheduler", "status")
    assert (facts["running"], facts["url"] + "\n", facts["data_dir"]) == (True, started.stdout, folder)
    assert re.search(r"^Nodes: \d+ of \d+ free; \d+ in Default\.$", shell("scheduler", "status").stdout, re.MULTILINE)
    overview = facts["overview"]
    assert (overview["status"], overview["tasks_pending"], overview["store_bytes"] > 0) == ("STARTED", 0, True)
    assert "Tasks: 0 running, 0 waiting.\n" in shell("scheduler", "status").stdout
    again = shell("scheduler", "start")
    assert (again.stdout, f"already running, as process {facts['pid']}" in again.stderr) == (started.stdout, True)
    assert str(facts["pid"]) in shell("scheduler", "stop").stdout
    assert lock_file.has_ended(facts["pid"])
    assert list((shell.home / "runtime").glob("proactive-scheduler-*")) == []
    assert "No embedded scheduler is running" in shell("scheduler", "stop").stderr
    assert "Not running" in shell("scheduler", "status").stdout


def test_a_crash_is_reported_with_its_report(fresh_shell: Shell) -> None:
    """By the status, while it is dead and afterwards, and by the next start; the log is there to be read."""
    shell = fresh_shell
    shell("scheduler", "start")
    pid = shell.facts("scheduler", "status")["pid"]
    os.kill(pid, signal.SIGSEGV)
    _wait_until(lambda: lock_file.has_ended(pid))
    report = shell.home / "data" / "crashes" / f"running-{pid}.txt"
    told = f"It crashed: attach {report} and {shell.home / 'data' / 'scheduler.log'} when you report the fault."
    status = shell("scheduler", "status")
    assert ("Not running" in status.stdout, told in status.stderr) == (True, True)
    started = shell("scheduler", "start")
    assert "An earlier one ended without warning. It crashed: attach" in started.stderr
    (report,) = (shell.home / "data" / "crashes").glob("crash-*.txt")
    assert shell.facts("scheduler", "status")["crash_report"] == str(report)
    content = report.read_text()
    assert ("Segmentation fault" in content, "listens at" in content) == (True, True)
    log = shell("scheduler", "log", "--lines", "1")
    assert f"listens at {started.stdout.strip()}" in log.stdout
    shell("scheduler", "stop")


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _address(shell: Shell) -> Path:
    (path,) = (shell.home / "runtime").glob("proactive-scheduler-*.json")
    return path


def test_a_scheduler_whose_files_are_lost_is_found_and_stopped(fresh_shell: Shell) -> None:
    """Whatever happens to the address file, clients find the one that runs, and it writes the file again.

    With the lock file gone as well it is not doubled, and it can be stopped.
    """
    shell = fresh_shell
    pid = shell.facts("scheduler", "start")["pid"]
    path = _address(shell)
    content = path.read_text()
    found = []
    for text in (None, content.replace(str(pid), "1")):
        path.unlink() if text is None else path.write_text(text)
        found.append((shell.facts("scheduler", "status")["pid"], shell.facts("scheduler", "start")["pid"]))
        # It looks at its files once a second at most.
        deadline = time.monotonic() + 60
        while not path.exists() or path.read_text() != content:
            assert time.monotonic() < deadline, "the address was not written again"
            time.sleep(0.2)
            shell.facts("jobs")
    assert found == [(pid, pid)] * 2

    os.kill(pid, signal.SIGSTOP)
    path.unlink()
    (shell.home / "data" / "scheduler.lock").unlink()
    status, refused = shell.facts("scheduler", "status"), shell("scheduler", "start")
    assert (status["running"], status["state"], status["pid"]) == (False, "suspended", pid)
    assert (refused.returncode, f"process {pid}) is suspended" in refused.stderr) == (1, True)
    assert shell("scheduler", "stop").stdout == f"Stopped the embedded scheduler (process {pid}).\n"
    assert shell.facts("scheduler", "status")["state"] == "stopped"


def test_a_suspended_scheduler_whose_parent_does_not_reap_is_stopped(fresh_shell: Shell) -> None:
    """It was started by `scheduler serve` of the installed command: its command line does not name the package."""
    code = "import importlib; importlib.import_module('proactive_' + 'jupyter_kernel.cli').main()"
    with fresh_shell.start("scheduler", "serve", command=(sys.executable, "-c", code)) as process:
        deadline = time.monotonic() + 60
        while not fresh_shell.facts("scheduler", "status")["running"]:
            assert time.monotonic() < deadline, process.poll()
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGSTOP)
        begun = time.monotonic()
        # Nobody waits for the process: it stays a zombie until the end of the test.
        stopped = fresh_shell.run("scheduler", "stop")
        assert stopped.stdout == f"Stopped the embedded scheduler (process {process.pid}).\n", stopped.stderr
        assert time.monotonic() - begun < embedded.STOP_TIMEOUT
        assert fresh_shell.facts("scheduler", "status")["state"] == "stopped"
        process.communicate()


def test_a_port_in_use_is_named(fresh_shell: Shell) -> None:
    """The reason is in the message; a free port is taken as asked."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = fresh_shell("scheduler", "start", "--port", str(port))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"port {port}" in done.stderr
        assert "Traceback" not in done.stderr
    done = fresh_shell("scheduler", "start", "--port", str(port))
    assert done.stdout == f"http://127.0.0.1:{port}\n", done.stderr


def test_two_starters_get_one_scheduler(fresh_shell: Shell) -> None:
    """Whoever loses the race uses the winner's."""
    starters = [fresh_shell.start("scheduler", "start", "--json") for _ in range(3)]
    answers = [process.communicate(timeout=60) for process in starters]
    assert [process.returncode for process in starters] == [0, 0, 0], answers
    assert len({json.loads(out)["pid"] for out, _ in answers}) == 1


def test_two_schedulers_on_one_folder_are_refused(fresh_shell: Shell) -> None:
    """The second one names the first."""
    pid = fresh_shell.facts("scheduler", "start")["pid"]
    done = fresh_shell.run("scheduler", "serve")
    assert done.returncode == EXIT_LOCKED
    assert f"process {pid}" in done.stderr


def test_serve_runs_in_the_foreground(fresh_shell: Shell) -> None:
    """An interrupt shuts it down gracefully."""
    process = fresh_shell.start("scheduler", "serve")
    with process:
        deadline = time.monotonic() + 60
        while not (facts := fresh_shell.facts("scheduler", "status"))["running"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert facts["pid"] == process.pid
        process.send_signal(signal.SIGINT)
        fresh_shell.rest(process)
    assert process.returncode in (0, 130)
    assert fresh_shell.facts("scheduler", "status")["running"] is False


def test_a_data_folder_by_option(fresh_shell: Shell, tmp_path: Path) -> None:
    """--data-dir is another scheduler with other jobs."""
    other = ["--data-dir", str(tmp_path / "other")]
    file = fresh_shell.write("w.xml", WORKFLOW.format("true"))
    try:
        assert fresh_shell("submit", file, "--wait", *other).returncode == 0
        assert len(json.loads(fresh_shell("jobs", "--json", *other).stdout)) == 1
        assert fresh_shell.facts("jobs") == []
        pids = {
            fresh_shell.facts("scheduler", "status", *other)["pid"],
            fresh_shell.facts("scheduler", "status")["pid"],
        }
        assert len(pids) == 2
    finally:
        fresh_shell("scheduler", "stop", *other)


def test_a_crash_loses_nothing_that_was_stored(fresh_shell: Shell) -> None:
    """After kill -9 the next command starts a scheduler that has the results and the output."""
    file = fresh_shell.write("w.xml", WORKFLOW.format("exit 0"), job="kept")
    assert fresh_shell("submit", file, "--wait").returncode == 0
    before = fresh_shell.facts("results", "kept")
    pid = fresh_shell.facts("scheduler", "status")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert fresh_shell.facts("results", "kept") == before
    assert fresh_shell("logs", "kept").stdout == "[T1] kept\n"
    assert fresh_shell.facts("scheduler", "status")["pid"] != pid


def test_waiting_survives_a_crash(fresh_shell: Shell) -> None:
    """A command that waits for a job finds it again on the scheduler that follows the dead one."""
    gate = fresh_shell.home / "gate"
    code = f"while [ ! -e {gate} ]; do sleep 0.05; done"
    process = fresh_shell.start("submit", fresh_shell.write("w.xml", WORKFLOW.format(code)), "--wait")
    assert process.stdout is not None
    with process:
        while "kept" not in process.stdout.readline():
            assert process.poll() is None
        os.kill(fresh_shell.facts("scheduler", "status")["pid"], signal.SIGKILL)
        gate.touch()
        error = fresh_shell.rest(process)
    assert process.returncode == 0, error


def test_another_version_is_replaced_when_idle(fresh_shell: Shell) -> None:
    """An idle scheduler of another version makes room, a busy one is named."""
    first = fresh_shell.facts("scheduler", "start")
    _pretend(fresh_shell, "0.0.0")
    second = fresh_shell.facts("scheduler", "start")
    assert first["pid"] != second["pid"]
    fresh_shell("submit", fresh_shell.write("w.xml", WORKFLOW.format("sleep 600"), job="busy"))
    _pretend(fresh_shell, "0.0.0")
    done = fresh_shell("jobs")
    assert done.returncode == 1
    assert "version 0.0.0" in done.stderr
    assert "('busy')" in done.stderr
    assert fresh_shell("scheduler", "stop").returncode == 0


def _pretend(shell: Shell, version: str) -> None:
    """Let the running scheduler be of another version, as far as its files tell."""
    path, lock = _address(shell), shell.home / "data" / "scheduler.lock"
    address = {**json.loads(path.read_text()), "version": version}
    path.write_text(json.dumps(address))
    lock.write_text(json.dumps({**json.loads(lock.read_text()), "address": address}))


def test_a_folder_that_cannot_be_used_is_named(fresh_shell: Shell) -> None:
    """A file where the data folder should be is a message, not a traceback."""
    (fresh_shell.home / "data").write_text("in the way")
    done = fresh_shell("jobs")
    assert (done.returncode, done.stdout) == (1, "")
    assert str(fresh_shell.home / "data") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_a_store_is_set_aside_with_a_message(fresh_shell: Shell) -> None:
    """The scheduler starts with an empty store; the file is kept, and start and status tell where."""
    data = fresh_shell.home / "data"
    data.mkdir()
    (data / "scheduler.db").write_text("notes of mine")
    started, status = fresh_shell("scheduler", "start"), fresh_shell("scheduler", "status")
    (aside,) = data.glob("scheduler.db.damaged-*")
    assert aside.read_text() == "notes of mine"
    for said in (started.stderr, status.stderr):
        assert f"set aside as {aside}" in said
    with pytest.warns(UserWarning, match="set aside as"):
        assert (started.returncode, fresh_shell.facts("jobs")) == (0, [])


def test_a_lasting_login_and_port_survive_a_restart(fresh_shell: Shell) -> None:
    """Another client logs in with the same three values before and after, until the login is revoked."""
    shell = fresh_shell
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "without" not in shell("scheduler", "port", str(port)).stderr
    made = shell.facts("scheduler", "login", "ci")

    def log_in() -> httpx2.Response:
        data = {"username": made["login"], "password": made["password"]}
        return httpx2.post(made["url"] + "/rest/scheduler/login", data=data, trust_env=False)

    shell("scheduler", "start")
    first = log_in()
    shell("scheduler", "stop")
    shell("scheduler", "start")
    second = log_in()
    assert (made["url"], first.status_code, second.status_code) == (f"http://127.0.0.1:{port}", 200, 200)
    assert shell.facts("scheduler", "login", "--list") == ["ci"]

    removed = shell("scheduler", "login", "ci", "--remove")
    url, session = made["url"] + "/rest/scheduler/isconnected", {"sessionid": second.text}
    assert removed.stdout == "Revoked the login ci.\n"
    assert httpx2.get(url, headers=session, trust_env=False).status_code == 401
    assert (log_in().status_code, log_in().json()["exceptionClass"]) == (
        404,
        "javax.security.auth.login.LoginException",
    )


def test_a_password_may_come_through_a_pipe(fresh_shell: Shell) -> None:
    """It is not printed; one that is too short is refused, and so is the revocation of a login that is not there."""
    shell = fresh_shell
    accepted = shell("scheduler", "login", "ada", "--ask", stdin="correct horse battery\n")
    short = shell("scheduler", "login", "ada", "--ask", stdin="horse\n")
    absent = shell("scheduler", "login", "bob", "--remove")
    assert (accepted.returncode, accepted.stdout) == (0, "Login     ada\n")
    assert (short.returncode, "at least 8 characters" in short.stderr) == (1, True)
    assert (absent.returncode, "The lasting logins: ada." in absent.stderr) == (1, True)


def test_a_lasting_port_in_use_says_how_to_change_it(fresh_shell: Shell) -> None:
    """Nothing else takes its place, for clients would not find it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        fresh_shell("scheduler", "port", str(taken.getsockname()[1]))
        refused = fresh_shell("scheduler", "start")
    assert (refused.returncode, "proactive-kernel scheduler port" in refused.stderr) == (1, True)
