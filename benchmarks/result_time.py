"""How long a person waits from a cell to the result of a one-line Python task, cold and warm.

Cold: the first cell of a kernel while no scheduler runs. Warm: the cells after it, each a submission and its result.
Exit status 1 above the limits.

    python benchmarks/result_time.py [CELLS] [--json]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from jupyter_client.manager import KernelManager

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.notebook import kernelspec

CELLS = 50
COLD_LIMIT_S, WARM_LIMIT_MS = 3.0, 100.0
CELL = "#%task(name=One)\nresult = 6 * 7\n#%submit_job(draw=off)\n#%get_result(into=found)\nassert found == {'One': 42}"


def answer_time(client: Any) -> float:
    """Seconds until the result is in the notebook."""
    begin = time.perf_counter()
    reply = client.execute_interactive(CELL, timeout=60, output_hook=lambda message: None)
    taken = time.perf_counter() - begin
    assert reply["content"]["status"] == "ok", reply["content"]
    return taken


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    cells = int(words[0]) if words else CELLS
    with tempfile.TemporaryDirectory() as home:
        kernelspec.install(prefix=home)
        os.environ["JUPYTER_PATH"] = os.path.join(home, "share", "jupyter")
        os.environ["IPYTHONDIR"] = home
        os.environ["PROACTIVE_KERNEL_DATA_DIR"] = os.path.join(home, "data")
        os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(home, "runtime")
        manager = KernelManager(kernel_name=kernelspec.NAME)
        manager.start_kernel(stderr=subprocess.DEVNULL)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            cold = answer_time(client)
            warm = statistics.median(answer_time(client) for _ in range(cells)) * 1000
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            embedded.stop()
    good = cold <= COLD_LIMIT_S and warm <= WARM_LIMIT_MS
    if "--json" in sys.argv:
        print(json.dumps({"cold_s": round(cold, 2), "warm_ms": round(warm, 1)}))
        return 0 if good else 1
    print(f"first cell to first result    {cold:6.2f} s     (limit {COLD_LIMIT_S:g} s)")
    print(f"submission to result          {warm:6.1f} ms    (median of {cells}; limit {WARM_LIMIT_MS:g} ms)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
