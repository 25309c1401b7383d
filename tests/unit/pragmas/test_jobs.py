"""Jobs: naming, submitting, waiting, results, output, and what can be done with them."""

from __future__ import annotations

from datetime import datetime

import pytest

from proactive_jupyter_kernel.errors import InvalidWorkflow, JobFailed, PragmaError, UnknownJob, WaitTimeout
from proactive_jupyter_kernel.pragmas.outputs import Value
from proactive_jupyter_kernel.testing.memory_jobs import WHEN
from proactive_jupyter_kernel.testing.memory_scheduler import ScriptedOutcome
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Priority, Variable
from proactive_jupyter_kernel.workflow.status import TaskStatus

#: When every job of the scheduler in memory was submitted.
SUBMITTED = datetime.fromtimestamp(WHEN / 1000).strftime("%Y-%m-%d %H:%M:%S")
TWO_TASKS = "#%job(name=greetings)\n#%task(A)\nresult = 1\n#%task(B, dep=A)\nresult = 2"


def test_a_job_keeps_what_is_not_mentioned(notebook) -> None:
    """Called again it changes what it names, and nothing else."""
    assert notebook.run(
        "#%job(name=first, variables=[(a, 1)], generic_info={K: v}, description=d, project=p, priority=high,"
        " on_error=cancel)"
    ) == ["Created job 'first'."]
    assert notebook.run("#%job(name=second, priority=lowest)") == ["Renamed job 'first' to 'second'."]
    assert notebook.run("#%job(second, variables={b: 2})") == ["Updated job 'second'."]
    job = notebook.context.draft.job
    assert (job.name, job.variables) == ("second", (Variable(name="b", value="2"),))
    assert (dict(job.generic_information), job.description, job.project) == ({"K": "v"}, "d", "p")
    assert (job.priority, job.on_error) == (Priority.LOWEST, ErrorPolicy.CANCEL_JOB)


def test_submitting_returns_at_once_with_a_live_status(notebook) -> None:
    """The card is shown and followed without a wait."""
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    assert (notebook.live.watched, notebook.live.waits) == ([(1, "greetings")], [])
    # On a server there is code around it.
    assert notebook.submitted_script(1, "B").split("\n").count("result = 2") == 1


def test_nothing_is_drawn_where_that_is_switched_off(notebook) -> None:
    """`draw=off` leaves the one line with the id."""
    notebook.run(TWO_TASKS + "\n#%submit_job(draw=off)")
    assert notebook.live.watched == []


def test_a_submission_may_have_values_and_a_name_of_its_own(notebook) -> None:
    """The draft keeps its own."""
    notebook.frontend.namespace["n"] = 5
    notebook.run("#%job(name=greetings, variables=[(n, 1)])\n#%task(A)")
    notebook.run("#%submit_job(name=other, variables=[(n, =n)])")
    info = notebook.context.scheduler.info(1)
    assert (info.name, info.variables["n"]) == ("other", "5")
    assert notebook.context.draft.job.variables == (Variable(name="n", value="1"),)


@pytest.mark.parametrize(("known", "name"), [("Analysis", "Analysis"), ("x", "notebook_x"), ("", "Unnamed_job")])
def test_a_job_without_a_name_is_named_after_the_notebook(notebook, known: str, name: str) -> None:
    """Or has the name of a job without one."""
    notebook.frontend.notebook_name = known
    notebook.run("#%task(A)\n#%submit_job()")
    assert notebook.context.scheduler.info(1).name == name


def test_there_must_be_something_to_submit(notebook) -> None:
    """An empty draft is refused before anything is sent."""
    with pytest.raises(PragmaError, match="there is no task to submit yet"):
        notebook.run("#%submit_job()")
    assert notebook.server.requests == []


def test_problems_are_reported_together_and_nothing_is_sent(notebook) -> None:
    """A dependency on a task that was never defined, and an import without an export."""
    with pytest.raises(PragmaError):
        notebook.run("#%delete_task(C)")
    notebook.run("#%task(B, dep=[A], import=[v])")
    with pytest.raises(InvalidWorkflow):
        notebook.run("#%submit_job()")
    assert notebook.server.requests == []


def test_waiting_writes_the_output_of_each_task_on_its_stream(notebook) -> None:
    """Without a card `wait=on` writes what tasks write until the end; standard output and error stay apart."""
    notebook.server.outcomes["A"] = ScriptedOutcome(lines=(("out", "one"), ("err", "two"), ("out", "three")))
    texts = notebook.run(TWO_TASKS + "\n#%submit_job(wait=on, draw=off)")
    assert texts[-1] == f"Submitted job 1 ('greetings') to {notebook.connection.name}."
    assert notebook.frontend.written == [("out", "one\n"), ("err", "two\n"), ("out", "three\n")]
    assert notebook.live.waits == [{"job_id": 1, "tasks": None, "timeout": None, "draw": False, "output": True}]


def test_waiting_with_a_card_writes_nothing_else(notebook) -> None:
    """The card shows what the tasks write."""
    notebook.server.outcomes["A"] = ScriptedOutcome(lines=(("out", "one"),))
    notebook.run(TWO_TASKS + "\n#%submit_job(wait=on)")
    assert (notebook.frontend.written, notebook.live.watched) == ([], [(1, "greetings")])
    assert notebook.live.waits == [{"job_id": 1, "tasks": None, "timeout": None, "draw": True, "output": False}]


def test_results_may_be_shown_right_away(notebook) -> None:
    """`print_result=on` waits, and shows each task's result."""
    notebook.server.outcomes |= {
        "A": ScriptedOutcome(result=[1, "x"]),
        "B": ScriptedOutcome(result=b"png", metadata={"content.type": "image/png"}),
    }
    notebook.run(TWO_TASKS + "\n#%submit_job(print_result=on)")
    assert notebook.frontend.values == [
        Value(value=[1, "x"], label="A"),
        Value(value=b"png", label="B", metadata={"content.type": "image/png"}),
    ]


@pytest.mark.memory_only("the traceback is of the script without the code around it on a server")
def test_a_failed_job_ends_the_cell_and_names_task_error_and_line(notebook) -> None:
    """The message has the traceback of the task in the words of the cell."""
    trace = (
        'Traceback (most recent call last):\n  File "/tmp/s.py", line 3, in <module>\n    1 / 0\nZeroDivisionError: no'
    )
    notebook.server.outcomes["B"] = ScriptedOutcome(
        failure="Python process execution has failed with exit code 1",
        lines=(("out", "before"), *(("err", line) for line in trace.split("\n"))),
    )
    notebook.run("#%import()\nimport math")
    notebook.run("#%job(name=greetings)\n#%task(A)\n#%task(B, dep=A)\nx = 1\n1 / 0")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%submit_job(wait=on, draw=off)")
    assert str(caught.value) == (
        "Job 1 ('greetings') ended with 1 faulty task.\n\n"
        "  B (Faulty):\n"
        "    Traceback (most recent call last):\n"
        "      Cell In[2], line 5, in <module>\n"
        "        1 / 0\n"
        "    ZeroDivisionError: no\n"
        "#%print_task_output(task_name=B, job_id=1) shows all that the task wrote, "
        "#%debug(task_name=B, job_id=1) loads what it had into the notebook."
    )
    assert ("err", "  Cell In[2], line 5, in <module>\n") not in notebook.frontend.written
    assert notebook.frontend.written[0] == ("out", "before\n")


def test_error_of_many_tasks_names_few(notebook) -> None:
    """The first with their errors, some by name, the others by their number."""
    notebook.server.outcomes |= {f"T{number}": ScriptedOutcome(failure="no") for number in range(20)}
    notebook.run("\n".join(f"#%task(T{number})" for number in range(20)))
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%submit_job(wait=on, draw=off)")
    names = ", ".join(f"T{number}" for number in range(5, 15))
    assert caught.value.message.split("\n\n")[-1] == f"… and 15 more: {names}, …"


@pytest.mark.parametrize("runs", ["-1", "- 3"])
def test_runs_cannot_be_negative(notebook, runs: str) -> None:
    """Said in the cell, not when the job runs."""
    with pytest.raises(PragmaError, match=rf"runs must be a number, or an expression .*, not '{runs}'\."):
        notebook.run(f"#%task(A)\n1\n#%task(B, dep=A, runs={runs})\n1")


def test_results_that_exist_are_shown_before_a_failure_ends_the_cell(notebook) -> None:
    """And bound, too."""
    notebook.server.outcomes["B"] = ScriptedOutcome(failure="no")
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(JobFailed, match=rf"B \(Faulty\):\n    {notebook.failure('no')}"):
        notebook.run("#%get_job_result(into=found)")
    assert [value.label for value in notebook.frontend.values] == ["A"]
    assert notebook.frontend.namespace["found"] == {"A": True}


def test_a_module_beside_the_notebook_is_explained(notebook) -> None:
    """For a task without it, the error says why, and what to do."""
    (notebook.frontend.folder / "helpers.py").write_text("x = 1\n")
    error = 'Traceback (most recent call last):\n  File "x", line 1, in <module>\n    import helpers\n'
    error += "ModuleNotFoundError: No module named 'helpers'"
    notebook.server.outcomes["A"] = ScriptedOutcome(failure="no", trace=error)
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%wait_job()")
    assert caught.value.hint.split("\n")[0] == (
        "helpers.py is beside the notebook; a task runs in its own folder and does not see it. Send it along "
        "with the task: input_files=[helpers.py]."
    )


def test_results_are_bound_by_task_name(notebook) -> None:
    """`into` of a job is a dict, of a task its value."""
    notebook.server.outcomes |= {"A": ScriptedOutcome(result=1), "B": ScriptedOutcome(result=None)}
    notebook.run(TWO_TASKS + "\n#%submit_job()\n#%get_result(into=all)\n#%get_task_result(A, into=a)")
    assert (notebook.frontend.namespace["all"], notebook.frontend.namespace["a"]) == ({"A": 1, "B": None}, 1)


def test_a_tasks_result_is_there_before_the_job_has_ended(notebook) -> None:
    """Only the task is waited for."""
    notebook.server.outcomes |= {"A": ScriptedOutcome(result=1), "B": ScriptedOutcome(hold=True)}
    notebook.run(TWO_TASKS + "\n#%submit_job()\n#%get_task_result(A)")
    assert notebook.frontend.values == [Value(value=1, label="A")]
    assert not notebook.context.scheduler.job(1).ended


def test_a_task_without_a_result_is_an_error(notebook) -> None:
    """It says how the task stands and why."""
    notebook.server.outcomes["A"] = ScriptedOutcome(failure="out of memory")
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%get_task_result(A)")
    assert caught.value.message == (
        "Task A of job 1 ('greetings') has no result: it is Faulty.\n\n  A (Faulty):\n    "
        + notebook.failure("out of memory")
    )


@pytest.mark.memory_only("the log of a server always holds the sentence")
@pytest.mark.parametrize(
    ("failure", "written", "told"),
    [
        ("Script failed with exit code 3", "oh no\nScript failed with exit code 3\n", "oh no\n    {failure}"),
        ("Failed to execute task: it cannot travel far", "it cannot travel far\n", "it cannot travel far"),
        ("Script failed with exit code 1", "1\n", "{failure}\n    1"),
    ],
)
def test_what_the_log_says_is_not_said_twice(notebook, failure: str, written: str, told: str) -> None:
    """The scheduler's sentence stands in front of the log's last lines where they do not hold it."""
    notebook.server.outcomes["A"] = ScriptedOutcome(
        failure=failure, lines=tuple(("err", line) for line in written.splitlines())
    )
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(JobFailed) as caught:
        notebook.run("#%get_task_result(A)")
    assert caught.value.message.split("A (Faulty):\n    ")[1] == told.format(failure=failure)


def test_an_unknown_task_is_reported_before_waiting(notebook) -> None:
    """With the nearest one."""
    notebook.run("#%task(Alpha)\n#%submit_job()")
    with pytest.raises(PragmaError) as caught:
        notebook.run("#%get_task_result(Alpah)")
    assert (caught.value.message, caught.value.hint) == (
        "#%get_task_result: job 1 has no task 'Alpah'.",
        "Did you mean 'Alpha'?",
    )
    assert notebook.live.waits == []


def test_output_is_written_of_a_job_and_of_one_task(notebook) -> None:
    """In the words of the cell, for scripts whose lines were shifted."""
    notebook.server.outcomes |= {
        "A": ScriptedOutcome(lines=(("err", "/tmp/x/script: line 2: nope: command not found"),)),
        "B": ScriptedOutcome(lines=(("out", "b"),)),
    }
    notebook.run("#%job(name=job, variables=[(v, 1)])\n#%task(A, language=bash, import=[v])\nnope\n#%task(B)")
    notebook.run("#%submit_job()\n#%print_job_output()\n#%print_task_output(B)")
    assert notebook.frontend.written == [
        ("err", "Cell In[1], line 3: nope: command not found\n"),
        ("out", "b\n"),
        ("out", "b\n"),
    ]


def test_a_wait_that_takes_too_long_ends_and_the_job_continues(notebook) -> None:
    """`timeout` is an error of its own."""
    notebook.server.outcomes["A"] = ScriptedOutcome(hold=True)
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(WaitTimeout):
        notebook.run("#%wait_job(timeout=0.01)")
    assert not notebook.context.scheduler.job(1).ended


def test_an_interrupt_stops_the_waiting_and_says_how_to_kill(notebook) -> None:
    """The job, the connection and the draft are as they were."""
    notebook.live.interrupt = True
    with pytest.raises(KeyboardInterrupt) as caught:
        notebook.run(TWO_TASKS + "\n#%submit_job(wait=on)")
    assert caught.value.args == ("Interrupted. Job 1 ('greetings') is still running. #%kill_job(job_id=1) kills it.",)
    assert [job.id for job in notebook.context.jobs] == [1]


def test_the_last_job_is_meant_where_none_is_named(notebook) -> None:
    """By id, by name the newest, else the last one from this notebook."""
    for name in ("one", "two", "one"):
        notebook.run(f"#%job(name={name})\n#%task(A)\n#%submit_job()")
    assert notebook.run("#%kill_job()") == ["Killed job 3."]
    assert notebook.run("#%kill_job(job_name=two)") == ["Killed job 2."]
    assert notebook.run("#%kill_job(job_name=one)") == ["! Job 3 cannot be killed: it is Killed."]
    assert notebook.run("#%kill_job(id=1, job_name=one)") == ["Killed job 1."]
    with pytest.raises(PragmaError, match="job 2 is called 'two', not 'one'"):
        notebook.run("#%kill_job(job_id=2, job_name=one)")
    with pytest.raises(UnknownJob, match="no job 9"):
        notebook.run("#%kill_job(job_id=9)")
    with pytest.raises(UnknownJob, match="'onne'"):
        notebook.run("#%kill_job(job_name=onne)")


def test_after_a_restart_the_job_of_the_same_name_is_found(notebook) -> None:
    """The context knows no job any more; the scheduler does."""
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.context.jobs.clear()
    assert notebook.run("#%wait_job()") == [
        f"* Job 1 ('greetings') was not submitted from this notebook: it was submitted by user at {SUBMITTED}.",
    ]
    notebook.run("#%job(name=another)")
    with pytest.raises(PragmaError, match="has none called 'another'"):
        notebook.run("#%wait_job()")


def test_without_any_job_the_message_says_how_to_name_one(notebook) -> None:
    """No name to look for, nothing submitted."""
    with pytest.raises(PragmaError) as caught:
        notebook.run("#%job_status()")
    assert caught.value.message == "#%job_status: no job was submitted from this notebook yet."
    assert "#%list_submitted_jobs()" in caught.value.hint


def test_jobs_are_listed_newest_first(notebook) -> None:
    """Those of earlier sessions too; those of this notebook are marked."""
    assert notebook.run("#%list_submitted_jobs()") == [f"There are no jobs on {notebook.connection.name} yet."]
    notebook.run(TWO_TASKS + "\n#%submit_job()\n#%wait_job()")
    notebook.context.jobs.clear()
    notebook.run("#%submit_job()\n#%list_submitted_jobs(all=on)")
    (table,) = notebook.frontend.tables
    assert [(row[0], row[1], row[2], row[3], row[5]) for row in table.rows] == [
        (2, "greetings", "Pending", "0 of 2", "yes"),
        (1, "greetings", "Finished", "2 of 2", ""),
    ]


def test_a_status_is_the_card(notebook) -> None:
    """It follows the job while that is alive; a job that does not exist is an error."""
    notebook.server.outcomes["A"] = ScriptedOutcome(hold=True)
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.run("#%job_status()")
    assert notebook.live.watched == [(1, "greetings"), (1, "greetings")]
    with pytest.raises(UnknownJob):
        notebook.run("#%job_status(job_id=99)")


def test_a_job_is_paused_and_continues(notebook) -> None:
    """And what cannot be done says how the job stands."""
    notebook.server.outcomes["A"] = ScriptedOutcome(hold=True)
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    assert notebook.run("#%pause_job()") == ["Paused job 1."]
    assert notebook.run("#%resume_job()") == ["Resumed job 1."]
    notebook.run("#%kill_job()")
    assert notebook.run("#%resume_job()") == ["! Job 1 cannot be resumed: it is Killed."]
    with pytest.raises(JobFailed, match="was killed"):
        notebook.run("#%wait_job()")


def test_a_job_can_be_queried_while_the_draft_is_locked(notebook) -> None:
    """Statuses, logs and kills take no lock: another thread that defines tasks cannot hold them up."""
    import threading

    notebook.run(TWO_TASKS + "\n#%submit_job()")
    done = threading.Thread(target=lambda: notebook.run("#%job_status(job_id=1)\n#%kill_job(job_id=1)"))
    with notebook.context.lock:
        done.start()
        done.join(timeout=20)
        assert not done.is_alive()


def test_a_server_gets_the_python_command(notebook) -> None:
    """On a real server Python tasks start with python3, unless the job says otherwise."""
    from proactive_jupyter_kernel.client.config import Settings

    notebook.connection.settings = Settings(url="https://server", login="x")
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.run("#%job(name=greetings, generic_info={PYTHON_COMMAND: python3.9})\n#%submit_job()")
    notebook.run("#%delete_task(A)\n#%task(B, language=bash)\n#%job(name=greetings, generic_info=[])\n#%submit_job()")
    information = [notebook.context.scheduler.info(number).generic_information for number in (1, 2, 3)]
    assert [one.get("PYTHON_COMMAND") for one in information] == ["python3", "python3.9", None]


def test_a_task_that_mentions_no_result_has_none(notebook) -> None:
    """A scheduler says true of such a task; that is not shown as its result, but bound as the scheduler has it."""
    notebook.run("#%task(A)\nprint(1)\n#%task(B)\nresult = True\n#%submit_job()\n#%get_job_result(into=found)")
    assert [value.label for value in notebook.frontend.values] == ["B"]
    assert notebook.frontend.namespace["found"] == {"A": True, "B": True}


IN_ERROR = ScriptedOutcome(
    failure="boom", status=TaskStatus.IN_ERROR, lines=(("out", "half way"),), then=ScriptedOutcome(result=3)
)
ADVICE = (
    "Task A waits for a decision: #%restart_task(task_name=A, job_id=1) runs it again,"
    " #%finish_task(task_name=A, job_id=1) continues without its result, #%kill_job(job_id=1) ends the job."
)


@pytest.mark.parametrize(
    "waiting",
    [
        "#%submit_job()\n#%wait_job()",
        "#%submit_job()\n#%get_job_result()",
        "#%submit_job()\n#%print_job_output()",
        "#%submit_job(wait=on)",
    ],
)
def test_a_task_in_error_ends_every_wait(notebook, waiting: str) -> None:
    """With its error and what can be done, instead of waiting until somebody else decides."""
    notebook.server.outcomes["A"] = IN_ERROR
    with pytest.raises(JobFailed) as caught:
        notebook.run(
            f"{TWO_TASKS}\n#%submit_job()\n{waiting}" if "submit" not in waiting else f"{TWO_TASKS}\n{waiting}"
        )
    assert caught.value.message == (
        "Job 1 ('greetings') is In-Error with 1 faulty task.\n\n  A (In-Error):\n    " + notebook.failure("boom")
    )
    assert caught.value.hint.startswith(ADVICE)


def test_a_wait_for_a_blocked_task_ends(notebook) -> None:
    """A task after an In-Error task cannot start; the wait for its result or output says why."""
    notebook.server.outcomes["A"] = IN_ERROR
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    for pragma in ("get_task_result", "print_task_output"):
        with pytest.raises(JobFailed) as caught:
            notebook.run(f"#%{pragma}(task_name=B)")
        assert caught.value.message == (
            "Task B of job 1 ('greetings') has no result: it is Submitted. Waits for A (in error)."
        )
        assert caught.value.hint == ADVICE
    with pytest.raises(JobFailed, match=r"Task A of job 1 \('greetings'\) has no result: it is In-Error"):
        notebook.run("#%get_task_result(task_name=A)")


def test_a_task_in_error_is_restarted_or_finished(notebook) -> None:
    """Then the job continues; where there is no In-Error task, a warning says so."""
    notebook.server.outcomes["A"] = IN_ERROR
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.server.advance(1, 3)
    assert notebook.run("#%restart_task(task_name=A)\n#%wait_job()") == [
        "Restarted task A of job 1. #%wait_job(job_id=1) waits for the job.\nIt runs the code that it was submitted "
        "with. To run the code of a cell that you edited: #%submit_job(from=A, job_id=1).",
    ]
    assert notebook.run("#%finish_task(task_name=A)") == ["! Task A of job 1 cannot be finished: it is Finished."]
    notebook.run("#%submit_job()")
    notebook.server.advance(2, 3)
    assert notebook.run("#%finish_task(task_name=A)\n#%wait_job()") == [
        "Finished task A of job 2. #%wait_job(job_id=2) waits for the job.",
    ]
    with pytest.raises(PragmaError, match="job 2 has no task 'AA'"):
        notebook.run("#%restart_task(task_name=AA)")


def test_results_of_a_job_in_error_are_shown(notebook) -> None:
    """Those of the tasks that finished, before the error ends the cell."""
    notebook.server.outcomes["B"] = IN_ERROR
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    with pytest.raises(JobFailed):
        notebook.run("#%get_job_result(into=found)")
    assert notebook.frontend.namespace["found"] == {"A": True}


def test_a_name_means_a_job_of_this_notebook_first(notebook) -> None:
    """Though another notebook has submitted a newer one of that name."""
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.context.scheduler.submit(notebook.context.scheduler.xml(1))
    notebook.run("#%wait_job(job_name=greetings)")
    assert notebook.live.waits[-1]["job_id"] == 1


def test_the_job_of_another_notebook_is_looked_at_with_a_notice_and_not_changed(notebook) -> None:
    """Only an explicit id lets a pragma change it."""
    notebook.server.outcomes["A"] = ScriptedOutcome(hold=True)
    notebook.run(TWO_TASKS + "\n#%submit_job()")
    notebook.context.jobs.clear()
    origin = f"was not submitted from this notebook: it was submitted by user at {SUBMITTED}."
    assert notebook.run("#%job_status(job_name=greetings)")[0] == f"* Job 1 ('greetings') {origin}"
    pragmas = ("kill_job", "pause_job", "resume_job", "restart_task", "finish_task")
    for pragma, which in [(pragma, which) for pragma in pragmas for which in ("job_name=greetings", "")]:
        task = "task_name=A, " if pragma.endswith("task") else ""
        with pytest.raises(PragmaError) as caught:
            notebook.run(f"#%{pragma}({task}{which})".replace(", )", ")"))
        assert caught.value.message == f"#%{pragma}: job 1 ('greetings') {origin}"
        assert caught.value.hint == "Give its id if you mean it: job_id=1."
    assert notebook.run("#%kill_job(job_id=1)") == ["Killed job 1."]


UNKNOWN = "The job has no variable DAYZ, and no task mentions it; it is added for this submission. Did you mean 'DAYS'?"
HIDDEN = "The value of DAYS has no effect in A, which has its own variable of that name."


@pytest.mark.parametrize(
    ("variables", "task", "notices"),
    [
        ("(DAYZ, 5)", "#%task(A)\npass", [UNKNOWN]),
        ("(DAYZ, 5)", "#%task(A)\nprint(variables.get('DAYZ'))", []),
        ("(DAYS, 5)", "#%task(A)\npass", []),
        ("(DAYS, 5)", "#%task(A, variables=[(DAYS, 1)])\npass", [HIDDEN]),
    ],
)
def test_a_submission_says_which_values_do_not_arrive(notebook, variables: str, task: str, notices: list[str]) -> None:
    """A value for a variable that the job does not have, or that a task hides, is no silent mistake."""
    notebook.run(f"#%job(name=days, variables=[(DAYS, 3)])\n{task}")
    found = notebook.run(f"#%submit_job(variables=[{variables}])")
    assert [text for text in found if text.startswith("*")] == [f"* {notice}" for notice in notices]


def test_many_results_are_one_table(notebook) -> None:
    """A job of a hundred tasks fills no notebook with a hundred displays; `into` has all values."""
    tasks = "\n".join(f"#%task(T{number})\nresult = True" for number in range(120))
    notebook.run(f"#%job(name=many)\n{tasks}\n#%submit_job()\n#%get_job_result(into=found)")
    (table,) = notebook.frontend.tables
    assert (table.headings, len(table.rows), table.rows[0]) == (("Task", "Result"), 100, ("T0", "True"))
    assert table.caption == (
        "120 results of job 1 ('many'), the first 100 are shown. into=NAME binds all of them to a variable."
    )
    assert (notebook.frontend.values, len(notebook.frontend.namespace["found"])) == ([], 120)
