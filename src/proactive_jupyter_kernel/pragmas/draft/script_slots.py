"""The scripts around a task, as a table: how each is called, and where it stands in the model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.pragmas.draft.source_map import SourceMap
from proactive_jupyter_kernel.workflow.model import ForkEnvironment, Script, SelectionScript, Task

__all__ = ["SLOTS", "ScriptSlot", "script_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSlot:
    """Where a script around a task stands."""

    #: How people call it.
    title: str
    #: How errors of the embedded scheduler label it.
    label: str
    #: What is there now; None or empty: nothing.
    has: Callable[[Task], object]
    #: The task with the script there, or with none.
    put: Callable[[Task, Script | None], Task]


def script_of(source: SourceMap | None) -> Script | None:
    """The script itself; None where there is none."""
    return None if source is None else Script(language=source.engine, code=source.script)


def _with_selection(task: Task, script: Script | None) -> Task:
    return replace(task, selection=(SelectionScript(script=script),) if script else ())


def _with_fork_environment(task: Task, script: Script | None) -> Task:
    changed = replace(task.fork_environment or ForkEnvironment(), script=script)
    return replace(task, fork_environment=None if changed == ForkEnvironment() else changed)


#: By the name of the pragma that sets it.
SLOTS: Mapping[str, ScriptSlot] = {
    "pre_script": ScriptSlot(
        title="pre script",
        label="pre script of",
        has=lambda task: task.pre,
        put=lambda task, script: replace(task, pre=script),
    ),
    "post_script": ScriptSlot(
        title="post script",
        label="post script of",
        has=lambda task: task.post,
        put=lambda task, script: replace(task, post=script),
    ),
    "clean_script": ScriptSlot(
        title="clean script",
        label="clean script of",
        has=lambda task: task.clean,
        put=lambda task, script: replace(task, clean=script),
    ),
    "selection_script": ScriptSlot(
        title="selection script",
        label="selection script of",
        has=lambda task: task.selection,
        put=_with_selection,
    ),
    "fork_env": ScriptSlot(
        title="fork environment",
        label="fork environment script of",
        has=lambda task: task.fork_environment and task.fork_environment.script,
        put=_with_fork_environment,
    ),
}
