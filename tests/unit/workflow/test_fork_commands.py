"""What authors write as ``preJavaHomeCmd``, in the form that servers read."""

from __future__ import annotations

from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.fork_commands import LINES, with_commands_added
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, Task, Workflow


def workflow(*scripts: Script | None) -> Workflow:
    return Workflow(
        name="job",
        tasks=tuple(
            Task(
                name=f"T{number}",
                executable=Script(language="bash"),
                fork_environment=ForkEnvironment(working_dir="w", script=script),
            )
            for number, script in enumerate(scripts)
        ),
    )


class Environment:
    """Notes the words."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def addPreJavaCommand(self, word: str) -> None:
        self.words.append(word)


def sent(script: Script) -> str:
    (task,) = with_commands_added(workflow(script)).tasks
    assert task.fork_environment is not None
    assert task.fork_environment.working_dir == "w"
    assert task.fork_environment.script is not None
    return task.fork_environment.script.code


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("preJavaHomeCmd = 'nice -n 10'", ["nice", "-n", "10"]),
        ("""preJavaHomeCmd = 'env "a b=c d" x'""", ["env", "a b=c d", "x"]),
        ("preJavaHomeCmd = ['env', 'a b']", ["env", "a b"]),
        ("preJavaHomeCmd = ''", []),
        ("if False:\n    preJavaHomeCmd = 'x'", []),
        ("preJavaHomeCmd = None\n", []),
    ],
)
@pytest.mark.parametrize("engine", ["cpython", "python"])
def test_words_of_a_python_script(code: str, words: list[str], engine: str) -> None:
    """Split at blanks, quotes kept together; a list is its words; nothing where it is never set."""
    scope: dict[str, Any] = {"forkEnvironment": Environment()}
    exec(sent(Script(language=engine, code=code)), scope)
    assert scope["forkEnvironment"].words == words


@pytest.mark.parametrize("engine", ["groovy", "javascript", "js", "ruby", "Groovy"])
def test_lines_come_behind_the_script(engine: str) -> None:
    """So that the lines of the script keep their numbers; once, however often a workflow is sent."""
    code = sent(Script(language=engine, code="preJavaHomeCmd = 'x'\n"))
    assert code.startswith("preJavaHomeCmd = 'x'\n")
    assert code.removeprefix("preJavaHomeCmd = 'x'") in LINES.values()
    assert sent(Script(language=engine, code=code)) == code


@pytest.mark.parametrize(
    "script",
    [
        None,
        Script(language="bash", code="preJavaHomeCmd=nice"),
        Script(language="groovy", code="forkEnvironment.addPreJavaCommand('nice')"),
        Script(language="groovy", code="mypreJavaHomeCmds = 1"),
        Script(language="", url="http://host/fork.groovy"),
    ],
)
def test_other_workflows_stay(script: Script | None) -> None:
    """No script of theirs sets the variable."""
    before = workflow(script)
    assert with_commands_added(before) is before
