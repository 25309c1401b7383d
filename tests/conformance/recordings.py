"""Plays the recorded exchanges of a ProActive server against an embedded scheduler of its own.

``python -m tests.conformance.recordings SCENARIO...`` prints what the list of differences lacks, and what is stale.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conformance.difference_list import Difference, Verdict, judge
from tests.conftest import RECORDINGS

from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore

__all__ = ["RECORDINGS", "differences", "embedded", "recorded_scenarios", "verdict"]

#: Seconds for the scheduler to start; a machine with other things to do may be slow.
_DEADLINE = 60.0
#: The account: a word that occurs nowhere else, so that the comparer finds it in texts.
_USER = "pajkuser"
#: The first job's id: long enough that no other number in a text is taken for it.
_FIRST_JOB = 52001


@functools.cache
def _comparer() -> ModuleType:
    """compare.py, as it stands beside the recordings."""
    spec = importlib.util.spec_from_file_location("recordings_compare", RECORDINGS / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def recorded_scenarios() -> list[str]:
    """The names of all scenarios."""
    return sorted(path.stem for path in RECORDINGS.glob("*.json"))


@contextmanager
def embedded(folder: Path) -> Iterator[dict[str, Any]]:
    """A scheduler with four nodes, as the recorded server had; gives the content of its address file."""
    environment = {
        **os.environ,
        "LOGNAME": _USER,
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PROACTIVE_KERNEL_SLOTS": "4",
    }
    _count_from(folder / "data", _FIRST_JOB)
    command = [
        sys.executable,
        "-m",
        "proactive_jupyter_kernel",
        "scheduler",
        "serve",
        "--data-dir",
        str(folder / "data"),
    ]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield _address(folder / "runtime", process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _count_from(data_dir: Path, first: int) -> None:
    """Let the first job have this id."""
    data_dir.mkdir(parents=True)
    SqliteStore(data_dir / "scheduler.db", log_lines=1, log_bytes=1).close()
    with closing(sqlite3.connect(data_dir / "scheduler.db")) as database, database:
        database.execute("INSERT INTO counters (name, value) VALUES ('job_id', ?)", [first - 1])


def _address(runtime: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + _DEADLINE
    while not (found := list(runtime.glob("*.json"))):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The scheduler did not start: {process.stderr.read() if process.stderr else ''}")
        time.sleep(0.02)
    address: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    return address


def differences(scenario: str, folder: Path) -> list[Difference]:
    """What differs when a scenario is played against a new scheduler."""
    compare = _comparer()
    recording = json.loads((RECORDINGS / f"{scenario}.json").read_text(encoding="utf-8"))
    with embedded(folder) as address:
        account = argparse.Namespace(
            base=address["url"] + "/rest", user=address["user"], password=address["token"], other_user=None
        )
        compare.write(folder / "played", compare.play(recording, account, say=lambda line: None))
    return [
        Difference(differs=differs, exchange=exchange, place=place, detail=detail)
        for differs, _, exchange, place, detail in compare.diff(RECORDINGS, folder / "played", [scenario])
    ]


def verdict(scenario: str, folder: Path) -> Verdict:
    """What the list of differences lacks for a scenario, and what is stale in it."""
    return judge(scenario, differences(scenario, folder))


def _main() -> None:
    for scenario in sys.argv[1:] or recorded_scenarios():
        with tempfile.TemporaryDirectory() as folder:
            print(f"{scenario}: {verdict(scenario, Path(folder))}")


if __name__ == "__main__":
    _main()
