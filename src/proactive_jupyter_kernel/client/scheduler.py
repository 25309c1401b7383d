"""Any ProActive scheduler as an object: submit, follow, results, logs, actions. Only what its REST API gives.

Each method names its endpoint. All raise `SchedulerError` and its kinds, `SchedulerUnreachable` where nobody answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from proactive_jupyter_kernel.client import logs, records, results
from proactive_jupyter_kernel.client.carrying import Carrier
from proactive_jupyter_kernel.client.dataspace import DataSpace
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.pace import Pace
from proactive_jupyter_kernel.client.records import Job, JobInfo, JobRef, JobResult, LogLine, TaskResult, Validation
from proactive_jupyter_kernel.client.transport import Part, Response, path_of
from proactive_jupyter_kernel.errors import SubmissionRefused, UnknownJob, UnknownTask, WaitTimeout, did_you_mean

__all__ = ["Scheduler"]

#: How many jobs one listing brings by default; the server's own page size.
PAGE = 100
#: How many of the newest jobs are looked through for a name.
SEARCHED = 1000
#: Seconds after which a job is asked for in full though its counters stand still: a task's progress is no counter.
FULL_EVERY = 2.0

Information = Callable[[str | bytes], Mapping[str, str]]


class Scheduler:
    """One scheduler in one session; safe to use from several threads."""

    def __init__(
        self,
        session: Session,
        *,
        information: Information | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`information` gives generic information to add to a workflow's XML that is submitted (`embedded.py`)."""
        self._session = session
        self._information = information
        self._clock = clock
        self._sleep = sleep
        #: Jobs whose live log was asked for.
        self._listening: set[int] = set()
        self._carrier = Carrier(self.space())

    @property
    def address(self) -> str:
        """Where it is, such as ``http://host:8080``."""
        return self._session.transport.address

    def space(self, name: str = "user") -> DataSpace:
        """The ``user`` or the ``global`` data space."""
        return DataSpace(self._session, name)

    @property
    def carrier(self) -> Carrier:
        """What carries files with jobs."""
        return self._carrier

    def connect(self) -> None:
        """Log in now instead of at the first call."""
        self._session.open()

    def close(self) -> None:
        """Log out and let go of connections; a later call logs in again."""
        self._session.close()

    def server_version(self) -> str:
        """The scheduler's version (``GET /scheduler/version``)."""
        answer = self._get("/scheduler/version", doing="tell its version").json()
        return str(answer.get("scheduler", "")) if isinstance(answer, dict) else ""

    def ask(self, *path: str | int, doing: str, query: Mapping[str, str] | None = None) -> Response:
        """The answer to ``GET`` on a path of the REST API; `doing` completes "The scheduler refused to ..."."""
        return self._get(path_of(*path), doing=doing, query=query)

    def submit(
        self,
        xml: str | bytes,
        *,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
    ) -> JobRef:
        """Submit a workflow (``POST /scheduler/submit``); `SubmissionRefused` carries the scheduler's reason.

        `variables` and `generic_information` replace or add to those of the job in the XML.
        """
        added = {**(self._information(xml) if self._information else {}), **(generic_information or {})}
        response = self._session.call(
            "POST",
            "/scheduler/submit",
            doing="take the workflow",
            query=tuple(added.items()),
            parts=_workflow_parts(xml, variables),
        )
        if response.status != 200:
            raise SubmissionRefused(
                f"The scheduler answered the submission with HTTP status {response.status} and no job id."
            )
        return records.ref_of(response.json())

    def validate(self, xml: str | bytes, *, variables: Mapping[str, str] | None = None) -> Validation:
        """What the scheduler's checks say about a workflow (``POST /scheduler/validate``)."""
        response = self._session.call(
            "POST", "/scheduler/validate", doing="check the workflow", parts=_workflow_parts(xml, variables)
        )
        return records.validation_of(response.json())

    def info(self, job_id: int) -> JobInfo:
        """A job in short (``GET /scheduler/jobs/{j}/info``)."""
        return records.info_of(self._job_get(job_id, "info").json(), job_id=job_id)

    def job(self, job_id: int) -> Job:
        """A job with all its tasks (``GET /scheduler/jobs/{j}``)."""
        return records.job_of(self._job_get(job_id).json())

    def jobs(self, *, limit: int = PAGE, mine: bool = False, alive_only: bool = False, name: str = "") -> list[JobInfo]:
        """Jobs, the newest first (``GET /scheduler/revisionjobsinfo``); `name`: only those whose name starts so."""
        query = {
            "index": "0",
            "limit": str(limit),
            "myjobs": _bool(mine),
            "pending": "true",
            "running": "true",
            "finished": _bool(not alive_only),
            "childJobs": "true",
            "sortParams": "ID_d",
        }
        if name:
            query["jobName"] = name
        answer = self._get("/scheduler/revisionjobsinfo", doing="list jobs", query=query).json()
        listed = next(iter((answer or {}).get("map", {}).values()), None) or []
        found = [records.info_of(entry.get("jobInfo"), job_id=int(entry.get("jobid", -1))) for entry in listed]
        return sorted(found, key=lambda info: info.id, reverse=True)

    def find(self, name: str) -> int:
        """The id of the newest job of that name, one's own before others'; `UnknownJob` proposes names that exist."""
        for mine in (True, False):
            for info in self.jobs(limit=SEARCHED, name=name, mine=mine):
                if info.name == name:
                    return info.id
        known = [info.name for info in self.jobs(limit=SEARCHED)]
        raise UnknownJob(f"No job is called {name!r} on {self.address}.", hint=did_you_mean(name, known))

    def job_result(self, job_id: int) -> JobResult | None:
        """The results of a job's tasks, None while it is alive (``GET /scheduler/jobs/{j}/result``)."""
        response = self._job_get(job_id, "result")
        return None if response.status == 204 or not response.body else results.job_result_of(response.json())

    def task_result(self, job_id: int, name: str) -> TaskResult:
        """A task's result, with the stack trace if it failed (``GET …/tasks/{n}/result``, ``…/result/value``)."""
        data = self._task_get(job_id, name, "result").json()
        if isinstance(data, dict) and data.get("serializedException") is not None:
            return results.task_result_of(data, trace=self._task_get(job_id, name, "result", "value").text)
        return results.task_result_of(data)

    def live_log(self, job_id: int) -> str:
        """What the job wrote since the last call in this session, both streams (``GET …/livelog``).

        The first call asks for all there is; `output.py` tells the streams and the tasks apart.
        """
        first = job_id not in self._listening
        text = self._job_get(job_id, "livelog", query={"allLogs": "true"} if first else None).text
        self._listening.add(job_id)
        return text

    def error_log(self, job_id: int, name: str) -> list[LogLine]:
        """What a task wrote to standard error so far; a real server tells it when the task has ended."""
        lines = logs.parse(self._task_get(job_id, name, "result", "log", "err").text)
        return [replace(line, error=True) for line in lines]

    def task_log(self, job_id: int, name: str) -> list[LogLine]:
        """All that a task wrote, in order, each line with its stream (``GET …/tasks/{n}/result/log/all|out|err``)."""
        whole = self._task_get(job_id, name, "result", "log", "all").text
        if not whole:
            return []
        err = self._task_get(job_id, name, "result", "log", "err").text
        out = self._task_get(job_id, name, "result", "log", "out").text if err else whole
        return logs.merge(whole, out, err)

    def xml(self, job_id: int) -> str:
        """The workflow as it was submitted (``GET /scheduler/jobs/{j}/xml``)."""
        return self._job_get(job_id, "xml", accept="application/xml").text

    def kill(self, job_id: int) -> bool:
        """Kill a job; False where there was nothing to do (``PUT /scheduler/jobs/{j}/kill``)."""
        return self._act(job_id, "kill")

    def pause(self, job_id: int) -> bool:
        """Start no more tasks of a job; False where there was nothing to do (``PUT /scheduler/jobs/{j}/pause``)."""
        return self._act(job_id, "pause")

    def resume(self, job_id: int) -> bool:
        """Go on with a paused job; False where there was nothing to do (``PUT /scheduler/jobs/{j}/resume``)."""
        return self._act(job_id, "resume")

    def follow(
        self, job_id: int, *, timeout: float | None = None, beat: float | None = None, pace: Pace | None = None
    ) -> Iterator[Job]:
        """The job now and then each time something changed, until it has ended; the last one is the ended job.

        The scheduler is asked, at first every few milliseconds, later twice a second. With a `beat`, the unchanged job
        comes again after that many seconds, for whoever has something else to look after, such as its output. Raises
        `WaitTimeout` after `timeout` seconds. Leaving the iteration harms nothing: the job goes on.
        """
        pace = pace or Pace()
        start = self._clock()
        job = self.job(job_id)
        changed = full_at = shown = self._clock()
        trip = full_trip = changed - start
        yield job
        while not job.ended:
            now = self._clock()
            if timeout is not None and now - start >= timeout:
                raise WaitTimeout(
                    f"Job {job_id} ({job.name!r}) did not end within {timeout:g} s;"
                    f" it is {job.status.label} and goes on."
                )
            pause = pace.pause(since_start=now - start, since_change=now - changed, round_trip=trip)
            bounds = [pause, *([start + timeout - now] if timeout is not None else []), *([beat] if beat else [])]
            self._sleep(max(0.0, min(bounds)))
            asked = self._clock()
            info = self.info(job_id)
            trip = self._clock() - asked
            before = job
            due = info.ended or pace.full_is_due(since_full=asked - full_at, full_trip=full_trip)
            if (due and info != job.info) or asked - full_at >= FULL_EVERY:
                job, full_at = self.job(job_id), self._clock()
                full_trip = full_at - asked
            if job != before:
                changed = full_at
            if job != before or (beat and asked - shown >= beat):
                shown = asked
                yield job

    def _get(self, path: str, *, doing: str, query: Mapping[str, str] | None = None, accept: str = "*/*") -> Response:
        return self._session.call(
            "GET", path, doing=doing, query=tuple((query or {}).items()), headers={"accept": accept}
        )

    def _job_get(
        self, job_id: int, *rest: str, query: Mapping[str, str] | None = None, accept: str = "*/*"
    ) -> Response:
        path = path_of("scheduler", "jobs", job_id, *rest)
        try:
            return self._get(path, doing=f"show job {job_id}", query=query, accept=accept)
        except UnknownJob as error:
            raise UnknownJob(f"There is no job {job_id} on {self.address}.", hint=_list_hint()) from error

    def _task_get(self, job_id: int, name: str, *rest: str) -> Response:
        path = path_of("scheduler", "jobs", job_id, "tasks", name, *rest)
        try:
            return self._get(path, doing=f"show task {name!r} of job {job_id}")
        except UnknownJob as error:
            raise UnknownJob(f"There is no job {job_id} on {self.address}.", hint=_list_hint()) from error
        except UnknownTask as error:
            known = [task.name for task in self.job(job_id).tasks]
            raise UnknownTask(f"Job {job_id} has no task {name!r}.", hint=did_you_mean(name, known)) from error

    def _act(self, job_id: int, action: str) -> bool:
        path = path_of("scheduler", "jobs", job_id, action)
        try:
            response = self._session.call("PUT", path, doing=f"{action} job {job_id}")
        except UnknownJob as error:
            raise UnknownJob(f"There is no job {job_id} on {self.address}.", hint=_list_hint()) from error
        return response.json() is True


def _workflow_parts(xml: str | bytes, variables: Mapping[str, str] | None) -> list[Part]:
    content = xml.encode("utf-8") if isinstance(xml, str) else xml
    parts = [Part(name="file", content=content, content_type="application/xml")]
    if variables:
        body = json.dumps(dict(variables), ensure_ascii=False).encode("utf-8")
        parts.append(Part(name="variables", content=body, content_type="application/json"))
    return parts


def _list_hint() -> str:
    return "#%list_submitted_jobs() and `proactive-kernel jobs` list the jobs there are."


def _bool(value: bool) -> str:
    return "true" if value else "false"
