"""The name of the user of this process. All houses may import it; it imports none of them."""

from __future__ import annotations

import getpass
import os

__all__ = ["user_name"]


def user_name() -> str:
    """The login name; `uid-1000` where the system has none for the user, as in containers that run as any number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # before Python 3.13 a KeyError
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "user"
