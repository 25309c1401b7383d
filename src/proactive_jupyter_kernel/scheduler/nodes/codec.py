"""Attempts, selections and their outcomes as JSON, by hand-written code: it runs for every task.

Only what is not a default stands in it. Wire values pass as they are; the results of parents, and a large result, are
texts beside it (`RawValue`), which are not decoded on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    Failure,
    FailureKind,
    FlowScript,
    Outcome,
    ParentResult,
    Selection,
    SelectionAnswer,
    Slot,
)
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow.model import (
    FileSelector,
    ForkEnvironment,
    NativeCommand,
    Script,
    SelectionScript,
)

__all__ = [
    "answer_from",
    "answer_to",
    "attempt_from",
    "attempt_to",
    "outcome_from",
    "outcome_to",
    "selection_from",
    "selection_to",
]


#: Characters of a result that travels as a part of the JSON.
_SMALL = 1024


def attempt_to(attempt: Attempt) -> tuple[dict[str, Any], list[RawValue]]:
    """The attempt as JSON, and the results of its parents."""
    found: dict[str, Any] = {
        "job_id": attempt.job_id,
        "job_name": attempt.job_name,
        "task_id": attempt.task_id,
        "task_name": attempt.task_name,
        "number": attempt.number,
        "owner": attempt.owner,
        "slot": _slot_to(attempt.slot),
        "main": _main_to(attempt.main),
    }
    for name in _PLAIN:
        value = getattr(attempt, name)
        if value:
            found[name] = value if value.__class__ in (dict, tuple, bool) else dict(value)
    for name in ("pre", "post", "clean"):
        script = getattr(attempt, name)
        if script is not None:
            found[name] = _script_to(script)
    if attempt.flow is not None:
        found["flow"] = [_script_to(attempt.flow.script), attempt.flow.variable]
    if attempt.fork_environment is not None:
        found["fork_environment"] = _fork_to(attempt.fork_environment)
    if attempt.results:
        found["results"] = [_parent_to(parent) for parent in attempt.results]
    for name in ("input_files", "output_files"):
        files = getattr(attempt, name)
        if files:
            found[name] = [[each.includes, each.excludes, each.access_mode] for each in files]
    if attempt.walltime is not None:
        found["walltime"] = attempt.walltime
    return found, [parent.value for parent in attempt.results]


#: Fields of an attempt that JSON holds as they are.
_PLAIN = (
    "inherited",
    "scope",
    "generic_information",
    "credentials",
    "spaces",
    "node_urls",
    "precious_logs",
    "services",
)


def attempt_from(found: dict[str, Any], raw: Sequence[bytes] = ()) -> Attempt:
    """What `attempt_to` gave."""
    if "results" in found:
        found["results"] = tuple(map(_parent_from, found["results"], raw))
    for name, read in _READERS:
        if name in found:
            found[name] = read(found[name])
    return Attempt(**found)


def _files_from(found: list[list[str]]) -> tuple[FileSelector, ...]:
    return tuple(FileSelector(includes=each[0], excludes=each[1], access_mode=each[2]) for each in found)


def _slot_to(slot: Slot) -> list[Any]:
    return [slot.name, slot.host, slot.source, slot.tokens]


def _slot_from(found: list[Any]) -> Slot:
    return Slot(name=found[0], host=found[1], source=found[2], tokens=tuple(found[3]))


def _script_to(script: Script) -> list[Any]:
    return [script.language, script.code, script.url, script.arguments]


def _script_from(found: list[Any]) -> Script:
    return Script(language=found[0], code=found[1], url=found[2], arguments=tuple(found[3]))


def _main_to(main: Script | NativeCommand) -> Any:
    if isinstance(main, NativeCommand):
        return {"command": main.command, "arguments": main.arguments}
    return _script_to(main)


def _main_from(found: Any) -> Script | NativeCommand:
    if isinstance(found, dict):
        return NativeCommand(command=found["command"], arguments=tuple(found["arguments"]))
    return _script_from(found)


def _fork_to(fork: ForkEnvironment) -> dict[str, Any]:
    return {
        "working_dir": fork.working_dir,
        "java_home": fork.java_home,
        "environment": dict(fork.environment),
        "jvm_arguments": fork.jvm_arguments,
        "classpath": fork.classpath,
        "script": None if fork.script is None else _script_to(fork.script),
    }


def _fork_from(found: Mapping[str, Any]) -> ForkEnvironment:
    return ForkEnvironment(
        working_dir=found["working_dir"],
        java_home=found["java_home"],
        environment=found["environment"],
        jvm_arguments=tuple(found["jvm_arguments"]),
        classpath=tuple(found["classpath"]),
        script=None if found["script"] is None else _script_from(found["script"]),
    )


def _failure_to(failure: Failure | None) -> list[str] | None:
    if failure is None:
        return None
    return [failure.kind.value, failure.exception, failure.message, failure.stack_trace]


def _failure_from(found: list[str] | None) -> Failure | None:
    if found is None:
        return None
    return Failure(kind=FailureKind(found[0]), exception=found[1], message=found[2], stack_trace=found[3])


def _parent_to(parent: ParentResult) -> list[Any]:
    return [parent.task_name, parent.task_id, dict(parent.metadata), _failure_to(parent.failure)]


def _parent_from(found: list[Any], text: bytes) -> ParentResult:
    return ParentResult(
        task_name=found[0], task_id=found[1], value=RawValue(text), metadata=found[2], failure=_failure_from(found[3])
    )


_READERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("slot", _slot_from),
    ("main", _main_from),
    ("pre", _script_from),
    ("post", _script_from),
    ("clean", _script_from),
    ("flow", lambda found: FlowScript(script=_script_from(found[0]), variable=found[1])),
    ("fork_environment", _fork_from),
    ("input_files", _files_from),
    ("output_files", _files_from),
    ("node_urls", tuple),
)

#: Field of an outcome -> its default.
_OUTCOME: dict[str, Any] = {
    "value": None,
    "metadata": {},
    "variables_set": {},
    "variables_removed": (),
    "result_map": {},
    "flow": None,
    "flow_decided": False,
    "exit_code": None,
    "clean_output": (),
    "clean_failure": "",
    "duration": 0,
}


def outcome_to(outcome: Outcome) -> tuple[dict[str, Any], list[bytes]]:
    """The outcome as JSON, and its value where that is large."""
    found: dict[str, Any] = {} if outcome.failure is None else {"failure": _failure_to(outcome.failure)}
    for name, default in _OUTCOME.items():
        value = getattr(outcome, name)
        if value is not default and (value != default or value.__class__ is not default.__class__):
            found[name] = value
    if isinstance(outcome.value, str | list | dict):
        raw = RawValue.of(outcome.value)
        if raw.size > _SMALL:
            del found["value"]
            return found, [raw.text]
    return found, []


def outcome_from(found: dict[str, Any], raw: Sequence[bytes] = ()) -> Outcome:
    """What `outcome_to` gave."""
    if raw:
        found["value"] = RawValue(raw[0])
    if "failure" in found:
        found["failure"] = _failure_from(found["failure"])
    for name in ("variables_removed", "clean_output"):
        if name in found:
            found[name] = tuple(found[name])
    return Outcome(**found)


def selection_to(selection: Selection) -> dict[str, Any]:
    """The question as JSON."""
    return {
        "job_id": selection.job_id,
        "task_id": selection.task_id,
        "task_name": selection.task_name,
        "slot": _slot_to(selection.slot),
        "scripts": [[_script_to(each.script), each.static] for each in selection.scripts],
        "variables": dict(selection.variables),
        "generic_information": dict(selection.generic_information),
        "node_url": selection.node_url,
        "services": dict(selection.services),
    }


def selection_from(found: Mapping[str, Any]) -> Selection:
    """What `selection_to` gave."""
    scripts = tuple(SelectionScript(script=_script_from(each[0]), static=each[1]) for each in found["scripts"])
    return Selection(**{**found, "slot": _slot_from(found["slot"]), "scripts": scripts})


def answer_to(answer: SelectionAnswer) -> list[Any]:
    """The answer as JSON."""
    return [answer.selected, answer.failure, answer.output]


def answer_from(found: list[Any]) -> SelectionAnswer:
    """What `answer_to` gave."""
    return SelectionAnswer(selected=found[0], failure=found[1], output=tuple(found[2]))
