"""Whatever a task writes, its log stays readable and the scheduler alive."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest


def test_flood_is_bounded_and_said_so(lab: Any) -> None:
    """A task that floods its output gets the first and the last lines into its log, and a line about the rest."""
    run = lab.run("seq 3000000; echo the end", "bash")
    lines = run.out.splitlines()
    assert lines[0] == "1"
    assert lines[-2:] == ["3000000", "the end"]
    assert len(lines) < 1_000_000
    notices = [line for line in lines if line.endswith("of output were left out here: they came too fast for the log]")]
    assert notices
    shown = len(lines) - len(notices)
    missing = sum(int(notice[1:].split()[0].replace(",", "")) for notice in notices)
    assert shown + missing == 3_000_001


def test_flood_keeps_the_loop_free(lab: Any) -> None:
    """While a task floods its output the scheduler's loop goes on with its other work."""

    async def scene() -> int:
        attempt, lines = lab.attempt("yes", "bash", walltime=20.0), []
        task = asyncio.create_task(lab.start(attempt, lines))
        turns = 0
        while turns < 20 and not task.done():
            await asyncio.sleep(0.01)
            turns += bool(lines)
        await lab.executor.kill(attempt.key)
        await task
        return turns

    assert lab.do(scene()) == 20


def test_binary_output(lab: Any) -> None:
    """Bytes that are no text are shown as far as they can be, and harm nobody."""
    run = lab.run(r"printf '\xff\xfe\x00ok\n\x80\n'; printf 'no line feed'", "bash")
    assert run.out == "\ufffd\ufffd\x00ok\n\ufffd\nno line feed"


def test_long_line(lab: Any) -> None:
    """A line without end is cut in pieces."""
    run = lab.run("print('é' * 200_000, end='')")
    assert run.out.replace("\n", "") == "é" * 200_000
    assert max(len(line.encode()) for line in run.out.splitlines()) <= 64 * 1024


def test_precious_logs_are_complete(lab: Any) -> None:
    """A log that is precious has every line."""
    run = lab.run(lab.attempt("seq 30000", "bash", precious_logs=True))
    assert run.out.splitlines() == [str(number) for number in range(1, 30_001)]


def test_lines_come_as_they_are_written(lab: Any) -> None:
    """A line is heard while the task still runs, with the time at which it came."""
    heard: list[tuple[str, int]] = []

    async def scene() -> Any:
        attempt = lab.attempt("import time\nprint('now')\nwhile not os.path.exists('go'): time.sleep(0.01)")
        task = asyncio.create_task(lab.executor.run(attempt, lambda stream, text, at: heard.append((text, at))))
        async with asyncio.timeout(20):
            while not heard:
                await asyncio.sleep(0.01)
        (lab.local(attempt) / "go").touch()
        return await task

    before = time.time() * 1000
    assert lab.do(scene()).failure is None
    assert heard[0][0] == "now\n"
    assert before - 1000 < heard[0][1] < time.time() * 1000 + 1000


@pytest.mark.parametrize("language", ["cpython", "bash"])
def test_output_of_children_comes_too(lab: Any, language: str) -> None:
    """What children write is in the log, in order."""
    code = {
        "cpython": "import subprocess\nprint(1)\nsubprocess.run(['echo', '2'])\nprint(3)",
        "bash": "echo 1; (echo 2); echo 3",
    }
    assert lab.run(code[language], language).out == "1\n2\n3\n"
