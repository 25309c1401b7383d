"""A ``LocalCluster`` on demand, in a process of its own that ends with the scheduler, however that ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process

from proactive_jupyter_kernel.errors import EmbeddedSchedulerError

__all__ = ["LocalCluster"]

#: Seconds until it listens, and until it has ended.
_PATIENCE, _LAST_PATIENCE = 60.0, 15.0


class LocalCluster:
    """The scheduler's end of the process."""

    def __init__(self, process: Process, address: str) -> None:
        self._process = process
        #: Of its Dask scheduler.
        self.address = address

    @classmethod
    async def start(cls, *, workers: int, threads: int) -> LocalCluster:
        """Start it, and wait until its Dask scheduler listens. Raises `EmbeddedSchedulerError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, str(workers), str(threads), stdin=PIPE, stdout=PIPE, stderr=None
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                address = (await process.stdout.readline()).decode().strip()
        except TimeoutError:
            address = ""
        if not address:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise EmbeddedSchedulerError(
                "The LocalCluster of Dask did not start.", hint="Its output is in scheduler.out of the data folder."
            )
        return cls(process, address)

    async def close(self) -> None:
        """End its workers and itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_LAST_PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def main(workers: int, threads: int) -> None:
    """Be the process: a cluster until standard input ends."""
    import signal

    import dask
    from distributed import LocalCluster as DaskCluster

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the scheduler decides, by closing the pipe
    dask.config.set({"distributed.worker.resources": {}, "distributed.admin.tick.limit": "30s"})
    with DaskCluster(
        n_workers=workers,
        threads_per_worker=threads,
        processes=True,
        dashboard_address=None,
        memory_limit=None,
        silence_logs=50,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
