"""Java's traces folded: recorded failures of a server, and texts that only look like them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proactive_jupyter_kernel.client.java_traces import TraceFilter, message_of
from proactive_jupyter_kernel.client.logs import merge, parse
from proactive_jupyter_kernel.client.records import LogLine
from proactive_jupyter_kernel.client.results import task_result_of

Recorded = Callable[[str, str], Any]

FRAMES = "\tat javax.script.A.b(A.java:1)\n\tat java.base/java.lang.Thread.run(Thread.java:829)\n\t... 7 more\n"
PYTHON = "Failed to execute task: Python process execution has failed with exit code"
GROOVY = """\
Failed to execute task: org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:
Script1.groovy: 1: unexpected token:  @ line 1, column 6.
   def (
        ^
"""

FAILURES = [
    ("09-faults", "GET /jobs/<JOB1>/tasks/py_raise/result", f"{PYTHON} 1"),
    ("09-faults", "GET /jobs/<JOB1>/tasks/py_exit3/result", f"{PYTHON} 3"),
    ("09-faults", "GET /jobs/<JOB1>/tasks/sh_exit2/result", "Failed to execute task: Script failed with exit code 2"),
    (
        "09-faults",
        "GET /jobs/<JOB1>/tasks/g_throw/result",
        "Failed to execute task: java.lang.IllegalStateException: bad",
    ),
    ("09-faults", "GET /jobs/<JOB1>/tasks/g_syntax/result", f"{GROOVY}\n1 error"),
    (
        "09-faults",
        "GET /jobs/<JOB1>/tasks/unknown_language/result",
        "Failed to execute task: No Script Engine Found for name or extension cobol",
    ),
    ("09-faults", "cancelJob: /tasks/next/result", "The task could not start due to dependency failure"),
    ("10-life", "result of the killed task", "The task has been manually killed."),
    ("11-tasks", "b's result after the last restart", "Aborted by user"),
]


@pytest.mark.parametrize(("scenario", "exchange", "said"), FAILURES)
def test_recorded_failures_are_their_message(recorded: Recorded, scenario: str, exchange: str, said: str) -> None:
    """Without classes that only pass it on, frames, causes and repetitions."""
    data = recorded(scenario, exchange)
    result = task_result_of(data, trace=data["exceptionMessage"])
    assert (result.failed, result.failure, result.trace) == (True, said, said)


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


LOGS = {
    "py_raise": [
        "before",
        "Traceback (most recent call last):",
        '  File "/tmp/jsr223-cpython-1234.py", line 9, in <module>',
        "    raise ValueError('bad é')",
        "ValueError: bad é",
        f"{PYTHON} 1",
    ],
    "py_exit3": [f"{PYTHON} 3"],
    "py_exit0": ["out"],
    "sh_exit2": ["before", "oops", "Failed to execute task: Script failed with exit code 2"],
    "g_throw": [
        "before",
        "Failed to execute task: java.lang.IllegalStateException: bad",
    ],
    "g_syntax": [*GROOVY.splitlines(), "1 error"],
    "unknown_language": ["Failed to execute task: No Script Engine Found for name or extension cobol"],
}


@pytest.mark.parametrize("task", LOGS)
def test_recorded_logs_lose_the_servers_traces(recorded: Recorded, task: str) -> None:
    """Prefixes are off, what the task wrote stays, the server's sentence stands once."""
    log = recorded("09-faults", f"GET /jobs/<JOB1>/tasks/{task}/result/log/all")
    assert texts(TraceFilter().kept(parse(log))) == LOGS[task]


def test_streams_of_a_recorded_log(recorded: Recorded) -> None:
    """Its lines know their task, and which of them came from standard error."""
    all_, out, err = (
        recorded("09-faults", f"GET /jobs/<JOB1>/tasks/py_raise/result/log/{part}") for part in ("all", "out", "err")
    )
    lines = TraceFilter().kept(merge(all_, out, err))
    assert [(line.text, line.error) for line in lines] == [(text, text != "before") for text in LOGS["py_raise"]]
    assert {(line.task, line.host, line.time) for line in lines} == {("7t0", "node-1", "14:05:09")}


def test_each_attempt_says_its_failure(recorded: Recorded) -> None:
    """After a retry the log has both tracebacks and both sentences."""
    said = texts(TraceFilter().kept(parse(recorded("09-faults", "retry: /tasks/bad/result/log/all"))))
    attempt = [
        "Traceback (most recent call last):",
        '  File "/tmp/jsr223-cpython-1234.py", line 8, in <module>',
        "    raise ValueError('x')",
        "ValueError: x",
        f"{PYTHON} 1",
    ]
    assert said == attempt * 2


def test_tasks_of_a_job_are_distinguished(recorded: Recorded) -> None:
    """The log of a whole job, and one that comes line by line, lose the same lines."""
    lines = parse(recorded("09-faults", "GET /jobs/<JOB1>/log/full"))
    by_lines = TraceFilter()
    assert [kept for line in lines for kept in by_lines.kept([line])] == TraceFilter().kept(lines)
    assert not any("\tat " in line.text or "Caused by" in line.text for line in TraceFilter().kept(lines))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a\n\nb\n", None),
        ("Failed to execute task: a\nb\nCaused by: c", "Failed to execute task: a\nb\nCaused by: c"),
        ("TypeError: x\n    at f (<task T>:3:4)\n    at <task T>:9:1", None),
        ('Traceback (most recent call last):\n  File "x", line 1\nValueError: at a.b(c)', None),
        ("java.lang.IllegalStateException: bad\n" + FRAMES, "java.lang.IllegalStateException: bad"),
        (
            "Failed to execute task: javax.script.ScriptException: groovy.lang.MissingPropertyException: No x\n"
            + FRAMES
            + "Caused by: groovy.lang.MissingPropertyException: No x\n\tat Script3.run(Script3.groovy:2)\n"
            + "\tat Script3.main(Script3.groovy:1)\n"
            + FRAMES,
            "Failed to execute task: groovy.lang.MissingPropertyException: No x\n\tat Script3.run(Script3.groovy:2)",
        ),
    ],
)
def test_messages(text: str, said: str | None) -> None:
    """A text without Java's frames stays; the first frame of a Groovy script tells the place."""
    assert message_of(text) == (text if said is None else said)


def test_what_a_task_wrote_stays() -> None:
    """Frames that no failure of the server precedes are the task's own; a lookalike of a failure costs little."""
    own = ["java.lang.Error: mine", "\tat a.B.c(B.java:1)", "Caused by: java.lang.Error: x", "\t... 2 more", ""]
    assert texts(TraceFilter().kept([LogLine(text=text) for text in own])) == own
    lookalike = ["Failed to execute task: no", "one", "two", "", "Caused by: three", "four"]
    assert texts(TraceFilter().kept([LogLine(text=text) for text in lookalike])) == lookalike


def test_silent_stream_of_a_recorded_task(recorded: Recorded) -> None:
    """An empty log is one line feed there, and no line of anything."""
    all_, out, err = (recorded("04-job", f"ended: second /result/log/{part}") for part in ("all", "out", "err"))
    assert (err, parse(err)) == ("\n", [])
    assert [(line.text, line.error) for line in merge(all_, out, err)] == [("out two", False)]


@pytest.mark.parametrize("exchange", ["killed: /tasks/long/result", "running: /tasks/long/result"])
def test_recorded_task_without_a_result(recorded: Recorded, exchange: str) -> None:
    """A server has no exception, no output and no maps for a task that its job's end killed."""
    result = task_result_of(recorded("10-life", exchange))
    assert (result.failed, result.has_value, result.failure, result.stdout, result.metadata, result.variables) == (
        False,
        False,
        "",
        "",
        {},
        {},
    )


def test_a_traceback_of_jython_keeps_its_last_line() -> None:
    """Also where that is the exception of Java that the message names."""
    text = (
        "Failed to execute task: java.lang.IllegalStateException: bad\n"
        "Traceback (most recent call last):\n"
        '  File "<task J>", line 1, in <module>\n'
        "    call()\n"
        "java.lang.IllegalStateException: bad"
    )
    assert message_of(text) == text
