"""The other scripts of `benchmarks/`: one row each, run with `--json`; their exit status is their verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["SCRIPTS", "BenchScript", "ScriptRun", "beyond_limits", "flat", "run"]

_FOLDER = Path(__file__).parents[1]
#: Seconds after which a script is given up.
_LIMIT = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchScript:
    """A script, and what it is given in a full and in a quick run."""

    name: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun:
    """What a script said."""

    name: str
    #: None: it has no figures, and `trouble` says why.
    figures: dict[str, float] | None
    within_limits: bool
    trouble: str = ""


SCRIPTS = (
    BenchScript(name="engine_scale"),
    BenchScript(name="task_cost", full=("--rounds", "50"), quick=("--rounds", "15")),
    BenchScript(name="process_cost", quick=("500", "--rounds", "3")),
    BenchScript(name="replicas", full=("--rounds", "3"), quick=("--rounds", "1", "--large", "300")),
    BenchScript(name="latency", full=("--rounds", "50"), quick=("--rounds", "15", "--cold", "1")),
    BenchScript(name="idle", full=("20",), quick=("5",)),
    BenchScript(name="language_cost", full=("11",), quick=("3",)),
    BenchScript(name="result_time", full=("50",), quick=("10",)),
    BenchScript(name="kernel_start", full=("10",), quick=("3",)),
    BenchScript(name="pragma_cell", full=("200",), quick=("40",)),
    BenchScript(name="completion", full=("50",), quick=("10",)),
    BenchScript(name="card", full=("1000",), quick=("200",)),
    BenchScript(name="picture"),
    BenchScript(name="push_channel", quick=("--iterations", "200", "--rounds", "1")),
    BenchScript(name="full_store", quick=("--jobs", "1000", "--rounds", "2")),
    BenchScript(name="info_requests", quick=("--jobs", "1000", "--seconds", "5")),
    BenchScript(name="large_results", quick=("--tasks", "50")),
    BenchScript(name="dask_workers", quick=("--workers", "1", "2", "--tasks", "50")),
)


def run(script: BenchScript, *, quick: bool) -> ScriptRun:
    """Run one script."""
    command = [sys.executable, str(_FOLDER / f"{script.name}.py"), *(script.quick if quick else script.full), "--json"]
    # Some use what this package has.
    path = os.pathsep.join(filter(None, (str(_FOLDER.parent), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, env=environment)
    except subprocess.TimeoutExpired:
        return ScriptRun(name=script.name, figures=None, within_limits=False, trouble=f"not done in {_LIMIT} s")
    lines = done.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError):
        said = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return ScriptRun(name=script.name, figures=None, within_limits=False, trouble=said[:300])
    return ScriptRun(name=script.name, figures=dict(flat(found)), within_limits=done.returncode == 0)


def beyond_limits(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the scripts that were not within their limits, or of which that is not known."""
    return [script["name"] for script in found if not script["within_limits"]]


def flat(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a JSON value, each with the way to it; of a list of numbers, the median is enough: its middle."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}: {key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, int | float) for one in value):
        yield path, sorted(value)[len(value) // 2]
