"""What a script costs in each language, over the bare start of its interpreter.

    python benchmarks/language_cost.py [ROUNDS] [LANGUAGE ...] [--json]

For each language, in turns, so that whatever else the machine does hits both: the interpreter runs an almost empty
script as one would run it by hand, and the local executor runs the same script as a task. Prints the median of each in
milliseconds, and the median of the differences; exit status 1 where one is over the limit. The first round only
brings files into memory and is not counted. Languages whose program is missing are left out, and named.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from proactive_jupyter_kernel.scheduler.attempt import Attempt, Slot
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.workflow.model import Script

ROUNDS = 11
#: Milliseconds over the bare interpreter, for a warm file system.
LIMIT = 30.0


@dataclass(frozen=True, kw_only=True)
class Language:
    """How one would run an almost empty script by hand."""

    engine: str
    command: tuple[str, ...]
    code: str
    extension: str = "txt"


LANGUAGES = (
    Language(engine="cpython", command=(sys.executable,), code="result = 1"),
    Language(engine="javascript", command=(sys.executable,), code="result = 1"),
    Language(engine="bash", command=("bash",), code=":"),
    Language(engine="perl", command=("perl",), code="1;"),
    Language(engine="php", command=("php",), code="<?php"),
    Language(engine="ruby", command=("ruby",), code="result = 1"),
    Language(engine="R", command=("Rscript",), code="result = 1"),
    Language(engine="groovy", command=("groovy",), code="result = 1", extension="groovy"),
    Language(engine="python", command=("jython",), code="result = 1"),
    Language(engine="scalaw", command=("scala", "-nc"), code="val result = 1", extension="scala"),
)


class Bench:
    """The executor, and a folder for the scripts that are run by hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._executor = LocalExecutor(folder / "scratch", LocalSettings())

    async def __aenter__(self) -> Bench:
        await self._executor.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._executor.close()

    def bare(self, language: Language) -> float:
        """Milliseconds of the interpreter alone."""
        script = self._folder / f"bare.{language.extension}"
        script.write_text(language.code)
        begin = time.perf_counter()
        subprocess.run(
            [*language.command, str(script)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        return (time.perf_counter() - begin) * 1000

    async def task(self, language: Language) -> float:
        """Milliseconds of a task, from its folder's making to its folder's removal."""
        attempt = Attempt(
            job_id=1,
            job_name="cost",
            task_id=next(self._numbers),
            task_name="T",
            number=1,
            owner="bench",
            slot=Slot(name="local-0"),
            main=Script(language=language.engine, code=language.code),
        )
        begin = time.perf_counter()
        outcome = await self._executor.run(attempt, lambda stream, text, at: None)
        assert outcome.failure is None, outcome.failure
        return (time.perf_counter() - begin) * 1000


async def measure(languages: list[Language], rounds: int) -> dict[str, dict[str, float]]:
    """Medians in milliseconds, by engine."""
    bare: dict[str, list[float]] = {language.engine: [] for language in languages}
    task: dict[str, list[float]] = {language.engine: [] for language in languages}
    with tempfile.TemporaryDirectory() as folder:
        async with Bench(Path(folder)) as bench:
            for counted in range(rounds + 1):
                for language in languages:
                    times = bench.bare(language), await bench.task(language)
                    if counted:
                        bare[language.engine].append(times[0])
                        task[language.engine].append(times[1])
    return {
        engine: {
            "bare": statistics.median(bare[engine]),
            "task": statistics.median(task[engine]),
            "cost": statistics.median(ours - alone for alone, ours in zip(bare[engine], task[engine], strict=True)),
        }
        for engine in bare
    }


def main(arguments: list[str]) -> int:
    """Measure, print, judge."""
    as_json = "--json" in arguments
    words = [word for word in arguments if not word.startswith("--")]
    rounds = int(words.pop(0)) if words and words[0].isdigit() else ROUNDS
    if "JAVA_HOME" not in os.environ and (java := shutil.which("java")):
        # Debian's launchers expect its default JRE, and find no other.
        os.environ["JAVA_HOME"] = str(Path(java).resolve().parents[1])
    wanted = [language for language in LANGUAGES if not words or language.engine in words]
    if unknown := set(words) - {language.engine for language in LANGUAGES}:
        print("no language of this table:", *sorted(unknown), file=sys.stderr)
        return 2
    missing = [language.engine for language in wanted if shutil.which(language.command[0]) is None]
    found = asyncio.run(measure([language for language in wanted if language.engine not in missing], rounds))
    if as_json:
        print(json.dumps(found))
    else:
        for engine, times in found.items():
            print("{:12} bare {bare:7.1f}  task {task:7.1f}  cost {cost:7.1f} ms".format(engine, **times))
        if missing:
            print("not here:", *missing)
    return int(any(times["cost"] > LIMIT for times in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
