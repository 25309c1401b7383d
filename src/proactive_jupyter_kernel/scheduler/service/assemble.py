"""From "start this task" to an attempt that an executor can run, and from its outcome to what children inherit.

Pure: everything comes in as values. The rules are those of execution-semantics: the layers of variables and the
system variables (``TaskContextVariableExtractor.java``, ``SchedulerVars.java``), the order of ``results``, walltime and
data spaces. What only the process can know (its scratch folder, its progress file) the executor adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from proactive_jupyter_kernel.scheduler.attempt import (
    Attempt,
    FlowScript,
    Outcome,
    ParentResult,
    Selection,
    Slot,
    Wire,
)
from proactive_jupyter_kernel.scheduler.engine.commands import RunSelection, StartAttempt
from proactive_jupyter_kernel.scheduler.engine.propagation import naming_variables
from proactive_jupyter_kernel.scheduler.engine.records import JobRecord, TaskRecord
from proactive_jupyter_kernel.scheduler.service.site import Site, node_url, rest_urls, space_folders
from proactive_jupyter_kernel.workflow import references, values
from proactive_jupyter_kernel.workflow.model import (
    Branch,
    FileSelector,
    FlowAction,
    ForkEnvironment,
    JavaClass,
    Loop,
    NativeCommand,
    Replicate,
    Script,
    Task,
    Workflow,
)

__all__ = [
    "assemble",
    "handed_on",
    "parse_walltime",
    "selection",
    "system_variables",
    "walltime_of",
]

#: Replaces the references in a text.
Resolve: TypeAlias = Callable[[str], str]

#: Which variable a flow script must set.
_DECIDES: dict[type[FlowAction], str] = {Branch: "branch", Loop: "loop", Replicate: "runs"}


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a task sees, references resolved: the layers of variables, spaces, generic information."""

    inherited: dict[str, Wire]
    scope: dict[str, Wire]
    spaces: dict[str, str]
    resolve: Resolve
    information: dict[str, str]


def _scene(
    inherited: Mapping[str, Wire],
    slots: tuple[Slot, ...],
    job: JobRecord,
    task: TaskRecord,
    workflow: Workflow,
    definition: Task,
    site: Site,
) -> _Scene:
    spaces = space_folders(workflow, site, job.owner, task.task_id)
    system = _system_variables(slots, job, spaces, site)
    layer, scope, known = _layers({**inherited, **system}, definition)

    def resolve(text: str) -> str:
        return references.substitute(text, known)

    generic = {**workflow.generic_information, **definition.generic_information}
    information = {name: resolve(value) for name, value in generic.items()}
    return _Scene(layer, scope, spaces, resolve, information)


def assemble(
    start: StartAttempt,
    *,
    workflow: Workflow,
    definition: Task,
    parents: tuple[ParentResult, ...],
    site: Site,
    credentials: Mapping[str, str] = MappingProxyType({}),
) -> Attempt:
    """The attempt that `start` asks for; `definition` is what the task is in the workflow, or is a copy of.

    Raises `references.InfiniteReference` where values refer to each other in a circle, and ValueError for a Java
    task, which submission refuses.
    """
    job, task = start.job, start.task
    scene = _scene(start.inherited, start.slots, job, task, workflow, definition, site)
    resolve = scene.resolve
    if isinstance(definition.executable, JavaClass):
        raise ValueError(f"task {task.name!r} is the Java class {definition.executable.name}; no runtime runs it")
    return Attempt(
        job_id=job.job_id,
        job_name=job.name,
        task_id=task.task_id,
        task_name=task.name,
        number=start.number,
        owner=job.owner,
        slot=start.slots[0],
        main=_resolved_main(definition.executable, resolve),
        pre=_resolved_script(definition.pre, resolve),
        post=_resolved_script(definition.post, resolve),
        clean=_resolved_script(definition.clean, resolve),
        flow=_flow_script(definition, resolve),
        fork_environment=_resolved_fork(definition.fork_environment, resolve),
        inherited=scene.inherited,
        scope=scene.scope,
        generic_information=scene.information,
        results=parents,
        spaces=scene.spaces,
        input_files=tuple(_resolved_files(selector, resolve) for selector in definition.input_files),
        # Their patterns are resolved with the variables as the task leaves them.
        output_files=definition.output_files,
        node_urls=tuple(node_url(site, slot) for slot in start.slots),
        walltime=walltime_of(definition, scene.information, site),
        precious_logs=bool(definition.precious_logs),
        services=site.services(job.job_id, task.task_id),
        credentials=credentials,
    )


def selection(
    question: RunSelection, *, job: JobRecord, task: TaskRecord, workflow: Workflow, definition: Task, site: Site
) -> Selection:
    """The question of the machine about a slot, for an executor. In selection scripts, unlike in other scripts,
    references are replaced."""
    scene = _scene(question.inherited, (question.slot,), job, task, workflow, definition, site)
    scripts = tuple(
        replace(
            entry,
            script=replace(
                entry.script,
                code=scene.resolve(entry.script.code),
                arguments=tuple(map(scene.resolve, entry.script.arguments)),
            ),
        )
        for entry in definition.selection
    )
    return Selection(
        job_id=job.job_id,
        task_id=task.task_id,
        task_name=task.name,
        slot=question.slot,
        scripts=scripts,
        variables={**scene.inherited, **scene.scope},
        generic_information=scene.information,
        node_url=node_url(site, question.slot),
        services=site.services(job.job_id, task.task_id),
    )


def handed_on(attempt: Attempt, outcome: Outcome) -> dict[str, Wire]:
    """What children inherit: layer 1 without what was removed, and over it what scripts put (layer 3).

    System variables and space paths are not inherited unless a script put one itself: every task gets its own.
    """
    gone = set(outcome.variables_removed)
    kept = {
        name: value
        for name, value in attempt.inherited.items()
        if name not in _SYSTEM_NAMES and name not in gone and name not in attempt.spaces
    }
    return {**kept, **outcome.variables_set}


def _layers(inherited: dict[str, Wire], definition: Task) -> tuple[dict[str, Wire], dict[str, Wire], Mapping[str, str]]:
    """Layers 1 and 2 with their references resolved against each other, the task's own first; and both as texts."""
    scope: dict[str, Wire] = {
        variable.name: variable.value
        for variable in definition.variables
        if not variable.inherited or variable.name not in inherited
    }
    known = _texts({**inherited, **scope})
    if not any("$" in text for text in known.values()):
        return inherited, scope, known
    layer, scope = _substituted(inherited, known), _substituted(scope, known)
    return layer, scope, _texts({**layer, **scope})


def _substituted(layer: Mapping[str, Wire], known: Mapping[str, str]) -> dict[str, Wire]:
    return {
        name: references.substitute(value, known) if isinstance(value, str) and "$" in value else value
        for name, value in layer.items()
    }


def _texts(layer: Mapping[str, Wire]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else _text(value) for name, value in layer.items()}


def _text(wire: Wire) -> str:
    if type(wire) is int:
        return str(wire)
    return "" if wire is None else values.text(values.from_wire(wire))


def _system_variables(slots: tuple[Slot, ...], job: JobRecord, spaces: Mapping[str, str], site: Site) -> dict[str, Any]:
    slot = slots[0]
    return {
        "PA_USER": job.owner,
        "PA_SCHEDULER_HOME": site.home,
        "PA_NODESNUMBER": len(slots),
        "PA_NODE_URL": node_url(site, slot),
        "PA_NODE_NAME": slot.name,
        "PA_NODE_HOST": slot.host,
        "PA_NODE_SOURCE": slot.source,
        **rest_urls(site.url),
        **{name: path for name, path in spaces.items() if name in _SPACES_IN_VARIABLES},
    }


def system_variables(
    job: JobRecord, task: TaskRecord, workflow: Workflow, site: Site, *, source: str, nodes: int
) -> dict[str, Any]:
    """What named job, task, node and spaces to an execution of `task`, as far as it outlives the execution."""
    slot = Slot(name=task.slot, host=task.host, source=source)
    return {
        **naming_variables(job, task),
        **_system_variables((slot,) * nodes, job, space_folders(workflow, site, job.owner, task.task_id), site),
    }


#: The spaces whose paths are in ``variables`` as well; ``localspace`` comes from the executor.
_SPACES_IN_VARIABLES = frozenset({"cachespace", "globalspace", "userspace"})
#: What every task gets afresh; ``PA_JOB_*`` and ``PA_TASK_*`` come from the engine, the last ones from the executor.
_SYSTEM_NAMES = frozenset(
    {
        "PA_JOB_ID",
        "PA_JOB_NAME",
        "PA_TASK_ID",
        "PA_TASK_NAME",
        "PA_TASK_ITERATION",
        "PA_TASK_REPLICATION",
        "PA_TASK_PROGRESS_FILE",
        "PA_TASK_SUCCESS",
        "PA_USER",
        "PA_SCHEDULER_HOME",
        "PA_NODESFILE",
        "PA_NODESNUMBER",
        "PA_NODE_URL",
        "PA_NODE_NAME",
        "PA_NODE_HOST",
        "PA_NODE_SOURCE",
        "localspace",
        *rest_urls(""),
    }
)


def _resolved_main(main: Script | NativeCommand, resolve: Resolve) -> Script | NativeCommand:
    if isinstance(main, NativeCommand):
        return replace(main, command=resolve(main.command), arguments=tuple(map(resolve, main.arguments)))
    return replace(main, arguments=tuple(map(resolve, main.arguments))) if main.arguments else main


def _resolved_script(script: Script | None, resolve: Resolve) -> Script | None:
    return None if script is None else replace(script, arguments=tuple(map(resolve, script.arguments)))


def _flow_script(definition: Task, resolve: Resolve) -> FlowScript | None:
    """The flow script of the task, None if it has none."""
    if definition.flow is None:
        return None
    script = _resolved_script(definition.flow.script, resolve)
    assert script is not None
    return FlowScript(script=script, variable=_DECIDES[type(definition.flow)])


def _resolved_fork(fork: ForkEnvironment | None, resolve: Resolve) -> ForkEnvironment | None:
    if fork is None:
        return None
    return replace(
        fork,
        working_dir=resolve(fork.working_dir),
        java_home=resolve(fork.java_home),
        environment={name: resolve(value) for name, value in fork.environment.items()},
        jvm_arguments=tuple(map(resolve, fork.jvm_arguments)),
        classpath=tuple(map(resolve, fork.classpath)),
        script=_resolved_script(fork.script, resolve),
    )


def _resolved_files(selector: FileSelector, resolve: Resolve) -> FileSelector:
    return replace(
        selector,
        includes=resolve(selector.includes),
        excludes=resolve(selector.excludes),
        access_mode=resolve(selector.access_mode),
    )


_CLOCK = re.compile(r"(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,9})")


def parse_walltime(text: str) -> float | None:
    """Seconds of ``[hh:]mm:ss`` or ``ss``; None for what is neither."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def walltime_of(definition: Task, information: Mapping[str, str], site: Site) -> float | None:
    """The limit in seconds: the task's own, else generic information ``WALLTIME``, else the scheduler's."""
    if isinstance(definition.walltime, int) and definition.walltime > 0:
        return float(definition.walltime)
    return parse_walltime(information.get("WALLTIME", "")) or site.walltime
