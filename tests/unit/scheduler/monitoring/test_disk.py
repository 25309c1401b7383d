"""A disk that is nearly full is warned of before it is full."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from proactive_jupyter_kernel.scheduler.monitoring.disk import DiskWatch, space_of

GIB = 1024**3


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_log_warns_once_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not of a small disk with a tenth free; again after there was room."""
    watch = DiskWatch(tmp_path)
    told = []
    for free, total in ((50 * GIB, 100 * GIB), (GIB // 2, 100 * GIB), (0, 100 * GIB), (2 * GIB, 100 * GIB), (9, 50)):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, f=free, t=total: Usage(t, t - f, f))
        watch.look()
        told.append(len(caplog.records))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(50, 46, 4))
    watch.look()
    assert (told, len(caplog.records)) == ([0, 1, 1, 1, 1], 2)
    assert caplog.records[0].levelno == logging.WARNING
    assert "is nearly full: 512 MiB free." in caplog.text


def test_a_folder_that_is_gone_has_no_space_to_tell(tmp_path: Path) -> None:
    """None, not an error: that the folder is gone is noticed elsewhere."""
    assert space_of(tmp_path / "gone") is None
