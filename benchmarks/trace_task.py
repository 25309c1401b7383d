"""One task's life, step by step: where the time goes from the submission until the client holds the result.

    python benchmarks/trace_task.py [--rounds 50] [--tasks 1] [--slots N] [--json] [--chrome FILE]

A scheduler is started on a folder of its own with the setting TRACE. Jobs of one Python task are submitted one after
the other, followed to their end, and their results fetched. For each step, in order: the median of the milliseconds
since the step before, and since the beginning. The script itself tells when it began and ended.

With `--tasks N` each job is a chain of N tasks, and the report shows the step from the end of one script to the
beginning of the next. `--chrome FILE` writes the spans of all rounds in the format of Chrome's trace viewer
(chrome://tracing, https://ui.perfetto.dev).

A scheduler of one's own can be traced as well: start it with PROACTIVE_KERNEL_TRACE=FILE, and read the file, whose
lines are: nanoseconds, process id, step, job id, task id (-1 for the job).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.scheduler.monitoring import tracing
from proactive_jupyter_kernel.scheduler.settings import PREFIX
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Script, Task, Workflow

#: What the client and the script tell, beside the steps of the scheduler.
OUTSIDE: Mapping[str, str] = {
    "sent": "the client begins to send the submission",
    "answered": "the client has the id of the job",
    "script began": "the first statement of the script",
    "script ended": "the last statement of the script",
    "seen": "the client knows that the job has ended",
    "fetched": "the client holds the result",
}
MEANINGS: Mapping[str, str] = {**tracing.STEPS, **OUTSIDE}

_SCRIPT = "import time\nbegan = time.monotonic_ns()\nresult = [began, time.monotonic_ns()]"


def workflow(tasks: int) -> str:
    script = Script(language="cpython", code=_SCRIPT)
    return xml.dumps(
        Workflow(
            name="trace",
            tasks=tuple(
                Task(name=f"T{number}", executable=script, depends=(f"T{number - 1}",) if number else ())
                for number in range(tasks)
            ),
        )
    )


def once(scheduler: Scheduler, tasks: int) -> tuple[int, dict[str, int], list[tuple[int, int]]]:
    """The id of a job, when the client took its steps, and when each script began and ended."""
    text = workflow(tasks)
    steps = {"sent": time.monotonic_ns()}
    job = scheduler.submit(text)
    steps["answered"] = time.monotonic_ns()
    for _ in job.follow():
        pass
    steps["seen"] = time.monotonic_ns()
    last = scheduler.task_result(job.id, f"T{tasks - 1}")
    steps["fetched"] = time.monotonic_ns()
    values = [last.value] if tasks == 1 else [scheduler.task_result(job.id, f"T{n}").value for n in range(tasks)]
    return job.id, steps, [(int(began), int(ended)) for began, ended in values]


def traced(rounds: int, tasks: int) -> tuple[list[dict[str, int]], list[float]]:
    """The steps of the first task of each round, and the milliseconds between the scripts of a chain."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace")
        os.environ[f"{PREFIX}TRACE"] = str(file)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(folder, "runtime"))
        connection = Connection(data_dir=Path(folder, "data"))
        try:
            for _ in range(3):
                once(connection.scheduler, tasks)
            found = [once(connection.scheduler, tasks) for _ in range(rounds)]
        finally:
            connection.close()
            embedded.stop(Path(folder, "data"))
        marks = tracing.read(file.read_text(encoding="ascii"))
    lives, gaps = [], []
    for job_id, steps, scripts in found:
        script = {"script began": scripts[0][0], "script ended": scripts[0][1]}
        lives.append({**marks[job_id, -1], **marks[job_id, 0], **steps, **script})
        gaps += [(after[0] - before[1]) / 1e6 for before, after in pairwise(scripts)]
    return lives, gaps


def table(lives: Sequence[Mapping[str, int]]) -> list[tuple[str, float, float]]:
    """Each step in order of time: milliseconds since the step before, and since the first; medians of all lives."""
    since = {step: statistics.median((life[step] - life["sent"]) / 1e6 for life in lives) for step in lives[0]}
    order = sorted(since, key=lambda step: since[step])
    # The client's thread runs beside the scheduler: what it does between two steps of a task is no step of the task.
    own = {
        step: statistics.median((life[step] - life[before]) / 1e6 for life in lives) for before, step in pairwise(order)
    }
    return [(step, own.get(step, 0.0), since[step]) for step in order]


def chrome(lives: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """The spans from step to step, a row for each round."""
    events = [
        {"name": f"until {step}", "ph": "X", "ts": life[before] / 1e3, "dur": (life[step] - life[before]) / 1e3}
        | {"pid": 1, "tid": number, "args": {"means": MEANINGS[step]}}
        for number, life in enumerate(lives)
        for before, step in pairwise(sorted(life, key=lambda step: life[step]))
    ]
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def main() -> None:
    """Trace and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=1, help="tasks of a chain")
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--chrome", default="", metavar="FILE", help="write the spans for Chrome's trace viewer")
    options = parser.parse_args()
    os.environ[f"{PREFIX}SLOTS"] = str(options.slots)
    lives, gaps = traced(options.rounds, options.tasks)
    found = table(lives)
    if options.chrome:
        Path(options.chrome).write_text(json.dumps(chrome(lives)), encoding="utf-8")
    if options.json:
        steps = {step: {"ms": round(own, 3), "since_sent_ms": round(since, 3)} for step, own, since in found}
        print(json.dumps({"steps": steps, "gap_ms": round(statistics.median(gaps), 3) if gaps else None}))
        return
    for step, own, since in found:
        print(f"{step:<14} +{own:7.2f} ms {since:8.2f} ms   {MEANINGS[step]}")
    if gaps:
        print(f"from the end of a script to the beginning of the next: {statistics.median(gaps):.2f} ms")


if __name__ == "__main__":
    main()
