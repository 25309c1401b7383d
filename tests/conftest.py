"""What all tests share: surroundings that are the same whoever runs them."""

from __future__ import annotations

import functools
import gc
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import settings as hypothesis_settings
from tests.required import need_marked, skip_without_recordings

from proactive_jupyter_kernel.client import embedded, lock_file
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.settings import executor_address
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler

# The stand-in server is a package for the tests of several rooms.
sys.path.insert(0, str(Path(__file__).parent))

# How long an example takes says nothing on a machine that runs other things, too.
hypothesis_settings.register_profile("tests", deadline=None)
# In CI the same examples every time: a run shall say something about the change, not about luck.
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
#: `--hypothesis-profile=thorough` searches long.
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=2500)
hypothesis_settings.load_profile("ci" if os.environ.get("PAJK_REQUIRE_ALL") == "1" else "tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--executor",
        choices=("local", "dask"),
        default="local",
        help="dask: run the tests on a Dask cluster of this machine, with those that need one (make test-dask)",
    )


#: The files that take longest, which start first: with several workers, one that started last would run on alone.
LONG = (
    "conformance/clients/test_sdk.py",
    "conformance/clients/test_reference_kernel.py",
    "conformance/clients/test_guide.py",
    "conformance/clients/test_schemathesis.py",
    "acceptance/examples/test_examples.py",
    "acceptance/examples/test_guides.py",
    "acceptance/notebook/test_lab.py",
    "acceptance/portals/test_portals.py",
    "conformance/test_recordings.py",
    "unit/pragmas/test_fuzzed_cells.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files come first; tests of the other executor are left out."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(LONG)))
    other = "dask" if config.getoption("--executor") == "local" else "local_only"
    left_out = [item for item in items if item.get_closest_marker(other)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker(other)]


@pytest.fixture(scope="session")
def dask_cluster() -> Iterator[str]:
    """The address of a Dask scheduler of this machine, which has three workers with four threads each."""
    command = [sys.executable, "-m", "proactive_jupyter_kernel.scheduler.executors.dask.local_cluster", "3", "4"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip().replace("tcp://", "dask://")
        process.stdin.close()


@pytest.fixture(scope="session")
def dask_executor(request: pytest.FixtureRequest) -> Callable[[NodeSettings], Executor]:
    """Makes executors that use the Dask cluster."""

    def make(settings: NodeSettings) -> Executor:
        from proactive_jupyter_kernel.scheduler.executors.dask.executor import DaskExecutor

        address = executor_address.read(request.getfixturevalue("dask_cluster"))
        assert isinstance(address, executor_address.DaskAddress)
        return DaskExecutor(address, settings)

    return make


@pytest.fixture(scope="session", autouse=True)
def schedulers_run_tasks_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``--executor dask`` all schedulers that tests start use one Dask cluster, with all nodes in one source."""
    if request.config.getoption("--executor") == "local":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROACTIVE_KERNEL_EXECUTOR", f"{request.getfixturevalue('dask_cluster')}?sources=none")
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests stay to the end: looking for garbage among them took a third of the time to collect them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, what needs a program or a module that is not there."""
    need_marked(item)


def pytest_configure(config: pytest.Config) -> None:
    """Interrupts and hang-ups work, in the processes that tests start, too.

    A shell starts what runs in the background with interrupts ignored, `nohup` ignores hang-ups; children inherit both.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ["PROACTIVE_KERNEL_DATA_DIR"] = str(NO_FOLDER)
    os.environ[SESSION] = f"{os.getpid()}-{time.time_ns()}"


#: The data folder of tests that name none: a file, so that a scheduler that is started there fails with this path.
NO_FOLDER = Path(__file__).parent / "data" / "tests-must-set-PROACTIVE_KERNEL_DATA_DIR"
#: Inherited by all processes that the tests of this session start.
SESSION = "PAJK_TEST_SESSION"
#: The data folder of the user, in which no test may do anything.
USERS_FOLDER = Path(platformdirs.user_data_dir("proactive-jupyter-kernel", appauthor=False))


@pytest.fixture(autouse=True)
def no_scheduler_in_the_users_own_folder() -> Iterator[None]:
    """Fail the test that starts an embedded scheduler in the data folder of the user, and stop that scheduler."""
    yield
    try:
        record = json.loads((USERS_FOLDER / lock_file.LOCK_FILE).read_text("utf-8"))
        marker = f"{SESSION}={os.environ[SESSION]}".encode()
        started_here = marker in Path(f"/proc/{record['pid']}/environ").read_bytes().split(b"\0")
    except (OSError, ValueError, KeyError, TypeError):
        return
    if started_here:
        embedded.stop(USERS_FOLDER)
        pytest.fail(
            f"This test started an embedded scheduler in the user's own data folder {USERS_FOLDER}. Set "
            "PROACTIVE_KERNEL_DATA_DIR and JUPYTER_RUNTIME_DIR to folders of the test."
        )


@pytest.fixture(scope="session", autouse=True)
def java_that_starts_soon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The Java of this machine, told not to optimise: for short scripts that takes as long as all the rest."""
    java = shutil.which("java")
    if java is None or os.name == "nt" or "JAVA_HOME" in os.environ:
        yield
        return
    real, home = Path(java).resolve().parents[1], tmp_path_factory.mktemp("java")
    (home / "bin").mkdir()
    for path in (*real.iterdir(), *real.joinpath("bin").iterdir()):
        if path.name not in ("bin", "java"):
            (home / path.relative_to(real)).symlink_to(path)
    launcher = home / "bin" / "java"
    launcher.write_text(f'#!/bin/sh\nexec "{real}/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"\n')
    launcher.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(home))
        yield


#: Recorded exchanges of a ProActive server; no part of this project.
RECORDINGS = Path(__file__).parents[2] / "shared" / "recordings"
#: What stands for the recordings' placeholders.
FILLED: Mapping[str, str] = {
    "<host>": "node-1",
    "<hh:mm:ss>": "14:05:09",
    "<path>": "/tmp/jsr223-cpython-1234.py",
    "\t<java-frames>": "\tat org.ow2.proactive.scripting.Script.execute(Script.java:395)\n"
    "\tat java.base/java.lang.Thread.run(Thread.java:829)\n\t... 5 more",
}


@functools.cache
def _recordings(scenario: str) -> dict[str, Any]:
    steps = json.loads((RECORDINGS / f"{scenario}.json").read_text(encoding="utf-8"))["steps"]
    return {step["exchange"]: step["response"] for step in steps if "exchange" in step}


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {_filled(key): _filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"<(?:int JOB\d+|epoch-ms|ms|count|counter)>", value):
        return 7
    for placeholder, text in FILLED.items():
        value = value.replace(placeholder, text)
    return re.sub(r"<JOB\d+>", "7", value)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str, str], Any]:
    """What a server answered: the scenario and the exchange -> its body, JSON or text, without placeholders.

    Skips where there are no recordings, unless nothing may be left out.
    """
    if not RECORDINGS.is_dir():
        reason = f"the recordings of a ProActive server are not in {RECORDINGS}"
        skip_without_recordings(reason)

    def body(scenario: str, exchange: str) -> Any:
        found = _recordings(scenario)[exchange]["body"]
        return None if found is None else _filled(found.get("json", found.get("text", found)))

    return body


_NEWEST, _OLD = "14.2.0", "8.5.0"
#: Modules whose tests run on the stand-in server, too, and the versions: those that submit, list, follow or read jobs.
ON_STAND_IN = {
    **dict.fromkeys(
        (
            "test_checking",
            "test_controls",
            "test_debug",
            "test_display",
            "test_extension",
            "test_files",
            "test_foreach",
            "test_held_interrupts",
            "test_job_reader",
            "test_jobs_commands",
            "test_journal",
            "test_live",
            "test_login",
            "test_memory",
            "test_nodes_commands",
            "test_notebook_parameters",
            "test_output",
            "test_ownership",
            "test_portals",
            "test_rerunning",
            "test_resources",
            "test_scripts",
            "test_surroundings",
            "test_task_hints",
            "test_trust",
        ),
        (_NEWEST,),
    ),
    "test_jobs": (_NEWEST, _OLD),
    "test_scheduler": (_NEWEST, _OLD),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize what runs on each server; `memory_only` says why a test does not."""
    if "server_version" not in metafunc.fixturenames:
        return
    only = metafunc.definition.get_closest_marker("memory_only")
    versions = ON_STAND_IN.get(metafunc.module.__name__.rpartition(".")[2], ())
    if versions and only is None:
        metafunc.parametrize("server_version", ("", *versions), indirect=True, ids=lambda text: text or "memory")


@pytest.fixture
def server_version(request: pytest.FixtureRequest) -> str:
    """The version of the stand-in server that a test runs on; empty: the scheduler in memory."""
    return str(getattr(request, "param", ""))


@pytest.fixture
def server(server_version: str) -> Iterator[MemoryScheduler]:
    """The scheduler behind a test: in memory, or the stand-in for a ProActive server, over HTTP."""
    if not server_version:
        yield MemoryScheduler()
        return
    with _stand_in(server_version) as found:
        yield found


def _stand_in(version: str = "14.2.0") -> Any:
    """A stand-in server that is not started; skips where the recordings are not there, and fails in CI."""
    from standin import NoRecordings, StandIn

    try:
        return StandIn(version)
    except NoRecordings as missing:
        skip_without_recordings(str(missing))


@pytest.fixture
def stand_in() -> Callable[..., Any]:
    """Makes stand-ins for a ProActive server, to be entered with ``with``."""
    return _stand_in
