"""How long completion in a pragma takes in a running kernel, from the request to the reply, with a thousand tasks.

Prints the median for names of pragmas, of parameters and of tasks, and for a cell that itself defines a hundred tasks.
Exit status 1 above the limit.

    python benchmarks/completion.py [REQUESTS] [--json]
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from proactive_jupyter_kernel.notebook import kernelspec

REQUESTS = 50
TASKS = 1_000
#: Lines of the long cell, two a task.
LONG = 200
LIMIT_MS = 50.0


def answer_time(client: BlockingKernelClient, cell: str, offered: str) -> float:
    """Milliseconds until the reply, which must offer this."""
    begin = time.perf_counter()
    reply = client.complete(cell, reply=True, timeout=60)
    took = (time.perf_counter() - begin) * 1000
    assert offered in reply["content"]["matches"], reply["content"]["matches"][:10]
    return took


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    requests = int(words[0]) if words else REQUESTS
    tasks = "\n".join(f"#%task(name=T{number})\nresult = {number}" for number in range(TASKS))
    long = "\n".join(tasks.split("\n")[:LONG])
    cells = {
        "a pragma": ("#%submit_", "submit_job"),
        "a parameter": ("#%task(name=X, de", "dep="),
        "a task": ("#%task(name=X, dep=[T1, T99", "T999"),
        "a variable in task code": ("#%task(name=X)\nx = variables['PA_JOB_N", "PA_JOB_NAME"),
        "a task, in a long cell": (f"{long}\n#%task(name=X, dep=[T1, T99", "T999"),
    }
    with tempfile.TemporaryDirectory() as home:
        kernelspec.install(prefix=home)
        os.environ["JUPYTER_PATH"] = os.path.join(home, "share", "jupyter")
        os.environ["IPYTHONDIR"] = home
        manager, client = start_new_kernel(kernel_name=kernelspec.NAME)
        try:
            client.execute(tasks, reply=True, timeout=120)
            found = {
                what: statistics.median(answer_time(client, cell, offered) for _ in range(requests))
                for what, (cell, offered) in cells.items()
            }
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if "--json" in sys.argv:
        print(json.dumps({"milliseconds": {what: round(took, 1) for what, took in found.items()}, "limit": LIMIT_MS}))
        return 0 if max(found.values()) <= LIMIT_MS else 1
    for what, took in found.items():
        print(f"{what:<24} {took:6.1f} ms    (median of {requests}, {TASKS:,} tasks; limit {LIMIT_MS:g} ms)")
    return 0 if max(found.values()) <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
