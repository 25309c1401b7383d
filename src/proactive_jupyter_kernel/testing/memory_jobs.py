"""The jobs of the in-memory scheduler: nothing runs, each task has a scripted outcome."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from proactive_jupyter_kernel.workflow.status import JOB_ENDED, TASK_ENDED, JobStatus, TaskStatus

__all__ = ["MemoryJob", "MemoryTask", "ScriptedOutcome"]

#: The time of all events.
WHEN = 1_700_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedOutcome:
    """The outcome of a task, set in advance by a test."""

    result: object = True
    #: The message of its failure; empty: success.
    failure: str = ""
    #: The stack trace of its failure; empty: the message.
    trace: str = ""
    #: Its output: (``"out"`` or ``"err"``, line).
    lines: tuple[tuple[str, str], ...] = ()
    #: The number of ticks for which it runs.
    ticks: int = 1
    #: True: it runs until `MemoryScheduler.release`, or a kill.
    hold: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: The variables that it hands on.
    variables: Mapping[str, object] = field(default_factory=dict)
    #: The status it ends in; None: FINISHED or, with a failure, FAULTY.
    status: TaskStatus | None = None
    #: The outcome after a restart; None: the same.
    then: ScriptedOutcome | None = None


@dataclass(slots=True, kw_only=True)
class MemoryTask:
    """A task and its state."""

    id: int
    name: str
    outcome: ScriptedOutcome
    depends: tuple[str, ...]
    cancels: bool
    precious: bool
    status: TaskStatus = TaskStatus.SUBMITTED
    ticks: int = 0

    def restart(self) -> None:
        """Reset it, so that it runs again."""
        self.outcome = self.outcome.then or self.outcome
        self.status, self.ticks = TaskStatus.SUBMITTED, 0

    @property
    def has_result(self) -> bool:
        return self.status in (TaskStatus.FINISHED, TaskStatus.FAULTY, TaskStatus.IN_ERROR)

    def state(self, job_id: int) -> dict[str, Any]:
        """``TaskStateData``."""
        started = self.status not in (TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.NOT_STARTED)
        return {
            "name": self.name,
            "description": None,
            "tag": None,
            "iterationIndex": 0,
            "replicationIndex": 0,
            "maxNumberOfExecution": 1,
            "maxNumberOfExecutionOnFailure": 2,
            "taskInfo": {
                "jobId": {"id": job_id, "readableName": ""},
                "taskId": {"id": self.id, "readableName": self.name},
                "startTime": WHEN if started else -1,
                "finishedTime": WHEN + 1000 if self.status in TASK_ENDED else -1,
                "inErrorTime": -1,
                "scheduledTime": WHEN,
                "executionDuration": 1000 if self.status in TASK_ENDED else -1,
                "taskStatus": self.status.value,
                "executionHostName": "memory" if started else None,
                "numberOfExecutionLeft": 1,
                "numberOfExecutionOnFailureLeft": 2,
                "progress": 0,
            },
            "parallelEnvironment": None,
            "genericInformation": {},
            "numberOfNodesNeeded": 1,
        }

    def result(self) -> dict[str, Any]:
        """``TaskResultData``; without a value where it has not ended."""
        outcome, ended = self.outcome, self.has_result
        failed = ended and self.status is not TaskStatus.FINISHED
        serialized = _serialized(outcome.result) if ended and not failed else None
        return {
            "id": {"id": self.id, "readableName": self.name},
            "serializedValue": serialized,
            "value": str(outcome.result) if serialized is not None else None,
            "serializedException": "rO0ABXA=" if failed else None,
            "exceptionMessage": outcome.failure if failed else None,
            "metadata": dict(outcome.metadata),
            "propagatedVariables": {name: str(value) for name, value in outcome.variables.items()},
            "serializedPropagatedVariables": {
                name: _serialized_object(value) for name, value in outcome.variables.items()
            },
            "output": {"stdoutLogs": self._written("out"), "stderrLogs": self._written("err")},
            "raw": isinstance(outcome.result, bytes),
        }

    def value_text(self) -> str | None:
        """The text of ``…/result/value``."""
        if not self.has_result:
            return None
        if self.status is not TaskStatus.FINISHED:
            return self.outcome.trace or self.outcome.failure
        return str(self.outcome.result)

    def log(self, job_id: int, stream: str = "all") -> str:
        """The log in the scheduler's form."""
        if self.status in (TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.NOT_STARTED):
            return ""
        return "".join(
            f"[{job_id}t{self.id}@memory;10:00:00] {line} \n"
            for where, line in self.outcome.lines
            if stream in ("all", where)
        )

    def _written(self, stream: str) -> str:
        return "".join(f"{line}\n" for where, line in self.outcome.lines if where == stream) if self.has_result else ""


class MemoryJob:
    """One submitted job."""

    def __init__(
        self,
        job_id: int,
        xml: str,
        *,
        variables: Mapping[str, str],
        information: Mapping[str, str],
        outcomes: Mapping[str, ScriptedOutcome],
    ) -> None:
        """Raises `ElementTree.ParseError` or ValueError where `xml` is not a workflow."""
        root = ElementTree.fromstring(xml)
        if _tag(root) != "job" or not root.get("name"):
            raise ValueError("the root is not a job with a name")
        self.id = job_id
        self.xml = xml
        self.name = str(root.get("name"))
        self.variables = {**_pairs(root, "variables"), **variables}
        self.information = {**_pairs(root, "genericInformation"), **information}
        self.status = JobStatus.PENDING
        self.priority = "NORMAL"
        self.read = 0
        policy = root.get("onTaskError")
        found = [element for element in root.iter() if _tag(element) == "task" and element.get("name")]
        self.tasks = [
            MemoryTask(
                id=number,
                name=str(element.get("name")),
                outcome=outcomes.get(str(element.get("name")), ScriptedOutcome()),
                depends=tuple(str(parent.get("ref")) for parent in element.iter() if parent.get("ref")),
                cancels=(element.get("onTaskError") or policy) == "cancelJob",
                precious=element.get("preciousResult") == "true",
            )
            for number, element in enumerate(found)
        ]

    @property
    def ended(self) -> bool:
        return self.status in JOB_ENDED

    def tick(self, released: set[str]) -> None:
        """Advance the running tasks and start those whose parents have ended."""
        if self.ended:
            return
        for task in self.tasks:
            if task.status is TaskStatus.RUNNING:
                self._go_on(task, released)
        if self.ended or self.status is JobStatus.PAUSED:
            return
        ended = {task.name for task in self.tasks if task.status in TASK_ENDED}
        for task in self.tasks:
            if task.status is TaskStatus.SUBMITTED and ended.issuperset(task.depends):
                task.status = TaskStatus.RUNNING
        self.settle()

    def _go_on(self, task: MemoryTask, released: set[str]) -> None:
        task.ticks += 1
        if (task.outcome.hold and task.name not in released) or task.ticks < task.outcome.ticks:
            return
        task.status = task.outcome.status or (TaskStatus.FAULTY if task.outcome.failure else TaskStatus.FINISHED)
        if task.status is TaskStatus.FAULTY and task.cancels:
            self.end(JobStatus.CANCELED)

    def settle(self) -> None:
        """Set the job's status from its tasks'."""
        if all(task.status in TASK_ENDED for task in self.tasks):
            self.status = JobStatus.FINISHED
        elif any(task.status is TaskStatus.IN_ERROR for task in self.tasks):
            self.status = JobStatus.IN_ERROR
        elif any(task.status is TaskStatus.RUNNING for task in self.tasks):
            self.status = JobStatus.RUNNING

    def end(self, status: JobStatus) -> None:
        """Kill or cancel: what runs is aborted, what waits does not start."""
        self.status = status
        for task in self.tasks:
            if task.status is TaskStatus.RUNNING:
                task.status = TaskStatus.ABORTED
            elif task.status not in TASK_ENDED:
                task.status = TaskStatus.NOT_STARTED

    def pause(self) -> bool:
        """Whether there was something to pause."""
        if self.ended or self.status is JobStatus.PAUSED:
            return False
        self.status = JobStatus.PAUSED
        for task in self.tasks:
            if task.status is TaskStatus.SUBMITTED:
                task.status = TaskStatus.PAUSED
        return True

    def resume(self) -> bool:
        """Whether it was paused."""
        if self.status is not JobStatus.PAUSED:
            return False
        self.status = JobStatus.STALLED
        for task in self.tasks:
            if task.status is TaskStatus.PAUSED:
                task.status = TaskStatus.SUBMITTED
        self.settle()
        return True

    def _count(self, *statuses: TaskStatus) -> int:
        return sum(task.status in statuses for task in self.tasks)

    def info(self) -> dict[str, Any]:
        """``JobInfoData``."""
        started = self.status is not JobStatus.PENDING
        return {
            "startTime": WHEN if started else -1,
            "inErrorTime": -1,
            "finishedTime": WHEN + 1000 if self.ended else -1,
            "submittedTime": WHEN,
            "removedTime": -1,
            "status": self.status.value,
            "jobId": {"id": self.id, "readableName": self.name},
            "totalNumberOfTasks": len(self.tasks),
            "numberOfPendingTasks": self._count(TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.PAUSED),
            "numberOfRunningTasks": self._count(TaskStatus.RUNNING),
            "numberOfFinishedTasks": sum(task.status in TASK_ENDED for task in self.tasks),
            "numberOfFailedTasks": self._count(TaskStatus.FAILED),
            "numberOfFaultyTasks": self._count(TaskStatus.FAULTY),
            "numberOfInErrorTasks": self._count(TaskStatus.IN_ERROR),
            "priority": self.priority,
            "jobOwner": "user",
            "tenant": None,
            "projectName": "",
            "genericInformation": self.information,
            "variables": self.variables,
        }

    def result(self) -> dict[str, Any]:
        """``JobResultData``."""
        with_result = [task for task in self.tasks if task.has_result]
        return {
            "id": {"id": self.id, "readableName": self.name},
            "jobInfo": self.info(),
            "allResults": {task.name: task.result() for task in with_result},
            "preciousResults": {task.name: task.result() for task in with_result if task.precious},
            "resultMap": {},
            "serializedResultMap": {},
            "exceptionResults": {t.name: t.result() for t in with_result if t.status is TaskStatus.FAULTY},
        }


def _serialized(value: object) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else _serialized_object(value)


def _serialized_object(value: object) -> str:
    from proactive_jupyter_kernel.workflow.java import serialization

    return base64.b64encode(serialization.dumps(value)).decode("ascii")


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _pairs(root: ElementTree.Element, tag: str) -> dict[str, str]:
    block = next((child for child in root if _tag(child) == tag), None)
    return {} if block is None else {str(child.get("name")): str(child.get("value", "")) for child in block}
