"""Fork environments: variables, working directory, and a command in front that really encloses the task."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script

#: The whole system to read, the attempt's folder to write, a /tmp of its own: what is outside shows only if mounted.
BWRAP = (
    "bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs {hidden} --bind {local} {local} --chdir {local} "
    "--die-with-parent --unshare-pid"
)


def fork(code: str = "", language: str = "cpython", **fields: Any) -> ForkEnvironment:
    return ForkEnvironment(script=Script(language=language, code=code) if code else None, **fields)


def test_environment_and_folder(lab: Any, tmp_path: Path) -> None:
    """The environment and the working directory are those that the workflow names, references resolved."""
    environment = fork(environment={"X": "é", "L": "${localspace}/x"}, working_dir=str(tmp_path))
    run = lab.run(
        "result = [os.environ['X'], os.environ['L'] == localspace + '/x', os.getcwd()]", fork_environment=environment
    )
    assert run.value == ["é", True, str(tmp_path)]
    assert lab.run('echo "$X $PWD"', "bash", fork_environment=environment).out == f"é {tmp_path}\n"


def test_path_of_the_node_is_extended(labs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``$PATH`` is the node's; a Python in a folder that is added to it runs the task. Unknown names stay."""
    monkeypatch.setenv("NODE_HAS", "it")
    lab = labs()
    own = tmp_path / "python3"
    own.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nexec {sys.executable} "$@"\n')
    own.chmod(0o755)
    environment = fork(environment={"PATH": f"{tmp_path}:$PATH", "X": "${NODE_HAS} $NOBODY_HAS"})
    run = lab.run("result = [os.environ['PATH'], os.environ['X']]", fork_environment=environment)
    assert run.value == [f"{tmp_path}:{os.environ['PATH']}", "it $NOBODY_HAS"]
    assert (tmp_path / "used").exists()
    assert lab.run('echo "$PATH"', "bash", fork_environment=environment).out == f"{tmp_path}:{os.environ['PATH']}\n"
    kept = fork(environment={"PATH": f"{tmp_path / 'empty'}:$PATH"})
    assert lab.run("import sys\nresult = sys.executable", fork_environment=kept).value == sys.executable


def test_environment_of_the_interpreter(lab: Any, tmp_path: Path) -> None:
    """Variables that an interpreter reads when it starts have their effect."""
    (tmp_path / "from_path.py").write_text("x = 1")
    environment = fork(environment={"PYTHONPATH": str(tmp_path), "PYTHONHASHSEED": "1"})
    code = "import from_path\nresult = [from_path.x, hash('a')]"
    first, second = (lab.run(code, fork_environment=environment).value for _ in range(2))
    assert first == second
    assert first[0] == 1


def test_missing_folder(lab: Any) -> None:
    """A working directory that is not there fails the task by name."""
    assert (
        "its working directory /no/such/folder is not a folder"
        in lab.run("", fork_environment=fork(working_dir="/no/such/folder")).message
    )


def test_script_changes_the_environment(lab: Any, tmp_path: Path) -> None:
    """The script's ``forkEnvironment`` reads what the workflow says and changes it; its output is in the task's log."""
    code = (
        "print('preparing', forkEnvironment.getSystemEnvironmentVariable('A'))\n"
        "forkEnvironment.addSystemEnvironmentVariable('B', variables['V'])\n"
        f"forkEnvironment.setWorkingDir({str(tmp_path)!r})\nforkEnvironment.addJVMArgument('-Xmx1g')"
    )
    run = lab.run(
        "result = [os.environ['A'], os.environ['B'], os.getcwd()]",
        fork_environment=fork(code, environment={"A": "a"}),
        inherited={"V": "v"},
    )
    assert (run.value, run.out) == (["a", "v", str(tmp_path)], "preparing a\n")


def test_script_fails(lab: Any) -> None:
    """A fork environment script that fails fails the task; none of its scripts runs."""
    run = lab.run("print('main')", fork_environment=fork("1 / 0"), flow=lab.flow("runs", "print('flow')\nruns = 1"))
    assert run.message.startswith("Failed to execute fork environment script: ")
    assert (run.out, run.outcome.flow_decided) == ("", False)


def test_prefix_gets_the_words(lab: Any, tmp_path: Path) -> None:
    """The words before the command are split at blanks, quotes kept together, and the task runs behind them."""
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\nfor word in "$1" "$2"; do echo "$word" >> {tmp_path}/words; done\nshift 2\nexec "$@"\n')
    spy.chmod(0o755)
    environment = fork(f"preJavaHomeCmd = '{spy} one \"two three\"'", environment={"A": "it's"})
    run = lab.run("result = [os.environ['A'], variables['V']]", fork_environment=environment, inherited={"V": "v"})
    assert (run.value, (tmp_path / "words").read_text()) == (["it's", "v"], "one\ntwo three\n")


def test_prefix_as_a_list(lab: Any) -> None:
    """``setPreJavaCommand`` names the words one by one; an environment name that no shell knows passes, too."""
    environment = fork("forkEnvironment.setPreJavaCommand(['env', 'FRONT=1'])", environment={"a.b": "c"})
    assert lab.run("result = [os.environ['FRONT'], os.environ['a.b']]", fork_environment=environment).value == [
        "1",
        "c",
    ]


def test_missing_prefix(lab: Any) -> None:
    """A command in front that is not installed is named before anything starts."""
    message = lab.run("", fork_environment=fork('preJavaHomeCmd = "no-such-docker run image"')).message
    assert "'no-such-docker', the first word of the command that the fork environment puts in front" in message


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("language", ["cpython", "bash"])
def test_enclosed(lab: Any, language: str, tmp_path: Path) -> None:
    """A task behind a sandboxing command runs inside it, with nothing but its own folder mounted."""
    outside = tmp_path / "outside"
    outside.write_text("secret")
    hidden = tmp_path.parent.parent  # where pytest keeps its folders, those of the executor among them
    prefix = BWRAP.format(hidden=hidden, local="'''+localspace+'''")
    environment = fork(f"preJavaHomeCmd = '''{prefix}'''", environment={"INSIDE": "yes"})
    codes = {
        "cpython": f"result = [os.environ['INSIDE'], os.path.exists({str(outside)!r}), os.getpid() < 20, "
        "os.getcwd() == localspace, variables['V']]\nvariables['W'] = 1\nprint('inside')",
        "bash": f'echo "$INSIDE $variables_V"; [ -e {outside} ] || [ "$PWD" != "$localspace" ]',
    }
    run = lab.run(codes[language], language, fork_environment=environment, inherited={"V": "v"})
    if language == "cpython":
        assert (run.value, run.out) == (["yes", False, True, True, "v"], "inside\n")
        assert run.outcome.variables_set == {"W": 1}
    else:
        assert (run.outcome.exit_code, run.out) == (1, "yes v\n")


@pytest.mark.needs("bwrap")
def test_enclosed_task_is_killed(lab: Any, tmp_path: Path) -> None:
    """Killing a task in a container ends what runs inside."""
    environment = fork("preJavaHomeCmd = 'bwrap --dev-bind / / --die-with-parent'")
    part, ready = str(tmp_path / "part"), str(tmp_path / "ready")
    code = f"import time\nopen({part!r}, 'w').write(str(os.getpid()))\nos.rename({part!r}, {ready!r})\ntime.sleep(300)"
    lab.kill_when(lab.attempt(code, fork_environment=environment), (tmp_path / "ready").exists)
    assert not lab.is_running(int((tmp_path / "ready").read_text()))


def test_container_command_line(lab: Any, tmp_path: Path) -> None:
    """A container's client gets its options and image to the letter, then a shell script out of the mounted folder."""
    log = tmp_path / "words.json"
    docker = tmp_path / "docker"
    docker.write_text(
        f"#!{sys.executable}\nimport json, os, sys\njson.dump(sys.argv, open({str(log)!r}, 'w'))\n"
        "at = sys.argv.index('image:1') + 1\nos.execv(sys.argv[at], sys.argv[at:])\n"
    )
    docker.chmod(0o755)
    code = (
        f"preJavaHomeCmd = '{docker} run --rm -v ' + localspace + ':' + localspace + ' -w ' + localspace + ' image:1'"
    )
    attempt = lab.attempt("result = sorted(os.listdir('.'))", fork_environment=fork(code))
    assert lab.run(attempt).value == [".proactive"]
    local = str(lab.local(attempt))
    words = json.loads(log.read_text())
    assert words[1:8] == ["run", "--rm", "-v", f"{local}:{local}", "-w", local, "image:1"]
    assert words[8] == "/bin/sh"
    assert all(word.startswith(local) for word in words[9:])
