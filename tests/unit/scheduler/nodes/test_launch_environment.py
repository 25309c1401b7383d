"""What a fork environment asks for, and the command that comes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from proactive_jupyter_kernel.scheduler.nodes.launch_environment import LaunchEnvironment, folder_of, words
from proactive_jupyter_kernel.scheduler.runtimes.bindings import Bindings
from proactive_jupyter_kernel.scheduler.runtimes.stage import CannotStart, Launch, Stage, StageKind, StageReport
from proactive_jupyter_kernel.workflow.model import Script


def stage(folder: Path) -> Stage:
    script = Script(language="bash")
    return Stage(
        kind=StageKind.MAIN,
        task_name="T",
        script=script,
        bindings=Bindings(),
        folder=folder,
        environment={"PATH": "/usr/bin:/bin"},
        in_container=True,
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker run  --rm image", ("docker", "run", "--rm", "image")),
        ("docker run -v '/a b:/c' image", ("docker", "run", "-v", "/a b:/c", "image")),
        (["docker", "run it"], ("docker", "run it")),
        ("it's", ("it's",)),
        ("", ()),
    ],
)
def test_words(command: object, expected: tuple[str, ...]) -> None:
    """``preJavaHomeCmd`` is split at blanks, quotes keep together; a list is its words."""
    assert words(command) == expected


def test_script_changes_what_the_workflow_says() -> None:
    """What the script reports wins; ``preJavaHomeCmd`` wins over ``setPreJavaCommand``; the rest stays."""
    start = LaunchEnvironment(working_dir="/w", environment={"A": "1", "B": "2"})
    report = StageReport(
        values={"preJavaHomeCmd": "podman run x"},
        fork_environment={"systemEnvironment": {"B": "3", "C": "4"}, "preJavaCommand": ["docker"]},
    )
    assert start.changed_by(report) == LaunchEnvironment(
        working_dir="/w", environment={"A": "1", "B": "3", "C": "4"}, prefix=("podman", "run", "x")
    )
    assert start.changed_by(StageReport(fork_environment={"preJavaCommand": ["nice"]})).prefix == ("nice",)
    assert start.changed_by(StageReport()) == start


def test_no_prefix(tmp_path: Path) -> None:
    """Without a prefix the command is the program and its arguments."""
    assert LaunchEnvironment().command(stage(tmp_path), Launch(programs=("/bin/p",), arguments=("a",))) == (
        "/bin/p",
        "a",
    )


def test_prefix(tmp_path: Path) -> None:
    """With one, a shell script in the stage's folder sets the environment and takes the first program there is."""
    launch_environment = LaunchEnvironment(prefix=("nice",), environment={"Q": "it's\n'quoted'", "a.b": "odd one"})
    launch = Launch(programs=("/no/such/python", "env"), arguments=("-0",), environment={"X": "x"})
    command = launch_environment.command(stage(tmp_path), launch)
    assert command == ("nice", "/bin/sh", str(tmp_path / "start.sh"), "-0")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"Q=it's\n'quoted'", "X=x", "a.b=odd one"} < set(done.stdout.split("\0"))


def test_no_program_inside(tmp_path: Path) -> None:
    """Where none of the programs is inside, that is said."""
    command = LaunchEnvironment(prefix=("env",)).command(stage(tmp_path), Launch(programs=("/no/python", "no-python3")))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (127, "Inside the container there is no /no/python and no no-python3.\n")


def test_prefix_that_is_not_installed(tmp_path: Path) -> None:
    """A first word that is no program here is refused by name."""
    with pytest.raises(CannotStart, match="'no-docker', the first word of the command"):
        LaunchEnvironment(prefix=("no-docker",)).command(stage(tmp_path), Launch(programs=("sh",)))


def test_folder() -> None:
    """A relative working directory starts at the local space."""
    local = Path("/local")
    assert [folder_of(LaunchEnvironment(working_dir=name), local) for name in ("", "sub", "/abs")] == [
        Path("/local"),
        Path("/local/sub"),
        Path("/abs"),
    ]
