"""The stand-in server: an HTTP server that answers as a ProActive server does.

Its jobs run nothing: each task has a `ScriptedOutcome`, and time advances with the requests, as in `MemoryScheduler`,
whose attributes and methods it has. What it says, and the faults of it, are those of the recordings.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from proactive_jupyter_kernel.client.config import Settings
from proactive_jupyter_kernel.client.secret import Secret
from proactive_jupyter_kernel.client.transport import HttpTransport, Part, Response
from proactive_jupyter_kernel.testing.memory_jobs import MemoryJob, MemoryTask, ScriptedOutcome
from proactive_jupyter_kernel.testing.memory_scheduler import MemoryScheduler, Refusal
from proactive_jupyter_kernel.workflow.formats import xml as xml_format
from proactive_jupyter_kernel.workflow.status import TaskStatus
from standin import shapes
from standin.http_server import HttpServer, parts_of
from standin.jobs import FAILED, RecordedJob
from standin.spaces import Spaces
from standin.versions import Release

__all__ = ["StandIn"]

_REST = "org.ow2.proactive_grid_cloud_portal.scheduler.exception."
_COMMON = "org.ow2.proactive.scheduler.common.exception."
#: Answers without a session.
_OPEN = ("/scheduler/version", "/rm/version", "/rm/model/", "/scheduler/logins/", "/common/connected")
#: Wrong passwords after which a name is locked.
_ATTEMPTS = 3


class StandIn(MemoryScheduler):
    """A server of one version; as a context manager, it is stopped at the end.

    Raises `NoRecordings` where the recordings are not at hand.
    """

    def __init__(
        self,
        version: str = "14.2.0",
        outcomes: Mapping[str, ScriptedOutcome] | None = None,
        *,
        login: str = "user",
        password: str = "secret",
        pending: int = 0,
    ) -> None:
        """`pending` is for how many requests each job stays pending."""
        super().__init__(outcomes, login=login, password=password)
        shapes.body("04-job", "ended: /info")
        self.version = version
        self.rules = Release.of(version)
        self.pending = pending
        self.log_time = "14:05:09"
        self._wrong = 0
        self._transports: list[HttpTransport] = []
        self._folder = tempfile.TemporaryDirectory(prefix="standin")
        self.spaces = Spaces(Path(self._folder.name).resolve())
        self._server = HttpServer(self)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """The address to connect to."""
        return self.address

    @property
    def settings(self) -> Settings:
        """How a notebook connects to it."""
        return Settings(url=self.url, login=self.login, password=Secret(self.password))

    def shown_failure(self, message: str) -> str:
        """How a client shows the message of a task's failure: a server puts words before it."""
        return FAILED + message

    def transport(self) -> HttpTransport:
        """A new transport to it."""
        self._transports.append(HttpTransport(self.url))
        return self._transports[-1]

    def stop(self) -> None:
        """Stop serving, close the connections of its transports, and remove the data spaces."""
        for transport in self._transports:
            transport.close()
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # -- requests

    def answer(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> Response:
        """The answer to a request below ``/rest``."""
        with self._lock:
            self.requests.append(f"{method} {path}")
            try:
                return self._answered(method, path, query, headers, body)
            except Refusal as refusal:
                return self._error(refusal)

    def _answered(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> Response:
        if not self.rules.has_path(path):
            raise self._no_route(path)
        if path in ("/scheduler/login", "/common/login", "/rm/login"):
            return self._log_in(dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True)))
        if path == "/scheduler/version":
            text = f'{{ "scheduler" : "{self.version}", "rest" : "{self.version}"}}'
            return Response(status=200, body=text.encode(), headers={"content-type": "application/octet-stream"})
        if path == "/common/connected":
            return _json(headers.get("sessionid") in self._sessions)
        if not path.startswith(_OPEN) and headers.get("sessionid", "") not in self._sessions:
            message = "You are not connected to the server, you should log on first"
            raise Refusal(401, _REST + "NotConnectedRestException", message)
        if path.startswith("/data/"):
            return self._data(method, path, query, headers, body)
        parts = parts_of(headers.get("content-type", ""), body)
        return self._answer(method, path, dict(reversed(query)), parts)

    def _answer(self, method: str, path: str, query: Mapping[str, str], parts: Sequence[Part]) -> Response:
        found = re.fullmatch(r"/scheduler/(user|global)space", path)
        if found:
            return _json([self.spaces.uri(found[1])])
        if path == "/common/currentuser" or path.startswith("/scheduler/logins/sessionid/"):
            return _text(self.login)
        if path == "/rm/model/tokens" and not any(node["tokens"] for node in self.nodes):
            return _text(self.rules.no_tokens)
        if path == "/rm/state":
            return _json({"freeNodesNumber": 4, "totalAliveNodesNumber": 4})
        if not self.rules.has_xml and path.endswith("/xml"):
            raise self._no_route(path)
        try:
            return super()._answer(method, path, query, parts)
        except Refusal as refusal:
            if refusal.kind.endswith("NotFoundException"):
                raise self._no_route(path) from None
            raise

    def _no_route(self, path: str) -> Refusal:
        message = f"RESTEASY003210: Could not find resource for full path: {self.address}/rest{path}"
        return Refusal(404, "javax.ws.rs.NotFoundException", message)

    def _error(self, refusal: Refusal) -> Response:
        data = shapes.body("05-unknown", "unknown job: state")
        data |= {
            "httpErrorCode": refusal.status,
            "errorMessage": refusal.message,
            "exceptionClass": refusal.kind,
        }
        if not self.rules.hides_exceptions:
            data["stackTrace"] = f"{refusal.kind}: {refusal.message}\n{shapes.FRAMES}\n"
            data["exception"] = {"cause": None, "stackTrace": [], "message": refusal.message, "suppressed": []}
        return _json(data, status=refusal.status)

    def _log_in(self, form: Mapping[str, Any]) -> Response:
        kind = "javax.security.auth.login.LoginException"
        if self._wrong >= _ATTEMPTS:
            raise Refusal(404, kind, "Too many failed login/attempts, please try again in 10 minutes.")
        if form.get("username") != self.login or form.get("password") != self.password:
            self._wrong += 1
            raise Refusal(404, kind, "Incorrect Username/Password")
        self._wrong = 0
        return super()._log_in(form)

    def _data(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> Response:
        _, _, space, *rest = path.split("/")
        inner = unquote("/".join(rest))
        if space not in ("user", "global"):
            message = f"You are not authorized to read files from dataspace {space}"
            raise Refusal(403, _REST + "PermissionRestException", message)
        if not inner:
            raise self._no_route(path)
        return self.spaces.answer(method, space, inner, query, headers, body)

    # -- jobs

    def _made(self, job_id: int, xml: str, variables: Mapping[str, str], query: Mapping[str, str]) -> MemoryJob:
        version = xml_format.version_of(xml)
        if not self.rules.knows_schema(version):
            message = f"{_COMMON}JobValidationException: At [tag:job] : null"
            raise Refusal(400, _REST + "JobCreationRestException", message)
        return RecordedJob(
            job_id,
            xml,
            variables=variables,
            information=query,
            outcomes=self.outcomes,
            release=self.rules,
            pending=self.pending,
        )

    def _read(
        self, parts: Sequence[Part], query: Mapping[str, str], given: Mapping[str, str], job_id: int
    ) -> MemoryJob:
        if not self.rules.reads_variables_part:
            # The part is none that it knows: it has no effect.
            parts = [part for part in parts if part.name != "variables"]
        return super()._read(parts, query, given, job_id)

    def _job(self, number: str) -> MemoryJob:
        if int(number) not in self.jobs:
            message = f"{_COMMON}UnknownJobException: The job represented by this ID '{number}' is unknown !"
            raise Refusal(404, _REST + "UnknownJobRestException", message)
        return self.jobs[int(number)]

    def _task(self, job: MemoryJob, name: str) -> MemoryTask:
        task = next((task for task in job.tasks if task.name == name), None)
        if task is None:
            message = f"{_COMMON}UnknownTaskException: Unknown task {name}, job: {job.id}"
            raise Refusal(500, _REST + "UnknownTaskRestException", message)
        return task

    def _listing(self, query: Mapping[str, str]) -> Response:
        known = self.rules.query(query)
        answer = json.loads(super()._listing(known).body)
        if known.get("sortParams") != "ID_d":
            # Without an order: that of a hash map.
            for jobs in answer["map"].values():
                jobs.sort(key=lambda entry: entry["jobid"][::-1])
        return _json(answer)

    def _state(self, job: MemoryJob) -> Response:
        return _json(_recorded(job).state())

    def _job_result(self, job: MemoryJob) -> Response:
        if not job.ended:
            return Response(status=204)
        if _recorded(job).finished_in_error:
            raise Refusal(500, "org.dozer.MappingException", "java.lang.reflect.InvocationTargetException")
        return _json(job.result())

    def _task_result(self, job: MemoryJob, name: str, rest: str = "") -> Response:
        task, recorded = self._task(job, name), _recorded(job)
        if not rest and name in recorded.finished_in_error:
            raise Refusal(500, "org.dozer.MappingException", "java.lang.reflect.InvocationTargetException")
        if not rest:
            return _json(recorded.task_result(task))
        if rest == "/value":
            value = recorded.value_text(task)
            return Response(status=204) if value is None else _text(value)
        return _text(recorded.task_log(task, rest.removeprefix("/log/")))

    def _live_log(self, job: MemoryJob) -> Response:
        whole = _recorded(job).live_log()
        fresh, job.read = whole[job.read :], max(job.read, len(whole))
        return _text(fresh)

    def _xml(self, job: MemoryJob) -> Response:
        headers = {"content-type": "application/xml;charset=UTF-8"}
        return Response(status=200, body=_recorded(job).workflow_xml().encode(), headers=headers)

    def _task_action(self, job: MemoryJob, name: str, action: str) -> Response:
        task, recorded = self._task(job, name), _recorded(job)
        if job.ended:
            if action == "restartInErrorTask":
                raise Refusal(500, "java.lang.NullPointerException", "")
            message = f"{_COMMON}UnknownJobException: The job represented by this ID '{job.id}' is unknown !"
            raise Refusal(404, _REST + "UnknownJobRestException", message)
        if action == "restartInErrorTask" and task.status is not TaskStatus.IN_ERROR:
            return _json(True)  # and nothing happens
        if action == "restart" and task.status in (TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.IN_ERROR):
            raise Refusal(500, "java.lang.IllegalStateException", f"Task {job.id}t{task.id} is not running.")
        if action == "finishInErrorTask" and task.status is TaskStatus.IN_ERROR:
            recorded.finished_in_error.add(name)
        return super()._task_action(job, name, action)


def _recorded(job: MemoryJob) -> RecordedJob:
    assert isinstance(job, RecordedJob)
    return job


def _json(value: Any, *, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8")
    return Response(status=status, body=body, headers={"content-type": "application/json"})


def _text(value: str) -> Response:
    return Response(status=200, body=value.encode("utf-8"), headers={"content-type": "text/plain;charset=utf-8"})
