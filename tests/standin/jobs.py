"""Jobs of the stand-in server: scripted outcomes as in the in-memory scheduler, answers as recorded."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from proactive_jupyter_kernel.testing.memory_jobs import WHEN, MemoryJob, MemoryTask
from proactive_jupyter_kernel.workflow.java import serialization
from proactive_jupyter_kernel.workflow.status import TASK_ENDED, JobStatus, TaskStatus
from standin import shapes
from standin.versions import Release

__all__ = ["FAILED", "RecordedJob"]

#: What a server puts before the message of a failure.
FAILED = "Failed to execute task: "
#: What the recorded faulty task failed with.
_FAILURE = "Python process execution has failed with exit code 1"
_NOT_STARTED = frozenset({TaskStatus.SUBMITTED, TaskStatus.PENDING, TaskStatus.PAUSED, TaskStatus.NOT_STARTED})
_NEVER_RAN = _NOT_STARTED | {TaskStatus.SKIPPED}
_NAMESPACE = "{urn:proactive:jobdescriptor:"
_SKIPPED = "The task was skipped in the workflow"


class RecordedJob(MemoryJob):
    """A job as a server shows it."""

    def __init__(self, *arguments: Any, release: Release, pending: int = 0, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.release = release
        #: Ticks for which the job stays pending.
        self.pending = pending
        #: Tasks whose error was decided to be none.
        self.finished_in_error: set[str] = set()

    def tick(self, released: set[str]) -> None:
        if self.pending:
            self.pending -= 1
        else:
            super().tick(released)

    # -- records

    def info(self) -> dict[str, Any]:
        data = shapes.body("04-job", "ended: /info", USER="user", JOB2=self.id)
        started = self.status is not JobStatus.PENDING
        root = ElementTree.fromstring(self.xml)
        declared = {str(one.get("name")): one for one in root.findall("./{*}variables/{*}variable")}
        counted = [TaskStatus.FINISHED, TaskStatus.FAULTY, TaskStatus.FAILED, TaskStatus.SKIPPED]
        if self.status is not JobStatus.KILLED:
            counted.append(TaskStatus.ABORTED)
        information = {**self.information, "submission.mode": self.information.get("submission.mode", "rest-api")}
        data |= {
            "startTime": WHEN if started else -1,
            "inErrorTime": WHEN if self.status is JobStatus.IN_ERROR else -1,
            "finishedTime": WHEN + 1000 if self.ended else -1,
            "submittedTime": WHEN,
            "status": self.status.value,
            "jobId": {"id": self.id, "readableName": self.name},
            "totalNumberOfTasks": len(self.tasks),
            "numberOfPendingTasks": self._count(*_NOT_STARTED) if started and not self.ended else 0,
            # An in-error task counts as running, too.
            "numberOfRunningTasks": self._count(TaskStatus.RUNNING, TaskStatus.IN_ERROR),
            "numberOfFinishedTasks": self._count(*counted),
            "numberOfFailedTasks": self._count(TaskStatus.FAILED),
            "numberOfFaultyTasks": self._count(TaskStatus.FAULTY),
            "numberOfInErrorTasks": self._count(TaskStatus.IN_ERROR),
            "priority": self.priority,
            "projectName": root.get("projectName", ""),
            "description": "",
            "genericInformation": _in_hash_order(information),
            "variables": _in_hash_order(self.variables),
            "detailedVariables": {
                name: {
                    "name": name,
                    "value": value,
                    "model": None if name not in declared else declared[name].get("model"),
                    "description": None,
                    "group": None,
                    "advanced": False,
                    "hidden": False,
                }
                for name, value in _in_hash_order(self.variables).items()
            },
            "resultMapPresent": False,
            "preciousTasks": [task.name for task in self.tasks if task.precious and task.has_result],
            "submissionMode": information["submission.mode"],
            "startAt": None,
        }
        return self.release.job_info(data)

    def state(self) -> dict[str, Any]:
        data = shapes.body("04-job", "waiting: state", USER="user", JOB1=self.id)
        data |= {
            "name": self.name,
            "priority": self.priority.capitalize(),
            "jobInfo": self.info(),
            "projectName": "",
            "tasks": {str(task.id): self.task_state(task) for task in self.tasks},
            "genericInformation": self.info()["genericInformation"],
            "id": self.id,
        }
        return dict(data)

    def task_state(self, task: MemoryTask) -> dict[str, Any]:
        """``TaskStateData``: without variables and generic information after the job's end."""
        data = shapes.body("04-job", "ended: first state", JOB2=self.id)
        started, ended = task.status not in _NEVER_RAN, task.status in TASK_ENDED
        status = task.status
        variables = {
            "PA_TASK_NAME": task.name,
            "PA_JOB_ID": str(self.id),
            "PA_TASK_ID": str(task.id),
            "PA_USER": "user",
            "PA_JOB_NAME": self.name,
            **self.variables,
        }
        info = data["taskInfo"] | {
            "jobId": {"id": self.id, "readableName": self.name},
            "taskId": {"id": task.id, "readableName": task.name},
            "startTime": WHEN if started else -1,
            "finishedTime": WHEN + 1000 if started and ended else -1,
            "inErrorTime": WHEN if status is TaskStatus.IN_ERROR else -1,
            "scheduledTime": WHEN if started else -1,
            "executionDuration": 1000 if started and ended else -1,
            "taskStatus": status.value,
            "executionHostName": f"{shapes.HOST} (local-LocalNodes-0)" if started else None,
            "numberOfExecutionLeft": 1,
            "variables": variables if started and not self.ended else None,
            # A skipped task has all its progress.
            "progress": 100 if (started and ended) or status is TaskStatus.SKIPPED else 0,
        }
        data |= {
            "name": task.name,
            "maxNumberOfExecution": 1,
            "taskInfo": self.release.task_info(info),
            "genericInformation": {} if self.ended else self._task_information(task),
        }
        return dict(data)

    def _task_information(self, task: MemoryTask) -> dict[str, str]:
        root = ElementTree.fromstring(self.xml)
        found = root.find(f"./{{*}}taskFlow/{{*}}task[@name='{task.name}']/{{*}}genericInformation")
        return {} if found is None else {str(one.get("name")): str(one.get("value")) for one in found}

    # -- results

    def task_result(self, task: MemoryTask) -> dict[str, Any]:
        """``TaskResultData``."""
        outcome = task.outcome
        if task.status in (TaskStatus.NOT_STARTED, TaskStatus.SKIPPED):
            data = shapes.body("09-faults", "cancelJob: /tasks/next/result")
            if task.status is TaskStatus.SKIPPED:
                data["exceptionMessage"] = self._exception(task)
                data["output"] = {"stdoutLogs": "", "stderrLogs": _SKIPPED}
        elif not task.has_result:
            # Also an aborted task: neither an exception nor an output.
            data = shapes.body("04-job", "waiting: /tasks/first/result")
        elif task.status is TaskStatus.FINISHED:
            data = shapes.body("04-job", "ended: first /result", USER="user", JOB2=self.id)
            raw = isinstance(outcome.result, bytes)
            content = outcome.result if isinstance(outcome.result, bytes) else serialization.dumps(outcome.result)
            data |= {
                "serializedValue": base64.b64encode(content).decode("ascii"),
                "value": self.value_text(task),
                "metadata": dict(outcome.metadata),
                "output": self._output(task),
                "raw": raw,
            }
            self._hand_on(data, task)
        else:
            data = shapes.body("09-faults", "GET /jobs/<JOB1>/tasks/py_raise/result", USER="user", JOB1=self.id)
            data |= {
                "exceptionMessage": self._exception(task),
                "metadata": dict(outcome.metadata),
                "output": self._output(task),
            }
            self._hand_on(data, task)
        data["id"] = {"id": task.id, "readableName": task.name}
        return dict(data)

    def _hand_on(self, data: dict[str, Any], task: MemoryTask) -> None:
        """The variables that a task hands on, beside those of the server; a null one is in the serialized map alone."""
        texts, serialized = data["propagatedVariables"], data["serializedPropagatedVariables"]
        for recorded in ("A", "B", "FROM_FIRST"):
            texts.pop(recorded, None)
            serialized.pop(recorded, None)
        for name, value in {**self.variables, **task.outcome.variables}.items():
            serialized[name] = base64.b64encode(serialization.dumps(value)).decode("ascii")
            if value is not None:
                texts[name] = str(value)
        for name in data["propagatedVariables"]:
            if name.startswith("PA_TASK_NAME"):
                texts[name] = task.name

    def _exception(self, task: MemoryTask) -> str:
        """The message of a failure and the traces of Java, as a server has them."""
        if task.status is TaskStatus.SKIPPED:
            kind = "org.ow2.proactive.scheduler.common.exception.TaskSkippedException"
            return f"{kind}: {_SKIPPED}\n{shapes.FRAMES}\n"
        text = shapes.body("09-faults", "GET /jobs/<JOB1>/tasks/py_raise/result/value")
        return str(text).replace(_FAILURE, task.outcome.failure.removeprefix(FAILED))

    def value_text(self, task: MemoryTask) -> str | None:
        """The text of ``…/result/value``; None: nothing."""
        if task.status is TaskStatus.NOT_STARTED:
            return str(shapes.body("09-faults", "cancelJob: /tasks/next/result/value"))
        if task.status is TaskStatus.SKIPPED:
            return self._exception(task)
        if not task.has_result:
            return None
        if task.status is not TaskStatus.FINISHED:
            return self._exception(task)
        return None if task.outcome.result is None else str(task.outcome.result)

    def result(self) -> dict[str, Any]:
        data = shapes.body("04-job", "ended: /result", USER="user", JOB2=self.id)
        ended = {task.name: task for task in self.tasks if task.has_result or task.status in _NEVER_RAN}
        found = {name: self.task_result(ended[name]) for name in shapes.hash_order(ended)}
        failed = {name: one for name, one in found.items() if one["serializedException"] is not None}
        info = self.info() | {"jobId": {"id": self.id, "readableName": "NOT SET"}}
        data |= {
            "id": {"id": self.id, "readableName": "NOT SET"},
            "jobInfo": info,
            "allResults": found,
            "preciousResults": {name: one for name, one in found.items() if ended[name].precious},
            "exceptionResults": failed,
            "resultMap": {},
        }
        if "serializedResultMap" in data:
            data["serializedResultMap"] = {}
        return dict(data)

    # -- logs

    def _written(self, task: MemoryTask) -> Iterator[tuple[str, str]]:
        """(stream, text) of what a task wrote; a failure's traces are written to standard error behind it."""
        outcome = task.outcome
        yield from outcome.lines
        if task.has_result and task.status is not TaskStatus.FINISHED:
            if outcome.trace:
                yield from (("err", line) for line in outcome.trace.split("\n"))
            yield "err", self._exception(task).replace("\n\n" + shapes.FRAMES, "").rstrip("\n")

    def _output(self, task: MemoryTask) -> dict[str, str]:
        lines = list(self._written(task))
        return {
            f"std{stream}Logs": "".join(f"{text}\n" for where, text in lines if where == stream)
            for stream in ("out", "err")
        }

    def _prefix(self, task: MemoryTask) -> str:
        name = f"{task.name};" if self.release.names_task_in_log else ""
        return f"[{self.id}t{task.id}@{shapes.HOST};{name}14:05:09] "

    def _records(self, task: MemoryTask, stream: str) -> Iterator[str]:
        """Each record with its prefix: the frames of a trace belong to the record of its message."""
        for where, text in self._written(task):
            if stream not in ("all", where):
                continue
            record = ""
            for line in text.split("\n"):
                if line.startswith("\t"):
                    record += f"\n{line}"
                    continue
                if record:
                    yield record
                record = ""
                # Blank lines are dropped and trailing blanks cut since 14.0; before, each line ends in a blank.
                if not self.release.names_task_in_log:
                    record = f"{self._prefix(task)}{line} "
                elif line.strip():
                    record = f"{self._prefix(task)}{line.rstrip()}"
            if record:
                yield record

    def task_log(self, task: MemoryTask, stream: str) -> str:
        """``…/result/log/…``: nothing while the task runs, one line feed where it wrote nothing."""
        if task.status in _NEVER_RAN or not (task.status in TASK_ENDED or task.has_result):
            return ""
        records = list(self._records(task, stream))
        if not records and stream in ("all", "out"):
            return "\n"
        return "".join(f"{record}\n" for record in records)

    def live_log(self) -> str:
        """What is written while tasks run, each record with a line of a blank behind it; nothing after the end."""
        if self.ended:
            return ""
        ran = [task for task in self.tasks if task.status not in _NEVER_RAN]
        # Lines of a blank are known of 14.2 only.
        end = "\n \n" if self.release.names_task_in_log else "\n"
        return "".join(record + end for task in ran for record in self._records(task, "all"))

    # -- the workflow

    def workflow_xml(self) -> str:
        """As a server keeps it: in the namespace of its development version, with the variables of the submission."""
        root = ElementTree.fromstring(self.xml)
        here = root.tag.partition("}")[0] + "}"
        _merged(root, f"{here}variables", f"{here}variable", self.variables, 0)
        before = {f"{here}{name}" for name in ("variables", "description")}
        place = sum(1 for child in root if child.tag in before)
        _merged(root, f"{here}genericInformation", f"{here}info", self.information, place)
        for element in root.iter():
            element.tag = _NAMESPACE + "dev}" + element.tag.rpartition("}")[2]
        ElementTree.register_namespace("", "urn:proactive:jobdescriptor:dev")
        return '<?xml version="1.0" encoding="UTF-8" standalone="no"?>' + ElementTree.tostring(root, "unicode")


def _merged(root: ElementTree.Element, tag: str, item: str, values: Mapping[str, str], place: int) -> None:
    block = root.find(tag)
    if block is None:
        if not values:
            return
        block = ElementTree.Element(tag)
        root.insert(place, block)
    for name, value in values.items():
        found = next((one for one in block if one.get("name") == name), None)
        if found is None:
            found = ElementTree.SubElement(block, item, {"name": name})
        found.set("value", value)


def _in_hash_order(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in shapes.hash_order(values)}
