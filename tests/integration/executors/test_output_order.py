"""Output of both streams comes in the order in which it was written, whoever wrote it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.nodes import streams
from proactive_jupyter_kernel.scheduler.nodes.ordered import is_possible

#: Turns that a script takes between the two streams.
TURNS = 300

PYTHON = f"""
import sys
for turn in range({TURNS}):
    print(turn)
    print(turn, file=sys.stderr)
"""
CHILDREN = """
import os, subprocess, sys
for turn in range(20):
    print(turn)
    os.system(f"echo {turn} >&2")
    subprocess.run([sys.executable, "-c", f"print({turn} + 100)"])
    print(turn + 100, file=sys.stderr)
"""
BASH = f"for ((turn = 0; turn < {TURNS}; turn++)); do echo $turn; echo $turn >&2; done"
TRACE = "set -x\necho one\necho two"
PERL = f'$| = 1; for my $turn (0..{TURNS - 1}) {{ print "$turn\\n"; print STDERR "$turn\\n"; }}'
RUBY = f"$stdout.sync = true; {TURNS}.times {{ |turn| puts turn; warn turn }}"

in_turns = [(stream, f"{turn}\n") for turn in range(TURNS) for stream in ("out", "err")]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the order")


@pytest.fixture
def ordered(labs: Any) -> Any:
    """An executor as users have it."""
    return labs()


@pytest.mark.parametrize(
    ("language", "code", "lines"),
    [
        ("cpython", PYTHON, in_turns),
        ("bash", BASH, in_turns),
        pytest.param("perl", PERL, in_turns, marks=pytest.mark.needs("perl")),
        pytest.param("ruby", RUBY, in_turns, marks=pytest.mark.needs("ruby")),
        ("bash", TRACE, [("err", "+ echo one\n"), ("out", "one\n"), ("err", "+ echo two\n"), ("out", "two\n")]),
        (
            "cpython",
            CHILDREN,
            [(stream, f"{turn + more}\n") for turn in range(20) for more in (0, 100) for stream in ("out", "err")],
        ),
    ],
    ids=["python", "bash", "perl", "ruby", "trace of bash", "child programs"],
)
def test_turns(ordered: Any, language: str, code: str, lines: list[tuple[str, str]]) -> None:
    """Line by line, also of several processes that write in turns."""
    assert ordered.run(code, language).lines == lines


def test_a_traceback_comes_after_what_was_printed(ordered: Any) -> None:
    """And before what an exit handler prints; the failure in one line is last, as on a server."""
    run = ordered.run("import atexit\natexit.register(print, 'bye')\nprint('before')\n1 / 0")
    assert [run.lines[0], run.lines[1], *run.lines[-3:-1], run.lines[-1][1].partition(" with")[0]] == [
        ("out", "before\n"),
        ("err", "Traceback (most recent call last):\n"),
        ("err", "ZeroDivisionError: division by zero\n"),
        ("out", "bye\n"),
        "Failed to execute task: Python process execution has failed",
    ]


def test_large_writes_are_whole(ordered: Any) -> None:
    """A write that takes many packets arrives complete, and what follows it comes after it."""
    run = ordered.run("import os, sys\nos.write(1, b'x' * 60_000 + b'\\n')\nprint('end', file=sys.stderr)")
    assert run.lines == [("out", "x" * 60_000 + "\n"), ("err", "end\n")]


def test_a_pipe_that_a_program_enlarges_loses_nothing(ordered: Any) -> None:
    """Several packets may wait then; all are read, in the end without further news of them."""
    code = """
import fcntl, os, sys, time
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
for turn in range(200):
    os.write(1, b"%d\\n" % turn)
time.sleep(0.3)
print("end", file=sys.stderr)
"""
    assert ordered.run(code).lines == [*(("out", f"{turn}\n") for turn in range(200)), ("err", "end\n")]


def test_a_flood_is_read_in_large_pieces(ordered: Any) -> None:
    """Each stream keeps its order; what is over the allowance is counted, nothing is lost without a word."""
    code = "import sys\nfor turn in range(200_000): print(turn)\nprint('end', file=sys.stderr)"
    run = ordered.run(code)
    shown = [int(text) for stream, text in run.lines if stream == "out" and text[0] != "["]
    missing = sum(int(text[1:].split()[0].replace(",", "")) for stream, text in run.lines if text[0] == "[")
    assert shown == sorted(shown)
    assert len(shown) + missing == 200_000
    assert ("err", "end\n") in run.lines


@pytest.fixture
def unordered(labs: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An executor on a system without packet pipes."""
    monkeypatch.setattr(streams, "_in_order", lambda: False)
    return labs()


def test_elsewhere_each_stream_keeps_its_order(unordered: Any) -> None:
    """Where the system does not tell, the lines are the same, those of each stream in order."""
    run = unordered.run(BASH, "bash")
    lines = [f"{turn}\n" for turn in range(TURNS)]
    assert ([text for stream, text in run.lines if stream == "out"], run.err) == (lines, "".join(lines))


def test_it_is_possible_here() -> None:
    """The tests above are not skipped on Linux."""
    assert sys.platform != "linux" or is_possible()
    assert Path("/proc").exists() or sys.platform != "linux"
