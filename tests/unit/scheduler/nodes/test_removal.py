"""What tasks leave in their folders is removed, whatever it is, and nothing else."""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def plain_folder() -> Iterator[Path]:
    """A folder of a user who is not the administrator, for whom rights would not count; the test runs as that user."""
    with tempfile.TemporaryDirectory() as name:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
            try:
                yield Path(name)
            finally:
                os.seteuid(0)
        else:
            yield Path(name)


@pytest.mark.parametrize("mode", [0, 0o500])
def test_what_a_task_locked(plain_folder: Path, mode: int) -> None:
    """Folders from which the task took the right to read or to write, and names that no text has, are removed."""
    inner = plain_folder / "task" / "inner"
    inner.mkdir(parents=True)
    (inner / os.fsdecode(b"\xff\n")).touch()
    for folder in (inner, inner.parent):
        folder.chmod(mode)
    remove(plain_folder / "task")
    assert list(plain_folder.iterdir()) == []


def test_scratch_without_the_right_to_write(plain_folder: Path) -> None:
    """A task that takes the right to write from the folder of all tasks does not spoil the next one."""
    node = NodeFolder(plain_folder / "scratch", "node-0")
    node.root.mkdir()
    node.root.chmod(0o500)
    Scratch(node, "2").create()
    assert (node.root / "2" / "local").is_dir()


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
