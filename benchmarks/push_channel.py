"""What listeners to the push channel cost: a loop with a listener and without one, and many listeners that do not read.

Run: python benchmarks/push_channel.py [--iterations 800] [--rounds 2] [--slow 50] [--json]

A scheduler is started on a folder of its own. A loop of so many iterations runs without and with one listener that
wants all events, in turns; the ratio of the best rounds says what the listener costs. Meanwhile another client asks for
``/status`` all the time: its longest wait says how long the scheduler's loop stood. Then the loop runs once more with
many listeners that never read a frame: how much memory of the scheduler that takes, in megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import connect

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Loop, Script, Task, Workflow

#: The bars: how much longer a loop may take with a listener, how many milliseconds the scheduler may not answer more
#: than without one, and how many megabytes the listeners that do not read may take together.
MOST_RATIO, MOST_STANDING, MOST_MEMORY = 1.2, 50.0, 200.0

_LISTENER = """
import json, sys
from websockets.sync.client import connect
url, session, name = sys.argv[1:]
frames = size = whole = 0
with connect(url, additional_headers={"sessionid": session}, compression=None, max_size=None) as socket:
    socket.send("{}")
    socket.recv()
    print("ready", flush=True)
    while True:
        text = socket.recv()
        frame = json.loads(text)
        frames, size = frames + 1, size + len(text)
        whole += frame["action"] == "JOB_FULL_DATA_UPDATED"
        data = frame["data"] or {}
        if frame["schedulerEvent"] == "JOB_UPDATED" and data["name"] == name:
            if data["jobInfo"]["status"] == "FINISHED":
                break
print(json.dumps({"frames": frames, "bytes": size, "whole": whole, "tasks": len(data["tasks"])}))
"""


def workflow(name: str, iterations: int) -> str:
    """One task that loops on itself."""
    again = Script(language="cpython", code=f'loop = int(variables["PA_TASK_ITERATION"]) < {iterations - 1}')
    task = Task(name="T", executable=Script(language="cpython", code="result = 1"), flow=Loop(target="T", script=again))
    return xml.dumps(Workflow(name=name, tasks=(task,)))


class Pings(threading.Thread):
    """Asks for ``/status`` until it is ended; keeps the longest wait, in milliseconds."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url + "/status"
        self._ended = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            client.get(self._url)
            while not self._ended.wait(0.005):
                begin = time.perf_counter()
                client.get(self._url)
                self.longest = max(self.longest, (time.perf_counter() - begin) * 1000)

    def end(self) -> float:
        self._ended.set()
        self.join()
        return self.longest


class Bench:
    """A scheduler that runs, and a client."""

    def __init__(self, data: Path, scheduler: Scheduler) -> None:
        address = embedded.find(data)
        assert address is not None
        self.scheduler = scheduler
        self.url = address.url
        self.socket_url = address.url.replace("http", "ws", 1) + "/rest/scheduler/events"
        login = httpx2.post(
            self.url + "/rest/scheduler/login", data={"username": address.user, "password": address.token.reveal()}
        )
        self.session = login.text

    def listener(self, name: str) -> subprocess.Popen[str]:
        """A process that reads all events until the end of the job of that name."""
        command = [sys.executable, "-c", _LISTENER, self.socket_url, self.session, name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def memory(self) -> float:
        """Megabytes of the scheduler."""
        line = next(
            line
            for line in httpx2.get(self.url + "/metrics").text.splitlines()
            if line.startswith("process_resident_memory_bytes ")
        )
        return float(line.split()[1]) / 1e6

    def run(self, name: str, iterations: int) -> tuple[float, float]:
        """Seconds of a loop, from its submission to its end by the scheduler's times, and the longest wait."""
        pings = Pings(self.url)
        pings.start()
        job = self.scheduler.submit(workflow(name, iterations))
        for snapshot in job.follow():
            last = snapshot.job
        longest = pings.end()
        assert last.went_well
        return (last.info.finished_at - last.info.submitted_at) / 1000, longest


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of the rounds, the longest waits, what the listener read, and the memory."""
    seconds: dict[str, list[float]] = {"alone": [], "heard": []}
    standing: dict[str, list[float]] = {"alone": [], "heard": []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = str(Path(folder, "runtime"))
        data = Path(folder, "data")
        connection = Connection(data_dir=data)
        try:
            scheduler = connection.scheduler
            scheduler.jobs()
            bench = Bench(data, scheduler)
            bench.run("warm", 20)
            heard: Any = {}
            for number in range(options.rounds):
                for kind in seconds:
                    name = f"{kind}-{number}"
                    process = bench.listener(name) if kind == "heard" else None
                    spent, longest = bench.run(name, options.iterations)
                    seconds[kind].append(round(spent, 3))
                    standing[kind].append(round(longest, 1))
                    if process is not None:
                        heard = json.loads(process.communicate(timeout=120)[0])
            before = bench.memory()
            sockets = [_deaf(bench) for _ in range(options.slow)]
            spent, longest = bench.run("slow", options.iterations)
            grown = bench.memory() - before
            for each in sockets:
                each.close()
        finally:
            connection.close()
            embedded.stop(data)
    return {
        "seconds": seconds,
        "ratio": round(min(seconds["heard"]) / min(seconds["alone"]), 3),
        "longest_wait_ms": standing,
        "heard": heard,
        "slow": {"listeners": options.slow, "seconds": spent, "longest_wait_ms": longest, "memory_mb": round(grown, 1)},
        "most": {"ratio": MOST_RATIO, "longest_wait_ms": MOST_STANDING, "memory_mb": MOST_MEMORY},
    }


def _deaf(bench: Bench) -> socket.socket:
    """A listener to all events that reads none of them."""
    opened = connect(
        bench.socket_url, additional_headers={"sessionid": bench.session}, compression=None, max_queue=1, max_size=None
    )
    opened.send("{}")
    opened.recv()
    # The library reads in a thread of its own, into a queue of one frame; then nobody takes anything any more.
    return opened.socket


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        print(json.dumps(found))
    else:
        for kind, values in found["seconds"].items():
            print(f"{kind:>6}: {min(values):7.2f} s, longest wait {min(found['longest_wait_ms'][kind]):8.1f} ms")
        print(f"ratio {found['ratio']:.2f}, bar {MOST_RATIO}; the listener read {found['heard']}")
        print(f"{options.slow} that do not read: {found['slow']['memory_mb']} MB, bar {MOST_MEMORY}")
    standing = min(found["longest_wait_ms"]["heard"]) - min(found["longest_wait_ms"]["alone"])
    missed = found["ratio"] > MOST_RATIO or standing > MOST_STANDING or found["slow"]["memory_mb"] > MOST_MEMORY
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
