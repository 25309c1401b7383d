"""`make lab` works on a copy of the examples."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "lab.py"


@pytest.fixture
def lab() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples"
    folder.mkdir()
    for name in ("loop.ipynb", "branch.ipynb", "README.md", "demo.py"):
        (folder / name).write_text(f"{name} 1")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.name[0] != "."}


def test_copy_has_the_notebooks_and_the_page_about_them(lab: ModuleType, examples: Path, tmp_path: Path) -> None:
    """The script of `make demo` is no example to open."""
    kept = lab.refresh(examples, tmp_path / "build" / "lab")
    assert (kept, contents(tmp_path / "build" / "lab")) == (
        [],
        {"README.md": "README.md 1", "branch.ipynb": "branch.ipynb 1", "loop.ipynb": "loop.ipynb 1"},
    )


def test_changed_copies_are_kept_and_the_others_follow_the_examples(
    lab: ModuleType, examples: Path, tmp_path: Path
) -> None:
    """A user's work is never overwritten, and an example that changed is copied again."""
    copy = tmp_path / "copy"
    lab.refresh(examples, copy)
    (copy / "loop.ipynb").write_text("mine")
    (copy / "README.md").unlink()
    for path in examples.iterdir():
        path.write_text(f"{path.name} 2")
    kept = [lab.refresh(examples, copy), lab.refresh(examples, copy)]
    assert (kept, contents(copy)) == (
        [["loop.ipynb"], ["loop.ipynb"]],
        {"README.md": "README.md 2", "branch.ipynb": "branch.ipynb 2", "loop.ipynb": "mine"},
    )


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no root on this platform")
def test_root_gets_the_option_that_jupyterlab_asks_for(lab: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may run JupyterLab; others get no option that they did not ask for."""
    options = []
    for user in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        options.append(lab.root_options())
    assert options == [["--allow-root"], []]
