"""A disk that is full at any one of a node's writes: the node's failure, and never the task's."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.executors.giver import Giver

from proactive_jupyter_kernel.scheduler.attempt import FailureKind
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses the templates")

#: Events of `sys.addaudithook` that need space.
_WRITES = frozenset(("os.mkdir", "os.rename", "os.truncate", "os.link", "os.symlink"))


class Disk:
    """Refuses the n-th write below a folder, as a full disk does. Audit hooks cannot be removed, so there is one."""

    def __init__(self) -> None:
        self.folder = ""
        self.left = 0
        self.refused: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder or not (event in _WRITES or (event == "open" and _writes(arguments))):
            return
        path = next((str(value) for value in arguments if isinstance(value, str | os.PathLike)), "")
        if path.startswith(self.folder):
            self.left -= 1
            if self.left == 0:
                self.refused.append(f"{event} {path}")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


_disk = Disk()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    yield _disk
    _disk.folder = ""


TASKS: dict[str, dict[str, Any]] = {
    "Python": {},
    "bash": {"main": Script(language="bash", code="echo 1 > file")},
    "scripts around it": {
        "pre": Script(language="cpython", code="print(1)"),
        "main": Script(language="bash", code="exit 0"),
        "post": Script(language="bash", code="exit 0"),
        "clean": Script(language="cpython", code="print(2)"),
    },
    "environment": {"fork_environment": ForkEnvironment(script=Script(language="cpython", code="pass"))},
}


@pytest.mark.parametrize("kind", TASKS)
def test_disk_that_is_full_at_any_write(giver: Giver, disk: Disk, tmp_path: Path, kind: str) -> None:
    """The task ended well all the same, or runs again and its failure says why; the node's next task ends well."""
    giver.run("result = 0")
    number, ends = 0, []
    while True:
        number += 1
        disk.refused.clear()
        disk.left, disk.folder = number, str(tmp_path)
        failure = giver.run("result = 1", number=number, **TASKS[kind]).failure
        disk.folder = ""
        if not disk.refused:
            break
        said = failure is None or "no space left on the node" in failure.message
        ends.append((*disk.refused, failure and (failure.kind, said)))
        assert giver.run("result = 2", number=1000 + number).value == 2
    assert number > 1
    assert [end for end in ends if end[-1] not in (None, (FailureKind.LOST, True))] == []
