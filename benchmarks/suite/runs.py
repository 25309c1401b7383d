"""Measures the cases of the table on embedded schedulers of their own."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite import workflows
from benchmarks.suite.scheduler import BenchScheduler
from benchmarks.suite.targets import WORKLOADS
from benchmarks.suite.verdicts import Figure, Run, figure_of_runs

__all__ = ["FULL", "MEASURES", "QUICK", "Sizes", "bare", "workloads"]

_BARE = Path(__file__).with_name("bare.py")

#: Gets a line for the one who waits.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    #: Runs of each workload, taken in turns.
    rounds: int
    #: Forks of a bare measurement.
    forks: int
    #: Tasks of the large and of the small job of `growth`.
    growth: tuple[int, int]
    many: int
    #: Jobs in the store, and pairs of runs with and without them.
    finished: tuple[int, int]
    submission: int
    latency: int
    #: Seconds that one run of a peer may take.
    peer_limit: float


FULL = Sizes(
    rounds=5,
    forks=2_000,
    growth=(10_000, 1_000),
    many=100_000,
    finished=(10_000, 9),
    submission=10_000,
    latency=100,
    peer_limit=600,
)
QUICK = Sizes(
    rounds=1,
    forks=1_000,
    growth=(3_000, 300),
    many=5_000,
    finished=(500, 3),
    submission=10_000,
    latency=30,
    peer_limit=300,
)


def bare(forks: int, *, captured: bool = False) -> float:
    """Milliseconds of bare fork and wait, two at a time, in a small Python process."""
    command = [sys.executable, "-I", "-S", str(_BARE), str(forks), *(["captured"] if captured else [])]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def workloads(cases: Sequence[str], sizes: Sizes, folder: Path) -> Iterator[tuple[str, Run, float]]:
    """One run of each workload after the other: the case, the run, and the scheduler's own seconds of processor."""
    with BenchScheduler(folder) as scheduler:
        for load in WORKLOADS:
            if load.case not in cases:
                continue
            before, used = bare(sizes.forks), scheduler.processor_time()
            seconds = scheduler.whole(load.case, load.tasks)
            used = scheduler.processor_time() - used
            yield load.case, Run(seconds=seconds, tasks=load.tasks, bare=(before, bare(sizes.forks))), used


def latency(sizes: Sizes, folder: Path, say: Say) -> Figure:
    """Milliseconds from the submission of one task until the client has its result, over REST."""
    with BenchScheduler(folder) as scheduler:
        runs = tuple(round(scheduler.one() * 1000, 2) for _ in range(sizes.latency))
    return Figure(value=round(statistics.median(runs), 2), runs=runs, detail={"best_ms": min(runs)})


def submission(sizes: Sizes, folder: Path, say: Say) -> Figure:
    """Seconds from the request of a large submission until the job has its id; the job is then killed."""
    runs = []
    with BenchScheduler(folder) as scheduler:
        for _ in range(max(2, sizes.rounds)):
            seconds, job_id = scheduler.submit("python", sizes.submission)
            runs.append(round(seconds, 3))
            scheduler.client.kill(job_id)
            scheduler.client.job_result(job_id)
    return Figure(value=statistics.median(runs), runs=tuple(runs), size=sizes.submission)


def growth(sizes: Sizes, folder: Path, say: Say) -> Figure:
    """What a task of a large job costs, in costs of a task of a small one; the small one runs before and after."""
    large, small = sizes.growth
    runs, details = [], []
    with BenchScheduler(folder) as scheduler:
        for _ in range(max(1, sizes.rounds // 2)):
            first = scheduler.whole("python", small) / small
            whole = scheduler.whole("python", large) / large
            again = scheduler.whole("python", small) / small
            runs.append(round(whole / statistics.mean((first, again)), 3))
            details.append(whole * 1000)
            say(f"  {large:,}: {whole * 1000:.2f} ms a task; {small:,}: {first * 1000:.2f} and {again * 1000:.2f} ms")
    detail = {"ms_a_task": round(statistics.median(details), 3), "small_size": small}
    return Figure(value=statistics.median(runs), runs=tuple(runs), size=large, detail=detail)


def many(sizes: Sizes, folder: Path, say: Say) -> Figure:
    """The peak memory of a scheduler that runs a very large job to its end."""
    with BenchScheduler(folder) as scheduler:
        before = scheduler.peak_megabytes()
        seconds = scheduler.whole("python", sizes.many)
        peak = scheduler.peak_megabytes()
    detail = {"seconds": round(seconds, 1), "ms_a_task": round(seconds * 1000 / sizes.many, 3), "idle_mb": before}
    return Figure(value=round(peak), runs=(peak,), size=sizes.many, detail=detail)


def finished(sizes: Sizes, folder: Path, say: Say) -> Figure:
    """How much slower a scheduler with many finished jobs is, in the worst of several respects; both in turns."""
    jobs, pairs = sizes.finished
    respects: Mapping[str, Callable[[BenchScheduler], float]] = {
        "latency": lambda scheduler: statistics.median(scheduler.one() for _ in range(15)),
        "tasks": lambda scheduler: scheduler.whole("python", 300),
        "submission": lambda scheduler: scheduler.submit("python", 1)[0],
    }
    with BenchScheduler(folder / "empty") as empty, BenchScheduler(folder / "full") as full:
        _fill(full, jobs)
        found: dict[str, list[float]] = {respect: [] for respect in respects}
        for number in range(pairs):
            for respect, measure in respects.items():
                # The first of a pair has the warmer caches, or the colder ones: each is first in turns.
                order = (empty, full) if number % 2 else (full, empty)
                spent = {id(scheduler): measure(scheduler) for scheduler in order}
                found[respect].append(spent[id(full)] / spent[id(empty)])
    medians = {respect: round(statistics.median(ratios), 3) for respect, ratios in found.items()}
    return Figure(value=max(medians.values()), size=jobs, runs=tuple(medians.values()), detail=medians)


def _fill(scheduler: BenchScheduler, jobs: int) -> None:
    """So many finished jobs, each submitted and run."""
    text = workflows.TEXTS["python"](1)
    with ThreadPoolExecutor(4) as pool:
        last = max(job.id for job in pool.map(lambda _: scheduler.client.submit(text), range(jobs)))
    scheduler.whole("python", 2)
    assert not scheduler.client.jobs(alive_only=True), f"jobs before {last} are still alive"


#: What measures the cases that are no workloads.
MEASURES: Mapping[str, Callable[[Sizes, Path, Say], Figure]] = {
    "latency": latency,
    "submission": submission,
    "growth": growth,
    "finished": finished,
    "many": many,
}


def figures_of(runs: Mapping[str, list[Run]], used: Mapping[str, list[float]]) -> dict[str, Figure]:
    """The figures of the workloads, and that of the steps of the chain."""
    found = {}
    for case, measured in runs.items():
        processor = [seconds * 1000 / run.tasks for seconds, run in zip(used[case], measured, strict=True)]
        found[case] = figure_of_runs(measured, scheduler_processor_ms=round(statistics.median(processor), 2))
    if chain := runs.get("chain"):
        steps = tuple(round(run.seconds * 1000 / run.tasks, 2) for run in chain)
        found["step"] = Figure(value=statistics.median(steps), runs=steps)
    return found


_NUMBERS = itertools.count(1)


def fresh_folder(root: Path) -> Path:
    """A folder for one measurement; its path is short, for sockets lie in it."""
    return Path(tempfile.mkdtemp(prefix=f"{next(_NUMBERS)}-", dir=root))
