"""The REST API of a ProActive scheduler: one method per endpoint, records in and out.

`scheduler.py` adds what needs more than one request: submitted jobs as objects, files, the two ways to connect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from proactive_jupyter_kernel.client import json_records, logs, resources, results, server_version
from proactive_jupyter_kernel.client.dataspace import DataSpace
from proactive_jupyter_kernel.client.java_traces import TraceFilter
from proactive_jupyter_kernel.client.login import Session
from proactive_jupyter_kernel.client.records import Job, JobInfo, JobRef, JobResult, LogLine, TaskResult, Validation
from proactive_jupyter_kernel.client.resources import Node
from proactive_jupyter_kernel.client.server_version import ServerVersion
from proactive_jupyter_kernel.client.transport import Part, Response, path_of
from proactive_jupyter_kernel.errors import (
    SchedulerError,
    SchedulerUnreachable,
    SubmissionRefused,
    UnknownJob,
    UnknownTask,
    did_you_mean,
)

__all__ = ["PAGE", "SchedulerApi"]

#: How many jobs one listing returns by default; the server's own page size.
PAGE = 100


class SchedulerApi:
    """One scheduler in one session; safe to use from several threads.

    Each method names its endpoint. All raise `SchedulerError` and its subclasses, `SchedulerUnreachable` where nothing
    answers.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        #: Jobs whose live log was requested in this session.
        self._listening: set[int] = set()
        #: Whether it holds an answer back for as long as is asked for (`info`, `job`); None: not known yet.
        self.holds_answers: bool | None = None
        self._version: ServerVersion | None = None
        #: The session in which it was requested: a server may be replaced by a newer one while a notebook is open.
        self._version_of = ""

    @property
    def address(self) -> str:
        """Where it is, such as ``http://host:8080``."""
        return self._session.transport.address

    def space(self, name: str = "user") -> DataSpace:
        """The ``user`` or the ``global`` data space."""
        return DataSpace(self._session, name)

    def log_in(self) -> None:
        """Log in now instead of at the first call."""
        self._session.open()

    def close(self) -> None:
        """Log out and close connections; a later call logs in again."""
        self._version = None
        self._session.close()

    @property
    def version(self) -> ServerVersion:
        """The scheduler's version (``GET /scheduler/version``), requested once in each session."""
        if self._version is None or self._version_of != self._session.id:
            answer = self._get("/scheduler/version", doing="tell its version")
            try:
                found = answer.json()
            except SchedulerError:
                found = {}  # a proxy may answer for it
            versions = found if isinstance(found, dict) else {}
            text = str(versions.get("scheduler") or "")
            self._version = server_version.parsed(text, embedded=str(versions.get("embedded") or ""))
            self._version_of = self._session.id
        return self._version

    def user(self) -> str:
        """The name of this session's user.

        ``GET /common/currentuser``; before 11.0 ``GET /scheduler/logins/sessionid/{s}``.
        """
        doing = "tell who is logged in"
        if self.version.has_common:
            return self._get("/common/currentuser", doing=doing).text.strip().strip('"')
        self._session.open()
        return self._get(path_of("scheduler", "logins", "sessionid", self._session.id), doing=doing).text.strip()

    def ask(self, *path: str | int, doing: str, query: Mapping[str, str] | None = None) -> Response:
        """The answer to ``GET`` on a path of the REST API; `doing` completes "The scheduler refused to ..."."""
        return self._get(path_of(*path), doing=doing, query=query)

    def post_json(self, path: str, data: Any, *, doing: str, query: Sequence[tuple[str, str]] = ()) -> Response:
        """The answer to ``POST`` with a JSON body; `doing` as in `ask`."""
        return self._session.call(
            "POST",
            path,
            doing=doing,
            query=query,
            headers={"content-type": "application/json"},
            content=json.dumps(data).encode("utf-8"),
        )

    def node_sources(self) -> list[str]:
        """The node sources that a job can ask for (``GET /rm/model/nodesources``)."""
        return list(resources.names_of(self, "node_source"))

    def hosts(self) -> list[str]:
        """The hosts of its nodes (``GET /rm/model/hosts``)."""
        return list(resources.names_of(self, "host"))

    def tokens(self) -> list[str]:
        """The access tokens of its nodes (``GET /rm/model/tokens``)."""
        return list(resources.names_of(self, "token"))

    def nodes(self) -> list[Node]:
        """Its nodes with their states (``GET /rm/monitoring``)."""
        return list(resources.nodes_of(self))

    def submit_xml(
        self,
        xml: str | bytes,
        *,
        variables: Mapping[str, str] | None = None,
        generic_information: Mapping[str, str] | None = None,
    ) -> JobRef:
        """Submit a workflow (``POST /scheduler/submit``); `SubmissionRefused` carries the scheduler's reason.

        `variables` and `generic_information` replace or add to those of the job in the XML.
        """
        path, parts = self._with_variables("/scheduler/submit", xml, variables)
        query = tuple((generic_information or {}).items())
        try:
            response = self._session.call("POST", path, doing="take the workflow", query=query, parts=parts)
        except SchedulerUnreachable as error:
            if not error.in_doubt or "is not known" in error.message:
                raise
            # To send it again could run the job twice.
            raise SchedulerUnreachable(
                f"{error.message} It is not known whether the job was submitted.",
                hint="Check before you submit again: #%list_submitted_jobs() and `proactive-kernel jobs` list jobs.",
                in_doubt=True,
            ) from error
        if response.status != 200:
            raise SubmissionRefused(
                f"The scheduler answered the submission with HTTP status {response.status} and no job id."
            )
        return json_records.ref_of(response.json())

    def validate(self, xml: str | bytes, *, variables: Mapping[str, str] | None = None) -> Validation:
        """What the scheduler's checks say about a workflow (``POST /scheduler/validate``)."""
        path, parts = self._with_variables("/scheduler/validate", xml, variables)
        response = self._session.call("POST", path, doing="check the workflow", parts=parts)
        return json_records.validation_of(response.json())

    def _with_variables(
        self, path: str, xml: str | bytes, variables: Mapping[str, str] | None
    ) -> tuple[str, list[Part]]:
        """The path and the parts of a request with a workflow; old servers read variables from the path."""
        content = xml.encode("utf-8") if isinstance(xml, str) else xml
        parts = [Part(name="file", content=content, content_type="application/xml")]
        if variables and self.version.takes_variables_part:
            body = json.dumps(dict(variables), ensure_ascii=False).encode("utf-8")
            parts.append(Part(name="variables", content=body, content_type="application/json"))
        elif variables:
            path += "".join(f";{quote(name, safe='')}={quote(value, safe='')}" for name, value in variables.items())
        return path, parts

    def info(self, job_id: int, *, wait: float = 0.0) -> JobInfo:
        """A job in short (``GET /scheduler/jobs/{j}/info``).

        `wait`: how many seconds the answer may be held back while the job has not ended (`holds_answers`).
        """
        return json_records.info_of(self._held_job_get(wait, job_id, "info").json(), job_id=job_id)

    def job(self, job_id: int, *, wait: float = 0.0) -> Job:
        """A job with all its tasks (``GET /scheduler/jobs/{j}``); `wait` as in `info`."""
        return json_records.job_of(self._held_job_get(wait, job_id).json())

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
        found = [json_records.info_of(entry.get("jobInfo"), job_id=int(entry.get("jobid", -1))) for entry in listed]
        return sorted(found, key=lambda info: info.id, reverse=True)

    def job_result(self, job_id: int) -> JobResult | None:
        """The results of a job's tasks, None while it is alive (``GET /scheduler/jobs/{j}/result``)."""
        try:
            response = self._job_get(job_id, "result")
        except SchedulerError as error:
            if not _is_unreadable(error):
                raise
            return self._result_by_tasks(job_id)
        return None if response.status == 204 or not response.body else results.job_result_of(response.json())

    def task_result(self, job_id: int, name: str) -> TaskResult:
        """A task's result, with the stack trace if it failed (``GET …/tasks/{n}/result``, ``…/result/value``)."""
        try:
            data = self._task_get(job_id, name, "result").json()
        except SchedulerError as error:
            if not _is_unreadable(error):
                raise
            return TaskResult(id=-1, name=name)
        if isinstance(data, dict) and data.get("serializedException") is not None:
            return results.task_result_of(data, trace=self._task_get(job_id, name, "result", "value").text)
        return results.task_result_of(data)

    def _result_by_tasks(self, job_id: int) -> JobResult:
        """Put together of the results of the tasks that have one."""
        job = self.job(job_id)
        found = {task.name: self.task_result(job_id, task.name) for task in job.tasks if task.ended}
        known = {name: result for name, result in found.items() if result.has_value or result.failed}
        return JobResult(id=job.id, name=job.name, tasks=known)

    def live_log(self, job_id: int) -> str:
        """What the job wrote since the last call in this session, both streams (``GET …/livelog``).

        The first call asks for all there is; `jobs/output.py` separates streams and tasks.
        """
        first = job_id not in self._listening
        text = self._job_get(job_id, "livelog", query={"allLogs": "true"} if first else None).text
        self._listening.add(job_id)
        return text

    def error_log(self, job_id: int, name: str) -> list[LogLine]:
        """What a task wrote to standard error so far; a ProActive server has it when the task has ended."""
        lines = logs.parse(self._task_get(job_id, name, "result", "log", "err").text)
        return TraceFilter().kept(replace(line, error=True) for line in lines)

    def task_log(self, job_id: int, name: str) -> list[LogLine]:
        """All that a task wrote, in order, each line with its stream (``GET …/tasks/{n}/result/log/all|out|err``)."""
        whole = self._task_get(job_id, name, "result", "log", "all").text
        if not whole:
            return []
        err = self._task_get(job_id, name, "result", "log", "err").text
        out = self._task_get(job_id, name, "result", "log", "out").text if err else whole
        return TraceFilter().kept(logs.merge(whole, out, err))

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
        """Resume a paused job; False where there was nothing to do (``PUT /scheduler/jobs/{j}/resume``)."""
        return self._act(job_id, "resume")

    def set_priority(self, job_id: int, priority: str) -> None:
        """Change a job's priority: ``IDLE`` to ``HIGHEST`` (``PUT /scheduler/jobs/{j}/priority/byname/{name}``)."""
        self._put(job_id, "priority", "byname", priority, doing=f"change the priority of job {job_id}")

    def restart_in_error_tasks(self, job_id: int) -> bool:
        """Restart each In-Error task of a job (``PUT /scheduler/jobs/{j}/restartAllInErrorTasks``)."""
        return self._act(job_id, "restartAllInErrorTasks", doing=f"restart the In-Error tasks of job {job_id}")

    def kill_task(self, job_id: int, name: str) -> bool:
        """Kill a running task; the job continues (``PUT …/tasks/{n}/kill``)."""
        return self._act_on_task(job_id, name, "kill", doing="kill")

    def restart_task(self, job_id: int, name: str) -> bool:
        """Stop a running task and run it again (``PUT …/tasks/{n}/restart``)."""
        return self._act_on_task(job_id, name, "restart", doing="restart")

    def restart_in_error_task(self, job_id: int, name: str) -> bool:
        """Run an In-Error task again (``PUT …/tasks/{n}/restartInErrorTask``)."""
        return self._act_on_task(job_id, name, "restartInErrorTask", doing="restart")

    def finish_in_error_task(self, job_id: int, name: str) -> bool:
        """Treat an In-Error task as finished, so that its children run (``PUT …/tasks/{n}/finishInErrorTask``)."""
        return self._act_on_task(job_id, name, "finishInErrorTask", doing="finish")

    def send_signal(self, job_id: int, name: str, values: Mapping[str, str]) -> list[str]:
        """Send a signal to a job, with values for its variables; the job's signals
        (``POST /scheduler/job/{j}/signals``).
        """
        found = self.post_json(
            path_of("scheduler", "job", job_id, "signals"),
            dict(values),
            doing=f"send the signal {name!r} to job {job_id}",
            query=(("signal", name),),
        ).json()
        return [str(each) for each in found]

    def _get(
        self,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return self._session.call(
            "GET", path, doing=doing, query=tuple((query or {}).items()), headers={"accept": accept, **(headers or {})}
        )

    def _held_job_get(self, wait: float, job_id: int, *rest: str) -> Response:
        """With the preference to wait (RFC 7240), which a ProActive server ignores."""
        if not wait:
            return self._job_get(job_id, *rest)
        answer = self._job_get(job_id, *rest, headers={"prefer": f"wait={wait:.3f}"})
        self.holds_answers = "preference-applied" in answer.headers
        return answer

    def _job_get(
        self,
        job_id: int,
        *rest: str,
        query: Mapping[str, str] | None = None,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        path = path_of("scheduler", "jobs", job_id, *rest)
        try:
            return self._get(path, doing=f"show job {job_id}", query=query, accept=accept, headers=headers)
        except UnknownJob as error:
            raise self._unknown_job(job_id) from error

    def _task_get(self, job_id: int, name: str, *rest: str) -> Response:
        path = path_of("scheduler", "jobs", job_id, "tasks", name, *rest)
        try:
            return self._get(path, doing=f"show task {name!r} of job {job_id}")
        except UnknownJob as error:
            raise self._unknown_job(job_id) from error
        except UnknownTask as error:
            raise self._unknown_task(job_id, name) from error

    def _act(self, job_id: int, action: str, *, doing: str = "") -> bool:
        return self._put(job_id, action, doing=doing or f"{action} job {job_id}").json() is True

    def _act_on_task(self, job_id: int, name: str, action: str, *, doing: str) -> bool:
        doing = f"{doing} task {name!r} of job {job_id}"
        try:
            return self._put(job_id, "tasks", name, action, doing=doing).json() is True
        except UnknownJob:
            # A server says so of the tasks of a job that has ended, too, and of those that it never had.
            job = self.job(job_id)
            if not job.ended:
                raise
            if job.task(name) is None:
                raise self._unknown_task(job_id, name) from None
            return False
        except UnknownTask as error:
            raise self._unknown_task(job_id, name) from error

    def _put(self, job_id: int, *rest: str, doing: str) -> Response:
        try:
            return self._session.call("PUT", path_of("scheduler", "jobs", job_id, *rest), doing=doing)
        except UnknownJob as error:
            raise self._unknown_job(job_id) from error

    def _unknown_job(self, job_id: int) -> UnknownJob:
        hint = "#%list_submitted_jobs() and `proactive-kernel jobs` list the jobs."
        return UnknownJob(f"There is no job {job_id} on {self.address}.", hint=hint)

    def _unknown_task(self, job_id: int, name: str) -> UnknownTask:
        known = [task.name for task in self.job(job_id).tasks]
        return UnknownTask(f"Job {job_id} has no task {name!r}.", hint=did_you_mean(name, known))


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _is_unreadable(error: SchedulerError) -> bool:
    """Whether a server fails at a result because a task's error was decided to be none (``finishInErrorTask``)."""
    return type(error) is SchedulerError and error.message.endswith(" java.lang.reflect.InvocationTargetException")
