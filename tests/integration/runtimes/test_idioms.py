"""The lines that the pragmas put around a task's code, for import and export, in the languages that run them."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.pragmas.idioms import IDIOMS

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


@pytest.mark.parametrize("engine", CODE)
def test_import_and_export(bench: Any, require: Any, engine: str) -> None:
    """What a task imports is bound before its code, what it exports is in the variables afterwards."""
    programs, code = CODE[engine]
    require(*programs)
    idiom = IDIOMS[engine]
    script = "\n".join([idiom.taking(["given"]), code, idiom.sending(["made"], "T1")])
    run = bench.run(engine, script, inherited={"given": "ü"})
    assert run.outcome.failure is None, run.err
    assert run.outcome.variables_set["made"] == "üé"


@pytest.mark.parametrize("engine", ["cpython", "javascript", "groovy", "python", "ruby", "R"])
def test_export_of_what_was_never_set(bench: Any, require: Any, engine: str) -> None:
    """To export what the code never set is an error that names the task and the variable."""
    require(*CODE[engine][0])
    run = bench.run(engine, IDIOMS[engine].sending(["made"], "T1"))
    assert "Task 'T1' exports the variable 'made', but its code never sets it." in run.message
