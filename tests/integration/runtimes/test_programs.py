"""Languages whose scripts are given to a program as they are: what it is called with, and what its end means."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import ForkEnvironment

#: A program that writes down how it was called, and ends as the file ``end`` in its folder says.
_FAKE = """#!{python}
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
call = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
call["files"] = {{name: open(name).read() for name in os.listdir(".")}}
with open(os.path.join(here, "calls"), "a") as file:
    file.write(json.dumps(call) + "\\n")
print("called with", *sys.argv[1:], flush=True)
{more}
"""


class Fake:
    """A program of that name, alone on the PATH."""

    def __init__(self, folder: Path, name: str, more: str = "") -> None:
        self.path = folder / name
        self.path.write_text(_FAKE.format(python=sys.executable, more=more))
        self.path.chmod(0o755)
        self.environment = ForkEnvironment(environment={"PATH": str(folder)})

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.path.parent / "calls").read_text().splitlines()]


def test_perl(bench: Any, require: Any) -> None:
    """Perl reads the environment, gets no arguments, answers by its exit code, and its errors name the task's line."""
    require("perl")
    code = (
        'print "$ENV{variables_X} $ENV{results_0} $ENV{args_1} ", scalar(@ARGV), "\\n";\nwarn "hm";\nexit 3 if $ENV{E};'
    )
    results = (ParentResult(task_name="A", task_id=0, value=RawValue.of({"k": "ü"})),)
    run = bench.run("perl", code, "a", "b", inherited={"X": "é"}, results=results)
    assert (run.out, run.err) == ("é {k=ü} b 0\n", "hm at <task T1> line 2.\n")
    assert (run.outcome.value, run.outcome.variables_set) == (0, {"EXIT_VALUE": 0})
    failed = bench.run("perl", code, fork_environment=ForkEnvironment(environment={"E": "1"}))
    assert failed.message == "Failed to execute task: Perl process execution has failed with exit code 3"


def test_php(bench: Any, require: Any) -> None:
    """PHP reads the environment and its arguments, and answers by its exit code."""
    require("php")
    run = bench.run("php", '<?php echo getenv("variables_X"), $argv[1], "\\n"; exit(3);', "a", inherited={"X": "é"})
    assert (run.out, run.message) == ("éa\n", "Failed to execute task: Script failed with exit code 3")
    assert run.outcome.variables_set == {"EXIT_VALUE": 3}


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment for a Windows of Wine's own making."""
    return {"WINEPREFIX": str(tmp_path_factory.mktemp("wine"))}


def test_windows(bench: Any, require: Any, wine: dict[str, str]) -> None:
    """Batch files and VBScript run, by Wine where there is no Windows, and read environment and arguments."""
    require("wine")
    environment = ForkEnvironment(environment=wine)
    batch = "echo %variables_X% %1 %results_0%\nif exist nothing.txt echo no\nexit 3"
    results = (ParentResult(task_name="A", task_id=0, value=RawValue.of([1, 2])),)
    run = bench.run("cmd", batch, "one", inherited={"X": "x"}, results=results, fork_environment=environment)
    assert (run.out, run.message) == ("x one [1, 2]\n", "Failed to execute task: Script failed with exit code 3")
    assert run.outcome.variables_set == {"EXIT_VALUE": 3}
    visual = 'Set env = CreateObject("WScript.Shell").Environment("Process")\nWScript.Echo env("variables_X")'
    run = bench.run("vbscript", visual, inherited={"X": "x"}, fork_environment=environment)
    assert (run.out, run.outcome.value) == ("x\n", 0), (run.outcome, run.lines)


@pytest.mark.parametrize(
    ("code", "result"),
    [("echo hi", 0), ("set X=1", 0), ("rem nothing", 0), ("if exist nothing.txt echo no", 0), ("exit /b 4", 4)],
)
def test_a_batch_file_ends_well_unless_it_says_otherwise(
    bench: Any, require: Any, wine: dict[str, str], code: str, result: int
) -> None:
    """The last command may leave ERRORLEVEL as it was before the script."""
    require("wine")
    run = bench.run("cmd", code, fork_environment=ForkEnvironment(environment=wine))
    assert run.outcome.variables_set == {"EXIT_VALUE": result}


def test_compose(bench: Any, tmp_path: Path) -> None:
    """A compose file lies in the local space with its references replaced; its containers go up and down again."""
    fake = Fake(tmp_path, "docker")
    information = {
        "docker-compose-options": "--profile test",
        "docker-compose-up-options": "--abort-on-container-exit --no-color",
        "TAG": "3",
    }
    text = "services:\n  a:\n    image: $IMAGE:${TAG}\n    command: echo $$HOME $UNKNOWN ${N}\n"
    run = bench.run(
        "docker-compose",
        text,
        inherited={"IMAGE": "büsy", "N": 5},
        generic_information=information,
        fork_environment=fake.environment,
    )
    up, down = fake.calls()
    options = ["compose", "--profile", "test", "-f", "docker-compose.yml"]
    assert up["words"] == [*options, "up", "--abort-on-container-exit", "--no-color"]
    assert down["words"] == [*options, "down"]
    assert up["files"] == {
        "docker-compose.yml": "services:\n  a:\n    image: büsy:3\n    command: echo $$HOME $UNKNOWN ${N}\n"
    }
    assert (up["environment"]["IMAGE"], up["environment"]["TAG"], "N" in up["environment"]) == ("büsy", "3", False)
    assert run.out.startswith("called with compose --profile test -f docker-compose.yml up")
    assert (run.outcome.value, run.outcome.variables_set) == (True, {"EXIT_VALUE": 0})


def test_compose_fails(bench: Any, tmp_path: Path) -> None:
    """The exit code of ``up`` is the task's; what it started is taken down all the same."""
    fake = Fake(tmp_path, "docker-compose", 'sys.exit(9 if "up" in sys.argv else 0)')
    options = {"docker-compose-options": "-p|my project", "docker-compose-options-split-regex": r"\|"}
    run = bench.run("docker-compose", "services: {}", generic_information=options, fork_environment=fake.environment)
    assert run.message == "Failed to execute task: Docker Compose has failed with exit code 9"
    assert [call["words"] for call in fake.calls()] == [
        ["-p", "my project", "-f", "docker-compose.yml", "up"],
        ["-p", "my project", "-f", "docker-compose.yml", "down"],
    ]


def test_powershell(bench: Any, tmp_path: Path) -> None:
    """PowerShell is told to run our harness on the stage's folder, where script and bindings lie as PowerShell."""
    more = (
        "folder = sys.argv[-1]\n"
        "found = {name: open(os.path.join(folder, name), encoding='utf-8').read() for name in os.listdir(folder)}\n"
        "open(os.path.join(here, 'stage'), 'w').write(json.dumps(found))\n"
        "report = {'values': {'result': [1, 'é']}, 'variablesSet': {'W': 1}}\n"
        "open(os.path.join(folder, 'report.json'), 'w').write(json.dumps(report))"
    )
    fake = Fake(tmp_path, "pwsh", more)
    run = bench.run(
        "powershell",
        "$result = $variables['X']",
        "one",
        inherited={"X": "it's “é”", "N": 2**40, "L": [[1]]},
        fork_environment=fake.environment,
    )
    (call,) = fake.calls()
    assert call["words"][:6] == ["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"]
    assert Path(call["words"][6]).name == "powershell.ps1"
    stage = json.loads((tmp_path / "stage").read_text())
    assert stage["T1.ps1"] == "\ufeff$result = $variables['X']"
    lines = stage["request.ps1"].splitlines()
    assert "$ProActiveMap1[[string] 'N'] = ([long]'1099511627776')" in lines
    assert "$ProActiveMap1[[string] 'L'] = ([object[]](,([object[]](,(1)))))" in lines
    assert "${ProActiveReturns} = ([object[]](,'result'))" in lines
    assert "${args} = ([object[]](,'one'))" in lines
    assert (run.outcome.value, run.outcome.variables_set) == ([1, "é"], {"W": 1})


@pytest.mark.parametrize(
    ("language", "name", "program", "advice"),
    [
        ("perl", "Perl", "'perl'", "install Perl"),
        ("ruby", "Ruby", "'ruby' or 'jruby'", "apt install ruby"),
        ("R", "R", "'Rscript'", "apt install r-base-core"),
        ("groovy", "Groovy", "'groovy'", "apt install groovy"),
        ("python", "Jython", "'jython'", "apt install jython"),
        ("scalaw", "Scalaw", "'scala'", "apt install scala"),
        ("powershell", "PowerShell", "'pwsh' or 'powershell'", "install PowerShell 7"),
        ("docker-compose", "DockerCompose", "'docker-compose' or 'docker'", "install Docker"),
        ("cmd", "Windows_Cmd", "'wine' or 'wine64'", "it comes with Windows"),
    ],
)
def test_missing_program(bench: Any, tmp_path: Path, language: str, name: str, program: str, advice: str) -> None:
    """A program that is not there is told before anything starts: its name, the language, how to get it."""
    run = bench.run(language, "1", fork_environment=ForkEnvironment(environment={"PATH": str(tmp_path)}))
    assert f"{program}, the program that runs {name} scripts, is not on this machine; " in run.message
    assert advice in run.message


def test_missing_java(bench: Any, tmp_path: Path) -> None:
    """A language of the Java machine needs Java as well, and says so."""
    fake = Fake(tmp_path, "groovy")
    environment = ForkEnvironment(environment={"PATH": str(tmp_path), "JAVA_HOME": "", "GROOVY_HOME": str(tmp_path)})
    assert (
        "Groovy's archives (groovy-*.jar) are not in" in bench.run("groovy", "1", fork_environment=environment).message
    )
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "groovy-4.0.1.jar").touch()
    message = bench.run("groovy", "1", fork_environment=environment).message
    assert "'java', the machine that Groovy scripts run on, is not on this machine; install a Java runtime" in message
    assert not (fake.path.parent / "calls").exists()


@pytest.mark.parametrize(("language", "name"), [("dockerfile", "DockerFile"), ("kubernetes", "Kubernetes")])
def test_languages_of_the_server_alone(bench: Any, language: str, name: str) -> None:
    """What only a ProActive server runs is refused by name."""
    message = bench.run(language, "x").message
    assert f"{name} scripts run on a ProActive server, not on the embedded scheduler" in message
