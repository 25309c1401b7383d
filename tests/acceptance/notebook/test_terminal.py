"""The same pragmas in IPython in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TYPED = """\
%load_ext proactive_jupyter_kernel
#%task(name=Answer,
  language=Python)
print("thinking")
result = 6 * 7

#%submit_job(name=Terminal, wait=on, print_result=on)
#%tsk(name=A)
%unload_ext proactive_jupyter_kernel
exit
"""


def test_session_in_a_terminal(home: Path) -> None:
    """A cell of several lines, a job waited for, its output and result, and an error, all as plain text."""
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        input=TYPED,
        capture_output=True,
        text=True,
        cwd=home,
        env={**os.environ, "TERM": "dumb"},
        timeout=60,
    )
    lines = done.stdout.split("\n")
    assert "Defined task Answer (Python)." in done.stdout
    assert "    thinking" in lines
    assert "Answer: 42" in lines
    # What cannot be replaced is printed twice: as the job started, and as it ended.
    assert sum(" Terminal  job " in line for line in lines) == 2
    assert "Did you mean #%task? #%help() lists all pragmas." in lines
    assert "Traceback" not in done.stdout + done.stderr
