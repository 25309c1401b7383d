"""Many clients that ask for jobs: 200 requests a second on ``/scheduler/jobs/{id}/info`` with 10,000 jobs stored.

    python -m benchmarks.info_requests [--jobs 10000] [--rate 200] [--seconds 20] [--connections 16] [--json]

The requests are sent at fixed times, whether the earlier ones were answered or not, and an answer's time counts from
the moment at which its request was due: a scheduler that stops for a while is not spared the requests of that while.
Exit status 1 where the slowest of 100 takes longer than the limit, or one is not answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.full_store import fill
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.address_file import Address
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.transport import HttpTransport

#: Milliseconds within which 99 of 100 requests are answered.
LIMIT_MS = 50.0
#: Requests before those that count: the first ones load what all need.
_WARM_UP = 50


class Connection:
    """One connection that stays open, with one request at a time."""

    def __init__(self, port: int, session: str) -> None:
        self._port = port
        self._session = session
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> int:
        """The status of the answer, all of which was read."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nsessionid: {self._session}\r\n\r\n"
        writer.write(head.encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        await reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split()[1])

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()


async def measured(address: Address, session: str, options: argparse.Namespace) -> tuple[list[float], int]:
    """Milliseconds of each answer, and how many requests were not answered with 200."""
    port = int(address.url.rpartition(":")[2])
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    connections = [Connection(port, session) for _ in range(options.connections)]
    for connection in connections:
        free.put_nowait(connection)
    chosen = random.Random(7)
    times: list[float] = []
    failed = 0

    async def ask(due: float) -> None:
        nonlocal failed
        await asyncio.sleep(due - time.perf_counter())
        connection = await free.get()
        try:
            status = await connection.get(f"/rest/scheduler/jobs/{chosen.randint(1, options.jobs)}/info")
        except (OSError, EOFError):
            status = 0
        free.put_nowait(connection)
        times.append((time.perf_counter() - due) * 1000)
        failed += status != 200

    begin = time.perf_counter() + 0.5
    number = _WARM_UP + round(options.rate * options.seconds)
    await asyncio.gather(*(ask(begin + index / options.rate) for index in range(number)))
    for connection in connections:
        connection.close()
    return times[_WARM_UP:], failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        data = Path(home, "data")
        data.mkdir(mode=0o700)
        os.environ["PROACTIVE_KERNEL_DATA_DIR"] = str(data)
        os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(home, "runtime")
        fill(data / "scheduler.db", options.jobs)
        try:
            address = embedded.ensure()
            session = Session(HttpTransport(address.url), lambda: address.credentials)
            session.open()
            times, failed = asyncio.run(measured(address, session.id, options))
        finally:
            embedded.stop()
    times.sort()
    median, slow, slowest = times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]
    good = slow <= LIMIT_MS and not failed
    if options.json:
        print(json.dumps({"median_ms": median, "p99_ms": slow, "slowest_ms": slowest, "failed": failed}))
        return 0 if good else 1
    print(f"{len(times):,} requests, {options.rate:g} a second, {options.jobs:,} jobs stored")
    print(f"median              {median:7.1f} ms")
    print(f"99 of 100 within    {slow:7.1f} ms    (limit {LIMIT_MS:g} ms)")
    print(f"slowest             {slowest:7.1f} ms")
    print(f"not answered        {failed:7d}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
