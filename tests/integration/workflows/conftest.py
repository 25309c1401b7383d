"""The catalog of workflows beside what is expected of each, and one real scheduler that runs them all at once.

A workflow is ``tests/data/workflows/<name>.xml``; ``<name>.json`` tells what comes of it, derived from the rules of
ProActive and not from what this scheduler does:

* ``submit``: variables and generic information given at submission; ``{web}`` is an address that serves
  ``scripts/``, ``{spaces}`` a folder of this run.
* ``status`` of the job once nothing moves any more, and its ``tasks``, all of them: status (``A|B``: either), parents
  in their order (in any order with ``anyOrder``), tag if it has one; where it matters result, error (a part of the
  message), log, metadata, number of attempts.
* ``REFUSED``: the job gets no id; ``problems`` are parts of the refusal.
* ``or``: other sets of tasks that are as right, where it depends on who is first.
* ``then``: what is done to the job where it waits for somebody, and what comes of that, step by step.
* ``resultMap``, ``results`` (names of the tasks that have one), ``precious``, ``faulty``, ``job``: facts of the job.
* ``programs`` that the scripts need.
"""

from __future__ import annotations

import datetime
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from proactive_jupyter_kernel.client import embedded
from proactive_jupyter_kernel.client.connection import Connection
from proactive_jupyter_kernel.client.records import Job, TaskResult
from proactive_jupyter_kernel.client.scheduler import Scheduler
from proactive_jupyter_kernel.errors import SubmissionRefused
from proactive_jupyter_kernel.scheduler.engine.records import TaskRecord
from proactive_jupyter_kernel.scheduler.store.sqlite import SqliteStore
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.status import TaskStatus

CATALOG = Path(__file__).parents[2] / "data" / "workflows"
#: Seconds for one workflow to come to where nothing moves; a machine with other things to do may be slow.
DEADLINE = 90.0
#: More than there are processors: many workflows sleep.
SLOTS = 12
#: Workflows with tasks that run alone on their host.
EXCLUSIVE = frozenset({"topologies"})
_ACTIONS = {
    "kill": ("PUT", "{job}/kill"),
    "pause": ("PUT", "{job}/pause"),
    "resume": ("PUT", "{job}/resume"),
    "kill task": ("PUT", "{job}/tasks/{task}/kill"),
    "finish": ("PUT", "{job}/tasks/{task}/finishInErrorTask"),
    "restart": ("PUT", "{job}/tasks/{task}/restartInErrorTask"),
}


def names() -> list[str]:
    """All workflows of the catalog."""
    return sorted(path.stem for path in CATALOG.glob("*.xml"))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A workflow of the catalog and what is expected of it."""

    name: str
    expected: Mapping[str, Any]

    @property
    def path(self) -> Path:
        return CATALOG / f"{self.name}.xml"

    @property
    def missing(self) -> list[str]:
        """Programs that it needs and that are not here."""
        return [program for program in self.expected.get("programs", ()) if shutil.which(program) is None]

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Where it comes to rest: at first, and after each thing that is done to it."""
        return [self.expected, *self.expected.get("then", ())]

    def load(self) -> xml.Loaded:
        """The workflow, with the scripts that lie beside it."""
        return xml.loads(self.path.read_bytes(), read_file=lambda path: (CATALOG / path).read_text(encoding="utf-8"))


def entry(name: str, words: Mapping[str, str] | None = None) -> Entry:
    """The workflow of that name; `words` replace what stands in braces in its expectations."""
    text = (CATALOG / f"{name}.json").read_text(encoding="utf-8")
    for word, value in (words or {}).items():
        text = text.replace(f"{{{word}}}", value)
    return Entry(name=name, expected=json.loads(text))


class Run:
    """All workflows of the catalog on one scheduler."""

    def __init__(self, scheduler: Scheduler, store: SqliteStore, words: Mapping[str, str]) -> None:
        self.scheduler = scheduler
        self.store = store
        self.words = words
        self.ids: dict[str, int] = {}
        self.refusals: dict[str, str] = {}

    def entry(self, name: str) -> Entry:
        return entry(name, self.words)

    def submit(self, entry: Entry) -> None:
        content: str | bytes = entry.path.read_bytes()
        if b"<file path=" in content:
            # Files beside a workflow are read where they are, as by a server that reads the workflow there.
            content = xml.dumps(entry.load().workflow)
        try:
            self.ids[entry.name] = self.scheduler.submit(content, **entry.expected.get("submit", {})).id
        except SubmissionRefused as refusal:
            self.refusals[entry.name] = str(refusal)

    def act(self, entry: Entry, action: str) -> None:
        """Do what a step says: ``kill task T``."""
        verb = next(known for known in sorted(_ACTIONS, key=len, reverse=True) if f"{action} ".startswith(f"{known} "))
        method, path = _ACTIONS[verb]
        path = path.format(job=self.ids[entry.name], task=action.removeprefix(verb).strip())
        answer = self.scheduler._session.call(method, f"/scheduler/jobs/{path}", doing=action)
        assert answer.status == 200, answer

    def at_rest(self, entry: Entry, step: Mapping[str, Any]) -> dict[str, Any]:
        """What came of the job, as the step tells it, as soon as that is so or the job has ended or time is up."""
        deadline = time.monotonic() + DEADLINE
        while True:
            job = self.scheduler.job(self.ids[entry.name])
            found = {"status": job.status.value, "tasks": self.statuses(job)}
            wanted = {"status": step["status"], "tasks": {name: task["status"] for name, task in step["tasks"].items()}}
            if job.ended or _fits(found, wanted) or time.monotonic() > deadline:
                return self.picture(job, step)
            time.sleep(0.02)

    @staticmethod
    def statuses(job: Job) -> dict[str, str]:
        return {task.name: task.status.value for task in job.tasks}

    def picture(self, job: Job, step: Mapping[str, Any]) -> dict[str, Any]:
        """The job in the form of a step."""
        rows = {row.name: row for row in self.store.tasks(job.id)}
        names_by_id = {row.task_id: row.name for row in rows.values()}
        result = self.scheduler.job_result(job.id)
        results = dict(result.tasks) if result else {}
        tasks = {}
        for task in job.tasks:
            row, wanted = rows[task.name], step["tasks"].get(task.name, {})
            numbers = f"#{task.iteration}" * bool(task.iteration) + f"*{task.replication}" * bool(task.replication)
            known = (row.iteration, row.replication, f"{task.base_name}{numbers}")
            assert known == (task.iteration, task.replication, task.name)
            said: dict[str, Any] = {
                "status": _either(task.status, wanted),
                "parents": [names_by_id[parent] for parent in row.depends],
            }
            if wanted.get("anyOrder") and sorted(said["parents"]) == sorted(wanted["parents"]):
                said |= {"parents": wanted["parents"], "anyOrder": True}
            if task.tag:
                said["tag"] = task.tag
            tasks[task.name] = said | self.facts(job.id, row, wanted, results)
        return {"status": job.status.value, "tasks": tasks}

    def facts(
        self, job_id: int, row: TaskRecord, wanted: Mapping[str, Any], results: dict[str, TaskResult]
    ) -> dict[str, Any]:
        """What else a step tells about a task."""
        facts: dict[str, Any] = {}
        if {"result", "error", "metadata"} & set(wanted) and row.name not in results:
            results[row.name] = self.scheduler.task_result(job_id, row.name)
        result = results.get(row.name)
        if "result" in wanted and result is not None:
            # Of a task that sets no result the scheduler says true, and the client that there is none.
            nothing = True if result.text == "true" else f"no value: {result.failure}"
            facts["result"] = _json(result.value) if result.has_value else nothing
            if wanted.get("anyOrder") and sorted(str(facts["result"]).split()) == sorted(wanted["result"].split()):
                facts["result"] = wanted["result"]
        if "error" in wanted and result is not None:
            facts["error"] = wanted["error"] if wanted["error"] in result.failure else result.failure
        if "metadata" in wanted and result is not None:
            facts["metadata"] = dict(result.metadata)
        if "log" in wanted:
            facts["log"] = [line.text for line in self.scheduler.task_log(job_id, row.name)]
        if "attempts" in wanted:
            facts["attempts"] = row.attempts
        return facts

    def job_facts(self, entry: Entry) -> dict[str, Any]:
        """What the entry tells about the job as a whole."""
        job_id, wanted = self.ids[entry.name], entry.expected
        info, result = self.scheduler.info(job_id), self.scheduler.job_result(job_id)
        assert result is not None
        known = {
            "resultMap": {name: _json(value) for name, value in result.result_map.items()},
            "results": sorted(result.tasks),
            "precious": sorted(result.precious),
            "faulty": info.faulty,
            "job": {name: getattr(info, name) for name in wanted.get("job", ())},
        }
        return {name: value for name, value in known.items() if name in wanted}


def _fits(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if found["status"] != wanted["status"] or found["tasks"].keys() != wanted["tasks"].keys():
        return False
    return all(status in wanted["tasks"][name].split("|") for name, status in found["tasks"].items())


def _either(status: TaskStatus, wanted: Mapping[str, Any]) -> str:
    known = str(wanted.get("status", ""))
    return known if status.value in known.split("|") else status.value


def _json(value: Any) -> Any:
    """A result as a file of expectations writes it."""
    if isinstance(value, bytes):
        return {"$bytes": value.decode()}
    return value


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def catalog_entry() -> Callable[[str], Entry]:
    """Gives a workflow of the catalog by its name."""
    return entry


@pytest.fixture(scope="session")
def web() -> Iterator[str]:
    """The address of a server with the scripts of the catalog."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(CATALOG / "scripts")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def catalog_run(tmp_path_factory: pytest.TempPathFactory, web: str) -> Iterator[Run]:
    """A scheduler to which all workflows of the catalog have been submitted."""
    home = tmp_path_factory.mktemp("catalog")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("PROACTIVE_KERNEL_SLOTS", str(SLOTS))
        connection = Connection(data_dir=home / "data")
        words = {"web": web, "spaces": str(home / "spaces"), "year": f"{datetime.date.today().year + 1 - 2000:02}"}
        try:
            connection.scheduler.log_in()
            run = Run(connection.scheduler, SqliteStore(home / "data" / "scheduler.db"), words)
            # A task that wants a host for itself would wait for workflows that sleep until a test of theirs kills them.
            for name in sorted(names(), key=lambda name: name not in EXCLUSIVE):
                if not run.entry(name).missing:
                    run.submit(run.entry(name))
                if name in EXCLUSIVE:
                    list(run.scheduler.get_job(run.ids[name]).follow(timeout=DEADLINE))
            yield run
            run.store.close()
        finally:
            connection.close()
            embedded.stop(home / "data")
