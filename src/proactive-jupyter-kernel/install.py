"""``python -m proactive-jupyter-kernel.install`` is ``proactive-kernel install``, with the same options."""

import sys

from proactive_jupyter_kernel.cli import main

if __name__ == "__main__":
    main(["install", *sys.argv[1:]], prog_name="proactive-kernel")
