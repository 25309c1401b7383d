"""Options of the Java machine, for the languages that run on one."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script

#: Joins the properties `given` and `added`.
SCRIPTS = {
    "groovy": (("groovy", "java"), 'println System.getProperty("given") + System.getProperty("added")'),
    "python": (
        ("jython", "java"),
        "from java.lang import System\nprint(System.getProperty('given') + System.getProperty('added'))",
    ),
    "scalaw": (("scala", "java"), 'println(System.getProperty("given") + System.getProperty("added"))'),
}
FORKS = {
    "javascript": "forkEnvironment.addJVMArgument('-Dadded=' + forkEnvironment.getJVMArguments().length)",
    "groovy": 'forkEnvironment.addJVMArgument("-Dadded=" + forkEnvironment.getJVMArguments().size())',
    "cpython": "forkEnvironment.addJVMArgument('-Dadded=%d' % len(forkEnvironment.getJVMArguments()))",
    "ruby": '$forkEnvironment.addJVMArgument("-Dadded=#{$forkEnvironment.getJVMArguments.size}")',
}


@pytest.mark.parametrize("language", SCRIPTS)
def test_the_options_of_the_fork_environment_count(bench: Any, require: Any, language: str) -> None:
    """Those of the workflow, and those that its script adds."""
    programs, code = SCRIPTS[language]
    require(*programs)
    fork = ForkEnvironment(
        jvm_arguments=("-Dgiven=from the workflow ",), script=Script(language="javascript", code=FORKS["javascript"])
    )
    run = bench.run(language, code, fork_environment=fork)
    assert (run.outcome.failure, run.out) == (None, "from the workflow 1\n")


@pytest.mark.parametrize("language", FORKS)
def test_scripts_of_every_language_add_options(bench: Any, require: Any, language: str) -> None:
    """They see those of the workflow."""
    require("groovy", "java", *({"ruby"} & {language}))
    fork = ForkEnvironment(jvm_arguments=("-Dgiven=x",), script=Script(language=language, code=FORKS[language]))
    run = bench.run("groovy", SCRIPTS["groovy"][1], fork_environment=fork)
    assert (run.outcome.failure, run.out) == (None, "x1\n")
