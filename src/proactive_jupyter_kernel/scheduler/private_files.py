"""Files with secrets: written whole, in one step, and readable for this user alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["write"]


def write(path: Path, text: str) -> None:
    """Replace the file, so that a reader gets the old text or the new one; raises OSError, and then changes nothing."""
    # mkstemp makes the file with mode 0600, and replacing is atomic.
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
