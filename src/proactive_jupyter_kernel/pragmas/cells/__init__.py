"""Whole cells: their plan, plain cells that become tasks, cells read without a kernel, cells made of a workflow."""
