"""How Jupyter starts the kernel: ``python -m proactive_jupyter_kernel.notebook -f CONNECTION_FILE``."""

import sys
from pathlib import Path


def main() -> None:
    """Run a kernel until it is shut down."""
    # A file random.py beside the notebook must not replace Python's own while the kernel is being loaded; IPython puts
    # the folder back onto the path for the notebook's code. ipykernel_launcher does the same.
    if sys.path and (sys.path[0] == "" or Path(sys.path[0]) == Path.cwd()):
        del sys.path[0]

    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(kernel_class="proactive_jupyter_kernel.notebook.kernel.ProActiveKernel")


if __name__ == "__main__":
    main()
