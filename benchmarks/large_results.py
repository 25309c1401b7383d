"""Large results: what a thousand tasks of 1 MB that one task merges cost, and whether others wait meanwhile.

    python benchmarks/large_results.py [--tasks 1000] [--size 1000000] [--json]

An embedded scheduler of its own runs the job; meanwhile a second client asks for the scheduler's status all the time.
"merge" is the time of the task that reads all results, "values" that of the answer with all values as text, "list" that
of a list of three million integers as text, "record" that of its whole record, and "four records" that of four clients
that ask for it at once and read it. Times are seconds; "waited" is the longest that the other client waited.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.suite.scheduler import BenchScheduler
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow


def merging(tasks: int, size: int) -> str:
    """Tasks with a large result each, and one that counts what they have."""
    large = Script(language="cpython", code=f"result = 'x' * {size}")
    names = tuple(f"T{number}" for number in range(tasks))
    count = Script(language="cpython", code="result = sum(len(each.value()) for each in results)")
    merge = Task(name="merge", executable=count, depends=names)
    return xml.dumps(Workflow(name="merge", tasks=(*(Task(name=name, executable=large) for name in names), merge)))


class Watch:
    """Asks for the status all the time, from a thread."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._stop = threading.Event()
        self.longest = 0.0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.01):
                begin = time.perf_counter()
                self._ask()
                self.longest = max(self.longest, time.perf_counter() - begin)
        except Exception as error:
            self._error = error

    def stop(self) -> float:
        """The longest time that an answer took."""
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            # What was measured until then would say that nobody waited.
            raise self._error
        return self.longest


def measure(tasks: int, size: int) -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, BenchScheduler(Path(folder)) as bench:
        client = bench.client

        @contextmanager
        def timed(name: str) -> Iterator[None]:
            watch = Watch(lambda: client.jobs(limit=1))
            begin = time.perf_counter()
            yield
            figures[name] = time.perf_counter() - begin
            figures[f"{name}, waited"] = watch.stop()

        def ended(text: str) -> Any:
            job = client.submit(text)
            for _ in job.follow():
                pass
            return job

        with timed("job"):
            job = ended(merging(tasks, size))
        merged = client.task_result(job.id, "merge")
        assert merged.value == tasks * size, merged
        task = next(each for each in client.job(job.id).tasks if each.name == "merge")
        figures["merge"] = task.duration / 1000
        figures["peak MB after the job"] = bench.peak_megabytes()
        with timed("values"):
            answer = client.ask("scheduler", "jobs", job.id, "result", "value", doing="read the values")
            assert len(answer.body) > tasks * size
        del answer
        script = Script(language="cpython", code="result = list(range(3_000_000))")
        with timed("list job"):
            job = ended(xml.dumps(Workflow(name="list", tasks=(Task(name="T", executable=script),))))
        with timed("list"):
            answer = client.ask("scheduler", "jobs", job.id, "tasks", "T", "result", "value", doing="read the value")
        assert answer.body.endswith(b"2999999]")
        with timed("record"):
            client.ask("scheduler", "jobs", job.id, "tasks", "T", "result", doing="read the result")
        with timed("four records"), ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: client.task_result(job.id, "T").has_value, range(4)))
        figures["peak MB"] = bench.peak_megabytes()
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.tasks, arguments.size)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:10.3f}")


if __name__ == "__main__":
    main()
