"""The reference kernel, unmodified, against the embedded scheduler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.timeout(400)
def test_every_pragma_of_the_reference_kernel_works(
    client: Callable[[str], Any], scheduler: Any, tmp_path: Path
) -> None:
    """The notebook of programs/reference_kernel.py, whose one broken import programs/kernel_launcher.py mends."""
    kernel = client("kernel")
    folder = tmp_path / "work"
    folder.mkdir()
    cells = kernel.calls("reference_kernel.py", scheduler.url, folder)
    assert [row for row in cells if not row["right"]] == []
    assert len(cells) >= 70
