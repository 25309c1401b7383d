"""What the help menu of a notebook shows for this kernel."""

from __future__ import annotations

from email.message import Message
from importlib import metadata

import pytest

from proactive_jupyter_kernel.notebook import kernel


def test_help_menu_shows_the_addresses_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """The links are those of pyproject.toml, in its order, whatever characters their addresses hold."""
    project = Message()
    project["Project-URL"] = "Documentation, https://docs.example/a, b"
    project["Project-URL"] = "Source, https://source.example"
    monkeypatch.setattr(metadata, "metadata", {"proactive-jupyter-kernel": project}.__getitem__)
    assert kernel._project_links() == [
        {"text": "ProActive Kernel: Documentation", "url": "https://docs.example/a, b"},
        {"text": "ProActive Kernel: Source", "url": "https://source.example"},
    ]


def test_help_menu_works_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that runs from its sources has no metadata, and starts."""

    def missing(name: str) -> Message:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)
    assert kernel._project_links() == []
