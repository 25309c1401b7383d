"""``python -m proactive_jupyter_kernel`` is ``proactive-kernel``."""

from proactive_jupyter_kernel.cli import main

if __name__ == "__main__":
    main()
