"""``python -m proactive_jupyter_kernel.hub SOCKET``: the proxy, until jupyter-server-proxy ends it."""

from __future__ import annotations

import sys

import uvicorn

from proactive_jupyter_kernel.hub.proxy import PortalProxy


def main() -> None:
    """Listen on the socket of the file system that the command line names."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m proactive_jupyter_kernel.hub SOCKET")
    uvicorn.run(
        PortalProxy(),
        uds=sys.argv[1],
        log_level="warning",
        lifespan="off",
        # The Jupyter server ends it; streams of events must not hold it up.
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
