"""How Jupyter starts the kernel: ``python -P -m proactive_jupyter_kernel.notebook -f CONNECTION_FILE``.

Without ``-P`` a file typing.py or types.py beside the notebook would replace Python's own before this file is reached.
"""

import sys
from pathlib import Path


def main() -> None:
    """Run a kernel until it is shut down."""
    # For starts without ``-P``. IPython puts the folder onto the path for the notebook's code, after Python's own.
    if sys.path and (sys.path[0] == "" or Path(sys.path[0]) == Path.cwd()):
        del sys.path[0]

    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(kernel_class="proactive_jupyter_kernel.notebook.kernel.ProActiveKernel")


if __name__ == "__main__":
    main()
