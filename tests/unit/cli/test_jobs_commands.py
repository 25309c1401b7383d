"""submit, jobs, status, results, logs and the actions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from proactive_jupyter_kernel.cli import common, watch
from proactive_jupyter_kernel.cli import job_formatting as job_facts
from proactive_jupyter_kernel.cli.app import COMMANDS
from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.errors import UnreadableWorkflow
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, ScriptedOutcome
from proactive_jupyter_kernel.workflow.formats import xml as xml_format
from proactive_jupyter_kernel.workflow.status import TaskStatus

Run = Callable[..., Result]
Facts = Callable[[Result], Any]


def test_submit_prints_the_id(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Without --wait the command ends at once, and variables are the ones given."""
    result = run("submit", str(workflow), "--var", "V=a=b", "-v", "É=")
    assert (result.exit_code, result.stdout) == (0, "Job 1 'démo' submitted.\n")
    assert memory.jobs[1].variables == {"V": "a=b", "É": ""}


def test_submit_notes_a_variable_that_nothing_mentions(run: Run, tmp_path: Path) -> None:
    """It is most likely misspelt; one that a script reads is not."""
    script = '<script><code language="cpython">print(variables["READ"])</code></script>'
    task = f'<task name="A"><scriptExecutable>{script}</scriptExecutable></task>'
    (tmp_path / "w.xml").write_text(
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="job">'
        '<variables><variable name="DAYS" value="1"/></variables>'
        f"<taskFlow>{task}</taskFlow></job>"
    )
    done = run("submit", str(tmp_path / "w.xml"), "--var", "DAYS=2", "--var", "READ=3", "--var", "DAY=4")
    assert done.exit_code == 0
    assert done.stderr == "Note: The workflow does not mention the variable DAY; it is added for this submission.\n"


def test_submit_prints_one_json_object(run: Run, workflow: Path, facts: Facts) -> None:
    """The facts, and only they, on standard output."""
    result = run("submit", str(workflow), "--json")
    task = {"status": "SUBMITTED", "result": None, "error": None}
    assert facts(result) == {
        "id": 1,
        "name": "démo",
        "status": "PENDING",
        "tasks": [{"name": "A", "parents": [], **task}, {"name": "B", "parents": ["A"], **task}],
    }
    assert "submitted" in result.stderr


def test_submit_reads_standard_input(run: Run, workflow: Path) -> None:
    """A dash is standard input."""
    assert run("submit", "-", input=workflow.read_bytes()).exit_code == 0


@pytest.mark.memory_only("the live log of a server does not tell the streams apart")
def test_waiting_prints_output_results_and_the_end(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Output on its own stream with its task's name, then each result."""
    memory.outcomes |= {
        "A": ScriptedOutcome(result=[1, "x"], lines=(("out", "één"), ("err", "twee"))),
        "B": ScriptedOutcome(result="two\nlines"),
    }
    result = run("submit", str(workflow), "--wait")
    assert result.exit_code == 0
    assert result.stdout == "Job 1 'démo' submitted.\n[A] één\nA: [1, 'x']\nB:\n  two\n  lines\n"
    assert result.stderr == "[A] twee\nJob 1 finished.\n"


def test_waiting_with_json_keeps_standard_output_clean(
    run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts
) -> None:
    """Output of tasks goes to standard error; results are JSON."""
    memory.outcomes |= {"A": ScriptedOutcome(result=b"\0\xff", lines=(("out", "hello"),))}
    result = run("submit", str(workflow), "--wait", "--json")
    tasks = facts(result)["tasks"]
    assert result.exit_code == 0
    assert tasks[0] == {
        "name": "A",
        "status": "FINISHED",
        "result": {"base64": "AP8="},
        "error": None,
        "parents": [],
    }
    assert "[A] hello" in result.stderr


@pytest.mark.memory_only("a server has the traceback of Python in the log alone")
def test_a_faulty_task_makes_waiting_fail(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """The job finished, but not well: status 1, the error in the facts and on the terminal."""
    memory.outcomes["A"] = ScriptedOutcome(failure="boom", trace="Traceback\n  boom")
    result = run("submit", str(workflow), "--wait", "--json")
    assert result.exit_code == 1
    found = facts(result)
    assert (found["status"], found["tasks"][0]["status"]) == ("FINISHED", "FAULTY")
    assert (found["tasks"][0]["result"], found["tasks"][0]["error"]) == (None, memory.shown_failure("boom"))
    assert "Task A failed." in result.stderr
    shown = run("submit", str(workflow), "--wait")
    assert shown.exit_code == 1
    assert "A failed:\n  Traceback\n    boom\n" in shown.stdout
    assert "Job 2 finished with 1 faulty task." in shown.stderr


def test_a_killed_job_makes_waiting_fail(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """A job that did not finish is no success either."""
    run("submit", str(workflow))
    run("kill", "1")
    result = run("results", "1", "--wait")
    assert result.exit_code == 1


def test_a_refused_workflow_gets_no_id(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Exit status 2, the reason on standard error, nothing on standard output."""
    memory.refusal = "the queue is closed"
    result = run("submit", str(workflow), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the queue is closed" in result.stderr
    assert memory.jobs == {}


def test_every_problem_of_a_workflow_is_listed(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """A server stops at the first problem; the command names the others, too."""
    memory.refusal = "no good"
    text = workflow.read_text(encoding="utf-8").replace('ref="A"', 'ref="Nobody"').replace('name="A"', 'name="B"')
    workflow.write_text(text, encoding="utf-8")
    result = run("submit", str(workflow))
    assert result.exit_code == 2
    assert "no good" in result.stderr
    assert "Nobody" in result.stderr
    assert "  - " in result.stderr


def test_unreadable_xml_is_named_with_its_line(run: Run, workflow: Path) -> None:
    """What is no XML is refused as such."""
    workflow.write_text("<job name='demo'>\n<task")
    result = run("submit", str(workflow))
    assert result.exit_code == 2
    with pytest.raises(UnreadableWorkflow) as caught:
        xml_format.loads(workflow.read_bytes())
    assert caught.value.message in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["submit"], ["submit", "none.xml"], ["submit", "workflow.xml", "--var", "V"], ["dance"], ["status"]],
)
def test_a_wrong_command_line_is_status_2(run: Run, workflow: Path, arguments: list[str]) -> None:
    """The usage is on standard error."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


def test_status_and_results_take_id_or_name(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """A name means the newest job of that name."""
    for _ in range(2):
        run("submit", str(workflow))
    memory.finish(2)
    assert facts(run("status", "démo", "--json"))["id"] == 2
    assert facts(run("status", "1", "--json"))["id"] == 1
    assert facts(run("results", "démo", "--json")) == facts(run("status", "2", "--json"))
    assert run("results", "2").stdout == "A: True\nB: True\n"


def test_a_name_of_digits_is_a_name_where_no_id_fits(run: Run, workflow: Path, facts: Facts) -> None:
    """An id is meant first, a name of digits otherwise."""
    workflow.write_text(workflow.read_text(encoding="utf-8").replace("démo", "2024"), encoding="utf-8")
    run("submit", str(workflow))
    assert facts(run("status", "2024", "--json"))["id"] == 1


def test_status_shows_a_table(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Job, tasks, parents."""
    run("submit", str(workflow))
    memory.finish(1)
    assert run("status", "1").stdout == (
        "Job 1  démo  Finished, 2/2 tasks ended\n"
        "TASK  STATUS    TIME   AFTER\n"
        "A     Finished  1.0 s\n"
        "B     Finished  1.0 s  A\n"
    )


def test_results_of_a_job_that_continues(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """What there is so far, and a word about the rest."""
    memory.outcomes["B"] = ScriptedOutcome(hold=True)
    run("submit", str(workflow))
    memory.advance(1, 3)
    result = run("results", "1")
    assert (result.exit_code, result.stdout) == (0, "A: True\n")
    assert "Job 1 is Running: 1 of 2 tasks ended." in result.stderr


@pytest.mark.parametrize("command", ["status", "results", "logs", "wait", "fetch", "kill", "pause", "resume"])
def test_an_unknown_job_is_status_1(run: Run, workflow: Path, command: str) -> None:
    """By id or by name, without a traceback."""
    run("submit", str(workflow))
    for named in ("7", "demo"):
        result = run(command, named)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")
        assert "Traceback" not in result.stderr
    assert "Did you mean 'démo'?" in result.stderr


def test_jobs_lists_the_newest_first(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """A table, a list of objects, or a word that there are none."""
    assert "There are no jobs." in run("jobs").stderr
    run("submit", str(workflow))
    run("submit", str(workflow))
    memory.finish(1)
    lines = run("jobs").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "2", "1"]
    assert [job["id"] for job in facts(run("jobs", "--json"))] == [2, 1]
    assert [job["status"] for job in facts(run("jobs", "--alive", "--json"))] == ["PENDING"]
    assert [job["id"] for job in facts(run("jobs", "-n", "1", "--json"))] == [2]


def test_logs_of_a_job_and_of_a_task(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """Each stream on its own; with the task's name where there are several."""
    memory.outcomes |= {
        "A": ScriptedOutcome(lines=(("out", "a"), ("err", "b"))),
        "B": ScriptedOutcome(lines=(("out", "c"),)),
    }
    run("submit", str(workflow))
    memory.finish(1)
    whole, one = run("logs", "1"), run("logs", "1", "A")
    assert (whole.stdout, whole.stderr) == ("[A] a\n[B] c\n", "[A] b\n")
    assert (one.stdout, one.stderr) == ("a\n", "b\n")
    lines = facts(run("logs", "1", "A", "--json"))["tasks"][0]["lines"]
    assert lines[1] == {"text": "b", "error": True, "time": memory.log_time}
    unknown = run("logs", "1", "AA")
    assert (unknown.exit_code, "Did you mean 'A'?" in unknown.stderr) == (1, True)


def test_logs_follow_until_the_end(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """The output of a running job, of one task if it is named."""
    memory.outcomes |= {"A": ScriptedOutcome(lines=(("out", "a"),)), "B": ScriptedOutcome(lines=(("out", "c"),))}
    run("submit", str(workflow))
    assert run("logs", "1", "B", "--follow").stdout == "c\n"
    run("submit", str(workflow))
    assert run("logs", "2", "-f").stdout == "[A] a\n[B] c\n"
    assert run("logs", "2", "-f", "--json").exit_code == 2


def test_actions_say_what_they_did(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """Status 1 where there was nothing to do."""
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    run("submit", str(workflow))
    assert run("pause", "1").stdout == "Paused job 1 'démo'.\n"
    again = run("pause", "1")
    assert (again.exit_code, "Nothing to pause: job 1 'démo' is Paused." in again.stderr) == (1, True)
    assert facts(run("resume", "1", "--json")) == {"id": 1, "name": "démo", "status": "RUNNING", "done": True}
    assert run("kill", "1").exit_code == 0
    assert facts(run("kill", "1", "--json"))["done"] is False


@pytest.mark.memory_only("a server has the sentence in the log, too")
def test_a_task_in_error_ends_the_wait(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Its output, its error and the commands that decide; afterwards `wait` takes the job to its end."""
    memory.outcomes["A"] = ScriptedOutcome(
        failure="boom", status=TaskStatus.IN_ERROR, lines=(("out", "half way"),), then=ScriptedOutcome(result=1)
    )
    result = run("submit", str(workflow), "--wait")
    assert result.exit_code == 1
    told = memory.shown_failure("boom")
    assert result.stdout == f"Job 1 'démo' submitted.\n[A] half way\nA failed: {told}\n"
    assert result.stderr == (
        "Task A failed and waits for a decision.\n"
        "Task A is In-Error. Decide:\n"
        "  proactive-kernel restart 1 'A'   runs it again\n"
        "  proactive-kernel finish 1 'A'    continues without its result\n"
        "  proactive-kernel kill 1   ends the job\n"
        "Job 1 is In-Error.\n"
    )
    assert "Decide:" in run("status", "1").stderr
    assert run("restart", "1", "A").stdout == "Restarted task A of job 1 'démo'.\n"
    waited = run("wait", "1")
    assert (waited.exit_code, waited.stdout, waited.stderr) == (0, "A: 1\nB: True\n", "Job 1 finished.\n")


def test_tasks_are_restarted_and_finished(run: Run, workflow: Path, memory: MemoryScheduler, facts: Facts) -> None:
    """Status 1 where there was nothing to do, and a near name for an unknown task."""
    memory.outcomes["A"] = ScriptedOutcome(failure="boom", status=TaskStatus.IN_ERROR, hold=True)
    run("submit", str(workflow))
    again = run("finish", "1", "A")
    assert (again.exit_code, "Nothing to finish: task A of job 1 is Running." in again.stderr) == (1, True)
    memory.release(1, "A")
    memory.advance(1)
    assert facts(run("finish", "1", "A", "--json")) == {"id": 1, "task": "A", "status": "FINISHED", "done": True}
    unknown = run("restart", "1", "AA")
    assert (unknown.exit_code, "Did you mean 'A'?" in unknown.stderr) == (1, True)


def test_the_priority_is_changed(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """By its name in any case."""
    run("submit", str(workflow))
    assert run("priority", "1", "HIGH").stdout == "The priority of job 1 'démo' is high.\n"
    assert (memory.jobs[1].priority, run("priority", "1", "urgent").exit_code) == ("HIGH", 2)


def test_waiting_tells_why_tasks_wait(
    run: Run, workflow: Path, memory: MemoryScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reason once while the command waits, and with a timeout."""
    monkeypatch.setattr(watch, "REASONS_EVERY", 0.0)
    text = workflow.read_text(encoding="utf-8").replace(
        '<task name="B">',
        '<task name="B"><genericInformation><info name="START_AT" value="2999-01-01T00:00:00Z"/></genericInformation>',
    )
    workflow.write_text(text, encoding="utf-8")
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    result = run("submit", str(workflow), "--wait", "--timeout", "0.2")
    assert result.exit_code == 1
    assert "  B: Waits for A.\n`proactive-kernel wait 1` waits again" in result.stderr


def test_a_job_with_a_faulty_task_is_not_just_finished(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """The list and the status say how many tasks went wrong."""
    memory.outcomes["A"] = ScriptedOutcome(failure="boom")
    run("submit", str(workflow))
    memory.finish(1)
    assert "  Finished, 1 faulty  2/2  " in run("jobs").stdout
    assert run("status", "1").stdout.startswith("Job 1  démo  Finished, 1 faulty, 2/2 tasks ended\n")


def test_there_are_no_files_of_a_job_without_files(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """Fetching them is status 1; of a running job as well."""
    run("submit", str(workflow))
    assert "can be fetched when it has ended" in run("fetch", "1").stderr
    memory.finish(1)
    result = run("fetch", "1")
    assert (result.exit_code, "There are no output files of job 1 to fetch." in result.stderr) == (1, True)


@pytest.mark.memory_only("the scheduler in memory raises the interrupt")
def test_an_interrupt_leaves_the_job_alone(
    run: Run, workflow: Path, memory: MemoryScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 130, and how to kill the job."""
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    advance = memory.advance

    def interrupted(job_id: int, ticks: int = 1) -> None:
        advance(job_id, ticks)
        if len(memory.requests) > 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(memory, "advance", interrupted)
    result = run("submit", str(workflow), "--wait")
    assert result.exit_code == 130
    assert "Job 1 is still on the scheduler. `proactive-kernel kill 1` kills it" in result.stderr
    assert not memory.jobs[1].ended


def test_a_timeout_leaves_the_job_alone(run: Run, workflow: Path, memory: MemoryScheduler) -> None:
    """The wait ends with status 1."""
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    result = run("submit", str(workflow), "--wait", "--timeout", "0")
    assert (result.exit_code, "still on the scheduler" in result.stderr) == (1, True)


def test_an_unreachable_scheduler_is_reported_in_one_message(run: Run, memory: MemoryScheduler) -> None:
    """No traceback, status 1."""
    memory.reachable = False
    result = run("jobs")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: Cannot reach the scheduler at {memory.address}")


def test_a_server_is_named_by_options(run: Run, settings_used: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and login by options, the password by the environment."""
    monkeypatch.setenv("PROACTIVE_PASSWORD", "p")
    run("jobs", "--url", "https://h:8443/rest", "--login", "me", "--no-verify")
    used = settings_used[0]
    assert (used.url, used.login, used.verify, used.password) == ("https://h:8443", "me", False, Secret("p"))


def test_certificates_are_named_by_option_or_file(
    run: Run, settings_used: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file of certificates counts, whoever names it; an option replaces the configuration file's."""
    (tmp_path / "ca.pem").touch()
    (tmp_path / "other.pem").touch()
    file = tmp_path / "proactive_config.ini"
    file.write_text("[proactive_server]\nurl = https://h:8443\nverify = ca.pem\n[user]\nlogin = me\npassword = p\n")
    run("jobs")
    run("jobs", "--ca-file", "other.pem")
    run("jobs", "--no-verify")
    assert [used.verify for used in settings_used] == [str(tmp_path / "ca.pem"), str(tmp_path / "other.pem"), False]


def test_a_password_is_asked_for_after_the_server_was_reached(
    run: Run, settings_used: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal; where no server answers, nothing is asked."""
    monkeypatch.setattr(common, "_is_terminal", lambda: True)
    done = run("jobs", "--url", "http://127.0.0.1:9", "--login", "me", input="secret\n")
    assert (done.exit_code, settings_used) == (1, [])
    assert "Password" not in done.stderr + done.stdout
    assert "127.0.0.1:9" in done.stderr


def test_a_server_is_named_by_environment_or_file(
    run: Run, settings_used: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a notebook: the environment before the folder's file; --data-dir and local mean the embedded one."""
    (tmp_path / "proactive_config.ini").write_text("[proactive_server]\nhost = h\n[user]\nlogin = me\npassword = p\n")
    run("jobs")
    run("jobs", "--data-dir", "x")
    run("jobs", "--url", "local")
    monkeypatch.setenv("PROACTIVE_URL", "http://other:1")
    run("jobs")
    assert [used.url for used in settings_used] == ["http://h:8080", "", "", "http://other:1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--login", "me"],
        ["--no-verify"],
        ["--ca-file", __file__],
        ["--url", "http://h", "--data-dir", "x"],
        ["--url", "nonsense"],
    ],
)
def test_options_that_do_not_fit_are_refused(run: Run, arguments: list[str]) -> None:
    """An option that would have no effect is an error."""
    result = run("jobs", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")


def test_help_explains_with_examples(run: Run) -> None:
    """Every command has its page, with an example of itself."""
    overview = run("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in overview
        page = run(command, "--help").stdout
        assert f"proactive-kernel {command}" in page.split("Examples:")[1]


def test_values_become_json() -> None:
    """What JSON has no word for is written in a way that says what it was."""
    value = {2: {b"x"}, None: [float("inf"), 1.5], True: (1, "é"), "d": Decimal("1.50")}
    assert job_facts.jsonable(value) == {
        "2": [{"base64": "eA=="}],
        "null": ["inf", 1.5],
        "true": [1, "é"],
        "d": "1.50",
    }
    assert job_facts.jsonable(object).startswith("<class")
