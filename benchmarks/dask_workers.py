"""What a Python task costs on 1, 2, 4 and 8 Dask workers of this machine, beside as many local nodes.

Run: python benchmarks/dask_workers.py [--workers 1 2 4 8] [--tasks 200] [--json]

For each number of workers, with one thread each, all of them are kept busy with tasks of one line (``empty``) and with
tasks that only wait for a tenth of a second (``waiting``). The figures are milliseconds from the first to the last,
divided by the number of tasks; for waiting tasks also how many run at a time on average. ``processor`` is what an empty
task takes of the processor in the process of the scheduler, which bounds the rate however many workers there are.
``one`` is a single task while all else rests. What the store, the engine and REST cost comes on top, as for any
executor.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot
from proactive_jupyter_kernel.scheduler.executors.base import Executor
from proactive_jupyter_kernel.scheduler.executors.dask.executor import DaskExecutor
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.scheduler.nodes.settings import NodeSettings
from proactive_jupyter_kernel.scheduler.settings.executor_address import DaskAddress
from proactive_jupyter_kernel.workflow.model import Script

_NUMBERS = itertools.count()
#: Seconds that a waiting task waits.
_WAIT = 0.1
_EMPTY, _WAITING = "result = 1", f"import time\ntime.sleep({_WAIT})"


def attempt(code: str, slot: Slot) -> Attempt:
    """A small task."""
    return Attempt(
        job_id=1,
        job_name="benchmark",
        task_id=next(_NUMBERS),
        task_name="T",
        number=1,
        owner="me",
        slot=slot,
        main=Script(language="cpython", code=code),
        inherited={"PA_JOB_ID": "1", "A": "value"},
    )


async def milliseconds(executor: Executor, code: str, tasks: int) -> float:
    """A task, with all slots busy."""
    left = iter(range(tasks))

    async def keep_busy(slot: Slot, left: Iterator[int]) -> None:
        for _ in left:
            outcome = await executor.run(attempt(code, slot), lambda stream, text, at: None)
            assert outcome.failure is None, outcome.failure

    begin = time.perf_counter()
    await asyncio.gather(*(keep_busy(slot, left) for slot in executor.slots))
    return (time.perf_counter() - begin) * 1000 / tasks


async def figures(executor: Executor, workers: int, tasks: int) -> dict[str, float]:
    """The figures of one executor."""
    await executor.start()
    async with asyncio.timeout(60):
        while len(executor.slots) < workers:
            await asyncio.sleep(0.05)
    await milliseconds(executor, _EMPTY, 4 * workers)
    single = first_slot(executor)
    one = statistics.median([await milliseconds(single, _EMPTY, 1) for _ in range(15)])
    begin = time.process_time()
    empty = await milliseconds(executor, _EMPTY, tasks)
    processor = (time.process_time() - begin) * 1000 / tasks
    waiting = await milliseconds(executor, _WAITING, max(4 * workers, tasks // 4))
    await executor.close()
    return {
        "one": round(one, 2),
        "empty": round(empty, 2),
        "processor": round(processor, 2),
        "waiting": round(waiting, 2),
        "at a time": round(_WAIT * 1000 / waiting, 2),
    }


class _First:
    """An executor of which only the first slot is used."""

    def __init__(self, executor: Executor) -> None:
        self.slots = executor.slots[:1]
        self.run = executor.run


def first_slot(executor: Executor) -> Executor:
    return _First(executor)  # type: ignore[return-value]


async def measure(workers: list[int], tasks: int) -> dict[str, dict[str, dict[str, float]]]:
    """Number of workers -> executor -> figures."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number in workers:
        address = replace(DaskAddress(sources="none", files="shared"), workers=number)
        with tempfile.TemporaryDirectory() as folder:
            found[str(number)] = {
                "dask": await figures(DaskExecutor(address, NodeSettings()), number, tasks),
                "local": await figures(LocalExecutor(Path(folder), LocalSettings(slots=number)), number, tasks),
            }
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    found = asyncio.run(measure(options.workers, options.tasks))
    if options.json:
        print(json.dumps(found))
        return
    print("workers  executor  one ms  empty ms  processor ms  waiting ms  at a time")
    for number, executors in found.items():
        for name, row in executors.items():
            print(f"{number:>7}  {name:<8}" + "".join(f"{value:>10}" for value in row.values()))


if __name__ == "__main__":
    main()
