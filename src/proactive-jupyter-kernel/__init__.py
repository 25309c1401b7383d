"""Lets ``python -m proactive-jupyter-kernel.install`` work to the letter; the kernel itself is `proactive_jupyter_kernel`."""
