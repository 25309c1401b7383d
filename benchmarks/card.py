"""What the card of a watched job costs: bytes in the notebook, bytes of updates, and the kernel's share of a core.

    python benchmarks/card.py [TASKS] [--json]

Exit status 1 where the card does not say in time that the job has finished.

Runs a job of TASKS replicas (1,000 unless given) on an embedded scheduler of its own, from a real kernel that only
watches it, and prints what the notebook file would hold of the card while the job runs and at its end.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import tempfile
import time

import psutil
from jupyter_client.manager import start_new_kernel

CELL = """\
#%task(name=Split)
pass
#%task(name=Work, dep=[Split], runs={runs})
print('tile', variables.get('PA_TASK_REPLICATION'), 'of many')
#%task(name=Merge, dep=[Work])
result = len(results)
#%submit_job(name=watched)
"""
DEADLINE = 900.0


def main(tasks: int, as_json: bool) -> int:
    manager, client = start_new_kernel(kernel_name="proactive")
    try:
        process = psutil.Process(manager.provisioner.process.pid)
        warm = "#%job(name=warm)\n#%task(name=A)\n1\n#%submit_job(wait=on)\n#%delete_task(A)"
        reply = client.execute_interactive(warm, timeout=DEADLINE, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        client.execute(CELL.format(runs=tasks - 2))
        start, cpu = time.monotonic(), sum(process.cpu_times()[:2])
        updates = sent = largest = last = 0
        text = ""
        while not ("watched" in text and "Finished" in text) and time.monotonic() - start < DEADLINE:
            try:
                message = client.get_iopub_msg(timeout=5)
            except queue.Empty:
                continue
            data = message["content"].get("data", {})
            if "text/html" not in data:
                continue
            text = data["text/plain"].split("\n")[0]
            last = len(json.dumps(data))
            updates, sent = updates + 1, sent + last
            largest = max(largest, len(data["text/html"]) if "Finished" not in text else 0)
        done = "watched" in text and "Finished" in text
        wall, used = time.monotonic() - start, sum(process.cpu_times()[:2]) - cpu
        if as_json:
            found = {"wall_s": wall, "processor_s": used, "share": used / wall, "updates": updates, "sent_bytes": sent}
            print(json.dumps({**found, "largest_running_card": largest, "saved_bytes": last}))
            return int(not done)
        print(text)
        print(f"wall time            {wall:10.1f} s")
        print(f"kernel's processor   {used:10.2f} s, {100 * used / wall:.1f} % of a core")
        print(f"updates              {updates:10,}, {updates / wall:.2f} a second, {sent / 1e6:.2f} MB in all")
        print(f"largest running card {largest:10,} characters")
        print(f"saved in notebook    {last:10,} bytes")
        return int(not done)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("PROACTIVE_KERNEL_DATA_DIR", f"{folder}/data")
        os.environ.setdefault("JUPYTER_RUNTIME_DIR", f"{folder}/runtime")
        try:
            words = [word for word in sys.argv[1:] if not word.startswith("--")]
            status = main(int(words[0]) if words else 1_000, "--json" in sys.argv)
        finally:
            from proactive_jupyter_kernel.client import embedded

            embedded.stop()
    sys.exit(status)
