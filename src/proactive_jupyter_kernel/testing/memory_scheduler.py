"""An in-memory scheduler that implements `Transport`, for tests of code that uses a scheduler.

It accepts workflow XML and answers like a scheduler, but runs nothing: each task has a `ScriptedOutcome`. Time
advances with the requests: every ``GET …/info`` is one tick for running tasks and starts those that are ready.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import ParseError

from proactive_jupyter_kernel.client.config import EMBEDDED, Settings
from proactive_jupyter_kernel.client.login import Credentials
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import Part, Response, Transport
from proactive_jupyter_kernel.errors import SchedulerUnreachable
from proactive_jupyter_kernel.testing.memory_jobs import MemoryJob, MemoryTask, ScriptedOutcome
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

__all__ = ["MemoryScheduler", "Refusal", "ScriptedOutcome", "memory_node"]

REST = "org.ow2.proactive_grid_cloud_portal.scheduler.exception."


class Refusal(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.response = _json(
            {
                "httpErrorCode": status,
                "errorMessage": message,
                "stackTrace": None,
                "exception": None,
                "exceptionClass": kind,
            },
            status=status,
        )


def memory_node(
    name: str,
    *,
    source: str = "Default",
    host: str = "mars",
    state: str = "FREE",
    tokens: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A node, as ``/rm/monitoring`` lists it."""
    return {
        "nodeUrl": f"http://memory/{name}",
        "nodeSource": source,
        "hostName": host,
        "nodeState": state,
        "locked": False,
        "tokens": list(tokens),
        "eventType": "NODE_ADDED",
        **more,
    }


class MemoryScheduler:
    """A `Transport` without a network. Public attributes may be changed at any time."""

    def __init__(
        self, outcomes: Mapping[str, ScriptedOutcome] | None = None, *, login: str = "user", password: str = "secret"
    ) -> None:
        #: By task name, for tasks submitted from now on; a task without one ends well with the result True.
        self.outcomes: dict[str, ScriptedOutcome] = dict(outcomes or {})
        self.login = login
        self.password = password
        self.version = "14.0.0"
        #: The version of an embedded scheduler that it is to be; empty: it is a ProActive server.
        self.embedded = ""
        self.address = "http://memory"
        #: The time of every line of a log.
        self.log_time = "10:00:00"
        #: False: nothing answers.
        self.reachable = True
        #: Every submission is refused with this message, if it has one.
        self.refusal = ""
        self.jobs: dict[int, MemoryJob] = {}
        #: The nodes, as ``/rm/monitoring`` lists them.
        self.nodes: list[dict[str, Any]] = [memory_node("local-0")]
        #: Every request that came, as ``GET /scheduler/jobs/1/info``.
        self.requests: list[str] = []
        #: The bodies of requests for links to the portal, as the embedded scheduler takes them.
        self.link_requests: list[dict[str, Any]] = []
        self._sessions: set[str] = set()
        self._numbers = itertools.count(1)
        self._released: dict[int, set[str]] = {}
        self._lock = threading.RLock()

    def transport(self) -> Transport:
        """How clients reach it."""
        return self

    @property
    def settings(self) -> Settings:
        """How a notebook is connected to it: as to the embedded scheduler."""
        return EMBEDDED

    def shown_failure(self, message: str) -> str:
        """How a client shows the message of a task's failure."""
        return message

    def credentials(self) -> Credentials:
        """The valid credentials."""
        return Credentials(login=self.login, password=Secret(self.password))

    def forget_sessions(self) -> None:
        """Expire all sessions."""
        self._sessions.clear()

    def release(self, job_id: int, task: str) -> None:
        """End a task that is on hold at the next tick."""
        with self._lock:
            self._released.setdefault(job_id, set()).add(task)

    def advance(self, job_id: int, ticks: int = 1) -> None:
        """Advance the time without a request."""
        with self._lock:
            for _ in range(ticks):
                self.jobs[job_id].tick(self._released.setdefault(job_id, set()))

    def finish(self, job_id: int) -> None:
        """Advance the time until the job has ended; raises ValueError if a task is on hold."""
        for _ in range(10_000):
            if self.jobs[job_id].ended:
                return
            self.advance(job_id)
        raise ValueError(f"job {job_id} does not end: a task is on hold or waits for one that does not exist")

    def close(self) -> None:
        """Nothing is open."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Secret] | None = None,
        parts: Sequence[Part] = (),
        content: bytes | None = None,
    ) -> Response:
        with self._lock:
            self.requests.append(f"{method} {path}")
            if not self.reachable:
                raise SchedulerUnreachable(f"Cannot reach the scheduler at {self.address}.")
            try:
                if path == "/scheduler/login":
                    return self._log_in(form or {})
                if path == "/scheduler/version":
                    embedded = {"embedded": self.embedded} if self.embedded else {}
                    return _json({"scheduler": self.version, "rest": self.version, **embedded})
                if (headers or {}).get("sessionid", "") not in self._sessions:
                    message = "You are not connected to the server, you should log on first"
                    raise Refusal(401, REST + "NotConnectedRestException", message)
                if (method, path) == ("POST", "/portal/links"):
                    return self._links(json.loads(content or b"{}"))
                return self._answer(method, path, dict(query), parts)
            except Refusal as refusal:
                return refusal.response

    def _log_in(self, form: Mapping[str, str | Secret]) -> Response:
        password = form.get("password")
        told = password.reveal() if isinstance(password, Secret) else password
        if form.get("username") != self.login or told != self.password:
            raise Refusal(404, "javax.security.auth.login.LoginException", "Authentication failed")
        session = f"session{next(self._numbers)}"
        self._sessions.add(session)
        return Response(status=200, body=session.encode())

    def _links(self, body: dict[str, Any]) -> Response:
        self.link_requests.append(body)
        found = [f"{self.address}/portal/enter/token{next(self._numbers)}" for _ in range(body["count"])]
        return _json({"links": found})

    def _answer(self, method: str, path: str, query: Mapping[str, str], parts: Sequence[Part]) -> Response:
        path, *matrix = path.split(";")
        # Servers before 12.0 read variables from the path, all others too.
        given = {unquote(name): unquote(value) for name, _, value in (one.partition("=") for one in matrix)}
        if (method, path) == ("PUT", "/scheduler/disconnect"):
            return Response(status=204)
        if (method, path) == ("POST", "/scheduler/submit"):
            return self._submit(parts, query, given)
        if (method, path) == ("POST", "/scheduler/validate"):
            return self._validate(parts, given)
        if (method, path) == ("GET", "/scheduler/revisionjobsinfo"):
            return self._listing(query)
        if method == "GET" and path.startswith("/rm/"):
            return self._resources(path)
        for verb, pattern, answer in ROUTES:
            found = pattern.fullmatch(path)
            if found and verb == method:
                own = getattr(self, answer.__name__)
                return own(self._job(found[1]), *map(unquote, found.groups()[1:]))  # type: ignore[no-any-return]
        raise Refusal(404, "javax.ws.rs.NotFoundException", f"no such route: {method} {path}")

    def _resources(self, path: str) -> Response:
        if path == "/rm/monitoring":
            return _json({"latestCounter": "1", "nodeSource": [], "nodesEvents": self.nodes})
        sources = ["Default", *(node["nodeSource"] for node in self.nodes)]
        hosts = [node["hostName"] for node in self.nodes]
        tokens = [token for node in self.nodes for token in node["tokens"]]
        names = {"nodesources": sources, "hosts": hosts, "tokens": tokens}.get(path.removeprefix("/rm/model/"))
        if names is None:
            raise Refusal(404, "javax.ws.rs.NotFoundException", f"no such route: GET {path}")
        return _text(f"PA:LIST({','.join(['', *dict.fromkeys(names)] if names else [])})")

    def _job(self, number: str) -> MemoryJob:
        job = self.jobs.get(int(number))
        if job is None:
            message = f"UnknownJobException: The job represented by this ID '{number}' is unknown !"
            raise Refusal(404, REST + "UnknownJobRestException", message)
        return job

    def _read(
        self, parts: Sequence[Part], query: Mapping[str, str], given: Mapping[str, str], job_id: int
    ) -> MemoryJob:
        variables = dict(given)
        for part in parts:
            if part.name == "variables":
                variables |= json.loads(part.content)
        xml = next(part for part in parts if part.name != "variables")
        if "xml" not in xml.content_type:
            message = f"Unknown job descriptor type: {xml.content_type}"
            raise Refusal(400, REST + "JobCreationRestException", message)
        try:
            return self._made(job_id, xml.content.decode("utf-8"), variables, query)
        except (ParseError, ValueError) as error:
            raise Refusal(400, REST + "JobCreationRestException", str(error)) from error

    def _made(self, job_id: int, xml: str, variables: Mapping[str, str], query: Mapping[str, str]) -> MemoryJob:
        return MemoryJob(job_id, xml, variables=variables, information=query, outcomes=self.outcomes)

    def _submit(self, parts: Sequence[Part], query: Mapping[str, str], given: Mapping[str, str]) -> Response:
        if self.refusal:
            raise Refusal(400, REST + "JobCreationRestException", self.refusal)
        job = self._read(parts, query, given, len(self.jobs) + 1)
        self.jobs[job.id] = job
        return _json({"id": job.id, "readableName": job.name})

    def _validate(self, parts: Sequence[Part], given: Mapping[str, str]) -> Response:
        try:
            job = self._read(parts, {}, given, 0)
        except Refusal as refusal:
            return _json({"valid": False, "errorMessage": str(refusal), "taskName": None, "updatedVariables": {}})
        return _json(
            {
                "valid": not self.refusal,
                "errorMessage": self.refusal or None,
                "taskName": None,
                "updatedVariables": job.variables,
            }
        )

    def _listing(self, query: Mapping[str, str]) -> Response:
        chosen = [
            job
            for job in sorted(self.jobs.values(), key=lambda job: -job.id)
            if (query.get("finished") != "false" or not job.ended) and job.name.startswith(query.get("jobName", ""))
        ]
        shown = chosen[: int(query.get("limit", "-1"))] if query.get("limit", "-1") != "-1" else chosen
        entries = [{"jobid": str(job.id), "jobOwner": self.login, "jobInfo": job.info()} for job in shown]
        return _json({"size": len(chosen), "map": {"1": entries}})

    def _info(self, job: MemoryJob) -> Response:
        self.advance(job.id)
        return _json(job.info())

    def _state(self, job: MemoryJob) -> Response:
        tasks = {str(task.id): task.state(job.id) for task in job.tasks}
        return _json({"name": job.name, "priority": "Normal", "id": job.id, "jobInfo": job.info(), "tasks": tasks})

    def _job_result(self, job: MemoryJob) -> Response:
        return _json(job.result()) if job.ended else Response(status=204)

    def _xml(self, job: MemoryJob) -> Response:
        return _text(job.xml)

    def _live_log(self, job: MemoryJob) -> Response:
        whole = "".join(task.log(job.id) for task in job.tasks)
        fresh, job.read = whole[job.read :], len(whole)
        return _text(fresh)

    def _kill(self, job: MemoryJob) -> Response:
        if job.ended:
            return _json(False)
        job.end(JobStatus.KILLED)
        return _json(True)

    def _pause(self, job: MemoryJob) -> Response:
        return _json(job.pause())

    def _resume(self, job: MemoryJob) -> Response:
        return _json(job.resume())

    def _restart_all(self, job: MemoryJob) -> Response:
        failed = [task for task in job.tasks if task.status is TaskStatus.IN_ERROR]
        for task in failed:
            task.restart()
        job.settle()
        return _json(bool(failed))

    def _set_priority(self, job: MemoryJob, name: str) -> Response:
        job.priority = name
        return Response(status=204)

    def _task_action(self, job: MemoryJob, name: str, action: str) -> Response:
        """Each action is possible in one status only."""
        task, needed = self._task(job, name), TaskStatus.RUNNING
        if action.endswith("InErrorTask"):
            needed = TaskStatus.IN_ERROR
        if task.status is not needed:
            return _json(False)
        if action.startswith("restart"):
            task.restart()
        else:
            task.status = TaskStatus.FINISHED if action == "finishInErrorTask" else TaskStatus.ABORTED
        job.settle()
        return _json(True)

    def _task(self, job: MemoryJob, name: str) -> MemoryTask:
        task = next((task for task in job.tasks if task.name == name), None)
        if task is None:
            raise Refusal(500, REST + "UnknownTaskRestException", f"task {name}not found")
        return task

    def _task_result(self, job: MemoryJob, name: str, rest: str = "") -> Response:
        task = self._task(job, name)
        if not rest:
            return _json(task.result())
        if rest == "/value":
            value = task.value_text()
            return Response(status=204) if value is None else _text(value)
        return _text(task.log(job.id, rest.removeprefix("/log/")))


#: Method, path with the job's id first, and what answers.
ROUTES: tuple[tuple[str, re.Pattern[str], Callable[..., Response]], ...] = tuple(
    (method, re.compile(r"/scheduler/jobs/(\d+)" + pattern), answer)
    for method, pattern, answer in (
        ("GET", "", MemoryScheduler._state),
        ("GET", "/info", MemoryScheduler._info),
        ("GET", "/result", MemoryScheduler._job_result),
        ("GET", "/xml", MemoryScheduler._xml),
        ("GET", "/livelog", MemoryScheduler._live_log),
        ("PUT", "/kill", MemoryScheduler._kill),
        ("PUT", "/pause", MemoryScheduler._pause),
        ("PUT", "/resume", MemoryScheduler._resume),
        ("PUT", "/restartAllInErrorTasks", MemoryScheduler._restart_all),
        ("PUT", "/priority/byname/([A-Z]+)", MemoryScheduler._set_priority),
        ("PUT", "/tasks/([^/]+)/(kill|restart|restartInErrorTask|finishInErrorTask)", MemoryScheduler._task_action),
        ("GET", "/tasks/([^/]+)/result(|/value|/log/all|/log/out|/log/err)", MemoryScheduler._task_result),
    )
)


def _json(value: Any, *, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8")
    return Response(status=status, body=body, headers={"content-type": "application/json"})


def _text(value: str) -> Response:
    return Response(status=200, body=value.encode("utf-8"), headers={"content-type": "text/plain"})
