"""Why tasks of a job do not run yet, one sentence for each, from what the REST API says on either scheduler.

Most reasons follow from the job's state and its workflow without a request. Only for tasks that are ready and still do
not start, a few requests are made: the scheduler's status, the nodes, their tokens and sources, and the scheduler's log
of tasks with selection scripts. Routes that a server does not have, or refuses, leave reasons out; nothing is raised.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from proactive_jupyter_kernel.client.records import UNSET, Job, TaskState
from proactive_jupyter_kernel.client.resources import RestReader, model_names, nodes_of
from proactive_jupyter_kernel.errors import SchedulerError
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Task, Workflow
from proactive_jupyter_kernel.workflow.node_conditions import NodeFacts, NodeWish, unmet_condition
from proactive_jupyter_kernel.workflow.status import TaskStatus

__all__ = ["MOST_REQUESTS", "reasons"]

#: Tasks whose log is asked for in one call; copies of one task share an answer.
_MOST_LOGS = 5
#: Requests that one call makes at most: status, counts of nodes, tokens, node sources, the nodes, and the logs.
MOST_REQUESTS = 5 + _MOST_LOGS
#: Names that a sentence lists; of more it gives the number.
_MOST_NAMES = 4
#: A failure's text is cut after so many characters: it stands in a table's cell.
_LONGEST_FAILURE = 200

_WAITING = frozenset(
    {
        TaskStatus.SUBMITTED,
        TaskStatus.PENDING,
        TaskStatus.PAUSED,
        TaskStatus.WAITING_ON_ERROR,
        TaskStatus.WAITING_ON_FAILURE,
    }
)
#: Generic information that names a node source; the second is the deprecated key.
_SOURCE_KEYS = ("NODE_SOURCE", "NODESOURCENAME")

#: What the status of the whole scheduler means for a task that is ready.
_SCHEDULER = {
    "PAUSED": "The scheduler is paused: it starts no jobs until it is resumed.",
    "FROZEN": "The scheduler is frozen: it starts no tasks until it is resumed.",
    "SHUTTING_DOWN": "The scheduler is shutting down: it starts no more jobs.",
    "KILLED": "The scheduler was killed: it no longer runs anything.",
    "UNLINKED": "The scheduler has lost its resource manager: there are no nodes until it is back.",
    "DB_DOWN": "The scheduler has lost its database: it starts nothing until it is back.",
}

# The embedded scheduler's lines of ``log/server``, one for each node that was asked about.
_VERDICT = re.compile(
    r"\bselection script (?:(?P<verdict>accepted|refused) node \S+|failed on node \S+: (?P<failure>.*))"
)
# A ProActive server's line, one for each round over all nodes.
_ROUND = re.compile(r"will get (?P<got>\d+) nodes .*freeNodes:(?P<free>\d+);.*selection script present:true;")
# What a server logs of a script that failed, whatever the logger.
_SCRIPT_FAILURE = re.compile(r"\b(?:WARN|ERROR)\b.*?\b\w*[Ss]cript\w*\b.*?(?:Exception|Error): *(?P<failure>.+)")
#: What the embedded scheduler puts before the error of a script.
_PREFIX = re.compile(r"^Failed to execute selection script: (?:.* has failed with exit code \d+: )?")


def reasons(
    scheduler: RestReader, job: Job, workflow: Workflow | None = None, *, now: Callable[[], float] = time.time
) -> dict[str, str]:
    """Task name -> why it does not run yet, one sentence, for the tasks of an alive job where a reason is known.

    A task that is about to start has none. Without the `workflow`, parents and selection scripts are not known. Makes
    `MOST_REQUESTS` requests at most, and none unless a task is ready; call it every few seconds, not with each change.
    """
    if job.ended:
        return {}
    view = _JobView(job=job, workflow=workflow, nodes=_Nodes(scheduler, job.id), now=now())
    found: dict[str, str] = {}
    for task in job.tasks:
        if task.status in _WAITING and (reason := view.reason(task)):
            found[task.name] = reason
    return found


@dataclass(kw_only=True)
class _JobView:
    """One look at a job."""

    job: Job
    workflow: Workflow | None
    nodes: _Nodes
    #: Seconds since the epoch.
    now: float

    def __post_init__(self) -> None:
        self.definitions = {task.name: task for task in self.workflow.tasks} if self.workflow else {}
        self.states: dict[str, list[TaskState]] = {}
        for task in self.job.tasks:
            self.states.setdefault(task.base_name, []).append(task)
        #: Target or continuation -> the branch tasks that decide about it, and whether it is the continuation.
        self.deciders: dict[str, list[tuple[str, bool]]] = {}
        for name, definition in self.definitions.items():
            if isinstance(definition.flow, Branch):
                for target in (definition.flow.target, definition.flow.otherwise):
                    self.deciders.setdefault(target, []).append((name, False))
                if definition.flow.continuation:
                    self.deciders.setdefault(definition.flow.continuation, []).append((name, True))

    def reason(self, task: TaskState) -> str:
        """The first reason that holds; those that say more stand first."""
        definition = self.definitions.get(task.base_name)
        if task.status is TaskStatus.PAUSED:
            return "The job is paused; resume it to let the task run."
        if task.status is TaskStatus.WAITING_ON_ERROR:
            return self._retry(task, definition)
        if task.status is TaskStatus.WAITING_ON_FAILURE:
            return "Its node was lost; the task runs again on another one."
        if task.status is TaskStatus.SUBMITTED and (reason := self._parents(task, definition)):
            return reason
        if reason := self._start(task, definition):
            return reason
        if task.status is TaskStatus.SUBMITTED:
            # A server also leaves tasks so that its last round has not looked at.
            return "" if definition else "Waits for its parents."
        return self._node(task, definition)

    def _retry(self, task: TaskState, definition: Task | None) -> str:
        done = max(1, task.max_executions - task.executions_left)
        text = f"Attempt {done} of {task.max_executions} failed; "
        delay = definition.retry_delay if definition and definition.retry_delay is not None else None
        if delay is None and self.workflow:
            delay = self.workflow.retry_delay
        if isinstance(delay, int) and task.finished_at != UNSET:
            return text + f"the task is retried at {_clock(task.finished_at / 1000 + delay, self.now)}."
        return text + "the task is retried after a delay."

    # --- parents and start times ---------------------------------------------------------------------------------

    def _parents(self, task: TaskState, definition: Task | None) -> str:
        if definition is None:
            return ""
        open_parents = [parent for name in definition.depends for parent in self._open(name, task)]
        if open_parents:
            return f"Waits for {_listed(open_parents)}."
        for name, joins in self.deciders.get(task.base_name, ()):
            if undecided := self._open(name, task):
                return f"Waits for the decision of {_listed(undecided)}."
            if joins and (ways := self._ways(name, task)):
                return f"Waits for the end of the branch of {name}: {_listed(ways)}."
        return ""

    def _open(self, name: str, child: TaskState) -> list[TaskState]:
        """The copies of a task that have not ended and that `child` may wait for: of its iteration, else of any."""
        open_copies = [state for state in self.states.get(name, ()) if not state.ended]
        same = [state for state in open_copies if state.iteration == child.iteration]
        if child.replication and any(state.replication == child.replication for state in same):
            return [state for state in same if state.replication == child.replication]
        return same or open_copies

    def _ways(self, name: str, child: TaskState) -> list[TaskState]:
        flow = self.definitions[name].flow
        targets = (flow.target, flow.otherwise) if isinstance(flow, Branch) else ()
        return [state for target in targets for state in self._open(target, child)]

    def _start(self, task: TaskState, definition: Task | None) -> str:
        own = _moment(task.generic_information.get("START_AT", "")) or (
            _moment(definition.generic_information.get("START_AT", "")) if definition and not task.iteration else None
        )
        moment = own or (
            self.job.info.start_at / 1000
            if self.job.info.start_at > 0
            else _moment(self.job.info.generic_information.get("START_AT", ""))
        )
        if moment is None or moment <= self.now:
            return ""
        when = _clock(moment, self.now)
        if task.iteration and own and any(isinstance(each.flow, Loop) for each in self.definitions.values()):
            return f"The next iteration of the loop starts at {when}."
        return f"Starts at {when} (START_AT)."

    # --- nodes ---------------------------------------------------------------------------------------------------

    def _node(self, task: TaskState, definition: Task | None) -> str:
        if reason := self._scheduler(task):
            return reason
        information = {
            **self.job.info.generic_information,
            **(definition.generic_information if definition else {}),
            **task.generic_information,
        }
        token = information.get("NODE_ACCESS_TOKEN", "")
        if token and "$" not in token and (tokens := self.nodes.tokens) is not None and token not in tokens:
            offered = f"The tokens of its nodes: {', '.join(tokens)}." if tokens else "None of its nodes has a token."
            return f"No node of the scheduler has the token {token!r} (NODE_ACCESS_TOKEN). {offered}"
        source = next((information[key] for key in _SOURCE_KEYS if information.get(key)), "")
        if source and "$" not in source and (sources := self.nodes.sources) is not None and source not in sources:
            return f"The scheduler has no node source {source!r}. Its node sources: {', '.join(sources)}."
        if definition is not None and definition.selection and (reason := self.nodes.selection(task)):
            return reason
        counts = self.nodes.counts
        if counts is not None and (reason := _too_few(task.nodes, *counts)):
            return reason
        if "$" in source + token:
            return ""
        wish = NodeWish(
            nodes=task.nodes, source=source, token=token, topology=definition.topology if definition else None
        )
        # Asked for last: a list of all nodes may be long.
        facts = self.nodes.facts
        return unmet_condition(wish, facts, self.nodes.sources or ()) if facts else ""

    def _scheduler(self, task: TaskState) -> str:
        status = self.nodes.status
        if status == "PAUSED" and self.job.info.started_at != UNSET:
            return ""  # jobs that have started run to their end
        return _SCHEDULER.get(status, "")


def _too_few(needed: int, free: int, total: int) -> str:
    if not total:
        return "The scheduler has no nodes."
    if needed > total:
        return f"The task needs {needed} nodes at once; the scheduler has {total}."
    if free < needed:
        busy = f"All {total} nodes are busy" if not free and total > 1 else f"{free} of {total} nodes are free"
        if total == 1:
            busy = "The only node is busy"
        return f"{busy}; the task needs {needed}." if needed > 1 else f"{busy}."
    return ""


@dataclass
class _Nodes:
    """What the scheduler says beside the job; each thing is asked for when it is first needed, once."""

    scheduler: RestReader
    job_id: int
    _logs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def status(self) -> str:
        """The constant of the scheduler's status."""
        return self._text("scheduler", "status").strip().strip('"')

    @cached_property
    def counts(self) -> tuple[int, int] | None:
        """Free and alive nodes."""
        try:
            state = self.scheduler.ask("rm", "state", doing="show its nodes").json()
            return int(state["freeNodesNumber"]), int(state["totalAliveNodesNumber"])
        except (SchedulerError, KeyError, TypeError, ValueError):
            return None

    @cached_property
    def tokens(self) -> list[str] | None:
        """All tokens that nodes have."""
        return model_names(self._text("rm", "model", "tokens"))

    @cached_property
    def sources(self) -> list[str] | None:
        """All node sources."""
        return model_names(self._text("rm", "model", "nodesources"))

    @cached_property
    def facts(self) -> list[NodeFacts]:
        """The nodes that could run tasks; empty where the server does not list them."""
        try:
            nodes = nodes_of(self.scheduler)
        except (SchedulerError, TypeError, ValueError, AttributeError):
            return []
        return [
            NodeFacts(
                source=node.source,
                host=node.host,
                tokens=node.tokens,
                busy=node.state == "BUSY",
                locked=node.locked,
            )
            for node in nodes
            if node.is_usable
        ]

    def selection(self, task: TaskState) -> str:
        """What the selection scripts of a task said; empty where that is not known."""
        name = task.base_name
        if name not in self._logs:
            if len(self._logs) >= _MOST_LOGS:
                return ""
            text = self._text("scheduler", "jobs", self.job_id, "tasks", task.name, "log", "server")
            self._logs[name] = _verdict(text.splitlines())
        return self._logs[name]

    def _text(self, *path: str | int) -> str:
        try:
            return self.scheduler.ask(*path, doing=f"show {path[-1]}").text
        except SchedulerError:
            return ""


def _verdict(lines: Sequence[str]) -> str:
    """What the lines of ``log/server`` say about the selection scripts of a task that waits."""
    refused, accepted, failures = 0, 0, []
    for line in lines:
        if found := _VERDICT.search(line):
            refused += found["verdict"] == "refused"
            accepted += found["verdict"] == "accepted"
            if found["failure"] is not None:
                failures.append(found["failure"])
        elif found := _ROUND.search(line):
            refused, accepted = int(found["free"]) if found["got"] == "0" else 0, int(found["got"])
        elif found := _SCRIPT_FAILURE.search(line):
            failures = [found["failure"]]
    if accepted:
        return ""
    if failures:
        return f"The selection script failed: {_cut(_PREFIX.sub('', failures[-1]))}"
    return f"The selection script refused every free node ({refused})." if refused else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_FAILURE else text[: _LONGEST_FAILURE - 3] + "..."


def _listed(tasks: Iterable[TaskState]) -> str:
    """Names, with what is to be known of each."""
    shown = [
        f"{task.name} (in error)" if task.status is TaskStatus.IN_ERROR else task.name
        for task in sorted(tasks, key=lambda task: task.status is not TaskStatus.IN_ERROR)
    ]
    if len(shown) > _MOST_NAMES:
        return f"{', '.join(shown[: _MOST_NAMES - 1])} and {len(shown) - _MOST_NAMES + 1} other tasks"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def _moment(text: str) -> float | None:
    """``START_AT`` in seconds since the epoch; None where it is missing or not ISO 8601 with a zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return None if moment.tzinfo is None else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def _clock(moment: float, now: float) -> str:
    """A time in this machine's zone; with the date unless that is today's."""
    local = time.localtime(moment)
    same_day = local[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S", local)
