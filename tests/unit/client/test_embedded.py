"""The embedded scheduler from outside: its address file, its process, its interpreter."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from proactive_jupyter_kernel.client import address_file, embedded, launch
from proactive_jupyter_kernel.client.address_file import Address
from proactive_jupyter_kernel.client.embedded import EmbeddedTransport
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import EmbeddedSchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.scheduler.daemon.address import locked
from proactive_jupyter_kernel.version import __version__


class Handler(BaseHTTPRequestHandler):
    """Just enough of a scheduler: a version, a login, and alive jobs or none."""

    server: Server

    def do_GET(self) -> None:
        if self.path.endswith("/version"):
            self.answer('{"scheduler": "1", "rest": "1"}')
        elif "revisionjobsinfo" in self.path:
            jobs = [{"jobid": "7", "jobInfo": {"status": "RUNNING", "jobId": {"id": 7, "readableName": "busy"}}}]
            self.answer(json.dumps({"size": 1, "map": {"1": jobs if self.server.busy else []}}))
        else:
            self.answer('"ok"')

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        is_wrong = self.path.endswith("/login") and self.server.token.encode() not in sent
        self.answer("wrong" if is_wrong else "session", 404 if is_wrong else 200)

    def do_PUT(self) -> None:
        self.answer("true")

    def answer(self, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A scheduler on a port of this machine; `process` is what its address file names."""

    busy = False
    token = "hunter2"
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def write_address(self, folder: Path, *, version: str = __version__) -> Path:
        path = embedded.address_file(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        address = {
            "url": f"http://127.0.0.1:{self.server_port}",
            "token": self.token,
            "pid": self.process.pid,
            "version": version,
            "data_dir": str(folder),
            "user": "me",
        }
        path.write_text(json.dumps(address))
        return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("PROACTIVE_KERNEL_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.shutdown()
    running.server_close()
    running.process.kill()
    running.process.wait()


def test_the_data_folder_is_named_or_in_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument before the environment before the platform's own place."""
    assert embedded.data_dir() == folder
    assert embedded.data_dir("x") == Path("x").absolute()
    monkeypatch.delenv("PROACTIVE_KERNEL_DATA_DIR")
    assert embedded.data_dir().name == "proactive-jupyter-kernel"


def test_every_data_folder_has_its_own_address_file(folder: Path) -> None:
    """The file's name is made of the folder, however it is written."""
    assert embedded.address_file(folder) == embedded.address_file(folder / "x" / "..")
    assert embedded.address_file(folder) != embedded.address_file(folder / "x")
    assert embedded.address_file(folder).name.startswith("proactive-scheduler-")


def test_a_scheduler_that_lives_is_found(folder: Path, server: Server) -> None:
    """Address, token and login come from the file; the token is not shown."""
    assert embedded.find(folder) is None
    server.write_address(folder)
    address = embedded.find(folder)
    assert address is not None
    assert (address.pid, address.credentials.login) == (server.process.pid, "me")
    assert address.token.reveal() == "hunter2"
    assert "hunter2" not in repr(address)
    assert embedded.status(folder).running
    assert embedded.ensure(folder) == address


def test_the_file_of_a_dead_scheduler_is_removed(folder: Path, server: Server) -> None:
    """After a crash the address is worth nothing."""
    path = server.write_address(folder)
    server.process.kill()
    server.process.wait()
    assert embedded.find(folder) is None
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 1}', "\0"])
def test_a_file_of_another_form_is_not_a_scheduler(folder: Path, text: str) -> None:
    """A half-written or foreign file is not followed."""
    path = embedded.address_file(folder)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert embedded.find(folder) is None


def test_a_scheduler_that_does_not_answer_is_not_taken(folder: Path, server: Server) -> None:
    """A living process behind a dead port is not enough."""
    path = server.write_address(folder)
    path.write_text(path.read_text().replace(str(server.server_port), "1"))
    assert embedded.find(folder) is None


def test_an_idle_scheduler_of_another_version_is_stopped(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes room for one of this version."""
    server.write_address(folder, version="0.0.0")
    monkeypatch.setattr(launch, "start", lambda folder, port: "started")
    assert embedded.ensure(folder) == "started"
    assert server.process.poll() is not None


def test_a_busy_scheduler_of_another_version_is_named(folder: Path, server: Server) -> None:
    """It keeps running, and the message has both versions, a job, and what to do."""
    server.busy = True
    server.write_address(folder, version="0.0.0")
    with pytest.raises(EmbeddedSchedulerError) as caught:
        embedded.ensure(folder)
    for said in ("version 0.0.0", __version__, "7 ('busy')", "scheduler stop"):
        assert said in str(caught.value)
    assert server.process.poll() is None


def test_stopping_ends_the_process(folder: Path, server: Server) -> None:
    """Stop is a signal and its wait; there may be nothing to stop."""
    assert embedded.stop(folder) is None
    server.write_address(folder)
    assert embedded.stop(folder) is not None
    assert server.process.poll() is not None
    assert not embedded.address_file(folder).exists()


def test_a_stranger_with_the_number_of_a_dead_scheduler_is_left_alone(folder: Path, server: Server) -> None:
    """A process number may have been given to somebody else."""
    path = server.write_address(folder)
    path.write_text(path.read_text().replace(str(server.server_port), "1"))
    assert embedded.stop(folder) is None
    assert server.process.poll() is None


def test_a_request_goes_to_a_scheduler_that_was_started_again(folder: Path, server: Server) -> None:
    """After a crash the transport finds the new one, with its new address."""
    transport = EmbeddedTransport(folder)
    path = server.write_address(folder)
    assert transport.request("GET", "/x").text == '"ok"'
    other = Server()
    try:
        server.shutdown()
        server.server_close()
        transport.close()
        other.write_address(folder)
        assert transport.request("GET", "/x").text == '"ok"'
        assert transport.address == f"http://127.0.0.1:{other.server_port}"
    finally:
        other.shutdown()
        other.server_close()
        other.process.kill()
        other.process.wait()
    assert path.exists()


def test_a_login_goes_to_a_scheduler_that_took_the_port(folder: Path, server: Server) -> None:
    """With the token of the new one, where the port was chosen; a wrong login is refused by one that is the same.

    In a container the new process may have the id of the old one.
    """
    transport = EmbeddedTransport(folder)
    server.write_address(folder)
    old = transport.credentials()
    login = {"username": old.login, "password": old.password}
    assert transport.request("POST", "/scheduler/login", form=login).status == 200
    server.token = "hunter3"
    assert transport.request("POST", "/scheduler/login", form=login).status == 404
    server.write_address(folder)
    assert transport.request("POST", "/scheduler/login", form=login).status == 200
    assert transport.credentials().password == Secret("hunter3")


def test_a_scheduler_that_breaks_off_a_submission_leaves_it_in_doubt(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may have been obeyed is not sent again, and the message says what to do."""
    server.write_address(folder)
    monkeypatch.setattr(Handler, "do_POST", lambda self: self.connection.close())
    with pytest.raises(SchedulerUnreachable) as caught:
        EmbeddedTransport(folder).request("POST", "/scheduler/submit", content=b"<job/>")
    assert (caught.value.message, caught.value.in_doubt) == (
        "The embedded scheduler ended before it answered. It is not known whether it processed the request.",
        True,
    )


@pytest.mark.parametrize("ends_tasks", [False, True])
def test_a_scheduler_that_was_just_stopped_stays_stopped(folder: Path, server: Server, ends_tasks: bool) -> None:
    """Whoever waits for a job does not start again what somebody stopped a moment ago, also while it ends its tasks."""
    transport = EmbeddedTransport(folder)
    path = server.write_address(folder)
    transport.request("GET", "/x")
    server.shutdown()
    server.server_close()
    path.unlink()
    there = transport._there
    assert there is not None
    there[1].close()
    folder.mkdir()
    with locked(folder) if ends_tasks else contextlib.nullcontext() as holder:
        if holder is not None:
            holder.tell("stopping")
        with pytest.raises(SchedulerUnreachable, match="stopped a moment ago"):
            transport.request("GET", "/x")


def test_tasks_inherit_nothing_private() -> None:
    """What a kernel sets for its own displays, and passwords, stay behind."""
    environ = {"PATH": "p", "MPLBACKEND": "inline", "PROACTIVE_PASSWORD": "x", "JPY_PARENT_PID": "1"}
    assert launch.clean_environment(environ) == {"PATH": "p"}


def test_a_scheduler_that_ends_at_once_is_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is in the message, and how to run it in sight."""
    code = "import sys; print('words of an', 'earlier day'); sys.exit('port 80 is in use')"
    monkeypatch.setattr(launch, "command_of", lambda folder, port: [sys.executable, "-c", code])
    with pytest.raises(EmbeddedSchedulerError) as caught:
        launch.start(folder)
    for said in ("exit status 1", "port 80 is in use", "scheduler serve --data-dir"):
        assert said in str(caught.value)


def test_a_scheduler_that_crashes_at_its_start_names_its_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file to attach; a report of an earlier run is not meant."""
    crashes = folder / "crashes"
    crashes.mkdir(parents=True)
    (crashes / "crash-20200101-000000-1.txt").write_text("earlier")
    os.utime(crashes / "crash-20200101-000000-1.txt", (0, 0))
    report = crashes / "crash-20990101-000000-2.txt"
    code = f"open({str(report)!r}, 'w').write('of now'); raise SystemExit(1)"
    monkeypatch.setattr(launch, "command_of", lambda folder, port: [sys.executable, "-c", code])
    with pytest.raises(EmbeddedSchedulerError) as caught:
        launch.start(folder)
    assert caught.value.hint == f"It crashed: attach {report} and {folder / 'scheduler.log'} when you report the fault."


def test_a_submission_that_a_crash_breaks_off_names_the_report(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what became of the submission."""
    server.write_address(folder)
    report = folder / "crashes" / "crash-20990101-000000-2.txt"

    def crash(self: Handler) -> None:
        report.parent.mkdir(parents=True)
        report.write_text("of now")
        self.connection.close()

    monkeypatch.setattr(Handler, "do_POST", crash)
    with pytest.raises(SchedulerUnreachable) as caught:
        EmbeddedTransport(folder).request("POST", "/scheduler/submit", content=b"<job/>")
    assert f"It crashed: attach {report} and" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    """A file in the folder's place, a read-only disk: the message names the folder."""
    folder.write_text("in the way")
    with pytest.raises(EmbeddedSchedulerError, match="cannot be started on"):
        launch.start(folder)


def test_the_one_that_was_faster_is_taken(folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another starter won, its scheduler is used as soon as it listens."""
    monkeypatch.setattr(
        launch, "command_of", lambda folder, port: [sys.executable, "-c", f"raise SystemExit({launch.EXIT_LOCKED})"]
    )
    timer = threading.Timer(0.3, server.write_address, [folder])
    timer.start()
    assert launch.start(folder).pid == server.process.pid
    timer.join()


@pytest.mark.skipif(os.name == "nt", reason="ids of processes differ there")
def test_the_one_that_was_slower_is_ended(folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take the folder when the other one is stopped."""
    spawned: list[subprocess.Popen[bytes]] = []
    spawn = launch._spawn
    monkeypatch.setattr(launch, "_spawn", lambda *arguments: spawned.append(spawn(*arguments)) or spawned[-1])
    monkeypatch.setattr(
        launch, "command_of", lambda folder, port: [sys.executable, "-c", "import time; time.sleep(600)"]
    )
    timer = threading.Timer(0.3, server.write_address, [folder])
    timer.start()
    assert launch.start(folder).pid == server.process.pid
    timer.join()
    assert [each.wait(60) for each in spawned] == [-signal.SIGTERM]


def test_a_stuck_holder_of_the_folder_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a scheduler that uses the folder and never answers has a timeout."""
    monkeypatch.setattr(
        launch, "command_of", lambda folder, port: [sys.executable, "-c", f"raise SystemExit({launch.EXIT_LOCKED})"]
    )
    monkeypatch.setattr(launch, "LOCKED_TIMEOUT", 0.3)
    with pytest.raises(EmbeddedSchedulerError, match="Another embedded scheduler uses the data folder"):
        launch.start(folder)


@pytest.mark.parametrize(
    ("used", "found", "probes"),
    [([1.0, 4.0, 4.0, 8.0, 8.0], True, 3), ([1.0, 1.1], False, 1), ([1.0, None], False, 1)],
    ids=["busy", "suspended", "gone"],
)
def test_a_busy_scheduler_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, used: list[float | None], found: bool, probes: int
) -> None:
    """One that does not answer in time but uses the processor is not taken for dead; others are not waited for."""
    answers = iter([False, False, True])
    asked: list[str] = []
    times = iter(used)
    monkeypatch.setattr(address_file, "answers", lambda address: (asked.append(address.url), next(answers))[1])
    monkeypatch.setattr(address_file, "_processor_time", lambda pid: next(times))
    address = Address(url="http://127.0.0.1:1", token=Secret("t"), pid=1, version="1", data_dir="d", user="u")
    assert (address_file.answers_in_time(address), len(asked)) == (found, probes)
