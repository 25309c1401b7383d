"""What an embedded scheduler costs that has nothing to do: memory and processor time of all of its processes.

Starts one on a folder of its own, lets it run a task, waits until it rests, and looks at it for some seconds. Exit
status 1 above the limits.

    python benchmarks/idle.py [SECONDS] [--json]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from proactive_jupyter_kernel.client import embedded

SECONDS = 20.0
#: Of the scheduler itself.
LIMIT_MB = 80.0
#: Processor time in parts of the time that passed; the system counts in hundredths of a second.
LIMIT_SHARE = 0.001

WORKFLOW = """<job xmlns="urn:proactive:jobdescriptor:3.14" name="one"><taskFlow><task name="A">
<scriptExecutable><script><code language="cpython">result = 1</code></script></scriptExecutable></task>
</taskFlow></job>"""


def processor_time(processes: list[psutil.Process]) -> float:
    """Seconds that they have used."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    seconds = float(words[0]) if words else SECONDS
    with tempfile.TemporaryDirectory() as home:
        os.environ["PROACTIVE_KERNEL_DATA_DIR"] = os.path.join(home, "data")
        os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(home, "runtime")
        file = Path(home) / "one.xml"
        file.write_text(WORKFLOW, encoding="utf-8")
        command = [sys.executable, "-m", "proactive_jupyter_kernel", "submit", str(file), "--wait"]
        try:
            subprocess.run(command, check=True, capture_output=True)
            address = embedded.status().address
            assert address is not None
            scheduler = psutil.Process(address.pid)
            time.sleep(2.0)  # Connections and buffers of the job just done have their last timers.
            family = [scheduler, *scheduler.children(recursive=True)]
            before, switches = processor_time(family), scheduler.num_ctx_switches().voluntary
            time.sleep(seconds)
            used = processor_time(family) - before
            switches = scheduler.num_ctx_switches().voluntary - switches
            memory = [process.memory_info().rss / 1e6 for process in family]
        finally:
            embedded.stop()
    good = memory[0] <= LIMIT_MB and used <= max(LIMIT_SHARE * seconds, 0.01)
    if "--json" in sys.argv:
        found = {"scheduler_mb": memory[0], "others_mb": sum(memory[1:]), "others": len(memory) - 1}
        print(json.dumps({**found, "seconds": seconds, "processor_ms": used * 1000, "wake_ups": switches}))
        return 0 if good else 1
    print(f"scheduler           {memory[0]:7.1f} MB    (limit {LIMIT_MB:g} MB)")
    print(f"warm processes      {sum(memory[1:]):7.1f} MB    ({len(memory) - 1} of them)")
    print(f"processor time      {used * 1000:7.0f} ms    in {seconds:g} s; {switches} wake-ups")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
