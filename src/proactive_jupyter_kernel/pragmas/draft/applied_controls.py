"""Applies controls to the tasks: flow actions, block marks, and the dependencies that a control implies. Pure.

What the pragmas leave out is filled in as people mean it: the end of a loop, and the merge of a replication, depend on
whatever the tasks between lead to; several tasks inside a branch or a replication become a block of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proactive_jupyter_kernel.pragmas.draft.controls import Control
from proactive_jupyter_kernel.workflow.checks import Problem
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import Block, Branch, Loop, Replicate, Script, Task, Workflow

__all__ = ["AppliedControls", "Replication", "names_in", "runs_script"]

_NAME = re.compile(r"[^\W\d][\w.]*")


def names_in(expression: str) -> list[str]:
    """The variables that an expression names."""
    return list(dict.fromkeys(_NAME.findall(expression)))


def runs_script(expression: str) -> Script:
    """The script of a replication: names of variables become their values, as numbers."""
    if expression.strip().isdigit():
        return Script(language="javascript", code=f"runs={expression.strip()}")
    code = _NAME.sub(lambda match: f'Number(variables.get("{match.group()}"))', expression)
    return Script(language="javascript", code=f"runs={code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """A single task that runs several times side by side."""

    #: As its pragma says it, such as ``runs=3``.
    said: str
    script: Script


class AppliedControls:
    """The tasks with the controls applied; `problems` says what is wrong, `notices` what was added."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.tasks = {task.name: task for task in tasks}
        self.problems: list[Problem] = []
        self.notices: list[str] = []

    def apply(self, controls: Sequence[Control], replications: Mapping[str, Replication]) -> None:
        """Apply controls, the inner ones first, and replications of single tasks, by task name."""
        for control in reversed(controls):
            step = control.missing
            if step is not None:
                message = (
                    f"The {control.kind.name} that starts with task {control.first_task!r} is unfinished: "
                    f"#%{step.name} is expected."
                )
                self.problems.append(Problem(code="PA602", message=message))
            else:
                _APPLY[control.kind.name](self, control)
        for name, replication in replications.items():
            self._replicate_alone(name, replication)

    # -- the three controls

    def branch(self, control: Control) -> None:
        """The branch task gets the action; its two ways become blocks where they are of several tasks."""
        chosen, other = control.tasks["if"], control.tasks["else"]
        continuation = control.tasks.get("continuation", "")
        assert control.script is not None
        action = Branch(script=control.script, target=chosen, otherwise=other, continuation=continuation)
        self._change(control.tasks["branch"], flow=action)
        if continuation:
            self._enclose(chosen, continuation)
            self._enclose(other, continuation)

    def loop(self, control: Control) -> None:
        """The block goes from start to loop; without dependencies the end comes after all that is between."""
        start, end = control.tasks["start"], control.tasks["loop"]
        assert control.script is not None
        self._change(start, block=Block.START)
        self._join(start, end)
        self._change(end, block=Block.END, flow=Loop(script=control.script, target=start))

    def replicate(self, control: Control) -> None:
        """The block goes from split to merge; what is between is replicated."""
        split, process, merge = (control.tasks[step] for step in ("split", "process", "merge"))
        assert control.script is not None
        self._change(split, block=Block.START, flow=Replicate(script=control.script))
        if not self.tasks[process].depends:
            self._change(process, depends=(split,))
        self._join(process, merge)
        self._enclose(process, merge)
        self._change(merge, block=Block.END)

    # -- one task replicated

    def _replicate_alone(self, name: str, replication: Replication) -> None:
        """The one parent becomes the split; a merge is added where there is none."""
        parents = self.tasks[name].depends
        if len(parents) != 1 or parents[0] not in self.tasks:
            count = len(parents) or "none"
            message = f"{replication.said} needs exactly one task in dep, and there are {count}."
            explanation = "The copies start after that task: add dep=[TASK]." if not parents else "Keep one of them."
            self.problems.append(Problem(code="PA603", task=name, message=message, explanation=explanation))
            return
        split = self.tasks[parents[0]]
        script = replication.script
        if split.flow is not None and split.flow != Replicate(script=script):
            message = (
                f"for {replication.said}, task {split.name!r} should split, but it has a flow script already. Put "
                "another task between them."
            )
            self.problems.append(Problem(code="PA603", task=name, message=message))
            return
        others = [child for child in self._children(split.name) if child != name]
        if split.flow is None and others:
            message = (
                f"for {replication.said}, task {split.name!r} splits, but {', '.join(others)} depends on it as well "
                "and would be replicated too. Put another task between them."
            )
            self.problems.append(Problem(code="PA603", task=name, message=message))
            return
        self._change(split.name, flow=Replicate(script=script))
        if not self._children(name):
            merge = self._free_name("DefaultMerge")
            self.tasks[merge] = Task(name=merge, executable=Script(language="cpython"), depends=(name,))
            self.notices.append(f"Task {merge}, which does nothing, is added to merge the replicas of {name}.")

    # -- the graph

    def put_code(self, name: str, code: str) -> None:
        """Give a task another script."""
        executable = self.tasks[name].executable
        assert isinstance(executable, Script)
        self._change(name, executable=replace(executable, code=code))

    def _change(self, name: str, **changes: Any) -> None:
        self.tasks[name] = replace(self.tasks[name], **changes)

    def _children(self, name: str) -> list[str]:
        return [task.name for task in self.tasks.values() if name in task.depends]

    def _join(self, first: str, last: str) -> None:
        """Make `last` depend on everything that `first` leads to, unless it has dependencies of its own."""
        if not self.tasks[last].depends and not self._continues(last):
            self._change(last, depends=self._ends(first, last))

    def _ends(self, first: str, last: str) -> tuple[str, ...]:
        """The tasks from `first` on that only `last` comes after."""
        graph = Graph(Workflow(name="", tasks=tuple(self.tasks.values())))
        return graph.ends(first, before=last)

    def _continues(self, name: str) -> bool:
        """Whether a branch leads to this task as its continuation; then it depends on nothing."""
        return any(isinstance(task.flow, Branch) and task.flow.continuation == name for task in self.tasks.values())

    def _enclose(self, first: str, last: str) -> None:
        """Make a block of `first` and what comes after it up to `last`, where that is more than one task."""
        ends = self._ends(first, last)
        if not ends or ends == (first,) or self.tasks[first].block is not Block.NONE:
            return
        if len(ends) > 1:
            message = (
                f"Tasks {', '.join(map(repr, ends))} all end what task {first!r} begins, and only one task can: let "
                "one that depends on all of them follow."
            )
            self.problems.append(Problem(code="PA605", message=message))
            return
        self._change(first, block=Block.START)
        self._change(self._own_end(ends[0], last), block=Block.END)

    def _own_end(self, end: str, last: str) -> str:
        """`end`, or, where it ends a block inside already, a task after it that hands its result on.

        A task has one mark, so a block cannot end with the same task as an inner block.
        """
        if self.tasks[end].block is Block.NONE:
            return end
        added = self._free_name("DefaultEnd")
        script = Script(language="cpython", code="result = results[0].value()")
        self.tasks[added] = Task(name=added, executable=script, depends=(end,))
        depends = tuple(added if name == end else name for name in self.tasks[last].depends)
        self._change(last, depends=depends)
        self.notices.append(
            f"Task {added} was added to pass on the result of {end}, because {end} already ends a block."
        )
        return added

    def _free_name(self, stem: str) -> str:
        number = 1
        while f"{stem}{number}" in self.tasks:
            number += 1
        return f"{stem}{number}"


_APPLY: Mapping[str, Callable[[AppliedControls, Control], None]] = {
    "branch": AppliedControls.branch,
    "loop": AppliedControls.loop,
    "replicate": AppliedControls.replicate,
}
