"""What a task of a job had when it ran, for the notebook's Python: `variables`, `results` and so on; and its code.

Values are opened when they are read. Pure but for `Inputs.of`, which asks the scheduler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proactive_jupyter_kernel.client import python_code, values
from proactive_jupyter_kernel.client.jobs.run_graph import RunGraph
from proactive_jupyter_kernel.pragmas.draft.source_map import MAIN, Sources
from proactive_jupyter_kernel.workflow.display.value_text import summary
from proactive_jupyter_kernel.workflow.model import JavaClass, NativeCommand, Task
from proactive_jupyter_kernel.workflow.substitution import InfiniteReference, Substitutor
from proactive_jupyter_kernel.workflow.values import text

if TYPE_CHECKING:
    from proactive_jupyter_kernel.client.jobs.submitted_job import SubmittedJob
    from proactive_jupyter_kernel.client.records import Job, TaskResult, TaskState

__all__ = ["Inputs", "ParentFailed", "ParentResult", "Progress", "TaskCode", "TaskMap", "code_of_task"]

#: Set by the scheduler in every task.
_OF_THE_SCHEDULER = frozenset({"localspace", "cachespace", "inputspace", "outputspace", "globalspace", "userspace"})
#: A line that binds a variable, as the kernel writes it.
_IMPORT = re.compile(r'^(?P<name>[^\W\d]\w*) = variables\.get\("(?P=name)"\)$', re.MULTILINE)


class TaskMap(dict[str, Any]):
    """`variables` as in a task: a missing name gives None, and Java's methods stand beside Python's.

    What is tagged is opened when it is read. `UntrustedValue` where that could run code of another person.
    """

    def __init__(self, carried: Mapping[str, object], name: str = "variables", *, trust: bool = True) -> None:
        super().__init__(carried)
        self._name = name
        self._trust = trust
        self._closed = set(carried)

    def __missing__(self, key: object) -> None:
        return None

    def __getitem__(self, key: str) -> Any:
        if key in self._closed:
            found = values.opened(super().__getitem__(key), f"{self._name}[{key!r}]", trust=self._trust)
            super().__setitem__(key, found)
            self._closed.discard(key)
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._closed.discard(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __repr__(self) -> str:
        parts = (f"{key!r}: {summary(item) if key in self._closed else repr(item)}" for key, item in super().items())
        return f"{{{', '.join(parts)}}}"

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or None: as in a task, where the default is never looked at."""
        return self[key]

    def getOrDefault(self, key: str, default: Any) -> Any:  # as Java has it
        if key not in self:
            return default
        return self[key]

    def put(self, key: str, value: Any) -> Any:
        """Set a value and return the old one."""
        old = self[key]
        self[key] = value
        return old

    def putAll(self, other: Mapping[str, Any]) -> None:
        self.update(other)

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def pop(self, key: str, *default: Any) -> Any:
        value = self[key]
        self._closed.discard(key)
        super().pop(key, None)
        return value

    remove = pop

    def containsKey(self, key: str) -> bool:
        return key in self

    def size(self) -> int:
        return len(self)

    def isEmpty(self) -> bool:
        return not self

    def keySet(self) -> set[str]:
        return set(self)

    def items(self) -> Any:
        return {key: self[key] for key in self}.items()

    def values(self) -> Any:
        return {key: self[key] for key in self}.values()

    def copy(self) -> dict[str, Any]:
        return dict(self.items())


class ParentFailed(Exception):
    """`results[i].value()` of a parent that failed."""


class _TaskId:
    def __init__(self, job_id: int, result: TaskResult) -> None:
        self._job_id = job_id
        self._result = result

    def value(self) -> str:
        return str(self._result.id)

    def getReadableName(self) -> str:
        return self._result.name

    def __str__(self) -> str:
        return f"{self._job_id}t{self._result.id}"

    __repr__ = __str__


class ParentResult:
    """One entry of `results`."""

    def __init__(self, job_id: int, result: TaskResult) -> None:
        self._job_id = job_id
        self._result = result

    def value(self) -> Any:
        """The parent's value; raises `ParentFailed` if the parent failed."""
        if (failure := self.getException()) is not None:
            raise failure
        # A scheduler says true where a task returned nothing.
        return self._result.value if self._result.has_value else True

    getValue = value

    def hadException(self) -> bool:
        return self._result.failed

    def getException(self) -> ParentFailed | None:
        failed = self._result.failed
        return ParentFailed(f"task {self._result.name} failed: {self._result.failure}") if failed else None

    def getMetadata(self) -> dict[str, str]:
        return dict(self._result.metadata)

    def getTaskId(self) -> _TaskId:
        return _TaskId(self._job_id, self._result)

    @property
    def summary(self) -> str:
        """The value in a few words, unopened."""
        if self._result.failed:
            return f"failed: {self._result.failure}"
        return summary(self._result.carried if self._result.has_value else True)

    def __str__(self) -> str:
        if self._result.failed:
            return " ".join(self._result.failure.split())
        if not self._result.has_value:
            return "true"
        return "Result not available" if self._result.carried is None else str(text(self._result.carried))

    def __repr__(self) -> str:
        return f"<result of {self._result.name}: {self}>"


class Progress:
    """`progress`: how far the task is, 0 to 100."""

    def __init__(self) -> None:
        self._percent = 0

    def set(self, percent: int) -> None:
        self._percent = int(percent)

    def get(self) -> int:
        return self._percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What came into a task."""

    results: tuple[ParentResult, ...]
    #: The names of the tasks that these are results of.
    parents: tuple[str, ...]
    #: As carried.
    variables: Mapping[str, object]
    #: Where each variable came from, for people.
    origins: Mapping[str, str]
    generic_information: Mapping[str, str]
    #: Whether it is unknown which copies of a task returned these results.
    ambiguous: bool

    @classmethod
    def of(cls, submitted: SubmittedJob, job: Job, state: TaskState, task: Task, *, trust: bool) -> Inputs:
        """Those of one task of a job; `task` is its definition."""
        graph = RunGraph(submitted.workflow(), job)
        parents = [submitted.result(parent.name, trust=trust) for parent in graph.parents(state)]
        variables, origins = _variables(job, state, task, parents)
        return cls(
            results=tuple(ParentResult(job.id, parent) for parent in parents),
            parents=tuple(parent.name for parent in parents),
            variables=variables,
            origins=origins,
            generic_information={**job.info.generic_information, **task.generic_information},
            ambiguous=graph.is_ambiguous(task.name),
        )

    @property
    def shown(self) -> list[str]:
        """The names of the variables that are not the scheduler's own."""
        return [name for name in self.variables if not name.startswith("PA_") and name not in _OF_THE_SCHEDULER]


def _variables(
    job: Job, state: TaskState, task: Task, parents: list[TaskResult]
) -> tuple[dict[str, object], dict[str, str]]:
    """The variables as the task saw them when it started, and where each came from."""
    found: dict[str, object] = dict(job.info.variables)
    origins = dict.fromkeys(found, "the job")
    for parent in parents:
        for name, value in parent.carried_variables.items():
            if name not in found or found[name] != value:
                origins[name] = parent.name
            found[name] = value
    found |= {
        "PA_JOB_ID": str(job.id),
        "PA_JOB_NAME": job.name,
        "PA_TASK_ID": str(state.id),
        "PA_TASK_NAME": state.name,
        "PA_TASK_ITERATION": state.iteration,
        "PA_TASK_REPLICATION": state.replication,
        "PA_USER": job.info.owner,
    }
    for variable in task.variables:
        if not (variable.inherited and variable.name in found):
            found[variable.name] = variable.value
            origins[variable.name] = "the task"
    resolve = Substitutor({name: text(value) for name, value in found.items() if value is not None})
    for name, value in found.items():
        if isinstance(value, str) and "$" in value:
            try:
                found[name] = resolve(value)
            except InfiniteReference:
                continue
    return found, origins


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCode:
    """The code of a task."""

    #: As a person wrote it, or as the workflow has it.
    text: str
    #: The name of the engine; empty if the task is not a script.
    engine: str
    #: Generated lines, which bind names before the code runs.
    prologue: str = ""
    #: The names that the code's own lines bind from `variables`, where there is no prologue.
    imports: tuple[str, ...] = ()
    #: Where it was written, such as ``Cell In[3]``.
    label: str = ""


def code_of_task(task: Task, sources: Sources | None) -> TaskCode:
    """The code; `sources` are those of a job of this notebook."""
    executable = task.executable
    if isinstance(executable, NativeCommand):
        return TaskCode(text=" ".join((executable.command, *executable.arguments)), engine="")
    if isinstance(executable, JavaClass):
        return TaskCode(text=executable.name, engine="")
    main = sources.scripts.get(MAIN) if sources is not None else None
    if main is None:
        code = executable.code or executable.url
        if executable.language == "cpython":
            code = "\n".join(_without_value_code(code))
        names = tuple(match["name"] for match in _IMPORT.finditer(code))
        return TaskCode(text=code, engine=executable.language, imports=names)
    written: list[str] = []
    made: list[str] = []
    lines = main.script.split("\n")
    last = max((piece.first_line for piece in main.pieces if piece.label), default=0)
    label = next((piece.label for piece in reversed(main.pieces) if piece.label), "")
    for number, line in enumerate(lines, 1):
        if main.place(number):
            written.append(python_code.as_written(line))
        elif number < last:
            made.append(line)
    return TaskCode(text="\n".join(written), engine=executable.language, prologue="\n".join(made), label=label)


def _without_value_code(code: str) -> Iterator[str]:
    """The lines without those that carry values on a ProActive server."""
    if python_code.FILE not in code:
        yield from code.split("\n")
        return
    kept = python_code.prologue().split("\n")
    ends = (python_code.epilogue(), python_code.epilogue(is_main=False))
    for line in code.split("\n"):
        if line in kept[:-1] or line in ends or python_code.FILE in line:
            continue
        yield python_code.as_written(line)
