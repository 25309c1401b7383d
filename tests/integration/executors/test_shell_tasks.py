"""Shell scripts and native commands: bindings in the environment, the exit code as answer."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import ParentResult
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import NativeCommand


def test_bindings(lab: Any) -> None:
    """Every binding is an environment variable: its entries by name or number."""
    attempt = lab.attempt(
        'echo "$variables_A|$genericInformation_G|$credentials_C|$results_0|$results_1"\n'
        'echo "$args_0|$1|$userspace|$nodesurl_0"',
        "bash",
        inherited={"A": [1, True]},
        generic_information={"G": "g"},
        credentials={"C": "c"},
        results=(
            ParentResult(task_name="P", task_id=0, value=RawValue.of({"k": None})),
            ParentResult(task_name="Q", task_id=1),
        ),
        spaces={"userspace": "/u"},
        node_urls=("n0", "n1"),
    )
    attempt = dataclasses.replace(attempt, main=dataclasses.replace(attempt.main, arguments=("one two",)))
    assert lab.run(attempt).out == "[1, true]|g|c|{k=null}|Result not available\none two|one two|/u|n1\n"


def test_result_and_exit_value(lab: Any) -> None:
    """A script that ends well has the result 0 and puts its exit code into a variable."""
    run = lab.run("true", "bash")
    assert (run.value, dict(run.outcome.variables_set)) == (0, {"EXIT_VALUE": 0})


def test_exit_code(lab: Any) -> None:
    """Another exit code fails the task in ProActive's words."""
    run = lab.run("exit 3", "bash")
    assert (run.message, run.outcome.exit_code) == ("Failed to execute task: Script failed with exit code 3", 3)
    assert run.outcome.variables_set == {"EXIT_VALUE": 3}


def test_signal(lab: Any) -> None:
    """A signal counts as shells count it, and is named."""
    assert lab.run("kill -11 $$", "bash").message == (
        "Failed to execute task: Script failed with exit code 139 (it was ended by signal 11 (SIGSEGV))"
    )


@pytest.mark.parametrize("code", ["kill -9 $$", "bash -c 'kill -9 $$'; exit $?"])
def test_memory(lab: Any, code: str) -> None:
    """A process that was killed, also one that the script started, probably had no memory left."""
    message = lab.run(code, "bash").message
    assert message.startswith("Failed to execute task: Script failed with exit code 137")
    assert "memory runs out" in message or "ran out of memory" in message


def test_error_names_the_task(lab: Any) -> None:
    """The shell's own errors name the task and the line of its script, not our file."""
    run = lab.run("\n\nno-such-command-here\n", "bash")
    assert run.err.startswith("<task T>: line 3: no-such-command-here")


def test_working_folder(lab: Any) -> None:
    """The working directory is the local space, and empty."""
    run = lab.run('[ "$PWD" = "$localspace" ] && [ "$PWD" = "$variables_localspace" ] && ls -A', "bash")
    assert (run.outcome.failure, run.out) == (None, "")


def test_pipes_end_quietly(lab: Any) -> None:
    """A writer whose reader has gone is ended by the signal, as in any shell."""
    assert lab.run("yes | head -1", "bash").out == "y\n"


def test_content_type(lab: Any) -> None:
    """With a content type, what the script writes is its result, as bytes; binary output stays out of the log."""
    run = lab.run("printf '\\x89PNG\\x00'", "bash", generic_information={"content.type": "image/png"})
    assert (run.value, run.out) == ({"$type": "bytes", "value": base64.b64encode(b"\x89PNG\0").decode()}, "")


def test_readable_content_type(lab: Any) -> None:
    """Output that people can read is in the log as well."""
    run = lab.run("echo a,b", "bash", generic_information={"content.type": "text/csv"})
    assert (run.value, run.out) == ({"$type": "bytes", "value": base64.b64encode(b"a,b\n").decode()}, "a,b\n")


def test_variable_that_no_environment_holds(lab: Any) -> None:
    """A value that the system cannot pass in an environment variable is named, with what to do instead."""
    message = lab.run("true", "bash", inherited={"big": "x" * 200_000}).message
    assert "variables_big is 195 KiB long" in message
    assert "pass large data in a file" in message


def test_shell_runs_by_first_line(lab: Any) -> None:
    """A Shell script runs by the program that its first line names."""
    assert lab.run("\n#!/bin/sh\necho $0 | sed 's|.*/||'\n", "shell").out == "T.sh\n"


def test_shell_without_first_line(lab: Any) -> None:
    """A Shell script without such a line is refused with an example."""
    assert "needs a first line that names its program, such as #!/bin/sh" in lab.run("echo x", "shell").message


def test_native_command(lab: Any) -> None:
    """A native command gets its words as they are, references to bindings replaced, and no shell sees them."""
    command = NativeCommand(command="printf", arguments=("%s;", "a b", "$variables_A", "${variables_A}x", "*", "$no"))
    run = lab.run(command, inherited={"A": "1"})
    assert (run.value, run.out) == (0, "a b;1;1x;*;$no;")


def test_native_script(lab: Any) -> None:
    """A script of the native engine is split at blanks, quotes kept together."""
    assert lab.run("""printf "%s;" 'a b' c\\d "e"f""", "native").out == "a b;c\\d;ef;"


@pytest.mark.parametrize("command", ["no-such-command-here", "./no-such-file"])
def test_missing_command(lab: Any, command: str) -> None:
    """A command that is not there is named, and where it was looked for."""
    message = lab.run(NativeCommand(command=command)).message
    assert f"{command!r}, the command of the task, is not on this machine" in message


def test_native_exit_code(lab: Any) -> None:
    """A native command that fails is told in ProActive's words."""
    assert lab.run(NativeCommand(command="false")).message == (
        "Failed to execute task: Command execution failed with exit code 1"
    )


def test_unknown_language(lab: Any) -> None:
    """A language that nobody knows fails the task when it runs, with the nearest known name."""
    assert lab.run("x", "grovy").message == (
        "Failed to execute task: no script language is called 'grovy'. Did you mean 'groovy'?"
    )


def test_language_of_the_server(lab: Any) -> None:
    """A language that only a server runs is named as such."""
    assert "Kubernetes scripts run on a ProActive server" in lab.run("x", "kubernetes").message
