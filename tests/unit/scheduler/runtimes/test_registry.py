"""The table of runtimes and what each promises."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.runtimes import base, registry
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart
from proactive_jupyter_kernel.workflow import values
from proactive_jupyter_kernel.workflow.languages import by_engine

PYTHON = Path(base.__file__).parent / "harness" / "python"


def test_every_runtime_has_its_language() -> None:
    """Each engine stands in the table of languages, under the name that the runtime gives it."""
    for engine, runtime in registry.table().items():
        language = by_engine(engine)
        assert language is not None
        assert (runtime.language, language.engine) == (language, engine)


def test_aliases() -> None:
    """A runtime is found by every name that a workflow may use."""
    assert registry.runtime_for("Bash") is registry.runtime_for("sh") is registry.runtime_for("bash")
    assert registry.runtime_for("cpy") is registry.runtime_for("CPYTHON")


def test_unknown_language() -> None:
    """An unknown engine is refused with the nearest known one."""
    with pytest.raises(CannotStart, match=r"no script language is called 'bahs'\. Did you mean 'bash'"):
        registry.runtime_for("bahs")


def test_names_of_files() -> None:
    """A task's name becomes a file's name that every system takes."""
    assert [base.file_stem(name) for name in ("T#1*2", "größe", "", "a/../b")] == ["T_1_2", "gr__e", "script", "a____b"]


@pytest.mark.parametrize("path", [*sorted(PYTHON.glob("*.py")), Path(values.__file__)], ids=lambda path: path.name)
def test_harness_is_old_enough(path: Path) -> None:
    """What runs in a task's interpreter is written in the syntax of the oldest Python that may run tasks."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
