"""The scheduler as an object, against the one in memory."""

from __future__ import annotations

import json
import sys
from typing import Any, cast

import pytest

from proactive_jupyter_kernel.client.jobs import SubmittedJob
from proactive_jupyter_kernel.client.jobs.job_poller import TRIAL, JobPoller
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.polling import Polling
from proactive_jupyter_kernel.client.records import Job, JobInfo
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SubmissionRefused, UnknownJob, UnknownTask, WaitTimeout
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, ScriptedOutcome
from proactive_jupyter_kernel.workflow.fork_commands import with_commands_added
from proactive_jupyter_kernel.workflow.formats import xml as xml_format
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus


def statuses(scheduler: Scheduler, job_id: int) -> list[str]:
    snapshots = SubmittedJob(scheduler, job_id, "demo").follow()
    return [" ".join(task.status.value for task in snapshot.job.tasks) for snapshot in snapshots]


class _Holding:
    """A scheduler that holds an answer back until its job ends, in the third request; says what it was asked."""

    def __init__(self, holds: bool) -> None:
        self.holds_answers: bool | None = None
        self.holds = holds
        self.asked: list[tuple[str, bool]] = []
        self.now = 0.0

    def job(self, job_id: int, *, wait: float = 0.0) -> Job:
        self.asked.append(("job", wait > TRIAL))
        self.holds_answers = self.holds
        ended = len(self.asked) >= 3
        info = JobInfo(id=job_id, name="j", status=JobStatus.FINISHED if ended else JobStatus.RUNNING)
        return Job(info=info, tasks=())

    def info(self, job_id: int, *, wait: float = 0.0) -> JobInfo:
        self.asked.append(("info", wait > TRIAL))
        return JobInfo(id=job_id, name="j", status=JobStatus.FINISHED if len(self.asked) >= 3 else JobStatus.RUNNING)

    def sleep(self, seconds: float) -> None:
        self.asked.append(("sleep", False))
        self.now += seconds


@pytest.mark.parametrize(
    ("holds", "asked"),
    [
        (True, [("job", False), ("job", True), ("job", True)]),
        (False, [("job", False), ("sleep", False), ("info", False), ("job", False)]),
    ],
)
def test_a_job_is_followed_by_held_answers_where_the_scheduler_gives_them(
    holds: bool, asked: list[tuple[str, bool]]
) -> None:
    """The first request finds that out; a server that does not is asked after pauses."""
    scheduler = _Holding(holds)
    poller = JobPoller(scheduler=cast("Any", scheduler), job_id=7, clock=lambda: scheduler.now, sleep=scheduler.sleep)
    assert [snapshot.job.ended for snapshot in poller] == [False, True]
    assert scheduler.asked == asked
    scheduler.asked.clear()
    later = JobPoller(scheduler=cast("Any", scheduler), job_id=7, at_once=False, sleep=scheduler.sleep)
    assert next(iter(later)).job.ended is False
    assert scheduler.asked == [("job", holds)]


def test_submit_gives_id_and_name(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Variables travel beside the workflow, generic information in the query."""
    ref = scheduler.submit(xml, variables={"V": "ü&="}, generic_information={"G": "a b"})
    assert (ref.id, ref.name) == (1, "demo")
    assert (memory.jobs[1].variables, memory.jobs[1].information) == ({"V": "ü&="}, {"G": "a b"})


@pytest.mark.memory_only("it is about the embedded scheduler")
def test_the_embedded_scheduler_gets_this_python(memory: MemoryScheduler, xml: str) -> None:
    """Tasks run with the interpreter of the client unless the caller names another."""
    scheduler = Scheduler(Session(memory, memory.credentials), embedded=True)
    scheduler.submit(xml)
    scheduler.submit(xml, generic_information={"PYTHON_COMMAND": "p"})
    commands = [job.information for job in memory.jobs.values()]
    assert commands == [{"PYTHON_COMMAND": sys.executable}, {"PYTHON_COMMAND": "p"}]


def test_a_refused_workflow_has_no_id(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """The reason is the scheduler's own."""
    memory.refusal = "task 'A' has no script"
    with pytest.raises(SubmissionRefused, match="refused to take the workflow: task 'A' has no script"):
        scheduler.submit(xml)
    with pytest.raises(SubmissionRefused):
        scheduler.submit("<job")
    assert memory.jobs == {}


def test_validate_runs_nothing(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """The scheduler's checks answer without a job."""
    assert (scheduler.validate(xml).valid, scheduler.validate(xml).variables) == (True, {"V": "1"})
    assert scheduler.validate("<job").valid is False
    assert memory.jobs == {}


def test_follow_tells_every_change_and_ends_with_the_job(
    scheduler: Scheduler, memory: MemoryScheduler, xml: str
) -> None:
    """From the first look to the end, each change once."""
    memory.outcomes["A"] = ScriptedOutcome(ticks=3)
    assert statuses(scheduler, scheduler.submit(xml).id) == [
        "SUBMITTED SUBMITTED",
        "RUNNING SUBMITTED",
        "FINISHED RUNNING",
        "FINISHED FINISHED",
    ]


def test_follow_of_an_ended_job_asks_once(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """A job that has ended gives a single snapshot."""
    job_id = scheduler.submit(xml).id
    memory.finish(job_id)
    asked = len(memory.requests)
    assert statuses(scheduler, job_id) == ["FINISHED FINISHED"]
    assert memory.requests[asked:] == ["GET /scheduler/jobs/1"]


def test_follow_asks_soon_at_first_and_seldom_later(
    scheduler: Scheduler, memory: MemoryScheduler, clock: Any, xml: str
) -> None:
    """The pauses grow from 2 ms to half a second while nothing happens."""
    memory.outcomes["A"] = ScriptedOutcome(ticks=200)
    for snapshot in scheduler.submit(xml).follow():
        if snapshot.job.tasks[0].ended:
            break
    assert clock.pauses[0] == pytest.approx(0.002)
    assert max(clock.pauses) == pytest.approx(0.5)
    steady = clock.pauses[5:-5]
    assert steady == sorted(steady)


def test_follow_gives_up_in_time(scheduler: Scheduler, memory: MemoryScheduler, clock: Any, xml: str) -> None:
    """The wait ends after its timeout, the job continues."""
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    job = scheduler.submit(xml)
    begun = clock.now
    with pytest.raises(
        WaitTimeout, match=r"Job 1 \('demo'\) did not end within 3 s; it is Running and still on the scheduler"
    ):
        list(job.follow(timeout=3))
    assert clock.now - begun == pytest.approx(3)
    assert memory.jobs[1].status is JobStatus.RUNNING


def test_follow_beats_while_nothing_changes(
    scheduler: Scheduler, memory: MemoryScheduler, clock: Any, xml: str
) -> None:
    """With a beat the unchanged job comes again and again."""
    memory.outcomes["A"] = ScriptedOutcome(hold=True)
    times = []
    for _ in scheduler.submit(xml).follow(beat=0.25):
        times.append(clock.now)
        if clock.now > 1010:
            memory.release(1, "A")
        if len(times) > 200:
            break
    assert 30 < len(times) < 60


def test_polling_respects_slow_answers() -> None:
    """A server that takes long to answer is asked no more often than it can answer."""
    assert Polling().pause(since_start=0.1, since_change=0.001, round_trip=0.2) == pytest.approx(0.2)
    assert Polling().pause(since_start=60, since_change=0.001) == pytest.approx(0.1)
    assert Polling().pause(since_start=600, since_change=600) == pytest.approx(0.5)


def test_polling_asks_seldom_for_a_large_job() -> None:
    """A tenth of the time at most goes into full answers; small jobs are asked for in full at every change."""
    polling = Polling()
    assert not polling.full_is_due(since_full=0.5, full_trip=0.1)
    assert polling.full_is_due(since_full=0.91, full_trip=0.1)
    assert polling.full_is_due(since_full=0.01, full_trip=0.001)


def test_results_of_a_job_come_when_it_has_ended(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """No results before the end; afterwards those of every task."""
    memory.outcomes |= {"A": ScriptedOutcome(result={"x": [1, b"2".decode()]}), "B": ScriptedOutcome(failure="boom")}
    job_id = scheduler.submit(xml).id
    assert scheduler.job_result(job_id) is None
    memory.finish(job_id)
    found = scheduler.job_result(job_id)
    assert found is not None
    assert found.tasks["A"].value == {"x": [1, "2"]}
    assert (found.tasks["B"].failed, found.tasks["B"].failure) == (True, memory.shown_failure("boom"))
    assert scheduler.job(job_id).went_well is False


@pytest.mark.memory_only("a server has the traceback of Python in the log alone")
def test_a_tasks_result_has_the_story_of_its_failure(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """For a failed task the stack trace is fetched, for others not."""
    memory.outcomes |= {
        "A": ScriptedOutcome(result=b"\0\xff"),
        "B": ScriptedOutcome(failure="boom", trace="Traceback\nboom"),
    }
    job_id = scheduler.submit(xml).id
    assert scheduler.task_result(job_id, "A").has_value is False
    memory.finish(job_id)
    assert scheduler.task_result(job_id, "A").value == b"\0\xff"
    assert scheduler.task_result(job_id, "B").trace == "Traceback\nboom"
    assert sum("result/value" in request for request in memory.requests) == 1


def test_task_logs_tell_the_streams(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """A task's log is in order, with the stream of each line."""
    memory.outcomes["A"] = ScriptedOutcome(lines=(("out", "1"), ("err", "2"), ("out", "3")))
    job_id = scheduler.submit(xml).id
    assert scheduler.task_log(job_id, "A") == []
    memory.finish(job_id)
    assert [(line.text, line.error) for line in scheduler.task_log(job_id, "A")] == [
        ("1", False),
        ("2", True),
        ("3", False),
    ]
    assert [line.text for line in scheduler.error_log(job_id, "A")] == ["2"]


@pytest.mark.memory_only("the text is the one of the scheduler in memory")
def test_the_live_log_continues_where_it_was(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Each call brings what is new."""
    memory.outcomes["A"] = ScriptedOutcome(lines=(("out", "1"),))
    job_id = scheduler.submit(xml).id
    memory.advance(job_id)
    assert scheduler.live_log(job_id) == "[1t0@memory;10:00:00] 1 \n"
    assert scheduler.live_log(job_id) == ""


def test_jobs_come_newest_first_and_are_found_by_name(scheduler: Scheduler, xml: str) -> None:
    """The newest of equal names is meant; an unknown name proposes a known one."""
    for name in ("demo", "other", "demo", "demo2"):
        scheduler.submit(xml.replace("demo", name))
    assert [(info.id, info.name) for info in scheduler.jobs()] == [(4, "demo2"), (3, "demo"), (2, "other"), (1, "demo")]
    assert [info.id for info in scheduler.jobs(limit=1)] == [4]
    assert scheduler.find("demo") == 3
    with pytest.raises(UnknownJob, match=r"No job named 'ohter'[\s\S]*Did you mean 'other'"):
        scheduler.find("ohter")


def test_jobs_may_leave_out_what_has_ended(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Only alive jobs, if that is asked for."""
    first, second = scheduler.submit(xml).id, scheduler.submit(xml).id
    memory.finish(first)
    assert [info.id for info in scheduler.jobs(alive_only=True)] == [second]
    assert scheduler.jobs(limit=1, alive_only=True)[0].status is JobStatus.PENDING


def test_no_jobs_is_an_empty_list(scheduler: Scheduler) -> None:
    """A scheduler without jobs is not an error."""
    assert scheduler.jobs() == []


def test_actions_say_whether_they_did_something(scheduler: Scheduler, memory: MemoryScheduler, xml: str) -> None:
    """Pause, resume and kill, each once and in vain."""
    job_id = scheduler.submit(xml).id
    assert (scheduler.pause(job_id), scheduler.pause(job_id)) == (True, False)
    assert scheduler.job(job_id).tasks[0].status is TaskStatus.PAUSED
    assert (scheduler.resume(job_id), scheduler.resume(job_id)) == (True, False)
    assert (scheduler.kill(job_id), scheduler.kill(job_id)) == (True, False)
    assert scheduler.job(job_id).status is JobStatus.KILLED


def test_an_unknown_job_or_task_is_named(scheduler: Scheduler, xml: str) -> None:
    """Each way of asking for what does not exist gives the same kind of error, with the nearest name."""
    job_id = scheduler.submit(xml).id
    asks = (scheduler.job, scheduler.info, scheduler.kill, scheduler.xml, scheduler.live_log, scheduler.job_result)
    for ask in asks:
        with pytest.raises(UnknownJob, match=f"There is no job 99 on {scheduler.address}"):
            ask(99)
    with pytest.raises(UnknownJob):
        scheduler.task_log(99, "A")
    with pytest.raises(UnknownTask, match=r"Job 1 has no task 'AA'[\s\S]*Did you mean 'A'"):
        scheduler.task_result(job_id, "AA")


@pytest.mark.memory_only("a server rewrites the XML")
def test_xml_and_version_are_the_schedulers(scheduler: Scheduler, xml: str) -> None:
    """The workflow comes back as it went."""
    assert scheduler.xml(scheduler.submit(xml).id) == xml
    assert str(scheduler.version) == "14.0.0"


def test_a_success_without_a_job_id_is_not_a_submission(xml: str) -> None:
    """A proxy that answers 202 to a submission has not submitted anything."""

    class Odd(MemoryScheduler):
        def request(self, method, path, **options):  # type: ignore[no-untyped-def]
            answer = super().request(method, path, **options)
            return type(answer)(status=202) if path == "/scheduler/submit" else answer

    odd = Odd()
    with pytest.raises(SubmissionRefused, match="HTTP status 202"):
        Scheduler(Session(odd, odd.credentials)).submit(xml)


@pytest.mark.parametrize("as_text", [False, True])
def test_pre_java_commands_are_sent_as_a_server_reads_them(scheduler: Scheduler, as_text: bool) -> None:
    """From the model and from a text, which stays as it is written where no script sets the variable."""
    environment = ForkEnvironment(script=Script(language="groovy", code="preJavaHomeCmd = 'nice'"))
    task = Task(name="A", executable=Script(language="bash", code="x"), fork_environment=environment)
    workflow = Workflow(name="job", tasks=(task,))
    source = xml_format.dumps(workflow) if as_text else workflow
    sent = xml_format.loads(scheduler.xml(scheduler.submit(source).id)).workflow
    assert sent == with_commands_added(workflow) != workflow


@pytest.mark.memory_only("the fault is put into the scheduler in memory")
def test_results_after_an_error_was_decided_to_be_none(
    scheduler: Scheduler, memory: MemoryScheduler, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server then fails at the task's result, and at the job's: the results of the other tasks are there."""
    memory.outcomes["A"] = ScriptedOutcome(result=3)
    two = (
        '<job xmlns="urn:proactive:jobdescriptor:3.14" name="demo"><taskFlow><task name="A"><scriptExecutable/></task>'
        '<task name="B"><scriptExecutable/></task></taskFlow></job>'
    )
    job_id = scheduler.submit(two).id
    memory.finish(job_id)
    fault = json.dumps(recorded("12-in-error", "finished in error: /result")).encode()
    request = memory.request

    def failing(method: str, path: str, **more: Any) -> Response:
        if path.endswith((f"/jobs/{job_id}/result", "/tasks/B/result")):
            return Response(status=500, body=fault, headers={"content-type": "application/json"})
        return request(method, path, **more)

    monkeypatch.setattr(memory, "request", failing)
    whole = scheduler.job_result(job_id)
    assert whole is not None
    assert {name: result.value for name, result in whole.tasks.items()} == {"A": 3}
    lost = scheduler.task_result(job_id, "B")
    assert (lost.name, lost.has_value, lost.failed) == ("B", False, False)
