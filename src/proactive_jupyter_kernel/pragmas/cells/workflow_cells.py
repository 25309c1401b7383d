"""From a workflow to notebook cells, one for each script, that build the same workflow.

The cells are carried out headless and the job that they build is compared with the workflow. Where pragmas have no word
for something, the first cell imports the workflow's file, and the cells below it hold the scripts that pragmas can set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proactive_jupyter_kernel.errors import ProActiveError
from proactive_jupyter_kernel.pragmas.cells import headless
from proactive_jupyter_kernel.pragmas.declarations.file_values import INPUT_MODES, OUTPUT_MODES
from proactive_jupyter_kernel.pragmas.declarations.kinds import NOWHERE, Modelled
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.grammar.parser import write
from proactive_jupyter_kernel.pragmas.grammar.syntax import Argument, Call, ListNode
from proactive_jupyter_kernel.pragmas.handlers.jobs import PRIORITIES
from proactive_jupyter_kernel.pragmas.handlers.tasks import ERROR_POLICIES
from proactive_jupyter_kernel.workflow.blocks import match_blocks
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.languages import Language, by_engine
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    FileSelector,
    Loop,
    Priority,
    Replicate,
    Script,
    Task,
    Workflow,
)

__all__ = ["WorkflowCells", "cells_of"]

_POLICY_WORDS = {policy: word for word, policy in ERROR_POLICIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCells:
    """The cells of a workflow."""

    cells: tuple[str, ...]
    #: Whether the first cell imports the workflow's file.
    imports: bool = False
    #: Tasks whose scripts stand in that file only.
    hidden: tuple[str, ...] = ()


def cells_of(workflow: Workflow, *, folder: Path, import_pragma: str, path: str) -> WorkflowCells:
    """The cells; `import_pragma` reads the workflow's file at `path`, relative to the notebook's `folder`."""
    cells = tuple(_own_cells(workflow))
    if _differing(cells, workflow, folder) == set():
        return WorkflowCells(cells=cells)
    first = _line(import_pragma, {"path": path})
    by_task = {task.name: [] if _loses(task) else list(_task_cells(task, "task")) for task in workflow.tasks}
    while True:
        cells = (first, *(cell for found in by_task.values() for cell in found))
        differing = _differing(cells, workflow, folder)
        wrong = [name for name, found in by_task.items() if found and (differing is None or name in differing)]
        if not wrong:
            hidden = tuple(name for name, found in by_task.items() if not found)
            return WorkflowCells(cells=cells, imports=True, hidden=hidden)
        by_task.update({name: [] for name in wrong})


def _loses(task: Task) -> bool:
    """Whether the main script is one that `#%task` cannot write."""
    return _language(task.executable) is None


def _differing(cells: tuple[str, ...], workflow: Workflow, folder: Path) -> set[str] | None:
    """The tasks that differ when the cells are carried out, ``""`` for the job; None where they cannot be."""
    try:
        built = headless.build(cells, folder=folder, name=workflow.name)[0].workflow
    except ProActiveError:
        return None
    wanted, found = ({task.name: _comparable(task) for task in one.tasks} for one in (workflow, built))
    differing = {name for name in {**wanted, **found} if wanted.get(name) != found.get(name)}
    if replace(workflow, tasks=()) != replace(built, tasks=()):
        differing.add("")
    return differing


def _comparable(task: Task) -> Task:
    return replace(task, depends=tuple(dict.fromkeys(task.depends)))


# --- cells without the file ---


def _own_cells(workflow: Workflow) -> Iterator[str]:
    yield _job_cell(workflow)
    steps = _steps(workflow)
    for name in _order(workflow, steps):
        task = workflow.task(name)
        step, decider = steps.get(name, ("task", None))
        yield from _task_cells(task, step)
        if decider is not None:
            pragma = "runs" if step == "split" else "condition"
            language = _language(decider)
            values = {} if language is None or language.name == "Javascript" else {"language": language}
            yield _line(pragma, values, decider.code)


def _job_cell(workflow: Workflow) -> str:
    return _line(
        "job",
        {
            "name": workflow.name,
            "generic_info": dict(workflow.generic_information),
            "variables": _variables(workflow.variables),
            "description": workflow.description,
            "project": workflow.project,
            "priority": _priority(workflow.priority),
            "on_error": _policy(workflow.on_error),
        },
    )


def _priority(priority: Any) -> str:
    return priority.name.lower() if priority in PRIORITIES.values() and priority is not Priority.NORMAL else ""


def _policy(policy: object) -> str:
    return next((word for known, word in _POLICY_WORDS.items() if known is policy), "")


def _variables(variables: Any) -> dict[str, Any]:
    return {one.name: Modelled(value=one.value, model=one.model) if one.model else one.value for one in variables}


Steps = Mapping[str, "tuple[str, Script | None]"]


def _steps(workflow: Workflow) -> dict[str, tuple[str, Script | None]]:
    """Task -> the step of a control that it is, and, for a first step, the script that decides."""
    graph = Graph(workflow)
    blocks = match_blocks(graph)
    found: dict[str, tuple[str, Script | None]] = {}
    for task in workflow.tasks:
        steps = _control(graph, blocks.end_of, task)
        if steps and not steps.keys() & found.keys() and len(set(steps)) == len(steps):
            found.update(steps)
    return found


def _control(graph: Graph, end_of: Mapping[str, str], task: Task) -> dict[str, tuple[str, Script | None]]:
    match task.flow:
        case Branch():
            steps: dict[str, tuple[str, Script | None]] = {
                task.name: ("branch", task.flow.script),
                task.flow.target: ("if", None),
                task.flow.otherwise: ("else", None),
            }
            if task.flow.continuation:
                steps[task.flow.continuation] = ("continuation", None)
            return steps
        case Loop() if task.flow.target != task.name:
            return {task.flow.target: ("start", task.flow.script), task.name: ("loop", None)}
        case Replicate() if task.block is Block.START and task.name in end_of and len(graph.children[task.name]) == 1:
            process = graph.children[task.name][0]
            return {
                task.name: ("split", task.flow.script),
                process: ("process", None),
                end_of[task.name]: ("merge", None),
            }
    return {}


def _order(workflow: Workflow, steps: Steps) -> list[str]:
    """As written, but every task after those that lead to it: parents, and the steps before it."""
    links = Graph(workflow).links()
    for task in workflow.tasks:
        if isinstance(task.flow, Branch) and task.flow.otherwise in links:
            links[task.flow.target] = (*links.get(task.flow.target, ()), task.flow.otherwise)
    waiting = dict.fromkeys((task.name for task in workflow.tasks), 0)
    for following in links.values():
        for name in dict.fromkeys(following):
            waiting[name] += 1
    order: list[str] = []
    while waiting:
        # In a circle, which no valid workflow has, the first one goes first.
        name = next((one for one, count in waiting.items() if not count), next(iter(waiting)))
        del waiting[name]
        order.append(name)
        for following_name in dict.fromkeys(links[name]):
            if following_name in waiting:
                waiting[following_name] -= 1
    return order


# --- a task ---


def _task_cells(task: Task, step: str) -> Iterator[str]:
    """The cell of the task, and one for each script around it."""
    script = task.executable
    values: dict[str, Any] = {
        "name": task.name,
        "language": _other_than(_language(script), "Python"),
        "dep": tuple(dict.fromkeys(task.depends)),
        "generic_info": dict(task.generic_information),
        "variables": _variables(task.variables),
        "precious_result": task.precious_result is True,
        "retries": task.max_executions - 1 if isinstance(task.max_executions, int) else None,
        "on_error": _policy(task.on_error),
        "walltime": task.walltime if isinstance(task.walltime, int) else None,
        "description": task.description,
        "input_files": _files(task.input_files, INPUT_MODES),
        "output_files": _files(task.output_files, OUTPUT_MODES),
    }
    code = script.code if isinstance(script, Script) else ""
    known = {parameter.name for parameter in PRAGMAS[step].parameters}
    yield _line(step, {name: value for name, value in values.items() if name in known}, code)
    around = {
        "pre_script": task.pre,
        "post_script": task.post,
        "clean_script": task.clean,
        "selection_script": task.selection[0].script if task.selection else None,
        "fork_env": task.fork_environment.script if task.fork_environment else None,
    }
    for pragma, one in around.items():
        if one is not None and _language(one) is not None:
            yield _line(
                pragma, {"name": _name(pragma, task), "language": _other_than(_language(one), "Python")}, one.code
            )


def _files(selectors: tuple[FileSelector, ...], modes: Mapping[str, str]) -> tuple[FileSelector, ...]:
    """The selectors, if pragmas have words for all of their spaces; a reference may stand for a space."""
    return selectors if all(one.access_mode in modes.values() for one in selectors) else ()


def _name(pragma: str, task: Task) -> Any:
    parameter = PRAGMAS[pragma].parameter("name")
    return (task.name,) if parameter is not None and parameter.kind.many else task.name


def _language(script: object) -> Language | None:
    """The language of an inline script that pragmas can write; else None."""
    if not isinstance(script, Script) or script.url or script.arguments:
        return None
    language = by_engine(script.language)
    return language if language and language.in_pragmas and language.engine == script.language else None


def _other_than(language: Language | None, default: str) -> Language | None:
    return None if language is None or language.name == default else language


def _line(pragma: str, values: Mapping[str, Any], code: str = "") -> str:
    """A pragma with the values that say something, and the code below it."""
    declared = PRAGMAS[pragma]
    arguments = []
    for name, value in values.items():
        parameter = declared.parameter(name)
        if parameter is not None and value is not None and value not in ("", (), {}, False):
            node = parameter.kind.node(value)
            if name == "name" and isinstance(node, ListNode):
                node = node.items[0]
            arguments.append(Argument(name=name, value=node, span=NOWHERE))
    return write(Call(name=pragma, arguments=tuple(arguments), code=code, span=NOWHERE))
