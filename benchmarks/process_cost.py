"""What the process of a Python task costs by itself: forked from a template, one empty script, its report read, ended.

    python benchmarks/process_cost.py [FORKS] [--rounds 5] [--json]

Two templates fork two processes at a time, as in the jobs of the suite, driven by one small loop: there is no node, no
scheduler, no store and no client. So this is the part of a task's cost that is left when all the rest costs nothing, as
long as each task has a process of its own. In turns with it: bare fork and wait, the unit of the suite's ratios.
The figures are milliseconds a process, and `times`, their ratio. Linux only: the report goes to a file in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.suite.runs import bare
from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.parts import memory_report
from proactive_jupyter_kernel.scheduler.nodes.processes import Child, Command
from proactive_jupyter_kernel.scheduler.nodes.template import Template
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.scheduler.runtimes.registry import runtime_for
from proactive_jupyter_kernel.scheduler.runtimes.stage import Stage, StageKind
from proactive_jupyter_kernel.workflow.model import Script


class Source:
    """A template, and what its processes write to."""

    def __init__(self, loop: Loop, folder: Path) -> None:
        folder.mkdir()
        self._report, where = memory_report()
        self._output, self._end = os.pipe()
        script = Script(language="cpython", code="result = 1")
        stage = Stage(kind=StageKind.MAIN, task_name="T", script=script, bindings=Bindings(), folder=folder)
        self._stage = replace(stage, working_dir=folder, environment=dict(os.environ), forks=True, report=where)
        self._runtime = runtime_for("cpython")
        self._launch = self._runtime.launch(self._stage)
        self._command = Command(argv=(), environment={}, directory=folder, folder=folder, request=self._launch.request)
        self.template = Template(loop, self._launch.programs[0], dict(os.environ))

    def start(self) -> Child:
        os.ftruncate(self._report, 0)
        return self.template.start(self._command, (self._end, self._end))

    def end(self, child: Child) -> None:
        """Read the report of a process that has ended."""
        assert child.code is not None
        report = self._runtime.conclude(self._stage, self._launch, child.code)
        assert report.failure is None, report.failure
        assert report.values, "the script's result is missing"

    def close(self) -> None:
        self.template.close()
        for descriptor in (self._report, self._output, self._end):
            os.close(descriptor)


def processes(sources: list[Source], loop: Loop, count: int) -> float:
    """Milliseconds a process."""
    begin = time.perf_counter()
    running: dict[int, Child] = {}
    started = 0
    while started < count or running:
        for number, source in enumerate(sources):
            child = running.get(number)
            if child is not None and child.code is not None:
                source.end(running.pop(number))
            if number not in running and started < count:
                running[number] = source.start()
                started += 1
        if running and all(child.code is None for child in running.values()):
            loop.turn()
    return (time.perf_counter() - begin) * 1000 / count


def measure(forks: int, rounds: int) -> dict[str, float]:
    """The medians, taken in turns."""
    loop = Loop()
    with tempfile.TemporaryDirectory() as folder:
        sources = [Source(loop, Path(folder, str(number))) for number in range(2)]
        try:
            for source in sources:
                source.template.ready()
            processes(sources, loop, 50)
            runs = [(bare(forks), processes(sources, loop, forks)) for _ in range(rounds)]
        finally:
            for source in sources:
                source.close()
    unit, spent = (statistics.median(values) for values in zip(*runs, strict=True))
    times = statistics.median(spent / unit for unit, spent in runs)
    return {"bare": round(unit, 3), "process": round(spent, 3), "times": round(times, 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forks", nargs="?", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("the report of a process goes to a file in memory, which only Linux has")
    found = measure(arguments.forks, arguments.rounds)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"bare fork and wait  {found['bare']:7.3f} ms")
    print(f"a task's process    {found['process']:7.3f} ms  {found['times']:.2f} times that")


if __name__ == "__main__":
    main()
