"""The jobs that are timed, as XML, and what their results must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.model import Replicate, Script, Task, Workflow

__all__ = ["TEXTS", "check"]


def _python(code: str) -> Script:
    return Script(language="cpython", code=code)


def independent(tasks: int) -> str:
    """Python tasks without dependencies."""
    return _text(
        "python", [Task(name=f"T{number}", executable=_python(f"result = {number}")) for number in range(tasks)]
    )


def bash(tasks: int) -> str:
    """The same in bash; each writes a line."""
    line = Script(language="bash", code="echo 1")
    return _text("bash", [Task(name=f"T{number}", executable=line) for number in range(tasks)])


def chain(tasks: int) -> str:
    """Each task adds one to the result of the one before."""
    first = Task(name="T0", executable=_python("result = 0"))
    add = _python("result = results[0].value() + 1")
    rest = [Task(name=f"T{number}", executable=add, depends=(f"T{number - 1}",)) for number in range(1, tasks)]
    return _text("chain", [first, *rest])


def fan(tasks: int) -> str:
    """One task, then all but two that depend on it, then one that depends on all of these."""
    middle = [
        Task(name=f"T{number}", executable=_python(f"result = results[0].value() + {number}"), depends=("first",))
        for number in range(tasks - 2)
    ]
    last = _python("result = sum(one.value() for one in results)")
    names = tuple(task.name for task in middle)
    return _text(
        "fan",
        [
            Task(name="first", executable=_python("result = 0")),
            *middle,
            Task(name="last", executable=last, depends=names),
        ],
    )


def replicas(tasks: int) -> str:
    """The same with a replicated task in the middle."""
    split = Replicate(script=Script(language="javascript", code=f"runs = {tasks - 2}"))
    return _text(
        "replicas",
        [
            Task(name="first", executable=_python("result = 0"), flow=split),
            Task(name="work", executable=_python('result = variables["PA_TASK_REPLICATION"]'), depends=("first",)),
            Task(
                name="last",
                executable=_python("result = sum(int(one.value()) for one in results)"),
                depends=("work",),
            ),
        ],
    )


def _text(name: str, tasks: list[Task]) -> str:
    return xml.dumps(Workflow(name=name, tasks=tuple(tasks)))


#: The XML of each workload with so many tasks.
TEXTS: Mapping[str, Callable[[int], str]] = {
    "python": independent,
    "bash": bash,
    "chain": chain,
    "fan": fan,
    "replicas": replicas,
}


def check(case: str, tasks: int, results: Mapping[str, Any]) -> None:
    """Raise `AssertionError` where a job has not the results that it must have."""
    assert len(results) == tasks, f"{case}: {len(results):,} results of {tasks:,}"
    middle = tasks - 2
    expected = {
        "python": {f"T{number}": number for number in range(tasks)},
        # The exit status. A job whose tasks fail ends as finished, too.
        "bash": {f"T{number}": 0 for number in range(tasks)},
        "chain": {f"T{tasks - 1}": tasks - 1},
        "fan": {"last": middle * (middle - 1) // 2},
        "replicas": {"last": middle * (middle - 1) // 2},
    }.get(case, {})
    found = {name: results[name].value for name in expected}
    assert found == expected, f"{case}: wrong results"
