"""Lets ``python -m proactive-jupyter-kernel.install`` work to the letter; the kernel is in `proactive_jupyter_kernel`."""
