"""How long a cell that defines a task takes to answer, in a running kernel, from the request to the reply.

Prints the median of 200 cells, and that of 200 cells in a notebook that has a thousand tasks. Exit status 1 above the
limits: 10 ms, and twice the first for the second.

    python benchmarks/pragma_cell.py [CELLS] [--json]
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

CELLS = 200
MANY = 1_000
LIMIT_MS = 10.0
GROWTH = 2.0


def answer_time(client: BlockingKernelClient, cell: str) -> float:
    """Milliseconds until the reply."""
    begin = time.perf_counter()
    reply = client.execute(cell, reply=True, timeout=60)
    took = (time.perf_counter() - begin) * 1000
    assert reply["content"]["status"] == "ok", reply["content"]
    return took


def define(client: BlockingKernelClient, first: int, count: int) -> list[float]:
    cells = (
        f"#%task(name=T{number}, dep=[{f'T{number - 1}' if number else ''}])\nresult = {number}"
        for number in range(first, first + count)
    )
    return [answer_time(client, cell) for cell in cells]


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    cells = int(words[0]) if words else CELLS
    with tempfile.TemporaryDirectory() as home:
        kernelspec.install(prefix=home)
        os.environ["JUPYTER_PATH"] = os.path.join(home, "share", "jupyter")
        os.environ["IPYTHONDIR"] = home
        manager, client = start_new_kernel(kernel_name=kernelspec.NAME)
        try:
            plain = [answer_time(client, "x = 1") for _ in range(cells)]
            few = define(client, 0, cells)
            define(client, cells, MANY)
            many = define(client, cells + MANY, cells)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    base, first, last = map(statistics.median, (plain, few, many))
    good = first <= LIMIT_MS and last <= GROWTH * first
    if "--json" in sys.argv:
        found = {"Python cell": base, "task cell": first, "task cell, many tasks": last}
        print(json.dumps({"milliseconds": {name: round(took, 2) for name, took in found.items()}, "limit": LIMIT_MS}))
        return 0 if good else 1
    print(f"Python cell                 {base:6.1f} ms")
    print(f"task cell                   {first:6.1f} ms    (median of {cells}; limit {LIMIT_MS:g} ms)")
    print(f"task cell, {MANY:,} tasks    {last:6.1f} ms    ({last / first:.2f} times; limit {GROWTH:g})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
