"""An embedded scheduler of its own on a folder, and jobs timed on it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from benchmarks.suite import workflows
from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.workflow.status import JOB_ENDED, JobStatus

__all__ = ["SLOTS", "BenchScheduler"]

#: Two at a time, as the processes of the bare measurement.
SLOTS = 2
#: Seconds for which an answer about a job is held back until it ends, as the client does that waits for a job.
_LOOK = 1.0


class BenchScheduler:
    """Started when entered, stopped when left."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._runtime = folder / "runtime"
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        os.environ["PROACTIVE_KERNEL_SLOTS"] = str(SLOTS)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(self._runtime)
        self._connection = Connection(data_dir=self._data)
        try:
            self.whole("python", 20)  # Processes are warm, and what is loaded with the first task is loaded.
            self.whole("bash", 4)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()
        os.environ["JUPYTER_RUNTIME_DIR"] = str(self._runtime)
        embedded.stop(self._data)

    @property
    def client(self) -> Scheduler:
        assert self._connection is not None
        return self._connection.scheduler

    @property
    def process(self) -> psutil.Process:
        """The scheduler's own process."""
        os.environ["JUPYTER_RUNTIME_DIR"] = str(self._runtime)
        address = embedded.status(self._data).address
        assert address is not None
        return psutil.Process(address.pid)

    def submit(self, case: str, tasks: int) -> tuple[float, int]:
        """Seconds from the request of a submission to its answer, and the id of the job."""
        text = workflows.TEXTS[case](tasks)
        begin = time.perf_counter()
        job = self.client.submit(text)
        return time.perf_counter() - begin, job.id

    def whole(self, case: str, tasks: int) -> float:
        """Seconds of a job, from its submission to the last result, by the scheduler's record of the end.

        The results are then fetched and compared, which is not counted.
        """
        text = workflows.TEXTS[case](tasks)
        begin = time.time()
        job = self.client.submit(text)
        info = self._ended(job.id)
        assert info.status is JobStatus.FINISHED, f"{case}: {info.status}"
        results = self.client.job_result(job.id)
        assert results is not None
        workflows.check(case, tasks, results.tasks)
        return float(info.finished_at) / 1000 - begin

    def one(self) -> float:
        """Seconds from the submission of one task until the client holds its result."""
        text = workflows.TEXTS["python"](1)
        begin = time.perf_counter()
        job = self.client.submit(text)
        for _ in job.follow():
            pass
        result = self.client.task_result(job.id, "T0")
        spent = time.perf_counter() - begin
        assert result.value == 0, result
        return spent

    def processor_time(self) -> float:
        """Seconds of processor time that the scheduler's own process has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def peak_megabytes(self) -> float:
        """The most memory that the scheduler's own process ever had."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000
        except OSError:
            # Other systems tell what it has now.
            return float(self.process.memory_info().rss) / 1e6

    def _ended(self, job_id: int) -> Any:
        while (info := self.client.info(job_id, wait=_LOOK)).status not in JOB_ENDED:
            pass
        return info
