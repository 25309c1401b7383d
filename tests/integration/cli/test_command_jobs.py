"""Workflows from the shell, run for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Shell

PYTHON = """
import sys
print("out é")
print("err", file=sys.stderr)
result = {"exe": sys.executable, "V": variables["V"], "bytes": [1, 2.5, None, True]}
"""


def task(name: str, code: str, *, after: str = "", language: str = "bash", flow: str = "", block: str = "") -> str:
    """One task; `flow` is the inside of its controlFlow, `block` start or end."""
    depends = "".join(f'<task ref="{parent}"/>' for parent in after.split())
    attribute = f' block="{block}"' if block else ""
    control = f"<controlFlow{attribute}>{flow}</controlFlow>" if flow or block else ""
    return (
        f'<task name="{name}">'
        + (f"<depends>{depends}</depends>" if depends else "")
        + f"<scriptExecutable>{script(code, language)}</scriptExecutable>{control}</task>"
    )


def script(code: str, language: str = "bash") -> str:
    return f'<script><code language="{language}"><![CDATA[{code}]]></code></script>'


VARIABLES = '<variables><variable name="V" value="1"/></variables>'


def parents(facts: Any) -> dict[str, list[str]]:
    return {found["name"]: found["parents"] for found in facts["tasks"]}


def test_a_job_from_file_to_result(shell: Shell) -> None:
    """Submitted with a variable, waited for, its facts in one object; Python runs under the command's interpreter."""
    file = shell.write(
        "one.xml", task("A", PYTHON, language="cpython"), task("B", "echo done", after="A"), job="één", head=VARIABLES
    )
    done = shell.run("submit", file, "--var", "V=ü&=", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["name"], facts["status"], parents(facts)) == ("één", "FINISHED", {"A": [], "B": ["A"]})
    assert facts["tasks"][0] == {
        "name": "A",
        "status": "FINISHED",
        "result": {"exe": sys.executable, "V": "ü&=", "bytes": [1, 2.5, None, True]},
        "error": None,
        "parents": [],
    }
    assert "[A] out é" in done.stderr
    job = str(facts["id"])
    assert shell.facts("status", job) == shell.facts("results", "één") == facts
    logs = shell("logs", job, "A")
    assert (logs.stdout, logs.stderr) == ("out é\n", "err\n")


def test_a_faulty_task_is_an_exit_status(shell: Shell) -> None:
    """The job finishes, the command does not end well."""
    file = shell.write("faulty.xml", task("Bad", "raise ValueError('näh')", language="cpython"), job="faulty")
    done = shell("submit", file, "--wait")
    assert done.returncode == 1
    assert "ValueError: näh" in done.stdout
    assert "finished with 1 faulty task" in done.stderr
    facts = shell.facts("status", "faulty")
    assert (facts["status"], facts["tasks"][0]["status"]) == ("FINISHED", "FAULTY")
    assert "näh" in facts["tasks"][0]["error"]
    assert facts["tasks"][0]["result"] is None


def test_a_refused_workflow_leaves_no_job(shell: Shell) -> None:
    """Every problem on standard error, status 2, nothing on standard output, no id."""
    before = len(shell.facts("jobs"))
    file = shell.write("cyclic.xml", task("A1", "", after="B1"), task("B1", "", after="A1"), task("C1", "", after="No"))
    done = shell.run("submit", file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(shell.facts("jobs")) == before


def test_scripts_beside_the_workflow_go_with_it(shell: Shell) -> None:
    """A script in a file is sent as a part of the workflow; one that is missing, or elsewhere, is named."""
    task = '<task name="T"><scriptExecutable><script><file path="{}"/></script></scriptExecutable></task>'
    shell.home.joinpath("beside.bash").write_text("echo from beside")
    done = shell("submit", shell.write("file.xml", task.format("beside.bash")), "--wait")
    assert (done.returncode, "from beside" in done.stdout) == (0, True)
    assert "the text of script file 'beside.bash' is now part of the workflow" in done.stderr
    for path, reason in (("missing.bash", "No such file"), ("../out.bash", "outside the folder of the workflow file")):
        refused = shell("submit", shell.write("file.xml", task.format(path)))
        assert (refused.returncode, path in refused.stderr, reason in refused.stderr) == (2, True, True)


def test_output_comes_while_the_job_runs(shell: Shell) -> None:
    """The first line is there while the task still waits to be told to end."""
    gate = shell.home / "gate"
    file = shell.write("slow.xml", task("Slow", f"echo first; while [ ! -e {gate} ]; do sleep 0.05; done; echo last"))
    process = shell.start("submit", file, "--wait")
    assert process.stdout is not None
    with process:
        lines = iter(process.stdout)
        while "first" not in next(lines):
            pass
        gate.touch()
        assert any("last" in line for line in lines)
        process.stderr and process.stderr.read()
    assert process.returncode == 0


def test_an_interrupt_stops_the_waiting_and_not_the_job(shell: Shell) -> None:
    """Status 130 and the way to kill it, which leaves no process."""
    mark = f"600.{os.getpid()}"
    file = shell.write("long.xml", task("Long", f"echo begun; sleep {mark} & sleep {mark}"), job="long")
    process = shell.start("submit", file, "--wait")
    assert process.stdout is not None
    with process:
        while "begun" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        error = shell.rest(process)
    assert process.returncode == 130
    assert "is still on the scheduler. `proactive-kernel kill" in error
    assert "Traceback" not in error
    assert shell.facts("status", "long")["status"] == "RUNNING"
    assert shell("kill", "long").returncode == 0
    facts = shell.facts("results", "long")
    assert (facts["status"], facts["tasks"][0]["status"]) == ("KILLED", "ABORTED")
    assert shell("kill", "long").returncode == 1
    assert mark not in subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout


def test_pause_and_resume_from_the_shell(shell: Shell) -> None:
    """A paused job starts nothing until it is resumed."""
    gate = shell.home / "gate2"
    file = shell.write(
        "pause.xml",
        task("P1", f"while [ ! -e {gate} ]; do sleep 0.05; done"),
        task("P2", "", after="P1"),
        job="pausing",
    )
    shell("submit", file)
    assert shell("pause", "pausing").returncode == 0
    gate.touch()
    assert shell.facts("status", "pausing")["status"] == "PAUSED"
    assert shell("resume", "pausing").returncode == 0
    assert shell("results", "pausing", "--wait").returncode == 0


def test_a_closed_pipe_is_not_a_problem(shell: Shell) -> None:
    """`| head` ends the command without a word about pipes."""
    file = shell.write("many.xml", task("Many", "seq 1 5000"), job="many")
    assert shell("submit", file, "--wait").returncode == 0
    process = shell.start("logs", "many")
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "[Many] 1\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_an_unknown_job_is_a_message(shell: Shell) -> None:
    """Status 1, without a traceback."""
    done = shell.run("status", "4711")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no job 4711" in done.stderr
    assert "Traceback" not in done.stderr


REPLICATE = "<replicate>" + script("runs = 3", "javascript") + "</replicate>"
LOOP = '<loop target="S">' + script("loop = variables.get('PA_TASK_ITERATION') < 1", "javascript") + "</loop>"
BRANCH = '<if target="Yes" else="No" continuation="Join">' + script('branch = "else"', "javascript") + "</if>"

CONTROLS = {
    "replicated": (
        [task("Split", "", flow=REPLICATE), task("Work", "", after="Split"), task("Merge", "", after="Work")],
        {
            "Split": [],
            "Work": ["Split"],
            "Work*1": ["Split"],
            "Work*2": ["Split"],
            "Merge": ["Work"],
        },
    ),
    "branched": (
        [task("If", "", flow=BRANCH), task("Yes", ""), task("No", ""), task("Join", "")],
        {"If": [], "Yes": [], "No": [], "Join": []},
    ),
    "looped": (
        [
            task("S", "", block="start"),
            task("E", "", after="S", flow=LOOP, block="end"),
            task("After", "", after="E"),
        ],
        {"S": [], "E": ["S"], "S#1": [], "E#1": ["S"], "After": ["E"]},
    ),
    "replicate of loops": (
        [
            task("T0", "", flow=REPLICATE.replace("3", "2")),
            task("T1", "", after="T0", flow=LOOP.replace("S", "T1", 1)),
            task("T2", "", after="T1"),
        ],
        {"T0": [], "T1": ["T0"], "T1*1": ["T0"], "T1#1": ["T0"], "T1#1*1": ["T0"], "T2": ["T1"]},
    ),
}


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_parents_are_the_dependencies_of_the_definition(shell: Shell, name: str) -> None:
    """Copies that controls made have those of the task that they were made of."""
    tasks, expected = CONTROLS[name]
    done = shell("submit", shell.write(f"{name}.xml", *tasks, job=name), "--wait", "--json")
    assert done.returncode == 0, done.stderr
    assert parents(shell.facts("status", name)) == expected
