"""The order of a task's scripts, what they share, and what a failure of one does to the others."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.scheduler.attempt import Attempt, FailureKind, Outcome
from proactive_jupyter_kernel.scheduler.executors.local import LocalExecutor, LocalSettings
from proactive_jupyter_kernel.workflow.model import Script


def test_order_and_shared_maps(lab: Any) -> None:
    """Pre, main, post and flow run in this order, in any languages, and share the maps but not the globals."""
    run = lab.run(
        "print('main', variables['a'], 'x' in globals())\nvariables['a'] += 1\nresultMap['m'] = 1\nresult = 10",
        pre=lab.script("print('pre')\nx = 1\nvariables['a'] = 1\nresultMetadata['p'] = 'q'"),
        post=lab.script("print('post', result, variables['a'], resultMap['m'])\nresult += 1"),
        flow=lab.flow("runs", "print('flow', result, variables['PA_TASK_SUCCESS'])\nruns = variables['a'] + 1"),
    )
    assert run.out == "pre\nmain 1 False\npost 10 2 1\nflow 11 True\n"
    outcome = run.outcome
    assert (outcome.value, outcome.flow, outcome.flow_decided) == (11, 3, True)
    assert (dict(outcome.variables_set), dict(outcome.metadata)) == ({"a": 2}, {"p": "q"})


def test_languages_mix(lab: Any) -> None:
    """A bash script before a Python script is a bash script."""
    run = lab.run("result = open('made').read()", pre=lab.script("echo -n by-bash > made", "bash"))
    assert run.value == "by-bash"


def test_pre_fails(lab: Any) -> None:
    """A pre script that fails keeps main and post from running; the flow script runs and sees the failure."""
    run = lab.run(
        "print('main')",
        pre=lab.script("exit 4", "bash"),
        post=lab.script("print('post')"),
        flow=lab.flow("loop", "print(type(result).__name__, variables['PA_TASK_SUCCESS'])\nloop = False"),
    )
    assert run.message == "Failed to execute pre script: Script failed with exit code 4"
    assert (run.out, run.outcome.flow, run.outcome.flow_decided) == ("TaskFailed False\n", False, True)


def test_main_fails(lab: Any) -> None:
    """A main script that fails keeps post from running; what was put before it failed is kept."""
    run = lab.run(
        "variables['v'] = 1\n1 / 0", post=lab.script("print('post')"), flow=lab.flow("branch", 'branch = "else"')
    )
    assert (run.out, dict(run.outcome.variables_set)) == ("", {"v": 1})
    assert (run.outcome.failure.kind, run.outcome.flow) == (FailureKind.ERROR, "else")


def test_post_fails(lab: Any) -> None:
    """A post script that fails fails the task."""
    run = lab.run("result = 1", post=lab.script("raise ValueError('late')"))
    assert run.message.startswith("Failed to execute post script: ")
    assert '  File "<post script of T>", line 1' in run.err
    assert run.outcome.value is None


def test_death_ends_all(lab: Any) -> None:
    """When the task's process dies, no flow script runs and nothing is decided."""
    run = lab.run("import os\nos._exit(1)", flow=lab.flow("runs", "print('flow')\nruns = 1"))
    assert (run.out, run.outcome.flow_decided) == ("", False)


@pytest.mark.parametrize(
    ("variable", "code", "language", "value"),
    [
        ("runs", "runs = 3;", "javascript", 3),
        ("loop", "\n// again\nloop = true\n", "groovy", True),
        ("branch", 'branch = "if"', "javascript", "if"),
        ("loop", "loop = False", "cpython", False),
    ],
)
def test_constants_cost_no_interpreter(lab: Any, variable: str, code: str, language: str, value: Any) -> None:
    """A flow script that is only a constant needs no interpreter, present or not."""
    attempt = lab.attempt("", flow=lab.flow(variable, code, language))
    outcome = lab.run(attempt).outcome
    assert (outcome.failure, outcome.flow, outcome.flow_decided) == (None, value, True)


def test_flow_sets_nothing(lab: Any) -> None:
    """A flow script that does not set its variable fails the task, though the task itself ended well."""
    run = lab.run("result = 1", flow=lab.flow("branch", "x = 1"))
    assert run.message == (
        "Failed to execute control flow script: it must set the variable 'branch', and it ended without"
    )
    assert run.outcome.flow_decided is False


def test_flow_in_a_shell(lab: Any) -> None:
    """A language that sets no variables can decide nothing."""
    assert "must set the variable 'runs'" in lab.run("", flow=lab.flow("runs", "runs=3", "bash")).message


def test_flow_fails(lab: Any) -> None:
    """An error of the flow script becomes the task's error."""
    run = lab.run("result = 1", flow=lab.flow("runs", "1 / 0"))
    assert run.message.startswith("Failed to execute control flow script: ")
    assert "ZeroDivisionError" in run.message


def test_pre_script_as_file(lab: Any) -> None:
    """With PRE_SCRIPT_AS_FILE the pre script is not run but saved, with its language's extension."""
    run = lab.run(
        "import tools.helper as h\nresult = h.x",
        pre=lab.script("x = 5", "python"),
        generic_information={"PRE_SCRIPT_AS_FILE": "tools/helper"},
    )
    assert run.value == 5


def test_clean_script(lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The clean script runs last, sees the final variables, and writes to the scheduler's log alone."""
    with caplog.at_level(logging.INFO):
        run = lab.run(
            "variables['v'] = 1\nresult = 2",
            clean=lab.script("print('clean', variables['v'], variables['PA_TASK_SUCCESS'], nodename)\n1 / 0"),
        )
    assert (run.value, run.out, run.err) == (2, "", "")
    assert "clean 1 true local-0" in caplog.text
    assert "Failed to execute clean script" in caplog.text
    assert "clean 1 true local-0" in run.outcome.clean_output
    assert run.outcome.clean_failure.startswith("Failed to execute clean script: ")


def test_clean_script_after_failure(lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The clean script runs after a failure, too, and after a walltime."""
    with caplog.at_level(logging.INFO):
        lab.run("1 / 0", clean=lab.script("print('cleaned', variables['PA_TASK_SUCCESS'])"))
        lab.run("import time\ntime.sleep(60)", walltime=0.3, clean=lab.script("print('after the walltime')"))
    assert "cleaned false" in caplog.text
    assert "after the walltime" in caplog.text


def test_clean_script_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """A scheduler that stops does not wait for clean scripts."""

    async def scene() -> Outcome:
        executor = LocalExecutor(tmp_path / "scratch", LocalSettings(grace=0.5))
        await executor.start()
        attempt = Attempt(
            job_id=1,
            job_name="J",
            task_id=0,
            task_name="T",
            number=1,
            owner="u",
            slot=executor.slots[0],
            main=Script(language="bash", code="true"),
            clean=Script(language="bash", code=f"touch {tmp_path}/cleaning; sleep 300"),
        )
        task = asyncio.create_task(executor.run(attempt, lambda stream, text, at: None))
        async with asyncio.timeout(20):
            while not (tmp_path / "cleaning").exists():
                await asyncio.sleep(0.01)
            await executor.close()
            return await task

    assert asyncio.run(scene()).failure is None


@pytest.mark.parametrize("when", ["running", "cleaning"])
def test_a_kill_gives_the_clean_script_some_seconds(tmp_path: Path, when: str) -> None:
    """Whether the task still runs or is cleaned up already; then its node is free again."""

    async def scene() -> Outcome:
        executor = LocalExecutor(tmp_path / "scratch", LocalSettings(grace=0.5, killed_limit=0.5))
        await executor.start()
        attempt = Attempt(
            job_id=1,
            job_name="J",
            task_id=0,
            task_name="T",
            number=1,
            owner="u",
            slot=executor.slots[0],
            main=Script(language="bash", code=f"touch {tmp_path}/running; sleep {300 if when == 'running' else 0}"),
            clean=Script(language="bash", code=f"touch {tmp_path}/cleaning; sleep 300"),
        )
        task = asyncio.create_task(executor.run(attempt, lambda stream, text, at: None))
        async with asyncio.timeout(60):
            while not (tmp_path / when).exists():
                await asyncio.sleep(0.01)
            await executor.kill(attempt.key)
            outcome = await task
        await executor.close()
        return outcome

    outcome = asyncio.run(scene())
    kind = outcome.failure.kind if outcome.failure is not None else None
    assert kind is (FailureKind.KILLED if when == "running" else None)
    assert outcome.clean_failure.startswith("Failed to execute clean script: it was ended")
    assert (tmp_path / "cleaning").exists()


def test_references_to_the_local_space(lab: Any) -> None:
    """References that only the node can resolve are resolved there."""
    attempt = lab.attempt(
        "result = [variables['P'] == localspace + '/x', args[0] == localspace]", scope={"P": "${localspace}/x"}
    )
    import dataclasses

    main = dataclasses.replace(attempt.main, arguments=("$localspace",))
    assert lab.run(dataclasses.replace(attempt, main=main)).value == [True, True]


def test_nodes_file(lab: Any) -> None:
    """A task with several nodes finds their hosts in a file; one with a single node has none."""
    code = "path = variables['PA_NODESFILE']\nresult = len(open(path).read().splitlines()) if path else 0"
    assert lab.run(code, node_urls=("a", "b")).value == 2
    assert lab.run(code, node_urls=("a",)).value == 0


def test_input_files_without_spaces(lab: Any) -> None:
    """Files to carry where there are no data spaces fail the task with a reason."""
    from proactive_jupyter_kernel.workflow.model import FileSelector

    files = (FileSelector(includes="*", access_mode="transferFromUserSpace"),)
    assert lab.run("", input_files=files).message == "Failed to copy input files: this executor has no data spaces"


def test_old_python(lab: Any) -> None:
    """A Python that is too old for tasks says so."""
    old = lab.folder.parent / "python-old"
    source = "import sys; sys.version_info = (3, 6); del sys.argv[0]; exec(open(sys.argv[0]).read())"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{source}' \"$@\"\n")
    old.chmod(0o755)
    run = lab.run("", generic_information={"PYTHON_COMMAND": str(old)})
    assert "is too old for tasks; they need Python 3.8 or newer" in run.err


def test_interpreter_is_ours_by_default(lab: Any) -> None:
    """Without PYTHON_COMMAND the scheduler's own interpreter runs the task."""
    assert lab.run("import sys\nresult = sys.executable").value == sys.executable
