"""A job that runs on the nodes of one node source, on one host, or on nodes with an access token.

What is sent works on servers of all versions, and is what the reference kernel sends: the generic information
``NODESOURCENAME`` and ``NODE_ACCESS_TOKEN``, and a selection script for the host, for which there is no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from proactive_jupyter_kernel.client.resources import RestReader, check_name
from proactive_jupyter_kernel.workflow.model import Script, SelectionScript, Task, Workflow

__all__ = ["NodeChoice"]

#: The key of all versions, and its successor, which wins where a job has both.
_SOURCE, _NEW_SOURCE = "NODESOURCENAME", "NODE_SOURCE"
_TOKEN = "NODE_ACCESS_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChoice:
    """Where the tasks of one submission run; an empty name leaves it to the scheduler."""

    node_source: str = ""
    host: str = ""
    token: str = ""

    def __bool__(self) -> bool:
        return bool(self.node_source or self.host or self.token)

    def check(self, scheduler: RestReader) -> None:
        """Raise `UnknownResource` where the scheduler does not have what is named."""
        for kind in ("node_source", "host", "token"):
            if name := getattr(self, kind):
                check_name(scheduler, kind, name)

    def information(self, job: Mapping[str, str] | None = None) -> dict[str, str]:
        """The generic information to add to that of the job, which may name another node source."""
        added = {}
        if self.node_source:
            added[_SOURCE] = self.node_source
            if _NEW_SOURCE in (job or {}):
                added[_NEW_SOURCE] = self.node_source
        if self.token:
            added[_TOKEN] = self.token
        return added

    def applied(self, workflow: Workflow, *, embedded: bool) -> Workflow:
        """The workflow with this choice for all of its tasks; what a task asks for itself stays.

        The language of the host's selection script is one that every node has: Groovy on a server, JavaScript on the
        embedded scheduler.
        """
        tasks = workflow.tasks
        if self.host:
            script = SelectionScript(
                script=Script(language="javascript" if embedded else "groovy", code=_by_host(self.host)), static=True
            )
            tasks = tuple(replace(task, selection=(*task.selection, script)) for task in tasks)
        information = {**workflow.generic_information, **self.information(workflow.generic_information)}
        return replace(workflow, generic_information=information, tasks=tasks)

    def exceptions(self, workflow: Workflow) -> list[str]:
        """What to know of tasks that ask for other nodes themselves, which this choice does not change."""
        return [
            f"Task {task.name} keeps its own {words} {value!r} ({key})."
            for task in workflow.tasks
            for words, value, key in self._own(task)
        ]

    def _own(self, task: Task) -> list[tuple[str, str, str]]:
        wishes = [
            (self.node_source, "node source", (_NEW_SOURCE, _SOURCE)),
            (self.token, "access token", (_TOKEN,)),
        ]
        own = task.generic_information
        found = [
            (words, next(((own[key], key) for key in keys if own.get(key)), None), wanted)
            for wanted, words, keys in wishes
            if wanted
        ]
        return [(words, *kept) for words, kept, wanted in found if kept is not None and kept[0] != wanted]


def _by_host(host: str) -> str:
    """Reads the same in Groovy and in JavaScript."""
    literal = host.lower().replace("\\", "\\\\").replace("'", "\\'")
    return f"selected = (nodehost.toLowerCase() == '{literal}')"
