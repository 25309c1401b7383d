"""Real daemons on folders of their own, started as clients start them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from proactive_jupyter_kernel.scheduler.daemon.address import address_file

#: Seconds; a machine with other things to do may be slow.
DEADLINE = 60.0


class Daemon:
    """A scheduler process and a client that is logged in."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.environment = {
            **os.environ,
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "PROACTIVE_KERNEL_DATA_DIR": str(self.data_dir),
            "PROACTIVE_KERNEL_SLOTS": "2",
        }
        self._clients: list[httpx2.Client] = []
        self._processes: list[subprocess.Popen[str]] = []

    def spawn(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """``proactive-kernel scheduler serve`` with its words in a pipe."""
        command = [sys.executable, "-m", "proactive_jupyter_kernel", "scheduler", "serve", *arguments]
        process = subprocess.Popen(
            [*command, "--data-dir", str(self.data_dir)],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def start(self, *arguments: str, **environment: str) -> Daemon:
        """Start it, wait until it listens, and log in."""
        self.process = self.spawn(*arguments, **environment)
        self.pid = self.process.pid
        path = self.address_file
        wait(lambda: self.process.poll() is not None or (path.exists() and self._is_ours(path)))
        assert self.process.poll() is None, self.process.communicate()[1]
        self.address = json.loads(path.read_text())
        self.client = self.new_client()
        self.login()
        return self

    def _is_ours(self, path: Path) -> bool:
        return bool(json.loads(path.read_text())["pid"] == self.pid)

    @property
    def address_file(self) -> Path:
        return Path(self.environment["JUPYTER_RUNTIME_DIR"]) / address_file(self.data_dir).name

    def new_client(self) -> httpx2.Client:
        client = httpx2.Client(base_url=self.address["url"] + "/rest", timeout=DEADLINE, trust_env=False)
        self._clients.append(client)
        return client

    def login(self) -> None:
        fields = {"username": self.address["user"], "password": self.address["token"]}
        self.client.headers["sessionid"] = self.client.post("/scheduler/login", data=fields).raise_for_status().text

    def submit(self, xml: str, **information: str) -> int:
        answer = self.post_xml(xml, **information)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def post_xml(self, xml: str, **information: str) -> httpx2.Response:
        information = {"PYTHON_COMMAND": sys.executable, **information}
        files = [("file", (None, xml.encode(), "application/xml"))]
        return self.client.post("/scheduler/submit", params=information, files=files)

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def text(self, path: str) -> str:
        return self.client.get(path).raise_for_status().text

    def task_statuses(self, job_id: int) -> dict[str, str]:
        tasks = self.get(f"/scheduler/jobs/{job_id}")["tasks"].values()
        return {task["name"]: task["taskInfo"]["taskStatus"] for task in tasks}

    def ended(self, job_id: int) -> str:
        """Wait for a job's end; its status."""
        over = ("FINISHED", "CANCELED", "FAILED", "KILLED")
        wait(lambda: self.get(f"/scheduler/jobs/{job_id}/info")["status"] in over)
        return str(self.get(f"/scheduler/jobs/{job_id}/info")["status"])

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        for process in self._processes:
            if process.poll() is None:
                children = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for child in children:
                    # Most end by themselves with their parent, at any moment.
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            process.communicate()

    def leftovers(self) -> list[str]:
        """Command lines of processes that know the data folder, but the daemon's own."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and str(self.data_dir) in " ".join(process.environ().values()):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found


def wait(true: Callable[[], Any]) -> None:
    """Until something is true, or the test fails."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon that is not started yet."""
    made = Daemon(tmp_path)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", made.environment["JUPYTER_RUNTIME_DIR"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that serves the tests of a module which neither stop it nor need it without jobs."""
    made = Daemon(tmp_path_factory.mktemp("lasting")).start(PROACTIVE_KERNEL_SLOTS="4")
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that serves the tests of a module which do not stop it. Its requests have 10,000 bytes at most."""
    made = Daemon(tmp_path_factory.mktemp("running")).start(PROACTIVE_KERNEL_BODY_LIMIT="10000")
    yield made
    made.close()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    """Waits until something is true."""
    return wait


@pytest.fixture
def workflow() -> Callable[..., str]:
    """Writes workflow XML: tasks as (name, language, code), each after the one before it."""

    def write(*tasks: tuple[str, str, str], name: str = "a job", attributes: str = "") -> str:
        text, before = "", ""
        for task, language, code in tasks:
            depends = f'<depends><task ref="{before}"/></depends>' if before else ""
            text += (
                f'<task name="{task}">{depends}<scriptExecutable><script><code language="{language}">'
                f"<![CDATA[{code}]]></code></script></scriptExecutable></task>"
            )
            before = task
        head = '<job xmlns="urn:proactive:jobdescriptor:3.14"'
        return f'{head} name="{name}" {attributes}><taskFlow>{text}</taskFlow></job>'

    return write
