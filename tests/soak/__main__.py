"""`make soak`: faults at random for minutes, and the seeds of the rounds in which a promise was broken.

    python -m tests.soak [--minutes 10] [--seed N] [--only FAULT ...] [--folder DIR]

Rounds in one process and rounds of real schedulers take turns. `--seed` repeats a run; `--only` names faults of real
schedulers, or `memory` for the rounds in one process. Exit status 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.soak import memory_world, process_world
from tests.soak.invariants import Evidence, violations

#: Rounds in one process between two rounds of real schedulers; they take about as long.
BURST = 40
MEMORY = "memory"


class Soak:
    """Counts rounds and broken promises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rounds: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()

    def memory_round(self, seed: int) -> None:
        """Up to three lives that end badly, up to four jobs, and sometimes a clock that is set."""
        chance = random.Random(seed)
        faults = [
            (chance.choice(list(memory_world.FAULTS)), chance.randint(1, 150)) for _ in range(chance.randint(1, 3))
        ]
        jumps = chance if chance.random() < 0.3 else None
        evidence, _ = memory_world.play(self._folder, *faults, jobs=chance.randint(1, 4), jumps=jumps)
        self._judge(MEMORY, seed, evidence)

    def process_round(self, fault: str, seed: int) -> None:
        self._judge(fault, seed, process_world.play(self._folder, fault, seed))

    def _judge(self, name: str, seed: int, evidence: Evidence) -> None:
        self.rounds[name] += 1
        if found := violations(evidence):
            self.broken[name] += 1
            print(f"BROKEN: {name}, seed {seed}", *found, sep="\n  ", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak; 0: every promise was kept."""
    known = [MEMORY, *process_world.FAULTS]
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="of the first round; by default another one each time")
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="FAULT", help=", ".join(known))
    parser.add_argument("--folder", default=None, help="where the schedulers have their folders")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    # What the schedulers say of the faults is not what is looked for.
    logging.disable(logging.CRITICAL)
    print(f"seed {seed}, {options.minutes:g} minutes", flush=True)
    end = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory(prefix="soak-", dir=options.folder) as name:
        soak = Soak(Path(name))
        faults = [fault for fault in options.only if fault != MEMORY]
        while time.monotonic() < end:
            if MEMORY in options.only:
                for _ in range(BURST):
                    soak.memory_round(seed)
                    seed += 1
            if faults:
                soak.process_round(faults[seed % len(faults)], seed)
                seed += 1
    for fault, count in soak.rounds.items():
        print(f"{fault:<28} {count:6,} rounds, {soak.broken[fault]} broken")
    return 1 if soak.broken else 0


if __name__ == "__main__":
    sys.exit(main())
