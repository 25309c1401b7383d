"""What a one-line Python task costs inside the executor: from a warm process, from a new one, and the bare interpreter.

    python benchmarks/task_cost.py [--rounds 50] [--json]

The three are taken in turns, so that whatever else the machine does strikes them alike. The medians are milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.workflow.model import Script

_NUMBERS = itertools.count()


def attempt(language: str, code: str) -> Attempt:
    """A small task."""
    return Attempt(
        job_id=1,
        job_name="benchmark",
        task_id=next(_NUMBERS),
        task_name="T",
        number=1,
        owner="me",
        slot=Slot(name="local-0"),
        main=Script(language=language, code=code),
        inherited={"PA_JOB_ID": "1", "A": "value"},
    )


async def cost(executor: LocalExecutor, language: str, code: str) -> float:
    """Milliseconds from the call to the outcome, everything removed."""
    task = attempt(language, code)
    begin = time.perf_counter()
    outcome = await executor.run(task, lambda stream, text, at: None)
    assert outcome.failure is None, outcome.failure
    return (time.perf_counter() - begin) * 1000


def bare(*command: str) -> float:
    """Milliseconds that the interpreter alone takes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return (time.perf_counter() - begin) * 1000


async def measure(rounds: int) -> dict[str, float]:
    """The medians."""
    times: dict[str, list[float]] = {name: [] for name in ("warm", "spawned", "bare", "bash", "bare bash")}
    with tempfile.TemporaryDirectory() as folder:
        warm = LocalExecutor(Path(folder, "warm"), LocalSettings())
        spawned = LocalExecutor(Path(folder, "spawned"), LocalSettings(warm=False))
        for executor in (warm, spawned):
            await executor.start()
            await cost(executor, "cpython", "result = 1")
        for _ in range(rounds):
            times["warm"].append(await cost(warm, "cpython", "result = 1"))
            times["spawned"].append(await cost(spawned, "cpython", "result = 1"))
            times["bare"].append(bare(sys.executable, "-c", "result = 1"))
            times["bash"].append(await cost(warm, "bash", "true"))
            times["bare bash"].append(bare("bash", "-c", "true"))
        await warm.close()
        await spawned.close()
    return {name: round(statistics.median(values), 2) for name, values in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.rounds))
    if arguments.json:
        print(json.dumps(found))
        return
    for name, median in found.items():
        against = found["bare bash"] if "bash" in name else found["bare"]
        print(f"{name:10} {median:8.2f} ms  {median / against:5.2f} × the bare interpreter, {median - against:+.1f} ms")


if __name__ == "__main__":
    main()
