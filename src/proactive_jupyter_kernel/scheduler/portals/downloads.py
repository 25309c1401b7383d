"""Files that a browser saves instead of showing them."""

from __future__ import annotations

import re
from urllib.parse import quote

__all__ = ["attachment"]


def attachment(name: str) -> dict[str, str]:
    """The header of a file of that name; browsers that read no other characters get the name in ASCII."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
