"""How long a one-line Python task takes from its submission until the client holds its result.

Run: python benchmarks/latency.py [--rounds 50] [--cold 3] [--json]

*warm*: the scheduler runs, and the client is logged in; the median of the rounds, and how it is made up: submission,
waiting for the end, fetching of the result, each a median; and what the scheduler itself spent, by its own
times: from submission to start, and from start to end. *cold*: nothing runs yet; from the first call of the client,
which starts the scheduler on an empty folder, to the first result; the median, too. All in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

#: The bars, in milliseconds: with the scheduler running, and from nothing.
MOST_WARM, MOST_COLD = 100.0, 3_000.0

_TEXT = xml.dumps(
    Workflow(name="latency", tasks=(Task(name="T", executable=Script(language="cpython", code="result = 6 * 7")),))
)


def once(scheduler: Scheduler) -> dict[str, float]:
    """Milliseconds of the parts of one round trip."""
    times = [time.perf_counter()]
    job = scheduler.submit(_TEXT)
    job_id = job.id
    times.append(time.perf_counter())
    seen = job.wait()
    times.append(time.perf_counter())
    result = scheduler.task_result(job_id, "T")
    times.append(time.perf_counter())
    assert result.value == 42, result
    seconds = [after - before for before, after in pairwise(times)]
    spent = {name: part * 1000 for name, part in zip(("submit", "follow", "result"), seconds, strict=True)}
    inside = {
        "to the start": float(seen.info.started_at - seen.info.submitted_at),
        "the task": float(seen.info.finished_at - seen.info.started_at),
    }
    return {"warm": sum(spent.values()), **spent, **inside}


def warm(rounds: int) -> dict[str, float]:
    """Medians with the scheduler running."""
    with tempfile.TemporaryDirectory() as folder:
        connection = _connection(folder)
        try:
            once(connection.scheduler)
            found = [once(connection.scheduler) for _ in range(rounds)]
        finally:
            _end(connection, folder)
    return {name: round(statistics.median(one[name] for one in found), 1) for name in found[0]}


def cold(rounds: int) -> float:
    """The median of the first result, from nothing."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            connection = _connection(folder)
            try:
                begin = time.perf_counter()
                once(connection.scheduler)
                found.append((time.perf_counter() - begin) * 1000)
            finally:
                _end(connection, folder)
    return round(statistics.median(found), 1)


def _connection(folder: str) -> Connection:
    os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(folder, "runtime"))
    return Connection(data_dir=Path(folder, "data"))


def _end(connection: Connection, folder: str) -> None:
    connection.close()
    embedded.stop(Path(folder, "data"))


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = {**warm(options.rounds), "cold": cold(options.cold)}
    if options.json:
        print(json.dumps({"milliseconds": found, "most": {"warm": MOST_WARM, "cold": MOST_COLD}}))
    else:
        for name, value in found.items():
            print(f"{name:>12}: {value:8.1f} ms")
    return int(found["warm"] > MOST_WARM or found["cold"] > MOST_COLD)


if __name__ == "__main__":
    sys.exit(main())
