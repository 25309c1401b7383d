"""Resident processes of a node take no more memory together than their share, and none that others need."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.nodes import residents
from proactive_jupyter_kernel.scheduler.nodes.residents import Residents

GIB = 1024**3


class Resident:
    """One that takes 100 bytes."""

    numbers = itertools.count()
    dead = False
    is_busy = False
    memory = 100

    def __init__(self, *arguments: Any) -> None:
        self.pid = next(self.numbers)
        self.used = 0.0

    def serves(self, directory: Path) -> bool:
        return True

    def is_worn(self, limit: int) -> bool:
        return False

    def close(self) -> None:
        """It takes nothing any more."""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function: which of three languages are kept after a script in each, by share and free memory."""

    def run(share: int, free: int = 8 * GIB) -> list[str]:
        monkeypatch.setattr(residents, "ResidentProcess", Resident)
        monkeypatch.setattr(residents, "_free_memory", lambda: 8 * GIB)
        monkeypatch.setattr(Resident, "numbers", itertools.count())
        pool: Any = Residents(None, None, tmp_path, "node-0", share=share)  # type: ignore[arg-type]
        for language in ("groovy", "jython", "scala"):
            pool.get(language, tmp_path, lambda folder: None)
        monkeypatch.setattr(residents, "_free_memory", lambda: free)
        pool.get("groovy", tmp_path, lambda folder: None)  # used last
        pool.used("groovy", lambda folder: None)
        return [("groovy", "jython", "scala")[pid] for pid in pool.idle_pids]

    return run


def test_those_idle_longest_end(kept: Any) -> None:
    """Until the others fit into the share, or one is left."""
    assert [kept(share) for share in (0, 300, 299, 150, 50)] == [
        ["groovy", "jython", "scala"],
        ["groovy", "jython", "scala"],
        ["groovy", "scala"],
        ["groovy"],
        ["groovy"],
    ]


def test_none_is_kept_while_memory_is_scarce(kept: Any) -> None:
    """Tasks need it more."""
    assert kept(0, free=GIB - 1) == []
