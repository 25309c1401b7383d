"""The peers: how each is installed, what it runs, and what it isolates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PEERS", "Peer", "PeerVenv"]

_FOLDER = Path(__file__).parents[1] / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One peer; `benchmarks/peers/run_NAME.py` runs the work with it and prints seconds."""

    name: str
    title: str
    #: What pip installs.
    packages: tuple[str, ...]
    #: The package whose version is reported.
    package: str
    #: What is isolated and kept: a phrase for the table of the page.
    isolation: str
    #: Of the independent tasks, where a thousand would take too long; the cost a task is what is compared.
    tasks: int = 1_000
    fan: int = 502
    chain: int = 100


PEERS = (
    Peer(
        name="dask",
        title="Dask",
        packages=("dask", "distributed"),
        package="distributed",
        isolation="two worker processes, used again for all tasks; output is not captured for each task; results in "
        "memory",
    ),
    Peer(
        name="parsl",
        title="Parsl",
        packages=("parsl",),
        package="parsl",
        isolation="HighThroughputExecutor with two worker processes, used again; output is not captured for each task; "
        "results in memory",
    ),
    Peer(
        name="ipyparallel",
        title="ipyparallel",
        packages=("ipyparallel",),
        package="ipyparallel",
        isolation="two engines, used again; output is captured for each task; results in memory of the controller",
    ),
    Peer(
        name="hamilton",
        title="Hamilton",
        packages=("sf-hamilton",),
        package="sf-hamilton",
        isolation="a pool of two processes, used again, for the independent tasks and the fan; the chain is function "
        "calls in one process; results in memory",
    ),
    Peer(
        name="doit",
        title="doit",
        packages=("doit", "cloudpickle"),
        package="doit",
        isolation="two worker processes, used again; output is captured for each task; results in a file of the type "
        "dbm, written at the end",
    ),
    Peer(
        name="luigi",
        title="Luigi",
        packages=("luigi",),
        package="luigi",
        isolation="a forked process for each task; output is not captured; results are files of the tasks",
    ),
    Peer(
        name="sos",
        title="SoS",
        packages=("sos",),
        package="sos",
        isolation="worker processes, used again; the work of the independent tasks and of the fan are substeps of one "
        "step; signatures switched off",
    ),
    Peer(
        name="snakemake",
        title="Snakemake",
        packages=("snakemake",),
        package="snakemake",
        isolation="a new Python process for each rule with `run`; results are files",
        tasks=12,
        fan=12,
        chain=5,
    ),
)


class PeerVenv:
    """The environment that the peers and matplotlib are installed into; nothing of it is used by the scheduler."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    @property
    def python(self) -> Path:
        return self._folder / "bin" / "python"

    def install(self, packages: Iterable[str]) -> str:
        """Install what is missing. Returns why that failed; empty: it did not."""
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self._folder)], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(pip, capture_output=True, text=True)
        lines = done.stderr.strip().splitlines()
        return (lines[-1] if lines else "pip failed") if done.returncode else ""

    def version(self, package: str) -> str:
        code = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
        return subprocess.run([str(self.python), "-c", code], capture_output=True, text=True).stdout.strip()

    def run(self, peer: Peer, work: Mapping[str, int], folder: Path, limit: float) -> dict[str, float]:
        """Seconds of each of the jobs, run one after the other. Raises `PeerFailed` with the reason."""
        asked = [f"{case}={tasks}" for case, tasks in work.items()]
        command = [str(self.python), str(_FOLDER / f"run_{peer.name}.py"), str(folder), *asked]
        try:
            # Some start programs of their own by name.
            path = os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")])
            environment = {**os.environ, "PATH": path}
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit, cwd=folder, env=environment)
        except subprocess.TimeoutExpired:
            raise PeerFailed(f"it did not end within {limit:g} s") from None
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            said = done.stderr.strip().splitlines() or ["no output"]
            raise PeerFailed(said[-1][:300])
        answer: dict[str, Any] = json.loads(lines[-1])
        return {case: float(seconds) for case, seconds in answer.items()}


class PeerFailed(Exception):
    """A peer could not do the work; the text says why."""


def work_of(peer: Peer) -> dict[str, int]:
    """How many tasks each job of a peer has."""
    return {"python": peer.tasks, "chain": peer.chain, "fan": peer.fan}


def chosen(names: Sequence[str]) -> list[Peer]:
    """The peers of these names, in the order of the table."""
    return [peer for peer in PEERS if peer.name in names]
