"""Completion and inspection, both from the registry and the draft."""
