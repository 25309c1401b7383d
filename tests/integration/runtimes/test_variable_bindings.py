"""The lines that the pragmas put around a task's code, for import and export, in the languages that run them."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.languages import by_engine
from proactive_jupyter_kernel.workflow.variable_bindings import VariableBinding

#: Engine -> its programs, and code that sets ``made`` to ``given`` and a bit more.
CODE = {
    "cpython": ((), "made = given + 'é'"),
    "javascript": ((), "var made = given + 'é';"),
    "groovy": (("groovy", "java"), "made = given + 'é'"),
    "python": (("jython", "java"), "made = given + u'é'"),
    "ruby": (("ruby",), "made = given + 'é'"),
    "R": (("Rscript",), "made <- paste0(given, 'é')"),
    "scalaw": (("scala", "java"), 'val made = given + "é"'),
}


def binding_of(engine: str) -> VariableBinding:
    """The binding in the row of a language."""
    language = by_engine(engine)
    assert language is not None
    assert language.binding is not None
    return language.binding


@pytest.mark.parametrize("engine", CODE)
def test_import_and_export(bench: Any, require: Any, engine: str) -> None:
    """What a task imports is bound before its code, what it exports is in the variables afterwards."""
    programs, code = CODE[engine]
    require(*programs)
    binding = binding_of(engine)
    script = "\n".join([binding.imports(["given"]), code, binding.exports(["made"], "T1")])
    run = bench.run(engine, script, inherited={"given": "ü"})
    assert run.outcome.failure is None, run.err
    assert run.outcome.variables_set["made"] == "üé"


@pytest.mark.parametrize("engine", ["cpython", "javascript", "groovy", "python", "ruby", "R"])
def test_export_of_what_was_never_set(bench: Any, require: Any, engine: str) -> None:
    """To export what the code never set is an error that names the task and the variable."""
    require(*CODE[engine][0])
    run = bench.run(engine, binding_of(engine).exports(["made"], "T1"))
    assert "Task 'T1' exports the variable 'made', but its code never sets it." in run.message
