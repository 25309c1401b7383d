"""Jobs in each state that a card has to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.notebook.card import Facts, FollowState, OutputLine, Result
from proactive_jupyter_kernel.workflow.display.records import Failure
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

#: 22:05:00 in UTC.
START = 1_700_085_900_000

S = TaskStatus


def workflow(on_error: ErrorPolicy | None = None) -> Workflow:
    """load leads to check and train, both to report, report to mail."""
    python, shell, r = (Script(language=name, code="pass") for name in ("cpython", "bash", "R"))
    return Workflow(
        name="weather",
        on_error=on_error,
        tasks=(
            Task(name="load", executable=python),
            Task(name="check", executable=python, depends=("load",)),
            Task(name="train", executable=r, depends=("load",)),
            Task(name="report", executable=python, depends=("check", "train"), pre=shell, post=shell),
            Task(name="mail", executable=shell, depends=("report",)),
        ),
    )


def task(number: int, name: str, status: TaskStatus, after: int = -1, took: int = -1, **more: Any) -> TaskState:
    """A task that started `after` ms and took so many; -1: it has not."""
    return TaskState(
        id=number,
        name=name,
        status=status,
        submitted_at=START,
        started_at=START + after if after >= 0 else -1,
        finished_at=START + after + took if took >= 0 else -1,
        duration=took,
        **more,
    )


def job(job_id: int, status: JobStatus, *tasks: TaskState, name: str = "weather", ended: int = -1) -> Job:
    """A job that started at START and ended after so many ms."""
    started = any(one.started_at > 0 for one in tasks)
    return Job(
        info=JobInfo(
            id=job_id,
            name=name,
            status=status,
            submitted_at=START,
            started_at=START if started else -1,
            finished_at=START + ended if ended >= 0 else -1,
            total=len(tasks),
        ),
        tasks=tasks,
    )


def facts(found: Job, seen_after: int, **more: Any) -> Facts:
    """What is known of the job after so many ms."""
    given: dict[str, Any] = {
        "workflow": workflow(),
        "portal": f"http://127.0.0.1:8080/scheduler/jobs/{found.id}",
    } | more
    given = {"scheduler": "embedded scheduler"} | given
    return Facts(job=found, seen_at=START + seen_after, zone=UTC, **given)


ERROR = Failure(
    task="check",
    line="ValueError: column mean has a hole",
    place="cell [3], line 2",
    code=(
        (1, "def check(frame, name):"),
        (2, "    if frame[name].isna().any(): raise ValueError(f'column {name} has a hole')"),
    ),
    trace="Traceback (most recent call last):\n  Cell In[3], line 4, in <module>\n    check(frame, 'mean')\n"
    "  Cell In[3], line 2, in check\n    raise ValueError(f'column {name} has a hole')\n"
    "ValueError: column mean has a hole",
)
OUTPUT = (
    OutputLine(task="check", text="4 stations, 0 holes"),
    OutputLine(task="train", text="epoch 3  loss 0.418"),
    OutputLine(task="train", text="epoch 4  loss 0.377"),
    OutputLine(task="train", text="epoch 5  loss <0.361> & falling", error=True),
)


def submitted() -> Facts:
    """No task has started."""
    tasks = [
        task(number, name, S.SUBMITTED) for number, name in enumerate(("load", "check", "train", "report", "mail"))
    ]
    return facts(job(12, JobStatus.PENDING, *tasks), 0)


def running() -> Facts:
    """Two tasks have ended, one runs."""
    found = job(
        12,
        JobStatus.RUNNING,
        task(0, "load", S.FINISHED, 0, 410),
        task(1, "check", S.FINISHED, 450, 1_200),
        task(2, "train", S.RUNNING, 1_700, progress=40),
        task(3, "report", S.SUBMITTED),
        task(4, "mail", S.SUBMITTED),
    )
    return facts(found, 12_000, output=OUTPUT)


def failed() -> Facts:
    """A task failed and its policy canceled the job."""
    found = job(
        13,
        JobStatus.CANCELED,
        task(0, "load", S.FINISHED, 0, 410),
        task(1, "check", S.FAULTY, 450, 1_200, executions_left=0),
        task(2, "train", S.FINISHED, 450, 12_000),
        task(3, "report", S.NOT_STARTED),
        task(4, "mail", S.NOT_STARTED),
        ended=14_000,
    )
    return facts(found, 14_000, workflow=workflow(ErrorPolicy.CANCEL_JOB), failures={"check": ERROR})


def ran_on() -> Facts:
    """A task failed and those after it ran nevertheless."""
    found = job(
        18,
        JobStatus.FINISHED,
        task(0, "load", S.FINISHED, 0, 410),
        task(1, "check", S.FAULTY, 450, 1_200, executions_left=0),
        task(2, "train", S.FINISHED, 450, 12_000),
        task(3, "report", S.FINISHED, 12_500, 310),
        task(4, "mail", S.FINISHED, 12_900, 95),
        ended=15_000,
    )
    return facts(found, 15_000, failures={"check": ERROR})


def finished() -> Facts:
    """All went well; two tasks returned something."""
    found = job(
        14,
        JobStatus.FINISHED,
        task(0, "load", S.FINISHED, 0, 410),
        task(1, "check", S.FINISHED, 450, 1_200),
        task(2, "train", S.FINISHED, 450, 12_000),
        task(3, "report", S.FINISHED, 12_500, 310),
        task(4, "mail", S.FINISHED, 12_900, 95),
        ended=13_000,
    )
    results = (
        Result(
            task="train",
            text="{'a': 1}",
            html="<table><tr><th>city</th><th>mean</th></tr><tr><td>Oslo</td><td>9.0</td></tr></table>",
        ),
        Result(task="report", text="written to report.pdf"),
    )
    return facts(found, 13_000, results=results, returned=frozenset({"train", "report"}), output=OUTPUT)


def replicas(count: int, *, name: str, done: int, bad: Mapping[int, str], running: int) -> tuple[TaskState, ...]:
    """Copies of a task: those done, those that failed, those that run, the others wait."""
    tasks = []
    for index in range(count):
        label = f"{name}*{index}" if index else name
        more: dict[str, Any] = {"replication": index}
        if index in bad:
            tasks.append(task(index + 1, label, S.FAULTY, 100 + index, 300, executions_left=0, **more))
        elif index < done:
            tasks.append(task(index + 1, label, S.FINISHED, 100 + index, 300, **more))
        elif index < done + running:
            tasks.append(task(index + 1, label, S.RUNNING, 6_000, **more))
        else:
            tasks.append(task(index + 1, label, S.SUBMITTED, **more))
    return tuple(tasks)


def scan_workflow() -> Workflow:
    """split, a replicated work, merge."""
    python = Script(language="cpython", code="pass")
    return Workflow(
        name="scan",
        tasks=(
            Task(name="split", executable=python, flow=Replicate(script=python)),
            Task(name="work", executable=python, depends=("split",)),
            Task(name="merge", executable=python, depends=("work",)),
        ),
    )


def replicated() -> Facts:
    """152 tasks, 2 of them failed."""
    bad = {78: "", 119: ""}
    work = replicas(150, name="work", done=142, bad=bad, running=8)
    found = job(
        31, JobStatus.RUNNING, task(0, "split", S.FINISHED, 0, 30), *work, task(151, "merge", S.SUBMITTED), name="scan"
    )
    failures = {
        name: Failure(task=name, line="ValueError: tile is empty", place="cell [2], line 3")
        for name in ("work*78", "work*119")
    }
    output = tuple(OutputLine(task=f"work*{n}", text=f"tile {n}: 1,204 points") for n in (141, 148, 149))
    return facts(found, 7_400, workflow=scan_workflow(), failures=failures, output=output, dropped=312)


def thousand() -> Facts:
    """1,000 tasks of which some failed in many ways."""
    bad = dict.fromkeys(range(7, 400, 23), "")
    work = replicas(998, name="work", done=613, bad=bad, running=8)
    found = job(
        40, JobStatus.RUNNING, task(0, "split", S.FINISHED, 0, 55), *work, task(999, "merge", S.SUBMITTED), name="crawl"
    )
    failures = {
        f"work*{number}": Failure(
            task=f"work*{number}", line=f"{'ABCDEFGH'[index % 8]}Error: no answer after {number} s"
        )
        for index, number in enumerate(bad)
        if index < 16
    }
    return facts(found, 16_000, workflow=scan_workflow(), failures=failures)


def waiting() -> Facts:
    """A task waits for a node that does not exist."""
    found = job(
        15,
        JobStatus.STALLED,
        task(0, "load", S.FINISHED, 0, 380),
        task(1, "train", S.PENDING),
        task(2, "report", S.SUBMITTED),
        name="train",
    )
    reason = "No node of the scheduler has the token 'GPU' (NODE_ACCESS_TOKEN). The tokens of its nodes: cpu, bigmem."
    return facts(found, 134_000, reasons={"train": reason, "report": "Waits for train."})


def paused() -> Facts:
    """A person paused the job."""
    found = job(
        16,
        JobStatus.PAUSED,
        task(0, "load", S.FINISHED, 0, 380),
        task(1, "check", S.FINISHED, 500, 900),
        task(2, "train", S.RUNNING, 500),
        task(3, "report", S.PAUSED),
        task(4, "mail", S.PAUSED),
    )
    return facts(found, 62_000)


def in_error() -> Facts:
    """A task used up its attempts and a person has to decide."""
    found = job(
        17,
        JobStatus.IN_ERROR,
        task(0, "load", S.FINISHED, 0, 380),
        task(1, "check", S.IN_ERROR, 500, 900, max_executions=3, executions_left=0),
        task(2, "train", S.FINISHED, 500, 9_000),
        task(3, "report", S.SUBMITTED),
        task(4, "mail", S.SUBMITTED),
    )
    pragmas = frozenset({"kill_job", "restart_task", "job_status", "print_task_output"})
    return facts(found, 48_000, workflow=workflow(ErrorPolicy.SUSPEND_TASK), failures={"check": ERROR}, pragmas=pragmas)


def stale() -> Facts:
    """The kernel ended while the job ran."""
    return replace(running(), following=FollowState.STOPPED, stopped_by="the kernel was shut down")


def killed() -> Facts:
    """A person killed the job."""
    found = job(
        19,
        JobStatus.KILLED,
        task(0, "load", S.FINISHED, 0, 410),
        task(1, "check", S.ABORTED, 450, 900),
        task(2, "train", S.ABORTED, 450, 900),
        task(3, "report", S.NOT_STARTED),
        task(4, "mail", S.NOT_STARTED),
        ended=2_000,
    )
    return facts(found, 2_000)


def unreachable() -> Facts:
    """The server does not answer at the moment."""
    return replace(running(), trouble="Cannot reach the scheduler at http://host:8080.")


SCENES: Mapping[str, Callable[[], Facts]] = {
    scene.__name__: scene
    for scene in (
        submitted,
        running,
        failed,
        ran_on,
        finished,
        replicated,
        thousand,
        waiting,
        paused,
        in_error,
        stale,
        killed,
        unreachable,
    )
}
