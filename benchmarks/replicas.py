"""What a replica costs on a real scheduler: jobs of 100 and of 1,000 replicas of a one-line Python task.

Run: python benchmarks/replicas.py [--rounds 3] [--small 100] [--large 1000] [--slots N] [--json]

A scheduler is started on a folder of its own; jobs of the two sizes are submitted in turns, followed to their end as a
notebook does, and their results fetched. Milliseconds a task, the best of the rounds, and the ratio of the large job to
the small one: near 1 means that a job's size costs nothing of itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow

#: The bar: the large job may cost this much more a task than the small one.
MOST = 1.3


def workflow(replicas: int) -> str:
    """``split -> work * replicas -> merge``."""
    line = Script(language="cpython", code='result = variables["PA_TASK_REPLICATION"]')
    total = Script(language="cpython", code="result = sum(one.value() for one in results)")
    split = Replicate(script=Script(language="javascript", code=f"runs = {replicas}"))
    return xml.dumps(
        Workflow(
            name=f"{replicas} replicas",
            tasks=(
                Task(name="split", executable=line, flow=split),
                Task(name="work", executable=line, depends=("split",)),
                Task(name="merge", executable=total, depends=("work",)),
            ),
        )
    )


def cost(scheduler: Scheduler, replicas: int) -> float:
    """Milliseconds a task, from submission until the client has the results."""
    text = workflow(replicas)
    begin = time.perf_counter()
    job = scheduler.submit(text)
    for snapshot in job.follow():
        last = snapshot.job
    results = scheduler.job_result(job.id)
    spent = time.perf_counter() - begin
    assert last.went_well
    assert results is not None
    assert results.tasks["merge"].value == replicas * (replicas - 1) // 2
    return spent * 1000 / (replicas + 2)


def measure(sizes: tuple[int, int], rounds: int) -> dict[int, list[float]]:
    """The cost of each size in each round."""
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(folder, "runtime"))
        data = Path(folder, "data")
        connection = Connection(data_dir=data)
        try:
            cost(connection.scheduler, 10)
            for _ in range(rounds):
                for size in sizes:
                    costs[size].append(cost(connection.scheduler, size))
        finally:
            connection.close()
            embedded.stop(data)
    return costs


def main() -> int:
    """Measure and print; 1 if the ratio is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--large", type=int, default=1_000)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    os.environ["PROACTIVE_KERNEL_SLOTS"] = str(options.slots)
    costs = measure((options.small, options.large), options.rounds)
    small, large = (min(costs[size]) for size in (options.small, options.large))
    ratio = large / small
    if options.json:
        print(json.dumps({"milliseconds_a_task": costs, "ratio": round(ratio, 3), "most": MOST}))
    else:
        for size, values in costs.items():
            print(
                f"{size:>6} replicas: {min(values):6.2f} ms a task   (rounds: {', '.join(f'{v:.2f}' for v in values)})"
            )
        print(f"ratio {ratio:.2f}, bar {MOST}")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
