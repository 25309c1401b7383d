"""The portals below the address of a Jupyter server, through jupyter-server-proxy (the extra ``hub``).

jupyter-server-proxy reads `server` from the entry point ``jupyter_serverproxy_servers``, shows the icon in JupyterLab's
launcher, and starts the process of `proxy.py` for the first request to ``BASE_URL/proactive/``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["server"]

#: Seconds for the process to listen; on a busy machine it takes some to import what it needs.
_START_TIMEOUT = 30
_ICON = Path(__file__).parents[1] / "notebook" / "resources" / "logo-svg.svg"


def server() -> dict[str, Any]:
    """What jupyter-server-proxy needs to know (its ``ServerProcess``)."""
    return {
        "command": [sys.executable, "-m", "proactive_jupyter_kernel.hub", "{unix_socket}"],
        # Only this user can connect to it; the Jupyter server has checked who asks.
        "unix_socket": True,
        "absolute_url": False,
        "timeout": _START_TIMEOUT,
        "new_browser_tab": True,
        # JupyterLab shows a picture of one's own in this category alone.
        "launcher_entry": {
            "enabled": True,
            "title": "ProActive portal",
            "icon_path": str(_ICON),
            "category": "Notebook",
        },
    }
