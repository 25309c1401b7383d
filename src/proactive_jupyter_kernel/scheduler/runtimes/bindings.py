"""What a script sees, and the two forms in which it reaches a process: JSON, and environment variables.

The names are ProActive's (``ForkedTaskVariablesManager.java``). Languages with bindings read the JSON (`request`); the
shells get one environment variable for each entry (`environment`, as ``jsr223-nativeshell`` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proactive_jupyter_kernel.scheduler.attempt import Failure, ParentResult, Slot, Wire
from proactive_jupyter_kernel.scheduler.raw_value import RawValue
from proactive_jupyter_kernel.workflow import values

__all__ = ["Bindings", "failure_text", "node_properties", "parent_entry", "result_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """The globals of one script. Values are wire values."""

    #: All three layers in one, the upper ones over the lower ones.
    variables: Mapping[str, Wire] = field(default_factory=dict)
    generic_information: Mapping[str, str] = field(default_factory=dict)
    #: Parent results in order; None where the stage has none (selection, clean and fork environment scripts).
    results: tuple[ParentResult, ...] | None = None
    #: The task's value so far, for post and flow scripts; means something only where `has_result`.
    result: Wire = None
    has_result: bool = False
    #: Why the task failed, for its flow script, whose ``result`` is then the exception.
    failure: Failure | None = None
    #: None where the stage has none.
    result_metadata: Mapping[str, str] | None = None
    result_map: Mapping[str, Wire] | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    #: ``localspace``, ``cachespace``, ``inputspace``, ``outputspace``, ``globalspace``, ``userspace`` -> folder.
    spaces: Mapping[str, str] = field(default_factory=dict)
    #: URLs of the task's nodes, its own first; None where the stage has none.
    node_urls: tuple[str, ...] | None = None
    #: ``nodeurl``, ``nodename``, ``nodehost`` of selection and clean scripts, ``nodeTokens`` of the former.
    node: Mapping[str, Wire] = field(default_factory=dict)
    #: System properties of the node's Java machine, for languages that run on one or stand in for it.
    node_properties: Mapping[str, str] = field(default_factory=dict)
    #: Where ``progress.set`` writes; empty where the stage has no progress.
    progress_file: str = ""
    #: For a fork environment script: what ``forkEnvironment`` holds to begin with; None for the others.
    fork_environment: Mapping[str, Wire] | None = None
    #: ``url`` and ``key`` of the scheduler's channels and signals; empty where the script cannot reach them.
    services: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """The bindings as JSON: every key is always there, null where the stage has no such binding.

        ``variables genericInformation resultMetadata resultMap credentials`` are objects; ``results`` is a list of
        ``{taskName, taskId, value, metadata, failure}`` with ``failure`` null or ``{text, stackTrace}``;
        ``result`` is ``{"value": …}`` or ``{"failure": …}``; ``args nodesurl allnodesurl`` are lists of strings;
        ``spaces`` and ``node`` are objects whose entries are bindings of those names; ``nodeProperties`` is an object
        with Java's system properties; ``progressFile`` a path or ""; ``services`` has ``url`` and ``key``, or nothing.
        """
        return {
            "variables": dict(self.variables),
            "genericInformation": dict(self.generic_information),
            "results": None if self.results is None else [parent_entry(parent) for parent in self.results],
            "result": self._result(),
            "resultMetadata": None if self.result_metadata is None else dict(self.result_metadata),
            "resultMap": None if self.result_map is None else dict(self.result_map),
            "credentials": dict(self.credentials),
            "args": list(self.arguments),
            "spaces": dict(self.spaces),
            "nodesurl": None if self.node_urls is None else list(self.node_urls[1:]),
            "allnodesurl": None if self.node_urls is None else list(self.node_urls),
            "node": dict(self.node),
            "nodeProperties": dict(self.node_properties),
            "progressFile": self.progress_file,
            "services": dict(self.services),
            "forkEnvironment": None if self.fork_environment is None else dict(self.fork_environment),
        }

    def environment(self) -> dict[str, str]:
        """The bindings as environment variables: ``variables_X``, ``results_0``, ``args_0``, ``localspace`` …

        Names are used as they are, however little a shell can read them; null is the empty text; what no environment
        can hold (a name with ``=``, a NUL) is left out.
        """
        pairs = ((name, text.replace("\0", "")) for name, text in self._flat())
        return {name: text for name, text in pairs if name and "=" not in name and "\0" not in name}

    def _flat(self) -> Iterator[tuple[str, str]]:
        for binding, entries in (
            ("variables", self.variables),
            ("genericInformation", self.generic_information),
            ("resultMetadata", self.result_metadata or {}),
            ("resultMap", self.result_map or {}),
            ("credentials", self.credentials),
        ):
            for key, wire in entries.items():
                yield f"{binding}_{key}", _text(wire)
        for position, parent in enumerate(self.results or ()):
            yield f"results_{position}", result_text(parent)
        urls = self.node_urls or ()
        for binding, items in (("args", self.arguments), ("nodesurl", urls[1:]), ("allnodesurl", urls)):
            for position, item in enumerate(items):
                yield f"{binding}_{position}", item
        yield from self.spaces.items()
        for name, wire in self.node.items():
            if isinstance(wire, list):
                yield from ((f"{name}_{position}", item) for position, item in enumerate(wire))
            else:
                yield name, wire
        if self.has_result:
            yield "result", _text(self.result)
        elif self.failure is not None:
            yield "result", failure_text(self.failure)

    def _result(self) -> dict[str, Any] | None:
        if self.failure is not None:
            return {"failure": _failure(self.failure)}
        return {"value": self.result} if self.has_result else None


def node_properties(slot: Slot, variables: Mapping[str, Wire]) -> dict[str, str]:
    """What scripts read of the Java machine of a node (``PAResourceManagerProperties``, ``RMNodeStarter``).

    Selection scripts of public workflows compare ``proactive.node.nodesource``.
    """
    home = str(variables.get("PA_SCHEDULER_HOME") or "")
    homes = dict.fromkeys(("proactive.home", "pa.scheduler.home", "pa.rm.home"), home) if home else {}
    token = {"proactive.node.access.token": ",".join(slot.tokens)} if slot.tokens else {}
    return {"proactive.node.nodesource": slot.source, **token, **homes}


def result_text(parent: ParentResult) -> str:
    """The text form of a task's result, as ``TaskResult.toString`` has it."""
    if parent.failure is not None:
        return failure_text(parent.failure)
    return "Result not available" if parent.value.is_null else _text(parent.value.decoded())


def failure_text(failure: Failure) -> str:
    """A failure in one line: ``Failed to execute task: …``."""
    return " ".join(failure.text.split())


def _text(wire: Wire) -> str:
    if isinstance(wire, str):
        return wire
    return "" if wire is None else values.text(values.from_wire(wire))


def parent_entry(parent: ParentResult, value: Callable[[RawValue], Any] = RawValue.decoded) -> dict[str, Any]:
    """A parent as `Bindings.request` has it, with its value as `value` gives it."""
    return {
        "taskName": parent.task_name,
        "taskId": parent.task_id,
        "value": value(parent.value),
        "metadata": dict(parent.metadata),
        "failure": None if parent.failure is None else _failure(parent.failure),
    }


def _failure(failure: Failure) -> dict[str, str]:
    return {"text": failure.text, "stackTrace": failure.stack_trace}
