"""What a replica costs the engine: 100, 1,000 and 10,000 replicas of one task, and how the cost grows.

Run: python benchmarks/engine_scale.py [--json]

Each size runs `Split (runs = n) -> Work -> Merge` through the machine alone, on 4 slots: submission, every start, every
end, the merge. Nothing is stored or executed. The best of several rounds is told, in microseconds a replica, and the
ratio to the smallest size; a ratio near 1 means that an event costs the same however large the job is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import deque

from proactive_jupyter_kernel.scheduler.attempt import Slot
from proactive_jupyter_kernel.scheduler.engine.commands import Command, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.events import AttemptEnded, JobSubmitted, SlotsChanged
from proactive_jupyter_kernel.scheduler.engine.machine import Machine
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow

SIZES = (100, 1_000, 10_000)
#: Rounds a size; the small ones are short and vary more.
ROUNDS = {100: 20, 1_000: 5, 10_000: 2}
#: The bar: a job of the last size may cost this much more a replica than one of the first.
MOST = 1.3

_SCRIPT = Script(language="cpython", code="pass")
_WORKFLOW = Workflow(
    name="scale",
    tasks=(
        Task(name="Split", executable=_SCRIPT, flow=Replicate(script=_SCRIPT)),
        Task(name="Work", executable=_SCRIPT, depends=("Split",)),
        Task(name="Merge", executable=_SCRIPT, depends=("Work",)),
    ),
)


def run(replicas: int) -> float:
    """Seconds that the machine needs for a job with so many replicas."""
    machine = Machine()
    machine.handle(SlotsChanged(at=0, slots=tuple(Slot(name=f"local-{number}") for number in range(4))))
    started: deque[StartAttempt] = deque()

    def take(commands: list[Command]) -> None:
        started.extend(command for command in commands if isinstance(command, StartAttempt))

    begin = time.perf_counter()
    take(machine.handle(JobSubmitted(at=1, job_id=1, workflow=_WORKFLOW, owner="bench")))
    ended = 0
    while started:
        start = started.popleft()
        place = {"job_id": 1, "task_id": start.task_id, "number": start.number}
        split = start.task_id == 0
        take(machine.handle(AttemptEnded(at=2, **place, flow=replicas if split else None, flow_decided=split)))
        ended += 1
    assert ended == replicas + 2
    assert not machine.jobs()
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()
    cost = {size: min(run(size) for _ in range(ROUNDS[size])) / size * 1e6 for size in SIZES}
    ratio = {size: cost[size] / cost[SIZES[0]] for size in SIZES}
    if arguments.json:
        sizes = {size: {"us_per_replica": round(cost[size], 1), "ratio": round(ratio[size], 2)} for size in SIZES}
        print(json.dumps({"benchmark": "engine_scale", "most": MOST, "sizes": sizes}))
    else:
        for size in SIZES:
            print(f"{size:>7,} replicas: {cost[size]:7.1f} µs each, {ratio[size]:.2f} times the cost of {SIZES[0]}")
    return 0 if ratio[SIZES[-1]] <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
