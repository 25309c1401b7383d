"""The process that a template forks ahead: it waits for a stage, runs one, and loses none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.processes import Command
from proactive_jupyter_kernel.scheduler.nodes.template import Template

pytestmark = pytest.mark.skipif(os.name != "posix", reason="templates fork")


class Bench:
    """A template, and the stages that it is given."""

    def __init__(self, folder: Path, interpreter: str = sys.executable, **environment: str) -> None:
        self.folder = folder
        self.loop = Loop()
        self.template = Template(self.loop, interpreter, {**os.environ, **environment})
        self.template.ready()
        self._nothing = os.open(os.devnull, os.O_WRONLY)

    def start(self, code: str, **environment: str) -> Any:
        """Give it a stage."""
        empty = ("genericInformation", "credentials", "spaces", "node", "services", "variables", "resultMap")
        request = {
            "label": "<script>",
            "stage": "main",
            "main": str(self.folder / "main.py"),
            "code": code,
            "returns": ["result"],
            "report": str(self.folder / "report.json"),
            "limit": 1_000_000,
            "args": [],
            "results": [],
            "progressFile": "",
            **{name: {} for name in empty},
            **dict.fromkeys(("result", "nodesurl", "forkEnvironment", "resultMetadata")),
        }
        command = Command(
            argv=(sys.executable,),
            environment=environment,
            directory=self.folder,
            folder=self.folder,
            request=json.dumps(request),
        )
        return self.template.start(command, (self._nothing, self._nothing))

    def ended(self, child: Any) -> int:
        """The exit code of a stage."""
        self.until(lambda: child.code is not None)
        return int(child.code)

    def run(self, code: str, **environment: str) -> Any:
        """The result of a stage."""
        assert self.ended(self.start(code, **environment)) == 0
        return json.loads((self.folder / "report.json").read_text())["values"]["result"]

    def waiting(self) -> psutil.Process:
        """The process that waits for the next stage."""
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [one for one in psutil.Process(self.template.pid).children() if is_alive(one)]
            return len(found) == 1

        self.until(look)
        return found[0]

    def until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < end, "it did not happen in time"
            self.loop.turn(0.01)

    def close(self) -> None:
        self.template.close()
        os.close(self._nothing)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_each_stage_has_a_process_that_waited_for_it(bench: Bench) -> None:
    """A stage runs in the process that was there before it, and the next stage in another one."""
    found = []
    for _ in range(3):
        waiting = bench.waiting().pid
        found.append(bench.run("import os\nresult = os.getpid()") == waiting)
    assert found == [True, True, True]


def test_what_is_set_for_a_stage_is_set_after_it_came(bench: Bench) -> None:
    """The environment and the folder of a stage are its own, though its process was there before; the next has none."""
    first = bench.run("import os\nresult = [os.environ.get('MARK'), os.getcwd()]", MARK="first")
    second = bench.run("import os\nresult = [os.environ.get('MARK'), os.getcwd()]")
    assert (first, second) == (["first", str(bench.folder)], [None, str(bench.folder)])


def test_a_stage_holds_nothing_of_the_template(bench: Bench) -> None:
    """A script that reads from every descriptor cannot reach the stage of another one."""
    found = "[n for n in range(100) if os.path.exists(f'/dev/fd/{n}')]"
    assert bench.run(f"import os\nresult = {found}") == [0, 1, 2]


def test_killed_while_it_waits(bench: Bench) -> None:
    """Somebody kills the process that waits: another takes its place, and no stage ends for it."""
    for _ in range(3):
        bench.waiting().kill()
    assert bench.run("result = 1") == 1


def test_killed_with_a_stage_that_it_had_not_read(bench: Bench) -> None:
    """Somebody kills the process that waits when its stage is sent and not read: the next process runs the stage."""
    waiting = bench.waiting()
    waiting.suspend()
    child = bench.start("open('ran', 'a').write('x')")
    waiting.kill()
    assert (bench.ended(child), (bench.folder / "ran").read_text()) == (0, "x")


def test_a_stage_killed_before_it_was_read_never_runs(bench: Bench) -> None:
    """The node kills a stage that no process has read: it ends as killed, and the next stage is the next one."""
    bench.waiting().suspend()
    child = bench.start("open('ran', 'a').write('killed ')")
    child.signal(signal.SIGKILL)
    code = bench.ended(child)
    assert (code, bench.run("open('ran', 'a').write('next'); result = open('ran').read()")) == (-signal.SIGKILL, "next")


def test_a_stage_terminated_before_it_was_read_never_runs(bench: Bench) -> None:
    """A SIGTERM that comes before the process has read its stage ends the stage."""
    waiting = bench.waiting()
    waiting.suspend()
    child = bench.start("open('ran', 'a').write('x')")
    child.signal(signal.SIGTERM)
    bench.template._send({"do": "sweep"})  # answered after the signal
    bench.until(lambda: bench.template._is_swept)
    waiting.resume()
    assert (bench.ended(child), (bench.folder / "ran").exists()) == (-signal.SIGTERM, False)


def test_a_late_signal_spares_the_next_stage(bench: Bench) -> None:
    """The signal for a stage that has ended by itself meanwhile does not reach the process of the next one."""
    assert bench.run("result = 1") == 1
    waiting = bench.waiting().pid
    bench.template.signal(signal.SIGKILL)
    assert bench.run("import os\nresult = os.getpid()") == waiting


def test_a_stage_that_is_read_in_parts(bench: Bench) -> None:
    """A stage with an environment larger than what is read at once arrives whole."""
    large = {f"LARGE_{number}": "x" * 100_000 for number in range(5)}
    assert bench.run("import os\nresult = sum(len(os.environ[f'LARGE_{n}']) for n in range(5))", **large) == 500_000


def test_a_folder_that_is_not_there(bench: Bench) -> None:
    """A stage whose folder cannot be entered did not start, and the next one does."""
    folder, bench.folder = bench.folder, bench.folder / "gone"
    child = bench.start("result = 1")
    with pytest.raises(Exception, match="No such file or directory"):
        bench.ended(child)
    bench.folder = folder
    assert bench.run("result = 2") == 2


def test_no_template_no_waiting_process(bench: Bench) -> None:
    """The process that waits ends when its template was killed."""
    waiting = bench.waiting()
    psutil.Process(bench.template.pid).kill()
    bench.until(lambda: not is_alive(waiting))


def test_a_stage_waits_while_there_is_no_room_for_a_process(tmp_path: Path) -> None:
    """Where the system cannot fork for a while, the stage runs when it can again."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "full").touch()
    (folder / "sitecustomize.py").write_text(
        "import os\n_fork = os.fork\n\ndef fork():\n"
        f"    if os.path.exists({str(folder / 'full')!r}):\n        raise BlockingIOError(11, 'no room')\n"
        "    return _fork()\n\nos.fork = fork\n"
    )
    bench = Bench(tmp_path, PYTHONPATH=str(folder))
    try:
        child = bench.start("result = 1")
        bench.loop.turn(0.5)
        before = child.code
        (folder / "full").unlink()
        assert (before, bench.ended(child)) == (None, 0)
    finally:
        bench.close()


def interpreters() -> dict[str, str]:
    """The Python versions of this machine that tasks may use, and the executable of each."""
    found = {}
    for minor in range(8, 15):
        # A launcher of that name may be there without the version.
        command = shutil.which(f"python3.{minor}")
        asked = [command or "", "-c", "import sys; print(sys.executable)"]
        if command and not (done := subprocess.run(asked, capture_output=True, text=True)).returncode:
            found[f"3.{minor}"] = done.stdout.strip()
    return {**found, "{}.{}".format(*sys.version_info): sys.executable}


def test_any_interpreter_of_the_machine(tmp_path: Path) -> None:
    """A template of each Python version forks its processes."""
    known, answers = interpreters(), {}
    for version, interpreter in known.items():
        bench = Bench(tmp_path, interpreter)
        try:
            answers[version] = bench.run("import sys\nresult = '%d.%d' % sys.version_info[:2]")
        finally:
            bench.close()
    assert answers == {version: version for version in known}


def test_the_node_knows_who_waits(bench: Bench) -> None:
    """Where the node asks, it learns which process waits, and that none does while that process runs its stage."""
    bench.template.tell_waiting()
    waiting = bench.waiting().pid
    bench.until(lambda: bench.template.waiting == waiting)
    child = bench.start("import time\ntime.sleep(0.1)")
    during = bench.template.waiting
    assert bench.ended(child) == 0
    following = bench.waiting().pid
    bench.until(lambda: bench.template.waiting == following)
    assert (during, following != waiting) == (0, True)
