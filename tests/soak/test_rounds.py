"""Hundreds of faults, at every call of the store's writer in turn: nothing is lost, and nothing runs twice."""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.soak import memory_world, process_world
from tests.soak.invariants import violations

#: Faults of real schedulers that are tried in every run of the tests; `make soak` tries all.
PROCESSES = ("daemon killed often", "node killed", "grandchild, daemon killed")
#: Rounds with the clock set to other days.
JUMPS = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory, where the system has such a place: these rounds are about the order of calls, not about the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="soak-", dir=memory) as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The scheduler says much of what fails here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("fault", memory_world.FAULTS)
def test_nothing_is_lost_or_run_twice_wherever_the_store_fails(folder: Path, fault: str) -> None:
    """A round for each call that the fault can strike: at each of them all promises hold."""
    calls = memory_world.calls_to_strike(folder, fault)
    broken = {
        at: found for at in range(1, calls + 1) if (found := violations(memory_world.play(folder, (fault, at))[0]))
    }
    assert (calls > 2, broken) == (True, {})


def test_a_clock_that_is_set_loses_nothing(folder: Path) -> None:
    """Back and forth by a day, at any moment, with a kill in between."""
    broken = {}
    for seed in range(JUMPS):
        chance = random.Random(seed)
        evidence, _ = memory_world.play(folder, ("killed", chance.randint(1, 80)), jumps=chance)
        if found := violations(evidence):
            broken[seed] = found
    assert broken == {}


@pytest.mark.skipif(sys.platform != "linux", reason="nothing below a killed scheduler can be found elsewhere")
@pytest.mark.parametrize("fault", PROCESSES)
def test_real_schedulers_lose_nothing_and_leave_nothing(tmp_path: Path, fault: str) -> None:
    """One round each, at a random moment; `python -m tests.soak --only FAULT --seed SEED` repeats it."""
    seed = random.randrange(10**6)
    assert (seed, violations(process_world.play(tmp_path, fault, seed))) == (seed, [])
