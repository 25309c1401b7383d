"""Files beside the notebook that are called as modules of Python's own kill neither the kernel nor a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = [
    "abc",
    "calendar",
    "code",
    "codecs",
    "collections",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "email",
    "enum",
    "functools",
    "glob",
    "html",
    "http",
    "inspect",
    "io",
    "json",
    "linecache",
    "logging",
    "math",
    "operator",
    "os",
    "platform",
    "queue",
    "random",
    "re",
    "secrets",
    "select",
    "signal",
    "socket",
    "ssl",
    "statistics",
    "string",
    "tempfile",
    "threading",
    "time",
    "token",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "uuid",
    "warnings",
    "xml",
]

#: The first task uses the library; the other fails, so that its error has to be shown.
CELLS = (
    "#%task(name=A)\nimport json\nresult = json.dumps([1])\n#%submit_job(name=good, wait=on)",
    "#%get_job_result(job_name=good, into=found)",
    "print(found)",
)
FAILING = "#%new_job()\n#%task(name=B)\n1 / 0\n#%submit_job(name=bad, wait=on)"


def test_a_folder_full_of_such_files(home: Path, start_kernel: Callable[..., Any]) -> None:
    """The kernel starts, runs a job, fetches its result and shows an error."""
    files = [home / f"{name}.py" for name in NAMES]
    for file in files:
        file.write_text("raise SystemError('this file must not be imported')\n")
    try:
        kernel = start_kernel()
        replies = [kernel.run(cell) for cell in CELLS]
        assert [reply.status for reply in replies] == ["ok"] * 3, replies
        assert "[1]" in replies[-1].stream()
        failed = kernel.run(FAILING)
        assert "ZeroDivisionError: division by zero" in str(failed.content), failed
    finally:
        for file in files:
            file.unlink()
