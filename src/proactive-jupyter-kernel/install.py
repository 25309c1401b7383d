"""``python -m proactive-jupyter-kernel.install`` is ``proactive-kernel install``, with the same options."""

import sys

from proactive_jupyter_kernel.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "install")
    main()
