"""What tasks leave in their folders is removed, whatever it is, and nothing else."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

from proactive_jupyter_kernel.scheduler.nodes.removal import remove
from proactive_jupyter_kernel.scheduler.nodes.scratch import NodeFolder, Scratch


def test_tree_deeper_than_stack_and_paths(tmp_path: Path) -> None:
    """A tree is removed that has more levels than Python has stack frames, and longer paths than the system takes."""
    here = Path.cwd()
    limit = sys.getrecursionlimit()
    try:
        os.chdir(tmp_path)
        for _ in range(100):
            os.mkdir("d" * 60)
            os.chdir("d" * 60)
        Path("file").touch()
        os.chdir(tmp_path)
        sys.setrecursionlimit(len(inspect.stack()) + 60)
        remove(tmp_path / ("d" * 60))
    finally:
        sys.setrecursionlimit(limit)
        os.chdir(here)
    assert list(tmp_path.iterdir()) == []


def test_what_a_task_locked(tmp_path: Path) -> None:
    """Folders that the task made unreadable, and names that no text has, are removed."""
    inner = tmp_path / "task" / "inner"
    inner.mkdir(parents=True)
    (inner / os.fsdecode(b"\xff\n")).touch()
    for folder in (inner, inner.parent):
        folder.chmod(0)
    remove(tmp_path / "task")
    assert list(tmp_path.iterdir()) == []


def test_links_to_files_of_the_user(tmp_path: Path) -> None:
    """Where a task puts a link in the place of a folder of the node, what the link leads to stays."""
    user = tmp_path / "user"
    (user / "inner").mkdir(parents=True)
    (user / "file").touch()
    node = NodeFolder(tmp_path / "scratch", "node-0")
    node.root.mkdir()
    for number, replaced in enumerate(("local", "control", "control/main", "local/link")):
        scratch = Scratch(node, str(number))
        scratch.create()
        remove(scratch.folder / replaced)
        (scratch.folder / replaced).symlink_to(user)
        scratch.remove(keep=True)
    assert sorted(path.name for path in user.iterdir()) == ["file", "inner"]
    assert sorted(str(path.relative_to(node.root)) for path in node.root.rglob("*")) == [
        "node-0",
        "node-0/control",
        "node-0/control/main",
        "node-0/local",
    ]
