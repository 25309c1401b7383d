"""Lets ``python -m proactive-jupyter-kernel.install`` work to the letter; `proactive_jupyter_kernel` is the kernel."""
