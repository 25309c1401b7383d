"""Why tasks wait: one sentence for each, from a job's state, its workflow and what the scheduler says."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from proactive_jupyter_kernel.client.jobs import waiting
from proactive_jupyter_kernel.client.records import Job, JobInfo, TaskState
from proactive_jupyter_kernel.client.transport import Response
from proactive_jupyter_kernel.errors import SchedulerError, SchedulerUnreachable
from proactive_jupyter_kernel.workflow.model import Branch, Loop, Script, SelectionScript, Task, Workflow
from proactive_jupyter_kernel.workflow.status import JobStatus, TaskStatus

CODE = Script(language="cpython", code="1")
#: Noon of a day, local time, in seconds since the epoch.
NOON = time.mktime((2026, 11, 25, 12, 0, 0, 0, 0, -1))
PENDING, SUBMITTED, RUNNING, FINISHED = (
    TaskStatus.PENDING,
    TaskStatus.SUBMITTED,
    TaskStatus.RUNNING,
    TaskStatus.FINISHED,
)
FREE = {"/rm/state": {"freeNodesNumber": 4, "totalAliveNodesNumber": 4}}
BUSY = {"/rm/state": {"freeNodesNumber": 0, "totalAliveNodesNumber": 4}}


class RestReader:
    """Answers from a table; what is not in it is a route that the server does not have."""

    def __init__(self, answers: Mapping[str, object], *, error: type[SchedulerError] = SchedulerError) -> None:
        self.answers = answers
        self.error = error
        self.requests: list[str] = []

    def ask(self, *path: str | int, doing: str, query: Mapping[str, str] | None = None) -> Response:
        name = "".join(f"/{part}" for part in path)
        self.requests.append(name)
        if name not in self.answers:
            raise self.error(f"The scheduler refused to {doing}: HTTP status 404")
        answer = self.answers[name]
        return Response(status=200, body=(answer if isinstance(answer, str) else json.dumps(answer)).encode())


def task(name: str, **fields: object) -> Task:
    return replace(Task(name=name, executable=CODE), **fields)


def state(name: str, status: TaskStatus = PENDING, **fields: object) -> TaskState:
    return replace(TaskState(id=0, name=name, status=status), **fields)


def job(*tasks: TaskState, **info: object) -> Job:
    return Job(info=replace(JobInfo(id=7, name="j", status=JobStatus.RUNNING), **info), tasks=tasks)


def reasons(
    job: Job, tasks: tuple[Task, ...] = (), answers: Mapping[str, object] | None = None, **fields: object
) -> dict[str, str]:
    workflow = replace(Workflow(name="j", tasks=tasks), **fields) if tasks else None
    return waiting.reasons(RestReader(answers or FREE), job, workflow, now=lambda: NOON)


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.mark.parametrize(
    ("status", "fields", "sentence"),
    [
        (TaskStatus.PAUSED, {}, "The job is paused; resume it to let the task run."),
        (TaskStatus.WAITING_ON_FAILURE, {}, "Its node was lost; the task runs again on another one."),
        (
            TaskStatus.WAITING_ON_ERROR,
            {"max_executions": 4, "executions_left": 3, "finished_at": round(NOON * 1000)},
            "Attempt 1 of 4 failed; the task is retried at 12:00:30.",
        ),
    ],
)
def test_the_status_alone_says_it(status: TaskStatus, fields: Mapping[str, object], sentence: str) -> None:
    """Paused, lost and failed tasks."""
    assert reasons(job(state("A", status, **fields)), (task("A", retry_delay=30),)) == {"A": sentence}


def test_a_retry_without_a_delay_of_its_own() -> None:
    """The server's growing delay is not guessed."""
    waits = state("A", TaskStatus.WAITING_ON_ERROR, max_executions=2, executions_left=1)
    assert reasons(job(waits)) == {"A": "Attempt 1 of 2 failed; the task is retried after a delay."}


def test_parents() -> None:
    """The parents that have not ended; those in error first; many are counted."""
    names = ("A", "B", "C", "D", "E")
    tasks = (*(task(name) for name in names), task("F", depends=names), task("G", depends=("A", "B", "C")))
    states = (
        state("A", FINISHED),
        state("B", RUNNING),
        state("C", TaskStatus.IN_ERROR),
        state("D", RUNNING),
        state("E", RUNNING),
        state("F", SUBMITTED),
        state("G", SUBMITTED),
    )
    assert reasons(job(*states), tasks) == {
        "F": "Waits for C (in error), B, D and E.",
        "G": "Waits for C (in error) and B.",
    }
    more = (*states[1:5], state("X", RUNNING), state("Y", SUBMITTED))
    assert reasons(job(*more), (*tasks, task("X"), task("Y", depends=("B", "C", "D", "E", "X")))) == {
        "Y": "Waits for C (in error), B, D and 2 other tasks."
    }


def test_copies_wait_for_copies() -> None:
    """A copy waits for the parents of its own iteration and replication."""
    tasks = (task("A"), task("B", depends=("A",)))
    states = (
        state("A", FINISHED),
        state("B", FINISHED),
        state("A#1", RUNNING, iteration=1),
        state("B#1", SUBMITTED, iteration=1),
        state("A*1", RUNNING, replication=1),
        state("A*2", RUNNING, replication=2),
        state("B*1", SUBMITTED, replication=1),
    )
    assert reasons(job(*states), tasks) == {"B#1": "Waits for A#1.", "B*1": "Waits for A*1."}


def test_branches() -> None:
    """Targets wait for the decision, the continuation for the way that was chosen."""
    tasks = (
        task("If", flow=Branch(script=CODE, target="Yes", otherwise="No", continuation="End")),
        task("Yes"),
        task("No"),
        task("End"),
    )
    undecided = (state("If", RUNNING), state("Yes", SUBMITTED), state("No", SUBMITTED), state("End", SUBMITTED))
    assert reasons(job(*undecided), tasks) == dict.fromkeys(("Yes", "No", "End"), "Waits for the decision of If.")
    decided = (state("If", FINISHED), state("Yes", RUNNING), state("No", TaskStatus.SKIPPED), state("End", SUBMITTED))
    assert reasons(job(*decided), tasks) == {"End": "Waits for the end of the branch of If: Yes."}


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (NOON + 3600, "Starts at 13:00:00 (START_AT)."),
        (NOON + 86_400, "Starts at 2026-11-26 12:00:00 (START_AT)."),
        (NOON - 1, None),
    ],
)
def test_start_times(seconds: float, sentence: str | None) -> None:
    """Of the task, of its definition, of the job, in this order; one that has passed is no reason."""
    late = {"START_AT": iso(seconds)}
    expected = {"A": sentence} if sentence else {}
    assert reasons(job(state("A", generic_information=late))) == expected
    assert reasons(job(state("A", SUBMITTED)), (task("A", generic_information=late),)) == expected
    assert reasons(job(state("A"), generic_information=late)) == expected
    assert reasons(job(state("A"), start_at=round(seconds * 1000))) == expected


def test_the_next_date_of_a_cron_expression() -> None:
    """The copies of a loop by calendar."""
    waits = state("A#1", SUBMITTED, iteration=1, generic_information={"START_AT": iso(NOON + 60)})
    assert reasons(job(state("A", FINISHED), waits), (task("A", flow=Loop(script=CODE, target="A")),)) == {
        "A#1": "The next iteration of the loop starts at 12:01:00."
    }


@pytest.mark.parametrize(
    ("information", "answers", "sentence"),
    [
        (
            {"NODE_ACCESS_TOKEN": "gpu"},
            {"/rm/model/tokens": "PA:LIST()"},
            "No node of the scheduler has the token 'gpu' (NODE_ACCESS_TOKEN). None of its nodes has a token.",
        ),
        (
            {"NODE_ACCESS_TOKEN": "gpu"},
            {"/rm/model/tokens": "PA:LIST(,big,small)"},
            "No node of the scheduler has the token 'gpu' (NODE_ACCESS_TOKEN). The tokens of its nodes: big, small.",
        ),
        (
            {"NODE_ACCESS_TOKEN": "gpu"},
            {"/rm/model/tokens": "PA:REGEXP(^$)"},
            "No node of the scheduler has the token 'gpu' (NODE_ACCESS_TOKEN). None of its nodes has a token.",
        ),
        ({"NODE_ACCESS_TOKEN": "big"}, {"/rm/model/tokens": "PA:LIST(,big,small)"}, None),
        ({"NODE_ACCESS_TOKEN": "$T"}, {"/rm/model/tokens": "PA:LIST()"}, None),
        (
            {"NODE_SOURCE": "Cloud"},
            {"/rm/model/nodesources": "PA:LIST(,Default,LocalNodes)"},
            "The scheduler has no node source 'Cloud'. Its node sources: Default, LocalNodes.",
        ),
        ({}, BUSY, "All 4 nodes are busy."),
        ({}, {"/rm/state": {"freeNodesNumber": 0, "totalAliveNodesNumber": 1}}, "The only node is busy."),
        ({}, {"/rm/state": {"freeNodesNumber": 0, "totalAliveNodesNumber": 0}}, "The scheduler has no nodes."),
        ({}, {"/scheduler/status": "FROZEN"}, "The scheduler is frozen: it starts no tasks until it is resumed."),
        ({}, {"/scheduler/status": '"PAUSED"'}, "The scheduler is paused: it starts no jobs until it is resumed."),
        ({}, {}, None),
    ],
)
def test_no_node(information: Mapping[str, str], answers: Mapping[str, object], sentence: str | None) -> None:
    """Tokens, node sources, busy nodes, and a scheduler that starts nothing."""
    expected = {"A": sentence} if sentence else {}
    assert reasons(job(state("A", generic_information=information)), answers=FREE | answers) == expected
    assert reasons(job(state("A"), generic_information=information), answers=FREE | answers) == expected


@pytest.mark.parametrize(
    ("needed", "sentence"),
    [(5, "The task needs 5 nodes at once; the scheduler has 4."), (3, "2 of 4 nodes are free; the task needs 3.")],
)
def test_several_nodes(needed: int, sentence: str) -> None:
    """A task that asks for more nodes than there are, or than are free."""
    answers = {"/rm/state": {"freeNodesNumber": 2, "totalAliveNodesNumber": 4}}
    assert reasons(job(state("A", nodes=needed)), answers=answers) == {"A": sentence}


#: Lines of the embedded scheduler and of a ProActive server.
OWN = "2026-11-25 22:05:12,345 {} [o.o.p.r.s.SelectionManager] task 7t0 (A) selection script {}\n"
SERVER = (
    '2026-11-25 22:05:12,345 INFO  [o.o.p.r.s.SelectionManager] "ana" (pnp://h:1/x requested 1 nodes with '
    "ArbitraryTopologyDescriptor and will get {} nodes  [totalNumberOfAliveNodesRightNow:4;freeNodes:{};"
    "filteredNodes:4;reordered after policy:4;selection script present:{};nodes filtered by selection script:{};"
    "selectedNodes:{}]\n"
)
SERVER_FAILURE = (
    "2026-11-25 22:05:12,345 WARN  [o.o.p.r.s.SelectionManager] org.ow2.proactive.scripting.ScriptException: "
    "javax.script.ScriptException: NameError: name 'x' is not defined\n"
)


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (
            OWN.format("INFO ", "refused node local-0") + OWN.format("INFO ", "refused node local-1"),
            "The selection script refused every free node (2).",
        ),
        (
            OWN.format("INFO ", "refused node local-0")
            + OWN.format(
                "WARN ",
                "failed on node local-1: Failed to execute selection script: Python process "
                "execution has failed with exit code 1: NameError: x",
            ),
            "The selection script failed: NameError: x",
        ),
        (OWN.format("INFO ", "refused node local-0") + OWN.format("INFO ", "accepted node local-1"), None),
        (SERVER.format(0, 3, "true", 0, 0), "The selection script refused every free node (3)."),
        (SERVER.format(0, 3, "true", 0, 0) + SERVER.format(1, 3, "true", 1, 1), None),
        (SERVER.format(0, 0, "false", 0, 0), None),
        (
            SERVER_FAILURE,
            "The selection script failed: javax.script.ScriptException: NameError: name 'x' is not defined",
        ),
        ("", None),
    ],
)
def test_selection_scripts(log: str, sentence: str | None) -> None:
    """Refused, failed with the error, or accepted; one request for all copies of a task."""
    chooses = task("A", selection=(SelectionScript(script=CODE),))
    answers = FREE | {"/scheduler/jobs/7/tasks/A/log/server": log}
    asked = RestReader(answers)
    copies = job(state("A"), state("A*1", replication=1))
    found = waiting.reasons(asked, copies, Workflow(name="j", tasks=(chooses,)), now=lambda: NOON)
    assert found == (dict.fromkeys(("A", "A*1"), sentence) if sentence else {})
    assert asked.requests.count("/scheduler/jobs/7/tasks/A/log/server") == 1


def node(source: str, status: str, *tokens: str, **more: object) -> dict[str, object]:
    """A node as ``/rm/monitoring`` lists it."""
    event = {"nodeUrl": f"pnp://mars/{source}", "nodeSource": source, "hostName": "mars", "nodeState": status}
    return {**event, "tokens": list(tokens), **more}


@pytest.mark.parametrize(
    ("information", "nodes", "sentence"),
    [
        (
            {},
            [node("Cloud", "FREE", "gpu"), node("Cloud", "DOWN")],
            "Every node of the scheduler asks for an access token; set NODE_ACCESS_TOKEN to one of: gpu.",
        ),
        (
            {"NODE_SOURCE": "Cloud", "NODE_ACCESS_TOKEN": "gpu"},
            [node("Cloud", "FREE"), node("Local", "FREE", "gpu")],
            "No node of the node source 'Cloud' has the token 'gpu' (NODE_ACCESS_TOKEN). "
            "None of its nodes has a token.",
        ),
        ({}, [node("Cloud", "FREE", locked=True)], "The only node is locked."),
        ({}, [node("Cloud", "FREE")], None),
        ({"NODE_SOURCE": "${S}"}, [node("Cloud", "FREE", locked=True)], None),
    ],
)
def test_the_condition_that_no_node_fulfils(
    information: Mapping[str, str], nodes: list[dict[str, object]], sentence: str | None
) -> None:
    """Though nodes are free and what is asked for exists, no node fulfils all of it."""
    asked = {
        "/rm/model/tokens": "PA:LIST(,gpu)",
        "/rm/model/nodesources": "PA:LIST(,Cloud,Local)",
        "/rm/monitoring": {"nodesEvents": nodes},
    }
    found = reasons(job(state("A")), (task("A", generic_information=information),), asked | FREE)
    assert found == ({"A": sentence} if sentence else {})


def test_few_requests() -> None:
    """A hundred tasks that wait, each of them with a token, a source and a selection script."""
    names = [f"T{number}" for number in range(100)]
    asks = {"NODE_ACCESS_TOKEN": "gpu", "NODE_SOURCE": "Cloud"}
    tasks = [task(name, generic_information=asks, selection=(SelectionScript(script=CODE),)) for name in names]
    models = {"/rm/model/tokens": "PA:LIST(,gpu)", "/rm/model/nodesources": "PA:LIST(,Cloud)"}
    asked = RestReader(models | {"/rm/monitoring": {"nodesEvents": [node("Cloud", "BUSY", "gpu")]}} | FREE)
    found = waiting.reasons(asked, job(*map(state, names)), Workflow(name="j", tasks=tuple(tasks)), now=lambda: NOON)
    assert found == dict.fromkeys(names, "The only node of the node source 'Cloud' with the token 'gpu' is busy.")
    assert len(asked.requests) == waiting.MOST_REQUESTS


@pytest.mark.parametrize("error", [SchedulerError, SchedulerUnreachable])
def test_missing_routes(error: type[SchedulerError]) -> None:
    """A server without the routes, or one that cannot be reached: no reason, no error."""
    chooses = task("A", selection=(SelectionScript(script=CODE),), generic_information={"NODE_ACCESS_TOKEN": "gpu"})
    asked = RestReader({}, error=error)
    assert waiting.reasons(asked, job(state("A")), Workflow(name="j", tasks=(chooses,))) == {}


def test_no_request_without_a_ready_task() -> None:
    """A job that has ended, and tasks that wait for parents."""
    asked = RestReader({})
    ended = job(state("A"), status=JobStatus.KILLED)
    waits = job(state("A", RUNNING), state("B", SUBMITTED))
    workflow = Workflow(name="j", tasks=(task("A"), task("B", depends=("A",))))
    found = [waiting.reasons(asked, each, workflow) for each in (ended, waits)]
    assert (found, asked.requests) == ([{}, {"B": "Waits for A."}], [])
