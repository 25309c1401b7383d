"""What a ProActive server does and the embedded scheduler does not: named at submission, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from proactive_jupyter_kernel.scheduler import java_libraries
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.model import JavaClass, Script, Task, Workflow

__all__ = ["unsupported"]

#: Languages that see the libraries of the Java machine.
_JAVA = ("groovy", "scalaw")
#: A use of a Java client, not the declaration of a variable of the same name.
_CLIENT = re.compile(r"(?<![\w.'\"$])(schedulerapi|rmapi|userspaceapi|globalspaceapi)\s*\.\s*\w")
#: The same for channels and signals, and the languages that have them here.
_CHANNELS = re.compile(r"(?<![\w.'\"$])(synchronizationapi|signalapi)\s*\.\s*\w")
_WITH_CHANNELS = ("groovy", "python", "scalaw", "cpython")
#: Comments, and texts within a line: what a script only mentions, it does not use. Every start of one is a match, so
#: that the time stays linear.
_MENTION = re.compile(
    r"""(?m)"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|//[^\n]*|/\*.*?(?:\*/|\Z)|^[^\S\n]*#[^\n]*""",
    re.DOTALL,
)


def unsupported(workflow: Workflow, libraries: Path) -> Iterator[Problem]:
    """The problems of a workflow; `libraries` is the folder of the Java libraries that are installed."""
    for task in workflow.tasks:
        if isinstance(task.executable, JavaClass):
            yield Problem(
                code="PA401",
                message=f"it is the Java class {task.executable.name}, and the embedded scheduler runs no Java classes",
                task=task.name,
                explanation="Submit the workflow to a ProActive server, or write the task as a script.",
            )
        if task.run_as_me is True:
            yield Problem(
                code="PA402",
                message="it asks to run under its owner's account (runAsMe), and the embedded scheduler has no "
                "accounts",
                task=task.name,
                explanation="Here every task runs as your user: leave runAsMe out, or submit the workflow to a "
                "ProActive server.",
            )
        yield from _of_scripts(task, libraries)


def _of_scripts(task: Task, libraries: Path) -> Iterator[Problem]:
    clients: dict[str, None] = {}
    channels: dict[tuple[str, str], None] = {}
    wanted: dict[str, str] = {}
    for script in _scripts(task):
        # Few scripts hold one of the names at all.
        if "api" in script.code:
            code = _MENTION.sub("", script.code)
            clients.update(dict.fromkeys(_CLIENT.findall(code)))
            if script.language not in _WITH_CHANNELS:
                channels.update(dict.fromkeys((name, script.language) for name in _CHANNELS.findall(code)))
        if script.language in _JAVA:
            code = java_libraries.without_unused_imports(script.code) if script.language == "groovy" else script.code
            wanted.update({each.package: each.name for each in java_libraries.missing(code, libraries)})
    for client in clients:
        yield Problem(
            code="PA404",
            message=f"its script uses {client}, a Java client that only a ProActive server has",
            task=task.name,
            explanation="Submit the workflow to a ProActive server; files of the data spaces are in the folders "
            "userspace and globalspace here.",
        )
    for name, language in channels:
        yield Problem(
            code="PA404",
            message=f"its script uses {name}, which {language} scripts have only on a ProActive server",
            task=task.name,
            explanation="Write the script in Groovy, Jython, Scala or Python, or submit the workflow to a ProActive "
            "server.",
        )
    for package, name in wanted.items():
        yield Problem(
            code="PA403",
            message=f"its script imports {package}, and the Java library {name} is not installed",
            task=task.name,
            explanation="Run `proactive-kernel scheduler java-libraries`, then submit the workflow again.",
        )


def _scripts(task: Task) -> Iterator[Script]:
    """All scripts of a task whose text the workflow has."""
    fork = task.fork_environment
    flow = getattr(task.flow, "script", None)
    main = task.executable if isinstance(task.executable, Script) else None
    selection = [entry.script for entry in task.selection]
    for script in (main, task.pre, task.post, task.clean, flow, fork.script if fork else None, *selection):
        if script is not None and script.code:
            yield script
