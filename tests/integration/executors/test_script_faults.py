"""Whatever a script breaks, its log and its failure end in sentences, without a frame of the harness."""

from __future__ import annotations

import re
import resource
from typing import Any

import pytest

HARNESS = "harness"

#: What a script may replace before it ends well, and still have its result.
REPLACED = {
    "json.dumps": "import json\njson.dumps = json.dump = json.loads = json.load = lambda *a, **k: 'x'",
    "json.JSONEncoder": "import json\njson.JSONEncoder = json.encoder = None",
    "open": "import builtins\nopen = builtins.open = None",
    "print": "import builtins\nbuiltins.print = None",
    "types": "import builtins\nbuiltins.str = builtins.list = builtins.dict = builtins.int = builtins.type = None",
    "isinstance": "import builtins\nbuiltins.isinstance = lambda *a: False\nbuiltins.len = lambda x: 0",
    "os": "import os\nos.getpid = os.replace = os.rename = None\nos.path.join = os.path.dirname = None",
    "sys.exit": "import sys\nsys.exit = None",
    "sys.modules": "import sys\nsys.modules.clear()",
    "sys.stdout": "import sys\nsys.stdout = sys.stderr = None",
    "closed streams": "import sys\nsys.stdout.close()\nsys.stderr.close()",
    "closed descriptors": "import os\nos.close(1)\nos.close(2)",
    "threading": "import threading\nthreading._shutdown = None",
    "its folder": "import os\nos.rmdir(os.getcwd()) if not os.listdir() else None",
}


@pytest.mark.parametrize("code", REPLACED.values(), ids=REPLACED.keys())
def test_what_a_script_replaces_does_not_lose_its_result(lab: Any, code: str) -> None:
    """The result is read and written with the functions that were there before the script."""
    run = lab.run(f"{code}\nresult = [5, 'text']")
    assert (run.value, HARNESS in run.err) == ([5, "text"], False)


@pytest.mark.parametrize("code", REPLACED.values(), ids=REPLACED.keys())
def test_what_a_script_replaces_does_not_hide_its_error(lab: Any, code: str) -> None:
    """The failure is the script's own error."""
    run = lab.run(f"{code}\nraise ValueError('mine')")
    expected = "Failed to execute task: Python process execution has failed with exit code 1: ValueError: mine"
    assert (run.message, HARNESS in run.err) == (expected, False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def g():\n    yield 1\n    raise ValueError('mine')\nresult = g()", "1: ValueError: mine"),
        ("class L(list):\n    def __iter__(self): raise ValueError('mine')\nresult = L([1])", "1: ValueError: mine"),
        ("import traceback\ntraceback.TracebackException = None\n1 / 0", "1: ZeroDivisionError: division by zero"),
        ("import sys\nsys.excepthook = None\n1 / 0", "1: ZeroDivisionError: division by zero"),
        ("import sys\nsys.stderr = object()\n1 / 0", "1: ZeroDivisionError: division by zero"),
        ("class E(Exception):\n    def __str__(self): raise OSError\nraise E", "1: E: its text cannot be shown"),
        ("import sys\nclass E:\n    def __str__(self): raise OSError\nsys.exit(E())", "1"),
        (
            "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\nresult = 'x' * 1000",
            "1: The result could not be written: File too large",
        ),
    ],
    ids=["generator", "list", "traceback", "hook", "stderr", "error's text", "exit's text", "file size"],
)
def test_faults_end_in_a_sentence(lab: Any, code: str, message: str) -> None:
    """No traceback names the harness, no failure passes as success."""
    run = lab.run(code)
    assert (run.message, HARNESS in run.err) == (
        f"Failed to execute task: Python process execution has failed with exit code {message}",
        False,
    )


def test_a_chain_of_errors_is_whole(lab: Any) -> None:
    """The cause, how the two belong together, and the error itself, each with its lines."""
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as cause:\n    raise RuntimeError('no') from cause"
    trace = """\
Traceback (most recent call last):
  File "<task T>", line 2, in <module>
    1 / 0
    ~~^~~
ZeroDivisionError: division by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<task T>", line 4, in <module>
    raise RuntimeError('no') from cause
RuntimeError: no
"""
    run = lab.run(code)
    assert run.outcome.failure is not None
    assert run.outcome.failure.stack_trace == trace
    # A log has no blank lines, and the failure in one line at its end.
    assert run.err == trace.replace("\n\n", "\n") + f"{run.message}\n"


@pytest.mark.parametrize(
    "code", ["x = 1\ny = x.nothing", "x = 1\x0c\u2028\ny = x.nothing", "x = 1\r\ny = x.nothing\r\n"]
)
def test_carets_stand_under_the_fault(lab: Any, code: str) -> None:
    """Also on a last line without a line feed, and after characters that only other programs take for line ends."""
    code = code.replace("\u2028", "# \u2028")
    assert lab.run(code).err.split("\n")[1:4] == [
        '  File "<task T>", line 2, in <module>',
        "    y = x.nothing",
        "        ^^^^^^^^^",
    ]


def test_a_process_that_was_killed(lab: Any) -> None:
    """It says what that mostly means, and how much memory it had."""
    run = lab.run("import os, signal\nx = b'1' * 300_000_000\nos.kill(os.getpid(), signal.SIGKILL)")
    found = re.fullmatch(
        r"Failed to execute task: the Python process was ended by signal 9 \(SIGKILL\) before the script did\. "
        r"The system [a-z ]+ memory[a-z ]*; its memory peaked at ([\d,.]+) MiB of the machine's [\d,.]+ GiB\.",
        run.message,
    )
    assert found, run.message
    # Linux counts what the parent had when it started the process: here the tests, elsewhere a small daemon.
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert 286 <= int(found[1]) < max(430, parent + 10)


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (15, "SIGTERM"), (6, "SIGABRT")])
def test_other_signals_are_named(lab: Any, number: int, name: str) -> None:
    """And nothing is said of memory."""
    assert lab.run(f"import os; os.kill(os.getpid(), {number})").message == (
        f"Failed to execute task: the Python process was ended by signal {number} ({name}) before the script did"
    )


def test_no_more_memory(lab: Any) -> None:
    """An error that Python itself raises carries the peak, too."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\nx = bytearray(1 << 30)"
    assert re.search(
        r": MemoryError: The system gave the task no more memory; its process had [\d,]+ MiB", lab.run(code).message
    )


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("open('data.csv')", True),
        ("import pathlib\npathlib.Path('data.csv').read_text()", True),
        ("open('/nowhere/data.csv')", False),
        ("import subprocess\nsubprocess.run(['data.csv'])", False),
    ],
    ids=["open", "pathlib", "absolute path", "program"],
)
def test_a_file_that_is_not_there(lab: Any, code: str, hint: bool) -> None:
    """A relative path gets a hint how files come to a task."""
    run = lab.run(code)
    assert ("(input_files=[data.csv])" in run.message, "(input_files=[data.csv])" in run.err) == (hint, hint)


@pytest.mark.parametrize("name", ["traceback", "linecache", "tokenize", "io", "typing"])
def test_files_called_as_modules_of_the_library(lab: Any, name: str) -> None:
    """A file in the task's folder is not taken for the library's module by what shows the error."""
    run = lab.run(f"open('{name}.py', 'w').write('raise SystemError')\n1 / 0")
    first, *_, last, _ = run.err.rstrip("\n").split("\n")
    assert (first, last) == ("Traceback (most recent call last):", "ZeroDivisionError: division by zero")
