"""How much longer this kernel takes to start than plain ipykernel in the same environment.

Starts both in turns, so that whatever else the machine does hits both, and prints the median of each and their ratio.
The time is that from starting the process to the answer to the first execution. Exit status 1 above the limit.

    python benchmarks/kernel_start.py [STARTS] [--json]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from jupyter_client.manager import KernelManager

from proactive_jupyter_kernel.notebook import kernelspec

STARTS = 10
LIMIT = 1.15
PLAIN = "python3"


def start_time(name: str) -> float:
    """Seconds from nothing to an answer."""
    manager = KernelManager(kernel_name=name)
    begin = time.perf_counter()
    manager.start_kernel(stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive("1", timeout=60, output_hook=lambda message: None)
        return time.perf_counter() - begin
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    starts = int(words[0]) if words else STARTS
    with tempfile.TemporaryDirectory() as home:
        kernelspec.install(prefix=home)
        os.environ["JUPYTER_PATH"] = os.path.join(home, "share", "jupyter")
        os.environ["IPYTHONDIR"] = home
        times: dict[str, list[float]] = {PLAIN: [], kernelspec.NAME: []}
        for name in times:
            start_time(name)  # Files come into memory, and the history file into being.
        for _ in range(starts):
            for name, found in times.items():
                found.append(start_time(name))
    medians = {name: statistics.median(found) for name, found in times.items()}
    pairs = [ours / plain for plain, ours in zip(times[PLAIN], times[kernelspec.NAME], strict=True)]
    ratio = statistics.median(pairs)
    if "--json" in sys.argv:
        milliseconds = {name: round(median * 1000) for name, median in medians.items()}
        print(json.dumps({"milliseconds": milliseconds, "ratio": round(ratio, 3), "limit": LIMIT}))
        return 0 if ratio <= LIMIT else 1
    for name, median in medians.items():
        print(f"{name:<12} {median * 1000:7.0f} ms")
    print(f"ratio        {ratio:7.2f}    (median of {starts} pairs; limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
