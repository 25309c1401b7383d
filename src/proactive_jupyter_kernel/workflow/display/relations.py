"""Who depends on whom in a job as it runs, by full task name, from the dependencies of the definition."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from proactive_jupyter_kernel.workflow.display.records import Job, Task
from proactive_jupyter_kernel.workflow.graph import Graph
from proactive_jupyter_kernel.workflow.model import ErrorPolicy, Reference, Workflow

__all__ = ["POLICY_WORDS", "Relations", "names_text"]

#: The words of the parameter `on_error` of the pragmas.
POLICY_WORDS = {
    ErrorPolicy.CANCEL_JOB: "cancel",
    ErrorPolicy.SUSPEND_TASK: "suspend",
    ErrorPolicy.PAUSE_JOB: "pause",
    ErrorPolicy.CONTINUE: "continue",
}


def names_text(names: Iterable[str], shown: int = 4) -> str:
    """``a``, ``a and b``, ``a, b and 7 more``."""
    listed = list(dict.fromkeys(names))
    if len(listed) > shown:
        return f"{', '.join(listed[: shown - 1])} and {len(listed) - shown + 1:,} more"
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} and {listed[-1]}"


class Relations:
    """Lookups in one job and its definition; without a definition nothing depends on anything."""

    def __init__(self, job: Job, workflow: Workflow | None) -> None:
        self.job = job
        self.workflow = workflow

    @cached_property
    def by_base(self) -> dict[str, list[Task]]:
        """Tasks by base name, in the order of the job."""
        found: dict[str, list[Task]] = {}
        for task in self.job.tasks:
            found.setdefault(task.base_name, []).append(task)
        return found

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self.workflow or Workflow(name="job"))

    @cached_property
    def _parents(self) -> dict[str, tuple[str, ...]]:
        """By base name: dependencies, and for the targets of a branch the task that chooses."""
        links: dict[str, list[str]] = {name: [] for name in self._graph.tasks}
        for parent, children in self._graph.links().items():
            for child in children:
                links[child].append(parent)
        return {name: tuple(dict.fromkeys(found)) for name, found in links.items()}

    def parents(self, base: str) -> tuple[str, ...]:
        """Base names of what a task waits for."""
        return self._parents.get(base, ())

    def children(self, base: str) -> tuple[str, ...]:
        """Base names of what waits for a task."""
        return tuple(name for name, parents in self._parents.items() if base in parents)

    def below(self, bases: Iterable[str]) -> list[str]:
        """Base names of all that depends on these tasks, directly or not, nearest first."""
        waiting = list(bases)
        seen = dict.fromkeys(waiting)
        for base in waiting:
            for child in self.children(base):
                if child not in seen:
                    seen[child] = None
                    waiting.append(child)
        return [name for name in seen if name not in set(bases)]

    def waits_for(self, task: Task) -> list[str]:
        """Base names of the parents that have not ended."""
        return [
            parent
            for parent in self.parents(task.base_name)
            if not (tasks := self.by_base.get(parent)) or not all(one.ended for one in tasks)
        ]

    def policy(self, base: str) -> str:
        """What an error of the task does, in the words of the parameter `on_error`; empty where it is not known."""
        if self.workflow is None:
            return ""
        task = next((one for one in self.workflow.tasks if one.name == base), None)
        for given in (task.on_error if task else None, self.workflow.on_error):
            if isinstance(given, Reference):
                return ""
            if given is not None and given is not ErrorPolicy.NONE:
                return POLICY_WORDS[given]
        return "continue"
