"""A template that dies, and what it leaves to its node."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from proactive_jupyter_kernel.scheduler.nodes.loop import Loop
from proactive_jupyter_kernel.scheduler.nodes.template import Template


@pytest.mark.skipif(os.name != "posix", reason="templates fork")
def test_sweep_waits_for_the_end_of_a_lost_template(tmp_path: Path) -> None:
    """A template's channel ends before its process does; only then its orphans belong to the node, which looks next."""
    dying = tmp_path / "python-dying"
    dying.write_text(f"#!{sys.executable}\nimport os, sys, time\nos.close(int(sys.argv[3]))\ntime.sleep(0.3)\n")
    dying.chmod(0o755)
    loop = Loop()
    template = Template(loop, str(dying), dict(os.environ))
    while not template.dead:
        loop.turn(5.0)
    assert psutil.pid_exists(template.pid)
    template.sweep()
    assert not psutil.pid_exists(template.pid)
