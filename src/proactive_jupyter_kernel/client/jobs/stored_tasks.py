"""Small Python tasks that return what a task of an earlier job returned, and hand on the variables that it handed on.

They need no library. What Java carries is written as Python literals; tagged bytes stay as they are stored, whatever
they hold, and are not opened.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from proactive_jupyter_kernel.client.jobs.rerun import Rerun, RerunRefused
from proactive_jupyter_kernel.client.records import JobInfo, TaskResult
from proactive_jupyter_kernel.workflow.model import FileSelector, Replicate, Script, Task, Workflow
from proactive_jupyter_kernel.workflow.python_tasks.rich_outputs import NO_RESULT
from proactive_jupyter_kernel.workflow.python_tasks.tagged import is_tagged

__all__ = ["LARGEST", "SOURCE", "StoredFile", "Unwritable", "literal", "with_stored_results"]

#: Generic information that names the job and the task that a stored result came from.
SOURCE = "RESULT_OF"
#: A longer script goes through the user space.
LARGEST = 100_000
#: Where such scripts are, in the user space.
FOLDER = "proactive-kernel/stored-results"
#: Variables that the scheduler sets again for every task.
_OF_THE_SCHEDULER = frozenset(
    {"localspace", "cachespace", "inputspace", "outputspace", "globalspace", "userspace", "EXIT_VALUE"}
)
#: Shorter bytes are written as they are.
_SHORT = 60


class Unwritable(ValueError):
    """A value has no Python literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A script that is too long for a workflow."""

    #: In the user space.
    path: str
    content: str


def with_stored_results(
    rerun: Rerun, results: Mapping[str, TaskResult], job: JobInfo
) -> tuple[Workflow, tuple[StoredFile, ...]]:
    """The workflow that can be submitted, and the files that its tasks read from the user space.

    `results` are those of `rerun.stored` in `job`, by full name. A variable of the job that no task changed is not
    handed on, so that the new job may have another value. `RerunRefused` for a result that cannot be written.
    """
    tasks: list[Task] = []
    files: list[StoredFile] = []
    splits = _splits(rerun)
    for task in rerun.workflow.tasks:
        if task.name not in rerun.stored:
            tasks.append(task)
            continue
        found = [results[state.name] for state in rerun.stored[task.name]]
        stored, more = _task(task, found, [_script(one, job) for one in found], job.id)
        files += more
        if (split := splits.get(task.name)) is not None:
            stored = replace(stored, depends=(split.name,))
            if split not in tasks:
                tasks.append(split)
        tasks.append(stored)
    return replace(rerun.workflow, tasks=tuple(tasks)), tuple(files)


def _splits(rerun: Rerun) -> dict[str, Task]:
    """For each task with several results, the task that replicates it; one after the other, to keep the order."""
    groups: dict[tuple[str, int], list[str]] = {}
    several = {name: states for name, states in rerun.stored.items() if len(states) > 1}
    for name, states in sorted(several.items(), key=lambda item: item[1][1].id):
        groups.setdefault((rerun.split_of.get(name, ""), len(states)), []).append(name)
    taken = {task.name for task in rerun.workflow.tasks}
    found: dict[str, Task] = {}
    last: tuple[str, ...] = ()
    for (_, count), names in groups.items():
        split = _split(names, count, taken, last)
        # The next split comes after a task that is replicated, not after this split, which would replicate it.
        last = (names[-1],)
        found.update(dict.fromkeys(names, split))
    return found


def _task(task: Task, results: Sequence[TaskResult], scripts: Sequence[str], job: int) -> tuple[Task, list[StoredFile]]:
    files = []
    if sum(map(len, scripts)) > LARGEST:
        for index, (result, script) in enumerate(zip(results, scripts, strict=True)):
            files.append(StoredFile(path=f"{FOLDER}/job-{job}/{result.id}-{index}.py", content=script))
        scripts = [f"exec(open({file.path!r}, encoding='utf-8').read())" for file in files]
    names = ", ".join(result.name for result in results)
    head = f"# What {names} returned in job {job}, and the variables that it handed on.\n"
    stored = Task(
        name=task.name,
        executable=Script(language="cpython", code=head + _choice(scripts)),
        description=f"The result of {names} in job {job}.",
        generic_information={SOURCE: f"job {job}: {names}"},
        precious_result=task.precious_result,
        flow=task.flow,
        input_files=tuple(FileSelector(includes=file.path, access_mode="transferFromUserSpace") for file in files),
    )
    return stored, files


def _choice(scripts: Sequence[str]) -> str:
    if len(scripts) == 1:
        return scripts[0]
    parts = ['replica = int(variables.get("PA_TASK_REPLICATION"))']
    for index, script in enumerate(scripts):
        body = "\n".join(f"    {line}" for line in script.split("\n"))
        parts.append(f"if replica == {index}:\n{body}")
    return "\n".join(parts)


def _split(names: Sequence[str], count: int, taken: set[str], after: tuple[str, ...]) -> Task:
    free = f"{names[0]}_copies"
    while free in taken:
        free += "_"
    taken.add(free)
    what = f"{' and '.join(names)}: {count} results of an earlier job"
    return Task(
        name=free,
        executable=Script(language="cpython", code=f"# {what}."),
        description=f"Replicates {what}.",
        depends=after,
        flow=Replicate(script=Script(language="javascript", code=f"runs = {count};")),
    )


def _script(result: TaskResult, job: JobInfo) -> str:
    lines = []
    metadata = dict(result.metadata)
    if result.has_value:
        try:
            lines.append(f"result = {literal(result.carried)}")
        except Unwritable as error:
            raise RerunRefused(
                f"the result of {result.name} in job {job.id} cannot be used again: {error}.",
                "Name it here to run it as well.",
            ) from None
    else:
        metadata[NO_RESULT] = "true"
    for name, value in result.carried_variables.items():
        if name.startswith("PA_") or name in _OF_THE_SCHEDULER:
            continue
        if isinstance(value, str) and job.variables.get(name) == value:
            continue
        try:
            lines.append(f"variables[{name!r}] = {literal(value)}")
        except Unwritable:
            lines.append(f"# The variable {name!r} has a type that Python cannot write.")
    lines += [f"resultMetadata[{key!r}] = {text!r}" for key, text in metadata.items()]
    return "\n".join(lines)


def literal(value: object) -> str:
    """A Python expression that gives what the scheduler carries, without an import. Raises `Unwritable`."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        kind = getattr(value, "class_name", type(value).__name__)
        raise Unwritable(f"it is a {kind}, which has no form in Python")
    return writer(value)  # type: ignore[no-any-return,operator]


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"


def _bytes(value: bytes) -> str:
    encoded = base64.b64encode(value).decode("ascii")
    text = repr(value) if len(value) < _SHORT else f'__import__("base64").b64decode("{encoded}")'
    # A bytearray is carried as it is; tagged bytes would be taken for a value to be tagged.
    return f"bytearray({text})" if is_tagged(value) else text


def _set(value: Collection[object]) -> str:
    return f"set([{', '.join(_hashable(item) for item in value)}])"


def _dict(value: Mapping[object, object]) -> str:
    return "{" + ", ".join(f"{_hashable(key)}: {literal(item)}" for key, item in value.items()) + "}"


def _hashable(value: object) -> str:
    if is_tagged(value):
        raise Unwritable("a key or a member of a set in it is a value that only Python has")
    if isinstance(value, tuple):
        return "(" + "".join(f"{_hashable(item)}, " for item in value) + ")"
    if isinstance(value, frozenset):
        return f"frozenset([{', '.join(_hashable(item) for item in value)}])"
    return literal(value)


def _list(value: Sequence[object]) -> str:
    return f"[{', '.join(literal(item) for item in value)}]"


_WRITERS: dict[type, object] = {
    type(None): repr,
    bool: repr,
    int: repr,
    str: repr,
    float: _float,
    bytes: _bytes,
    Decimal: lambda value: f'__import__("decimal").Decimal({str(value)!r})',
    list: _list,
    tuple: _list,
    set: _set,
    frozenset: _set,
    dict: _dict,
}
