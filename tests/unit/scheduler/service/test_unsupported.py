"""What only a ProActive server does is named at submission."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.service.unsupported import unsupported
from proactive_jupyter_kernel.workflow.model import JavaClass, Script, SelectionScript, Task, Workflow


def codes(task: Task, libraries: Path) -> list[str]:
    return [problem.code for problem in unsupported(Workflow(name="w", tasks=(task,)), libraries)]


def task_of(code: str, language: str = "groovy") -> Task:
    return Task(name="A", executable=Script(language=language, code=code))


@pytest.mark.parametrize(
    ("code", "language", "found"),
    [
        ("import org.apache.commons.io.FileUtils\nFileUtils.touch(x)", "groovy", ["PA403"]),
        ("import org.apache.commons.io.FileUtils;\nprintln 1", "groovy", []),
        ("import org.apache.commons.io.FileUtils", "scalaw", ["PA403"]),
        ("import static com.google.common.base.Strings.repeat", "groovy", ["PA403"]),
        ("x = com.google.common.collect.ImmutableMap.of()", "scalaw", ["PA403"]),
        ("import org.apache.commons.io.*\nimport com.google.common.io.*", "groovy", ["PA403", "PA403"]),
        ("// import org.apache.commons.io.FileUtils\n/* com.google.common.io */", "groovy", []),
        ("import org.apache.commons.io.FileUtils", "cpython", []),
        ("import my.com.google.common.Thing", "groovy", []),
        ("schedulerapi.connect()", "groovy", ["PA404"]),
        ("userspaceapi . connect()\nuserspaceapi.listFiles('.', '*')\nrmapi.connect()", "cpython", ["PA404", "PA404"]),
        ("# schedulerapi.connect()", "cpython", []),
        ('echo \'it calls signalapi.waitFor\' "or \\" schedulerapi.connect"', "bash", []),
        ("u = 'http://host'; schedulerapi.connect()  // don't", "groovy", ["PA404"]),
        ("// schedulerapi.connect()", "groovy", []),
        ("println 'schedulerapi.connect()'\nself.schedulerapi.x", "groovy", []),
        ("signalapi.getJobSignals()\nsynchronizationapi.size('c')", "groovy", []),
        ("signalapi.getJobSignals()\nsynchronizationapi.size('c')", "scalaw", []),
        ("signalapi.getJobSignals()\nsynchronizationapi.size('c')", "javascript", ["PA404", "PA404"]),
        ("puts synchronizationapi.size('c')", "ruby", ["PA404"]),
        ("// signalapi.getJobSignals()\nx.signalapi.y", "javascript", []),
    ],
)
def test_what_a_script_needs(code: str, language: str, found: list[str], tmp_path: Path) -> None:
    """Libraries that are not installed, and clients that are not there; comments need nothing."""
    assert codes(task_of(code, language), tmp_path) == found


def test_an_installed_library_is_not_a_problem(tmp_path: Path) -> None:
    """In any version: a folder may hold archives that somebody else chose."""
    (tmp_path / "guava-31.1-jre.jar").touch()
    code = "import com.google.common.io.*\nimport org.apache.commons.io.*"
    problems = list(unsupported(Workflow(name="w", tasks=(task_of(code),)), tmp_path))
    assert [problem.message for problem in problems] == [
        "its script imports org.apache.commons.io, and the Java library commons-io is not installed"
    ]


def test_every_script_of_a_task_counts(tmp_path: Path) -> None:
    """Also those around it; each client is named once."""
    use = Script(language="groovy", code="schedulerapi.connect()")
    task = Task(
        name="A",
        executable=JavaClass(name="a.B"),
        pre=use,
        clean=use,
        run_as_me=True,
        selection=(SelectionScript(script=Script(language="groovy", code="rmapi.connect()")),),
    )
    assert codes(task, tmp_path) == ["PA401", "PA402", "PA404", "PA404"]


@pytest.mark.parametrize("text", ["\n", "/* ", '"\\\\', "'\\\\", "\n #"])
def test_a_long_script_is_read_in_linear_time(text: str, tmp_path: Path) -> None:
    """Squares of its length would be minutes, before anything of the workflow runs."""
    started = time.process_time()
    assert codes(task_of(text * 200_000 + "\nschedulerapi.connect()"), tmp_path) in (["PA404"], [])
    assert time.process_time() - started < 5
