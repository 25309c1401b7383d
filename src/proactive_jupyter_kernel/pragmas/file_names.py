"""The names of files that are named after jobs. Pure."""

from __future__ import annotations

import re

__all__ = ["safe_file_name"]


def safe_file_name(name: str) -> str:
    """A job's name as a file's name: a job may be called what no file can."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", name).strip(". ") or "job"
