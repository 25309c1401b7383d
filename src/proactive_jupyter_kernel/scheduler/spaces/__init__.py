"""Data spaces: their folders, and the files that are copied between them and tasks."""
